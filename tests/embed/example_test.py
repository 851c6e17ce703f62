#!/usr/bin/env python3
"""What examples/embed says of itself: losses fall, a view is tried, a mistake has a place. Usage: example_test.py PROGRAM"""
import subprocess
import sys


def run(*rules):
    return subprocess.run([sys.argv[1], *rules], capture_output=True, text=True, check=False, timeout=300)


done = run("SGD(lr = 0.05)", "AdamW(lr = 0.01) | Ema(decay = 0.99)", "SAM | AdamW(lr = 0.01)")
assert done.returncode == 0, done.stderr
rows = done.stdout.splitlines()
assert len(rows) == 4, done.stdout
for row in rows[1:]:
    losses = [float(word) for word in row.split("  averaged")[0].split()[-4:]]
    assert losses[3] < 0.01 * losses[0], row
assert "averaged" in rows[2], rows[2]
wrong = run("Adam(lrr = 1)")
assert wrong.returncode == 1 and "did you mean `lr`?" in wrong.stderr and "     ^^^" in wrong.stderr, wrong.stderr
print(done.stdout)
