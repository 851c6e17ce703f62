"""Rules as objects: compiled from text, or taken from a library that `talweg build` made."""
from __future__ import annotations

import os
import pathlib
import warnings
from typing import Any, Optional, Sequence

from . import _engine, _native

_BYTES = {"float32": 4, "float64": 8}


class Rule:
    """A compiled rule or pipeline. talweg.compile makes them; optimizers take them. Copies and
    pickles hold the text, and compile it again where they arrive."""

    def __init__(self, expression: Optional[str], text: Optional[str], text_name: str, folders: Sequence[str], dtype: str,
                 interpreter: bool, cpu: Optional[str], cache: bool) -> None:
        self._source = expression, text, text_name, tuple(folders), dtype, interpreter, cpu, cache
        if dtype not in _BYTES:
            raise ValueError(f"there are no rules for {dtype!r}: \"float32\" and \"float64\"")
        self.dtype = dtype
        self._table, said = _native.compile_table(
            expression, element_bytes=_BYTES[dtype], text=text, text_name=text_name, folders=folders, interpreter=interpreter,
            cpu=cpu, cache=cache)
        if said:
            warnings.warn(said, _native.CompileWarning, stacklevel=3)

    def __reduce__(self) -> tuple:
        return type(self), self._source

    def for_dtype(self, dtype: str) -> Rule:
        """The same rule for parameters of another type."""
        if dtype == self.dtype:
            return self
        expression, text, text_name, folders, _, *options = self._source
        return Rule(expression, text, text_name, folders, dtype, *options)

    @property
    def name(self) -> str:
        return self._table.name

    @property
    def hypers(self) -> tuple[_engine.Hyper, ...]:
        return self._table.hypers

    @property
    def states(self) -> tuple[_engine.Part, ...]:
        return self._table.states

    @property
    def inputs(self) -> tuple[_engine.Part, ...]:
        return self._table.inputs

    @property
    def views(self) -> tuple[_engine.Part, ...]:
        return self._table.views

    @property
    def description(self) -> dict:
        """The rule as data: documentation, hypers, states, inputs, views."""
        return self._table.description()["rules"][0]


def compile(expression: Optional[str] = None, *, text: Optional[str] = None, file: Any = None, folders: Sequence[Any] = (),
            dtype: str = "float32", interpreter: bool = False, cpu: Optional[str] = None, cache: bool = True) -> Rule:
    """Compiles a rule or a pipeline of rules, such as "ClipByGlobalNorm(1) | AdamW".

    `text` or `file`: rules of your own, which the expression may name; where they declare one rule
    only, the expression may be left out. `folders`: where further modules are looked for. A mistake
    raises CompileError with the compiler's whole message; what it warns of is a CompileWarning."""
    if text is not None and file is not None:
        raise TypeError("give `text` or `file`, not both")
    text_name = "text"
    searched = [os.fspath(folder) for folder in folders]
    if file is not None:
        path = pathlib.Path(file)
        text, text_name = path.read_text(encoding="utf-8"), os.fspath(path)
        searched.insert(0, os.fspath(path.parent.resolve()))
    return Rule(expression, text, text_name, searched, dtype, interpreter, cpu, cache)
