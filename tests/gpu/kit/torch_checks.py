"""talweg.torch on CUDA tensors against CPU tensors, where torch and talweg can be imported."""
from __future__ import annotations

import os
import pathlib
import sys
from typing import Any, Sequence

#: The package talweg and libtalweg, where the kit has them.
PACKAGE = pathlib.Path(__file__).resolve().parent / "python"
RULES = ("AdamW", "SGD(momentum = 0.9)", "Adafactor", "ClipByGlobalNorm(1) | AdamW | Ema")


def _train(torch: Any, talweg_torch: Any, rule: str, device: str) -> Sequence[Any]:
    """Parameters after a few steps of numbers that do not depend on the device."""
    generator = torch.Generator().manual_seed(3)
    params = [torch.nn.Parameter(torch.randn(*shape, generator=generator).to(device)) for shape in ((33, 65), (129,), (1,))]
    optimizer = talweg_torch.Optimizer(params, rule=rule)
    for _ in range(4):
        for param in params:
            param.grad = torch.randn(*param.shape, generator=generator).to(device)
        optimizer.step()
    return [param.detach().cpu() for param in params]


def check_all(report: Any) -> None:
    """One check a rule; skipped, and said so, without torch, talweg or CUDA in torch."""
    if PACKAGE.exists():
        sys.path.insert(0, str(PACKAGE))
        os.environ.setdefault("TALWEG_LIBRARY", str(PACKAGE / "libtalweg.so"))
        os.environ.setdefault("TALWEG_STDLIB", str(PACKAGE / "stdlib"))
    try:
        import torch
        import talweg.torch as talweg_torch
    except (ImportError, OSError) as error:
        report.add("torch", "skipped", [str(error)])
        return
    if not torch.cuda.is_available():
        report.add("torch", "skipped", ["this torch has no CUDA"])
        return
    for rule in RULES:
        def check(rule: str = rule) -> list[str]:
            cpu, gpu = (_train(torch, talweg_torch, rule, device) for device in ("cpu", "cuda"))
            return [f"parameter {i} differs" for i, (a, b) in enumerate(zip(cpu, gpu)) if not torch.equal(a, b)]
        report.check(f"torch: {rule}", check)
