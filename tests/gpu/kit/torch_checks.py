"""talweg.torch on CUDA tensors against the same on CPU tensors, where torch and talweg can be imported."""
from __future__ import annotations

import importlib
from typing import Any, Callable, Optional, Sequence

import torch_modules
from children import Checks, Task

RULES = ("AdamW", "SGD(momentum = 0.9)", "Adafactor", "ClipByGlobalNorm(1) | AdamW | Ema")
#: By name: functions of torch_features.
FEATURES = ("graph", "graph_sent", "scaler", "streams", "moved_stream", "state_dict", "deepcopy", "evaluation", "sam",
            "set_to_none", "thread", "moved_module")
#: The same of torch_alone.
ALONE = ("sam_graph", "loss", "loss_graph", "unsynchronized")


def _task(name: str, check: Callable[[Any], Sequence[str]], device: int) -> Task:
    def work(checks: Checks) -> None:
        if not checks.begin(name):
            return
        if why := torch_modules.why_no_talweg():
            checks.add(name, "skipped", [why])
            return
        torch = torch_modules.torch()
        torch.cuda.set_device(device)
        checks.check(name, lambda: check(torch.device("cuda", device)))
    return Task(name, work, [name])


def _train(rule: str) -> Callable[[Any], Sequence[str]]:
    def check(device: Any) -> Sequence[str]:
        from torch_features import Twins
        twins = Twins(device, rule)
        for _ in range(4):
            twins.step()
        return twins.differences("after four steps")
    return check


def _feature(name: str) -> Callable[[Any], Sequence[str]]:
    def check(device: Any) -> Sequence[str]:
        # It imports torch: in a child, where there is one.
        module = importlib.import_module("torch_alone" if name in ALONE else "torch_features")
        made: Optional[Sequence[str]] = getattr(module, f"check_{name}")(device)
        assert made is not None
        return made
    return check


def tasks(device: int) -> list[Task]:
    """Each check is a task of its own; skipped, and said so, without torch, talweg or CUDA in torch."""
    return [_task(f"torch: {rule}", _train(rule), device) for rule in RULES] + \
           [_task(f"torch.{name}", _feature(name), device) for name in (*FEATURES, *ALONE)]
