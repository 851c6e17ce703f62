"""Hooks before and after a step, and the profiler's record of it: only where somebody wants them,
for torch's own wrapper takes longer than all else that a step does in Python."""
from __future__ import annotations

from typing import Any, Callable

import torch
from torch.optim import optimizer as _module

#: For all optimizers; torch 1.13 has neither these nor those of one optimizer.
_before = getattr(_module, "_global_optimizer_pre_hooks", {})
_after = getattr(_module, "_global_optimizer_post_hooks", {})
_profiler_runs: Any = getattr(torch.autograd, "_profiler_enabled")


def are_wanted(optimizer: torch.optim.Optimizer) -> bool:
    own = optimizer.__dict__
    return bool(_before or _after or own.get("_optimizer_step_pre_hooks") or own.get("_optimizer_step_post_hooks")
                or _profiler_runs())


def run(optimizer: torch.optim.Optimizer, step: Callable[..., Any], *arguments: Any) -> Any:
    """As torch's wrapper does it."""
    own = optimizer.__dict__
    given: tuple[Any, ...] = (optimizer, *arguments)
    named: dict[str, Any] = {}
    with torch.autograd.profiler.record_function(f"Optimizer.step#{type(optimizer).__name__}.step"):
        for hook in (*_before.values(), *own.get("_optimizer_step_pre_hooks", {}).values()):
            changed = hook(optimizer, given, named)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(f"a hook before step must return None or a tuple of (new_args, new_kwargs), but got "
                                       f"{changed}.")
                given, named = changed
        result = step(*given, **named)
        optimizer._optimizer_step_code()
        for hook in (*own.get("_optimizer_step_post_hooks", {}).values(), *_after.values()):
            hook(optimizer, given, named)
    return result
