"""Which classes of torch.optim have the states of which rules, and under which names."""
from __future__ import annotations

import re
from typing import Any, Callable, Mapping, NamedTuple, Optional


class Format(NamedTuple):
    """How a class of torch.optim saves a rule: names of states there and here, keys of groups there
    and hypers here, keys with a fixed value."""

    optimizer: str
    states: Mapping[str, str]
    hypers: Mapping[str, tuple[str, ...]]
    fixed: Mapping[str, Any] = {}
    counts_steps: bool = True
    #: Keys that are constants of the rule, with their name and default there.
    constants: Mapping[str, tuple[str, Any]] = {}
    #: States that begin with another value than 0: with that of a key, or (None) with the parameter.
    initial: Mapping[str, Optional[str]] = {}
    #: States of parameters there that are one of a group here.
    of_group: Mapping[str, str] = {}
    #: Numbers there that the rule computes from the group and the number of steps.
    computed: Callable[[Mapping[str, Any], float], dict[str, float]] = lambda group, steps: {}


def _asgd(group: Mapping[str, Any], steps: float) -> dict[str, float]:
    """The rates of the next step."""
    lr, lambd, alpha, t0 = (float(group[key]) for key in ("lr", "lambd", "alpha", "t0"))
    return {"eta": lr / (1 + lambd * lr * steps) ** alpha, "mu": 1 / max(1.0, steps - t0)}


_COMMON = {"lr": ("lr",), "weight_decay": ("weight_decay",)}
_ADAM = {**_COMMON, "betas": ("beta1", "beta2"), "eps": ("eps",)}
_MOMENTS = {"exp_avg": "m", "exp_avg_sq": "v"}
_SGD = {**_COMMON, "momentum": ("momentum",), "dampening": ("dampening",)}
_BUFFER = {"momentum_buffer": "velocity"}
_RMSPROP = {**_COMMON, "alpha": ("rho",), "eps": ("eps",)}
_SQUARES = {"square_avg": "square", "grad_avg": "mean_grad", **_BUFFER}
_CENTERED = {"centered": ("centered", False)}
_DECOUPLED = {"decoupled_weight_decay": ("decoupled", False)}

FORMATS = {
    "GradientDescent": Format("SGD", {}, {"lr": ("lr",)}, {"momentum": 0, "weight_decay": 0}, False),
    "SGD": Format("SGD", _BUFFER, _COMMON, {}, False,
                  {"momentum": ("momentum", 0), "dampening": ("dampening", 0), "nesterov": ("nesterov", False),
                   "maximize": ("maximize", False)}),
    "HeavyBall": Format("SGD", _BUFFER, _SGD, {"nesterov": False}, False),
    "Nesterov": Format("SGD", _BUFFER, _SGD, {"nesterov": True}, False),
    "Adam": Format("Adam", _MOMENTS, _ADAM, {"amsgrad": False, "decoupled_weight_decay": False}),
    "AdamW": Format("AdamW", _MOMENTS, _ADAM, {"amsgrad": False, "decoupled_weight_decay": True}),
    "AMSGrad": Format("Adam", {**_MOMENTS, "max_exp_avg_sq": "v_max"}, _ADAM, {"amsgrad": True}, constants=_DECOUPLED),
    "Adamax": Format("Adamax", {"exp_avg": "m", "exp_inf": "u"}, _ADAM),
    "NAdam": Format("NAdam", _MOMENTS, {**_ADAM, "momentum_decay": ("momentum_decay",)}, constants=_DECOUPLED,
                    of_group={"mu_product": "mu_product"}),
    "RAdam": Format("RAdam", _MOMENTS, _ADAM, constants=_DECOUPLED),
    "RMSprop": Format("RMSprop", _SQUARES, _RMSPROP, constants={**_CENTERED, "momentum": ("momentum", 0)}),
    "RMSpropMomentum": Format("RMSprop", _SQUARES, {**_RMSPROP, "momentum": ("momentum",)}, constants=_CENTERED),
    "Adagrad": Format("Adagrad", {"sum": "squares"},
                      {**_COMMON, "lr_decay": ("lr_decay",), "eps": ("eps",), "initial_accumulator_value": ("initial",)},
                      initial={"squares": "initial_accumulator_value"}),
    "Adadelta": Format("Adadelta", {"square_avg": "mean_grad2", "acc_delta": "mean_step2"},
                       {**_COMMON, "rho": ("rho",), "eps": ("eps",)}),
    "ASGD": Format("ASGD", {"ax": "average"}, {**_COMMON, "lambd": ("lambda",), "alpha": ("alpha",), "t0": ("start",)},
                   initial={"average": None}, computed=_asgd),
    "Rprop": Format("Rprop", {"prev": "last_grad", "step_size": "step_size"},
                    {"lr": ("lr",), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")},
                    initial={"step_size": "lr"}),
}
#: A stage of a pipeline: its own name, the rule's, the arguments.
_STAGE = re.compile(r"\s*(?:\w+\s*=\s*)?(\w+)\s*(?:\((.*)\))?\s*", re.S)
_ARGUMENT = re.compile(r"\s*(\w+)\s*=(.*)", re.S)
#: Torch 1.13's own mistake, for runs of it: it saves the same.
_OF_OLD_RUNS = ("product",)


def find(rule: str) -> Format:
    """The format of the one stage that has one."""
    stages = [found for found in map(_STAGE.fullmatch, rule.split("|")) if found and found[1] in FORMATS]
    if len(stages) != 1:
        raise ValueError(f"no optimizer of torch.optim has the states of the rule {rule}; those of {', '.join(FORMATS)} are "
                         "known")
    name, arguments = stages[0].groups()
    form, given = FORMATS[name], _arguments(arguments or "")
    fixed = dict(form.fixed)
    for key, (constant, default) in form.constants.items():
        fixed[key] = _value(given.pop(constant), default) if constant in given else default
    known = {hyper for hypers in form.hypers.values() for hyper in hypers}
    for argument in given:
        if argument not in known and argument not in _OF_OLD_RUNS:
            raise ValueError(f"no optimizer of torch.optim has the states of the rule {rule}: torch.optim.{form.optimizer} has "
                             f"nothing for {argument!r}")
    fixed["maximize"] = bool(fixed.get("maximize")) != rule.startswith("Maximize")
    if fixed.get("amsgrad") and fixed["decoupled_weight_decay"]:
        form = form._replace(optimizer="AdamW")
    return form._replace(fixed=fixed)


def _arguments(text: str) -> dict[str, str]:
    """By name; what stands without one is under its text."""
    inner = 1
    while inner:  # commas of other calls
        text, inner = re.subn(r"\([^()]*\)", "", text)
    given = [_ARGUMENT.fullmatch(part) for part in text.split(",")]
    return {**{found[1]: found[2].strip() for found in given if found},
            **{part.strip(): "" for part, found in zip(text.split(","), given) if not found and part.strip()}}


def _value(text: str, default: Any) -> Any:
    return text == "true" if isinstance(default, bool) else float(text)
