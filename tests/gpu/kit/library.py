"""Rules of generated libraries through ctypes, on the processor and on a GPU: declarations of the
kit's own, by the table of functions that every rule has (NAME_rule() of its library).
"""
from __future__ import annotations

import ctypes
import pathlib
from typing import Any, Iterator, NamedTuple, Optional, Sequence

POINTER, U32, U64, DOUBLE = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_double
INTERFACE, ALL_GROUPS = 1, 0xFFFFFFFF
COMPLETED, HELD, SKIPPED, REGRAD = range(4)
RATES = (None, "model", "group", "tensor", "matrix", "row", "col", "element")


class CError(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class CTensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(U64)), ("strides", POINTER), ("tags", POINTER),
                ("storage", POINTER), ("param", POINTER), ("rank", U32), ("tag_count", U32), ("group", U32),
                ("device", U32), ("split", U32), ("split_at", U32), ("split_to", U32)]


class CSpec(ctypes.Structure):
    _fields_ = [("interface_version", U32), ("tensor_count", U32), ("tensors", ctypes.POINTER(CTensor)),
                ("group_count", U32), ("thread_count", U32), ("parallel_for", POINTER), ("parallel_context", POINTER)]


class CCuda(ctypes.Structure):
    _fields_ = [("context", POINTER), ("stream", POINTER), ("state_memory", POINTER)]


class CState(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("tensor", ctypes.c_char_p), ("data", POINTER),
                ("shape", ctypes.POINTER(U64)), ("elements", U64), ("rank", U32), ("group", U32),
                ("element_bytes", U32), ("kind", U32), ("place", U32 * 3), ("on_device", U32), ("lines", U64 * 2)]


class CHyper(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("about", ctypes.c_char_p), ("default", DOUBLE), ("low", DOUBLE),
                ("high", DOUBLE), ("low_closed", U32), ("high_closed", U32), ("kind", U32), ("rate", ctypes.c_int)]


class CPart(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("about", ctypes.c_char_p), ("rate", ctypes.c_int), ("element_bytes", U32)]


class CTable(ctypes.Structure):
    _fields_ = [("interface_version", U32), ("element_bytes", U32), ("name", ctypes.c_char_p),
                ("description", ctypes.c_char_p), ("functions", ctypes.POINTER(POINTER)), ("code", POINTER)]


_INT, _ERROR, _TABLE, _OUT = ctypes.c_int, ctypes.POINTER(CError), ctypes.POINTER(CTable), ctypes.POINTER(POINTER)

#: The table of functions (struct talweg_functions of talweg.h), in its order: name, result, arguments.
FUNCTIONS: tuple[tuple[Any, ...], ...] = (
    ("measure", _INT, _TABLE, POINTER, POINTER, _ERROR),
    ("create", _INT, _TABLE, POINTER, _OUT, _ERROR),
    ("create_in", _INT, _TABLE, POINTER, POINTER, POINTER, _OUT, _ERROR),
    ("destroy", None, POINTER),
    ("reset", _INT, POINTER, _ERROR),
    ("step", _INT, POINTER, POINTER, POINTER, POINTER, _ERROR),
    ("is_waiting", _INT, POINTER),
    ("abandon", None, POINTER),
    ("set_hyper", _INT, POINTER, ctypes.c_char_p, U32, DOUBLE, _ERROR),
    ("get_hyper", _INT, POINTER, ctypes.c_char_p, U32, ctypes.POINTER(DOUBLE), _ERROR),
    ("steps", U64, POINTER),
    ("calls", U64, POINTER),
    ("read_view", _INT, POINTER, ctypes.c_char_p, POINTER, _ERROR),
    ("swap_in", _INT, POINTER, ctypes.c_char_p, POINTER, _ERROR),
    ("swap_bytes", U64, POINTER),
    ("swap_out", _INT, POINTER, _ERROR),
    ("next_state", _INT, POINTER, ctypes.POINTER(CState)),
    ("find_state", _INT, POINTER, ctypes.c_char_p, U32, ctypes.POINTER(CState), _ERROR),
    ("saved_bytes", U64, POINTER),
    ("save", _INT, POINTER, POINTER, U64, _ERROR),
    ("load", _INT, POINTER, POINTER, U64, _ERROR),
    ("cpu", ctypes.c_char_p, POINTER),
    ("status_text", ctypes.c_char_p, _INT),
    ("rule_hyper", _INT, _TABLE, U32, ctypes.POINTER(CHyper)),
    ("rule_state", _INT, _TABLE, U32, ctypes.POINTER(CPart)),
    ("rule_input", _INT, _TABLE, U32, ctypes.POINTER(CPart)),
    ("rule_view", _INT, _TABLE, U32, ctypes.POINTER(CPart)),
    ("release", None, _TABLE),
    ("cuda_create", _INT, _TABLE, POINTER, POINTER, _OUT, _ERROR),
    ("cuda_set_stream", _INT, POINTER, POINTER, _ERROR),
    ("cuda_send_hypers", _INT, POINTER, _ERROR),
    ("cuda_set_scaling", _INT, POINTER, POINTER, POINTER, _ERROR),
    ("cuda_wait", _INT, POINTER, ctypes.POINTER(_INT), _ERROR),
    ("cuda_set_input", _INT, POINTER, ctypes.c_char_p, POINTER, U32, _ERROR),
)


class LibraryError(Exception):
    """What a library refused; `status` is its code by name."""

    def __init__(self, function: str, status: str, message: str) -> None:
        super().__init__(f"{function}: {status}: {message}")
        self.status = status


class Hyper(NamedTuple):
    name: str
    default: float
    low: float
    high: float
    kind: int  #: 0: a number, 1: an integer, 2: 0 or 1
    rate: str


class Part(NamedTuple):
    name: str
    rate: str


class State(NamedTuple):
    name: str
    tensor: Optional[str]
    group: int
    address: int
    size: int
    element_bytes: int
    on_device: bool


class Rule:
    """The rule of a library that has one, called as the file is: NAME.so."""

    def __init__(self, path: pathlib.Path) -> None:
        get = getattr(ctypes.CDLL(str(path.resolve())), f"{path.stem}_rule")
        get.restype, get.argtypes = _TABLE, []
        self.name, self.table = path.stem, get()
        pointers = self.table.contents.functions
        self.functions = {name: ctypes.CFUNCTYPE(result, *arguments)(pointers[i])
                          for i, (name, result, *arguments) in enumerate(FUNCTIONS)}
        self.element_bytes: int = self.table.contents.element_bytes
        self.hypers = [Hyper(e.name.decode(), e.default, e.low, e.high, e.kind, str(RATES[e.rate]))
                       for e in self._each("rule_hyper", CHyper)]
        self.inputs = [Part(e.name.decode(), str(RATES[e.rate])) for e in self._each("rule_input", CPart)]
        self.views = [e.name.decode() for e in self._each("rule_view", CPart)]

    def _each(self, function: str, kind: Any) -> Iterator[Any]:
        for index in range(1000):
            entry = kind()
            if not self.functions[function](self.table, index, entry):
                return
            yield entry

    def call(self, name: str, *arguments: Any) -> None:
        """A function that takes an error in the end; what it refuses is an exception."""
        error = CError()
        status = self.functions[name](*arguments, error)
        if status != 0:
            raise LibraryError(name, self.functions["status_text"](status).decode(), error.message.decode(errors="replace"))


class Tensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    address: int
    group: int


class Optimizer:
    """One optimizer, on the processor, or with `stream` (0: the default stream) on the GPU."""

    def __init__(self, rule: Rule, tensors: Sequence[Tensor], groups: int, stream: Optional[int] = None) -> None:
        self.rule, self.is_on_gpu = rule, stream is not None
        self.handle = POINTER()
        entries = (CTensor * max(1, len(tensors)))()
        for entry, tensor in zip(entries, tensors):
            entry.name, entry.param = tensor.name.encode(), tensor.address
            entry.shape, entry.rank = (U64 * max(1, len(tensor.shape)))(*tensor.shape), len(tensor.shape)
            entry.group = tensor.group
        spec = CSpec(interface_version=INTERFACE, tensor_count=len(tensors), tensors=entries, group_count=groups,
                     thread_count=1)
        if stream is None:
            rule.call("create", rule.table, ctypes.byref(spec), self.handle)
        else:
            rule.call("cuda_create", rule.table, ctypes.byref(spec), ctypes.byref(CCuda(stream=stream)), self.handle)

    def destroy(self) -> None:
        self.rule.functions["destroy"](self.handle)
        self.handle = POINTER()

    def call(self, name: str, *arguments: Any) -> None:
        self.rule.call(name, self.handle, *arguments)

    def tell(self, name: str) -> Any:
        return self.rule.functions[name](self.handle)

    def step(self, gradients: Any, inputs: Any = None) -> int:
        outcome = ctypes.c_int()
        self.call("step", gradients, inputs, ctypes.byref(outcome))
        return outcome.value

    def outcome(self, of_step: int) -> int:
        """How the step really ended, of which `of_step` was said: on a GPU it is waited for."""
        if not self.is_on_gpu or of_step == REGRAD:
            return of_step
        outcome = ctypes.c_int()
        self.call("cuda_wait", outcome)
        return outcome.value

    def set_hyper(self, name: str, value: float, group: int = ALL_GROUPS) -> None:
        self.call("set_hyper", name.encode(), group, value)

    def states(self) -> Iterator[State]:
        state = CState()
        while self.rule.functions["next_state"](self.handle, state):
            yield State(("", "counter ", "begun ")[state.kind] + state.name.decode(),
                        state.tensor.decode() if state.tensor else None, state.group, state.data or 0,
                        state.elements * state.element_bytes, state.element_bytes, bool(state.on_device))

    def save(self) -> bytes:
        size = self.tell("saved_bytes")
        buffer = ctypes.create_string_buffer(size)
        self.call("save", buffer, size)
        return buffer.raw

    def load(self, data: bytes) -> None:
        self.call("load", data, len(data))
