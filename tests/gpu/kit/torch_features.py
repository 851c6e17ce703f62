"""What talweg.torch can do on a GPU beside stepping: each check does it there and the same on the CPU, and returns
differences. Gradients are products of elements at most, which are the same bits wherever they are computed.
"""
from __future__ import annotations

import copy
import threading
from typing import Any, Callable, Sequence

import torch_modules

torch, talweg_torch = torch_modules.torch(), torch_modules.talweg_torch()
SHAPES: Sequence[tuple[int, ...]] = ((33, 65), (129,), (1,), (1000, 3))
EMA = "AdamW | Ema(decay = 0.9)"


class Twins:
    """Parameters and an optimizer on the CPU, and the same on a GPU."""

    def __init__(self, device: Any, rule: str = "AdamW") -> None:
        self.device, self.calls = device, 0
        self._generator = torch.Generator().manual_seed(3)
        values = [self.numbers(*shape) for shape in SHAPES]
        self.cpu, self.gpu = ([torch.nn.Parameter(value.clone().to(place)) for value in values] for place in ("cpu", device))
        self.cpu_optimizer, self.gpu_optimizer = (talweg_torch.Optimizer(params, rule=rule, lr=0.01)
                                                  for params in (self.cpu, self.gpu))

    def numbers(self, *shape: int) -> Any:
        return torch.randn(*shape, generator=self._generator)

    def sides(self) -> Sequence[tuple[list[Any], Any]]:
        return (self.cpu, self.cpu_optimizer), (self.gpu, self.gpu_optimizer)

    def give_gradients(self, scale: float = 1.0) -> None:
        """New ones; `scale`, a power of two: the GPU's are multiplied by it."""
        for cpu, gpu in zip(self.cpu, self.gpu):
            cpu.grad = self.numbers(*cpu.shape)
            gpu.grad = (cpu.grad * scale).to(self.device)

    def step(self) -> None:
        self.give_gradients()
        self.cpu_optimizer.step()
        self.gpu_optimizer.step()

    def differences(self, after: str) -> list[str]:
        found = []
        for i, (cpu, gpu) in enumerate(zip(self.cpu, self.gpu)):
            ours, theirs = gpu.detach().cpu(), cpu.detach()
            if not torch.equal(ours, theirs):
                count = int((ours != theirs).sum())
                found.append(f"{after}: {count} of {ours.numel()} elements of parameter {i} differ")
        if self.cpu_optimizer.steps != self.gpu_optimizer.steps:
            found.append(f"{after}: {self.gpu_optimizer.steps} steps, on the CPU {self.cpu_optimizer.steps}")
        return found


def _graph(device: Any, is_sent: bool) -> list[str]:
    """The example of docs/pytorch.md; `is_sent`: after one step and send_hypers, otherwise after two."""
    twins = Twins(device)
    batches = [(torch.zeros(shape), torch.zeros(shape, device=device)) for shape in SHAPES]
    schedulers = [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9) for _, optimizer in twins.sides()]

    def next_batch() -> None:
        for cpu, gpu in batches:
            cpu.copy_(twins.numbers(*cpu.shape))
            gpu.copy_(cpu)

    def work(side: int) -> None:
        params, optimizer = twins.sides()[side]
        optimizer.zero_grad(set_to_none=True)
        loss: Any = sum((param * batch[side]).sum() for param, batch in zip(params, batches))
        loss.backward()
        optimizer.step()

    next_batch()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(1 if is_sent else 2):
            work(0)
            work(1)
        if is_sent:
            twins.gpu_optimizer.send_hypers()
    torch.cuda.current_stream().wait_stream(side)
    found = twins.differences("before the capture")
    graph = torch.cuda.CUDAGraph()
    twins.gpu_optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        work(1)
    found += twins.differences("after the capture")
    for replay in range(10):
        next_batch()
        work(0)
        graph.replay()
        for scheduler in schedulers:
            scheduler.step()
        twins.gpu_optimizer.send_hypers()
        found += twins.differences(f"after replay {replay + 1}")
    twins.step()
    return (found + twins.differences("a step after the graph"))[:6]


def check_graph(device: Any) -> list[str]:
    """Replays with other batches and a scheduler."""
    return _graph(device, False)


def check_graph_sent(device: Any) -> list[str]:
    return _graph(device, True)


def check_scaler(device: Any) -> list[str]:
    """GradScaler: an infinite gradient in step 2, which is left out; unscale_ before step 3."""
    scaler = torch.amp.GradScaler(device.type) if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler()
    twins, found = Twins(device), []
    for number in range(1, 6):
        scale = scaler.scale(torch.ones((), device=device)).item()
        twins.give_gradients(scale)
        if number == 2:
            twins.gpu[1].grad[5] = float("inf")
        if number == 3:
            scaler.unscale_(twins.gpu_optimizer)
        scaler.step(twins.gpu_optimizer)
        scaler.update()
        if number != 2:
            twins.cpu_optimizer.step()
        found += twins.differences(f"after call {number}")[:2]
        wanted = scale / 2 if number == 2 else scale
        if scaler.get_scale() != wanted:
            found.append(f"after call {number}: the scale is {scaler.get_scale()}, not {wanted}")
    return found


def check_streams(device: Any) -> list[str]:
    """Two optimizers in two streams."""
    twins, streams = [Twins(device), Twins(device, "ClipByGlobalNorm(1) | AdamW")], [torch.cuda.Stream() for _ in range(2)]
    torch.cuda.synchronize()
    for _ in range(5):
        for pair, stream in zip(twins, streams):
            with torch.cuda.stream(stream):
                pair.give_gradients()
                pair.gpu_optimizer.step()
            pair.cpu_optimizer.step()
    torch.cuda.synchronize()
    return [text for pair in twins for text in pair.differences("after five steps")]


def check_moved_stream(device: Any) -> list[str]:
    """One optimizer whose steps are in two streams in turn, each waiting for the other."""
    twins, streams = Twins(device), [torch.cuda.Stream() for _ in range(2)]
    torch.cuda.synchronize()
    for number in range(6):
        stream, other = streams[number % 2], streams[1 - number % 2]
        stream.wait_stream(other)
        with torch.cuda.stream(stream):
            twins.step()
    torch.cuda.synchronize()
    return twins.differences("after six steps")


def check_state_dict(device: Any) -> list[str]:
    """Each loads what the other has saved."""
    twins = Twins(device, EMA)
    for _ in range(2):
        twins.step()
    cpu, gpu = (copy.deepcopy(optimizer.state_dict()) for _, optimizer in twins.sides())
    twins.step()
    twins.cpu_optimizer.load_state_dict(gpu)
    twins.gpu_optimizer.load_state_dict(cpu)
    found = twins.differences("after loading")
    for _ in range(2):
        twins.step()
    return found + twins.differences("two steps after loading")


def check_deepcopy(device: Any) -> list[str]:
    """A copy of parameters and optimizer goes on by itself."""
    twins = Twins(device)
    twins.step()
    params, optimizer = copy.deepcopy((twins.gpu, twins.gpu_optimizer))
    kept = [param.detach().clone() for param in params]
    twins.step()
    found = twins.differences("the original after the copy")
    if not all(torch.equal(param.detach(), before) for param, before in zip(params, kept)):
        found.append("a step of the original has changed the copy")
    for param, cpu in zip(params, twins.cpu):
        param.grad = cpu.grad.to(device)
    optimizer.step()
    twins.gpu, twins.gpu_optimizer = params, optimizer
    return found + twins.differences("the copy after the same step")


def check_evaluation(device: Any) -> list[str]:
    """The average stands in for the parameters, and then they are what they were."""
    twins = Twins(device, EMA)
    for _ in range(3):
        twins.step()
    before = [param.detach().clone() for param in twins.gpu]
    with twins.cpu_optimizer.evaluation(), twins.gpu_optimizer.evaluation():
        found = twins.differences("inside")
        if all(torch.equal(param.detach(), kept) for param, kept in zip(twins.gpu, before)):
            found.append("inside: the parameters are not swapped")
    found += twins.differences("afterwards")
    twins.step()
    return found + twins.differences("a step afterwards")


def check_sam(device: Any) -> list[str]:
    """A rule that asks for a second gradient, with a closure."""
    twins = Twins(device, "SAM(rho = 0.05) | AdamW")

    def closure_of(params: list[Any], batch: list[Any], calls: list[int]) -> Callable[[], Any]:
        def closure() -> Any:
            calls.append(1)
            for param, factor in zip(params, batch):
                param.grad = param.detach() * factor
            return torch.zeros(())
        return closure
    calls: tuple[list[int], list[int]] = [], []
    for _ in range(3):
        batch = [twins.numbers(*shape) for shape in SHAPES]
        twins.cpu_optimizer.step(closure_of(twins.cpu, batch, calls[0]))
        twins.gpu_optimizer.step(closure_of(twins.gpu, [factor.to(device) for factor in batch], calls[1]))
    found = twins.differences("after three steps")
    return found if len(calls[0]) == len(calls[1]) == 6 else found + [f"closures were called {list(map(len, calls))} times"]


def check_set_to_none(device: Any) -> list[str]:
    """New gradients for every step, and one step in which a parameter has none."""
    twins = Twins(device)
    for number in range(5):
        for _, optimizer in twins.sides():
            optimizer.zero_grad(set_to_none=True)
        twins.give_gradients()
        if number == 2:
            twins.cpu[1].grad = twins.gpu[1].grad = None
        twins.cpu_optimizer.step()
        twins.gpu_optimizer.step()
    return twins.differences("after five steps")


def check_thread(device: Any) -> list[str]:
    """Every second step is another thread's, whose current context torch has not set."""
    twins, raised = Twins(device), []

    def step() -> None:
        try:
            twins.gpu_optimizer.step()
        except Exception as error:  # pylint: disable=broad-except
            raised.append(error)
    for number in range(4):
        twins.give_gradients()
        torch.cuda.synchronize()
        if number % 2:
            thread = threading.Thread(target=step)
            thread.start()
            thread.join()
        else:
            step()
        if raised:
            raise raised[0]
        twins.cpu_optimizer.step()
        torch.cuda.synchronize()
    return twins.differences("after four steps")


def check_moved_module(device: Any) -> list[str]:
    """Training that was begun on the CPU goes on on the GPU: states come along."""
    twins = Twins(torch.device("cpu"))
    twins.step()
    for param in twins.gpu:
        param.data = param.data.to(device)
    twins.device = device
    for _ in range(2):
        twins.step()
    return twins.differences("two steps after the move")
