"""Which rules `--only` means."""
from __future__ import annotations

import difflib
import re
from typing import Optional, Sequence


class NoSuchRule(Exception):
    """A pattern, or a part of one, that no rule has."""


def _parts(pattern: str) -> list[str]:
    """Its alternatives, each to be found; a pattern with brackets is one."""
    return [pattern] if set("()[]\\") & set(pattern) else pattern.split("|")


def select_rules(pattern: Optional[str], names: Sequence[str]) -> list[str]:
    """The names that match as a whole, in their order; all without a pattern."""
    if pattern is None:
        return list(names)
    for part in _parts(pattern):
        try:
            is_known = any(re.fullmatch(part, name) for name in names)
        except re.error as error:
            raise NoSuchRule(f"'{part}' is no pattern: {error}") from None
        if not is_known:
            near = difflib.get_close_matches(part.lower(), names, n=4, cutoff=0.5)
            near += [name for name in names if part.lower() and part.lower() in name and name not in near][:4]
            meant = f"; there are {', '.join(near)}" if near else ""
            raise NoSuchRule(f"no rule of this kit is called '{part}'{meant}")
    return [name for name in names if re.fullmatch(pattern, name)]
