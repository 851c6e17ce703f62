"""talweg: optimizers written like the formula in the paper, compiled and run at the speed of memory."""
import importlib
from typing import TYPE_CHECKING, Any

from . import _native
from ._built import Library, load
from ._engine import Error
from ._native import CompileError, CompileWarning
from ._rules import Plan, Rule, compile
from ._stdlib import LibraryRule, rules

if TYPE_CHECKING:
    from ._optimizer import Optimizer
    from ._trajectory import Problem, Trajectory

__all__ = ["CompileError", "CompileWarning", "Error", "Library", "LibraryRule", "Optimizer", "Plan", "Problem", "Rule",
           "Trajectory", "compile", "load", "rules"]

for _public in (CompileError, CompileWarning, Error, Library, LibraryRule, Plan, Rule):
    _public.__module__ = __name__  # as tracebacks are to call them

#: What needs NumPy, which the rest does without, and where it is.
_WITH_NUMPY = {"Optimizer": "_optimizer", "Problem": "_trajectory", "Trajectory": "_trajectory"}


def __getattr__(name: str) -> Any:
    if name in _WITH_NUMPY:
        return getattr(importlib.import_module(f".{_WITH_NUMPY[name]}", __name__), name)
    if name == "__version__":  # of the library, which is opened when it is first needed
        return _native.library().talweg_version().decode()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
