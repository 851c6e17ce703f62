"""What talweg.torch adds in Python to a step, against reading every gradient's address once.

    python benchmarks/python/torch_overhead.py [tensors]

Parameters of four elements, so that the step itself takes next to nothing; its time is subtracted all
the same. Each number is the lower quartile of many runs, all in one process, taken in turn."""
import statistics
import sys
import time

import torch

import talweg.torch


def measure(functions, runs=400):
    times = {name: [] for name in functions}
    for run in range(runs):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if run >= runs // 10:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.quantiles(taken, n=4)[0] * 1e6 for name, taken in times.items()}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 148
    torch.set_num_threads(1)
    parameters = [torch.nn.Parameter(torch.ones(2, 2)) for _ in range(count)]
    for parameter in parameters:
        parameter.grad = torch.full((2, 2), 1e-3)
    optimizer = talweg.torch.AdamW(parameters, lr=1e-6)
    reference = torch.optim.AdamW(parameters, lr=1e-6)
    optimizer.step()
    bound = optimizer._bound
    found = measure({
        "reading": lambda: [parameter.grad.data_ptr() for parameter in parameters],
        "step": optimizer.step,
        "engine": lambda: bound.engine.step(bound._pointers, None),
        "gradients": bound.gather,
        "parameters": optimizer._ready,
        "versions": bound.tell_autograd,
    })
    torch_step = measure({"torch": reference.step}, 60)["torch"]
    overhead = found["step"] - found["engine"]
    print(f"torch {torch.__version__}, {count} tensors, microseconds")
    print(f"  reading every p.grad.data_ptr()  {found['reading']:8.1f}")
    print(f"  step                             {found['step']:8.1f}   torch.optim.AdamW {torch_step:.1f}")
    print(f"  without the engine's own time    {overhead:8.1f}   {overhead / found['reading']:.2f} times reading")
    print(f"    where gradients are {found['gradients']:.1f}, where parameters are {found['parameters']:.1f}, "
          f"telling autograd {found['versions']:.1f}")


if __name__ == "__main__":
    main()
