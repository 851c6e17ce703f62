#!/usr/bin/env python3
"""Tests talweg on this machine's GPU. It needs NVIDIA's driver and Python 3.9 or later; with PyTorch there is more
that it does. One line a check; ends with 0 where nothing has failed and all has run.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import signal
import sys
import time
from typing import Any, NoReturn, Optional, Sequence

import rule_checks
import speed
import torch_checks
from children import Checks, Children, Task, describe
from cuda import Driver, DriverError
from selection import NoSuchRule, select_rules

HERE = pathlib.Path(__file__).resolve().parent


class Report:
    """Lines as they come, and files that are complete after each of them."""

    def __init__(self, kit: dict[str, Any], json_file: Optional[pathlib.Path], markdown: Optional[pathlib.Path]) -> None:
        self.device: dict[str, Any] = {}
        self.checks: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.is_over = False
        self._kit, self._json, self._markdown = kit, json_file, markdown

    def add(self, check: dict[str, Any]) -> None:
        self.checks.append(check)
        print(f"{check['result']:8}{check['name']}" + "".join(f"\n        {line}" for line in check["details"]), flush=True)
        self.save()

    def take(self, message: dict[str, Any]) -> None:
        """What tasks send besides checks."""
        if "device" in message:
            self.device = message["device"]
        if "row" in message:
            self.rows.append(message["row"])
        self.save()

    def save(self) -> None:
        texts = {self._json: json.dumps({"talweg": self._kit["talweg"], "device": self.device, "is_over": self.is_over,
                                         "checks": self.checks, "speed": {"rows": self.rows}}, indent=1) + "\n",
                 self._markdown: speed.markdown(self.rows, self.device)}
        for path, text in texts.items():
            if path:
                part = path.with_name(path.name + ".part")
                part.write_text(text)
                os.replace(part, path)

    def count(self, result: str) -> int:
        return sum(check["result"] == result for check in self.checks)


def describe_device(device: int) -> Task:
    """Whether there is a GPU, and which."""
    def work(checks: Checks) -> None:
        checks.begin("the device")
        try:
            checks.send({"device": Driver(device).description()})
        except DriverError as error:
            checks.send({"device": {"error": str(error)}})
    return Task("the device", work)


def run_here(tasks: Sequence[Task], report: Report) -> None:
    """All in this process, for debuggers and NVIDIA's sanitizer."""
    def send(message: dict[str, Any]) -> None:
        if "check" in message:
            report.add(message["check"])
        elif "begin" not in message:
            report.take(message)
    for task in tasks:
        try:
            task.work(Checks(send))
        except Exception as error:  # pylint: disable=broad-except
            Checks(send).add(task.name, "FAILED", describe(error))


def parse(given: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tensors only, and no speed")
    parser.add_argument("--only", metavar="PATTERN", help="rules by name, such as 'adam.*|lion'")
    parser.add_argument("--part", choices=("checks", "speed"), help="one of the two parts")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write all results, after each of them")
    parser.add_argument("--markdown", metavar="FILE", type=pathlib.Path, help="write the table of speed, too")
    parser.add_argument("--limit", metavar="SECONDS", type=float, help="then end, and say what has not run")
    parser.add_argument("--check-limit", metavar="SECONDS", type=float, default=180.0,
                        help="a check that takes longer has failed (180)")
    parser.add_argument("--jobs", metavar="NUMBER", type=int, default=min(4, os.cpu_count() or 1),
                        help="checks at a time (4, or as many as processors); speed is measured alone")
    parser.add_argument("--in-process", action="store_true", help="no child processes, and so no limits of time")
    parser.add_argument("--driver", metavar="LIBRARY", help="in place of libcuda.so.1")
    parser.add_argument("--device", metavar="NUMBER", type=int, default=0, help="which GPU")
    return parser.parse_args(given)


def interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def main(given: Optional[Sequence[str]] = None) -> int:
    arguments = parse(given)
    end = time.monotonic() + arguments.limit if arguments.limit is not None else None
    if arguments.driver:
        os.environ["TALWEG_CUDA_DRIVER"] = arguments.driver
    kit = json.loads((HERE / "kit.json").read_text())
    try:
        names = select_rules(arguments.only, list(kit["rules"]))
    except NoSuchRule as error:
        print(f"--only: {error}", file=sys.stderr)
        return 2
    report = Report(kit, arguments.json, arguments.markdown)

    def run(tasks: Sequence[Task], check_limit: float, end: Optional[float]) -> None:
        if arguments.in_process:
            run_here(tasks, report)
        else:
            Children(report.add, report.take, max(1, arguments.jobs), check_limit, end).run(tasks)
    run([describe_device(arguments.device)], max(60.0, arguments.check_limit), None)
    if "name" not in report.device:
        print(f"no GPU: {report.device.get('error', 'it could not be asked')}", file=sys.stderr)
        return 2
    device = report.device
    print(f"{kit['talweg']} on {device['name']} (sm_{device['sm']}, {device['memory_bytes'] >> 30} GiB), "
          f"driver for CUDA {device['driver_cuda']}, Python {platform.python_version()}")
    tasks: list[Task] = []
    if arguments.part != "speed":
        tasks += rule_checks.tasks(kit, names, arguments) + torch_checks.tasks(arguments.device)
    if arguments.part == "speed" or not (arguments.part or arguments.quick):
        tasks += speed.tasks(kit, names, arguments.device)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        run(tasks, arguments.check_limit, end)
        report.is_over = True
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    report.save()
    print(f"{report.count('ok')} ok, {report.count('FAILED')} failed, {report.count('skipped')} skipped, "
          f"{report.count('not run')} not run")
    return 1 if report.count("FAILED") or report.count("not run") or not report.checks else 0


if __name__ == "__main__":
    sys.exit(main())
