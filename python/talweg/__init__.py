"""talweg: optimizers written like the formula in the paper, compiled and run at the speed of memory."""
from typing import Any

from . import _native
from ._built import Library, load
from ._engine import Error
from ._native import CompileError, CompileWarning
from ._rules import Plan, Rule, compile
from ._stdlib import LibraryRule, rules
from ._trajectory import Problem, Trajectory

__all__ = ["CompileError", "CompileWarning", "Error", "Library", "LibraryRule", "Plan", "Problem", "Rule", "Trajectory",
           "compile", "load", "rules"]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # of the library, which is opened when it is first needed
        return _native.library().talweg_version().decode()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
