"""Classes with the names, arguments and defaults of torch.optim, and one for every other rule."""
from __future__ import annotations

import inspect
import re
from typing import Any, Callable, Iterable, NamedTuple, Optional

from .._native import CompileError
from .._rules import compile
from . import groups, rules
from .hypers import Field, Hypers
from .optimizer import Optimizer


class _Like(NamedTuple):
    """A class of torch.optim: its signature, the rule for given arguments, where its keys go."""

    signature: str
    rule: Callable[[dict[str, Any]], str]
    fields: dict[str, tuple[str, ...]]
    fixed: tuple[str, ...] = ()


def _bool(value: Any) -> str:
    return "true" if value else "false"


def _sgd(given: dict[str, Any]) -> str:
    if given["nesterov"] and (not given["momentum"] or given["dampening"]):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")
    if given["nesterov"]:
        return "Nesterov"
    return "HeavyBall" if given["momentum"] else "SGD"


def _adam(given: dict[str, Any], decoupled: bool) -> str:
    if given["amsgrad"]:
        return "AMSGrad(decoupled = true)" if decoupled else "AMSGrad"
    return "AdamW" if decoupled else "Adam"


_ADAM = {"lr": ("lr",), "betas": ("beta1", "beta2"), "eps": ("eps",), "weight_decay": ("weight_decay",)}
_END = "maximize=False, foreach=None, capturable=False, differentiable=False"

LIKE = {
    "SGD": _Like(
        f"lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, {_END}, fused=None", _sgd,
        {"lr": ("lr",), "momentum": ("momentum",), "dampening": ("dampening",), "weight_decay": ("weight_decay",)},
        ("nesterov",)),
    "RMSprop": _Like(
        f"lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, *, {_END}",
        lambda given: f"RMSprop{'Momentum' if given['momentum'] else ''}(centered = {_bool(given['centered'])})",
        {"lr": ("lr",), "alpha": ("rho",), "eps": ("eps",), "weight_decay": ("weight_decay",), "momentum": ("momentum",)},
        ("centered",)),
    "Adagrad": _Like(
        f"lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, *, {_END}, fused=None",
        lambda given: "Adagrad",
        {"lr": ("lr",), "lr_decay": ("lr_decay",), "eps": ("eps",), "weight_decay": ("weight_decay",),
         "initial_accumulator_value": ("initial",)}),
    "Adadelta": _Like(
        f"lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, *, {_END}", lambda given: "Adadelta",
        {"lr": ("lr",), "rho": ("rho",), "eps": ("eps",), "weight_decay": ("weight_decay",)}),
    "Adam": _Like(
        f"lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, {_END}, fused=None, "
        "decoupled_weight_decay=False",
        lambda given: _adam(given, given["decoupled_weight_decay"]), _ADAM, ("amsgrad", "decoupled_weight_decay")),
    "AdamW": _Like(
        f"lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, {_END}, fused=None",
        lambda given: _adam(given, True), _ADAM, ("amsgrad",)),
    "Adamax": _Like(f"lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, *, {_END}", lambda given: "Adamax", _ADAM),
    "NAdam": _Like(
        f"lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3, decoupled_weight_decay=False, *, {_END}",
        lambda given: "NAdam(decoupled = true)" if given["decoupled_weight_decay"] else "NAdam",
        {**_ADAM, "momentum_decay": ("momentum_decay",)}, ("decoupled_weight_decay",)),
    "RAdam": _Like(
        f"lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *, {_END}",
        lambda given: "RAdam(decoupled = true)" if given["decoupled_weight_decay"] else "RAdam", _ADAM,
        ("decoupled_weight_decay",)),
    "ASGD": _Like(
        f"lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, *, {_END}", lambda given: "ASGD",
        {"lr": ("lr",), "lambd": ("lambda",), "alpha": ("alpha",), "t0": ("start",), "weight_decay": ("weight_decay",)}),
    "Rprop": _Like(
        f"lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, {_END}", lambda given: "Rprop",
        {"lr": ("lr",), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")}),
}
#: Ways of torch to compute the same: there is one here. On a GPU it can be captured.
_UNSERVED = ("foreach", "capturable", "differentiable", "fused")


def _signature(text: str) -> inspect.Signature:
    function: dict[str, Any] = {}
    exec(f"def f(self, params, {text}, threads=None): pass", function)  # noqa: S102  a text of this file
    return inspect.signature(function["f"])


def _like(name: str) -> type[Optimizer]:
    like = LIKE[name]
    signature = _signature(like.signature)

    def __init__(self: Optimizer, *arguments: Any, **named: Any) -> None:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        given = dict(bound.arguments)
        del given["self"]
        params, threads = given.pop("params"), given.pop("threads")
        param_groups, dtype = groups.prepare(params)
        for key in _UNSERVED:
            if given.get(key) and not (key == "capturable" and groups.are_on_gpu(param_groups)):
                raise ValueError(f"{key}={given[key]!r} is not served: leave {key} out")
        together = dict(given)
        for group in param_groups:  # a momentum in one group needs the rule with momentum
            if group.get("momentum"):
                together["momentum"] = group["momentum"]
        rule = rules.resolve(like.rule(together), dtype, bool(given["maximize"]))
        names = {hyper.name for hyper in rule._table.hypers}
        fields = [Field(key, hypers) for key, hypers in like.fields.items() if names.issuperset(hypers)]
        fixed = {key: given[key] for key in (*like.fixed, "maximize")}
        fixed.update({key: given[key] for key in like.fields if not names.issuperset(like.fields[key])})
        self._start(param_groups, rule, Hypers(rule._table.hypers, fields, fixed), given, threads)

    __init__.__qualname__ = f"{name}.__init__"  # for messages of wrong calls
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__doc__ = f"The arguments of torch.optim.{name}."
    doc = (f"torch.optim.{name}: the same arguments, defaults and results (to rounding), all parameters in one call.\n\n"
           "`threads` follows torch.get_num_threads() where it is None.")
    return type(name, (Optimizer,), {"__init__": __init__, "__doc__": doc, "__module__": "talweg.torch"})


def _constant(value: Any) -> str:
    """A value in an expression."""
    return _bool(value) if isinstance(value, bool) else value if isinstance(value, str) else repr(value)


def _of_rule(name: str) -> type[Optimizer]:
    rule = compile(name)
    found = [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in ("self", "params")]
    for hyper in rule.hypers:
        found.append(inspect.Parameter(hyper.name, inspect.Parameter.KEYWORD_ONLY, default=hyper.default))
    found += [inspect.Parameter("threads", inspect.Parameter.KEYWORD_ONLY, default=None),
              inspect.Parameter("maximize", inspect.Parameter.KEYWORD_ONLY, default=False),
              inspect.Parameter("constants", inspect.Parameter.VAR_KEYWORD)]
    known = {hyper.name for hyper in rule.hypers}

    def __init__(self: Optimizer, params: Iterable[Any], *, threads: Optional[int] = None, maximize: bool = False,
                 **hypers: Any) -> None:
        constants = {key: hypers.pop(key) for key in list(hypers) if key not in known}
        options = ", ".join(f"{key} = {_constant(value)}" for key, value in constants.items())
        Optimizer.__init__(self, params, f"{name}({options})" if options else name, threads=threads, maximize=maximize, **hypers)

    __init__.__qualname__ = f"{name}.__init__"
    __init__.__signature__ = inspect.Signature(found)  # type: ignore[attr-defined]
    doc = (f"{rule.description['doc'].strip()}\n\nThe rule {name} of talweg's library. Arguments that are not hypers are its "
           "constants.")
    return type(name, (Optimizer,), {"__init__": __init__, "__doc__": doc, "__module__": "talweg.torch"})


def by_name(name: str) -> type[Optimizer]:
    """The class of a rule, made when it is asked for."""
    if name in LIKE:
        return _like(name)
    if not re.fullmatch(r"[A-Z]\w*", name):
        raise AttributeError(f"module 'talweg.torch' has no attribute {name!r}")
    try:
        return _of_rule(name)
    except CompileError as error:
        raise AttributeError(f"talweg's library has no rule {name!r} that stands alone:\n{error}") from None
