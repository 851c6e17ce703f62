#!/usr/bin/env python3
"""Writes docs/stdlib.md from the documentation in stdlib/*.tw; --check only says whether it is up to date (exit 1).

Either way every rule must have a source, and every hyper and state a word in the documentation."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "stdlib.md"
LABELS = ("Source", "Variant", "Deviates", "State")
# Nobody's invention.
WITHOUT_SOURCE = {"CompoundDecay"}

HEAD = """# The library

Rules and schedules that come with talweg. Their names are visible everywhere, without an import. This page is
written by `docs/make_stdlib.py` from the documentation of the files in [stdlib/](../stdlib); a test keeps it current.

Formulas use `<-` for what is kept and `=` for what is only named; `t` counts steps from 1.
"""


def declarations(text):
    """(documentation, kind, name, lines) of every rule and function, in the order written."""
    doc, found, lines = [], [], text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("///"):
            doc.append(line[4:])
            continue
        match = re.match(r"(rule|fn) (\w+)", line)
        if match:
            found.append((doc, match[1], match[2], lines[number:]))
        doc = []
    return found


def hypers(lines):
    """(name, default, range or choices, whether const, documentation) of each hyper of a rule."""
    doc = []
    for line in lines:
        if line.startswith("}"):
            return
        match = re.match(r"  hyper ((?:\w+ )*)(\w+) *= (.+?)(?: +in (.+))?$", line)
        if match:
            words = match[1].split()
            limits = (match[4] or ("true or false" if "bool" in words else "")).replace("inf", "∞")
            yield match[2], match[3].strip(), limits, " ".join(words), " ".join(doc)
        doc = [*doc, line.strip()[4:]] if line.startswith("  /// ") else []


def states(lines):
    """The names of a rule's states."""
    for line in lines:
        if line.startswith("}"):
            return
        match = re.match(r"  state (?:(?:model|group|tensor|matrix|row|col) )?(\w+)", line)
        if match:
            yield match[1]


def undocumented():
    """Hypers and states that neither the documentation of their rule names nor their own describes."""
    for path in sorted((ROOT / "stdlib").glob("*.tw")):
        for doc, kind, name, lines in declarations(path.read_text(encoding="utf-8")):
            words = set(re.findall(r"\w+", " ".join(doc)))
            if not doc:
                yield f"{path.name}: {name} has no documentation"
            if kind != "rule":
                continue
            for label in ("Source", "State"):
                if not any(line.startswith(label) for line in doc) and name not in WITHOUT_SOURCE:
                    yield f"{path.name}: the documentation of {name} has no {label}"
            for hyper, *_, own in hypers(lines):
                if hyper not in words and not own:
                    yield f"{path.name}: hyper {hyper} of {name} is not documented"
            for state in states(lines):
                if state not in words:
                    yield f"{path.name}: state {state} of {name} is not documented"


def views(lines):
    """(name, documentation) of each view of a rule."""
    doc = []
    for line in lines:
        if line.startswith("}"):
            return
        match = re.match(r"  view (\w+) *=", line)
        if match:
            yield match[1], " ".join(doc)
        doc = doc + [line.strip()[4:]] if line.startswith("  ///") else []


def paragraphs(doc):
    """The documentation as Markdown: indented formulas as code, labelled parts as a list."""
    out, label = [], False
    for line in doc:
        word = line.split(" ", 1)[0]
        if word in LABELS:
            out.append(f"* **{word}** {line[len(word):].strip()}")
            label = True
        elif label and line.startswith("  "):
            out.append("  " + line.strip())
        else:
            out.append(line)
    return out


def rule_section(doc, name, lines):
    out = [f"### {name}", "", *paragraphs(doc), ""]
    rows = list(hypers(lines))
    if rows:
        out += ["| hyper | default | range | kind | |", "|---|---|---|---|---|"]
        out += [f"| `{n}` | {default} | {limits} | {words} | {own} |" for n, default, limits, words, own in rows]
        out.append("")
    for view, words in views(lines):
        out += [f"View `{view}`: {words}", ""]
    return out


def schedule_rows(path):
    out = ["| function | |", "|---|---|"]
    for doc, kind, name, lines in declarations(path.read_text(encoding="utf-8")):
        signature = re.match(r"fn (\w+\([^)]*\))", lines[0] if ")" in lines[0] else " ".join(" ".join(lines[:2]).split()))[1]
        out.append(f"| `{signature}` | {' '.join(' '.join(doc).split())} |")
    return out + [""]


def summary_rows():
    """A line for each rule: the first of its documentation."""
    for path in sorted((ROOT / "stdlib").glob("*.tw")):
        for doc, kind, name, _ in declarations(path.read_text(encoding="utf-8")):
            if kind == "rule":
                yield f"| [{name}](#{name.lower()}) | {doc[0]} |"


def page():
    out = [HEAD, "## Rules", "", "| rule | |", "|---|---|", *summary_rows(), ""]
    for path in sorted((ROOT / "stdlib").glob("*.tw")):
        for doc, kind, name, lines in declarations(path.read_text(encoding="utf-8")):
            if kind == "rule":
                out += rule_section(doc, name, lines)
    out += ["## Schedules", "", "Functions of the step number; `s` is `t - 1`.", ""]
    out += schedule_rows(ROOT / "stdlib" / "schedules.tw")
    return "\n".join(out).rstrip("\n") + "\n"


def main(arguments):
    missing = list(undocumented())
    for line in missing:
        print(line)
    if missing:
        return 1
    text = page()
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE} is not what the library says; run docs/make_stdlib.py")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
