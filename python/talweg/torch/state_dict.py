"""state_dict and load_state_dict in talweg's own form. That of torch.optim is in torch_format.py."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

import torch

from . import engines, groups, rules, torch_format
from .states import check_state

if TYPE_CHECKING:
    from .optimizer import Optimizer

_FORMAT = 1


def save(optimizer: Optimizer, base: dict[str, Any]) -> dict[str, Any]:
    """`base` is what torch has packed."""
    base["state"] = {key: alone(states) for key, states in base["state"].items()}
    now = optimizer._snapshot()
    extra: dict[str, Any] = {
        "format": _FORMAT, "rule": rules.expression(optimizer.rule), "dtype": optimizer.rule.dtype, "counters": {}, "model": {},
        "groups": [{} for _ in base["param_groups"]], "begun": []}
    if now is not None:
        places = {id(member.parameter): i for i, member in enumerate(groups.members(optimizer.param_groups))}
        extra["counters"] = dict(now.counters)
        extra["model"] = alone(now.model)
        extra["groups"] = [alone(now.groups.get(i, {})) for i in range(len(extra["groups"]))]
        extra["begun"] = [[name, None if parameter is None else places[id(parameter)], value]
                          for (name, parameter), value in now.begun.items()
                          if parameter is None or id(parameter) in places]
    base["talweg"] = extra
    return base


def alone(states: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Single numbers are copied: their memory has other things beside them."""
    return {name: state.clone() if state.dim() == 0 else state for name, state in states.items()}


def load(optimizer: Optimizer, given: Mapping[str, Any]) -> None:
    """Everything is checked before anything changes."""
    given = dict(given)
    for hook in getattr(optimizer, "_optimizer_load_state_dict_pre_hooks", {}).values():
        changed = hook(optimizer, given)
        given = given if changed is None else changed
    if optimizer._swapped is not None:
        raise RuntimeError(f"nothing can be loaded inside evaluation({optimizer._swapped!r})")
    saved_groups = given["param_groups"]
    if len(saved_groups) != len(optimizer.param_groups):
        raise ValueError(f"loaded state dict has a different number of parameter groups: {len(saved_groups)}, not "
                         f"{len(optimizer.param_groups)}")
    for index, (group, saved) in enumerate(zip(optimizer.param_groups, saved_groups)):
        if len(group["params"]) != len(saved["params"]):
            raise ValueError(f"loaded state dict contains a parameter group that doesn't match the size of optimizer's group "
                             f"{index}: {len(saved['params'])}, not {len(group['params'])}")
    bound = optimizer._ready()
    members = {id(member.parameter): member for member in bound.members}
    ids = [key for saved in saved_groups for key in saved["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    unknown = [key for key in given["state"] if key not in ids]
    if unknown:
        raise ValueError(f"loaded state dict has states of parameter {unknown[0]!r}, which is in no group")
    states = {id(parameter): given["state"][key] for key, parameter in zip(ids, parameters) if key in given["state"]}
    if "talweg" in given:
        new_groups = [dict(saved) for saved in saved_groups]
        taken = _own(optimizer, bound, given["talweg"], states, members, dict(zip(ids, parameters)))
    else:
        new_groups, taken = torch_format.read(optimizer, bound, saved_groups, states, members)
    for index, (group, new) in enumerate(zip(optimizer.param_groups, new_groups)):
        new["params"] = group["params"]
        if "param_names" in group:
            new.setdefault("param_names", group["param_names"])
        optimizer._hypers.check_group(new, index)
    bound.engine.reset()
    bound.write(taken)
    optimizer.param_groups = new_groups
    for hook in getattr(optimizer, "_optimizer_load_state_dict_post_hooks", {}).values():
        hook(optimizer)


def _own(optimizer: Optimizer, bound: engines.Bound, extra: Mapping[str, Any], states: Mapping[int, Mapping[str, Any]],
         members: Mapping[int, engines.Member], by_id: Mapping[Any, torch.Tensor]) -> engines.Snapshot:
    if extra["format"] != _FORMAT:
        raise ValueError(f"loaded state dict has format {extra['format']} of a newer talweg; this one reads {_FORMAT}")
    name, dtype = rules.expression(optimizer.rule), optimizer.rule.dtype
    if (extra["rule"], extra["dtype"]) != (name, dtype):
        raise ValueError(f"loaded state dict is of the rule {extra['rule']} for {extra['dtype']}; this is {name} for {dtype}")
    taken = engines.Snapshot(counters=dict(extra["counters"]))
    if not extra["counters"]:
        return taken  # saved before the first step
    own = bound.snapshot
    taken.model = _checked(own.model, extra["model"], "the model")
    for i, entry in enumerate(extra["groups"]):
        taken.groups[i] = _checked(own.groups.get(i, {}), entry, f"group {i}")
    for parameter, mine in own.parameters.items():
        taken.parameters[parameter] = _checked(mine, states.get(id(parameter), {}), members[id(parameter)].said)
    order = [member.parameter for member in bound.members]
    taken.begun = {(state, None if place is None else order[place]): value for state, place, value in extra["begun"]}
    return taken


def _checked(own: Mapping[str, torch.Tensor], given: Mapping[str, Any], said: str) -> dict[str, torch.Tensor]:
    for name in own:
        if name not in given:
            raise ValueError(f"loaded state dict has no state {name!r} of {said}")
    for name, state in given.items():
        if name not in own:
            raise ValueError(f"loaded state dict has a state {name!r} of {said}, which the rule does not have")
        check_state(own[name], state, f"the state {name!r} of {said} in the loaded state dict")
    return dict(given)
