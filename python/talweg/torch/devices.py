"""Where tensors are, and all that talweg.torch asks of torch.cuda: a test without a GPU replaces these."""
from __future__ import annotations

import contextlib
from typing import Any, Optional, Sequence

import torch


def gpu_of(tensor: torch.Tensor) -> Optional[int]:
    """The number of the GPU that has a tensor; None: none has."""
    device = tensor.device
    return device.index if device.type == "cuda" else None


def is_served(tensor: torch.Tensor) -> bool:
    """AMD's GPUs call themselves cuda too."""
    kind = tensor.device.type
    return kind == "cpu" or (kind == "cuda" and getattr(torch.version, "hip", None) is None)


def name(gpu: Optional[int]) -> str:
    return "the CPU" if gpu is None else f"cuda:{gpu}"


def using(gpu: int) -> contextlib.AbstractContextManager[Any]:
    """Torch's context of a GPU is current within. In a thread that has asked nothing of CUDA yet it becomes so
    with a call that needs one."""
    @contextlib.contextmanager
    def entered() -> Any:
        with torch.cuda.device(gpu):
            torch.cuda.synchronize(gpu)
            yield

    return entered()


def stream(gpu: int) -> int:
    """Torch's current one, as CUDA's handle; 0: the default stream."""
    return int(torch.cuda.current_stream(gpu).cuda_stream)


def is_capturing(gpu: int) -> bool:
    """Whether what is put into the current stream of a GPU becomes a graph."""
    if torch.cuda.current_device() == gpu:
        return torch.cuda.is_current_stream_capturing()
    with torch.cuda.device(gpu):
        return torch.cuda.is_current_stream_capturing()


def is_capturing_at_all(gpu: int) -> bool:
    """Whether the calling thread captures, on this GPU or on its current one. What waits or frees would spoil
    either capture."""
    return torch.cuda.is_current_stream_capturing() or is_capturing(gpu)


def empty_cache() -> None:
    """Gives the driver back what torch keeps for tensors to come."""
    torch.cuda.empty_cache()


def memory(size: int, gpu: int) -> torch.Tensor:
    """Of torch's allocator, so that torch.cuda's statistics know it."""
    return torch.zeros(size, dtype=torch.uint8, device=torch.device("cuda", gpu))


def empty_like(parameter: torch.Tensor) -> torch.Tensor:
    """Memory for a gradient, say: in the layout of its parameter."""
    return torch.empty_strided(parameter.size(), parameter.stride(), dtype=parameter.dtype, device=parameter.device)


def joined(numbers: Sequence[torch.Tensor]) -> torch.Tensor:
    """Numbers of one GPU as float64, one behind the other, without the host."""
    return torch.cat([part.detach().resolve_neg().reshape(-1).to(torch.float64) for part in numbers])


def hands_over_scales() -> bool:
    """Whether GradScaler sets `grad_scale` and `found_inf` of optimizers that look at them. Before torch 2.1 it
    hands itself over."""
    major, minor = torch.__version__.split(".")[:2]
    return (int(major), int(minor)) >= (2, 1)
