"""What talweg takes of torch's tensors: which kinds, how their memory lies, and what autograd is told."""
from __future__ import annotations

import operator
from typing import Any, Callable, Iterable, Optional, Sequence

import torch

from . import devices

address_of = torch.Tensor.data_ptr
gradient_of = operator.attrgetter("grad")
shape_of = operator.attrgetter("shape")
dtype_of = operator.attrgetter("dtype")
device_of = operator.attrgetter("device")
is_contiguous = torch.Tensor.is_contiguous
is_negated = torch.Tensor.is_neg

#: The types that there are rules for, by the names that rules have for them.
DTYPES = {torch.float32: "float32", torch.float64: "float64"}
BYTES = {4: torch.float32, 8: torch.float64}


def describe(tensor: Any, name: Optional[str], group: int, index: int) -> str:
    """A parameter in messages: its name where it is known, else its place and shape."""
    if name is not None:
        return f"parameter {name!r}"
    said = f"parameter {index} of group {group}"
    if not isinstance(tensor, torch.Tensor) or torch.nn.parameter.is_lazy(tensor):
        return said
    return f"{said}, of shape {tuple(tensor.shape)},"


def check_parameter(tensor: Any, said: str) -> None:
    """Refuses what no rule serves. `said` is the parameter in messages."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{said} is no tensor but {torch.typename(tensor)}")
    if torch.nn.parameter.is_lazy(tensor):
        raise ValueError(f"{said} has no shape yet: call the module once before making its optimizer")
    if not tensor.is_leaf and not getattr(tensor, "retains_grad", False):
        raise ValueError(f"can't optimize a non-leaf Tensor: {said} is computed from others")
    check_kind(tensor, said)


def check_kind(tensor: torch.Tensor, said: str) -> None:
    """What can also change after creation, by `module.to()` or by setting `.data`."""
    if tensor.layout != torch.strided:
        raise TypeError(f"{said} is sparse ({tensor.layout}): only dense tensors are served")
    if not devices.is_served(tensor):
        raise TypeError(f"{said} is on {tensor.device}: only tensors on the CPU and on NVIDIA's GPUs are served")
    if tensor.dtype not in DTYPES:
        raise TypeError(f"{said} is {tensor.dtype}: only torch.float32 and torch.float64 are served")
    if tensor.is_neg():
        raise TypeError(f"{said} is a negated view of other memory: clone it")


def memory_shape(tensor: torch.Tensor) -> Optional[tuple[int, ...]]:
    """The sizes in the order in which memory has them; None where elements overlap or leave gaps."""
    if tensor.is_contiguous() or tensor.numel() == 0:
        return tuple(tensor.shape)
    strides = tensor.stride()
    dims = sorted(range(tensor.dim()), key=lambda d: (-strides[d], d))
    expected = 1
    for d in reversed(dims):
        if tensor.size(d) != 1:
            if tensor.stride(d) != expected:
                return None
            expected *= tensor.size(d)
    return tuple(tensor.size(d) for d in dims)


def shape_for_rule(tensor: torch.Tensor, said: str, looks_at_shape: bool) -> tuple[int, ...]:
    """The shape that a rule sees: row-major, so that of the memory."""
    shape = memory_shape(tensor)
    if shape is None:
        raise ValueError(f"{said} has strides {tensor.stride()}: its elements overlap or leave gaps. "
                         "Make it of memory of its own, with .clone() or .contiguous()")
    if looks_at_shape and not tensor.is_contiguous() and tensor.numel() > 0:
        raise ValueError(f"{said} is not contiguous (strides {tensor.stride()}), and the rule looks at rows, columns or the "
                         "rank, which its memory has in another order. Make it contiguous: p.data = p.data.contiguous()")
    return shape


def fitting(tensor: torch.Tensor, parameter: torch.Tensor, said: str) -> torch.Tensor:
    """A gradient or an input, laid out in memory like its parameter: itself, or a copy."""
    if tensor.layout != torch.strided:
        raise RuntimeError(f"{said} is sparse ({tensor.layout}): only dense ones are served. Layers such as Embedding have "
                           "sparse=False")
    if tensor.dtype != parameter.dtype:
        raise RuntimeError(f"{said} is {tensor.dtype}, the parameter {parameter.dtype}: nothing is cast")
    if tensor.device != parameter.device:
        raise RuntimeError(f"{said} is on {tensor.device}, the parameter on {parameter.device}")
    if tensor.shape != parameter.shape:
        raise RuntimeError(f"{said} has shape {tuple(tensor.shape)}, the parameter {tuple(parameter.shape)}")
    if same_layout(tensor, parameter) and not tensor.is_neg():
        return tensor
    return devices.empty_like(parameter).copy_(tensor.detach())


def same_layout(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.is_contiguous() and other.is_contiguous():
        return True
    return same_strides(one.stride(), other.stride(), one.shape)


def same_strides(one: Sequence[int], other: Sequence[int], shape: Sequence[int]) -> bool:
    """Strides of dimensions of size 1 mean nothing, and none does where there are no elements."""
    return one == other or 0 in shape or all(a == b or size == 1 for a, b, size in zip(one, other, shape))


def version_bump(parameters: Sequence[torch.Tensor]) -> Callable[[], None]:
    """What to call when all these parameters have changed, so that a backward pass that has saved
    the old values is refused, as after torch's own operations in place."""
    increment: Any = getattr(torch.autograd.graph, "increment_version", None)
    if increment is not None and _takes_many(increment):
        together = list(parameters)
        return lambda: increment(together)
    # Detached tensors share the counter, also with other memory: an operation in place counts, and is
    # quickest on one element, not on none, and in inference mode, which counts for tensors made outside of it.
    with torch.inference_mode(False):
        sharing = [parameter.detach() for parameter in parameters]
        for shared in sharing:
            shared.data = torch.zeros(1, dtype=shared.dtype, device=shared.device)

    def bump() -> None:
        with torch.inference_mode():
            torch._foreach_zero_(sharing)

    return bump if sharing else lambda: None


def _takes_many(increment: Callable[[Any], None]) -> bool:
    """The first releases of increment_version took one tensor only."""
    try:
        increment([torch.zeros(0, device="cpu")])
    except (TypeError, AttributeError, RuntimeError):
        return False
    return True


def unique(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Without repetitions, in the order of the first."""
    return list({id(tensor): tensor for tensor in tensors}.values())
