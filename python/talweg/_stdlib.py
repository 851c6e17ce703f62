"""The rules that come with talweg, read from their files: what they are called, say and look like."""
from __future__ import annotations

import functools
import os
import pathlib
import re
from typing import NamedTuple

from . import _native

_RULE = re.compile(r"^((?:///.*\n)*)rule (\w+)\b", re.M)


class LibraryRule(NamedTuple):
    """A rule that talweg.compile knows by its name. `file` is where it is written."""

    name: str
    documentation: str
    file: pathlib.Path

    @property
    def summary(self) -> str:
        return summary_of(self.name, self.documentation)

    @property
    def source(self) -> str:
        return self.file.read_text(encoding="utf-8")


def rules() -> tuple[LibraryRule, ...]:
    """The optimizers that come with talweg, and the stages that go before and after them."""
    return tuple(sorted(by_name().values(), key=lambda rule: rule.name.lower()))


def by_name() -> dict[str, LibraryRule]:
    return _read(_folder())


@functools.lru_cache(maxsize=4)
def _read(folder: pathlib.Path) -> dict[str, LibraryRule]:
    return {rule.name: rule for file in sorted(folder.glob("*.tw"))
            for rule in declared(file.read_text(encoding="utf-8"), file)}


def declared(text: str, file: pathlib.Path) -> list[LibraryRule]:
    """The rules of a text, with the comments before them."""
    return [LibraryRule(name, re.sub(r"^/// ?", "", comment, flags=re.M).rstrip(), file)
            for comment, name in _RULE.findall(text)]


def named_in(expression: str, own_text: str = "") -> list[LibraryRule]:
    """The rules that an expression is made of, in its order: of a text, or of the library."""
    known = {**by_name(), **{rule.name: rule for rule in declared(own_text, pathlib.Path())}}
    words = dict.fromkeys(re.findall(r"(?<![.\w])[A-Za-z_]\w*", expression))
    return [known[word] for word in words if word in known]


def summary_of(name: str, documentation: str) -> str:
    """The first sentence, without the name that it may begin with."""
    paragraph = documentation.split("\n\n")[0].replace("\n", " ").strip()
    sentence = re.split(r"(?<=[.:])\s", paragraph.removeprefix(f"{name}: "))[0].rstrip(".:")
    return sentence[:1].upper() + sentence[1:]


def _folder() -> pathlib.Path:
    """Where the library looks for them too."""
    named = os.environ.get("TALWEG_STDLIB")
    if named:
        return pathlib.Path(named)
    prefix = pathlib.Path(_native.library()._name).resolve().parent.parent
    likely, deeper = prefix / "share/talweg/stdlib", prefix.parent / "share/talweg/stdlib"
    return deeper if not likely.is_dir() and deeper.is_dir() else likely
