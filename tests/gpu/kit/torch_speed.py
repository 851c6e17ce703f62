"""PyTorch's optimizers on memory that a GPU has, for comparison: fused, foreach and compiled. What
torch has no optimizer for (Lion, LAMB) is written with its foreach functions.
"""
from __future__ import annotations

import gc
import math
from typing import Any, Callable, Optional, Sequence

try:
    import torch
except ImportError:
    torch = None

#: For more tensors the compiler takes minutes, and more memory than most have.
MOST_COMPILED = 1000


def why_not() -> Optional[str]:
    """Why torch is not measured; None: it is."""
    if torch is None:
        return "there is no torch"
    if not hasattr(torch.optim, "Adafactor"):
        return f"torch {torch.__version__} is older than 2.5"
    return None if torch.cuda.is_available() else "this torch has no CUDA"


def forget() -> None:
    """Gives torch's memory back."""
    gc.collect()
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.compiler.reset()
        torch.cuda.empty_cache()


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


def _variants(rule: str, params: list[Any], grads: list[Any]) -> dict[str, Callable[[], Any]]:
    if rule in ("adamw", "train"):
        def adamw(**how: bool) -> Any:
            optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **how)
            return _train(params, optimizer) if rule == "train" else optimizer.step
        return {"torch fused": adamw(fused=True), "torch foreach": adamw(foreach=True),
                "torch compiled": torch.compile(adamw(foreach=True))}
    if rule == "adafactor":
        def adafactor() -> Any:
            return torch.optim.Adafactor(params, foreach=True).step
        return {"torch foreach": adafactor(), "torch compiled": torch.compile(adafactor())}
    plain = [param.detach() for param in params]
    if rule == "lion":
        momenta = _zeros(plain)
        return {"torch foreach": lambda: lion(plain, grads, momenta),
                "torch compiled": lambda f=torch.compile(lion): f(plain, grads, momenta)}
    if rule == "lamb":
        m, v = _zeros(plain), _zeros(plain)
        return {"torch foreach": lambda: lamb(plain, grads, m, v),
                "torch compiled": lambda f=torch.compile(lamb): f(plain, grads, m, v)}
    return {}


def works(rule: str, params_at: int, gradients_at: int, starts: Sequence[int], shapes: Sequence[tuple[int, ...]],
          stream: int, device: int) -> dict[str, Callable[[], Any]]:
    """Steps of torch in that stream, by name. One that fails when it is tried (no memory, no compiler) is left out,
    and said."""
    if why_not():
        return {}
    torch.cuda.set_device(device)
    params = [torch.nn.Parameter(tensor) for tensor in _tensors(params_at, starts, shapes)]
    grads = _tensors(gradients_at, starts, shapes)
    for param, grad in zip(params, grads):
        param.grad = grad
    of_stream = torch.cuda.ExternalStream(stream)
    found = {}
    with torch.cuda.stream(of_stream):
        variants = _variants(rule, params, grads)
    for name, variant in variants.items():
        if name == "torch compiled" and len(params) > MOST_COMPILED:
            print(f"        {name} is left out: it takes too long to compile for {len(params)} tensors")
            continue

        def work(variant: Callable[[], Any] = variant) -> None:
            with torch.no_grad(), torch.cuda.stream(of_stream):
                variant()
        try:
            work()
            of_stream.synchronize()
            found[name] = work
        except Exception as error:  # pylint: disable=broad-except  # of a compiler, too
            print(f"        {name} is left out: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    return found
