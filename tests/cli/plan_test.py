#!/usr/bin/env python3
"""`talweg plan`: what it says of every rule of the library, of pipelines and of rules of its own; data; usage.

    plan_test.py TALWEG ROOT

What it says is kept in tests/plan/library: summary.txt, a line a rule (phases, bytes of each, bytes of all, bytes of state), and
some plans in full. A plan that changes shows in them; TALWEG_UPDATE_GOLDENS=1 writes what is said now.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

TALWEG, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
GOLDENS = ROOT / "tests/plan/library"
UPDATES = "TALWEG_UPDATE_GOLDENS" in os.environ
FULL = {
    "adamw": "AdamW",
    "lookahead": "AdamW | Lookahead",
    "clip_adamw_ema": "lab.ClipNorm | AdamW | Ema",
    "trusted": "lab.Trusted",
    "factored": "lab.Factored",
    "careful": "lab.Careful | AdamW",
    "accumulate": "AccumulateGradient | AdamW",
    "sam": "SAM | AdamW",
    "looksam": "LookSAM | SGD(momentum = 0.9)",
    "looksam_adamw": "LookSAM | AdamW",
    "seldom": "lab.Seldom | AdamW",
    "asks_only": "lab.AsksOnly | SGD(momentum = 0.9)",
    "arms": "lab.Arms",
    "nested": "lab.Nested",
}


def talweg(*arguments, code=0, **environment):
    result = subprocess.run([TALWEG, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
                            env={**os.environ, "TALWEG_STDLIB": str(ROOT / "stdlib"), **environment})
    if result.returncode != code:
        raise AssertionError(f"{arguments} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def plan(rule, *arguments):
    return json.loads(talweg("plan", "-I", GOLDENS, rule, "--json", *arguments).stdout)


def library():
    listed = [json.loads(line) for line in talweg("list", "--json").stdout.splitlines()]
    return sorted(entry["name"] for entry in listed if entry["sort"] in ("rule", "stage"))


def summary(rule):
    """`AdamW 28 = 28 routes 1 loops 2 states 8/element`: bytes of all phases and of each, per parameter."""
    data = plan(rule)
    phases = " + ".join(str(phase["bytes_per_parameter"]["total"]) for phase in data["phases"])
    states = ", ".join(f"{count}/{rate}" for rate, count in data["state_bytes"].items()) or "none"
    loops = max(sum(len(part["loops"]) for part in one["routes"]) for phase in data["phases"] for one in phase["passes"])
    return f"{rule:<30} {data['bytes_per_parameter']['total']:>3} = {phases:<16} routes {len(data['routes'])}  loops {loops:<2} states {states}\n"


class Goldens(unittest.TestCase):
    maxDiff = None

    def compare(self, name, text):
        path = GOLDENS / name
        if UPDATES:
            path.write_text(text, encoding="utf-8")
        self.assertEqual(path.read_text(encoding="utf-8"), text, f"{path}: TALWEG_UPDATE_GOLDENS=1 accepts what is said now")

    def test_summary_of_the_library(self):
        rules = library()
        self.assertGreater(len(rules), 60)
        self.compare("summary.txt", "".join(map(summary, rules + ["lab.ClipNorm | AdamW | Ema", "lab.Trusted", "lab.Factored",
                                                                  "lab.Careful | AdamW", "lab.Arms", "lab.Nested"])))

    def test_plans_in_full(self):
        for name, rule in FULL.items():
            with self.subTest(rule):
                self.compare(f"{name}.plan.txt", talweg("plan", "-I", GOLDENS, rule).stdout)

    def test_lines_are_narrow_and_say_no_nodes(self):
        for rule in [*library(), *FULL.values()]:
            text = talweg("plan", "-I", GOLDENS, rule).stdout
            self.assertLessEqual(max(map(len, text.splitlines())), 100, text)
            self.assertNotRegex(text, r"%\d", rule)  # names of the graph's values


class Data(unittest.TestCase):
    def test_sums_agree(self):
        """What phases, routes and loops move adds up to what the whole does."""
        for rule in [*library(), *FULL.values()]:
            data = plan(rule)
            with self.subTest(rule):
                self.assertEqual(sum(phase["bytes_per_parameter"]["total"] for phase in data["phases"]),
                                 data["bytes_per_parameter"]["total"])
                self.assertEqual(max(route["bytes_per_parameter"]["total"] for route in data["routes"]),
                                 data["bytes_per_parameter"]["total"])
                for phase in data["phases"]:
                    for one in phase["passes"]:
                        for part in one["routes"]:
                            moved = part["bytes_per_parameter"]
                            self.assertEqual(moved["read"], 4 * len(part["reads"]))
                            self.assertEqual(moved["written"], 4 * len(part["writes"]))
                            self.assertEqual(max(loop["bytes_per_parameter"]["total"] for loop in part["loops"]), moved["total"])

    def test_float64_moves_twice_as_much(self):
        for rule in FULL.values():
            narrow, wide = plan(rule), plan(rule, "--dtype", "float64")
            self.assertEqual((narrow["dtype"], wide["dtype"]), ("float32", "float64"))
            self.assertEqual(wide["bytes_per_parameter"]["total"], 2 * narrow["bytes_per_parameter"]["total"], rule)
            self.assertEqual(wide["state_bytes"].get("element"), 2 * narrow["state_bytes"]["element"], rule)

    def test_what_waits_for_what(self):
        first, second = plan("lab.ClipNorm | AdamW")["phases"]
        self.assertIsNone(first["waits_for"])
        self.assertEqual((second["waits_for"], second["known"]), ("model", ["norm(grad) per model"]))
        self.assertEqual([phase["waits_for"] for phase in plan("lab.Factored")["phases"]], [None, "matrix", "matrix", "tensor"])
        self.assertEqual(plan("lab.Trusted")["phases"][1]["passes"][0]["routes"][0]["reads_back"], ["new m", "new v"])

    def test_rows_are_of_matrices_only(self):
        lines = plan("lab.Factored")["phases"][0]["passes"][0]
        self.assertEqual((lines["over"], [part["route"] for part in lines["routes"]]), ("lines", [1]))

    def test_what_cannot_be_is_not_said(self):
        """No route that no tensor takes, no loop that no call takes, no state that takes no memory."""
        data = plan("lab.Nested")
        self.assertEqual([route["condition"] for route in data["routes"]],
                         ["rank >= 2", 'rank < 2 and named "*.bias"', 'rank < 2 and not named "*.bias"'])
        kept = {state["name"]: state["condition"] for state in data["states"]}
        self.assertEqual((kept["r"], kept["lamb.m"]), ("false", "rank >= 2"))
        self.assertEqual(set(data["state_bytes"]), {"element"})
        self.assertEqual([loop["condition"] for loop in data["phases"][1]["passes"][0]["routes"][1]["loops"]],
                         ["beta > 0", None])
        self.assertFalse([text for phase in data["phases"] for text in phase["known"] if text.startswith("max(")])

    def test_reductions_are_called_as_in_the_rule(self):
        known = {text for phase in plan("lab.Careful | AdamW")["phases"] for text in phase["known"]}
        self.assertEqual(known, {"any(not is_finite(grad)) per model", "max(abs(grad)) per model"})

    def test_where_the_call_returns(self):
        returns = [phase["returns_for_gradient"] for phase in plan("lab.AsksOnly | SGD")["phases"]]
        self.assertEqual(returns, [{"condition": None, "gradient": "grad 2"}, {"condition": "t > 3", "gradient": "grad 3"},
                                   {"condition": "false", "gradient": "grad 4"}, None])
        text = talweg("plan", "-I", GOLDENS, "lab.AsksOnly | SGD").stdout
        self.assertNotIn("nothing to do", text)
        self.assertIn("the step goes on: no call asks for grad 4", text)

    def test_a_loop_of_steps_that_do_not_wait_reads_the_first_gradient(self):
        moves = plan("lab.Seldom | AdamW")["phases"][1]["passes"][0]["routes"][0]
        waited = [loop for loop in moves["loops"] if loop["condition"] == "t % every == 0"]
        others = [loop for loop in moves["loops"] if loop["condition"] is None]
        self.assertTrue(waited and others)
        for loop in waited:
            self.assertEqual(loop["reads"], ["grad 2", "m", "v", "scratch 0"])
        for loop in others:
            self.assertEqual(loop["reads"], ["param", "grad", "m", "v"])

    def test_measured(self):
        data = plan("AdamW", "--measure", "--threads", "1")["measured"]
        self.assertGreater(data["bytes_per_second"], 0)
        self.assertAlmostEqual(data["seconds"] * data["bytes_per_second"], 28e8, delta=1)
        self.assertNotIn("measured", plan("AdamW"))
        text = talweg("plan", "AdamW", "--measure").stdout
        self.assertRegex(text, r"\n100 million parameters: 2\.80 GB, about [0-9.e+]+ s at the [0-9.]+ GB/s measured with \d+ threads?\n")


class Warnings(unittest.TestCase):
    """Of gradients that a rule asks for: pipelines that make sense are not warned about, others once."""
    SENSIBLE = ["SAM | AdamW", "SAM | ClipByGlobalNorm | AdamW", "ASAM | SGD", "LookSAM | AdamW", "LookSAM(over = tensor) | LAMB", "GSAM | AdamW",
                "GSAM(adaptive = true) | SGD | Ema", "FriendlySAM | SGD", "SAM | SAM | SGD", "SkipNonFinite | SAM | AdamW",
                "ReduceOnPlateau | SAM | AdamW", "ZeroNans | SAM | ZeroNans | AdamW", "SAM | SGD | Lookahead", "SAM | ScheduleFreeSGD",
                "ClipByGlobalNorm | lab.Sharpness | AdamW", "lab.Seldom | AdamW", "SAM"]
    TW0712 = ["ClipByGlobalNorm | SAM | AdamW", "ClipByGlobalNorm | LookSAM | AdamW", "ClipByGlobalNorm | GSAM | AdamW",
              "lab.ClipNorm | lab.Seldom | AdamW"]
    TW0713 = ["AdamW | SAM", "AdamW | GSAM", "AdamW | LookSAM", "ClipByGlobalNorm | AdamW | SAM", "AdamW | lab.Seldom", "SAM | Lookahead",
              "lab.MovesFirst"]

    def test_of_the_library(self):
        for rules, codes in ((self.SENSIBLE, []), (self.TW0712, ["TW0712"]), (self.TW0713, ["TW0713"])):
            for rule in rules:
                with self.subTest(rule):
                    said = talweg("plan", "-I", GOLDENS, rule).stderr
                    self.assertEqual(re.findall(r"\[(TW\d+)\]", said), codes, said)


class Usage(unittest.TestCase):
    def test_wrong_usage_ends_with_2(self):
        for arguments in (["plan"], ["plan", ""], ["plan", " "], ["plan", "AdamW", "--set", "lr=1"], ["plan", "AdamW", "--dtype", "float16"],
                          ["plan", "AdamW", "--threads", "2"], ["plan", "AdamW", "SGD"]):
            result = talweg(*arguments, code=2)
            self.assertEqual(result.stdout, "", arguments)
            self.assertNotEqual(result.stderr, "", arguments)
        self.assertIn("AdamW(lr = 0.1)", talweg("plan", "AdamW", "--set", "lr=1", code=2).stderr)

    def test_wrong_rules_end_with_1(self):
        result = talweg("plan", "AdaW", code=1)
        self.assertEqual(result.stdout, "")
        self.assertIn("AdaW", result.stderr)

    def test_rule_is_an_argument_or_an_option(self):
        self.assertEqual(talweg("plan", "SGD").stdout, talweg("plan", "--rule", "SGD").stdout)

    def test_a_file_gets_no_colour(self):
        self.assertNotIn("\x1b", talweg("plan", "SGD", NO_COLOR="").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
