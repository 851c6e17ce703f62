"""Rules as objects: compiled from text, or taken from a library that `talweg build` made."""
from __future__ import annotations

import abc
import json
import os
import pathlib
import warnings
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from . import _display, _engine, _native, _stdlib

if TYPE_CHECKING:
    from ._trajectory import Problem, Trajectory

_BYTES = {"float32": 4, "float64": 8}


class Plan:
    """How a step of a rule runs: `text` for people, `data` for programs."""

    def __init__(self, text: str, data: dict[str, Any]) -> None:
        self.text, self.data = text, data

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _display.plan_html(self.text)


class Rule(abc.ABC):
    """A rule or pipeline for parameters of one type. talweg.compile and talweg.load make them;
    optimizers take them. It does not change, so copies are the rule itself; a pickle holds what it
    was made of, and makes it again where it arrives."""

    def __init__(self, table: _engine.Table, dtype: str) -> None:
        self._table = table
        self.dtype = dtype

    @abc.abstractmethod
    def __reduce__(self) -> tuple[Any, ...]:
        ...

    def __copy__(self) -> Rule:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Rule:
        return self

    @abc.abstractmethod
    def for_dtype(self, dtype: str) -> Rule:
        """The same rule for parameters of another type, "float32" or "float64"."""

    @abc.abstractmethod
    def plan(self) -> Plan:
        """How a step runs: phases, passes over memory and their bytes, what states take."""

    @property
    @abc.abstractmethod
    def source(self) -> str:
        """The text of the rules that it is made of."""

    @property
    def name(self) -> str:
        return self._table.name

    @property
    def hypers(self) -> tuple[_engine.Hyper, ...]:
        """What may be set, with defaults and limits."""
        return self._table.hypers

    @property
    def states(self) -> tuple[_engine.Part, ...]:
        """What an optimizer remembers between steps, and how often there is one of each."""
        return self._table.states

    @property
    def inputs(self) -> tuple[_engine.Part, ...]:
        """What a step reads beside gradients."""
        return self._table.inputs

    @property
    def views(self) -> tuple[_engine.Part, ...]:
        """Other values for the parameters, such as an average."""
        return self._table.views

    @property
    def state_bytes(self) -> dict[str, int]:
        """The bytes of all states by how often they are there: {"element": 8} is 8 a parameter."""
        total: dict[str, int] = {}
        for state in self.states:
            total[state.rate] = total.get(state.rate, 0) + state.element_bytes
        return total

    @property
    def description(self) -> dict[str, Any]:
        """The rule as data: documentation, hypers, states, inputs, views."""
        described: dict[str, Any] = self._table.description()["rules"][0]
        return described

    @property
    def documentation(self) -> str:
        """The comment before the rule; of a pipeline those of its stages too."""
        return str(self.description["doc"])

    @property
    def summary(self) -> str:
        """The first sentence of the documentation; nothing for a pipeline without a comment of its own."""
        doc = self.documentation
        return "" if doc.startswith("Stage 1, ") else _stdlib.summary_of(self.name, doc)

    def trajectory(self, problem: str | Problem = "quadratic", steps: int = 100, *, start: Optional[Sequence[float]] = None,
                   hypers: Optional[Mapping[str, float]] = None, **more_hypers: float) -> Trajectory:
        """Runs the rule on a small problem: "quadratic", "rosenbrock", "beale" or "himmelblau", or
        a talweg.Problem of your own. Hypers by name, such as lr=0.1."""
        from . import _trajectory
        return _trajectory.run(self, problem, steps, start, {**(hypers or {}), **more_hypers})

    def __repr__(self) -> str:
        return _display.rule_line(self)

    def __str__(self) -> str:
        return _display.rule_text(self)

    def _repr_html_(self) -> str:
        return _display.rule_html(self)


class CompiledRule(Rule):
    """A rule that libtalweg compiled in this process."""

    def __init__(self, expression: Optional[str], text: Optional[str], text_name: str, folders: Sequence[str], dtype: str,
                 interpreter: bool, cpu: Optional[str], cache: bool) -> None:
        if dtype not in _BYTES:
            raise ValueError(f"there are no rules for {dtype!r}: \"float32\" and \"float64\"")
        self._made_of = expression, text, text_name, tuple(folders), dtype, interpreter, cpu, cache
        table, said = _native.compile_table(
            expression, element_bytes=_BYTES[dtype], text=text, text_name=text_name, folders=folders, interpreter=interpreter,
            cpu=cpu, cache=cache)
        super().__init__(table, dtype)
        if said:
            warnings.warn(said, _native.CompileWarning, stacklevel=3)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of

    def for_dtype(self, dtype: str) -> Rule:
        if dtype == self.dtype:
            return self
        expression, text, text_name, folders, _, interpreter, cpu, cache = self._made_of
        return CompiledRule(expression, text, text_name, folders, dtype, interpreter, cpu, cache)

    def plan(self) -> Plan:
        library, table = _native.library(), self._table._pointer
        return Plan(library.talweg_rule_plan(table).decode(), json.loads(library.talweg_rule_plan_json(table).decode()))

    @property
    def source(self) -> str:
        expression, text = self._made_of[:2]
        named = _stdlib.named_in(expression or "", text or "")
        files = dict.fromkeys(rule.file for rule in named if rule.file.is_absolute())
        parts = ([text] if text is not None else []) + [file.read_text(encoding="utf-8") for file in files]
        return "\n".join(parts)


def compile(expression: Optional[str] = None, *, text: Optional[str] = None, file: Any = None, folders: Sequence[Any] = (),
            dtype: str = "float32", interpreter: bool = False, cpu: Optional[str] = None, cache: bool = True) -> Rule:
    """Compiles a rule or a pipeline of rules, such as "ClipByGlobalNorm(1) | AdamW".

    `text` or `file`: rules of your own, which the expression may name; where they declare one rule
    only, the expression may be left out. `folders`: where further modules are looked for. A mistake
    raises CompileError with the compiler's whole message; what it warns of is a CompileWarning."""
    if text is not None and file is not None:
        raise TypeError("give `text` or `file`, not both")
    if isinstance(folders, (str, bytes, os.PathLike)):
        raise TypeError(f"`folders` is a list of folders: [{folders!r}]")
    text_name = "text"
    searched = [os.fspath(folder) for folder in folders]
    if file is not None:
        path = pathlib.Path(file)
        text, text_name = path.read_text(encoding="utf-8"), os.fspath(path)
        searched.insert(0, os.fspath(path.parent.resolve()))
    return CompiledRule(expression, text, text_name, searched, dtype, interpreter, cpu, cache)


def resolve(rule: Any, dtype: Optional[str]) -> Rule:
    """What users give as a rule, for a type where one is asked for: an expression, a rule, or a
    library that has one."""
    if isinstance(rule, str):
        return compile(rule, dtype=dtype or "float32")
    found = rule if isinstance(rule, Rule) else getattr(rule, "rule", None)
    if not isinstance(found, Rule):
        raise TypeError("a rule is an expression such as \"AdamW\", what talweg.compile returns, or a rule of a built library, "
                        f"not {rule.__qualname__ if isinstance(rule, type) else type(rule).__name__}")
    return found.for_dtype(dtype) if dtype else found
