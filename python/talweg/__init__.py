"""talweg: optimizers written like the formula in the paper, compiled and run at the speed of memory."""
from typing import TYPE_CHECKING, Any

from . import _native
from ._built import Library, load
from ._engine import Error
from ._native import CompileError, CompileWarning
from ._rules import Plan, Rule, compile
from ._stdlib import LibraryRule, rules
from ._trajectory import Problem, Trajectory

if TYPE_CHECKING:
    from ._optimizer import Optimizer

__all__ = ["CompileError", "CompileWarning", "Error", "Library", "LibraryRule", "Optimizer", "Plan", "Problem", "Rule",
           "Trajectory", "compile", "load", "rules"]


def __getattr__(name: str) -> Any:
    if name == "Optimizer":  # needs NumPy, which the rest does without
        from ._optimizer import Optimizer

        return Optimizer
    if name == "__version__":  # of the library, which is opened when it is first needed
        return _native.library().talweg_version().decode()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
