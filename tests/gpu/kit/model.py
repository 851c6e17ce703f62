"""A training run of one rule, in memory of the processor or of a GPU: tensors, gradients and inputs
from a fixed sequence of numbers, and all that the run leaves, as bytes.
"""
from __future__ import annotations

import array
import ctypes
import functools
import hashlib
import itertools
import math
from typing import Any, Dict, Iterable, NamedTuple, Optional, Sequence

from cuda import Driver
from library import ALL_GROUPS, REGRAD, LibraryError, Optimizer, Rule, Tensor

#: How many numbers there are before they begin again: a prime, so that no two chunks of a tensor are alike.
PERIOD = 32749
_MASK = (1 << 64) - 1


def _number(index: int) -> float:
    """Most are in (-1, 1); some are larger, small, too small for a normal float32, or 0."""
    z = (index * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & _MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
    z ^= z >> 31
    fraction = ((z >> 40) - 8388608.0) / 8388608.0  # of 24 bits: a float32
    scale = {0: 0.0, 1: 8.0, 2: 2.0 ** -20, 3: 2.0 ** -130}
    return fraction * scale.get(z & 31, 1.0)


@functools.lru_cache(maxsize=None)
def _period(element_bytes: int, scale: float) -> bytes:
    code = "f" if element_bytes == 4 else "d"
    plain = array.array(code, map(_number, range(PERIOD)))
    return array.array(code, [value * scale for value in plain]).tobytes()


def numbers(start: int, count: int, element_bytes: int, scale: float = 1.0) -> bytearray:
    """`count` numbers of the sequence from place `start`, times `scale`."""
    block, first = _period(element_bytes, scale), start % PERIOD * element_bytes
    size = count * element_bytes
    data = bytearray(block[first:first + size])
    data += block * ((size - len(data)) // len(block) + 1)
    del data[size:]
    return data


class Values(NamedTuple):
    """Numbers that a run has left."""

    data: bytearray
    element_bytes: int

    def canonical(self) -> bytes:
        """The bytes, where every NaN is the same one: a rule does not say which it is."""
        values = array.array("f" if self.element_bytes == 4 else "d", bytes(self.data))
        total = sum(values)
        if total == total:  # so there is no NaN among them
            return bytes(self.data)
        return array.array(values.typecode, [value if value == value else math.nan for value in values]).tobytes()


Results = Dict[str, Values]


class Host:
    """Memory of the processor."""

    is_gpu = False

    def __init__(self) -> None:
        self._owned: dict[int, Any] = {}

    def allocate(self, size: int) -> int:
        buffer = ctypes.create_string_buffer(size + 256)
        address = (ctypes.addressof(buffer) + 255) // 256 * 256
        self._owned[address] = buffer
        return address

    def free(self, address: int) -> None:
        del self._owned[address]

    @staticmethod
    def write(address: int, data: bytearray) -> None:
        if data:
            ctypes.memmove(address, (ctypes.c_char * len(data)).from_buffer(data), len(data))

    @staticmethod
    def read(address: int, size: int) -> bytearray:
        return bytearray(ctypes.string_at(address, size))

    @staticmethod
    def copy(to: int, source: int, size: int) -> None:
        ctypes.memmove(to, source, size)

    def optimizer(self, rule: Rule, tensors: Sequence[Tensor], groups: int) -> Optimizer:
        return Optimizer(rule, tensors, groups)


class Gpu:
    """Memory of a GPU, and a stream of it."""

    is_gpu = True

    def __init__(self, driver: Driver) -> None:
        self.driver, self.stream = driver, driver.stream()

    def allocate(self, size: int) -> int:
        return self.driver.allocate(size)

    def free(self, address: int) -> None:
        self.driver.free(address)

    def write(self, address: int, data: bytearray) -> None:
        self.driver.write(address, data, self.stream)

    def read(self, address: int, size: int) -> bytearray:
        return self.driver.read(address, size, self.stream)

    def copy(self, to: int, source: int, size: int) -> None:
        """Put into the stream."""
        self.driver.call("cuMemcpyDtoDAsync_v2", to, source, size, self.stream)

    def optimizer(self, rule: Rule, tensors: Sequence[Tensor], groups: int) -> Optimizer:
        return Optimizer(rule, tensors, groups, self.stream)

    def close(self) -> None:
        self.driver.end_stream(self.stream)


class Model:
    """Tensors of the given shapes, and a rule's optimizer for them.

    `offset`: by how many elements their addresses miss an alignment of 256 bytes. Tensor i is of
    group i % groups.
    """

    def __init__(self, place: Any, rule: Rule, shapes: Sequence[Sequence[int]], groups: int = 1, offset: int = 0) -> None:
        self.place, self.rule, self.groups, self.calls = place, rule, groups, 0
        self.shapes, self.counts = shapes, [math.prod(shape) for shape in shapes]
        self._starts, end = [], offset
        for count in self.counts:
            self._starts.append(end)
            end += count
            end += 0 if len(shapes) > 100 else -end % (256 // rule.element_bytes) + offset
        self._size = end
        self._arenas: dict[str, int] = {}
        self.optimizer: Optional[Optimizer] = None
        for name in ["param", "gradient"] + [part.name for part in rule.inputs if part.rate == "element"]:
            self._arenas[name] = place.allocate(self.bytes(end))
        self._fill("param", 0)
        addresses = self._addresses("param")
        tensors = [Tensor(f"t{i}", tuple(shape), address, i % groups)
                   for i, (shape, address) in enumerate(zip(shapes, addresses))]
        self.optimizer = place.optimizer(rule, tensors, groups)

    def bytes(self, elements: int) -> int:
        return elements * self.rule.element_bytes

    def _addresses(self, name: str) -> list[int]:
        return [self._arenas[name] + self.bytes(start) for start in self._starts]

    def wait(self) -> None:
        """For steps, in whatever stream they are."""
        if self.optimizer and self.place.is_gpu:
            self.optimizer.call("cuda_wait", None)

    def _fill(self, name: str, start: int, scale: float = 1.0) -> None:
        self.wait()
        self.place.write(self._arenas[name], numbers(start, self._size, self.rule.element_bytes, scale))

    def write_gradients(self, seed: int, scale: float = 1.0) -> None:
        """New ones; `scale`: times this number, a power of two."""
        self._fill("gradient", 7919 * seed, scale)

    def copy_params_to_gradients(self) -> None:
        """On a GPU in the order of the stream."""
        self.place.copy(self._arenas["gradient"], self._arenas["param"], self.bytes(self._size))

    def param_address(self, tensor: int) -> int:
        return self._addresses("param")[tensor]

    def gradients(self, without: Iterable[int] = ()) -> Any:
        """Pointers to the gradients; `without`: of these tensors there is none."""
        addresses: list[Optional[int]] = list(self._addresses("gradient"))
        for tensor in without:
            addresses[tensor] = None
        return (ctypes.c_void_p * max(1, len(addresses)))(*addresses)

    def _inputs(self, seed: int) -> Any:
        if not self.rule.inputs:
            return None
        pointers = (ctypes.c_void_p * len(self.rule.inputs))()
        self._kept = []
        for i, part in enumerate(self.rule.inputs):
            if part.rate == "model":
                value: Any = ctypes.c_double(1.5 - 0.125 * (seed % 8))
            elif part.rate == "element":
                self._fill(part.name, 104729 + 7907 * seed + i)
                addresses = self._addresses(part.name)
                value = (ctypes.c_void_p * len(addresses))(*addresses)
            else:
                raise NotImplementedError(f"input {part.name} of rate {part.rate}")
            self._kept.append(value)
            pointers[i] = ctypes.addressof(value)
        return pointers

    def step(self, without: Iterable[int] = (), is_given: bool = True) -> int:
        """A step with new gradients, as often as the rule asks for them. How it ended. `is_given`: with its inputs."""
        self.calls += 1
        inputs = self._inputs(self.calls) if is_given else None
        for again in range(10):
            self.write_gradients(self.calls + 1000 * again)
            outcome = self.optimizer.step(self.gradients(without), None if again else inputs)
            if outcome != REGRAD:
                return self.optimizer.outcome(outcome)
        raise LibraryError("step", "REGRAD", "ten times")

    def set_hypers(self) -> None:
        """Another value for the first number of each rate that there is, within its range."""
        seen = set()
        for hyper in self.rule.hypers:
            if hyper.kind != 0 or hyper.rate in seen or not hyper.default > 0:
                continue
            seen.add(hyper.rate)
            value = hyper.default * 0.75
            if hyper.low < value < hyper.high:
                try:
                    self.optimizer.set_hyper(hyper.name, value, self.groups - 1 if hyper.rate == "group" else ALL_GROUPS)
                except LibraryError as error:
                    if error.status != "BOUND":
                        raise

    def _values(self, arena: str, what: str) -> Results:
        data, size = self.place.read(self._arenas[arena], self.bytes(self._size)), self.rule.element_bytes
        return {f"{what} of t{i}": Values(data[self.bytes(start):self.bytes(start + count)], size)
                for i, (start, count) in enumerate(zip(self._starts, self.counts))}

    def results(self) -> Results:
        """Parameters and states."""
        self.wait()
        found = self._values("param", "param")
        for state in self.optimizer.states():
            of = state.tensor if state.tensor else f"group {state.group}"
            read = self.place.read if state.on_device else Host.read
            data = read(state.address, state.size) if state.size else bytearray()
            found[f"{state.name} of {of}"] = Values(data, state.element_bytes)
        return found

    def view(self, name: str) -> Results:
        """What the view is, and what parameters are with it swapped in."""
        self._fill("gradient", 0)
        self.optimizer.call("read_view", name.encode(), self.gradients())
        found = self._values("gradient", f"view {name}")
        memory = self.place.allocate(self.optimizer.tell("swap_bytes"))
        self.optimizer.call("swap_in", name.encode(), memory)
        found.update(self._values("param", f"swapped {name}"))
        self.optimizer.call("swap_out")
        self.place.free(memory)
        return found

    def close(self) -> None:
        self.optimizer.destroy()
        for address in self._arenas.values():
            self.place.free(address)


def digest(results: Results) -> dict[str, str]:
    """A digest for each kind of result, over all tensors: a few words however many there are."""
    hashes: dict[str, Any] = {}
    for name, values in results.items():
        kind = name.rsplit(" of ", 1)[0]
        hashes.setdefault(kind, hashlib.blake2b(digest_size=12)).update(name.encode() + b"\0" + values.canonical())
    return {kind: made.hexdigest() for kind, made in hashes.items()}


def first_difference(name: str, ours: Values, theirs: Values) -> str:
    """Where two results differ first, and how often; empty where they do not."""
    if len(ours.data) != len(theirs.data):
        return f"{name}: {len(ours.data)} bytes, and {len(theirs.data)} on the CPU"
    codes = "fI" if ours.element_bytes == 4 else "dQ"
    left, right = (array.array(codes[1], values.canonical()) for values in (ours, theirs))
    places = [i for i, (a, b) in enumerate(zip(left, right)) if a != b]
    if not places:
        return ""
    first = places[0]
    a, b = (array.array(codes[0], values.canonical())[first] for values in (ours, theirs))
    return (f"{name}[{first}] is {a!r}, on the CPU {b!r}; {len(places)} of {len(left)} elements differ, "
            f"the last is number {places[-1]}")


def differences(ours: Results, theirs: Results, most: int = 3) -> list[str]:
    """The first differences between what a GPU has left and what the CPU has."""
    if list(ours) != list(theirs):
        return [f"there are {len(ours)} results, and {len(theirs)} on the CPU"]
    found = (first_difference(name, values, theirs[name]) for name, values in ours.items() if values != theirs[name])
    return list(itertools.islice(filter(None, found), most))
