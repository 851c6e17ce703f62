"""State dicts of torch.optim, to and from the states of rules that are the same."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple, Sequence

import torch

from . import engines, rules
from .states import check_state

if TYPE_CHECKING:
    from .optimizer import Optimizer


class Format(NamedTuple):
    """How a class of torch.optim saves a rule: names of states there and here, keys of groups there
    and hypers here, keys with a fixed value."""

    optimizer: str
    states: dict[str, str]
    hypers: Mapping[str, tuple[str, ...]]
    fixed: dict[str, Any] = {}
    counts_steps: bool = True


_COMMON = {"lr": ("lr",), "weight_decay": ("weight_decay",)}
_ADAM = {**_COMMON, "betas": ("beta1", "beta2"), "eps": ("eps",)}
_MOMENTS = {"exp_avg": "m", "exp_avg_sq": "v"}
_SGD = {**_COMMON, "momentum": ("momentum",), "dampening": ("dampening",)}
_BUFFER = {"momentum_buffer": "velocity"}

FORMATS = {
    "GradientDescent": Format("SGD", {}, {"lr": ("lr",)}, {"momentum": 0, "weight_decay": 0}, False),
    "SGD": Format("SGD", _BUFFER, _COMMON, {}, False),
    "HeavyBall": Format("SGD", _BUFFER, _SGD, {"nesterov": False}, False),
    "Nesterov": Format("SGD", _BUFFER, _SGD, {"nesterov": True}, False),
    "Adam": Format("Adam", _MOMENTS, _ADAM, {"amsgrad": False, "decoupled_weight_decay": False}),
    "AdamW": Format("AdamW", _MOMENTS, _ADAM, {"amsgrad": False, "decoupled_weight_decay": True}),
    "AMSGrad": Format("Adam", {**_MOMENTS, "max_exp_avg_sq": "v_max"}, _ADAM,
                      {"amsgrad": True, "decoupled_weight_decay": False}),
    "Adamax": Format("Adamax", {"exp_avg": "m", "exp_inf": "u"}, _ADAM),
    "RAdam": Format("RAdam", _MOMENTS, _ADAM),
    "RMSprop": Format("RMSprop", {"square_avg": "square", "grad_avg": "mean_grad", "momentum_buffer": "velocity"},
                      {**_COMMON, "alpha": ("rho",), "eps": ("eps",)}),
    "Adagrad": Format("Adagrad", {"sum": "squares"},
                      {**_COMMON, "lr_decay": ("lr_decay",), "eps": ("eps",), "initial_accumulator_value": ("initial",)}),
    "Adadelta": Format("Adadelta", {"square_avg": "mean_grad2", "acc_delta": "mean_step2"},
                       {**_COMMON, "rho": ("rho",), "eps": ("eps",)}),
}
#: Keys of torch's groups that are no hypers; what they change shows in the states.
_OPTIONS = frozenset(("amsgrad", "nesterov", "centered", "maximize", "foreach", "fused", "capturable", "differentiable",
                      "decoupled_weight_decay"))
#: Options of AMSGrad and others that make it another class of torch.
_DECOUPLED = re.compile(r"\bdecoupled\s*=\s*true\b")


def _format(optimizer: Optimizer) -> Format:
    rule = rules.expression(optimizer.rule)
    stages = [stage for stage in re.findall(r"(?:^|\|)\s*([A-Za-z_]\w*)", rule) if stage in FORMATS]
    if len(stages) != 1:
        raise ValueError(f"no optimizer of torch.optim has the states of the rule {rule}; those of {', '.join(FORMATS)} are "
                         "known")
    found = FORMATS[stages[0]]
    if stages[0] == "AMSGrad" and _DECOUPLED.search(rule):
        found = found._replace(optimizer="AdamW", fixed={"amsgrad": True, "decoupled_weight_decay": True})
    return found


def _own_name(states: Iterable[str], name: str) -> Any:
    """A pipeline with two states of a name calls them by stage: rmsprop.velocity."""
    near = [own for own in states if own == name or own.endswith("." + name)]
    return near[0] if len(near) == 1 else None


def read(optimizer: Optimizer, bound: engines.Bound, saved_groups: Sequence[Mapping[str, Any]],
         states: Mapping[int, Mapping[str, Any]], members: Mapping[int, engines.Member]
         ) -> tuple[list[dict[str, Any]], engines.Snapshot]:
    """Groups and states as this optimizer has them."""
    form = _format(optimizer)
    new_groups = [_group(optimizer, form, index, saved) for index, saved in enumerate(saved_groups)]
    taken = engines.Snapshot()
    steps: dict[float, str] = {}
    for member in bound.members:
        given = dict(states.get(id(member.parameter), {}))
        taken.parameters[member.parameter], step = _states(form, bound.snapshot.parameters[member.parameter], given,
                                                           member.said)
        if given or member.parameter.requires_grad:
            steps.setdefault(step, member.said)
        for name in taken.parameters[member.parameter]:
            taken.begun[name, member.parameter] = 1.0
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
    for key, value in form.fixed.items():
        if saved.get(key, value) != value:
            raise ValueError(f"{key} of group {index} is {saved[key]!r} in the loaded state dict; the rule "
                             f"{rules.expression(optimizer.rule)} has {value!r}")
    if saved.get("maximize") and not rules.expression(optimizer.rule).startswith("Maximize"):
        raise ValueError(f"maximize of group {index} is {saved['maximize']!r} in the loaded state dict, and this optimizer "
                         "minimizes")
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


def _states(form: Format, own: Mapping[str, torch.Tensor], given: dict[str, Any], said: str
            ) -> tuple[dict[str, torch.Tensor], float]:
    """The states of a parameter, and how many steps it has seen."""
    taken: dict[str, torch.Tensor] = {}
    if not given:
        return taken, 0.0
    given = {name: value for name, value in given.items() if value is not None}
    step = given.pop("step", None)
    if form.counts_steps and step is None:
        raise ValueError(f"loaded state dict has no state 'step' of {said}")
    for theirs, name in form.states.items():
        mine = _own_name(own, name)
        if mine is None:
            continue
        if theirs not in given:
            if not form.counts_steps:
                continue  # a momentum_buffer begins with its first step
            raise ValueError(f"loaded state dict has no state {theirs!r} of {said}")
        taken[mine] = given.pop(theirs)
        check_state(own[mine], taken[mine], f"the state {theirs!r} of {said} in the loaded state dict")
    if given:
        raise ValueError(f"loaded state dict has a state {next(iter(given))!r} of {said}, which the rule does not have")
    return taken, float(step) if form.counts_steps else float(bool(taken))


def export(optimizer: Optimizer) -> dict[str, Any]:
    """A state dict for the class of torch.optim that the rule is."""
    form = _format(optimizer)
    model = getattr(torch.optim, form.optimizer)([torch.zeros(1, requires_grad=True)], lr=0.1)
    packed = optimizer.state_dict()
    groups = [_exported_group(optimizer, form, model.defaults, group) for group in packed["param_groups"]]
    now = optimizer._snapshot()
    counters = now.counters if now is not None else {}
    found: dict[int, dict[str, torch.Tensor]] = {}
    if counters.get("t", 0) > 0:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        keys = [key for group in packed["param_groups"] for key in group["params"]]
        for key, parameter in zip(keys, parameters):
            own = packed["state"].get(key, {})
            if not parameter.requires_grad:
                continue  # frozen: torch has no states of it
            entry = {} if not form.counts_steps else {"step": torch.tensor(counters["t"], dtype=torch.float32)}
            for theirs, name in form.states.items():
                mine = _own_name(own, name)
                if mine is not None:
                    entry[theirs] = own[mine].clone(memory_format=torch.preserve_format)
            if entry:
                found[key] = entry
    return {"state": found, "param_groups": groups}


def _exported_group(optimizer: Optimizer, form: Format, defaults: Mapping[str, Any], group: Mapping[str, Any]
                    ) -> dict[str, Any]:
    new = {**defaults, **{key: value for key, value in form.fixed.items() if key in defaults}}
    if "maximize" in defaults:
        new["maximize"] = rules.expression(optimizer.rule).startswith("Maximize")
    own = [field.key for field in optimizer._hypers.fields]
    for key, names in form.hypers.items():
        found = [_own_name(own, name) for name in names]
        if key in group:
            new[key] = group[key]
        elif key in new and None not in found:
            values = tuple(group[name] for name in found)
            new[key] = values if len(names) > 1 else values[0]
    for key in group:
        if key in defaults or key in ("params", "param_names", "initial_lr"):
            new[key] = group[key]
    for key in ("foreach", "fused"):
        if key in new:
            new[key] = None
    return new
