"""libtalweg, the compiler as a library: where it is, and compiling with it."""
from __future__ import annotations

import ctypes
import functools
import json
import os
import pathlib
from typing import Any, Optional, Sequence

from . import _engine

_BAD_RULE = 17
_FILE = "libtalweg.so.0"


class _COptions(ctypes.Structure):
    _fields_ = [("interface_version", ctypes.c_uint32), ("element_bytes", ctypes.c_uint32),
                ("text", ctypes.c_char_p), ("text_name", ctypes.c_char_p), ("file", ctypes.c_char_p),
                ("folders", ctypes.POINTER(ctypes.c_char_p)), ("folder_count", ctypes.c_uint32),
                ("backend", ctypes.c_uint32), ("cpu", ctypes.c_char_p), ("cache_folder", ctypes.c_char_p),
                ("no_cache", ctypes.c_uint32), ("reserved", ctypes.c_uint32)]


class CompileError(_engine.Error):
    """A rule that has errors. str() is the whole message of the compiler: places, lines, marks and
    ways out. `diagnostics` is the same as data, one dict a message."""

    def __init__(self, text: str, diagnostics: Sequence[dict[str, Any]]) -> None:
        super().__init__("BAD_RULE", text)
        self.diagnostics = tuple(diagnostics)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.diagnostics)


class CompileWarning(UserWarning):
    """What the compiler has to say of a rule that it accepts."""


def _places() -> list[pathlib.Path]:
    """Where the library may be: TALWEG_LIBRARY, in the package, in the prefix around it."""
    named = os.environ.get("TALWEG_LIBRARY")
    if named:
        return [pathlib.Path(named)]
    here = pathlib.Path(__file__).resolve().parent
    return [here / "lib" / _FILE]


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """libtalweg, opened once a process."""
    places = _places()
    for place in places:
        if place.exists():
            try:
                opened = ctypes.CDLL(os.fspath(place))
            except OSError as error:  # such as a glibc that is too old
                raise ImportError(f"talweg's library cannot be loaded: {error}. That of a wheel is for x86-64 Linux with glibc "
                                  "2.34 or later: Debian 12, Ubuntu 22.04, RHEL 9.") from error
            break
    else:
        raise ImportError(f"talweg's library is missing: there is no {' or '.join(map(str, places))}. Install the package "
                          "with pip, which puts it there, or set TALWEG_LIBRARY to its path.")
    for name, result, *arguments in (
            ("compile", ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_COptions), ctypes.POINTER(_engine._TABLE),
             ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(_engine._CError)),
            ("report_text", ctypes.c_char_p, ctypes.c_void_p), ("report_json", ctypes.c_char_p, ctypes.c_void_p),
            ("report_destroy", None, ctypes.c_void_p), ("rule_plan", ctypes.c_char_p, _engine._TABLE),
            ("rule_plan_json", ctypes.c_char_p, _engine._TABLE), ("status_text", ctypes.c_char_p, ctypes.c_int),
            ("version", ctypes.c_char_p)):
        function = getattr(opened, f"talweg_{name}")
        function.restype, function.argtypes = result, arguments
    return opened


def compile_table(expression: Optional[str], *, element_bytes: int = 4, text: Optional[str] = None, text_name: str = "text",
                  file: Any = None, folders: Sequence[Any] = (), interpreter: bool = False, cpu: Optional[str] = None,
                  cache_folder: Any = None, cache: bool = True) -> tuple[_engine.Table, str]:
    """Compiles a rule; returns its table and the compiler's warnings as text."""
    opened = library()
    paths = [_path(folder) for folder in folders]
    options = _COptions(
        interface_version=_engine._INTERFACE, element_bytes=element_bytes, text=_bytes(text, "the text"),
        text_name=_bytes(text_name, "its name"), file=_path(file),
        folders=(ctypes.c_char_p * max(1, len(paths)))(*paths), folder_count=len(paths), backend=int(interpreter),
        cpu=_bytes(cpu, "cpu"), cache_folder=_path(cache_folder), no_cache=int(not cache))
    table, report, error = _engine._TABLE(), ctypes.c_void_p(), _engine._CError()
    status = opened.talweg_compile(_bytes(expression, "the rule"), options, ctypes.byref(table), ctypes.byref(report), error)
    try:
        said = opened.talweg_report_text(report).decode() if report else ""
        entries = [json.loads(line) for line in opened.talweg_report_json(report).decode().splitlines()] if report else []
    finally:
        opened.talweg_report_destroy(report)
    if status == _BAD_RULE and said:
        raise CompileError(said, entries)
    if status != 0:
        raise _engine.Error(opened.talweg_status_text(status).decode(), error.message.decode(errors="replace"))
    return _engine.Table(opened, "talweg", table, owned=True), said


def _bytes(text: Optional[str], what: str) -> Optional[bytes]:
    if not isinstance(text, (str, type(None))):
        raise TypeError(f"{what} is to be a str, not {type(text).__name__}")
    return None if text is None else _engine._bytes(text, what)


def _path(path: Any) -> Optional[bytes]:
    if path is None:
        return None
    _engine._bytes(os.fsdecode(path), "the path")
    return os.fsencode(path)
