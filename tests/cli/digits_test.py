#!/usr/bin/env python3
"""The demo's claim: the median test accuracy of seeds 1 to 5 on a held-out fifth of the digits is at least 0.96."""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

talweg, root = sys.argv[1], pathlib.Path(sys.argv[2])
script = (root / "examples/digits/run").read_text(encoding="utf-8")
rule = re.search(r"--rule '([^']*)'", script).group(1)
accuracies = []
for seed in range(1, 6):
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [talweg, "train", "--rule", rule, "--data", root / "examples/data/digits.csv.gz", "--target", "label",
             "--validation", "0.2", "--seed", str(seed), "--model", "mlp:64-128-10", "--epochs", "40", "--batch", "64",
             "--out", pathlib.Path(folder, "run"), "--quiet", "--json"],
            check=True, capture_output=True, text=True)
        report = json.loads(result.stdout)
        for file in report["files"]:
            assert pathlib.Path(file).stat().st_size > 0, file
        assert 0 < report["optimizer_share"] < 1, report
        accuracies.append(report["validation_accuracy"])
median = statistics.median(accuracies)
print(f"accuracies of seeds 1 to 5: {accuracies}, median {median}")
sys.exit(0 if median >= 0.96 else 1)
