#!/usr/bin/env python3
"""Tests talweg on this machine's GPU. It needs NVIDIA's driver and Python 3.9 or later; with PyTorch
there is more that it does. One line a check; ends with 0 where nothing has failed.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import re
import sys
import time
import traceback
from typing import Any, Callable, Optional, Sequence

import features
import speed
import torch_checks
from cuda import Driver, DriverError
from library import Rule
from model import Gpu, Host, differences, digest
from scenarios import QUICK, SCENARIOS, Scenario, run

HERE = pathlib.Path(__file__).resolve().parent


class Report:
    """Lines as they come, and all of them for a file."""

    def __init__(self) -> None:
        self.checks: list[dict[str, Any]] = []

    def add(self, name: str, result: str, details: Sequence[str] = (), seconds: float = 0.0) -> None:
        """`result`: ok, FAILED or skipped."""
        self.checks.append({"name": name, "result": result, "details": list(details), "seconds": round(seconds, 3)})
        print(f"{result:8}{name}" + "".join(f"\n        {line}" for line in details), flush=True)

    def check(self, name: str, work: Callable[[], Sequence[str]]) -> None:
        """Runs a check, which returns what is wrong."""
        begin = time.monotonic()
        try:
            wrong = list(work())
        except Exception as error:  # pylint: disable=broad-except  # the others are run all the same
            wrong = [f"{type(error).__name__}: {error}", *traceback.format_exc().splitlines()[-3:-1]]
        self.add(name, "FAILED" if wrong else "ok", wrong, time.monotonic() - begin)

    def count(self, result: str) -> int:
        return sum(check["result"] == result for check in self.checks)


def check_scenario(driver: Driver, rule: Rule, scenario: Scenario, sizes: dict[str, int], expected: dict[str, str]) -> list[str]:
    """A GPU's run by its digests; where one is another, a run on this CPU says what differs."""
    place = Gpu(driver)
    ends, results = run(scenario, rule, place, sizes)
    place.close()
    found = {"ends": ends, **digest(results)}
    if found == expected:
        return []
    kinds = [kind for kind in {**expected, **found} if found.get(kind) != expected.get(kind)]
    cpu_ends, cpu_results = run(scenario, rule, Host(), sizes)
    wrong = [f"other than expected: {', '.join(kinds)}"]
    if {"ends": cpu_ends, **digest(cpu_results)} != expected:
        wrong.append("so it is on this machine's CPU: the kit expects what it does not compute here")
    if ends != cpu_ends:
        wrong.append(f"steps end with {ends}, on the CPU with {cpu_ends}")
    return wrong + (differences(results, cpu_results) or ["the GPU has the bits of this machine's CPU"])


def is_simulated(kit: dict[str, Any]) -> bool:
    """Whether the kit was built for a GPU whose memory is the host's."""
    return bool(kit["sizes"]["large"] < 1 << 20)


def check_all(report: Report, driver: Driver, kit: dict[str, Any], arguments: argparse.Namespace) -> None:
    """All but speed."""
    expected = json.loads((HERE / "expected.json").read_text())
    names = [name for name in kit["rules"] if re.fullmatch(arguments.only, name)]
    rules = {name: Rule(HERE / "libraries" / f"{name}.so") for name in names}
    for name, rule in rules.items():
        for scenario in SCENARIOS:
            if arguments.quick and scenario.name not in QUICK:
                continue
            report.check(f"{name}.{scenario.name}", lambda r=rule, s=scenario, e=expected[name][scenario.name]:
                         check_scenario(driver, r, s, kit["sizes"], e))
    for feature, work, users in features.CHECKS:
        for name in users:
            if name in rules:
                if feature == "memory" and is_simulated(kit) and driver.memory()[1] > 1 << 30:
                    report.add(f"{name}.{feature}", "skipped", ["a simulated GPU of more than 1 GiB"])
                    continue
                report.check(f"{name}.{feature}", lambda w=work, n=name: w(driver, rules, n))
    torch_checks.check_all(report)


def main(given: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tensors only, and no speed")
    parser.add_argument("--only", metavar="PATTERN", default=".*", help="rules by name, such as 'adam.*'")
    parser.add_argument("--part", choices=("checks", "speed"), help="one of the two parts")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write all results")
    parser.add_argument("--markdown", metavar="FILE", type=pathlib.Path, help="write the table of speed")
    parser.add_argument("--driver", metavar="LIBRARY", help="in place of libcuda.so.1")
    parser.add_argument("--device", metavar="NUMBER", type=int, default=0, help="which GPU")
    arguments = parser.parse_args(given)
    if arguments.driver:
        os.environ["TALWEG_CUDA_DRIVER"] = arguments.driver
    kit = json.loads((HERE / "kit.json").read_text())
    try:
        driver = Driver(arguments.device)
    except DriverError as error:
        print(f"no GPU: {error}", file=sys.stderr)
        return 2
    device = driver.description()
    print(f"{kit['talweg']} on {device['name']} (sm_{device['sm']}, {device['memory_bytes'] >> 30} GiB), "
          f"driver for CUDA {device['driver_cuda']}, Python {platform.python_version()}")
    report, table = Report(), []
    if arguments.part != "speed":
        check_all(report, driver, kit, arguments)
    if arguments.part == "speed" or not (arguments.part or arguments.quick):
        table = speed.measure_all(report, driver, kit, arguments.only)
    if arguments.json:
        arguments.json.write_text(json.dumps({"talweg": kit["talweg"], "device": device, "checks": report.checks,
                                              "speed": table}, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(speed.markdown(table, device))
    print(f"{report.count('ok')} ok, {report.count('FAILED')} failed, {report.count('skipped')} skipped")
    return 1 if report.count("FAILED") or not report.checks else 0


if __name__ == "__main__":
    sys.exit(main())
