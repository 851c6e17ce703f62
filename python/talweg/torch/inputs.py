"""What rules read besides gradients: numbers and tensors by the rule's names, as C wants them."""
from __future__ import annotations

import ctypes
from typing import Any, Mapping, Sequence

import torch

from .._engine import Part
from . import tensors
from .engines import Member
from .hypers import number


def pointers(parts: Sequence[Part], given: Mapping[str, Any], loss: Any, members: Sequence[Member], groups: int) -> Any:
    """One pointer an input, null where it is not given."""
    known = [part.name for part in parts]
    for name in given:
        if name not in known:
            raise TypeError(f"the rule has no input {name!r}" + (f"; it has {', '.join(known)}" if known else ""))
    found: Any = (ctypes.c_void_p * max(1, len(parts)))()
    kept: list[Any] = []
    for i, part in enumerate(parts):
        value = given.get(part.name)
        if value is None and part.name == "loss":
            value = loss
        if value is None:
            continue
        array = _array(part, value, members, groups, kept)
        kept.append(array)
        found[i] = ctypes.addressof(array)
    found.kept = kept
    return found


def _array(part: Part, value: Any, members: Sequence[Member], groups: int, kept: list[Any]) -> Any:
    said = f"the input {part.name!r}"
    if part.rate == "model":
        return ctypes.c_double(number(value, said))
    if part.rate in ("group", "tensor"):
        count = groups if part.rate == "group" else len(members)
        values = [number(entry, said) for entry in _listed(value, count, part, said)]
        return (ctypes.c_double * max(1, count))(*values)
    if part.rate != "element":
        raise ValueError(f"{said} is one of every {part.rate}: such inputs are not served for tensors of torch")
    array = (ctypes.c_void_p * max(1, len(members)))()
    for i, (entry, member) in enumerate(zip(_listed(value, len(members), part, said), members)):
        if entry is None:
            continue
        if not isinstance(entry, torch.Tensor):
            raise TypeError(f"{said} for {member.said} is no tensor but {type(entry).__name__}")
        fitting = tensors.fitting(entry, member.parameter, f"{said} for {member.said}")
        kept.append(fitting)
        array[i] = fitting.data_ptr()
    return array


def _listed(value: Any, count: int, part: Part, said: str) -> list[Any]:
    values = list(value)
    if len(values) != count:
        raise ValueError(f"{said} has {len(values)} entries; the optimizer has {count} "
                         f"{'groups' if part.rate == 'group' else 'parameters'}")
    return values
