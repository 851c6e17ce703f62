"""The checks of rules: scenarios by their digests, and features beside the CPU."""
from __future__ import annotations

import argparse
import json
import pathlib
from typing import Any, Callable, Sequence

import features
import features_alone
from children import Checks, Task
from cuda import Driver
from library import Rule
from model import Gpu, Host, differences, digest
from scenarios import QUICK, SCENARIOS, Scenario, run

HERE = pathlib.Path(__file__).resolve().parent


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


def _rule_task(kit: dict[str, Any], name: str, scenarios: Sequence[Scenario], expected: dict[str, Any], device: int) -> Task:
    def work(checks: Checks) -> None:
        driver, rule = Driver(device), Rule(HERE / "libraries" / f"{name}.so")
        for scenario in scenarios:
            checks.check(f"{name}.{scenario.name}", lambda s=scenario:
                         check_scenario(driver, rule, s, kit["sizes"], expected[s.name]))
    return Task(name, work, [f"{name}.{scenario.name}" for scenario in scenarios])


def _feature_task(kit: dict[str, Any], feature: str, check: Callable[..., list[str]], names: Sequence[str], device: int) -> Task:
    def work(checks: Checks) -> None:
        driver = Driver(device)
        rules = {name: Rule(HERE / "libraries" / f"{name}.so") for name in names}
        for name in names:
            if feature == "memory" and is_simulated(kit) and driver.memory()[1] > 1 << 30:
                if checks.begin(f"{name}.{feature}"):
                    checks.add(f"{name}.{feature}", "skipped", ["a simulated GPU of more than 1 GiB"])
                continue
            checks.check(f"{name}.{feature}", lambda n=name: check(driver, rules, n))
    return Task(feature, work, [f"{name}.{feature}" for name in names], is_alone=feature == "memory")


def tasks(kit: dict[str, Any], names: Sequence[str], arguments: argparse.Namespace) -> list[Task]:
    """One for each rule, and one for each feature."""
    expected = json.loads((HERE / "expected.json").read_text())
    scenarios = [scenario for scenario in SCENARIOS if not arguments.quick or scenario.name in QUICK]
    found = [_rule_task(kit, name, scenarios, expected[name], arguments.device) for name in names]
    for feature, check, users in (*features.CHECKS, *features_alone.CHECKS):
        if users := [name for name in users if name in names]:
            found.append(_feature_task(kit, feature, check, users, arguments.device))
    return found
