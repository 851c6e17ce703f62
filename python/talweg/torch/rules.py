"""The rule of an optimizer: from what users give to a table of functions for the type of their parameters."""
from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, Optional

from .. import _native, _rules
from .._engine import Table
from .._rules import CompiledRule, Rule, compile

#: What plans say of rules for which the order of dimensions matters.
_SHAPES = re.compile(r"\b(rank|rows?|cols?|columns?|matrix|matrices)\b")
_NAMES = re.compile(r"\bnamed ")
#: A name or tag in a condition.
_QUOTED = re.compile(r'\\".*?\\"')


def resolve(rule: Any, dtype: str, maximize: bool) -> Rule:
    """`rule`: an expression, a compiled rule, or one of a built library."""
    if not maximize:
        return _rules.resolve(rule, dtype)
    if isinstance(rule, str):
        return compile(f"Maximize | {rule}", dtype=dtype)
    rule = _rules.resolve(rule, None)
    if not _is_compiled(rule):
        raise ValueError(f"maximize cannot be added to {rule._table.name}, which is built: begin its expression with "
                         "\"Maximize |\"")
    make, (expression, *options) = rule.__reduce__()
    made: Rule = make(f"Maximize | {rule._table.name if expression is None else expression}", *options)
    return made.for_dtype(dtype)


def _is_compiled(rule: Rule) -> bool:
    """Whether it is compiled in this process, from text that can be compiled again."""
    return isinstance(rule, CompiledRule)


def expression(rule: Rule) -> str:
    """What the rule was compiled from; the name of a single rule does not say its constants."""
    made_of = rule.__reduce__()[1] if _is_compiled(rule) else ()
    return made_of[0] if made_of and made_of[0] is not None else rule._table.name


class Looks(NamedTuple):
    """What a rule looks at beside elements: the order of dimensions, and names."""

    at_shapes: bool
    at_names: bool


def looks(rule: Rule) -> Looks:
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
        return str(names[0])
    if name not in names:
        raise ValueError(f"the rule {table.name} has no view {name!r}" + (f", only {', '.join(names)}" if names else ""))
    return name
