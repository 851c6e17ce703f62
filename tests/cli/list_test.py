#!/usr/bin/env python3
"""talweg list: what it shows of the library and of modules, in which form, and how it ends."""
import contextlib
import json
import os
import subprocess
import sys
import unittest

from cli_test import ROOT, TALWEG, CommandTest

MODULE = """/// Clips: a sentence. Another one.
///
/// Source   nobody.
rule Clipped {
  /// The bound.
  hyper limit = 1 in (0, inf)
  hyper const mode = hard in {hard, soft}
  state model count = 2
  state soft_bound = limit
  input model loss
  step {
    count += loss
    if mode == soft { soft_bound += limit }
    grad = clip(grad, -limit, limit)
  }
}

/// Twice Clipped, then AdamW.
rule Both = Clipped(limit = 2) | AdamW(lr = half(t, 2))

/// One arm or the other.
rule Arms {
  hyper const shift = 1e-8
  hyper twice = shift * 2
  hyper const sizes = [1, 2, 3]
  when rank == 2 and not tagged("embedding"): SGD(momentum = 0.9, lr = twice, dampening = shift / 2)
  otherwise:                                  AdamW
}

/// Half of it.
fn half(t, x, y = 1 / 2) = x * y + 0 * t
"""


class List(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "clips.tw").write_text(MODULE, encoding="utf-8")

    def objects(self, *arguments):
        return [json.loads(line) for line in self.talweg("list", "--json", *arguments).stdout.splitlines()]

    def test_the_library_a_line_each(self):
        text = self.talweg("list").stdout
        lines = text.splitlines()
        self.assertFalse([line for line in lines if line.endswith("...")])
        self.assertNotIn("\x1b", text)
        rules, stages, schedules = (next(i for i, line in enumerate(lines) if line.startswith(word))
                                    for word in ("Rules", "Stages", "Schedules"))
        where = {line.split()[0]: i for i, line in enumerate(lines) if line.startswith("  ")}
        self.assertTrue(rules < where["AdamW"] < stages < where["Ema"] < schedules < where["cosine"])
        self.assertTrue(stages < where["ClipValue"] < schedules)
        self.assertIn("  Adam with weight decay kept out of the gradient", lines[where["AdamW"]])

    def test_lines_fit_a_terminal(self):
        end, terminal = self.terminal()
        with subprocess.Popen([TALWEG, "list"], stdout=terminal, cwd=self.folder,
                              env={**os.environ, "NO_COLOR": "1"}) as process:
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):  # at the end of what it wrote
                while part := os.read(end, 65536):
                    shown += part
            os.close(end)
            self.assertEqual(process.wait(60), 0)
        lines = shown.decode().splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertTrue([line for line in lines if line.endswith("...")])

    def test_every_rule_of_the_library_can_be_shown(self):
        entries = self.objects()
        declared = sum(line.startswith(("rule ", "fn ")) for file in (ROOT / "stdlib").glob("*.tw")
                       for line in file.read_text(encoding="utf-8").splitlines())
        self.assertEqual(len(entries), declared)
        self.assertTrue(all(entry["summary"] for entry in entries))
        details = self.objects(*(entry["name"] for entry in entries))
        self.assertEqual([entry["name"] for entry in details], [entry["name"] for entry in entries])
        for entry in details:
            if entry["sort"] == "rule":
                self.assertTrue(entry["hypers"], entry["name"])

    def test_a_rule_in_full(self):
        text = self.talweg("list", "AdamW").stdout
        for part in ("stdlib/adamw.tw:", "param <- param - lr * weight_decay * param", "arXiv:1711.05101",
                     "  m  element  from 0",
                     "8 bytes of state a parameter in float32"):
            self.assertIn(part, text)
        self.assertRegex(text, r"\n  eps_place +corrected +\{corrected, raw[^}]*\} +const\n")
        adamw = self.objects("AdamW")[0]
        self.assertEqual(adamw["state_bytes_per_parameter_float32"], 8)
        self.assertIn({"name": "beta1", "default": "0.9", "limits": "[0, 1)", "kind": ""}, adamw["hypers"])
        self.assertIn("Loshchilov", adamw["source"])

    def test_a_function_in_full(self):
        self.assertIn("cosine(t, peak, total, end = 0, power = 1)\nschedule, ", self.talweg("list", "cosine").stdout)
        self.assertEqual(self.objects("cosine")[0]["parameters"][3], {"name": "end", "default": "0"})

    def test_modules_of_ones_own(self):
        text = self.talweg("list", "clips").stdout
        self.assertIn("  clips.Both  Twice Clipped, then AdamW\n", text)
        self.assertIn("  clips.Clipped  Clips: a sentence\n", text)
        self.assertIn("  clips.half  Half of it\n", text)
        text = self.talweg("list", "clips.Clipped").stdout
        for part in ("stage, clips.tw:4", "  Source   nobody.", "The bound.", "count       model    from 2",
                     "soft_bound  element  from limit  (not by default)", "  loss  model",
                     "0 bytes of state a parameter in float32, 0 in float64, 1 number a model"):
            self.assertIn(part, text)
        both = self.objects("clips.Both")[0]
        self.assertIn("beta1", [hyper["name"] for hyper in both["hypers"]])
        self.assertNotIn("lr", [hyper["name"] for hyper in both["hypers"]])  # the schedule gives it
        self.assertEqual(both["state_bytes_per_parameter_float32"], 8)

    def test_a_pipeline_says_what_is_true_of_its_stages(self):
        chosen = self.objects("clips.Arms")[0]
        self.assertEqual(chosen["state_bytes_per_parameter_float32"], 8)
        self.assertEqual(chosen["state_bytes_per_parameter_float64"], 16)
        self.assertTrue(chosen["state_depends_on_tensor"])
        for dtype, size in (("float32", 8), ("float64", 16)):
            plan = self.talweg("dump", "--stage", "plan", "--dtype", dtype, "--rule", "clips.Arms").stdout
            self.assertIn(f"\nstate: {size} bytes per element\n", plan)
        defaults = {hyper["name"]: hyper["default"] for hyper in chosen["hypers"]}
        self.assertEqual([defaults[name] for name in ("shift", "twice", "sizes", "eps")],
                         ["1e-8", "shift * 2", "[1, 2, 3]", "1e-8"])
        fixed = {hyper["name"]: hyper.get("bound_to", hyper.get("value")) for hyper in chosen["fixed_hypers"]}
        self.assertEqual([fixed[name] for name in ("momentum", "sgd.lr", "dampening", "nesterov")],
                         ["0.9", "twice", "5e-09", "false"])
        self.assertFalse(fixed.keys() & defaults.keys())
        text = self.talweg("list", "clips.Arms").stdout
        for part in ('  velocity  element  from 0  where rank == 2 and not tagged("embedding")\n',
                     '  m         element  from 0  where not (rank == 2 and not tagged("embedding"))\n',
                     "up to 8 bytes of state a parameter in float32, 16 in float64",
                     "  momentum         fixed to 0.9\n", "  sgd.lr           bound to twice\n"):
            self.assertIn(part, text)

    def test_hypers_that_can_be_set_and_those_that_cannot(self):
        chosen = self.objects("clips.Arms")[0]
        trace = ("trace", "--rule", "clips.Arms", "--steps", "1", "--function", "sphere")
        settings = []
        for hyper in chosen["hypers"]:
            if "const" not in hyper["kind"]:
                settings += ["--set", f"{hyper['name']}=0.5"]
        self.assertGreater(len(settings), 8)
        self.talweg(*trace, *settings)
        for name in ("momentum", "sgd.lr", "eps_place"):
            self.assertIn(name, [hyper["name"] for hyper in chosen["fixed_hypers"]])
            self.talweg(*trace, "--set", f"{name}=0", code=2)

    def test_a_pipeline_as_it_is_written(self):
        both = self.objects("clips.Clipped(limit = 2) | AdamW | Ema")[0]
        self.assertEqual(both["name"], "clips.Clipped(limit = 2) | AdamW | Ema")
        self.assertNotIn("file", both)
        self.assertEqual(both["views"][0]["name"], "averaged")
        self.assertEqual({hyper["name"]: hyper["default"] for hyper in both["hypers"]}["limit"], "2")
        self.assertEqual({state["name"]: state["initial"] for state in both["states"]},
                         {"count": "2", "m": "0", "v": "0", "average": "param"})
        self.assertIn("did you mean `AdamW`?", self.talweg("list", "AdmaW | Ema", code=1).stderr)

    def test_modules_of_a_folder(self):
        folder = self.folder / "more"
        folder.mkdir()
        (folder / "other.tw").write_text("/// One.\nfn one(x) = x\n", encoding="utf-8")
        self.assertIn("  other.one ", self.talweg("list", "-I", folder).stdout)
        self.assertIn("One.", self.talweg("list", "-I", folder, "other.one").stdout)

    def test_names_that_are_not_there(self):
        for name, near in (("adamw", "AdamW"), ("AdmaW", "AdamW"), ("clips.Cliped", "clips.Clipped"), ("clips.tw", "clips"),
                           ("adamw.tw", "AdamW")):
            self.assertIn(f"did you mean {near}?", self.talweg("list", name, code=2).stderr)
        self.assertIn("'talweg list' shows", self.talweg("list", "qqqqqqqqqqqq", code=2).stderr)

    def test_a_file_in_place_of_a_module(self):
        (self.folder / "one.tw").write_text("rule P = AdamW\n", encoding="utf-8")
        self.assertIn("did you mean one?", self.talweg("list", "one.tw", code=2).stderr)
        self.assertIn(f"talweg list -I {self.folder} one\n", self.talweg("list", self.folder / "one.tw", code=2).stderr)

    def test_a_folder_that_is_not_there(self):
        for command in (["list"], ["check", "mine.tw"], ["dump", "--rule", "AdamW"], ["plan", "AdamW"], ["repl"],
                        ["trace", "--rule", "AdamW", "--function", "sphere"],
                        ["train", "--rule", "AdamW", "--data", "mine.tw", "--target", "x"]):
            self.assertIn("there is no folder 'nodir'", self.talweg(*command, "-I", "nodir", code=2).stderr)

    def test_a_module_with_errors(self):
        (self.folder / "broken.tw").write_text("rule A { step { update = } }\n", encoding="utf-8")
        self.assertIn("broken.tw:1:", self.talweg("list", "broken", code=1).stderr)
        (self.folder / "wrong.tw").write_text("rule A { step { update = beta * grad } }\n", encoding="utf-8")
        self.assertIn("wrong.tw:1:", self.talweg("list", "wrong.A", code=1).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
