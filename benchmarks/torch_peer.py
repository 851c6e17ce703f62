"""Steps PyTorch's optimizers when told to: the other end of the benchmarks' pipe.

Says its version, then answers each line of stdin with one:

  begin RULE THREADS SIZE...   one float32 tensor for each SIZE: "ready", or "none" if PyTorch has no such optimizer
  steps N                      the seconds of one step
  end                          frees the tensors: "ended"
  check RULE STEPS SIZE        the parameters after steps through the gradients of agree.cpp, or "none"

The fused optimizer is taken where there is one, else the faster of one call for all tensors (foreach) and one for each.
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


def seconds_of(optimizer, steps):
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    return (time.perf_counter() - start) / steps


def make_optimizer(rule, parameters):
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
    if command in ("begin", "check") and not hasattr(torch.optim, OPTIMIZERS[words[0]][0]):
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
