"""How long steps take by the device's events: medians, as a share of what a kernel that only moves
as many bytes takes, and beside PyTorch's optimizers on the same tensors where there is torch.
"""
from __future__ import annotations

import ctypes
import itertools
import math
import pathlib
import re
import statistics
from typing import Any, Callable, NamedTuple, Optional, Sequence

import torch_speed
from cuda import Driver, DriverError, Graph, Timer
from library import LibraryError, Optimizer, Rule, Tensor
from model import numbers

HERE = pathlib.Path(__file__).resolve().parent
#: Bytes that a step moves for a parameter, where each array is read and written at most once a pass.
BYTES = {"adamw": 28, "lion": 20, "train": 40}

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


class Row(NamedTuple):
    """A line of the table; times in microseconds."""

    rule: str
    tensors: str
    parameters: int
    times: dict[str, float]
    copy: Optional[float]  #: what moving as many bytes takes, if that is known


def gpt2_shapes(width: int, layers: int, vocabulary: int, context: int) -> list[tuple[int, ...]]:
    """GPT-2's tensors: 148 for 12 layers."""
    layer = [(width,), (width,), (width, 3 * width), (3 * width,), (width, width), (width,), (width,), (width,),
             (width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    return [(vocabulary, width), (context, width)] + layer * layers + [(width,), (width,)]


def cases(is_small: bool) -> list[tuple[str, str, list[tuple[int, ...]]]]:
    """Rule, what the tensors are called, their shapes."""
    sizes = [3000] if is_small else [10 ** 6, 10 ** 7, 10 ** 8, 10 ** 9]
    models = [("GPT-2 small, 148", gpt2_shapes(4, 2, 11, 8) if is_small else gpt2_shapes(768, 12, 50257, 1024)),
              ("10,000 of 1,000", [(10,)] * 20 if is_small else [(1000,)] * 10000)]
    matrices = [(30, 40)] if is_small else [(10000, 10000)]
    found = [("adamw", "1", [(size,)]) for size in sizes]
    found += [(rule, name, shapes) for rule in ("adamw", "train", "lamb", "lion", "adafactor") for name, shapes in models]
    return found + [(rule, "1", matrices) for rule in ("train", "lamb", "lion", "adafactor")]


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


def medians(driver: Driver, stream: int, works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Microseconds of each, done in turn so that all have the same clocks."""
    timer = Timer(driver)
    for _ in range(3):
        for work in works.values():
            work()
    driver.synchronize(stream)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(1000 * timer.measure(stream, work))
    timer.close()
    return {name: statistics.median(values) for name, values in times.items()}


def copy_speed(driver: Driver, stream: int, parameters: int, rounds: int) -> dict[str, float]:
    """Bytes a microsecond of the kernel that moves as AdamW does, and of the driver's copy."""
    memory, module, function = Memory(driver), ctypes.c_void_p(), ctypes.c_void_p()
    count = parameters // 4
    arrays = [ctypes.c_uint64(memory.allocate(16 * count, stream)) for _ in range(4)]
    driver.call("cuModuleLoadDataEx", module, MOVE, 0, None, None)
    driver.call("cuModuleGetFunction", function, module, b"move")
    values = [*arrays, ctypes.c_uint64(count)]
    pointers = (ctypes.c_void_p * 5)(*[ctypes.addressof(value) for value in values])
    works = {
        "kernel": lambda: driver.call("cuLaunchKernel", function, (count + 255) // 256, 1, 1, 256, 1, 1, 0, stream,
                                      pointers, None),
        "driver": lambda: driver.call("cuMemcpyDtoDAsync_v2", arrays[0].value, arrays[1].value, 16 * count, stream)}
    times = medians(driver, stream, works, rounds)
    driver.call("cuModuleUnload", module)
    memory.close()
    if not all(times.values()):
        return {}
    return {"kernel": 112 * count / times["kernel"], "driver": 32 * count / times["driver"]}


def measure(driver: Driver, stream: int, rule: Rule, shapes: Sequence[tuple[int, ...]], rounds: int) -> dict[str, float]:
    """Times of a rule's steps, as calls and as a graph, and of torch's."""
    memory = Memory(driver)
    counts = [math.prod(shape) for shape in shapes]
    starts = [0, *itertools.accumulate(-(-count // 64) * 64 for count in counts[:-1])]
    size = 4 * (starts[-1] + counts[-1])
    torch_works: dict[str, Callable[[], Any]] = {}
    optimizer = graph = None
    try:
        params, gradients = (memory.allocate(size, stream) for _ in range(2))
        tensors = [Tensor(f"t{i}", shape, params + 4 * start, 0) for i, (shape, start) in enumerate(zip(shapes, starts))]
        optimizer = Optimizer(rule, tensors, 1, stream)
        pointers = (ctypes.c_void_p * len(starts))(*[gradients + 4 * start for start in starts])
        for _ in range(2):  # see features.check_graph
            optimizer.step(pointers)
        graph = Graph(driver, stream, lambda: optimizer.step(pointers))
        works = {"talweg": lambda: optimizer.step(pointers), "talweg, graph": graph.replay}
        torch_works = torch_speed.works(rule.name, params, gradients, starts, shapes, stream, driver.device)
        return medians(driver, stream, {**works, **torch_works}, rounds)
    finally:
        torch_works.clear()
        torch_speed.forget()
        if graph:
            graph.close()
        if optimizer:
            optimizer.destroy()
        memory.close()


def measure_all(report: Any, driver: Driver, kit: dict[str, Any], only: str) -> dict[str, Any]:
    """All cases, a line each; what copies reach."""
    is_small = kit["sizes"]["large"] < 10 ** 6
    rounds, stream = (2, driver.stream()) if is_small else (30, driver.stream())
    copy = copy_speed(driver, stream, 3000 if is_small else 10 ** 8, rounds)
    if not copy:
        report.add("speed", "skipped", ["events measure no time here"])
        driver.end_stream(stream)
        return {}
    print("        copies: " + ", ".join(f"{name} {speed / 1000:.0f} GB/s" for name, speed in copy.items()))
    if why := torch_speed.why_not():
        report.add("speed of torch", "skipped", [why])
    rows, rules = [], {}
    for name, tensors, shapes in cases(is_small):
        if name not in kit["rules"] or not re.fullmatch(only, name):
            continue
        rule = rules.setdefault(name, Rule(HERE / "libraries" / f"{name}.so"))
        parameters = sum(map(math.prod, shapes))
        title = f"speed of {name}, {tensors} tensors, {parameters:.3g} parameters"
        try:
            times = measure(driver, stream, rule, shapes, rounds)
        except (DriverError, LibraryError) as error:
            is_memory = "MEMORY" in str(error)
            report.add(title, "skipped" if is_memory else "FAILED", [str(error)])
            continue
        moved = parameters * BYTES[name] / copy["kernel"] if name in BYTES else None
        rows.append(Row(kit["rules"][name]["expression"], tensors, parameters, times, moved))
        share = [f"{100 * moved / times['talweg']:.1f} % of a copy's speed"] if moved else []
        others = [value for key, value in times.items() if key.startswith("torch")]
        share += [f"{min(others) / times['talweg']:.2f} times as fast as torch's best"] if others else []
        report.add(title, "ok", [", ".join([f"{key} {value:.1f} us" for key, value in times.items()] + share)])
    driver.end_stream(stream)
    return {"copy_bytes_a_microsecond": copy, "rows": [row._asdict() for row in rows]}


def markdown(table: dict[str, Any], device: dict[str, Any]) -> str:
    """The table for docs/gpu.md."""
    if not table:
        return "Nothing was measured.\n"
    columns = list(dict.fromkeys(name for row in table["rows"] for name in row["times"]))
    copies = ", ".join(f"{name} {speed / 1000:.0f} GB/s" for name, speed in table["copy_bytes_a_microsecond"].items())
    lines = [f"{device['name']}, driver for CUDA {device['driver_cuda']}; copies: {copies}. Medians in microseconds.", "",
             "| rule | tensors | parameters | copy | " + " | ".join(columns) + " |", "|---|---|---|---|" + "---|" * len(columns)]
    for row in table["rows"]:
        times = [f"{row['times'][name]:.1f}" if name in row["times"] else "" for name in columns]
        copy = f"{row['copy']:.1f}" if row["copy"] else ""
        lines.append(f"| `{row['rule']}` | {row['tensors']} | {row['parameters']:.3g} | {copy} | " + " | ".join(times) + " |")
    return "\n".join(lines).replace("`ClipByGlobalNorm(1) | AdamW | Ema`", "`ClipByGlobalNorm(1) \\| AdamW \\| Ema`") + "\n"
