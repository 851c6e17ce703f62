#!/usr/bin/env python3
"""Times optimizer steps driven from Python: talweg.torch beside PyTorch's own and optax, on the CPU, in one run.

    torch_steps.py [--threads 1 2] [--models gpt2 1000x10K] [--peers ...] [--rounds 15] [--quick] [--markdown]

Every number of threads gets a fresh process. There everyone takes a step in turn, starting with another one each
round; shown are medians of the rounds' times over talweg's, so 2 is twice as long as talweg. All peers must first
compute the same on small tensors. "cores" is processor time over time: far below the number of threads, others had the
cores. --quick does all of it with tiny models, which tests the script and measures nothing.
"""
import argparse
import gc
import importlib.metadata
import importlib.util
import os
import statistics
import subprocess
import sys
import time

GPT2_LAYER = ((768,), (768,), (768, 2304), (2304,), (768, 768), (768,), (768,), (768,), (768, 3072), (3072,), (3072, 768), (768,))
MODELS = {
    "gpt2": ((50257, 768), (1024, 768)) + 12 * GPT2_LAYER + ((768,), (768,)),  # GPT-2 small: 148 tensors, 124,439,808 elements
    "1000x10K": ((10_000,),) * 1000,
}
QUICK = {"gpt2": ((57, 8), (24, 8)) + 2 * tuple(tuple(n // 96 for n in shape) for shape in GPT2_LAYER), "1000x10K": ((10,),) * 50}
ALL_PEERS = ("talweg", "single", "foreach", "fused", "compiled", "optax")
BYTES = {False: 28, True: 40}  # of a parameter, by talweg plan: AdamW; the pipeline


def make_params(torch, shapes):
    generator = torch.Generator().manual_seed(1)
    params = []
    for shape in shapes:
        params.append(torch.nn.Parameter(torch.empty(shape).uniform_(-0.5, 0.5, generator=generator)))
        params[-1].grad = torch.empty(shape).uniform_(-0.01, 0.01, generator=generator)
    return params


def check_agreement(torch, peers, names):
    """All must end where torch's plain form ends."""
    for pipeline in (False, True):
        ends = {}
        for name in names:
            peer = peers[name](make_params(torch, ((40, 30), (7,), ())), pipeline)
            for _ in range(4):
                peer.step()
            ends[name] = peer.values() + (peer.averages_of() if pipeline else [])
        for name in names:
            furthest = max(float((one - other).abs().max()) for one, other in zip(ends[name], ends["single"]))
            moved = float((ends[name][0] - make_params(torch, ((40, 30),))[0].detach()).abs().max())
            if not (furthest < 2e-6 < 1e-3 < moved):
                sys.exit(f"{name} computes something else than torch.optim.AdamW: {furthest} apart, moved by {moved}")
    print(f"# {', '.join(names)} compute the same")


def time_steps(peers, rounds):
    """Seconds of each round and of processor time in them, by name. Interleaved, each first in turn."""
    names = list(peers)
    times, busy = {name: [] for name in names}, {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            cpu, start = time.process_time(), time.perf_counter()
            peers[name].step()
            seconds = time.perf_counter() - start
            times[name].append(seconds)
            busy[name].append(time.process_time() - cpu)
    return times, busy


def measure(torch, kinds, names, shapes, pipeline, rounds, limit):
    params = make_params(torch, shapes)
    peers = {}
    for name in names:
        start = time.perf_counter()
        peer = kinds[name](params, pipeline)
        for _ in range(2):
            peer.step()
        peers[name] = peer
        if time.perf_counter() - start > 20:
            print(f"# {name}: {time.perf_counter() - start:.0f} s until its second step was done", flush=True)
    round_seconds = sum(map(statistics.median, time_steps(peers, 1)[0].values()))
    rounds = max(3, min(rounds, int(limit / max(round_seconds, 1e-9))))
    return (*time_steps(peers, rounds), rounds)


def report(what, threads, elements, pipeline, times, busy, rounds, markdown):
    mine = statistics.median(times["talweg"])
    ratios, busy_ratios = ({name: statistics.median(t / m for t, m in zip(seconds, of["talweg"])) for name, seconds in of.items()}
                           for of in (times, busy))
    columns = [what, str(threads), f"{mine * 1e3:.2f}", f"{BYTES[pipeline] * elements / mine / 1e9:.1f}"]
    columns += [f"{ratios[name]:.2f}" if name in ratios else "" for name in ALL_PEERS[1:]]
    if markdown:
        print(f"| {' | '.join(columns)} |", flush=True)
        return
    print(f"{what}, {threads} threads, {rounds} rounds: talweg {columns[2]} ms, {columns[3]} GB/s")
    for name, seconds in times.items():
        cores = sum(busy[name]) / sum(seconds)
        print(f"  {name:9} {statistics.median(seconds) * 1e3:10.3f} ms  {ratios[name]:6.2f}  cores {cores:.2f}, by processor time "
              f"{busy_ratios[name]:6.2f}", flush=True)


def measure_overhead(torch, kinds, rounds):
    """A step of GPT-2's 148 tensors with 4 elements each, over reading every gradient's address once."""
    params = make_params(torch, ((4,),) * 148)
    steps = {name: kinds[name](params, False).step for name in ("talweg", "foreach", "fused", "single") if name in kinds}
    seconds = {name: [] for name in ("read", *steps)}

    def read():
        for param in params:
            param.grad.data_ptr()

    for _ in range(rounds):
        for name, call in {"read": read, **steps}.items():
            call()
            start = time.perf_counter()
            for _ in range(10):
                call()
            seconds[name].append((time.perf_counter() - start) / 10)
    base = statistics.median(seconds["read"])
    print(f"148 tensors of 4: reading every p.grad.data_ptr() {base * 1e6:.0f} us; a step over that: " + ", ".join(
        f"{name} {statistics.median(s / r for s, r in zip(seconds[name], seconds['read'])):.2f}" for name in steps), flush=True)


def run_child(options, threads):
    # XLA makes as many threads as there are cores, whatever it is told otherwise.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    import torch
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torch_peers
    torch.set_num_threads(threads)
    names = []
    for name in options.peers:
        why = torch_peers.why_missing(name)
        if why:
            print(f"# no {name}: {why}")
        else:
            names.append(name)
    if "talweg" not in names or "single" not in names:
        sys.exit("talweg and single are needed for a comparison")
    check_agreement(torch, torch_peers.PEERS, names)
    models = QUICK if options.quick else MODELS
    for model in options.models:
        elements = sum(torch.Size(shape).numel() for shape in models[model])
        for pipeline in (False, True):
            times, busy, rounds = measure(torch, torch_peers.PEERS, names, models[model], pipeline, options.rounds, options.seconds)
            report(f"{'clip, AdamW, Ema' if pipeline else 'AdamW'}, {model}", threads, elements, pipeline, times, busy, rounds,
                   options.markdown)
            gc.collect()
    if threads == 1:
        measure_overhead(torch, {name: torch_peers.PEERS[name] for name in names}, options.rounds * (1 if options.quick else 20))


def versions():
    found = []
    for name in ("torch", "jax", "optax"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=list(MODELS))
    parser.add_argument("--peers", nargs="+", choices=ALL_PEERS, default=list(ALL_PEERS))
    parser.add_argument("--rounds", type=int, default=15, help="of a cell, at most")
    parser.add_argument("--seconds", type=float, default=60, help="of a cell, but at least three rounds")
    parser.add_argument("--quick", action="store_true", help="tiny models: tests the script, measures nothing")
    parser.add_argument("--markdown", action="store_true", help="rows of a table")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options, options.child)
        return
    if importlib.util.find_spec("torch") is None:
        print(f"skipped: no torch for {sys.executable}")
        sys.exit(77)
    print(f"# {versions()}")
    if options.markdown:
        print(f"| step | threads | talweg, ms | GB/s | {' | '.join(ALL_PEERS[1:])} |\n|{'---|' * (4 + len(ALL_PEERS[1:]))}", flush=True)
    for threads in options.threads:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "JAX_PLATFORMS": "cpu"}
        result = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--child", str(threads)], env=environment, check=False)
        if result.returncode != 0:
            sys.exit(result.returncode)


if __name__ == "__main__":
    main()
