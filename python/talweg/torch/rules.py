"""The rule of an optimizer: from what users give to a table of functions for the type of their parameters."""
from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, Optional, Union

from .. import _native
from .._engine import Table
from .._rules import Rule, compile

#: What plans say of rules for which the order of dimensions matters.
_SHAPES = re.compile(r"\b(rank|rows?|cols?|columns?|matrix|matrices)\b")
_NAMES = re.compile(r"\bnamed ")
#: A name or tag in a condition.
_QUOTED = re.compile(r'\\".*?\\"')


class TableRule:
    """A rule of the Python module that `talweg build` writes: of one type, and without a text to
    compile again."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.dtype = "float32" if table.element_bytes == 4 else "float64"

    def for_dtype(self, dtype: str) -> TableRule:
        if dtype != self.dtype:
            raise TypeError(f"the rule {self._table.name} is built for {self.dtype}, and the parameters are {dtype}")
        return self

    def __deepcopy__(self, memo: Any) -> TableRule:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"the rule {self._table.name} is code of a library, which no pickle can hold: save state_dict()")


AnyRule = Union[Rule, TableRule]


def resolve(rule: Any, dtype: str, maximize: bool) -> AnyRule:
    """`rule`: an expression, a compiled rule, or one of a built library."""
    if isinstance(rule, str):
        return compile(f"Maximize | {rule}" if maximize else rule, dtype=dtype)
    if not isinstance(rule, Rule):
        table = rule if isinstance(rule, Table) else getattr(rule, "_table", None)
        if not isinstance(table, Table):
            raise TypeError(f"a rule is an expression such as \"AdamW\", what talweg.compile returns, or a rule of a built "
                            f"library; this is {type(rule).__name__}")
        rule = TableRule(table)
    if not maximize:
        return rule.for_dtype(dtype)
    if not _is_compiled(rule):
        raise ValueError(f"maximize cannot be added to {rule._table.name}, which is built: begin its expression with "
                         "\"Maximize |\"")
    make, (expression, *options) = rule.__reduce__()
    return make(f"Maximize | {rule._table.name if expression is None else expression}", *options).for_dtype(dtype)


def _is_compiled(rule: AnyRule) -> bool:
    """Whether it is compiled in this process, from text that can be compiled again."""
    return isinstance(rule, Rule) and isinstance(rule.__reduce__()[0], type)


def expression(rule: AnyRule) -> str:
    """What the rule was compiled from; the name of a single rule does not say its constants."""
    made_of = rule.__reduce__()[1] if _is_compiled(rule) else ()
    return made_of[0] if made_of and made_of[0] is not None else rule._table.name


class Looks(NamedTuple):
    """What a rule looks at beside elements: the order of dimensions, and names."""

    at_shapes: bool
    at_names: bool


def looks(rule: AnyRule) -> Looks:
    """Of a built rule there is no plan to ask: shapes may matter to it; where names do, they should be
    given."""
    if not _is_compiled(rule):
        return Looks(True, False)
    table = rule._table
    lines = any(part.rate in ("row", "col", "matrix") for part in table.states + table.inputs)
    plan = json.loads(_native.library().talweg_rule_plan_json(table._pointer))
    plan.pop("rule", None)
    text = _QUOTED.sub("", json.dumps(plan))
    return Looks(lines or bool(_SHAPES.search(text)), bool(_NAMES.search(text)))


def default_view(table: Table, name: Optional[str]) -> str:
    """The name of the view to evaluate with."""
    names = [view.name for view in table.views]
    if name is None:
        if len(names) != 1:
            raise ValueError(f"the rule {table.name} has {'several views' if names else 'no view'} to evaluate with"
                             + (f": name one of {', '.join(names)}" if names else ""))
        return names[0]
    if name not in names:
        raise ValueError(f"the rule {table.name} has no view {name!r}" + (f", only {', '.join(names)}" if names else ""))
    return name
