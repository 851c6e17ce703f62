"""An engine over parameters on a GPU. Most steps return before they are done, so what the host reads is waited for."""
from __future__ import annotations

import ctypes
import functools
from typing import Any, Mapping, Optional, Sequence

import torch

from .._engine import Engine, Error, State, Table, Tensor
from .._gpu import GpuEngine
from . import devices, engines


_OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY"

OutOfMemoryError: type[Exception] = getattr(torch.cuda, "OutOfMemoryError", RuntimeError)


class GpuBound(engines.Bound):
    """An engine in a GPU's memory, in torch's current stream of it."""

    engine: GpuEngine
    gpu: int

    def __init__(self, table: Table, members: Sequence[engines.Member], groups: int, looks_at_shape: bool, gpu: int) -> None:
        self._scales: list[Optional[torch.Tensor]] = [None, None]
        #: Where the engine reads inputs, which is to be alive; None: an interrupt has left it unknown.
        self._inputs: dict[str, Optional[torch.Tensor]] = {}
        self._captured_inputs: list[torch.Tensor] = []
        #: Whether a graph has steps of it, which use its memory for as long as they are replayed.
        self.was_captured = False
        with devices.using(gpu):
            super().__init__(table, members, groups, None, looks_at_shape, gpu)

    def _make(self, table: Table, described: Sequence[Tensor], groups: int) -> Engine:
        """Twice where the driver has no memory left: it does not know of what torch keeps for later."""
        try:
            return self._make_once(table, described, groups)
        except Error as error:
            if _OUT_OF_MEMORY not in str(error):
                raise
        devices.empty_cache()  # out here, where the states of the first attempt have ended with the error
        try:
            return self._make_once(table, described, groups)
        except Error as error:
            if _OUT_OF_MEMORY not in str(error):
                raise
            raise OutOfMemoryError(str(error)) from None

    def _make_once(self, table: Table, described: Sequence[Tensor], groups: int) -> GpuEngine:
        engine = GpuEngine(table, described, groups, functools.partial(_allocate, self.gpu), devices.stream(self.gpu),
                           functools.partial(devices.is_capturing_at_all, self.gpu))
        self._states: torch.Tensor = engine._memory
        return engine

    def _flat(self, state: State, size: int, dtype: torch.dtype) -> torch.Tensor:
        if state.on_device:
            offset = state.address - self._states.data_ptr()
            return self._states[offset:offset + size].view(dtype)
        memory: Any = (ctypes.c_byte * size).from_address(state.address)
        memory.owner = self.engine  # the memory is the engine's
        return torch.frombuffer(memory, dtype=dtype)

    def _flag(self, state: State) -> ctypes.c_double:
        flag = ctypes.c_double.from_address(state.address)
        flag.owner = self.engine  # type: ignore[attr-defined]
        return flag

    def settle(self) -> None:
        self.engine.wait()

    def read(self) -> engines.Snapshot:
        with self.engine.lock:
            return super().read()

    def write(self, other: engines.Snapshot) -> None:
        with self.engine.lock:
            super().write(other)

    def follow(self) -> None:
        self.engine.check_process()
        self.engine.set_stream(devices.stream(self.gpu))

    def scale(self, found_inf: Optional[torch.Tensor], grad_scale: Optional[torch.Tensor]) -> None:
        """What GradScaler has on the device: read there, in the order of the stream."""
        before, self._scales = self._scales, [self._taken(found_inf, "found_inf"), self._taken(grad_scale, "grad_scale")]
        places = [_place(flag) for flag in self._scales]
        if places != [_place(flag) for flag in before]:
            self.engine.set_scaling(*places)

    def _taken(self, given: Any, said: str) -> Optional[torch.Tensor]:
        if given is None or (type(given) is int and given == 0):  # GradScaler's sum of no flags
            return None
        if not isinstance(given, torch.Tensor):
            raise TypeError(f"{said} of the optimizer is {given!r}: a tensor is needed")
        if given.numel() != 1:
            raise ValueError(f"{said} of the optimizer has shape {tuple(given.shape)}: one number is needed")
        found: torch.Tensor = given.to(device=self.parameters[0].device, dtype=torch.float32, non_blocking=True)
        return found

    def step(self, inputs: Optional[engines.Inputs]) -> int:
        with self.engine.lock:
            self.follow()  # in here: a thread that reads meanwhile has another current stream
            self._read_inputs(inputs.on_gpu if inputs is not None else {})
            if devices.is_capturing(self.gpu):
                self.was_captured = True
                self._captured_inputs += [numbers for numbers in self._inputs.values() if numbers is not None]
            else:
                self.engine.end_others()
            return super().step(inputs)

    def _read_inputs(self, on_gpu: Mapping[str, torch.Tensor]) -> None:
        """Inputs that are read there, in the order of the stream, and no others."""
        for name in {**self._inputs, **on_gpu}:
            before, now = self._inputs.get(name), on_gpu.get(name)
            if now is None or before is None or (before.data_ptr(), before.dtype) != (now.data_ptr(), now.dtype):
                self._inputs[name] = None
                self.engine.set_input(name, _place(now), 8 if now is None else now.element_size())
            if now is None:
                del self._inputs[name]
            else:
                self._inputs[name] = now


def _allocate(gpu: int, size: int, alignment: int) -> tuple[int, torch.Tensor]:
    memory = devices.memory(size + alignment, gpu)
    memory = memory[-memory.data_ptr() % alignment:]
    return memory.data_ptr(), memory


def _place(given: Optional[torch.Tensor]) -> Optional[int]:
    return None if given is None else given.data_ptr()
