"""What stands in `optimizer.state`: dicts that hand over what is put into them."""
from __future__ import annotations

import collections
import ctypes
import dataclasses
import weakref
from typing import Any, Callable, Iterable, Mapping, Optional

import torch

from . import engines


class Changes:
    """Whether something has changed that only a new engine can follow."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending = True


def _marking(method: Callable[..., Any]) -> Callable[..., Any]:
    def changed(self: Any, *arguments: Any, **named: Any) -> Any:
        self._changes.pending = True
        return method(self, *arguments, **named)

    changed.__name__ = method.__name__
    changed.__doc__ = method.__doc__
    return changed


class _Noticed(dict[Any, Any]):
    """Everything that is put in goes through __setitem__. Copies and pickles are plain dicts."""

    __slots__ = ()

    def update(self, *arguments: Any, **named: Any) -> None:
        for key, value in dict(*arguments, **named).items():
            self[key] = value

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]


class States(_Noticed):
    """The states of a parameter. Its tensors are the states themselves; one that is put in their
    place is copied into them if it has their shape and type. Another stays here as it is, for it may
    be on its way to another parameter; the next step refuses it if it still is of this one."""

    __slots__ = ("_memory", "_flags", "_changes", "_bound")

    def __init__(self) -> None:
        super().__init__()
        self._memory: Mapping[str, torch.Tensor] = {}
        self._flags: Mapping[str, ctypes.c_double] = {}
        self._changes = Changes()
        self._bound: Callable[[], Optional[engines.Bound]] = lambda: None

    def bind(self, memory: Mapping[str, torch.Tensor], flags: Mapping[str, ctypes.c_double], changes: Changes,
             bound: engines.Bound) -> None:
        memory = dict(memory)  # of the same names, where there are some already
        self._memory, self._flags, self._changes, self._bound = memory, flags, changes, weakref.ref(bound)
        dict.update(self, memory)  # type: ignore[arg-type]  # at once: no interrupt shall leave some of them

    def begun(self, name: str) -> float:
        """Whether a state that gets its initial value late has it. What somebody has put here has."""
        flag = self._flags.get(name)
        return 1.0 if flag is None or self[name] is not self._memory[name] else flag.value

    def __setitem__(self, name: str, value: Any) -> None:
        own = self._memory.get(name)
        if own is not None and _fits(own, value):
            bound = self._bound()
            if bound is not None:
                bound.settle()  # or what steps have left would come here later, over the new value
            engines.copy({name: own}, {name: value if engines.is_alike(own, value) else value.detach().clone()})
            if name in self._flags:
                self._flags[name].value = 1.0
            value = own
        else:
            self._changes.pending = True
        super().__setitem__(name, value)

    __delitem__ = _marking(dict.__delitem__)
    pop = _marking(dict.pop)
    popitem = _marking(dict.popitem)
    clear = _marking(dict.clear)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (dict(self),)


class AllStates(_Noticed, collections.defaultdict[Any, Any]):
    """`optimizer.state`: the states of all parameters, as torch has it."""

    def __init__(self, given: Mapping[Any, Any], changes: Changes) -> None:
        collections.defaultdict.__init__(self, dict, given)
        self._changes = changes

    def __missing__(self, key: Any) -> Any:
        """Asking changes nothing."""
        return dict.setdefault(self, key, {})

    def copy(self) -> Any:
        return collections.defaultdict(dict, self)

    __copy__ = copy
    __setitem__ = _marking(dict.__setitem__)
    __delitem__ = _marking(dict.__delitem__)
    pop = _marking(dict.pop)
    popitem = _marking(dict.popitem)
    clear = _marking(dict.clear)

    def adopt(self, old: Iterable[torch.Tensor], bound: engines.Bound) -> None:
        """Has the states of a new engine instead of those of an old one, in the same dicts."""
        own, flags = bound.snapshot.parameters, bound.flags()
        used: set[int] = set()
        for parameter in old:
            if parameter not in own:
                dict.pop(self, parameter, None)
        for parameter, memory in own.items():
            states = self.get(parameter)
            if not isinstance(states, States) or id(states) in used:
                states = States()
            used.add(id(states))
            states.bind(memory, flags.get(parameter, {}), self._changes, bound)
            own[parameter] = states
            dict.__setitem__(self, parameter, states)
        self._changes.pending = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        return collections.defaultdict, (dict, dict(self))


def taken(bound: engines.Bound, given: Mapping[Any, Any], before: Optional[engines.Snapshot]) -> engines.Snapshot:
    """What a new engine takes: numbers from the one before, states from where users see them. A
    parameter without any begins with it. Raises before anything changes."""
    before = engines.Snapshot() if before is None else before
    of_none = {key: value for key, value in before.begun.items() if key[1] is None}
    found = dataclasses.replace(before, parameters={}, begun=of_none)
    for member in bound.members:
        parameter, states = member.parameter, given.get(member.parameter)
        if states is None or states == {}:
            continue
        _check(bound.snapshot.parameters[parameter], states, member.said)
        found.parameters[parameter] = states
        is_known = states is before.parameters.get(parameter)
        for name in states:
            if isinstance(states, States):
                found.begun[name, parameter] = states.begun(name)
            else:
                found.begun[name, parameter] = before.begun.get((name, parameter), 1.0) if is_known else 1.0
    return found


def _check(own: Mapping[str, torch.Tensor], given: Any, said: str) -> None:
    if not isinstance(given, dict):
        raise TypeError(f"optimizer.state has no dict of {said} but {type(given).__name__}")
    names = ", ".join(own) or "none"
    for name in given:
        if name not in own:
            raise ValueError(f"optimizer.state has a state {name!r} of {said}, which the rule does not have; it has {names}")
    for name in own:
        if name not in given:
            raise ValueError(f"optimizer.state has no state {name!r} of {said}: the rule has {names}. Give all, or none for a "
                             "parameter whose states shall begin anew: del optimizer.state[parameter]")
        check_state(own[name], given[name], f"the state {name!r} of {said} in optimizer.state")


def _fits(own: torch.Tensor, given: Any) -> bool:
    try:
        check_state(own, given, "")
    except ValueError:
        return False
    return True


def check_state(own: torch.Tensor, given: Any, said: str) -> None:
    """Nothing is cast or broadcast."""
    if not isinstance(given, torch.Tensor):
        raise ValueError(f"{said} is no tensor but {type(given).__name__}")
    if given.dtype != own.dtype:
        raise ValueError(f"{said} is {given.dtype}, here it is {own.dtype}: cast it yourself if that is what you want")
    if given.shape != own.shape:
        raise ValueError(f"{said} has shape {tuple(given.shape)}, here it has {tuple(own.shape)}")
    if given.layout != torch.strided or given.device.type == "meta":
        raise ValueError(f"{said} has no values")
