"""talweg: optimizers written like the formula in the paper, compiled and run at the speed of memory."""
from ._engine import Error
from ._native import CompileError, CompileWarning
from ._rules import Rule, compile

__all__ = ["CompileError", "CompileWarning", "Error", "Rule", "compile"]
