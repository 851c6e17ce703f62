"""Hypers in param_groups: what a key stands for, checked and handed to an engine when it changes."""
from __future__ import annotations

import difflib
import math
from typing import Any, Mapping, NamedTuple, Optional, Sequence

import torch

from .._engine import Engine, Hyper
from . import devices


class Field(NamedTuple):
    """A key of param_groups and the hypers that it holds: `betas` holds beta1 and beta2."""

    key: str
    hypers: tuple[str, ...]


def number(value: Any, said: str) -> float:
    if isinstance(value, torch.Tensor) and value.numel() != 1:
        raise TypeError(f"{said} is a tensor of shape {tuple(value.shape)}: one number is needed")
    gpu = devices.gpu_of(value) if isinstance(value, torch.Tensor) else None
    if gpu is not None and devices.is_capturing(gpu):
        raise RuntimeError(f"{said} is a tensor on a GPU, which cannot be read while a graph is captured: give a number")
    try:
        if isinstance(value, (str, bytes)):  # float() would read it
            raise TypeError
        return float(value.detach() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError, RuntimeError):  # the last of a complex tensor, or one without values
        raise TypeError(f"{said} is {value!r}: a number is needed") from None


def _parts(value: Any, count: int, said: str) -> tuple[Any, ...]:
    if count == 1:
        return (value,)
    try:
        parts = tuple(value)
    except TypeError:
        raise TypeError(f"{said} is {value!r}: {count} numbers are needed") from None
    if len(parts) != count:
        raise ValueError(f"Invalid {said}: {value!r} has {len(parts)} parts, not {count}")
    return parts


def check(hyper: Hyper, value: float, said: str) -> None:
    above = value >= hyper.low if hyper.low_closed else value > hyper.low
    below = value <= hyper.high if hyper.high_closed else value < hyper.high
    if not (above and below):
        interval = f"{'(['[hyper.low_closed]}{hyper.low:g}, {hyper.high:g}{')]'[hyper.high_closed]}"
        raise ValueError(f"Invalid {said}: {value:g} is not in {interval}")
    if hyper.kind != "number" and value != math.floor(value):
        raise ValueError(f"Invalid {said}: {value:g} is no integer")


class Hypers:
    """The hypers of a rule as its groups have them. `fixed` are keys whose value is part of the
    compiled rule, such as amsgrad."""

    def __init__(self, hypers: Sequence[Hyper], fields: Sequence[Field], fixed: Mapping[str, Any]) -> None:
        self.by_name = {hyper.name: hyper for hyper in hypers}
        self.fields, self.fixed = tuple(fields), dict(fixed)
        self.keys = [field.key for field in fields] + list(fixed)
        self._applied: list[Any] = []

    def defaults(self) -> dict[str, Optional[float]]:
        """Of fields that hold one hyper, under its name."""
        return {field.key: _shown(self.by_name[field.key]) for field in self.fields}

    def check_group(self, group: Mapping[str, Any], index: int) -> None:
        """Values of a group that has all its keys, before anything is made of it."""
        self._values(index, self._row(group, index))
        for key in group:
            if key not in self.keys and key not in _OWN_KEYS:
                near = difflib.get_close_matches(key, self.keys, 1, 0.8)
                if near:
                    raise ValueError(f"group {index} has {key!r}, which the rule does not know: did you mean {near[0]!r}?")

    def _row(self, group: Mapping[str, Any], index: int) -> list[Any]:
        try:
            return [group[key] for key in self.keys]
        except KeyError as error:
            raise ValueError(f"group {index} of param_groups has no {error.args[0]!r} any more") from None

    def _values(self, index: int, row: Sequence[Any]) -> dict[str, float]:
        found: dict[str, float] = {}
        for (key, hypers), value in zip(self.fields, row):
            said = f"{key} of group {index}"
            for name, part in zip(hypers, _parts(value, len(hypers), said)):
                if part is None and self.by_name[name].default is None:
                    continue  # the rule computes it from others
                checked = number(part, said)
                check(self.by_name[name], checked, said)
                found[name] = checked
        for key, value in zip(self.fixed, row[len(self.fields):]):
            if value != self.fixed[key]:
                raise ValueError(f"{key} of group {index} is {value!r}, but {self.fixed[key]!r} is compiled into the rule, for "
                                 "all groups and all steps: make another optimizer")
        return found

    def forget(self) -> None:
        """A new engine has none of the values yet."""
        self._applied = []

    def apply(self, engine: Engine, groups: Sequence[Mapping[str, Any]]) -> None:
        """Hands over what has changed since the last time."""
        applied = self._applied
        if len(applied) != len(groups):
            applied = self._applied = [None] * len(groups)
        for index, group in enumerate(groups):
            row = self._row(group, index)
            # What is no plain number may have an == of its own.
            if applied[index] is None or not _COMPARABLE.issuperset(map(type, row)) or row != applied[index]:
                applied[index] = None
                self._hand_over(engine, groups, index, row)
                applied[index] = row if all(map(_is_constant, row)) else None

    def _hand_over(self, engine: Engine, groups: Sequence[Mapping[str, Any]], index: int, row: Sequence[Any]) -> None:
        values = self._values(index, row)
        for name, value in values.items():
            if self.by_name[name].rate != "model":
                engine.set_hyper(name, value, index)
                continue
            for other, group in enumerate(groups):
                if self._values(other, self._row(group, other)).get(name) != value:
                    raise ValueError(f"{name} is one value for the whole model, and groups {index} and {other} have two")
            engine.set_hyper(name, value)


_NUMBERS = frozenset((float, int, bool, type(None)))
_COMPARABLE = _NUMBERS | {tuple}


def _is_constant(value: Any) -> bool:
    """Whether it cannot change in place, as tensors, arrays and lists can."""
    return type(value) in _NUMBERS or (type(value) is tuple and all(map(_is_constant, value)))


#: Keys that torch, its schedulers and this package write into groups.
_OWN_KEYS = frozenset(("params", "param_names", "name", "names", "initial_lr", "max_lr", "min_lr", "base_lr", "swa_lr",
                       "max_momentum", "base_momentum", "initial_momentum", "tags", "split", "foreach", "fused",
                       "capturable", "differentiable", "maximize"))


def _shown(hyper: Hyper) -> Optional[float]:
    """A default as a user would write it."""
    if hyper.default is None or hyper.kind == "number":
        return hyper.default
    return bool(hyper.default) if hyper.kind == "bool" else int(hyper.default)
