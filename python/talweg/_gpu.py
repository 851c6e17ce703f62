"""Optimizers on NVIDIA GPUs, as C has them, for Python: addresses of the device in."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Optional, Sequence

from ._engine import _ERROR, _POINTER, _STATUS, _TABLE, _TABLE_FUNCTIONS, Allocate, Engine, Table, Tensor, _CSizes, _CSpec


class _CCuda(ctypes.Structure):
    _fields_ = [("context", _POINTER), ("stream", _POINTER), ("state_memory", _POINTER)]


#: The functions of a table that follow those of every optimizer.
_FUNCTIONS: tuple[tuple[Any, ...], ...] = (
    ("cuda_create", _STATUS, _TABLE, _POINTER, ctypes.POINTER(_CCuda), ctypes.POINTER(_POINTER), _ERROR),
    ("cuda_set_stream", _STATUS, _POINTER, _POINTER, _ERROR),
    ("cuda_send_hypers", _STATUS, _POINTER, _ERROR),
    ("cuda_set_scaling", _STATUS, _POINTER, _POINTER, _POINTER, _ERROR),
    ("cuda_wait", _STATUS, _POINTER, ctypes.POINTER(ctypes.c_int), _ERROR),
)


def _add_functions(table: Table) -> None:
    if "cuda_create" in table._functions:
        return
    pointers = table._pointer.contents.functions
    for i, (name, result, *arguments) in enumerate(_FUNCTIONS, len(_TABLE_FUNCTIONS)):
        table._functions[name] = ctypes.CFUNCTYPE(result, *arguments)(pointers[i])


class GpuEngine(Engine):
    """An optimizer whose parameters, gradients and states are in a GPU's memory: that of the context
    which is current at creation."""

    def __init__(self, table: Table, tensors: Sequence[Tensor], groups: int, allocate: Allocate, stream: int) -> None:
        """`allocate` gives memory of the device. `stream`: of CUDA; 0 is the default one."""
        _add_functions(table)
        self._allocate, self.stream, self._process = allocate, stream, os.getpid()
        super().__init__(table, tensors, groups, None, allocate)

    def _create(self, spec: _CSpec, handle: Any, allocate: Optional[Allocate]) -> None:
        cuda = _CCuda(stream=self.stream)
        sizes = _CSizes()
        self.table.call("measure", self.table._pointer, ctypes.byref(spec), sizes)
        if sizes.state_bytes > 0:
            cuda.state_memory, self._memory = self._allocate(sizes.state_bytes, sizes.state_alignment)
        self.table.call("cuda_create", self.table._pointer, ctypes.byref(spec), cuda, ctypes.byref(handle))

    def __del__(self, process: Callable[[], int] = os.getpid) -> None:
        if getattr(self, "_process", 0) == process():  # a forked child must not ask the driver anything
            super().__del__()

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

    def wait(self) -> int:
        """Until all steps are done. Returns how the last one ended."""
        outcome = ctypes.c_int()
        self.table.call("cuda_wait", self._handle, outcome)
        return outcome.value
