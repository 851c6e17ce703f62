"""talweg.Optimizer: a rule on NumPy arrays."""
from __future__ import annotations

import keyword
from typing import Any, Mapping, Optional, Sequence, Union

import numpy as np

from . import _arrays, _rules

_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Optimizer(_arrays.Optimizer):
    """One optimizer over arrays, which a step changes in place, in a pass or two over memory.

        w = np.zeros((10, 100), np.float32)
        optimizer = talweg.Optimizer({"w": w}, rule="ClipByGlobalNorm(1) | AdamW", lr=1e-3)
        optimizer.step({"w": gradient})

    Arrays are NumPy's, or any that have __dlpack__ and are in memory of the CPU, such as PyTorch's,
    whose memory is used as it is. All parameters are of float32, or all of float64, contiguous in C
    order, writeable and apart from each other. An array in Fortran order is refused, since rules
    may look at its rows: its transpose .T is in C order, and so are those of its gradients.

    An optimizer is used by one thread at a time. What talweg refuses raises talweg.Error; what is
    no array of the right type, TypeError; one of the wrong shape or layout, ValueError. A call
    that raises has changed nothing."""

    __module__ = "talweg"

    def __init__(self, params: Union[_arrays.Arrays, Sequence[Mapping[str, Any]]], rule: Any, *,
                 tags: Optional[Mapping[str, Sequence[str]]] = None, splits: Optional[Mapping[str, Any]] = None,
                 threads: int = 1, **hypers: float) -> None:
        """`params`: a dict or a list of arrays (which are then called "0", "1", ...); or groups, a
        list of dicts with "params" (such arrays) and hypers of their own.

        `rule`: an expression such as "AdamW", what talweg.compile returns, or a rule of a library
        that `talweg build` made. It is compiled for the type of the arrays.

        `tags`: texts by parameter, for rules that ask for them. `splits`: by parameter, what its
        rows and columns are, for rules that have such: one of "first_rest", "last_two" and
        "two_largest", the dimension at which columns begin, or the pair of dimensions. `threads`:
        how many work on a step, the calling one among them; results do not depend on it.

        Hypers by name are for all groups. For a dot in a name, as of a stage of a pipeline, write
        `_` here; a hyper that is called as an argument here is set by set_hyper."""
        groups = _arrays._grouped(params)
        dtype = _common_type(groups)
        self.rule: _rules.Rule = _rules.resolve(rule, dtype)
        self._table = self.rule._table
        self._rule = _with_fields(self.rule.description)
        self._set_up(groups, tags, splits, threads, hypers)

    def _title(self) -> str:
        return f"talweg.Optimizer of {self.rule.name}"


def _common_type(groups: Sequence[tuple[Mapping[str, Any], Any]]) -> Optional[str]:
    """The type of all parameters; None where there are none."""
    first: dict[np.dtype, str] = {}
    for arrays, _ in groups:
        for name, given in arrays.items():
            what = f"parameter {name!r}"
            dtype = _arrays._as_array(given, what).dtype
            if dtype not in _TYPES or not dtype.isnative:
                raise TypeError(f"{what} is of {_arrays._type_name(dtype)}; it must be of float32 or float64")
            first.setdefault(dtype, name)
    if len(first) > 1:
        (one, name), (other, other_name) = list(first.items())[:2]
        raise TypeError(f"parameter {name!r} is of {one} and {other_name!r} of {other}: all of an optimizer are of one type")
    return next(iter(first)).name if first else None


def _with_fields(description: dict[str, Any]) -> dict[str, Any]:
    """What a rule says of itself, with what keywords its hypers and inputs are, as a built library
    says too."""
    result = dict(description)
    for part in ("hypers", "inputs"):
        result[part] = [{"field": _field(entry["name"]), **entry} for entry in description[part]]
    return result


def _field(name: str) -> str:
    word = name.replace(".", "_")
    return word + "_" if keyword.iskeyword(word) else word
