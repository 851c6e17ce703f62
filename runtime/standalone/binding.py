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

import contextlib
import ctypes
import inspect
import json
import os
from typing import Any, Callable, Iterator, Mapping, NoReturn, Optional, Sequence, Union

import numpy as np

_NAME = "@NAME@"
_folder = os.path.dirname(os.path.abspath(__file__))
_library = ctypes.CDLL(os.path.join(_folder, f"lib{_NAME}.so"))


def _function(name, result, *arguments):
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


def _text(name):
    return _function(f"{_NAME}_{name}", ctypes.c_char_p)().decode()


#: What the library says of itself: rules, hypers, states, inputs, views.
description = json.loads(_text("describe"))
#: The element type of parameters and gradients.
dtype = np.dtype(description["dtype"])

_POINTER = ctypes.c_void_p
_MOST = _ALL_GROUPS = 0xFFFFFFFF
_COMPLETED, _HELD, _SKIPPED, _REGRAD = range(4)
_OUTCOMES = ("completed", "held", "skipped", "regrad")


#: Arrays by the names of their parameters, or in their order.
Arrays = Union[Mapping[str, Optional[np.ndarray]], Sequence[Optional[np.ndarray]]]


class Error(Exception):
    """What the library refused, and why. `status` is its code by name, such as "OUT_OF_RANGE"."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _CError(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class _CTensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_uint64)),
                ("strides", _POINTER), ("tags", ctypes.POINTER(ctypes.c_char_p)),
                ("storage", _POINTER), ("param", _POINTER), ("rank", ctypes.c_uint32),
                ("tag_count", ctypes.c_uint32), ("group", ctypes.c_uint32),
                ("device", ctypes.c_uint32), ("split", ctypes.c_uint32),
                ("split_at", ctypes.c_uint32), ("split_to", ctypes.c_uint32)]


class _CSpec(ctypes.Structure):
    _fields_ = [("interface_version", ctypes.c_uint32), ("tensor_count", ctypes.c_uint32),
                ("tensors", ctypes.POINTER(_CTensor)), ("group_count", ctypes.c_uint32),
                ("thread_count", ctypes.c_uint32), ("parallel_for", _POINTER),
                ("parallel_context", _POINTER)]


class _CState(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("tensor", ctypes.c_char_p), ("data", _POINTER),
                ("shape", ctypes.POINTER(ctypes.c_uint64)), ("elements", ctypes.c_uint64),
                ("rank", ctypes.c_uint32), ("group", ctypes.c_uint32),
                ("element_bytes", ctypes.c_uint32), ("kind", ctypes.c_uint32),
                ("place", ctypes.c_uint32 * 3), ("lines", ctypes.c_uint64 * 2)]


_status_text = _function(f"{_NAME}_status_text", ctypes.c_char_p, ctypes.c_int)


def _checked(prefix, name, *arguments):
    """A function that ends with an error argument, which becomes an exception."""
    function = _function(f"{prefix}_{name}", ctypes.c_int, *arguments, ctypes.POINTER(_CError))

    def call(*values):
        error = _CError()
        status = function(*values, error)
        if status != 0:
            raise Error(_status_text(status).decode(), error.message.decode(errors="replace"))

    return call


_set_hyper = _checked(_NAME, "set_hyper", _POINTER, ctypes.c_char_p, ctypes.c_uint32,
                      ctypes.c_double)
_get_hyper = _checked(_NAME, "get_hyper", _POINTER, ctypes.c_char_p, ctypes.c_uint32,
                      ctypes.POINTER(ctypes.c_double))
_reset = _checked(_NAME, "reset", _POINTER)
_read_view = _checked(_NAME, "read_view", _POINTER, ctypes.c_char_p, ctypes.POINTER(_POINTER))
_swap_in = _checked(_NAME, "swap_in", _POINTER, ctypes.c_char_p, _POINTER)
_swap_out = _checked(_NAME, "swap_out", _POINTER)
_save = _checked(_NAME, "save", _POINTER, _POINTER, ctypes.c_uint64)
_load = _checked(_NAME, "load", _POINTER, _POINTER, ctypes.c_uint64)
_destroy = _function(f"{_NAME}_destroy", None, _POINTER)
_pool_create = _function(f"{_NAME}_pool_create", _POINTER, ctypes.c_uint32)
_pool_run = ctypes.cast(getattr(_library, f"{_NAME}_pool_run"), _POINTER)
_pool_destroy = _function(f"{_NAME}_pool_destroy", None, _POINTER)
_cpu = _function(f"{_NAME}_cpu", ctypes.c_char_p, _POINTER)
_steps = _function(f"{_NAME}_steps", ctypes.c_uint64, _POINTER)
_calls = _function(f"{_NAME}_calls", ctypes.c_uint64, _POINTER)
_abandon = _function(f"{_NAME}_abandon", None, _POINTER)
_swap_bytes = _function(f"{_NAME}_swap_bytes", ctypes.c_uint64, _POINTER)
_saved_bytes = _function(f"{_NAME}_saved_bytes", ctypes.c_uint64, _POINTER)
_next_state = _function(f"{_NAME}_next_state", ctypes.c_int, _POINTER, ctypes.POINTER(_CState))


def _bytes(text, what):
    """C would read a name only up to a NUL, and take it for another one."""
    if "\0" in text:
        raise ValueError(f"{what} {text!r} has a NUL in it")
    return text.encode()


def _checked_array(array, what, shape=None):
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{what} is {type(array).__name__}, not a NumPy array")
    if array.dtype != dtype:
        raise TypeError(f"{what} is of {array.dtype}; this library is for {dtype}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{what} is not contiguous: give np.ascontiguousarray of it")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{what} has shape {array.shape}, its parameter {shape}")
    return array


class Optimizer:
    """One optimizer over named arrays, which a step changes in place. It is used by one thread at a
    time. What the library refuses raises Error; what is no array of the right type, TypeError; one
    of the wrong shape or layout, ValueError."""

    _rule: Any = None  # of a subclass: its part of the description

    def __init__(self, parameters: Union[Mapping[str, np.ndarray], Sequence[Mapping[str, Any]]], *,
                 tags: Optional[Mapping[str, Sequence[str]]] = None, threads: int = 1,
                 **hypers: float) -> None:
        """`parameters`: a dict of arrays; or groups, a list of dicts with "params" (such a dict)
        and hypers of their own. `tags`: texts by parameter, for rules that ask for them. `threads`:
        how many work on a step, the calling one among them; results do not depend on it. Hypers by
        name are for all groups."""
        groups = [{"params": parameters}] if isinstance(parameters, Mapping) else list(parameters)
        self._handle = self._pool = None
        self._names, self._arrays = [], []
        indices = []
        for index, group in enumerate(groups):
            for name, array in group["params"].items():
                array = _checked_array(array, f"parameter {name!r}")
                if not array.flags.writeable:
                    raise ValueError(f"parameter {name!r} is read-only")
                self._names.append(name)
                self._arrays.append(array)
                indices.append(index)
        self._group_count = len(groups)
        self._create(indices, len(groups), tags or {}, threads)
        for name, value in hypers.items():
            self.set_hyper(name, value)
        for index, group in enumerate(groups):
            for name, value in group.items():
                if name != "params":
                    self.set_hyper(name, value, group=index)

    def _create(self, groups, group_count, tags, threads):
        if not 0 <= threads <= _MOST:  # ctypes would take 2^32 + 1 for 1
            raise ValueError(f"there cannot be {threads} threads")
        tensors = (_CTensor * max(1, len(self._arrays)))()
        for tensor, name, array, group in zip(tensors, self._names, self._arrays, groups):
            texts = [_bytes(tag, f"a tag of {name!r},") for tag in tags.get(name, ())]
            tensor.name = _bytes(name, "parameter")
            tensor.shape = (ctypes.c_uint64 * max(1, array.ndim))(*array.shape)
            tensor.rank = array.ndim
            tensor.param = array.ctypes.data
            tensor.tags = (ctypes.c_char_p * max(1, len(texts)))(*texts)
            tensor.tag_count = len(texts)
            tensor.group = group
        spec = _CSpec(interface_version=description["interface"], tensor_count=len(self._arrays),
                      tensors=tensors, group_count=group_count, thread_count=threads)
        if threads > 1:
            self._pool = _pool_create(threads)
            if not self._pool:
                raise MemoryError("there is no memory for threads")
            spec.parallel_for, spec.parallel_context = _pool_run, self._pool
        handle = _POINTER()
        self._c_create(ctypes.byref(spec), ctypes.byref(handle))
        self._handle = handle

    def __repr__(self) -> str:
        elements = sum(array.size for array in self._arrays)
        return (f"<{_NAME}.{type(self).__name__}: {len(self._arrays)} parameters of {elements} "
                f"elements, {self.steps} steps, {self.cpu}>")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            _destroy(self._handle)
        if getattr(self, "_pool", None):
            _pool_destroy(self._pool)
        self._handle = self._pool = None

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is one with its memory and cannot be copied or "
                        "pickled: make another one and load() what this one saves with save()")

    def __copy__(self) -> NoReturn:
        self.__reduce__()

    def __deepcopy__(self, memo: dict) -> NoReturn:
        self.__reduce__()

    def _pointers(self, arrays, what):
        """One pointer a parameter, from a mapping by name or a sequence; None is left out."""
        if isinstance(arrays, Mapping):
            for name in arrays:
                if name not in self._names:
                    raise KeyError(f"there is no parameter {name!r}")
            arrays = [arrays.get(name) for name in self._names]
        if len(arrays) != len(self._names):
            raise ValueError(f"{len(arrays)} arrays were given for {len(self._names)} parameters")
        pointers = (_POINTER * max(1, len(arrays)))()
        for i, array in enumerate(arrays):
            if array is not None:
                shape = self._arrays[i].shape
                pointers[i] = _checked_array(array, f"{what} of {self._names[i]!r}",
                                             shape).ctypes.data
        return pointers

    def _inputs(self, given):
        """The struct of inputs, and what must live as long as it is read."""
        kept = []
        pointers = (_POINTER * max(1, len(self._rule["inputs"])))()
        known = {entry["field"]: i for i, entry in enumerate(self._rule["inputs"])}
        for name, value in given.items():
            if name not in known:
                raise TypeError(f"the rule has no input {name!r}; it has {sorted(known)}")
            rate = self._rule["inputs"][known[name]]["rate"]
            if rate in ("model", "group", "tensor"):
                array = np.ascontiguousarray(value, dtype=np.float64)
                count = {"model": 1, "group": self._group_count, "tensor": len(self._names)}[rate]
                if array.size != count:
                    raise ValueError(f"input {name!r} has {array.size} numbers; there is one a "
                                     f"{rate}, and so {count}")
                kept.append(array)
                pointers[known[name]] = array.ctypes.data
            elif rate == "element":
                table = self._pointers(value, f"input {name}")
                kept.append(table)
                pointers[known[name]] = ctypes.addressof(table)
            else:
                raise TypeError(f"input {name!r} is one a {rate}: use the C interface")
        return pointers, kept

    def step(self, gradients: Arrays, regrad: Optional[Callable[[], Arrays]] = None,
             **inputs: Any) -> str:
        """One step. `gradients`: by name, or in the order of the parameters; a parameter without
        one, or with None, is left out. `regrad`: for rules that move the parameters and need
        gradients there; it is called without arguments and gives these. Inputs of the rule by name.
        Returns "completed", "held" (the rule ended the call early) or "skipped" (it left the step
        out). If it raises, the step has not happened."""
        outcome = ctypes.c_int()
        given, kept = self._inputs(inputs)
        while True:
            try:
                table = self._pointers(gradients, "the gradient")
                arguments = [self._handle, table]
                if self._rule["inputs"]:
                    arguments.append(given)
                self._c_step(*arguments, ctypes.byref(outcome))
                if outcome.value != _REGRAD:
                    return _OUTCOMES[outcome.value]
                if regrad is None:
                    raise Error("WAITING", f"{self._rule['name']} needs gradients at the "
                                           "parameters that it has moved: give step a `regrad`")
                gradients = regrad()
            except BaseException:
                _abandon(self._handle)
                raise

    def set_hyper(self, name: str, value: float, group: Optional[int] = None) -> None:
        """Sets a hyper of one group, or of all of them."""
        index = _ALL_GROUPS if group is None else self._group_index(group)
        _set_hyper(self._handle, self._hyper_name(name), index, float(value))

    def hyper(self, name: str, group: int = 0) -> float:
        """The value that was set; of a hyper that the rule computes, the one of the last step."""
        value = ctypes.c_double()
        _get_hyper(self._handle, self._hyper_name(name), self._group_index(group),
                   ctypes.byref(value))
        return value.value

    def _group_index(self, group):
        """ctypes would take -1 for 2^32 - 1."""
        if not 0 <= group < self._group_count:
            raise IndexError(f"there is no group {group}: groups are 0 to {self._group_count - 1}")
        return group

    def _hyper_name(self, name):
        for hyper in self._rule["hypers"]:
            if name in (hyper["field"], hyper["name"]):
                return hyper["name"].encode()
        return _bytes(name, "hyper")

    @property
    def steps(self) -> int:
        """Completed steps."""
        return _steps(self._handle)

    @property
    def calls(self) -> int:
        """Calls of step: those that were held or skipped too."""
        return _calls(self._handle)

    @property
    def cpu(self) -> str:
        """The instruction set that the kernels use, such as "x86-64-v3"."""
        return _cpu(self._handle).decode()

    def states(self) -> dict[tuple[str, Union[str, int, None]], np.ndarray]:
        """The states themselves, not copies: ("m", "w") is that of parameter "w", ("x", None) one
        of the model, ("x", 1) one of group 1."""
        rates = {state["name"]: state["rate"] for state in self._rule["states"]}
        result = {}
        state = _CState()
        while _next_state(self._handle, ctypes.byref(state)):
            if state.kind != 0:
                continue
            name = state.name.decode()
            key = state.tensor.decode() if state.tensor else None
            if rates[name] == "group":
                key = state.group
            result[name, key] = self._state_array(state)
        return result

    def _state_array(self, state):
        kind = np.float32 if state.element_bytes == 4 else np.float64
        shape = tuple(state.shape[i] for i in range(state.rank))
        if state.elements == 0:
            return np.zeros(shape, kind)
        memory = (ctypes.c_byte * (state.elements * state.element_bytes)).from_address(state.data)
        memory.owner = self  # the memory is the optimizer's
        return np.frombuffer(memory, kind).reshape(shape)

    def reset(self) -> None:
        """Back to the moment of creation, except for hypers and parameters."""
        _reset(self._handle)

    def read_view(self, name: str) -> dict[str, np.ndarray]:
        """A view of the parameters by name, as new arrays."""
        arrays = [np.empty_like(array) for array in self._arrays]
        _read_view(self._handle, _bytes(name, "view"), self._pointers(arrays, "the view"))
        return dict(zip(self._names, arrays))

    @contextlib.contextmanager
    def view(self, name: str) -> Iterator[None]:
        """For `with`: the parameters hold the view meanwhile, and then their own values again."""
        memory = np.empty(_swap_bytes(self._handle) // 8 + 1)
        _swap_in(self._handle, _bytes(name, "view"), memory.ctypes.data)
        try:
            yield
        finally:
            _swap_out(self._handle)

    def save(self) -> bytes:
        """All states, in the safetensors format. With the parameters and the hypers, which are
        yours to save, they decide all later steps bit for bit."""
        size = _saved_bytes(self._handle)
        buffer = ctypes.create_string_buffer(size)
        _save(self._handle, buffer, size)
        return buffer.raw

    def load(self, data: bytes) -> None:
        """Takes what an optimizer of the same rule and parameters has saved."""
        _load(self._handle, bytes(data), len(data))


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


def _optimizer_class(rule):
    body = {
        "__doc__": _documentation(rule),
        "__module__": __name__,
        "__signature__": _signature(rule),
        "_rule": rule,
        "_c_create": staticmethod(_checked(rule["prefix"], "create", _POINTER, _POINTER)),
        "_c_step": staticmethod(_checked(rule["prefix"], "step", _POINTER, _POINTER,
                                         *([_POINTER] if rule["inputs"] else []), _POINTER)),
    }
    return type(rule["class"], (Optimizer,), body)


__all__ = ["Arrays", "Error", "Optimizer", "description", "dtype"]
for _rule in description["rules"]:
    globals()[_rule["class"]] = _optimizer_class(_rule)
    __all__.append(_rule["class"])
