"""Runs of rules whose results are the same bits on the CPU and on a GPU. What they come to on the
CPU is in the kit as digests (expected.json): build_kit.py makes them, run_kit.py holds a GPU to them.
"""
from __future__ import annotations

from typing import Any, NamedTuple

from library import Rule
from model import Model, Results

OUTCOMES = "CHS"  # completed, held, skipped


class Scenario(NamedTuple):
    name: str
    steps: int
    groups: int = 1
    offset: int = 0  #: of addresses, in elements
    #: In the third step the second tensor has no gradient; before it a hyper changes.
    is_varied: bool = False


SCENARIOS = (
    Scenario("small", 5, groups=2, is_varied=True),
    Scenario("unaligned", 3, groups=2, offset=1),
    Scenario("odd", 3),
    Scenario("many", 3, groups=3),
    Scenario("large", 2),
)
QUICK = ("small", "unaligned")
#: Rules that refuse tensors of fewer or more dimensions.
RANKS = {"racs": (2, 9), "rowwiseadagrad": (2, 9), "sm3": (0, 2)}
#: What a test without a GPU takes for the numbers of kit.json.
SMALL_SIZES = {"odd": 300, "many": 40, "large": 5000}
SIZES = {"odd": 1 << 18, "many": 10000, "large": 1 << 24}


def shapes_of(scenario: str, sizes: dict[str, int]) -> list[tuple[int, ...]]:
    """The tensors of a scenario."""
    if scenario == "small":
        return [(131,), (7, 5), (), (0, 3), (3, 4, 5), (1, 40), (40, 1), (513,)]
    if scenario == "unaligned":
        return [(1023,), (33, 65), (2,), (3, 129), (257,)]
    most = sizes[scenario]
    if scenario == "odd":
        shapes: Any = [(most - 1,), (most + 1,), (3, most // 4 + 1), (most // 4 + 3, 3)]
        return shapes + [(side, side + 2) for side in (31, 127, 255) if side * side < 4 * most]
    if scenario == "many":
        return [(i % 61 + 1,) if i % 3 else (i % 7 + 1, i % 11 + 1) for i in range(most)]
    side = int(most ** 0.5)
    return [(most + 3,), (side // 2 + 1, side - 1)]


def run(scenario: Scenario, rule: Rule, place: Any, sizes: dict[str, int]) -> tuple[str, Results]:
    """How the steps ended, a letter each, and what they have left."""
    fewest, most = RANKS.get(rule.name, (0, 9))
    shapes = [shape for shape in shapes_of(scenario.name, sizes) if fewest <= len(shape) <= most]
    model = Model(place, rule, shapes, scenario.groups, scenario.offset)
    ends = ""
    try:
        for step in range(1, scenario.steps + 1):
            if scenario.is_varied and step == 3:
                model.set_hypers()
            ends += OUTCOMES[model.step([1] if scenario.is_varied and step == 3 else [])]
        results = model.results()
        if scenario.is_varied:
            for view in rule.views:
                results.update(model.view(view))
        return ends, results
    finally:
        model.close()
