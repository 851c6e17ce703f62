"""What talweg.torch does on a GPU without the host: steps that ask for another gradient, losses that are tensors there,
inputs that are given now and then. Gradients and losses are products of elements, as in torch_features.
"""
from __future__ import annotations

from typing import Any, Callable, Sequence

from torch_features import SHAPES, Twins, torch

SAM = "SAM(rho = 0.05) | AdamW"
POLYAK = "PolyakStep(share = 0.01)"  # steps so long that every bit of the loss is seen
#: A step with the parameters and the optimizer of one side, the numbers of this side, and the step's number.
Work = Callable[[list[Any], Any, list[Any], int], None]


def _give_gradients(params: list[Any], batch: list[Any]) -> None:
    for param, factor in zip(params, batch):
        param.grad = param.detach() * factor


def _sam(params: list[Any], optimizer: Any, batch: list[Any], _: int) -> None:
    optimizer.step(lambda: _give_gradients(params, batch))


def _loss(params: list[Any], optimizer: Any, batch: list[Any], _: int) -> None:
    """The loss is another tensor for each step."""
    _give_gradients(params, batch)
    optimizer.step(inputs={"loss": batch[1][0].abs()})


def _hessian(params: list[Any], optimizer: Any, batch: list[Any], number: int) -> None:
    _give_gradients(params, batch)
    optimizer.step(inputs={"hessian": [factor * factor for factor in batch]} if number % 2 else None)


def _batches(twins: Twins) -> tuple[list[Any], list[Any]]:
    """The same numbers on the CPU and on the GPU."""
    batch = [twins.numbers(*shape) for shape in SHAPES]
    return batch, [factor.to(twins.device) for factor in batch]


def _both(twins: Twins, work: Work, number: int) -> None:
    for (params, optimizer), batch in zip(twins.sides(), _batches(twins)):
        work(params, optimizer, batch, number)


def _replayed(device: Any, rule: str, work: Work) -> list[str]:
    """Two steps, a capture of one, and replays with other numbers."""
    twins = Twins(device, rule)
    fixed = [torch.zeros(shape, device=device) for shape in SHAPES]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for number in range(2):
            _both(twins, work, number)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    twins.gpu_optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        work(twins.gpu, twins.gpu_optimizer, fixed, 2)
    found = twins.differences("after the capture")
    for replay in range(5):
        batch, on_gpu = _batches(twins)
        for place, factor in zip(fixed, on_gpu):
            place.copy_(factor)
        work(twins.cpu, twins.cpu_optimizer, batch, 2)
        graph.replay()
        found += twins.differences(f"after replay {replay + 1}")
    _both(twins, work, 3)
    return (found + twins.differences("a step after the graph"))[:6]


def check_sam_graph(device: Any) -> list[str]:
    """Both calls of a closure in a CUDA graph."""
    return _replayed(device, SAM, _sam)


def check_loss_graph(device: Any) -> list[str]:
    """A loss that the graph computes."""
    return _replayed(device, POLYAK, _loss)


def check_loss(device: Any) -> list[str]:
    """Losses that are tensors on the GPU, of float32 and float64, and numbers in between."""
    twins = Twins(device, POLYAK)
    found = []
    for number, dtype in enumerate((torch.float32, torch.float64, None, torch.float64, torch.float32)):
        twins.give_gradients()
        value = 3.7 / (number + 1)
        loss = value if dtype is None else torch.tensor(value, dtype=dtype)
        twins.cpu_optimizer.step(inputs={"loss": loss})
        twins.gpu_optimizer.step(inputs={"loss": loss if dtype is None else loss.to(device)})
        found += twins.differences(f"after step {number + 1}")
    return found[:6]


def check_unsynchronized(device: Any) -> list[str]:
    """After two ordinary steps torch makes the host wait for none: it raises an error where it would."""
    found: list[str] = []
    works: Sequence[tuple[str, Work]] = ((SAM, _sam), (POLYAK, _loss), ("SophiaG", _hessian))
    for rule, work in works:
        twins = Twins(device, rule)
        for number in range(2):
            _both(twins, work, number)
        batches = [_batches(twins) for _ in range(4)]  # a copy to the GPU is waited for
        torch.cuda.set_sync_debug_mode("error")
        try:
            for number, (_, batch) in enumerate(batches):
                work(twins.gpu, twins.gpu_optimizer, batch, number)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        for number, (batch, _) in enumerate(batches):
            work(twins.cpu, twins.cpu_optimizer, batch, number)
        found += twins.differences(rule)
    return found
