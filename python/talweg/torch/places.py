"""Where parameters and their gradients are, looked at in every step: most of what a step does in Python."""
from __future__ import annotations

import ctypes
import functools
import itertools
import operator
from typing import Any, Optional, Sequence

import torch

from . import described, tensors

#: How reading gradients ends; talweg_embed_gradients of compiler/embed/tensors.h.
UNFIT, AS_BEFORE, ELSEWHERE = 0, 1, 2


class Parameters:
    """The parameters of a group, and where they are."""

    def __init__(self, parameters: Sequence[torch.Tensor]) -> None:
        self._parameters = list(parameters)
        self._addresses: Any = list(map(tensors.address_of, parameters))

    def are(self, given: Sequence[torch.Tensor]) -> bool:
        """Whether a group has these and no others."""
        return len(given) == len(self._parameters) and all(map(operator.is_, given, self._parameters))

    def are_unmoved(self, given: Sequence[torch.Tensor]) -> bool:
        """The same, and all are where they were."""
        return self.are(given) and list(map(tensors.address_of, given)) == self._addresses


class DescribedParameters(Parameters):
    """The same in one call of libtalweg."""

    def __init__(self, parameters: Sequence[torch.Tensor], calls: described.Calls) -> None:
        super().__init__(parameters)
        count = len(self._parameters)
        objects = (ctypes.c_void_p * max(1, count))(*map(id, self._parameters))
        addresses = (ctypes.c_uint64 * max(1, count))(*self._addresses)
        self._call = functools.partial(calls.are_at, ctypes.byref(calls.python), objects, addresses, count)

    def are_unmoved(self, given: Sequence[torch.Tensor]) -> bool:
        if not isinstance(given, list):
            return super().are_unmoved(given)
        if len(given) != len(self._parameters):
            return False
        try:
            return self._call(given) == 1
        except RuntimeError:  # one is on a device or of a layout that no description has
            return self._are_unmoved_undescribed(given)

    def _are_unmoved_undescribed(self, given: Sequence[torch.Tensor]) -> bool:
        try:
            return super().are_unmoved(given)
        except RuntimeError:  # of a layout without an address
            return False


class Gradients:
    """The gradients of some parameters, which have one type, are contiguous and have these shapes."""

    def __init__(self, parameters: Sequence[torch.Tensor], shapes: Sequence[torch.Size]) -> None:
        self._parameters, self._shapes = list(parameters), list(shapes)
        self._dtypes = {parameter.dtype for parameter in parameters}
        self._devices = {parameter.device for parameter in parameters}
        self._before: Any = [-1] * len(parameters)
        self._found: Any = self._before

    def read(self) -> tuple[list[Any], int]:
        """All gradients, and whether they are AS_BEFORE, ELSEWHERE or, one of them or of the parameters,
        possibly UNFIT. Raises TypeError or RuntimeError where one is None, or has no memory of its own."""
        found = list(map(tensors.gradient_of, self._parameters))
        self._found = list(map(tensors.address_of, found))
        if not all(map(tensors.is_contiguous, found)):
            return found, UNFIT
        if self._found == self._before:
            return found, AS_BEFORE
        fit = (set(map(tensors.dtype_of, found)) == self._dtypes and set(map(tensors.device_of, found)) == self._devices
               and not any(map(tensors.is_negated, found))
               and list(map(tensors.shape_of, found)) == self._shapes
               and list(map(tensors.shape_of, self._parameters)) == self._shapes
               and all(map(tensors.is_contiguous, self._parameters)))
        return found, ELSEWHERE if fit else UNFIT

    def take(self, pointers: Any, places: Optional[Sequence[int]]) -> None:
        """Writes where the gradients were found to pointers, at these places of them or to all; to be
        AS_BEFORE next time."""
        if places is None:
            pointers[:len(self._found)] = self._found
        else:
            for place, address in zip(places, self._found):
                pointers[place] = address
        self._before = self._found

    def forget(self) -> None:
        """Where they were: all is looked at again."""
        self._before = [-1] * len(self._parameters)


#: What DLPack calls devices.
_KINDS = {"cpu": 1, "cuda": 2}


class DescribedGradients(Gradients):
    """The same in one call of libtalweg."""

    def __init__(self, parameters: Sequence[torch.Tensor], shapes: Sequence[torch.Size], calls: described.Calls) -> None:
        super().__init__(parameters, shapes)
        count, sizes = len(shapes), list(itertools.chain(*shapes))
        ranks = (ctypes.c_uint32 * max(1, count))(*map(len, shapes))
        bits = 8 * parameters[0].element_size() if count else 0
        device = parameters[0].device if count else torch.device("cpu")
        self._expected = described.Parameters(count, ranks, (ctypes.c_int64 * max(1, len(sizes)))(*sizes), bits,
                                              _KINDS.get(device.type, 0), device.index or 0)
        self._call = functools.partial(calls.read_gradients, ctypes.byref(calls.python), ctypes.byref(self._expected),
                                       self._parameters, "grad")
        self._before, self._found = ((ctypes.c_uint64 * max(1, count))() for _ in range(2))
        self.forget()

    def read(self) -> tuple[list[Any], int]:
        found: list[Any] = [None] * len(self._parameters)
        outcome = self._call(found, self._before, self._found)
        if outcome == ELSEWHERE and any(map(tensors.is_negated, found)):  # which no description says
            outcome = UNFIT
        return found, outcome

    def take(self, pointers: Any, places: Optional[Sequence[int]]) -> None:
        if places is None:
            ctypes.memmove(pointers, self._found, 8 * len(self._parameters))
        else:
            for place, address in zip(places, self._found):
                pointers[place] = address
        self._before, self._found = self._found, self._before

    def forget(self) -> None:
        ctypes.memset(self._before, 255, ctypes.sizeof(self._before))


#: From how many parameters on a call pays; there may be a group for each.
CALL_FROM = 16


def of_parameters(parameters: Sequence[torch.Tensor]) -> Parameters:
    calls = described.calls()
    if calls is None or len(parameters) < CALL_FROM:
        return Parameters(parameters)
    return DescribedParameters(parameters, calls)


def of_gradients(parameters: Sequence[torch.Tensor], shapes: Sequence[torch.Size]) -> Gradients:
    calls = described.calls()
    return Gradients(parameters, shapes) if calls is None else DescribedGradients(parameters, shapes, calls)
