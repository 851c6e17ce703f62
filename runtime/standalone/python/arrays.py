"""Optimizers on NumPy arrays, by engine.py. Used as that is: the text below the mark is in the
module that `talweg build` writes, and the package talweg has this file.
"""
from __future__ import annotations

import bisect
import contextlib
import ctypes
import math
from typing import Any, Callable, Iterator, Mapping, NoReturn, Optional, Sequence, Union

import numpy as np

from ._dlpack import _from_dlpack
from ._engine import (OUTCOMES, _POINTER, _REGRAD, _places, Engine, Error, State, Table,
                      Tensor)

# BEGIN
#: Arrays by the names of their parameters, or in their order. An array is NumPy's, or any that has
#: __dlpack__ and is in memory of the CPU, such as PyTorch's.
Arrays = Union[Mapping[str, Any], Sequence[Any]]


def _as_array(given: Any, what: str) -> np.ndarray:
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array, whose mask would be overlooked")
    if isinstance(given, np.ndarray):
        return given
    if hasattr(given, "__dlpack__") and hasattr(given, "__dlpack_device__"):
        return _from_dlpack(given, what)
    raise TypeError(f"{what} is {type(given).__name__}, not a NumPy array")


def _array(given: Any, what: str, dtype: np.dtype,
           shape: Optional[tuple[int, ...]] = None) -> np.ndarray:
    """An array that C may be given the address of, or why it may not."""
    array = _as_array(given, what)
    if array.dtype != dtype:
        raise TypeError(f"{what} is of {_type_name(array.dtype)}; it must be of {dtype}")
    if not array.flags.c_contiguous:
        is_transposed = array.flags.f_contiguous
        raise ValueError(f"{what} is not contiguous in C order" + (
            ", but its transpose .T is: give that for the parameter and its gradients"
            if is_transposed else ""))
    if shape is not None and array.shape != shape:
        raise ValueError(f"{what} has shape {array.shape}, its parameter {shape}")
    return array


def _type_name(dtype: np.dtype) -> str:
    return f"{dtype}{'' if dtype.isnative else ', the byte order of other machines'}"


def _named(arrays: Any, first: int) -> Mapping[str, Any]:
    """Arrays by name; those of a list are called by number."""
    if isinstance(arrays, Mapping):
        return arrays
    if hasattr(arrays, "shape") or isinstance(arrays, (str, bytes)):  # whose rows are not meant
        raise TypeError("parameters are a dict or a list of arrays, or groups of such, not "
                        f"{type(arrays).__name__}")
    return {str(first + i): array for i, array in enumerate(arrays)}


def _grouped(parameters: Any) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Groups, each as its arrays by name and its hypers."""
    named = _named(parameters, 0)
    if named is parameters or not any(isinstance(entry, Mapping) for entry in named.values()):
        return [(named, {})]
    groups: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    for index, group in enumerate(named.values()):
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f"group {index} is no dict that has \"params\"")
        arrays = _named(group["params"], sum(len(before) for before, _ in groups))
        groups.append((arrays, {name: group[name] for name in group if name != "params"}))
    return groups


def _lines(shape: tuple[int, ...], split: Any) -> dict[str, int]:
    """How many matrices, rows and columns an array has."""
    rank = len(shape)
    if rank < 2 or split is None:
        return {"matrix": 0, "row": 0, "col": 0}
    if split in ("last_two", "two_largest"):
        by_size = split == "two_largest"
        order = sorted(range(rank), key=lambda i: (shape[i] if by_size else 0, i))
        places = tuple(order[-2:])
    else:
        places = (1,) if split == "first_rest" else _places(split)
    if len(places) == 1:
        matrices, rows, columns = 1, math.prod(shape[:places[0]]), math.prod(shape[places[0]:])
    else:
        rows, columns = (shape[place] for place in sorted(places))
        matrices = math.prod(size for i, size in enumerate(shape) if i not in places)
    return {"matrix": matrices, "row": matrices * rows, "col": matrices * columns}


class Optimizer:
    """One optimizer over named arrays, which a step changes in place. It is used by one thread at a
    time. What the library refuses raises Error; what is no array of the right type, TypeError; one
    of the wrong shape or layout, ValueError."""

    _table: Table
    _rule: dict[str, Any]  # its part of the description: of a subclass or of an object

    def __init__(self, parameters: Union[Arrays, Sequence[Mapping[str, Any]]], *,
                 tags: Optional[Mapping[str, Sequence[str]]] = None,
                 splits: Optional[Mapping[str, Any]] = None, threads: int = 1,
                 **hypers: float) -> None:
        """`parameters`: a dict or a list of arrays; or groups, a list of dicts with "params" (such
        arrays) and hypers of their own. `tags`: texts by parameter, for rules that ask for them.
        `splits`: by parameter, what its rows and columns are, for rules that have such: one of
        "first_rest", "last_two" and "two_largest", the dimension at which columns begin, or the
        pair of dimensions. `threads`: how many work on a step, the calling one among them; results
        do not depend on it. Hypers by name are for all groups."""
        self._set_up(_grouped(parameters), tags, splits, threads, hypers)

    def _set_up(self, groups: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
                tags: Optional[Mapping[str, Sequence[str]]], splits: Optional[Mapping[str, Any]],
                threads: int, hypers: Mapping[str, float]) -> None:
        self._names = {name: None for arrays, _ in groups for name in arrays}  # in order
        if len(self._names) < sum(len(arrays) for arrays, _ in groups):
            raise ValueError("two parameters have the same name")
        self._dtype = np.dtype(f"f{self._table.element_bytes}")
        self._is_stepping = False
        options = {"tags": tags or {}, "splits": splits or {}}
        for option, given in options.items():
            for name in given:
                if name not in self._names:
                    raise KeyError(f"{option}: there is no parameter {name!r}")
        tensors = []
        for index, (arrays, _) in enumerate(groups):
            for name, given in arrays.items():
                tensors.append(self._tensor(name, given, index, **options))
        self._arrays = [tensor.owner for tensor in tensors]
        self._engine = Engine(self._table, tensors, len(groups), self._table.pool(threads))
        self._find_places()
        for name, value in hypers.items():
            self.set_hyper(name, value)
        for index, (_, own) in enumerate(groups):
            for name, value in own.items():
                self.set_hyper(name, value, group=index)

    def _tensor(self, name: Any, given: Any, group: int, tags: Mapping[str, Any],
                splits: Mapping[str, Any]) -> Tensor:
        if not isinstance(name, str):
            raise TypeError(f"a parameter is called {name!r}, which is no text")
        array = _array(given, f"parameter {name!r}", self._dtype)
        if not array.flags.writeable:
            raise ValueError(f"parameter {name!r} is read-only")
        own = tags.get(name, ())
        if isinstance(own, str):
            raise TypeError(f"the tags of {name!r} are {own!r}: give a list of texts")
        return Tensor(name, array.shape, array.ctypes.data, tuple(own), group, splits.get(name),
                      owner=array)

    def _find_places(self) -> None:
        """Where parameters are, in order, to see what shares memory with any of them."""
        places = sorted((array.ctypes.data, array.ctypes.data + array.nbytes, name)
                        for array, name in zip(self._arrays, self._names) if array.nbytes > 0)
        self._begins = [begin for begin, _, _ in places]
        self._places = places

    def _parameter_at(self, begin: int, end: int) -> Optional[str]:
        """The name of one that shares memory with [begin, end)."""
        last = bisect.bisect_left(self._begins, end) - 1  # of those that begin before its end
        if begin < end and last >= 0 and self._places[last][1] > begin:
            return self._places[last][2]
        return None

    def __repr__(self) -> str:
        elements = sum(array.size for array in self._arrays)
        return (f"<{self._title()}: {len(self._arrays)} parameters of {elements} elements, "
                f"{self.steps} steps, {self.cpu}>")

    def _title(self) -> str:
        return f"{type(self).__module__}.{type(self).__qualname__}"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is one with its memory and cannot be copied or "
                        "pickled: make another one and load() what this one saves with save()")

    def __copy__(self) -> NoReturn:
        self.__reduce__()

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self.__reduce__()

    def _in_order(self, arrays: Any, what: str) -> list[Any]:
        """One for each parameter, from a mapping by name or a sequence; None is left out."""
        if isinstance(arrays, Mapping):
            for name in arrays:
                if name not in self._names:
                    raise KeyError(f"there is no parameter {name!r}")
            return [arrays.get(name) for name in self._names]
        if not isinstance(arrays, Sequence):
            raise TypeError(f"{what} is {type(arrays).__name__}, not a dict or list of arrays")
        if len(arrays) != len(self._names):
            raise ValueError(f"{len(arrays)} arrays were given for {len(self._names)} parameters")
        return list(arrays)

    def _pointers(self, given: Any, what: str) -> tuple[Any, list[Any]]:
        """A pointer for each parameter, and what must live as long as they are used."""
        arrays = self._in_order(given, what)
        pointers = (_POINTER * max(1, len(arrays)))()
        for i, (array, tensor) in enumerate(zip(arrays, self._engine.tensors)):
            if array is None:
                continue
            if (type(array) is not np.ndarray or array.dtype != self._dtype
                    or array.shape != tensor.shape or not array.flags.c_contiguous):
                if isinstance(array, np.generic):  # what NumPy computes from arrays of rank 0
                    array = np.asarray(array)
                array = arrays[i] = _array(array, f"{what} of {tensor.name!r}", self._dtype,
                                           tensor.shape)
            address = array.ctypes.data
            shared = self._parameter_at(address, address + array.nbytes)
            if shared is not None:
                raise Error("OVERLAP", f"{what} of {tensor.name!r} shares memory with parameter "
                                       f"`{shared}`")
            pointers[i] = address
        return pointers, arrays

    def _line_pointers(self, given: Any, name: str, rate: str) -> tuple[Any, list[Any]]:
        """The same for one a matrix, row or column, in arrays of any shape."""
        arrays = self._in_order(given, f"input {name}")
        pointers = (_POINTER * max(1, len(arrays)))()
        dtype = np.dtype(np.float64) if rate == "matrix" else self._dtype
        for i, (array, tensor) in enumerate(zip(arrays, self._engine.tensors)):
            if array is None:
                continue
            what = f"input {name} of {tensor.name!r}"
            array = _array(array, what, dtype)
            split = tensor.split if tensor.split is not None else self._rule["split"]
            count = _lines(tensor.shape, split)[rate]
            if array.size != count:
                raise ValueError(f"{what} has {array.size} numbers; there is one a {rate}, and so "
                                 f"{count}")
            arrays[i], pointers[i] = array, array.ctypes.data
        return pointers, arrays

    def _inputs(self, given: Mapping[str, Any]) -> tuple[Any, Any]:
        """The struct of inputs, and what must live as long as it is read."""
        entries = self._rule["inputs"]
        if not entries and not given:
            return None, None
        kept: list[Any] = []
        table: Any
        pointers = (_POINTER * max(1, len(entries)))()
        fields = {entry["field"] + "_" * (entry["field"] in ("gradients", "self")): i
                  for i, entry in enumerate(entries)}
        places = {**fields, **{entry["name"]: i for i, entry in enumerate(entries)}}
        for name, value in given.items():
            if name not in places:
                raise TypeError(f"the rule has no input {name!r}; it has {sorted(fields)}")
            rate = entries[places[name]]["rate"]
            if rate in ("model", "group", "tensor"):
                table = self._numbers(value, name, rate)
                pointers[places[name]] = table.ctypes.data
            else:
                table, arrays = (self._pointers(value, f"input {name}") if rate == "element" else
                                 self._line_pointers(value, name, rate))
                pointers[places[name]] = ctypes.addressof(table)
                kept.append(arrays)
            kept.append(table)
        return pointers, kept

    def _numbers(self, value: Any, name: str, rate: str) -> np.ndarray:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" and array.size > 0:
            raise TypeError(f"input {name!r} is {value!r}, not numbers")
        count = {"model": 1, "group": self._engine.groups, "tensor": len(self._names)}[rate]
        if array.size != count:
            raise ValueError(f"input {name!r} has {array.size} numbers; there is one a {rate}, and "
                             f"so {count}")
        return np.ascontiguousarray(array, dtype=np.float64)

    def step(self, gradients: Arrays, regrad: Optional[Callable[[], Arrays]] = None,
             **inputs: Any) -> str:
        """One step. `gradients`: by name, or in the order of the parameters; a parameter without
        one, or with None, is left out. `regrad`: for rules that move the parameters and need
        gradients there; it is called without arguments and gives these. Inputs of the rule by name
        (`gradients_` for one that is called as the argument). Returns "completed", "held" (the rule
        ended the call early) or "skipped" (it left the step out). If it raises, the step has not
        happened; an interrupt from the keyboard may also come right after it, as `steps` then
        tells."""
        if self._is_stepping:
            raise RuntimeError("a step of this optimizer is on its way: in another thread, or this "
                               "is its regrad")
        try:
            self._is_stepping = True
            self._engine.abandon()  # of a step whose own abandon was interrupted
            given, kept = self._inputs(inputs)
            while True:
                table, arrays = self._pointers(gradients, "the gradient")
                outcome = self._engine.step(table, given)
                if outcome != _REGRAD:
                    return OUTCOMES[outcome]
                if regrad is None:
                    raise Error("WAITING", f"{self._rule['name']} needs gradients at the "
                                           "parameters that it has moved: give step a `regrad`")
                gradients = regrad()
        except BaseException:
            self._engine.abandon()
            raise
        finally:
            self._is_stepping = False

    def set_hyper(self, name: str, value: float, group: Optional[int] = None) -> None:
        """Sets a hyper of one group, or of all of them."""
        self._engine.set_hyper(self._hyper_name(name), value, group)

    def hyper(self, name: str, group: int = 0) -> float:
        """The value that was set; of a hyper that the rule computes, the one of the last step."""
        return self._engine.hyper(self._hyper_name(name), group)

    def _hyper_name(self, name: str) -> str:
        """As the rule has it: keywords cannot have the dots of names such as "adamw.lr"."""
        fields = {hyper["field"]: hyper["name"] for hyper in self._rule["hypers"]}
        return name if name in fields.values() else fields.get(name, name)

    @property
    def steps(self) -> int:
        """Completed steps."""
        return self._engine.steps

    @property
    def calls(self) -> int:
        """Calls of step: those that were held or skipped too."""
        return self._engine.calls

    @property
    def cpu(self) -> str:
        """The instruction set that the kernels use, such as "x86-64-v3"."""
        return self._engine.cpu

    def states(self) -> dict[tuple[str, Union[str, int, None]], np.ndarray]:
        """The states themselves, not copies: ("m", "w") is that of parameter "w", ("x", None) one
        of the model, ("x", 1) one of group 1."""
        rates = {state["name"]: state["rate"] for state in self._rule["states"]}
        result = {}
        for state in self._engine.states():
            if state.kind == "value":
                owner = state.group if rates[state.name] == "group" else state.tensor
                result[state.name, owner] = self._state_array(state)
        return result

    def _state_array(self, state: State) -> np.ndarray:
        kind = np.dtype(f"f{state.element_bytes}")
        elements = math.prod(state.shape)
        if elements == 0:
            return np.zeros(state.shape, kind)
        size = elements * state.element_bytes
        memory: Any = (ctypes.c_byte * size).from_address(state.address)
        memory.owner = self  # the memory is the optimizer's
        return np.frombuffer(memory, kind).reshape(state.shape)

    def reset(self) -> None:
        """Back to the moment of creation, except for hypers and parameters."""
        self._engine.reset()

    def read_view(self, name: Optional[str] = None) -> dict[str, np.ndarray]:
        """A view, of a rule with one view that, as new arrays by parameter."""
        arrays = [np.empty_like(array) for array in self._arrays]
        self._engine.read_view(self._view_name(name), self._pointers(arrays, "the view")[0])
        return dict(zip(self._names, arrays))

    @contextlib.contextmanager
    def view(self, name: Optional[str] = None) -> Iterator[None]:
        """For `with`: the parameters hold the view meanwhile, and then their own values again."""
        self._engine.swap_in(self._view_name(name))
        try:
            yield
        finally:
            try:
                self._engine.put_back()
            except BaseException:  # an interrupt, maybe before it
                self._engine.put_back()
                raise

    def _view_name(self, name: Optional[str]) -> str:
        if name is not None:
            return name
        names = [view["name"] for view in self._rule["views"]]
        if len(names) != 1:
            raise TypeError(f"{self._rule['name']} has {len(names)} views: say which of {names}"
                            if names else f"{self._rule['name']} has no view")
        return str(names[0])

    def save(self) -> bytes:
        """All states, in the safetensors format. With the parameters and the hypers, which are
        yours to save, they decide all later steps bit for bit."""
        return self._engine.save()

    def load(self, data: bytes) -> None:
        """Takes what an optimizer of the same rule and parameters has saved."""
        self._engine.load(data)
