"""Rules as text and as HTML, for consoles and notebooks.

The HTML has its colours from the page, by currentColor and shades of grey that show on light and on
dark, so it needs to know nothing of themes.
"""
from __future__ import annotations

import html
import math
import re
from typing import TYPE_CHECKING, Iterable, Sequence

if TYPE_CHECKING:
    from ._engine import Hyper, Part
    from ._rules import Rule

_STYLE = """
.talweg{max-width:56em;line-height:1.45;color:inherit;overflow-wrap:anywhere}
.talweg h4{margin:0 0 .1em;font-size:1.15em;font-weight:600}
.talweg h4 code{font-size:1em;background:none;padding:0;color:inherit}
.talweg .tag{margin-left:.5em;padding:.1em .6em;border-radius:1em;background:rgba(128,128,128,.16);font-size:.72em;
font-weight:400;vertical-align:.12em;white-space:nowrap}
.talweg p{margin:.15em 0 .5em}
.talweg pre{margin:.5em 0;padding:.6em .9em;border:0;border-left:3px solid rgba(77,124,254,.65);border-radius:0 4px 4px 0;
background:rgba(128,128,128,.09);color:inherit;font-size:.9em;line-height:1.5;overflow-x:auto;white-space:pre}
.talweg .tables{display:flex;flex-wrap:wrap;align-items:flex-start;column-gap:3.5em}
.talweg table{margin:.7em 0;border-collapse:collapse;font-size:.92em;border:0}
.talweg th,.talweg td{padding:.22em 1.6em .22em 0;border:0;border-bottom:1px solid rgba(128,128,128,.22);text-align:left;
vertical-align:top;background:none;color:inherit}
.talweg tbody tr:nth-child(n){background:none}
.talweg th{font-weight:400;opacity:.65}
.talweg td.number{font-variant-numeric:tabular-nums;white-space:nowrap}
.talweg td code{background:none;padding:0;color:inherit}
.talweg summary{cursor:pointer;opacity:.8;font-size:.92em;margin:.25em 0}
"""

_PER = {"element": "parameter", "col": "column"}


def number(value: float) -> str:
    """As one would write it: 0.001, 1e-8, inf."""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.12g}".replace("e-0", "e-")


def default(hyper: Hyper) -> str:
    if hyper.default is None:
        return "computed"
    return ("true" if hyper.default else "false") if hyper.kind == "bool" else number(hyper.default)


def limits(hyper: Hyper) -> str:
    if hyper.kind == "bool":
        return "true or false"
    if hyper.low == -math.inf and hyper.high == math.inf:
        return ""
    return f"{'[' if hyper.low_closed else '('}{number(hyper.low)}, {number(hyper.high)}{']' if hyper.high_closed else ')'}"


def state_size(rule: Rule) -> str:
    """The bytes of states as a sentence: 8 bytes a parameter, 8 a row."""
    sizes = [f"{size} {'bytes ' if i == 0 else ''}a {_PER.get(rate, rate)}" for i, (rate, size) in enumerate(
        sorted(rule.state_bytes.items(), key=lambda entry: entry[0] != "element"))]
    return ", ".join(sizes) if sizes else "no states"


def rule_line(rule: Rule) -> str:
    hypers = "".join(f" {hyper.name}={default(hyper)}" for hyper in rule.hypers)
    return f"<talweg.Rule {rule.name} in {rule.dtype}:{hypers or ' no hypers'}; {state_size(rule)}>"


def rule_text(rule: Rule) -> str:
    """What `talweg list` shows of a rule."""
    parts = [f"{rule.name} in {rule.dtype}"]
    if rule.documentation:
        parts.append("\n".join(f"  {line}".rstrip() for line in rule.documentation.splitlines()))
    for title, rows in _tables(rule):
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        parts.append("\n".join([title, *(f"  {line}" for line in lines)]))
    return "\n\n".join([*parts, f"Memory\n  {state_size(rule)}"])


def _tables(rule: Rule) -> list[tuple[str, list[Sequence[str]]]]:
    tables: list[tuple[str, list[Sequence[str]]]] = [
        ("Hypers", [(hyper.name, default(hyper), limits(hyper), hyper.about) for hyper in rule.hypers]),
        ("States", [_part(part) for part in rule.states]),
        ("Inputs", [_part(part) for part in rule.inputs]),
        ("Views", [(part.name, part.about) for part in rule.views]),
    ]
    return [(title, rows) for title, rows in tables if rows]


def _part(part: Part) -> Sequence[str]:
    return part.name, f"{part.element_bytes} bytes a {_PER.get(part.rate, part.rate)}", part.about


def rule_html(rule: Rule) -> str:
    known = rule.documentation
    summary, formula, rest = _documentation(known) if rule.summary else ("", "", known)
    parts = [f"<style>{_STYLE}</style>", '<div class="talweg">',
             f'<h4><code>{_text(rule.name)}</code><span class="tag">{rule.dtype}</span>'
             f'<span class="tag">{_text(state_size(rule))}</span></h4>']
    if summary:
        sentence = summary.removeprefix(f"{rule.name}: ")
        parts.append(f"<p>{_text(sentence[:1].upper() + sentence[1:])}</p>")
    if formula:
        parts.append(f"<pre>{_text(formula)}</pre>")
    if rest:
        parts.append(_details("Notes" if rule.summary else "Its stages", rest))
    heads = {"Hypers": ("hyper", "default", "range", ""), "States": ("state", "takes", ""), "Inputs": ("input", "takes", ""),
             "Views": ("view", "")}
    parts += ['<div class="tables">', *(_table(heads[title], rows) for title, rows in _tables(rule)), "</div>"]
    parts += _step(rule)
    parts.append("</div>")
    return "\n".join(parts)


def _step(rule: Rule) -> Iterable[str]:
    from ._engine import Error
    try:
        plan = rule.plan()
    except Error:  # a built library has none
        return []
    moved = plan.data["bytes_per_parameter"]
    count = len(plan.data["phases"])
    return [_details(f"A step moves up to {moved['total']} bytes a parameter, in {count} {'phase' if count == 1 else 'phases'}",
                     plan.text),
            _details("Source", rule.source)]


def plan_html(text: str) -> str:
    return f'<style>{_STYLE}</style>\n<div class="talweg"><pre>{_text(text.rstrip())}</pre></div>'


def _documentation(text: str) -> tuple[str, str, str]:
    """The first paragraph, the formula that is set off below it, and what follows."""
    head, _, rest = text.partition("\n\n")
    found = re.match(r"((?: {4}.*\n?|\n)+)", rest + "\n") if rest.startswith("    ") else None
    if found is None:
        return head, "", rest.strip("\n")
    formula = found.group(1).rstrip()
    return head, "\n".join(line[4:] for line in formula.splitlines()), rest[found.end():].strip("\n")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that are empty are left out."""
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    head = "".join(f"<th>{_text(heads[i])}</th>" for i in used)
    body = "".join("<tr>" + "".join(
        f"<td><code>{_text(row[i])}</code></td>" if i == 0 else
        f'<td class="number">{_text(row[i])}</td>' if i < len(heads) - 1 else f"<td>{_text(row[i])}</td>" for i in used) + "</tr>"
        for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _details(title: str, text: str) -> str:
    return f"<details><summary>{_text(title)}</summary><pre>{_text(text.rstrip())}</pre></details>"


def _text(text: str) -> str:
    return html.escape(text)
