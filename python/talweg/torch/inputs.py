"""What rules read besides gradients: numbers and tensors by the rule's names, as C wants them. Numbers on the GPU that has the
parameters stay there."""
from __future__ import annotations

import ctypes
from typing import Any, Mapping, Optional, Sequence

import torch

from .._engine import Part
from . import devices, tensors
from .engines import Inputs, Member
from .hypers import number


def gather(parts: Sequence[Part], given: Mapping[str, Any], loss: Any, members: Sequence[Member], groups: int,
           gpu: Optional[int]) -> Inputs:
    """`gpu`: the number of that which has the parameters."""
    known = [part.name for part in parts]
    for name in given:
        if name not in known:
            raise TypeError(f"the rule has no input {name!r}" + (f"; it has {', '.join(known)}" if known else ""))
    found = Inputs((ctypes.c_void_p * max(1, len(parts)))())
    for i, part in enumerate(parts):
        value = given.get(part.name)
        if value is None and part.name == "loss":
            value = loss
        if value is None:
            continue
        numbers = None if gpu is None else _on_gpu(part, value, members, groups, gpu)
        if numbers is not None:
            found.on_gpu[part.name] = numbers
            continue
        array = _array(part, value, members, groups, found.kept)
        found.kept.append(array)
        found.pointers[i] = ctypes.addressof(array)
    return found


def _on_gpu(part: Part, value: Any, members: Sequence[Member], groups: int, gpu: int) -> Optional[torch.Tensor]:
    """Numbers that are tensors on a GPU, where they are or as a copy there; None: the host has them."""
    counts = {"model": 1, "group": groups, "tensor": len(members)}
    if part.rate not in counts:
        return None
    said, count = f"the input {part.name!r}", counts[part.rate]
    if isinstance(value, torch.Tensor):
        if devices.gpu_of(value) is None:
            return None
        _check_on_gpu(value, gpu, said)
        if value.numel() != count:
            shape = f"{said} is a tensor of shape {tuple(value.shape)}"
            if part.rate == "model":
                raise TypeError(f"{shape}: one number is needed")
            raise ValueError(f"{shape}; {_said_count(count, part)}")
        is_ready = value.dtype in tensors.DTYPES and value.is_contiguous() and not value.is_neg()
        return value.detach() if is_ready else devices.joined([value])
    if part.rate == "model" or not isinstance(value, (list, tuple)) or not value:
        return None
    if not all(isinstance(entry, torch.Tensor) and devices.gpu_of(entry) is not None for entry in value):
        return None
    for entry in _listed(value, count, part, said):
        _check_on_gpu(entry, gpu, said)
        if entry.numel() != 1:
            raise TypeError(f"{said} has a tensor of shape {tuple(entry.shape)}: one number is needed")
    return devices.joined(value)


def _check_on_gpu(value: torch.Tensor, gpu: int, said: str) -> None:
    if devices.gpu_of(value) != gpu:
        raise RuntimeError(f"{said} is on {devices.name(devices.gpu_of(value))}, the parameters on {devices.name(gpu)}")
    if value.is_complex():
        raise TypeError(f"{said} is {value.dtype}: real numbers are needed")


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
        raise ValueError(f"{said} has {len(values)} entries; {_said_count(count, part)}")
    return values


def _said_count(count: int, part: Part) -> str:
    return f"the optimizer has {count} {'groups' if part.rate == 'group' else 'parameters'}"
