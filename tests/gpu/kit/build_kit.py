#!/usr/bin/env python3
"""Builds the kit that tests talweg on a machine with a GPU: libraries of rules with code for NVIDIA
GPUs, what they come to on this machine's CPU, and run_kit.py with what it needs.

    build_kit.py --talweg build/release/bin/talweg OUT
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from library import Rule
from model import Host, digest
from scenarios import SCENARIOS, SIZES, SMALL_SIZES, run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SCRIPTS = sorted(path.name for path in HERE.glob("*.py") if path.name not in ("build_kit.py", "kit_test.py"))
#: Pipelines beside the rules and stages of the library, by the names that their libraries get.
PIPELINES = {
    "train": "ClipByGlobalNorm(1) | AdamW | Ema",
    "sharpness": "SAM | SGD(lr = 0.1)",
    "gathered": "AccumulateGradient(k = 2) | ClipValue | AdamW",
    "gathered_loss": "AccumulateGradient(k = 2) | PolyakStep",
    "guarded": "SkipNonFinite | AdamW(lr = 0.01 / t)",
    "bounded": "AdamW | TrustRatio | Lookahead(k = 2)",
}
#: Built for float64 too, as NAME_double.
DOUBLE = ("sgd", "adamw", "lion", "lamb", "adafactor", "train", "momo", "sharpness")


def rules_of(talweg: pathlib.Path) -> dict[str, str]:
    """Expressions by name: every rule and stage of the library, and the pipelines."""
    listed = subprocess.run([talweg, "list", "--json"], stdout=subprocess.PIPE, text=True, check=True).stdout
    entries = [json.loads(line) for line in listed.splitlines()]
    rules = {entry["name"].lower(): entry["name"] for entry in entries if entry["sort"] in ("rule", "stage")}
    return {**rules, **PIPELINES}


def build(talweg: pathlib.Path, out: pathlib.Path, name: str, expression: str, dtype: str, targets: str) -> None:
    """One library, OUT/NAME.so."""
    with tempfile.TemporaryDirectory() as folder:
        command = [talweg, "build", "--quiet", "--shared", "--name", name, "--rule", expression, "--dtype", dtype,
                   "--target", targets, "-o", folder]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            sys.exit(f"{name}: {made.stderr}")
        shutil.copy(pathlib.Path(folder) / f"lib{name}.so", out / f"{name}.so")


def expected(path: pathlib.Path, sizes: dict[str, int]) -> dict[str, Any]:
    """What the scenarios come to on this CPU: how steps end, and digests."""
    rule, host, found = Rule(path), Host(), {}
    for scenario in SCENARIOS:
        ends, results = run(scenario, rule, host, sizes)
        found[scenario.name] = {"ends": ends, **digest(results)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=pathlib.Path, help="a new folder; OUT.tar.gz is written too")
    parser.add_argument("--talweg", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--target", default="x86-64,nvptx", help="for which machines")
    parser.add_argument("--only", metavar="PATTERN", default=".*", help="names of the rules that are built")
    parser.add_argument("--small", action="store_true", help="few and small tensors, for a GPU that is simulated")
    parser.add_argument("--libtalweg", type=pathlib.Path, metavar="FILE",
                        help="take libtalweg and the Python package along, for the checks with torch")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    sizes = SMALL_SIZES if arguments.small else SIZES
    wanted = [(name, expression, "float32") for name, expression in rules_of(arguments.talweg).items()]
    wanted += [(f"{name}_double", expression, "float64") for name, expression, _ in wanted if name in DOUBLE]
    wanted = [entry for entry in wanted if re.fullmatch(arguments.only, entry[0])]
    libraries = arguments.out / "libraries"
    libraries.mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(HERE / name, arguments.out / name)
    if arguments.libtalweg:
        package = arguments.out / "python"
        shutil.copytree(ROOT / "python" / "talweg", package / "talweg", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "stdlib", package / "stdlib")
        shutil.copy(arguments.libtalweg, package / "libtalweg.so")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        futures = [pool.submit(build, arguments.talweg, libraries, *entry, arguments.target) for entry in wanted]
        for future in futures:
            future.result()
    answers = {name: expected(libraries / f"{name}.so", sizes) for name, _, _ in wanted}
    version = subprocess.run([arguments.talweg, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    kit = {"talweg": version, "targets": arguments.target, "sizes": sizes,
           "rules": {name: {"expression": expression, "dtype": dtype} for name, expression, dtype in wanted}}
    (arguments.out / "kit.json").write_text(json.dumps(kit, indent=1) + "\n")
    (arguments.out / "expected.json").write_text(json.dumps(answers, indent=1) + "\n")
    archive = shutil.make_archive(str(arguments.out), "gztar", arguments.out.parent, arguments.out.name)
    folder_bytes = sum(path.stat().st_size for path in arguments.out.rglob("*"))
    print(f"{len(wanted)} libraries, {folder_bytes / 1e6:.1f} MB; {archive}: {os.path.getsize(archive) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
