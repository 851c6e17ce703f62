"""Rules and their optimizers as C has them, for Python: addresses in, codes out as exceptions.

Written once for two users: the module that `talweg build` writes beside a library holds the text
below the mark, and the package talweg has this file. It goes by the table of functions that every
rule has (talweg/talweg.h), so it serves a generated library and libtalweg alike.
"""
from __future__ import annotations

import ctypes
import json
import operator
from typing import Any, Callable, Iterator, NamedTuple, Optional, Sequence

# BEGIN
_POINTER = ctypes.c_void_p
_U32, _U64, _DOUBLE = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_double
_MOST = 0xFFFFFFFF
_ALL_GROUPS = _MOST
_INTERFACE = 1
#: How a step ended, by number.
OUTCOMES = ("completed", "held", "skipped", "regrad")
_REGRAD = 3
_RATES = (None, "model", "group", "tensor", "matrix", "row", "col", "element")


class Error(Exception):
    """What talweg refused, and why. `status` is its code by name, such as "OUT_OF_RANGE"."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, str(self))


class _CError(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class _CTensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(_U64)), ("strides", _POINTER),
                ("tags", ctypes.POINTER(ctypes.c_char_p)), ("storage", _POINTER),
                ("param", _POINTER), ("rank", _U32), ("tag_count", _U32), ("group", _U32),
                ("device", _U32), ("split", _U32), ("split_at", _U32), ("split_to", _U32)]


class _CSpec(ctypes.Structure):
    _fields_ = [("interface_version", _U32), ("tensor_count", _U32),
                ("tensors", ctypes.POINTER(_CTensor)), ("group_count", _U32),
                ("thread_count", _U32), ("parallel_for", _POINTER), ("parallel_context", _POINTER)]


class _CSizes(ctypes.Structure):
    _fields_ = [("control_bytes", _U64), ("control_alignment", _U64), ("state_bytes", _U64),
                ("state_alignment", _U64)]


class _CState(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("tensor", ctypes.c_char_p), ("data", _POINTER),
                ("shape", ctypes.POINTER(_U64)), ("elements", _U64), ("rank", _U32),
                ("group", _U32), ("element_bytes", _U32), ("kind", _U32), ("place", _U32 * 3),
                ("on_device", _U32), ("lines", _U64 * 2)]


class _CHyper(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("about", ctypes.c_char_p), ("default", _DOUBLE),
                ("low", _DOUBLE), ("high", _DOUBLE), ("low_closed", _U32), ("high_closed", _U32),
                ("kind", _U32), ("rate", ctypes.c_int)]


class _CPart(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("about", ctypes.c_char_p), ("rate", ctypes.c_int),
                ("element_bytes", _U32)]


class _CTable(ctypes.Structure):
    _fields_ = [("interface_version", _U32), ("element_bytes", _U32), ("name", ctypes.c_char_p),
                ("description", ctypes.c_char_p), ("functions", ctypes.POINTER(_POINTER)),
                ("code", _POINTER)]


_STATUS = ctypes.c_int
_ERROR = ctypes.POINTER(_CError)
_TABLE = ctypes.POINTER(_CTable)

#: The table of functions, in its order: name, result, arguments.
_TABLE_FUNCTIONS: tuple[tuple[Any, ...], ...] = (
    ("measure", _STATUS, _TABLE, _POINTER, ctypes.POINTER(_CSizes), _ERROR),
    ("create", _STATUS, _TABLE, _POINTER, ctypes.POINTER(_POINTER), _ERROR),
    ("create_in", _STATUS, _TABLE, _POINTER, _POINTER, _POINTER, ctypes.POINTER(_POINTER), _ERROR),
    ("destroy", None, _POINTER),
    ("reset", _STATUS, _POINTER, _ERROR),
    ("step", _STATUS, _POINTER, _POINTER, _POINTER, _POINTER, _ERROR),
    ("is_waiting", ctypes.c_int, _POINTER),
    ("abandon", None, _POINTER),
    ("set_hyper", _STATUS, _POINTER, ctypes.c_char_p, _U32, _DOUBLE, _ERROR),
    ("get_hyper", _STATUS, _POINTER, ctypes.c_char_p, _U32, ctypes.POINTER(_DOUBLE), _ERROR),
    ("steps", _U64, _POINTER),
    ("calls", _U64, _POINTER),
    ("read_view", _STATUS, _POINTER, ctypes.c_char_p, _POINTER, _ERROR),
    ("swap_in", _STATUS, _POINTER, ctypes.c_char_p, _POINTER, _ERROR),
    ("swap_bytes", _U64, _POINTER),
    ("swap_out", _STATUS, _POINTER, _ERROR),
    ("next_state", ctypes.c_int, _POINTER, ctypes.POINTER(_CState)),
    ("find_state", _STATUS, _POINTER, ctypes.c_char_p, _U32, ctypes.POINTER(_CState), _ERROR),
    ("saved_bytes", _U64, _POINTER),
    ("save", _STATUS, _POINTER, _POINTER, _U64, _ERROR),
    ("load", _STATUS, _POINTER, _POINTER, _U64, _ERROR),
    ("cpu", ctypes.c_char_p, _POINTER),
    ("status_text", ctypes.c_char_p, ctypes.c_int),
    ("rule_hyper", ctypes.c_int, _TABLE, _U32, ctypes.POINTER(_CHyper)),
    ("rule_state", ctypes.c_int, _TABLE, _U32, ctypes.POINTER(_CPart)),
    ("rule_input", ctypes.c_int, _TABLE, _U32, ctypes.POINTER(_CPart)),
    ("rule_view", ctypes.c_int, _TABLE, _U32, ctypes.POINTER(_CPart)),
    ("release", None, _TABLE),
)


class Hyper(NamedTuple):
    """A hyper that may be set. `default` is None where it is computed from others until set;
    `kind` is "number", "int" or "bool", `rate` "model" or "group"."""

    name: str
    about: str
    default: Optional[float]
    low: float
    high: float
    low_closed: bool
    high_closed: bool
    kind: str
    rate: str


class Part(NamedTuple):
    """A state, an input or a view. `rate` says how often there is one: "element", "model", ..."""

    name: str
    about: str
    rate: str
    element_bytes: int


class State(NamedTuple):
    """Where a state is. `kind` is "value", "counter" ("t" and "calls") or "begun" (1.0 or 0.0:
    whether the state has its initial value yet). `tensor` is None for one of a group or the
    model. `on_device`: the address is one of a GPU's memory."""

    name: str
    tensor: Optional[str]
    group: int
    kind: str
    address: int
    shape: tuple[int, ...]
    element_bytes: int
    on_device: bool


class Tensor(NamedTuple):
    """A parameter: contiguous elements at an address. `split` says which dimensions are rows and
    columns for rules that ask (_SPLITS), or is a dimension, or a pair of them. `owner` keeps the
    memory alive, where the caller does not."""

    name: str
    shape: tuple[int, ...]
    address: int
    tags: Sequence[str] = ()
    group: int = 0
    split: Any = None
    owner: Any = None


_SPLITS = {None: 0, "first_rest": 1, "last_two": 2, "two_largest": 3}


def _bytes(text: str, what: str) -> bytes:
    """C would read a name only up to a NUL, and take it for another one."""
    if "\0" in text:
        raise ValueError(f"{what} {text!r} has a NUL in it")
    return text.encode()


def _places(split: Any) -> tuple[int, ...]:
    """The dimensions that a split names by number."""
    try:
        return (operator.index(split),)
    except TypeError:
        return tuple(operator.index(place) for place in split)


def _aligned(address: int, alignment: int) -> int:
    return (address + alignment - 1) // alignment * alignment


class Pool:
    """Threads that sleep between steps; `threads` counts the one that calls."""

    def __init__(self, library: ctypes.CDLL, prefix: str, threads: int) -> None:
        self._users, self._is_dropped, self.handle = 0, False, None
        create = getattr(library, f"{prefix}_pool_create")
        create.restype, create.argtypes = _POINTER, [_U32]
        self._destroy = getattr(library, f"{prefix}_pool_destroy")
        self._destroy.restype, self._destroy.argtypes = None, [_POINTER]
        self.run = ctypes.cast(getattr(library, f"{prefix}_pool_run"), _POINTER)
        self.threads = threads
        self.handle = create(threads)
        if not self.handle:
            raise MemoryError(f"there is no memory for {threads} threads")

    def add_user(self, count: int) -> None:
        """Python may end a pool before its engines, where they are garbage of one cycle; the pool
        then lasts until these have ended."""
        self._users += count
        self._end_if_unused()

    def __del__(self) -> None:
        self._is_dropped = True
        self._end_if_unused()

    def _end_if_unused(self) -> None:
        if self._is_dropped and self._users == 0 and self.handle:
            self._destroy(self.handle)
            self.handle = None


class Table:
    """A compiled rule by its table of functions. `library` and `prefix` are where its pool of
    threads comes from. `owned`: the table is to be released with this object."""

    def __init__(self, library: ctypes.CDLL, prefix: str, pointer: Any,
                 owned: bool = False) -> None:
        self._functions: dict[str, Any] = {}
        self._pointer: Any = None
        pointers = pointer.contents.functions
        self._functions = {
            name: ctypes.CFUNCTYPE(result, *arguments)(pointers[i])
            for i, (name, result, *arguments) in enumerate(_TABLE_FUNCTIONS)}
        self._pointer, self._owned = pointer, owned
        self._library, self._prefix = library, prefix
        table = pointer.contents
        self.name: str = table.name.decode()
        self.element_bytes: int = table.element_bytes
        self.hypers = tuple(map(self._hyper, self._each("rule_hyper", _CHyper)))
        self.states = tuple(map(self._part, self._each("rule_state", _CPart)))
        self.inputs = tuple(map(self._part, self._each("rule_input", _CPart)))
        self.views = tuple(map(self._part, self._each("rule_view", _CPart)))
        self._interface = min(_INTERFACE, table.interface_version)

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) and self._owned:
            self._functions["release"](self._pointer)
        self._pointer = None

    def _each(self, function: str, kind: Any) -> Iterator[Any]:
        for index in range(_MOST):
            entry = kind()
            if not self._functions[function](self._pointer, index, entry):
                return
            yield entry

    @staticmethod
    def _hyper(entry: _CHyper) -> Hyper:
        kind = ("number", "int", "bool")[entry.kind]
        default = None if entry.default != entry.default else entry.default
        return Hyper(entry.name.decode(), entry.about.decode(), default, entry.low, entry.high,
                     bool(entry.low_closed), bool(entry.high_closed), kind, str(_RATES[entry.rate]))

    @staticmethod
    def _part(entry: _CPart) -> Part:
        return Part(entry.name.decode(), entry.about.decode(), str(_RATES[entry.rate]),
                    entry.element_bytes)

    def description(self) -> dict[str, Any]:
        """What the library says of its rules: documentation, hypers, states, inputs, views."""
        described: dict[str, Any] = json.loads(self._pointer.contents.description.decode())
        return described

    def pool(self, threads: int) -> Optional[Pool]:
        """Threads for optimizers of this rule, or None for one thread."""
        threads = operator.index(threads)
        if not 0 <= threads <= _MOST:
            raise ValueError(f"there cannot be {threads} threads")
        if threads > 1024:
            raise Error("BAD_ARGUMENT", "an optimizer has from 1 to 1024 threads")
        return Pool(self._library, self._prefix, threads) if threads > 1 else None

    def call(self, name: str, *arguments: Any) -> None:
        """A function of the table that ends with an error, which becomes an exception."""
        error = _CError()
        if self._functions[name](*arguments, error) != 0:
            self.refuse(error)

    def refuse(self, error: _CError) -> None:
        raise Error(self._functions["status_text"](error.status).decode(),
                    error.message.decode(errors="replace"))

    def tell(self, name: str, *arguments: Any) -> Any:
        """A function of the table that cannot fail."""
        return self._functions[name](*arguments)


#: Gives memory for states: takes bytes and alignment, returns an address and what keeps it alive.
Allocate = Callable[[int, int], "tuple[int, Any]"]


class Engine:
    """One optimizer over memory at fixed addresses, which must outlive it. One thread at a time."""

    def __init__(self, table: Table, tensors: Sequence[Tensor], groups: int = 1,
                 pool: Optional[Pool] = None, allocate: Optional[Allocate] = None) -> None:
        """`groups`: how many sets of hypers there are. `allocate`: where states shall be; in memory
        of the library if it is None."""
        self._handle: Any = None
        self.table, self.groups, self.tensors = table, groups, tuple(tensors)
        self._pool = pool
        self._memory: Any = None
        self._swapped: Any = None
        spec, self._spec_parts = self._spec()
        handle = _POINTER()
        self._create(spec, handle, allocate)
        self._spec_parts, self._handle = None, handle
        if pool:
            pool.add_user(1)
        self._outcome, self._error = ctypes.c_int(), _CError()
        self._c_step = table._functions["step"]
        self._step_tail = ctypes.byref(self._outcome), ctypes.byref(self._error)

    def _create(self, spec: _CSpec, handle: Any, allocate: Optional[Allocate]) -> None:
        if allocate is None:
            self.table.call("create", self.table._pointer, ctypes.byref(spec), ctypes.byref(handle))
            return
        sizes = _CSizes()
        self.table.call("measure", self.table._pointer, ctypes.byref(spec), sizes)
        control = ctypes.create_string_buffer(sizes.control_bytes + sizes.control_alignment)
        address, owner = allocate(sizes.state_bytes, sizes.state_alignment)
        self._memory = control, owner
        self.table.call("create_in", self.table._pointer, ctypes.byref(spec),
                        _aligned(ctypes.addressof(control), sizes.control_alignment), address,
                        ctypes.byref(handle))

    def _spec(self) -> tuple[_CSpec, Any]:
        tensors = (_CTensor * max(1, len(self.tensors)))()
        for entry, tensor in zip(tensors, self.tensors):
            texts = [_bytes(tag, f"a tag of {tensor.name!r},") for tag in tensor.tags]
            entry.name = _bytes(tensor.name, "parameter")
            entry.shape = (_U64 * max(1, len(tensor.shape)))(*tensor.shape)
            entry.rank = len(tensor.shape)
            entry.param = tensor.address
            entry.tags = (ctypes.c_char_p * max(1, len(texts)))(*texts)
            entry.tag_count = len(texts)
            entry.group = tensor.group
            self._set_split(entry, tensor)
        spec = _CSpec(interface_version=self.table._interface, tensor_count=len(self.tensors),
                      tensors=tensors, group_count=self.groups, thread_count=1)
        if self._pool:
            spec.thread_count = self._pool.threads
            spec.parallel_for, spec.parallel_context = self._pool.run, self._pool.handle
        return spec, tensors

    @staticmethod
    def _set_split(entry: _CTensor, tensor: Tensor) -> None:
        split = tensor.split
        if split is None or isinstance(split, str):
            if split not in _SPLITS:
                names = ", ".join(f'"{name}"' for name in _SPLITS if name)
                raise ValueError(f"the split of {tensor.name!r} is {split!r}; it may be a "
                                 f"dimension, a pair of them, or one of {names}")
            entry.split = _SPLITS[split]
            return
        rank = len(tensor.shape)
        places = _places(split)
        if not 1 <= len(places) <= 2 or not all(0 <= place < rank for place in places):
            raise ValueError(f"the split of {tensor.name!r} is {split!r}; "
                             f"it has dimensions 0 to {rank - 1}")
        entry.split = 3 + len(places)
        entry.split_at = places[0]
        entry.split_to = places[-1]

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.table.tell("destroy", self._handle)
            self._handle = None
            if self._pool:
                self._pool.add_user(-1)

    def step(self, gradients: Any, inputs: Any = None) -> int:
        """One call. `gradients`: a ctypes array of pointers, or its address, one a tensor; `inputs`
        likewise, one an input of the rule. Returns the number of an outcome."""
        if self._c_step(self._handle, gradients, inputs, *self._step_tail) != 0:
            self.table.refuse(self._error)
        return self._outcome.value

    def abandon(self) -> None:
        """Gives up a step that waits for another gradient."""
        self.table.tell("abandon", self._handle)

    @property
    def is_waiting(self) -> bool:
        return bool(self.table.tell("is_waiting", self._handle))

    def set_hyper(self, name: str, value: float, group: Optional[int] = None) -> None:
        """Sets a hyper of one group, or of all of them."""
        try:
            if isinstance(value, (str, bytes)):  # float() would read it
                raise TypeError
            number = float(value)
        except TypeError:
            raise TypeError(f"hyper {name!r} is {value!r}, which is no number") from None
        index = _ALL_GROUPS if group is None else self._group_index(group)
        self.table.call("set_hyper", self._handle, _bytes(name, "hyper"), index, number)

    def hyper(self, name: str, group: int = 0) -> float:
        """The value that was set; of a hyper that the rule computes, the one of the last step."""
        value = _DOUBLE()
        self.table.call("get_hyper", self._handle, _bytes(name, "hyper"), self._group_index(group),
                        ctypes.byref(value))
        return value.value

    def _group_index(self, group: int) -> int:
        """ctypes would take -1 for 2^32 - 1."""
        if not 0 <= group < self.groups:
            raise IndexError(f"there is no group {group}: groups are 0 to {self.groups - 1}")
        return group

    @property
    def steps(self) -> int:
        """Completed steps."""
        return int(self.table.tell("steps", self._handle))

    @property
    def calls(self) -> int:
        """Calls of step: those that were held or skipped too."""
        return int(self.table.tell("calls", self._handle))

    @property
    def cpu(self) -> str:
        """The instruction set that the kernels use, such as "x86-64-v3"."""
        return str(self.table.tell("cpu", self._handle).decode())

    def states(self) -> Iterator[State]:
        """Where all states are. There are none while a step waits for another gradient."""
        state = _CState()
        while self.table.tell("next_state", self._handle, ctypes.byref(state)):
            tensor = state.tensor.decode() if state.tensor else None
            yield State(state.name.decode(), tensor, state.group,
                        ("value", "counter", "begun")[state.kind], state.data or 0,
                        tuple(state.shape[:state.rank]), state.element_bytes, bool(state.on_device))

    def reset(self) -> None:
        """Back to the moment of creation, except for hypers and parameters."""
        self.table.call("reset", self._handle)

    def read_view(self, name: str, destinations: Any) -> None:
        """Computes a view into a ctypes array of pointers, one a tensor."""
        self.table.call("read_view", self._handle, _bytes(name, "view"), destinations)

    def swap_in(self, name: str) -> None:
        """Puts a view in place of all parameters, which are kept until swap_out."""
        address, memory = self._room(self.table.tell("swap_bytes", self._handle))
        before = self._swapped
        self._swapped = before, memory  # first: an interrupt may come right after the call
        try:
            self.table.call("swap_in", self._handle, _bytes(name, "view"), address)
        except Error:
            self._swapped = before
            raise
        except BaseException:  # where one is in already, another never gets in
            if before is None:
                self.put_back()
            raise

    def _room(self, size: int) -> tuple[int, Any]:
        memory = ctypes.create_string_buffer(size + 64)
        return _aligned(ctypes.addressof(memory), 64), memory

    def put_back(self) -> None:
        """Puts the parameters back if a view is in their place."""
        try:
            self.swap_out()
        except Error:
            self._swapped = None

    def swap_out(self) -> None:
        """Puts the parameters back."""
        self.table.call("swap_out", self._handle)
        self._swapped = None

    def save(self) -> bytes:
        """All states, in the safetensors format. With the parameters and the hypers, which are
        yours to save, they decide all later steps bit for bit."""
        size = self.table.tell("saved_bytes", self._handle)
        buffer = ctypes.create_string_buffer(size)
        self.table.call("save", self._handle, buffer, size)
        return buffer.raw

    def load(self, data: bytes) -> None:
        """Takes what an optimizer of the same rule and tensors has saved."""
        copy = bytes(memoryview(data))  # which takes no number for a length
        self.table.call("load", self._handle, copy, len(copy))
