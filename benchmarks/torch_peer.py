"""Steps PyTorch's optimizers when told to: the other end of the benchmarks' pipe.

Says its version, then answers each line of stdin with one:

  begin RULE THREADS SIZE...   one float32 tensor for each SIZE: "ready", or "none" if PyTorch has no such optimizer
  steps N                      the seconds of one step
  end                          frees the tensors: "ended"
  check RULE STEPS SIZE        the parameters after steps through the gradients of agree.cpp, or "none"

The fused optimizer is taken where there is one, else the faster of one call for all tensors (foreach) and one for each.
RULE may also be a pipeline that its users put together: ClipAdamWEma.single, ClipAdamWEma.foreach.
"""
import gc
import sys
import time

import torch

OPTIMIZERS = {
    "AdamW": ("AdamW", dict(lr=1e-3)),
    "Adam": ("Adam", dict(lr=1e-3)),
    "RAdam": ("RAdam", dict(lr=1e-3)),
    "RMSprop": ("RMSprop", dict(lr=1e-3)),
    "Lion": ("Lion", dict(lr=1e-3)),
    "SgdMomentum": ("SGD", dict(lr=1e-3, momentum=0.9)),
    "Sgd": ("SGD", dict(lr=1e-3)),
}


class ClipAdamWEma:
    """Clip by the global norm, AdamW, an exponential average of the parameters: tensor by tensor, or one call for all."""

    def __init__(self, parameters, foreach):
        self.parameters, self.foreach = parameters, foreach
        # Without foreach the fused kernel where there is one, which is what a user of single tensors would take.
        self.adamw = torch.optim.AdamW(parameters, lr=1e-3, foreach=foreach)
        self.averages = [parameter.detach().clone() for parameter in parameters]

    def clip(self):
        if not self.foreach:
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            return
        gradients = [parameter.grad for parameter in self.parameters]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, min(1.0, 1.0 / (float(norm) + 1e-6)))

    @torch.no_grad()
    def step(self):
        self.clip()
        self.adamw.step()
        if self.foreach:
            torch._foreach_mul_(self.averages, 0.999)
            torch._foreach_add_(self.averages, self.parameters, alpha=0.001)
        else:
            for average, parameter in zip(self.averages, self.parameters):
                average.lerp_(parameter, 0.001)


def seconds_of(optimizer, steps):
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    return (time.perf_counter() - start) / steps


def is_known(rule):
    return "." in rule or hasattr(torch.optim, OPTIMIZERS[rule][0])


def make_optimizer(rule, parameters):
    if "." in rule:
        return ClipAdamWEma(parameters, rule.endswith(".foreach"))
    name, settings = OPTIMIZERS[rule]
    make = getattr(torch.optim, name)
    try:
        return make(parameters, fused=True, **settings)
    except (TypeError, RuntimeError):
        pass
    best = None
    for foreach in (True, False):
        optimizer = make(parameters, foreach=foreach, **settings)
        optimizer.step()
        seconds = min(seconds_of(optimizer, 1) for _ in range(2))
        if best is None or seconds < best[0]:
            best = seconds, foreach
        del optimizer
    return make(parameters, foreach=best[1], **settings)


def checked(rule, steps, size):
    i = torch.arange(size, dtype=torch.int64)
    start = ((i * 31) % 257).double() / 256 - 0.5
    parameter = torch.nn.Parameter(torch.zeros(size))
    parameter.grad = torch.zeros(size)
    optimizer = make_optimizer(rule, [parameter])
    with torch.no_grad():
        parameter.copy_(start)
    optimizer.state.clear()
    for t in range(1, steps + 1):
        parameter.grad.copy_((((i * 7919 + t * 104729) % 2001) - 1000).double() / 2**17)
        optimizer.step()
    return " ".join(map(repr, parameter.tolist()))


print(torch.__version__.split("+")[0], flush=True)
optimizer = parameters = None
for line in sys.stdin:
    command, *words = line.split()
    if command in ("begin", "check") and not is_known(words[0]):
        print("none", flush=True)
    elif command == "begin":
        torch.set_num_threads(int(words[1]))
        parameters = [torch.nn.Parameter(torch.full((int(size),), 0.5)) for size in words[2:]]
        for parameter in parameters:
            parameter.grad = torch.full_like(parameter, 1e-2)
        optimizer = make_optimizer(words[0], parameters)
        print("ready", flush=True)
    elif command == "steps":
        print(seconds_of(optimizer, int(words[0])), flush=True)
    elif command == "check":
        print(checked(words[0], int(words[1]), int(words[2])), flush=True)
    else:
        optimizer = parameters = parameter = None
        gc.collect()
        print("ended", flush=True)
