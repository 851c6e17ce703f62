"""Groups of parameters, from what users give to what an engine needs."""
from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Sequence

import torch

from . import devices, tensors
from .engines import Member
from .rules import Looks


_UNORDERED = ("optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will "
              "change between runs. Please use a list instead.")


def prepare(params: Iterable[Any]) -> tuple[list[dict[str, Any]], str]:
    """Groups as dicts, and the type of all parameters. Named parameters, (name, tensor), may come in
    every release of torch; before 2.5 it had no word for them."""
    if isinstance(params, torch.Tensor):
        raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                        + torch.typename(params))
    if isinstance(params, set):
        raise TypeError(_UNORDERED)
    if isinstance(params, Mapping):
        raise TypeError("params is one group: give a list of groups, [group]" if "params" in params else
                        "params is a dict: give its values(), or its items() for parameters with names")
    if isinstance(params, torch.nn.Module) and not hasattr(params, "__iter__"):  # as ParameterList has
        raise TypeError(f"params is the module {type(params).__name__}: give its parameters(), or its named_parameters()")
    given = list(params)
    if not given:
        raise ValueError("optimizer got an empty parameter list")
    if not any(isinstance(entry, dict) for entry in given):
        given = [{"params": given}]
    for index, group in enumerate(given):
        if not isinstance(group, dict):
            raise TypeError(f"group {index} is no dict but {type(group).__name__}: give groups, or parameters, not both")
    found = [dict(group) for group in given]
    for index, group in enumerate(found):
        split_names(group, index)
    for index, group in enumerate(found):
        for place, tensor in enumerate(group["params"]):
            tensors.check_parameter(tensor, say(group, index, place))
            return found, tensors.DTYPES[tensor.dtype]
    return found, "float32"


def split_names(group: dict[str, Any], index: int) -> None:
    """(name, tensor) pairs become two lists, as they stand in `param_groups` of torch 2.5 and later."""
    if "params" not in group:
        raise ValueError(f"group {index} has no \"params\"")
    params = group["params"]
    if isinstance(params, torch.Tensor):
        params = [params]
    elif isinstance(params, set):
        raise TypeError(_UNORDERED)
    params = list(params)
    named = [isinstance(param, tuple) for param in params]
    if any(named):
        if not all(named) or not all(len(param) == 2 and isinstance(param[0], str) for param in params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        group["param_names"] = [name for name, _ in params]
        params = [tensor for _, tensor in params]
    group["params"] = params


def name_of(group: dict[str, Any], place: int) -> Optional[str]:
    names = group.get("param_names")
    return names[place] if names is not None and place < len(names) else None


def say(group: dict[str, Any], index: int, place: int) -> str:
    return tensors.describe(group["params"][place], name_of(group, place), index, place)


def check(group: dict[str, Any], index: int, dtype: str, looks: Looks) -> dict[str, Any]:
    """A group that is to be added, as torch takes it, or an exception that names the parameter."""
    if not isinstance(group, dict):
        raise TypeError(f"param_group must be a dict, but got {type(group)}")
    split_names(group, index)
    for place, tensor in enumerate(group["params"]):
        said = say(group, index, place)
        tensors.check_parameter(tensor, said)
        if tensors.DTYPES[tensor.dtype] != dtype:
            raise TypeError(f"{said} is {tensor.dtype}, and others are torch.{dtype}: an optimizer has parameters of one type. "
                            "Make an optimizer for each")
        tensors.shape_for_rule(tensor, said, looks.at_shapes)
        if looks.at_names and name_of(group, place) is None:
            raise ValueError(f"{said} has no name, and the rule asks for names: give model.named_parameters()")
    return group


def check_device(groups: Sequence[dict[str, Any]], first: Optional[torch.Tensor], begin: int) -> Optional[int]:
    """The GPU that all parameters are on. `first`: one that is known to be where the others are; `begin`: the
    number of the first of these groups."""
    gpu = None if first is None else devices.gpu_of(first)
    for index, group in enumerate(groups, begin):
        for place, parameter in enumerate(group["params"]):
            found = devices.gpu_of(parameter)
            if first is None:
                first, gpu = parameter, found
            if found != gpu:
                raise ValueError(f"{say(group, index, place)} is on {devices.name(found)}, and others are on "
                                 f"{devices.name(gpu)}: an optimizer has its parameters on one device. Make an optimizer for "
                                 "each")
    return gpu


def are_on_gpu(groups: Sequence[dict[str, Any]]) -> bool:
    return any(isinstance(parameter, torch.Tensor) and devices.gpu_of(parameter) is not None
               for group in groups for parameter in group["params"])


def members(groups: Sequence[dict[str, Any]]) -> list[Member]:
    """All parameters, each once."""
    found: dict[int, Member] = {}
    for index, group in enumerate(groups):
        for place, parameter in enumerate(group["params"]):
            found.setdefault(id(parameter), Member(parameter, index, say(group, index, place), name_of(group, place),
                                                   tuple(group.get("tags", ())), group.get("split")))
    return list(found.values())
