#!/usr/bin/env python3
"""Runs examples/torch_char with few steps: losses fall, and going on from what was saved ends where one run does.

    torch_char.py ROOT

Ends with 77 where there is no torch. Where the Python package and its library are, the environment says.
"""
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

STEPS = 30


def main():
    if importlib.util.find_spec("torch") is None:
        print(f"skipped: no torch for {sys.executable}")
        return 77
    root = pathlib.Path(sys.argv[1]).resolve()
    texts = [root / "stdlib" / name for name in ("adam.tw", "adamw.tw", "lion.tw", "sgd.tw", "ema.tw", "schedules.tw")]

    def train(*options):
        command = [sys.executable, root / "examples/torch_char/train.py", *texts, "--steps", STEPS, "--threads", 1, *options]
        result = subprocess.run([str(part) for part in command], cwd=folder, text=True, capture_output=True, check=False)
        if result.returncode != 0:
            sys.exit(f"{options} ended with {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    with tempfile.TemporaryDirectory() as folder:
        whole = train()
        train("--stop", STEPS // 2, "--save", "half.pt")
        resumed = train("--resume", "half.pt")
    found = re.findall(r"^step (\d+), loss ([\d.]+), validation ([\d.]+), by the average ([\d.]+)", whole, re.M)
    losses = [float(own) for _, _, own, _ in found]
    averages = [float(average) for _, _, _, average in found]
    if len(found) < 5 or not losses[-1] < 0.8 * losses[0] or not averages[-1] < 0.95 * averages[0]:
        sys.exit(f"losses do not fall\n{whole}")
    last = [re.sub(r", \d+ ms a step", "", text[text.index(f"step {STEPS},"):]) for text in (whole, resumed)]
    if last[0] != last[1] or f"step {STEPS // 2}," in resumed:
        sys.exit(f"going on from what was saved ends elsewhere\n{whole}\n{resumed}")
    print(last[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
