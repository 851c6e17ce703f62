"""Optimizers for PyTorch: any rule of talweg as a torch.optim.Optimizer.

    optimizer = talweg.torch.Optimizer(model.parameters(), "ClipByGlobalNorm(1) | AdamW", lr=3e-4)
    optimizer = talweg.torch.AdamW(model.parameters(), lr=3e-4)     # as torch.optim.AdamW
    optimizer = talweg.torch.Lion(model.parameters(), lr=1e-4)      # any rule of the library"""
from __future__ import annotations

from .. import _stdlib
from .classes import LIKE, by_name
from .optimizer import Optimizer

__all__ = ["Optimizer", *LIKE]


def __getattr__(name: str) -> type[Optimizer]:
    """Classes are made when they are first asked for, and kept."""
    if name.startswith("_"):
        raise AttributeError(name)
    made = by_name(name)
    globals()[name] = made
    return made


def __dir__() -> list[str]:
    return sorted({*__all__, *_stdlib.by_name()})
