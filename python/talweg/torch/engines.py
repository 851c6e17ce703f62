"""An engine over the memory of parameters, with its states as tensors of torch."""
from __future__ import annotations

import ctypes
import dataclasses
import math
import os
import re
import weakref
from typing import Any, Callable, Mapping, Optional, Sequence

import torch

from .._engine import _REGRAD, Engine, Error, Pool, State, Table, Tensor
from . import devices, places, tensors

REGRAD, SKIPPED = _REGRAD, 2


@dataclasses.dataclass(frozen=True)
class Member:
    """A parameter of an optimizer. `said` is how messages call it, `name` what rules may ask for."""

    parameter: torch.Tensor
    group: int
    said: str
    name: Optional[str] = None
    tags: tuple[str, ...] = ()
    split: Any = None


@dataclasses.dataclass
class Snapshot:
    """All states of an engine, by the parameters that they belong to."""

    counters: dict[str, float] = dataclasses.field(default_factory=dict)
    model: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    groups: dict[int, dict[str, torch.Tensor]] = dataclasses.field(default_factory=dict)
    parameters: dict[torch.Tensor, dict[str, torch.Tensor]] = dataclasses.field(default_factory=dict)
    #: Which states that get their initial value late have it: by name and parameter (or None).
    begun: dict[tuple[str, Optional[torch.Tensor]], float] = dataclasses.field(default_factory=dict)

    def without_parameters(self) -> Snapshot:
        """A copy of the numbers."""
        groups = {index: {name: state.clone() for name, state in states.items()} for index, states in self.groups.items()}
        return Snapshot(dict(self.counters), {name: state.clone() for name, state in self.model.items()}, groups, {},
                        dict(self.begun))


@dataclasses.dataclass
class Inputs:
    """What a step reads besides gradients; it keeps that alive."""

    pointers: Any  #: an input each; null where it is not given
    kept: list[Any] = dataclasses.field(default_factory=list)
    #: Floats or doubles that stay on the GPU, by the names of inputs. Their pointers are null.
    on_gpu: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)


class Bound:
    """An engine bound to addresses. What changes them needs a new one, which takes the states."""

    was_captured = False

    def __init__(self, table: Table, members: Sequence[Member], groups: int, pool: Optional[Pool],
                 looks_at_shape: bool, gpu: Optional[int] = None) -> None:
        """`gpu`: the number of that which has the parameters."""
        self.members, self.pool, self.gpu = tuple(members), pool, gpu
        self.parameters = [member.parameter for member in members]
        self.places = {id(parameter): i for i, parameter in enumerate(self.parameters)}
        self.shapes = [parameter.shape for parameter in self.parameters]
        self.strides = [parameter.stride() for parameter in self.parameters]
        self.addresses = list(map(tensors.address_of, self.parameters))
        names = [str(i) if member.name is None else member.name for i, member in enumerate(members)]
        self._by_name = dict(zip(names, self.parameters))
        described = [
            Tensor(name, tensors.shape_for_rule(member.parameter, member.said, looks_at_shape), address, member.tags,
                   member.group, member.split)
            for name, member, address in zip(names, members, self.addresses)]
        try:
            self.engine = self._make(table, described, groups)
        except Error as error:
            called = {name: member.said for name, member in zip(names, members)}
            raise Error(error.status, _said(str(error), called)) from None
        self.snapshot = self._snapshot()
        self._pointers: Any = (ctypes.c_void_p * max(1, len(self.parameters)))()
        self._set_live(list(range(len(self.parameters))))
        self.forked = False
        if pool is not None:
            _with_threads.add(self)

    def _make(self, table: Table, described: Sequence[Tensor], groups: int) -> Engine:
        engine = Engine(table, described, groups, self.pool, self._allocate)
        self._control: Any = engine._memory[0]
        return engine

    def _allocate(self, size: int, alignment: int) -> tuple[int, torch.Tensor]:
        self._states = torch.empty(size + alignment, dtype=torch.uint8, device="cpu")
        start = self._states.data_ptr()
        ctypes.memset(start, 0, size + alignment)
        self._states = self._states[-start % alignment:]
        return self._states.data_ptr(), self._states

    # ---- States ----

    def _snapshot(self) -> Snapshot:
        found = Snapshot(parameters={parameter: {} for parameter in self.parameters})
        self._numbers: list[tuple[State, Optional[torch.Tensor]]] = []
        for state in self.engine.states():
            parameter = None if state.tensor is None else self._by_name[state.tensor]
            if state.kind != "value":
                self._numbers.append((state, parameter))
            elif parameter is not None:
                found.parameters[parameter][state.name] = self._view(state, parameter)
            elif dict(self._rates()).get(state.name) == "group":
                found.groups.setdefault(state.group, {})[state.name] = self._view(state, None)
            else:
                found.model[state.name] = self._view(state, None)
        return found

    def _rates(self) -> list[tuple[str, str]]:
        return [(part.name, part.rate) for part in self.engine.table.states]

    def _view(self, state: State, parameter: Optional[torch.Tensor]) -> torch.Tensor:
        """The memory of a state itself, in the layout of its parameter."""
        dtype, count = tensors.BYTES[state.element_bytes], math.prod(state.shape)
        if count == 0:
            return torch.zeros(state.shape, dtype=dtype, device="cpu" if parameter is None else parameter.device)
        flat = self._flat(state, count * state.element_bytes, dtype)
        if parameter is not None and not parameter.is_contiguous() and state.shape == tensors.memory_shape(parameter):
            return flat.as_strided(parameter.size(), parameter.stride())
        return flat.reshape(state.shape)

    def _flat(self, state: State, size: int, dtype: torch.dtype) -> torch.Tensor:
        offset = state.address - self._states.data_ptr()
        if 0 <= offset < self._states.numel():
            return self._states[offset:offset + size].view(dtype)
        offset = state.address - ctypes.addressof(self._control)
        return torch.frombuffer(self._control, dtype=dtype, count=size // state.element_bytes, offset=offset)

    def _flag(self, state: State) -> ctypes.c_double:
        return ctypes.c_double.from_buffer(self._control, state.address - ctypes.addressof(self._control))

    def settle(self) -> None:
        """To be called before states are read or written that are in the host's memory."""

    def read(self) -> Snapshot:
        """The states as they are: tensors are the memory itself, numbers are copies."""
        self.settle()
        found = self.snapshot
        found.counters, found.begun = {}, {}
        for state, parameter in self._numbers:
            value = ctypes.c_double.from_address(state.address).value
            if state.kind == "counter":
                found.counters[state.name] = value
            else:
                found.begun[state.name, parameter] = value
        return found

    def flags(self) -> dict[torch.Tensor, dict[str, ctypes.c_double]]:
        """The numbers that say whether a state of a parameter has its initial value yet. They keep their
        memory alive."""
        found: dict[torch.Tensor, dict[str, ctypes.c_double]] = {}
        for state, parameter in self._numbers:
            if state.kind == "begun" and parameter is not None:
                found.setdefault(parameter, {})[state.name] = self._flag(state)
        return found

    def write(self, other: Snapshot) -> None:
        """Takes the states of another engine where there are the same here; others stay initial."""
        self.settle()
        own = self.snapshot
        copy(own.model, other.model)
        for index, states in own.groups.items():
            copy(states, other.groups.get(index, {}))
        for parameter, states in own.parameters.items():
            copy(states, other.parameters.get(parameter, {}))
        for state, of in self._numbers:
            given = other.counters.get(state.name) if state.kind == "counter" else other.begun.get((state.name, of))
            if given is not None:
                ctypes.c_double.from_address(state.address).value = given

    # ---- Steps ----

    def follow(self) -> None:
        """Goes on where torch puts work now."""

    def scale(self, found_inf: Optional[torch.Tensor], grad_scale: Optional[torch.Tensor]) -> None:
        """GradScaler has already dealt with gradients on the CPU."""

    def moved(self) -> bool:
        """Whether a parameter has other memory than at creation."""
        return self.forked or list(map(tensors.address_of, self.parameters)) != self.addresses

    def _set_live(self, live: list[int]) -> None:
        """Which parameters have a gradient: most loops never change that."""
        self._live = live
        self._live_parameters = [self.parameters[i] for i in live]
        present = set(live)
        self._others = [parameter for i, parameter in enumerate(self.parameters) if i not in present]
        self._plain = all(map(tensors.is_contiguous, self._live_parameters))
        self._gradients = places.of_gradients(self._live_parameters, [self.shapes[i] for i in live])
        self.tell_autograd: Callable[[], None] = tensors.version_bump(self._live_parameters)

    def gather(self) -> Any:
        """Finds where all gradients are. Returns what must live until the step has ended."""
        if not self._plain:
            return self._gather_all()
        try:
            found, outcome = self._gradients.read()
        except (TypeError, RuntimeError):  # one is None, or has no memory of its own
            return self._gather_all()
        if outcome == places.ELSEWHERE:
            self._gradients.take(self._pointers, self._live if self._others else None)
        if outcome == places.UNFIT or any(gradient is not None for gradient in map(tensors.gradient_of, self._others)):
            return self._gather_all()
        return found

    def _gather_all(self) -> Any:
        """With all checks, one by one."""
        kept: list[torch.Tensor] = []
        live: list[int] = []
        pointers = self._pointers
        self._gradients.forget()
        for i, member in enumerate(self.members):
            gradient = member.parameter.grad
            if gradient is None:
                pointers[i] = None
                continue
            if member.parameter.shape != self.shapes[i]:
                raise ValueError(f"{member.said} has shape {tuple(member.parameter.shape)} now, and its states "
                                 f"{tuple(self.shapes[i])}: make a new optimizer")
            if not tensors.same_strides(member.parameter.stride(), self.strides[i], self.shapes[i]):
                raise ValueError(f"{member.said} has strides {member.parameter.stride()} now, in the memory where its states "
                                 f"have {self.strides[i]}: give it memory of its own, p.data = p.data.clone()")
            fitting = tensors.fitting(gradient, member.parameter, f"the gradient of {member.said}")
            pointers[i] = fitting.data_ptr()
            kept.append(fitting)
            live.append(i)
        if live != self._live:
            self._set_live(live)
        return kept

    def step(self, inputs: Optional[Inputs]) -> int:
        """One call; the gradients are kept alive meanwhile."""
        kept = self.gather()
        outcome = self.engine.step(self._pointers, inputs.pointers if inputs is not None else None)
        del kept
        if outcome != SKIPPED:
            self.tell_autograd()
        return outcome

    def shape_of(self, parameter: torch.Tensor) -> Optional[torch.Size]:
        """At creation; None for a parameter that was not there."""
        place = self.places.get(id(parameter))
        return None if place is None else self.shapes[place]

    def memory(self) -> list[torch.Tensor]:
        """Keeps the memory of parameters alive that the engine will write to once more, even if they
        move to another."""
        return [parameter.detach() for parameter in self.parameters]

    def abandon(self) -> None:
        """Gives up a step that waits for another gradient: parameters go back."""
        if self.engine.is_waiting:
            self.engine.abandon()
            self.tell_autograd()

    def tell_autograd_of_all(self) -> None:
        tensors.version_bump(self.parameters)()


def _said(text: str, called: Mapping[str, str]) -> str:
    """A message of an engine, whose tensors may have numbers for names, as users know them."""
    def say(found: re.Match[str]) -> str:
        said = [called.get(name, found[0]) for name in re.findall("`([^`]*)`", found[0])]
        return " and ".join(said)

    return re.sub("tensors? `[^`]*`( and `[^`]*`)?", say, text)


def copy(to: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> None:
    """Bytes as they are where they lie alike: a forked child may have no threads for torch's copy."""
    for name, state in to.items():
        other = given.get(name)
        if other is None:
            continue
        if is_alike(state, other):
            ctypes.memmove(state.data_ptr(), other.data_ptr(), state.numel() * state.element_size())
        else:
            with torch.no_grad():
                state.copy_(other)


def is_alike(state: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether both are in the host's memory and lie there alike."""
    are_here = other.device.type == "cpu" and devices.gpu_of(state) is None and devices.gpu_of(other) is None
    return are_here and tensors.same_layout(state, other) and not other.is_neg()


#: A forked child has none of the threads that its parent had: it must not wait for them.
_with_threads: weakref.WeakSet[Bound] = weakref.WeakSet()


def _after_fork() -> None:
    for bound in list(_with_threads):
        if bound.pool is not None:
            bound.pool.handle = None
        bound.forked = True


os.register_at_fork(after_in_child=_after_fork)
