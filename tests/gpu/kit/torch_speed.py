"""PyTorch's optimizers on memory that a GPU has, for comparison: fused, foreach and compiled; and talweg.torch on the same
Parameters. What torch has no optimizer for (Lion, LAMB) is written with its foreach functions.
"""
from __future__ import annotations

import contextlib
import math
from typing import Any, Callable, Iterator, Sequence

import torch_modules

if torch_modules.why_no_cuda() is None:
    torch = torch_modules.torch()

#: For more tensors the compiler takes minutes, and more memory than most have.
MOST_COMPILED = 1000
Work = Callable[[], Any]


@contextlib.contextmanager
def contexts(stream: int, device: int) -> Iterator[None]:
    """All works are made and timed in these: they are entered once, not in every step."""
    if torch_modules.why_no_cuda():
        yield
        return
    torch.cuda.set_device(device)
    with torch.no_grad(), torch.cuda.stream(torch.cuda.ExternalStream(stream)):
        yield


class _Array:
    """Device memory that is not torch's, as torch.as_tensor takes it."""

    def __init__(self, address: int, count: int) -> None:
        self.__cuda_array_interface__ = {"shape": (count,), "typestr": "<f4", "data": (address, False), "version": 3}


def _tensors(address: int, starts: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Views of memory; torch must be on its device already, or it would copy."""
    whole = torch.as_tensor(_Array(address, starts[-1] + math.prod(shapes[-1])), device="cuda")
    if whole.data_ptr() != address:
        raise RuntimeError("torch has copied what it was to look at")
    return [whole[start:start + math.prod(shape)].view(shape) for start, shape in zip(starts, shapes)]


def lion(params: list[Any], grads: list[Any], momenta: list[Any]) -> None:
    """Lion with the hypers of its paper."""
    updates = torch._foreach_lerp(grads, momenta, 0.9)
    torch._foreach_sign_(updates)
    torch._foreach_mul_(params, 1 - 1e-4 * 0.01)
    torch._foreach_add_(params, updates, alpha=-1e-4)
    torch._foreach_lerp_(momenta, grads, 0.01)


def lamb(params: list[Any], grads: list[Any], m: list[Any], v: list[Any]) -> None:
    """LAMB, without the corrections of its averages, which cost nothing."""
    torch._foreach_lerp_(m, grads, 0.1)
    torch._foreach_mul_(v, 0.999)
    torch._foreach_addcmul_(v, grads, grads, 0.001)
    below = torch._foreach_sqrt(v)
    torch._foreach_add_(below, 1e-6)
    updates = torch._foreach_div(m, below)
    torch._foreach_add_(updates, params, alpha=0.01)
    ratios = torch._foreach_div(torch._foreach_norm(params), torch._foreach_norm(updates))
    torch._foreach_mul_(ratios, 1e-3)
    torch._foreach_mul_(updates, ratios)
    torch._foreach_sub_(params, updates)


def _zeros(params: list[Any]) -> list[Any]:
    return [torch.zeros_like(param) for param in params]


def _train(params: list[Any], optimizer: Any) -> Callable[[], None]:
    averages = [param.detach().clone() for param in params]
    plain = [param.detach() for param in params]

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        torch._foreach_lerp_(averages, plain, 0.001)
    return step


def _variants(rule: str, params: list[Any], grads: list[Any]) -> dict[str, Callable[[], Work]]:
    """What makes torch's works, by name."""
    plain = [param.detach() for param in params]
    if rule in ("adamw", "train"):
        def adamw(**how: bool) -> Any:
            optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **how)
            return _train(params, optimizer) if rule == "train" else optimizer.step
        return {"torch fused": lambda: adamw(fused=True), "torch foreach": lambda: adamw(foreach=True),
                "torch compiled": lambda: torch.compile(adamw(foreach=True))}
    if rule == "adafactor":
        def adafactor() -> Any:
            return torch.optim.Adafactor(params, foreach=True).step  # of torch 2.5
        return {"torch foreach": adafactor, "torch compiled": lambda: torch.compile(adafactor())}

    def written(function: Any, states: int) -> Work:
        kept = [_zeros(plain) for _ in range(states)]
        return lambda: function(plain, grads, *kept)
    functions = {"lion": (lion, 1), "lamb": (lamb, 2)}
    if rule not in functions:
        return {}
    function, states = functions[rule]
    return {"torch foreach": lambda: written(function, states),
            "torch compiled": lambda: written(torch.compile(function), states)}


def makers(rule: str, expression: str, params_at: int, gradients_at: int, starts: Sequence[int],
           shapes: Sequence[tuple[int, ...]]) -> dict[str, Callable[[], Work]]:
    """What makes the works of talweg.torch and of torch, by name. They are for `contexts`."""
    if torch_modules.why_no_cuda():
        return {}
    params = [torch.nn.Parameter(tensor) for tensor in _tensors(params_at, starts, shapes)]
    grads = _tensors(gradients_at, starts, shapes)
    for param, grad in zip(params, grads):
        param.grad = grad
    found: dict[str, Callable[[], Work]] = {}
    if not torch_modules.why_no_talweg():
        found["talweg.torch"] = lambda: torch_modules.talweg_torch().Optimizer(params, rule=expression).step
    found.update(_variants(rule, params, grads))
    if len(params) > MOST_COMPILED:
        found.pop("torch compiled", None)  # it would take too long
    return found
