"""@NAME@: fused optimizer steps on NumPy arrays. Made by talweg; changes belong in the rule.

    import numpy as np
    import @NAME@

    w = np.zeros((10, 100), dtype=np.@DTYPE@)
    optimizer = @NAME@.@RULE@({"w": w})
    optimizer.step({"w": gradient})        # changes w in place

Needs NumPy and the shared library beside this file; no compiler. help(@NAME@.@RULE@) shows the
rule.
"""
from __future__ import annotations

import bisect
import builtins
import contextlib
import ctypes
import inspect
import json
import math
import operator
import os
from typing import (Any, Callable, Iterator, Mapping, NamedTuple, NoReturn, Optional, Sequence,
                    Union)

import numpy as np

# ---- The library ----

_NAME = "@NAME@"
_folder = os.path.dirname(os.path.abspath(__file__))
_library = ctypes.CDLL(os.path.join(_folder, f"lib{_NAME}.so"))
_describe = getattr(_library, f"{_NAME}_describe")
_describe.restype = ctypes.c_char_p
#: What the library says of itself: rules, hypers, states, inputs, views.
description = json.loads(_describe().decode())
#: The element type of parameters and gradients.
dtype = np.dtype(description["dtype"])

# ---- Its interface, as C has it ----

# HERE engine.py

# ---- Arrays of other libraries ----

# HERE dlpack.py

# ---- Optimizers ----

# HERE arrays.py

# ---- The rules ----


def _hyper_line(hyper):
    if hyper["kind"] == "bool":
        values = "False or True"
    else:
        values = (f"{'an integer ' if hyper['kind'] == 'int' else ''}in {'(['[hyper['low_closed']]}"
                  f"{float(hyper['low']):g}, {float(hyper['high']):g}{')]'[hyper['high_closed']]}")
    default = "computed from other hypers unless set" if hyper["follows"] else hyper["default"]
    return f"  {hyper['field']} = {default}, {values}. {hyper['doc']}".rstrip(" .")


def _documentation(rule):
    """What help() shows of a rule."""
    lines = [rule["doc"] or f"{rule['name']}."]
    lists = (("Hypers", map(_hyper_line, rule["hypers"])),
             ("Inputs of a step", (f"  {entry['field']}, per {entry['rate']}. {entry['doc']}"
                                   for entry in rule["inputs"])),
             ("States", (f"  {state['name']}, per {state['rate']}. {state['doc']}"
                         for state in rule["states"])),
             ("Views", (f"  {view['name']}. {view['doc']}" for view in rule["views"])))
    for title, entries in lists:
        texts = [entry.rstrip(" .") for entry in entries]
        if texts:
            lines += ["", f"{title}:", *texts]
    return "\n".join(lines)


def _signature(rule):
    """What an editor shows of a class: its hypers with their defaults."""
    own = inspect.signature(Optimizer.__init__)
    shown = [p for p in own.parameters.values() if p.name not in ("self", "hypers")]
    taken = {p.name for p in shown}
    for hyper in rule["hypers"]:
        if hyper["field"] not in taken:
            shown.append(inspect.Parameter(hyper["field"], inspect.Parameter.KEYWORD_ONLY,
                                           default=float(hyper["default"])))
    return inspect.Signature(shown)


def _table(rule):
    function = getattr(_library, f"{rule['prefix']}_rule")
    function.restype = _TABLE
    return Table(_library, _NAME, function())


def _optimizer_class(rule):
    name = rule["class"]
    while name in globals() or hasattr(builtins, name):  # Error, print: a `_` behind, as for words
        name += "_"
    body = {"__doc__": _documentation(rule), "__module__": __name__,
            "__signature__": _signature(rule), "_rule": rule, "_table": _table(rule)}
    globals()[name] = type(name, (Optimizer,), body)
    return name


__all__ = ["Arrays", "Error", "Optimizer", "description", "dtype",
           *map(_optimizer_class, description["rules"])]
