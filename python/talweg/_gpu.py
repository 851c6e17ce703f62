"""Optimizers on NVIDIA GPUs, as C has them, for Python: addresses of the device in."""
from __future__ import annotations

import ctypes
import os
import sys
import threading
import weakref
from typing import Any, Callable, Optional, Sequence, cast

from ._engine import (
    _ERROR, _POINTER, _STATUS, _TABLE, _TABLE_FUNCTIONS, Allocate, Engine, Table, Tensor, _bytes, _CSizes, _CSpec)


class _CCuda(ctypes.Structure):
    _fields_ = [("context", _POINTER), ("stream", _POINTER), ("state_memory", _POINTER)]


#: The functions of a table that follow those of every optimizer.
_FUNCTIONS: tuple[tuple[Any, ...], ...] = (
    ("cuda_create", _STATUS, _TABLE, _POINTER, ctypes.POINTER(_CCuda), ctypes.POINTER(_POINTER), _ERROR),
    ("cuda_set_stream", _STATUS, _POINTER, _POINTER, _ERROR),
    ("cuda_send_hypers", _STATUS, _POINTER, _ERROR),
    ("cuda_set_scaling", _STATUS, _POINTER, _POINTER, _POINTER, _ERROR),
    ("cuda_wait", _STATUS, _POINTER, ctypes.POINTER(ctypes.c_int), _ERROR),
    ("cuda_set_input", _STATUS, _POINTER, ctypes.c_char_p, _POINTER, ctypes.c_uint32, _ERROR),
)


def _add_functions(table: Table) -> None:
    if "cuda_create" in table._functions:
        return
    pointers = table._pointer.contents.functions
    for i, (name, result, *arguments) in enumerate(_FUNCTIONS, len(_TABLE_FUNCTIONS)):
        table._functions[name] = ctypes.CFUNCTYPE(result, *arguments)(pointers[i])


class _Guarded:
    """A table whose functions one thread calls at a time, and a forked child never: it cannot ask the driver anything."""

    def __init__(self, table: Table) -> None:
        self._table, self.lock, self._is_forked = table, threading.RLock(), False
        _guarded.add(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def check(self) -> None:
        if self._is_forked:
            raise RuntimeError("the states of this optimizer are on a GPU, and CUDA cannot be used in a forked process: start it "
                               "by \"spawn\", as torch.multiprocessing.get_context(\"spawn\") does")

    def call(self, name: str, *arguments: Any) -> None:
        with self.lock:
            self.check()
            self._table.call(name, *arguments)

    def tell(self, name: str, *arguments: Any) -> Any:
        with self.lock:
            self.check()
            return self._table.tell(name, *arguments)

    def fork(self) -> None:
        """In the child, where another thread may have the lock for ever."""
        self.lock, self._is_forked = threading.RLock(), True


_guarded: weakref.WeakSet[_Guarded] = weakref.WeakSet()


def _after_fork() -> None:
    for table in list(_guarded):
        table.fork()


os.register_at_fork(after_in_child=_after_fork)

#: Engines that ended while something was captured, and what has to outlive them.
_ended: list[tuple[int, Table, Any, Any]] = []


class GpuEngine(Engine):
    """An optimizer whose parameters, gradients and states are in a GPU's memory: that of the context
    which is current at creation."""

    def __init__(self, table: Table, tensors: Sequence[Tensor], groups: int, allocate: Allocate, stream: int,
                 is_capturing: Callable[[], bool]) -> None:
        """`allocate` gives memory of the device. `stream`: of CUDA; 0 is the default one. `is_capturing`:
        whether this is no time to wait for the device or to free anything."""
        _add_functions(table)
        self._guard = _Guarded(table)
        self._allocate, self.stream, self._process, self._is_capturing = allocate, stream, os.getpid(), is_capturing
        super().__init__(cast(Any, self._guard), tensors, groups, None, allocate)

    def _create(self, spec: _CSpec, handle: Any, allocate: Optional[Allocate]) -> None:
        self.end_others()
        cuda = _CCuda(stream=self.stream)
        sizes = _CSizes()
        self.table.call("measure", self.table._pointer, ctypes.byref(spec), sizes)
        if sizes.state_bytes > 0:
            cuda.state_memory, self._memory = self._allocate(sizes.state_bytes, sizes.state_alignment)
        self.table.call("cuda_create", self.table._pointer, ctypes.byref(spec), cuda, ctypes.byref(handle))

    def __del__(self, process: Callable[[], int] = os.getpid, is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if getattr(self, "_process", 0) != process():  # a forked child must not ask the driver anything
            return
        if getattr(self, "_handle", None) and not is_ending() and self._is_capturing():  # the garbage collector comes at any time
            _ended.append((self._process, self.table, self._handle, (self._memory, self._swapped)))
            self._handle = None
        super().__del__()

    def end_others(self) -> None:
        """Those that could not end in the middle of a capture."""
        while _ended and not self._is_capturing():
            try:
                process, table, handle, memory = _ended.pop()
            except IndexError:  # another thread was faster
                return
            if process == os.getpid():
                table.tell("destroy", handle)
            del memory

    @property
    def lock(self) -> threading.RLock:
        """For what needs several calls."""
        return self._guard.lock

    def check_process(self) -> None:
        """Raises in a forked child."""
        self._guard.check()

    def step(self, gradients: Any, inputs: Any = None) -> int:
        with self.lock:
            self.check_process()
            return super().step(gradients, inputs)

    def _room(self, size: int) -> tuple[int, Any]:
        return self._allocate(max(1, size), 64)

    def set_stream(self, stream: int) -> None:
        """Work goes there from now on, behind what is still to be done in the one before."""
        if stream != self.stream:
            self.table.call("cuda_set_stream", self._handle, stream)
            self.stream = stream

    def send_hypers(self) -> None:
        """Puts hypers into the stream, for a graph that has captured steps."""
        self.table.call("cuda_send_hypers", self._handle)

    def set_scaling(self, found_inf: Optional[int], gradient_scale: Optional[int]) -> None:
        """Addresses of floats on the device that all steps look at from now on. Where found_inf is not
        0 a step is left out; gradients are divided by the scale first."""
        self.table.call("cuda_set_scaling", self._handle, found_inf, gradient_scale)

    def set_input(self, name: str, numbers: Optional[int], bytes_each: int) -> None:
        """An address of numbers on the device, floats or doubles, that all steps from now on read for an
        input of the model, of groups or tensors. None: what steps are given counts again."""
        self.table.call("cuda_set_input", self._handle, _bytes(name, "input"), numbers, bytes_each)

    def wait(self) -> int:
        """Until all steps are done. Returns how the last one ended."""
        self.end_others()
        outcome = ctypes.c_int()
        self.table.call("cuda_wait", self._handle, outcome)
        return outcome.value
