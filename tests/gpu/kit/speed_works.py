"""Timed work: a rule's steps, copies and torch's optimizers over the same memory, in turn."""
from __future__ import annotations

import contextlib
import ctypes
import itertools
import math
import statistics
from typing import Any, Callable, Iterator, NamedTuple, Sequence

import torch_speed
from children import Checks, describe
from cuda import Driver, Graph, Timer
from library import Optimizer, Rule, Tensor
from model import numbers

COPY, DRIVER_COPY = "copy", "driver's copy"
Work = Callable[[], Any]

#: Reads four arrays and writes three of them, as AdamW does.
MOVE = b"""
.version 7.0
.target sm_80
.address_size 64
.visible .entry move(.param .u64 p, .param .u64 g, .param .u64 m, .param .u64 v, .param .u64 n)
{
  .reg .pred %done;
  .reg .b32 %r<4>;
  .reg .b64 %a<10>;
  .reg .f32 %p<4>, %g<4>, %m<4>, %v<4>;
  ld.param.u64 %a0, [p];
  ld.param.u64 %a1, [g];
  ld.param.u64 %a2, [m];
  ld.param.u64 %a3, [v];
  ld.param.u64 %a4, [n];
  mov.u32 %r0, %ctaid.x;
  mov.u32 %r1, %ntid.x;
  mov.u32 %r2, %tid.x;
  mad.wide.u32 %a5, %r0, %r1, 0;
  cvt.u64.u32 %a6, %r2;
  add.s64 %a5, %a5, %a6;
  setp.ge.u64 %done, %a5, %a4;
  @%done bra END;
  shl.b64 %a5, %a5, 4;
  add.s64 %a6, %a0, %a5;
  add.s64 %a7, %a1, %a5;
  add.s64 %a8, %a2, %a5;
  add.s64 %a9, %a3, %a5;
  ld.global.v4.f32 {%p0, %p1, %p2, %p3}, [%a6];
  ld.global.v4.f32 {%g0, %g1, %g2, %g3}, [%a7];
  ld.global.v4.f32 {%m0, %m1, %m2, %m3}, [%a8];
  ld.global.v4.f32 {%v0, %v1, %v2, %v3}, [%a9];
  st.global.v4.f32 [%a6], {%g0, %g1, %g2, %g3};
  st.global.v4.f32 [%a8], {%v0, %v1, %v2, %v3};
  st.global.v4.f32 [%a9], {%p0, %m1, %p2, %m3};
END:
  ret;
}
"""


class Memory:
    """Device memory that is freed together."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._owned = driver, []

    def allocate(self, size: int, stream: int) -> int:
        """Filled with numbers."""
        address = self._driver.allocate(size)
        self._owned.append(address)
        done = min(size, 1 << 22)
        self._driver.write(address, numbers(0, done // 4, 4), stream)
        while done < size:
            more = min(done, size - done)
            self._driver.call("cuMemcpyDtoDAsync_v2", address + done, address, more, stream)
            done += more
        self._driver.synchronize(stream)
        return address

    def close(self) -> None:
        for address in self._owned:
            self._driver.free(address)


class Case(NamedTuple):
    """What is timed."""

    title: str
    rule: Rule
    expression: str
    shapes: Sequence[tuple[int, ...]]
    rounds: int


class Bench:
    """Arrays of a case, and the works on them. A work is made when it is tried; a failure of one leaves the others."""

    def __init__(self, driver: Driver, case: Case, keep: contextlib.ExitStack) -> None:
        self.driver, self.case, self._keep = driver, case, keep
        self.stream = driver.stream()
        memory = Memory(driver)
        keep.callback(memory.close)
        counts = [math.prod(shape) for shape in case.shapes]
        self.starts = [0, *itertools.accumulate(-(-count // 64) * 64 for count in counts[:-1])]
        self.count = -(-(self.starts[-1] + counts[-1]) // 4) * 4  #: elements of an array
        self.arrays = [memory.allocate(4 * self.count, self.stream) for _ in range(4)]

    def copy(self) -> Work:
        """The kernel that moves as AdamW does."""
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.driver.call("cuModuleLoadDataEx", module, MOVE, 0, None, None)
        self._keep.callback(self.driver.call, "cuModuleUnload", module)
        self.driver.call("cuModuleGetFunction", function, module, b"move")
        threads = self.count // 4
        values = [ctypes.c_uint64(value) for value in (*self.arrays, threads)]
        pointers = (ctypes.c_void_p * 5)(*[ctypes.addressof(value) for value in values])
        self._keep.callback(values.clear)  # they live as long
        return lambda: self.driver.call("cuLaunchKernel", function, (threads + 255) // 256, 1, 1, 256, 1, 1, 0, self.stream,
                                        pointers, None)

    def driver_copy(self) -> Work:
        return lambda: self.driver.call("cuMemcpyDtoDAsync_v2", self.arrays[2], self.arrays[3], 4 * self.count, self.stream)

    def _optimizer(self) -> Work:
        tensors = [Tensor(f"t{i}", shape, self.arrays[0] + 4 * start, 0)
                   for i, (shape, start) in enumerate(zip(self.case.shapes, self.starts))]
        optimizer = Optimizer(self.case.rule, tensors, 1, self.stream)
        self._keep.callback(optimizer.destroy)
        pointers = (ctypes.c_void_p * len(tensors))(*[self.arrays[1] + 4 * start for start in self.starts])
        return lambda: optimizer.step(pointers)

    def graph(self) -> Work:
        step = self._optimizer()
        for _ in range(2):  # see features.check_graph
            step()
        graph = Graph(self.driver, self.stream, step)
        self._keep.callback(graph.close)
        return graph.replay

    def makers(self) -> dict[str, Callable[[], Work]]:
        """All works by name."""
        case = self.case
        return {COPY: self.copy, DRIVER_COPY: self.driver_copy, "talweg, C": self._optimizer, "talweg, C, graph": self.graph,
                **torch_speed.makers(case.rule.name, case.expression, self.arrays[0], self.arrays[1], self.starts, case.shapes)}

    def is_well(self) -> bool:
        """Whether the device goes on after a failure."""
        try:
            self.driver.synchronize(self.stream)
            self.driver.free(self.driver.allocate(256))
        except Exception:  # pylint: disable=broad-except
            return False
        return True


def _blame(short: str) -> str:
    """The result of a work that ends its process, or does not end."""
    return "skipped" if short.startswith("torch ") else "FAILED"


def _failed(checks: Checks, name: str, error: Exception) -> None:
    """What torch's own optimizers cannot do, and what there is no memory for, is only left out."""
    is_theirs = ": torch " in name or "MEMORY" in str(error) or "out of memory" in str(error)
    checks.add(name, "skipped" if is_theirs else "FAILED", describe(error))


def _tried(checks: Checks, bench: Bench) -> Iterator[tuple[str, Work]]:
    """The works that do their work, three times."""
    for short, make in bench.makers().items():
        name = f"{bench.case.title}: {short}"
        if not checks.begin(name, blame=_blame(short)):
            continue
        try:
            work = make()
            for _ in range(3):
                work()
            bench.driver.synchronize(bench.stream)
            yield short, work
        except Exception as error:  # pylint: disable=broad-except  # of a compiler, too
            _failed(checks, name, error)
            if not bench.is_well():
                checks.end()


def measure(checks: Checks, driver: Driver, case: Case) -> tuple[dict[str, float], int]:
    """Medians in microseconds, of works done in turn so that all have the same clocks; bytes of an array."""
    with contextlib.ExitStack() as keep:
        bench = Bench(driver, case, keep)
        keep.enter_context(torch_speed.contexts(bench.stream, driver.device))
        works = dict(_tried(checks, bench))
        timer = Timer(driver)
        keep.callback(timer.close)
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(case.rounds):
            for name in list(works):
                checks.begin(f"{case.title}: {name}", blame=_blame(name))
                try:
                    times[name].append(1000 * timer.measure(bench.stream, works[name]))
                except Exception as error:  # pylint: disable=broad-except
                    _failed(checks, f"{case.title}: {name}", error)
                    checks.end()
                    del works[name], times[name]
        return {name: statistics.median(values) for name, values in times.items()}, 4 * bench.count
