"""Arrays of other libraries as NumPy arrays of the same memory, by DLPack.

NumPy's own from_dlpack makes them read-only or not depending on its release, and asks for none of
what a parameter needs. Used as engine.py is; the text below the mark is in generated modules too.
"""
from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np

# BEGIN
class _DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32),
                ("device_id", ctypes.c_int32), ("rank", ctypes.c_int32), ("code", ctypes.c_uint8),
                ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64)]


class _DLVersioned(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32),
                ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
                ("flags", ctypes.c_uint64), ("tensor", _DLTensor)]


_DL_READ_ONLY = 1
_DL_IMMUTABLE = ("jax", "tensorflow")  # before DLPack 1.0 nothing says so
_DL_CPU = (1, 3, 11)  # the others are memory of the CPU which CUDA or ROCm has pinned
_DL_DEVICES = {2: "CUDA", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 13: "CUDA (managed)",
               14: "oneAPI", 15: "WebGPU", 16: "Hexagon"}
_DL_CODES = ("int", "uint", "float", "handle", "bfloat", "complex", "bool")
_is_capsule = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_IsValid", ctypes.pythonapi))
_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi))


def _from_dlpack(given: Any, what: str) -> np.ndarray:
    """The memory of an array that has __dlpack__. It stays borrowed as long as the result lives."""
    capsule = None
    try:
        device = given.__dlpack_device__()[0]
        if device in _DL_CPU:
            capsule = _capsule(given)
    except Exception as error:
        raise TypeError(f"{what} does not give its memory: {error}") from error
    _check_device(device, what)
    flags = 0
    if _is_capsule(capsule, b"dltensor_versioned"):
        address = _capsule_pointer(capsule, b"dltensor_versioned")
        versioned = _DLVersioned.from_address(address)
        if versioned.major != 1:
            raise TypeError(f"{what} is given by DLPack {versioned.major}, which is not known here")
        tensor, flags = versioned.tensor, versioned.flags
    else:
        tensor = _DLTensor.from_address(_capsule_pointer(capsule, b"dltensor"))
    _check_device(tensor.device, what)
    shape = tuple(tensor.shape[:tensor.rank])
    kind = _dlpack_type(tensor, what)
    if tensor.strides and not _is_c_order(shape, tensor.strides[:tensor.rank]):
        raise ValueError(f"{what} is not contiguous in C order")
    if math.prod(shape) == 0:
        return np.zeros(shape, kind)
    memory = (ctypes.c_byte * (math.prod(shape) * kind.itemsize)).from_address(
        tensor.data + tensor.offset)
    memory.capsule = capsule  # never consumed: when it ends, it gives the memory back
    array = np.frombuffer(memory, kind).reshape(shape)
    if flags & _DL_READ_ONLY or type(given).__module__.startswith(_DL_IMMUTABLE):
        array.flags.writeable = False
    return array


def _capsule(given: Any) -> Any:
    try:
        return given.__dlpack__(max_version=(1, 0))
    except TypeError:  # older than DLPack 1.0
        return given.__dlpack__()


def _check_device(device: int, what: str) -> None:
    if device not in _DL_CPU:
        raise ValueError(f"{what} is in memory of {_DL_DEVICES.get(device, f'device {device}')}; "
                         "it must be in that of the CPU")


def _dlpack_type(tensor: _DLTensor, what: str) -> np.dtype:
    if tensor.lanes == 1 and tensor.code == 2 and tensor.bits in (32, 64):
        return np.dtype(f"f{tensor.bits // 8}")
    name = _DL_CODES[tensor.code] if tensor.code < len(_DL_CODES) else f"type {tensor.code}, "
    raise TypeError(f"{what} is of {name}{tensor.bits}; it must be of float32 or float64")


def _is_c_order(shape: tuple[int, ...], strides: list[int]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides)):
        if size != 1 and stride != expected:
            return 0 in shape
        expected *= size
    return True
