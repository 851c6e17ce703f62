"""talweg: optimizers written like the formula in the paper, compiled and run at the speed of memory."""
from typing import Any

from . import _native
from ._engine import Error
from ._native import CompileError, CompileWarning
from ._rules import Rule, compile

__all__ = ["CompileError", "CompileWarning", "Error", "Rule", "compile"]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # of the library, which is opened when it is first needed
        return _native.library().talweg_version().decode()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
