"""Steps a PyTorch optimizer when told to: the other end of the benchmarks' pipe.

torch_peer.py RULE THREADS SIZE... makes one float32 tensor for each SIZE and says "ready VERSION KIND" (KIND: fused, or foreach
where PyTorch has no fused CPU kernel). Then each line with a number of steps is answered with the seconds of one.
"""
import sys
import time

import torch

OPTIMIZERS = {
    "AdamW": (torch.optim.AdamW, dict(lr=1e-3)),
    "Adam": (torch.optim.Adam, dict(lr=1e-3)),
    "RAdam": (torch.optim.RAdam, dict(lr=1e-3)),
    "RMSprop": (torch.optim.RMSprop, dict(lr=1e-3)),
    "SgdMomentum": (torch.optim.SGD, dict(lr=1e-3, momentum=0.9)),
    "Sgd": (torch.optim.SGD, dict(lr=1e-3)),
}
rule, threads, sizes = sys.argv[1], int(sys.argv[2]), list(map(int, sys.argv[3:]))
torch.set_num_threads(threads)
make, settings = OPTIMIZERS[rule]
parameters = [torch.nn.Parameter(torch.full((size,), 0.5)) for size in sizes]
for parameter in parameters:
    parameter.grad = torch.full_like(parameter, 1e-2)
try:
    optimizer, kind = make(parameters, fused=True, **settings), "fused"
    optimizer.step()
except (TypeError, RuntimeError):
    optimizer, kind = make(parameters, foreach=True, **settings), "foreach"
print("ready", torch.__version__, kind, flush=True)
for line in sys.stdin:
    repeats = int(line)
    start = time.perf_counter()
    for _ in range(repeats):
        optimizer.step()
    print((time.perf_counter() - start) / repeats, flush=True)
