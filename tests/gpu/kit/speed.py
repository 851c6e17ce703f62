"""How long steps take by the device's events: medians, as a share of the speed of a kernel that only moves bytes, over
the same arrays and in turn, and beside PyTorch's optimizers on the same tensors where there is torch.
"""
from __future__ import annotations

import math
import pathlib
from typing import Any, Sequence

from children import Checks, Task
from cuda import Driver, DriverError
from library import Rule

HERE = pathlib.Path(__file__).resolve().parent
#: Bytes that a step moves for a parameter, where each array is read and written at most once a pass.
BYTES = {"adamw": 28, "lion": 20, "train": 40}


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


def _row(kit: dict[str, Any], name: str, tensors: str, parameters: int, times: dict[str, float], size: int) -> dict[str, Any]:
    """A line of the table. Times are in microseconds, speeds of copies in bytes a microsecond."""
    import speed_works
    copies = {"kernel": 7 * size / times[speed_works.COPY]} if speed_works.COPY in times else {}
    if speed_works.DRIVER_COPY in times:
        copies["driver"] = 2 * size / times[speed_works.DRIVER_COPY]
    moved = parameters * BYTES[name] / copies["kernel"] if name in BYTES and "kernel" in copies else None
    of_rules = {key: value for key, value in times.items() if key not in (speed_works.COPY, speed_works.DRIVER_COPY)}
    return {"rule": kit["rules"][name]["expression"], "tensors": tensors, "parameters": parameters, "times": of_rules,
            "copies": copies, "moved": moved}


def _said(row: dict[str, Any]) -> str:
    """A row in a line. What is held against torch is a step that torch's interface makes, too."""
    times = row["times"]
    said = [f"{key} {value:.1f} us" for key, value in times.items()]
    said += [f"{name} copies {speed / 1000:.0f} GB/s" for name, speed in row["copies"].items()]
    if row["moved"]:
        said += [f"{key} {100 * row['moved'] / time:.1f} % of the kernel's speed" for key, time in times.items()
                 if key.startswith("talweg")]
    others = [value for key, value in times.items() if key.startswith("torch ")]
    if others and "talweg.torch" in times:
        said.append(f"talweg.torch is {min(others) / times['talweg.torch']:.2f} times as fast as torch's best")
    return ", ".join(said)


def _task(kit: dict[str, Any], name: str, tensors: str, shapes: Sequence[tuple[int, ...]], rounds: int, device: int) -> Task:
    parameters = sum(map(math.prod, shapes))
    title = f"speed of {name}, {tensors} tensors, {parameters:.3g} parameters"

    def work(checks: Checks) -> None:
        import speed_works  # torch is imported by whoever measures, and by no other process
        checks.begin(title)
        driver, rule = Driver(device), Rule(HERE / "libraries" / f"{name}.so")
        case = speed_works.Case(title, rule, kit["rules"][name]["expression"], shapes, rounds)
        try:
            times, size = speed_works.measure(checks, driver, case)
        except DriverError as error:
            if error.name != "CUDA_ERROR_OUT_OF_MEMORY":
                raise
            checks.add(title, "skipped", [str(error)])
            return
        if not times:
            checks.add(title, "FAILED", ["nothing of it could be measured"])
        elif not all(times.values()):
            checks.add(title, "skipped", ["events measure no time here"])
        else:
            row = _row(kit, name, tensors, parameters, times, size)
            checks.send({"row": row})
            checks.add(title, "ok", [_said(row)])
    return Task(title, work, [title], is_alone=True)


def _say_torch(checks: Checks) -> None:
    """Which torch is measured, or why none is."""
    import torch_modules
    name = "speed of torch"
    if checks.begin(name):
        why = torch_modules.why_no_cuda()
        checks.add(name, "skipped" if why else "ok", [why or torch_modules.versions()])
    name = "speed of talweg.torch"
    if checks.begin(name):
        why = torch_modules.why_no_talweg()
        checks.add(name, "skipped" if why else "ok", [why] if why else [])


def tasks(kit: dict[str, Any], names: Sequence[str], device: int) -> list[Task]:
    """One for each case of these rules."""
    is_small = kit["sizes"]["large"] < 10 ** 6
    found = [_task(kit, name, tensors, shapes, 2 if is_small else 30, device)
             for name, tensors, shapes in cases(is_small) if name in names]
    torch = Task("speed of torch", _say_torch, ["speed of torch", "speed of talweg.torch"], is_alone=True)
    return [torch, *found] if found else []


def markdown(rows: Sequence[dict[str, Any]], device: dict[str, Any]) -> str:
    """The table for docs/gpu.md."""
    if not rows:
        return "Nothing was measured.\n"
    columns = list(dict.fromkeys(name for row in rows for name in row["times"]))
    lines = [f"{device['name']}, driver for CUDA {device['driver_cuda']}. Medians in microseconds; `moved` is what the kernel "
             "that only moves bytes, over the same arrays, takes for as many as the step.", "",
             "| rule | tensors | parameters | copies, GB/s: kernel, driver | moved | " + " | ".join(columns) + " |",
             "|---|---|---|---|---|" + "---|" * len(columns)]
    for row in rows:
        times = [f"{row['times'][name]:.1f}" if name in row["times"] else "" for name in columns]
        copies = ", ".join(f"{speed / 1000:.0f}" for speed in row["copies"].values())
        moved = f"{row['moved']:.1f}" if row["moved"] else ""
        rule = row["rule"].replace("|", "\\|")
        cells = [f"`{rule}`", row["tensors"], f"{row['parameters']:.3g}", copies, moved, *times]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
