"""NVIDIA's driver through ctypes, as far as the kit needs it: memory, streams, events, graphs.

The library is libcuda.so.1, or what the environment variable TALWEG_CUDA_DRIVER names: the one that
generated libraries open too.
"""
from __future__ import annotations

import ctypes
import os
from typing import Any, Optional

POINTER, U64, SIZE, UINT = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_size_t, ctypes.c_uint
NON_BLOCKING = 1
MULTIPROCESSORS, MAJOR, MINOR = 16, 75, 76

_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "cuGetErrorName": (ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)),
    "cuInit": (UINT,),
    "cuDriverGetVersion": (ctypes.POINTER(ctypes.c_int),),
    "cuDeviceGet": (ctypes.POINTER(ctypes.c_int), ctypes.c_int),
    "cuDeviceGetName": (ctypes.c_char_p, ctypes.c_int, ctypes.c_int),
    "cuDeviceGetAttribute": (ctypes.POINTER(ctypes.c_int), ctypes.c_int, ctypes.c_int),
    "cuDevicePrimaryCtxRetain": (ctypes.POINTER(POINTER), ctypes.c_int),
    "cuCtxPushCurrent_v2": (POINTER,),
    "cuCtxSynchronize": (),
    "cuMemGetInfo_v2": (ctypes.POINTER(SIZE), ctypes.POINTER(SIZE)),
    "cuMemAlloc_v2": (ctypes.POINTER(U64), SIZE),
    "cuMemFree_v2": (U64,),
    "cuMemcpyHtoDAsync_v2": (U64, POINTER, SIZE, POINTER),
    "cuMemcpyDtoHAsync_v2": (POINTER, U64, SIZE, POINTER),
    "cuMemcpyDtoDAsync_v2": (U64, U64, SIZE, POINTER),
    "cuModuleLoadDataEx": (ctypes.POINTER(POINTER), ctypes.c_char_p, UINT, POINTER, POINTER),
    "cuModuleUnload": (POINTER,),
    "cuModuleGetFunction": (ctypes.POINTER(POINTER), POINTER, ctypes.c_char_p),
    "cuLaunchKernel": (POINTER, UINT, UINT, UINT, UINT, UINT, UINT, UINT, POINTER, POINTER, POINTER),
    "cuStreamCreate": (ctypes.POINTER(POINTER), UINT),
    "cuStreamDestroy_v2": (POINTER,),
    "cuStreamSynchronize": (POINTER,),
    "cuStreamBeginCapture_v2": (POINTER, ctypes.c_int),
    "cuStreamEndCapture": (POINTER, ctypes.POINTER(POINTER)),
    "cuGraphInstantiateWithFlags": (ctypes.POINTER(POINTER), POINTER, ctypes.c_ulonglong),
    "cuGraphLaunch": (POINTER, POINTER),
    "cuGraphExecDestroy": (POINTER,),
    "cuGraphDestroy": (POINTER,),
    "cuEventCreate": (ctypes.POINTER(POINTER), UINT),
    "cuEventDestroy_v2": (POINTER,),
    "cuEventRecord": (POINTER, POINTER),
    "cuEventSynchronize": (POINTER,),
    "cuEventElapsedTime": (ctypes.POINTER(ctypes.c_float), POINTER, POINTER),
}


class DriverError(Exception):
    """A call of the driver that did not succeed; `name` is NVIDIA's, such as CUDA_ERROR_OUT_OF_MEMORY."""

    def __init__(self, function: str, name: str) -> None:
        super().__init__(f"{function}: {name}")
        self.name = name


class Driver:
    """The driver with one device's primary context current on this thread, until the process ends."""

    def __init__(self, device: int = 0) -> None:
        library = os.environ.get("TALWEG_CUDA_DRIVER") or "libcuda.so.1"
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise DriverError(library, f"cannot be opened ({error})") from None
        self._functions = {}
        for name, arguments in _FUNCTIONS.items():
            # A test's driver lacks what no test calls: that is an error where it is called.
            function = getattr(self._library, name, None)
            if function is not None:
                function.restype, function.argtypes = ctypes.c_int, list(arguments)
                self._functions[name] = function
        self.device = device  #: its ordinal
        self.call("cuInit", 0)
        number, context = ctypes.c_int(), POINTER()
        self.call("cuDeviceGet", number, device)
        self._device = number.value
        self.call("cuDevicePrimaryCtxRetain", context, self._device)
        self.call("cuCtxPushCurrent_v2", context)

    def call(self, name: str, *arguments: Any) -> None:
        """A call; what is no success is an exception."""
        if name not in self._functions:
            raise DriverError(name, "the driver has no such function")
        result = self._functions[name](*arguments)
        if result != 0:
            text = ctypes.c_char_p()
            known = self._functions["cuGetErrorName"](result, text) == 0 and text.value
            raise DriverError(name, known.decode() if known else f"error {result}")

    def description(self) -> dict[str, Any]:
        """What the device is."""
        name, version = ctypes.create_string_buffer(256), ctypes.c_int()
        self.call("cuDeviceGetName", name, 256, self._device)
        self.call("cuDriverGetVersion", version)
        _, total = self.memory()
        return {"name": name.value.decode(), "driver_cuda": f"{version.value // 1000}.{version.value % 1000 // 10}",
                "sm": 10 * self.attribute(MAJOR) + self.attribute(MINOR),
                "multiprocessors": self.attribute(MULTIPROCESSORS), "memory_bytes": total}

    def attribute(self, which: int) -> int:
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", value, which, self._device)
        return value.value

    def memory(self) -> tuple[int, int]:
        """Free bytes, and all."""
        free, total = SIZE(), SIZE()
        self.call("cuMemGetInfo_v2", free, total)
        return free.value, total.value

    def allocate(self, size: int) -> int:
        address = U64()
        self.call("cuMemAlloc_v2", address, max(1, size))
        return address.value

    def free(self, address: int) -> None:
        self.call("cuMemFree_v2", address)

    def write(self, address: int, data: Any, stream: Optional[int] = None) -> None:
        """Copies bytes to the device, and waits."""
        if len(data):
            source = (ctypes.c_char * len(data)).from_buffer(data) if isinstance(data, bytearray) else data
            self.call("cuMemcpyHtoDAsync_v2", address, ctypes.cast(source, POINTER), len(data), stream)
        self.synchronize(stream)

    def read(self, address: int, size: int, stream: Optional[int] = None) -> bytearray:
        """Bytes of the device, when all that was put into the stream is done."""
        data = bytearray(size)
        if size:
            self.call("cuMemcpyDtoHAsync_v2", (ctypes.c_char * size).from_buffer(data), address, size, stream)
        self.synchronize(stream)
        return data

    def synchronize(self, stream: Optional[int] = None) -> None:
        self.call("cuStreamSynchronize", stream)

    def stream(self) -> int:
        """A stream that does not wait for the default one."""
        stream = POINTER()
        self.call("cuStreamCreate", stream, NON_BLOCKING)
        assert stream.value
        return stream.value

    def end_stream(self, stream: int) -> None:
        self.call("cuStreamDestroy_v2", stream)


class Graph:
    """What `work` puts into a stream, captured: replay() puts it in again."""

    def __init__(self, driver: Driver, stream: int, work: Any) -> None:
        self._driver, self._stream = driver, stream
        graph, self._exec = POINTER(), POINTER()
        driver.call("cuStreamBeginCapture_v2", stream, 0)
        try:
            work()
        finally:
            driver.call("cuStreamEndCapture", stream, graph)
        driver.call("cuGraphInstantiateWithFlags", self._exec, graph, 0)
        driver.call("cuGraphDestroy", graph)

    def replay(self) -> None:
        self._driver.call("cuGraphLaunch", self._exec, self._stream)

    def close(self) -> None:
        self._driver.call("cuGraphExecDestroy", self._exec)


class Timer:
    """Milliseconds of what a stream does, by events."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._events = driver, (POINTER(), POINTER())
        for event in self._events:
            driver.call("cuEventCreate", event, 0)

    def measure(self, stream: Optional[int], work: Any) -> float:
        milliseconds = ctypes.c_float()
        self._driver.call("cuEventRecord", self._events[0], stream)
        work()
        self._driver.call("cuEventRecord", self._events[1], stream)
        self._driver.call("cuEventSynchronize", self._events[1])
        self._driver.call("cuEventElapsedTime", milliseconds, *self._events)
        return milliseconds.value

    def close(self) -> None:
        for event in self._events:
            self._driver.call("cuEventDestroy_v2", event)
