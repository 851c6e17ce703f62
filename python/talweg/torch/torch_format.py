"""State dicts of torch.optim, to and from the states of rules that are the same."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Sequence

import torch

from . import engines, formats, rules
from .formats import Format
from .hypers import number
from .states import check_state

if TYPE_CHECKING:
    from .optimizer import Optimizer

#: Keys of torch's groups that are no hypers; what they change shows in the states.
_OPTIONS = frozenset(("amsgrad", "nesterov", "centered", "maximize", "foreach", "fused", "capturable", "differentiable",
                      "decoupled_weight_decay"))


def _own_name(states: Iterable[str], name: str) -> Any:
    """A pipeline with two states of a name calls them by stage: rmsprop.velocity."""
    near = [own for own in states if own == name or own.endswith("." + name)]
    return near[0] if len(near) == 1 else None


def read(optimizer: Optimizer, bound: engines.Bound, saved_groups: Sequence[Mapping[str, Any]],
         states: Mapping[int, Mapping[str, Any]], members: Mapping[int, engines.Member]
         ) -> tuple[list[dict[str, Any]], engines.Snapshot]:
    """Groups and states as this optimizer has them."""
    form = formats.find(rules.expression(optimizer.rule))
    new_groups = [_group(optimizer, form, index, saved) for index, saved in enumerate(saved_groups)]
    taken = engines.Snapshot()
    steps: dict[float, str] = {}
    for member in bound.members:
        parameter, saved = member.parameter, saved_groups[member.group]
        given = {name: value for name, value in states.get(id(parameter), {}).items() if value is not None}
        step = _steps(form, given, saved, member.said)
        if given or parameter.requires_grad:
            steps.setdefault(step, member.said)
        if given:
            _take_numbers(form, bound, taken, member, given, saved, step)
        taken.parameters[parameter] = _states(form, bound.snapshot.parameters[parameter], given, saved, member.said)
        for name in taken.parameters[parameter]:
            taken.begun[name, parameter] = 1.0
    steps.pop(_NONE, None)
    if len(steps) > 1:
        (one, first), (other, second) = list(steps.items())[:2]
        if not form.counts_steps:
            raise ValueError(f"{first} has a momentum_buffer and {second} has none, or the other way round: a rule has one "
                             "count of steps for all parameters")
        raise ValueError(f"{first} is at step {one:g} and {second} at step {other:g}: a rule has one count of steps for all "
                         "parameters")
    count = next(iter(steps), 0.0)
    taken.counters = {"t": count, "calls": count}
    return new_groups, taken


def _group(optimizer: Optimizer, form: Format, index: int, saved: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(optimizer.param_groups[index])
    for key, value in {**form.fixed, **optimizer._hypers.fixed}.items():
        if saved.get(key, value) != value:
            raise ValueError(f"{key} of group {index} is {saved[key]!r} in the loaded state dict; the rule "
                             f"{rules.expression(optimizer.rule)} has {value!r}")
    for key, value in saved.items():
        if key in new or key not in form.hypers:
            if key in new or key not in _OPTIONS:
                new[key] = value
            continue
        names = form.hypers[key]
        for name, part in zip(names, value if len(names) > 1 else (value,)):
            own = _own_name(new, name)
            if own is None:
                raise ValueError(f"the loaded state dict has {key!r}; the rule {rules.expression(optimizer.rule)} has no hyper "
                                 f"{name!r} of its own for it")
            new[own] = part
    return new


#: The steps of a parameter that does not say how many it has seen.
_NONE = -1.0


def _steps(form: Format, given: dict[str, Any], saved: Mapping[str, Any], said: str) -> float:
    """How many steps a parameter has seen."""
    step = given.pop("step", None)
    if not form.counts_steps:
        return _NONE if not given and not saved.get("momentum") else float(bool(given))
    if given and step is None:
        raise ValueError(f"loaded state dict has no state 'step' of {said}")
    return 0.0 if step is None else float(step)


def _states(form: Format, own: Mapping[str, torch.Tensor], given: dict[str, Any], saved: Mapping[str, Any], said: str
            ) -> dict[str, torch.Tensor]:
    taken: dict[str, torch.Tensor] = {}
    if not given:
        return taken
    for theirs, name in form.states.items():
        mine = _own_name(own, name)
        if mine is None:
            continue
        if theirs not in given:
            if theirs == "momentum_buffer" and not saved.get("momentum"):
                continue  # there is none while the momentum is 0
            raise ValueError(f"loaded state dict has no state {theirs!r} of {said}")
        taken[mine] = given.pop(theirs)
        check_state(own[mine], taken[mine], f"the state {theirs!r} of {said} in the loaded state dict")
    if given:
        raise ValueError(f"loaded state dict has a state {next(iter(given))!r} of {said}, which the rule does not have")
    return taken


def _take_numbers(form: Format, bound: engines.Bound, taken: engines.Snapshot, member: engines.Member, given: dict[str, Any],
                  saved: Mapping[str, Any], step: float) -> None:
    """Single numbers that torch has of every parameter, and a rule of a group or not at all."""
    for theirs in (*form.of_group, *form.computed(saved, step)):
        if theirs not in given:
            raise ValueError(f"loaded state dict has no state {theirs!r} of {member.said}")
    for theirs, name in form.of_group.items():
        states = bound.snapshot.groups[member.group]
        value = number(given.pop(theirs), f"the state {theirs!r} of {member.said}")
        first = taken.groups.setdefault(member.group, {}).setdefault(_own_name(states, name),
                                                                     torch.tensor(value, dtype=torch.float64, device="cpu"))
        if first.item() != value:
            raise ValueError(f"{theirs} of {member.said} is {value:g} in the loaded state dict, and {first.item():g} of another "
                             "parameter of its group: the rule has one for a group")
    for theirs, expected in form.computed(saved, step).items():
        value = number(given.pop(theirs), f"the state {theirs!r} of {member.said}")
        if not math.isclose(value, expected, rel_tol=1e-6):  # torch keeps float32
            raise ValueError(f"{theirs} of {member.said} is {value:g} in the loaded state dict, and its group at step {step:g} gives "
                             f"{expected:g}: after a change of hypers torch.optim.{form.optimizer} takes one more step with the "
                             "old value, and the rule does not")


def export(optimizer: Optimizer) -> dict[str, Any]:
    """A state dict for the class of torch.optim that the rule is."""
    form = formats.find(rules.expression(optimizer.rule))
    model = getattr(torch.optim, form.optimizer)([torch.zeros(1, requires_grad=True, device="cpu")], lr=0.1)
    for key, value in form.fixed.items():
        if value and key not in model.defaults and (form.optimizer, key) != ("AdamW", "decoupled_weight_decay"):
            raise ValueError(f"torch.optim.{form.optimizer} of torch {torch.__version__} has no {key}")
    packed = optimizer.state_dict()
    groups = [_exported_group(optimizer, form, model.defaults, group) for group in packed["param_groups"]]
    now = optimizer._snapshot()
    counters = now.counters if now is not None else {}
    found: dict[int, dict[str, torch.Tensor]] = {}
    if counters.get("t", 0) > 0:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        begun = now.begun if now is not None else {}
        places = [(index, key) for index, group in enumerate(packed["param_groups"]) for key in group["params"]]
        for (index, key), parameter in zip(places, parameters):
            if not parameter.requires_grad:
                continue  # frozen: torch has no states of it
            entry = _exported_states(form, packed["state"].get(key, {}), parameter, groups[index], begun)
            if form.counts_steps:
                numbers = form.computed(groups[index], counters["t"])
                for theirs, name in form.of_group.items():
                    of_group = packed["talweg"]["groups"][index]
                    numbers[theirs] = of_group[_own_name(of_group, name)].item()
                entry.update({name: torch.tensor(value, dtype=parameter.dtype, device="cpu") for name, value in numbers.items()})
                entry["step"] = torch.tensor(counters["t"], dtype=torch.float32, device="cpu")
            if entry:
                found[key] = entry
    return {"state": found, "param_groups": groups}


def _exported_states(form: Format, own: Mapping[str, torch.Tensor], parameter: torch.Tensor, group: Mapping[str, Any],
                     begun: Mapping[tuple[str, Optional[torch.Tensor]], float]) -> dict[str, torch.Tensor]:
    entry: dict[str, torch.Tensor] = {}
    for theirs, name in form.states.items():
        mine = _own_name(own, name)
        if mine is None:
            continue
        key = form.initial.get(name, "")
        if key == "" or begun.get((mine, parameter), 1.0):
            entry[theirs] = own[mine].clone(memory_format=torch.preserve_format)
        elif key is None:
            entry[theirs] = parameter.detach().clone(memory_format=torch.preserve_format)
        else:
            entry[theirs] = torch.full_like(own[mine], float(group[key]))
    return entry


def _exported_group(optimizer: Optimizer, form: Format, defaults: Mapping[str, Any], group: Mapping[str, Any]
                    ) -> dict[str, Any]:
    new = {**defaults, **{key: value for key, value in form.fixed.items() if key in defaults}}
    own = [field.key for field in optimizer._hypers.fields]
    for key, names in form.hypers.items():
        if key in group:
            new[key] = group[key]
        elif key in new:
            found = [_own_name(own, name) for name in names]
            if None in found:
                raise ValueError(f"the rule {rules.expression(optimizer.rule)} has no hyper {names[found.index(None)]!r} of its own "
                                 f"that torch.optim.{form.optimizer} could go on with")
            values = tuple(group[mine] for mine in found)
            new[key] = values if len(names) > 1 else values[0]
    for key in group:
        if key in defaults or key in ("params", "param_names", "initial_lr"):
            new[key] = group[key]
    for key in ("foreach", "fused"):
        if key in new:
            new[key] = None
    return new
