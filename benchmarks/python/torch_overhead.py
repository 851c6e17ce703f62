"""What talweg.torch adds in Python to a step, against reading every gradient's address once.

    python benchmarks/python/torch_overhead.py [tensors]

Parameters of four elements, so that the step itself takes next to nothing; its time is subtracted all
the same. Each number is the lower quartile of many runs, all in one process, taken in turn.

Then the same as in a training loop: a loss of the parameters is alive, as where a loop has it in a variable
(current torch takes longer over tensors that nothing but Python holds), and gradients are elsewhere in each
step, as after zero_grad()."""
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

    def step_elsewhere():
        bound._gradients.forget()
        optimizer.step()

    functions = {
        "reading": lambda: [parameter.grad.data_ptr() for parameter in parameters],
        "step": optimizer.step,
        "engine": lambda: bound.engine.step(bound._pointers, None),
        "gradients": bound.gather,
        "parameters": optimizer._ready,
        "versions": bound.tell_autograd,
    }
    found = measure(functions)
    torch_step = measure({"torch": reference.step}, 60)["torch"]
    loss = sum((parameter * parameter).sum() for parameter in parameters)
    alive = measure(functions)
    elsewhere = measure({**functions, "step": step_elsewhere})
    del loss
    print(f"torch {torch.__version__}, {count} tensors, microseconds")
    print(f"  reading every p.grad.data_ptr()  {found['reading']:8.1f}")
    print(f"  step                             {found['step']:8.1f}   torch.optim.AdamW {torch_step:.1f}")
    for said, times in (("without the engine's own time", found), ("  and with a loss alive", alive),
                        ("  and gradients elsewhere", elsewhere)):
        overhead = times["step"] - times["engine"]
        print(f"  {said:<33}{overhead:8.1f}   {overhead / times['reading']:.2f} times reading")
        print(f"    where gradients are {times['gradients']:.1f}, where parameters are {times['parameters']:.1f}, "
              f"telling autograd {times['versions']:.1f}")


if __name__ == "__main__":
    main()
