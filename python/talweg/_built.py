"""Rules of libraries that `talweg build` made."""
from __future__ import annotations

import ctypes
import json
import os
import pathlib
import platform
from typing import Any, Iterator, Mapping, Optional

from . import _engine
from ._rules import Plan, Rule

#: What `talweg build --target` calls machines, by what Python calls them.
_TARGETS = {"x86_64": "x86-64", "AMD64": "x86-64", "aarch64": "aarch64", "arm64": "aarch64"}


class BuiltRule(Rule):
    """A rule of a library that `talweg build` made: of one type, without its text or plan."""

    def __init__(self, table: _engine.Table, dtype: str, file: pathlib.Path, key: str, description: dict[str, Any]) -> None:
        super().__init__(table, dtype)
        self._file, self._key, self._description = file, key, description

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_rule, (os.fspath(self._file), self._key)

    def for_dtype(self, dtype: str) -> Rule:
        if dtype != self.dtype:
            raise self._lacks(f"rules for {dtype!r}: it is built for {self.dtype}")
        return self

    def plan(self) -> Plan:
        raise self._lacks("the plan of a rule, which `talweg plan` shows")

    @property
    def source(self) -> str:
        raise self._lacks("the text of a rule")

    @property
    def description(self) -> dict[str, Any]:
        return self._description

    def _lacks(self, what: str) -> _engine.Error:
        return _engine.Error("BAD_ARGUMENT", f"{self._file} has not got {what}")


class Library(Mapping[str, Rule]):
    """The rules of a library by the names that its Python module has for them."""

    def __init__(self, file: pathlib.Path, name: str) -> None:
        self.file, self.name = file, name
        try:
            opened = ctypes.CDLL(os.fspath(file))
        except OSError as error:
            raise OSError(f"{file} cannot be loaded as a library that `talweg build` made: {error}") from None
        describe = getattr(opened, f"{name}_describe", None)
        if describe is not None:
            describe.restype = ctypes.c_char_p
        #: What the library says of itself, as its manifest has it.
        self.description: dict[str, Any] = json.loads(describe().decode()) if describe is not None else {}
        if not self.description.get("rules"):  # libtalweg has none
            raise ValueError(f"{file} is no library that `talweg build` made, or not the one named {name!r}")
        self._rules = {entry["class"]: self._rule(opened, entry) for entry in self.description["rules"]}

    def _rule(self, opened: ctypes.CDLL, entry: dict[str, Any]) -> Rule:
        function = getattr(opened, f"{entry['prefix']}_rule")
        function.restype = _engine._TABLE
        table = _engine.Table(opened, self.name, function())
        return BuiltRule(table, self.description["dtype"], self.file, entry["class"], entry)

    @property
    def rule(self) -> Rule:
        """The rule of a library that has one."""
        if len(self._rules) != 1:
            raise ValueError(f"{self.name} has the rules {', '.join(self._rules)}: say which, as in "
                             f"load(...)[{next(iter(self))!r}]")
        return self[next(iter(self))]

    def __getitem__(self, name: str) -> Rule:
        if name not in self._rules:
            raise KeyError(f"{self.name} has no rule {name!r}; it has {', '.join(self._rules)}")
        return self._rules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"<talweg.Library {self.name} in {self.description['dtype']}: {', '.join(self._rules)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (os.fspath(self.file),)


def load(path: Any) -> Library:
    """The rules of a library that `talweg build` made: its shared object, its manifest (NAME.json)
    or the folder of both."""
    place = pathlib.Path(path).resolve()
    if place.is_dir():
        manifests = {file: name for file in sorted(place.glob("*.json")) if (name := _library_name(file))}
        if len(manifests) != 1:
            found = ", ".join(file.name for file in manifests) or "none"
            raise FileNotFoundError(f"{place} is to have the manifest of one library of `talweg build`; it has {found}")
        place = next(iter(manifests))
    if not place.exists():
        raise FileNotFoundError(f"there is no {place}")
    if place.suffix == ".tw":
        raise ValueError(f"{place} is the text of rules, which talweg.compile(file=...) takes; load takes a library that `talweg "
                         "build` made: its shared object, its manifest or the folder of both")
    if place.suffix != ".json":
        return Library(place, place.name.removeprefix("lib").split(".so")[0])
    name = _library_name(place)
    if name is None:
        raise ValueError(f"{place} is no manifest of `talweg build`")
    return Library(_shared_object(place.parent, name), name)


def _load_rule(path: str, key: str) -> Rule:
    return load(path)[key]


def _library_name(manifest: pathlib.Path) -> Optional[str]:
    """The name of the library that a manifest is of; None for another file."""
    try:
        data = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError:
        return None
    is_manifest = isinstance(data, dict) and {"talweg", "name", "rules"} <= data.keys()
    return str(data["name"]) if is_manifest else None


def _shared_object(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Beside the manifest, or in the folder of this machine where there are several."""
    target = _TARGETS.get(platform.machine(), platform.machine())
    places = [folder / f"lib{name}.so", folder / target / f"lib{name}.so"]
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"there is no {places[0]}: build it with `talweg build`, which makes a shared object "
                            "unless --static is given")
