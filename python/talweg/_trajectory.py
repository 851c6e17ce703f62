"""Rules on small problems: what a step does, seen before anything is trained with it."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from . import _drawing, _engine

if TYPE_CHECKING:
    from ._rules import Rule

_Array = NDArray[Any]
#: The loss at a point and its gradient there.
Function = Callable[[_Array], "tuple[float, Any]"]


class Problem(NamedTuple):
    """A function to be made small. `function` takes a float64 array and returns the loss and the
    gradient there. `box`, for two parameters: what a drawing shows at least, (low, high) of x and y."""

    name: str
    function: Function
    start: tuple[float, ...]
    minima: tuple[tuple[float, ...], ...] = ()
    box: Optional[tuple[tuple[float, float], tuple[float, float]]] = None


def _quadratic(p: _Array) -> tuple[float, Any]:
    x, y = p
    return x * x / 2 + 50 * y * y, (x, 100 * y)


def _rosenbrock(p: _Array) -> tuple[float, Any]:
    x, y = p
    valley = y - x * x
    return (1 - x) * (1 - x) + 100 * (valley * valley), (-2 * (1 - x) - 400 * x * valley, 200 * valley)


def _beale(p: _Array) -> tuple[float, Any]:
    x, y = p
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return (a * a + b * b + c * c, (2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1),
                                    2 * a * x + 4 * b * x * y + 6 * c * x * y * y))


def _himmelblau(p: _Array) -> tuple[float, Any]:
    x, y = p
    a, b = x * x + y - 11, x + y * y - 7
    return a * a + b * b, (4 * a * x + 2 * b, 2 * a + 4 * b * y)


#: Some of the test functions of `talweg trace`, with their starts.
PROBLEMS = {problem.name: problem for problem in (
    Problem("quadratic", _quadratic, (-1.5, 2.0), ((0.0, 0.0),), ((-2.0, 2.0), (-2.4, 2.4))),
    Problem("rosenbrock", _rosenbrock, (-1.5, 2.0), ((1.0, 1.0),), ((-2.0, 2.0), (-0.8, 2.8))),
    Problem("beale", _beale, (1.0, 1.0), ((3.0, 0.5),), ((0.0, 4.0), (-0.8, 1.4))),
    Problem("himmelblau", _himmelblau, (0.0, 0.0),
            ((3.0, 2.0), (-2.805118086952745, 3.131312518250573), (-3.779310253377747, -3.283185991286170),
             (3.584428340330492, -1.848126526964404)), ((-5.0, 5.0), (-5.0, 5.0))),
)}


class Trajectory:
    """What a rule did on a problem. Row i of `params` is where it was after i steps, `losses[i]` the
    loss there. It ends early where the loss is no finite number any more: `diverged`."""

    __module__ = "talweg"

    def __init__(self, rule: str, hypers: Mapping[str, float], problem: Problem, params: _Array, losses: _Array,
                 diverged: bool) -> None:
        self.rule, self.hypers, self.problem = rule, dict(hypers), problem
        self.params, self.losses, self.diverged = params, losses, diverged

    @property
    def steps(self) -> int:
        return len(self.losses) - 1

    def __repr__(self) -> str:
        given = "".join(f", {name}={value:g}" for name, value in self.hypers.items())
        end = "diverged" if self.diverged else f"loss {self.losses[0]:.4g} to {self.losses[-1]:.4g}"
        return f"<talweg.Trajectory {self.rule}{given} on {self.problem.name}: {self.steps} steps, {end}>"

    def svg(self) -> str:
        """The path on the contours of the problem, and the loss by step, as a drawing."""
        return _drawing.trajectory_svg(self)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return f'<div style="max-width:{_drawing.WIDTH}px">{self.svg()}</div>'


def run(rule: Rule, problem: str | Problem, steps: int, start: Optional[Sequence[float]],
        hypers: Mapping[str, float]) -> Trajectory:
    """Steps of an optimizer of one tensor `x`. The loss is given to a rule that has it for an input."""
    if isinstance(problem, str):
        if problem not in PROBLEMS:
            raise ValueError(f"there is no problem {problem!r}: {', '.join(PROBLEMS)}, or a talweg.Problem of your own")
        problem = PROBLEMS[problem]
    if not isinstance(problem, Problem):
        raise TypeError(f"a problem is one of {', '.join(PROBLEMS)}, or a talweg.Problem, not {type(problem).__name__}")
    if steps < 0:
        raise ValueError(f"there cannot be {steps} steps")
    unknown = [part.name for part in rule.inputs if part.name != "loss"]
    if unknown:
        raise ValueError(f"{rule.name} reads {', '.join(unknown)}, which a problem does not have")
    x = np.array(problem.start if start is None else start, dtype=rule.dtype)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"a start is a list of finite numbers, not {start!r}")
    if len(x) != len(problem.start):
        raise ValueError(f"{problem.name} has {len(problem.start)} parameters, and the start {len(x)}")
    name, function = problem.name, problem.function
    loss, gradient = np.zeros(1), np.zeros_like(x)
    gradients = (ctypes.c_void_p * 1)(gradient.ctypes.data)
    inputs = (ctypes.c_void_p * 1)(loss.ctypes.data) if rule.inputs else None
    engine = _engine.Engine(rule._table, [_engine.Tensor("x", x.shape, x.ctypes.data)])
    for hyper, value in hypers.items():
        engine.set_hyper(hyper, value)

    def evaluate() -> bool:
        with np.errstate(all="ignore"):  # a rule that diverges is an answer, and `diverged` tells it
            loss[0], slope = function(x.astype(np.float64))
            if np.shape(slope) != x.shape:  # one number would be taken for all
                raise ValueError(f"the gradient of {name} has shape {np.shape(slope)}, and its parameters have {x.shape}")
            gradient[:] = slope
        return bool(np.isfinite(loss[0]) and np.isfinite(gradient).all())

    is_finite = evaluate()
    params, losses = [x.copy()], [loss[0]]
    while is_finite and len(losses) <= steps:
        while engine.step(gradients, inputs) == _engine._REGRAD:
            evaluate()
        is_finite = evaluate()
        params.append(x.copy())
        losses.append(loss[0])
    return Trajectory(rule.name, hypers, problem, np.array(params), np.array(losses), not is_finite)
