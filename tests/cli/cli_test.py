#!/usr/bin/env python3
"""The command as a user types it: exit codes, what goes where, files, pipes, signals, a full disk, the REPL."""
import csv
import io
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TALWEG, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
DIGITS = ROOT / "examples/data/digits.csv.gz"
RULE = """/// Clips, then momentum.
rule Mine {
  hyper lr = 0.1 in [0, inf)
  state m
  step {
    m = 0.9 * m + clip(grad, -1, 1)
    update = lr * m
  }
}
"""


class CommandTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        (self.folder / "mine.tw").write_text(RULE, encoding="utf-8")

    def tearDown(self):
        self._folder.cleanup()

    def terminal(self):
        """Both ends of a pseudo-terminal, where the system has any (a container may not)."""
        try:
            return pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal: {error}")

    def talweg(self, *arguments, code=0, text_in=None, **options):
        environment = {**os.environ, "TALWEG_CACHE_DIR": str(self.folder / "cache"), **options.pop("env", {})}
        result = subprocess.run([TALWEG, *map(str, arguments)], cwd=self.folder, input=text_in, capture_output=True, text=True,
                                env=environment, timeout=300, check=False, **options)
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result

    def train(self, *arguments, rule="mine.Mine", code=0, **options):
        return self.talweg("train", "--rule", rule, "--data", DIGITS, "--target", "label", "--model", "mlp:64-16-10", "--epochs", 2,
                           "--batch", 64, *arguments, code=code, **options)


class Usage(CommandTest):
    def test_help_and_version(self):
        self.assertIn("train", self.talweg("--help").stdout)
        self.assertRegex(self.talweg("--version").stdout, r"^talweg \d+\.\d+\.\d+\n$")
        for name in ("check", "train", "predict", "trace", "repl", "replay", "dump", "explain", "fmt", "list", "plan"):
            self.assertIn("--help", self.talweg(name, "--help").stdout, name)

    def test_wrong_usage_ends_with_2(self):
        for arguments in ([], ["tarin"], ["train"], ["check"], ["check", "--jsn", "mine.tw"], ["trace", "--rule", "AdamW"],
                          ["trace", "--rule", "AdamW", "--function", "nothing"], ["explain", "TW9999"], ["explain"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--isa", "x86-64-v9"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--set", "lr"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--set", "lr=-1"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--set", "rl=1"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--set", "lr=1e400"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--set", "4294967296:lr=0.1"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--steps", "-1"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--every", "0"],
                          ["trace", "--rule", "AdamW(beta1 = 0.9999999999)", "--function", "booth", "--dtype", "float32"],
                          ["dump", "--rule", "AdamW", "--set", "lr=1"],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--start", "1,2,3"]):
            result = self.talweg(*arguments, code=2)
            self.assertEqual(result.stdout, "", arguments)
            self.assertNotEqual(result.stderr, "", arguments)

    def test_empty_names_are_refused(self):
        for arguments in (["trace", "--rule", "AdamW", "--function", "booth", "--out", ""],
                          ["predict", "run", "--data", "x.csv", "--out", ""],
                          ["train", "--rule", "AdamW", "--model", "function:booth", "--out", ""],
                          ["trace", "--rule", "AdamW", "--function", "booth", "--view", ""],
                          ["train", "--rule", "AdamW", "--model", "function:booth", "--view", ""],
                          ["train", "--rule", "AdamW", "--model", "function:booth", "--init", ""],
                          ["train", "--rule", "AdamW", "--model", "function:booth", "--order", ""]):
            error = self.talweg(*arguments, code=2).stderr
            self.assertIn(arguments[-2], error)
            self.assertIn("empty", error)

    def test_empty_entries_of_lists_are_refused(self):
        for arguments in (["trace", "--rule", "AdamW", "--function", "booth", "--start"],
                          ["train", "--rule", "AdamW", "--model", "function:booth", "--start"],
                          ["replay", "absent.json", "--tensors"]):
            for given in ("1,,2", ",1,2", "1,2,", ","):
                error = self.talweg(*arguments[:-1], f"{arguments[-1]}={given}", code=2).stderr
                self.assertIn(f"{arguments[-1]}: an entry is empty in '{given}'", error)
            error = self.talweg(*arguments[:-1], f"{arguments[-1]}=1,x", code=2).stderr
            self.assertIn(f"{arguments[-1]}: 'x' is not a {'whole ' * (arguments[0] == 'replay')}number", error)
        for given in (["--start=3,-1.5e0"], ["--start", "3", "-1.5"]):
            shown = self.talweg("trace", "--rule", "SGD", "--function", "booth", "--steps", "0", *given).stdout
            self.assertEqual(shown.splitlines()[1].split(",")[-2:], ["3", "-1.5"])

    def test_ranges_of_counts_are_said(self):
        for flag, wrong, least, greatest in (("--seed", "9" * 23, 0, 2**64 - 1), ("--seed", "-1", 0, 2**64 - 1),
                                             ("--epochs", "9" * 23, 1, 2**64 - 1), ("--epochs", "0", 1, 2**64 - 1),
                                             ("--batch", "9" * 23, 0, 2**32 - 1), ("--batch", str(2**32), 0, 2**32 - 1)):
            error = self.talweg("train", "--rule", "AdamW", "--model", "linear", "--data", "generate:linear", flag, wrong, code=2).stderr
            self.assertIn(f"{flag}: '{wrong}' is not a whole number from {least} to {greatest}", error)

    def test_suggestions(self):
        for rule, setting, wanted in (("SGD", "momentum=0.9", "SGD(momentum = 0.9)"), ("AdamW | Ema", "0:eps_place=raw", "AdamW(eps_place = raw)")):
            error = self.talweg("trace", "--rule", rule, "--function", "booth", "--set", setting, code=2).stderr
            self.assertIn("is fixed when the rule is compiled: write `" + wanted + "`", error)
        error = self.talweg("trace", "--rule", "AdamW", "--function", "booth", "--set", "weight_dacay=1", code=2).stderr
        self.assertIn("weight_decay", error)


class Check(CommandTest):
    def test_good_file(self):
        result = self.talweg("check", "mine.tw")
        self.assertEqual((result.stdout, result.stderr), ("mine.tw: ok, 1 rule, 0 functions\n", ""))
        (self.folder / "viewed.tw").write_text(RULE.replace("  step {", "  view ahead = param - lr * m\n  step {"), encoding="utf-8")
        self.assertEqual(self.talweg("check", "viewed.tw").stdout, "viewed.tw: ok, 1 rule, 0 functions, 1 view (Mine.ahead)\n")

    def test_wrong_file(self):
        (self.folder / "wrong.tw").write_text(RULE.replace("* m\n", "* mm\n"), encoding="utf-8")
        result = self.talweg("check", "wrong.tw", code=1)
        self.assertEqual(result.stdout, "")
        self.assertIn("wrong.tw:7", result.stderr)
        self.assertIn("`m`", result.stderr)
        self.assertNotIn("\x1b[", result.stderr)

    def test_json(self):
        (self.folder / "wrong.tw").write_text(RULE.replace("* m\n", "* mm\n"), encoding="utf-8")
        result = self.talweg("check", "--json", "wrong.tw", code=1)
        entries = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual({"code": entries[0]["code"], "line": entries[0]["line"]}, {"code": "TW0201", "line": 7})
        self.assertEqual(self.talweg("check", "--json", "mine.tw").stdout, "")

    def test_files_that_are_none(self):
        for name, word in (("absent.tw", "absent.tw"), (".", "directory")):
            self.assertIn(word, self.talweg("check", name, code=3).stderr)

    def test_every_file_is_checked(self):
        (self.folder / "wrong.tw").write_text("rule R { step { update = x } }", encoding="utf-8")
        result = self.talweg("check", "wrong.tw", "mine.tw", code=1)
        self.assertIn("mine.tw: ok", result.stdout)

    def test_stdlib(self):
        files = sorted((ROOT / "stdlib").glob("*.tw"))
        self.assertGreater(len(files), 10)
        result = self.talweg("check", *files)
        self.assertEqual(result.stderr, "", "the standard library has warnings")

    def test_explain(self):
        self.assertIn("declared", self.talweg("explain", "tw0201").stdout)
        listed = self.talweg("explain", "--list").stdout.splitlines()
        self.assertGreater(len(listed), 20)
        for line in listed:
            self.assertGreater(len(self.talweg("explain", line.split()[0]).stdout.splitlines()), 3, line)


class Dump(CommandTest):
    def test_every_stage(self):
        for stage in ("syntax", "typed", "graph", "passes", "plan", "llvm", "asm"):
            self.assertIn("ine", self.talweg("dump", "--stage", stage, "--rule", "mine.Mine").stdout, stage)
        self.talweg("dump", "--stage", "nothing", "--rule", "mine.Mine", code=2)

    def test_asm_holds_no_calls(self):
        assembly = self.talweg("dump", "--stage", "asm", "--rule", "AdamW", "--isa", "x86-64-v3").stdout
        self.assertIn("vfmadd", assembly)


class Trace(CommandTest):
    def rows(self, *arguments, **options):
        output = self.talweg("trace", *arguments, **options).stdout
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(output))]

    def test_csv(self):
        rows = self.rows("--rule", "SGD(lr = 0.01)", "--function", "quadratic", "--steps", 500)
        self.assertEqual(len(rows), 501)
        self.assertLess(rows[-1]["value"], 1e-2 * rows[0]["value"])

    def test_isas_and_threads_agree(self):
        wanted = self.talweg("trace", "--rule", "AdamW(lr = 0.05)", "--function", "rosenbrock", "--backend", "interpreter").stdout
        for extra in (["--isa", "scalar"], ["--isa", "x86-64-v2"], ["--threads", "3"], ["--no-cache"], []):
            self.assertEqual(self.talweg("trace", "--rule", "AdamW(lr = 0.05)", "--function", "rosenbrock", *extra).stdout, wanted)

    def test_json_and_every(self):
        lines = self.talweg("trace", "--rule", "AdamW", "--function", "beale", "--steps", 10, "--every", 5, "--json").stdout
        self.assertEqual([json.loads(line)["step"] for line in lines.splitlines()], [0, 5, 10])

    def test_a_view_is_shown_instead_of_the_parameters(self):
        run = ("--rule", "SGD(lr = 0.01) | Ema(decay = 0.5)", "--function", "quadratic", "--steps", 20)
        points, view = self.rows(*run), self.rows(*run, "--view", "averaged")
        self.assertEqual(view[0], points[0])
        average = points[0]["x0"]
        for point, viewed in zip(points[1:], view[1:]):
            average = 0.5 * average + 0.5 * point["x0"]
            self.assertAlmostEqual(viewed["x0"], average, places=12)
        two = ("--rule", "SGD | Ema | Ema", "--function", "quadratic")
        error = self.talweg("trace", *two, "--view", "averaged", code=2).stderr
        self.assertIn("`ema.averaged`, `ema_2.averaged`", error)
        self.assertEqual(len(self.rows(*two, "--view", "ema_2.averaged", "--steps", 3)), 4)
        self.assertIn("has no view `slow`", self.talweg("trace", "--rule", "SGD", "--function", "quadratic", "--view", "slow", code=2).stderr)

    def test_divergence_ends_with_4(self):
        result = self.talweg("trace", "--rule", "SGD(lr = 10)", "--function", "rosenbrock", "--steps", 1000, code=4)
        self.assertRegex(result.stderr, r"step \d+")
        self.assertIn("step,value", result.stdout)

    def test_full_disk_and_missing_folder(self):
        for arguments in (["trace", "--rule", "AdamW", "--function", "beale", "--steps", "0"],
                          ["trace", "--rule", "AdamW", "--function", "beale"],
                          ["trace", "--rule", "AdamW", "--function", "beale", "--steps", "5000"],
                          ["explain", "--list"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                process = subprocess.run([TALWEG, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(process.returncode, 3, process.stderr)
            self.assertIn("No space left on device", process.stderr)
        self.talweg("trace", "--rule", "AdamW", "--function", "beale", "--out", "absent/file.csv", code=3)

    def test_closed_pipe_is_quiet(self):
        command = f"'{TALWEG}' trace --rule AdamW --function beale --steps 200000 | head -2"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((len(result.stdout.splitlines()), result.stderr), (2, ""))

    def test_rule_with_errors_ends_with_1(self):
        self.assertIn("AdamW", self.talweg("trace", "--rule", "AdmaW", "--function", "beale", code=1).stderr)


class Cache(CommandTest):
    def test_cache_is_used_and_harmless(self):
        arguments = ("trace", "--rule", "mine.Mine", "--function", "beale")
        wanted = self.talweg(*arguments).stdout
        files = [file for file in (self.folder / "cache").rglob("*") if file.is_file()]
        self.assertGreater(len(files), 0)
        self.assertEqual(self.talweg(*arguments).stdout, wanted)
        for damage in (b"", b"garbage", None):
            for file in files:
                content = file.read_bytes()
                file.write_bytes(content[: len(content) // 2] if damage is None else damage)
            self.assertEqual(self.talweg(*arguments).stdout, wanted)
        self.assertEqual(self.talweg(*arguments, env={"TALWEG_CACHE_DIR": "/proc/nowhere"}).stdout, wanted)


class Train(CommandTest):
    def test_run_and_predict(self):
        result = self.train("--validation", "0.2", "--out", "run", "--json")
        report = json.loads(result.stdout)
        self.assertEqual((report["epochs"], report["cause"]), (2, "finished"))
        self.assertNotIn("\r", result.stderr)
        for file in report["files"]:
            self.assertTrue((self.folder / file).stat().st_size > 0, file)
        predicted = json.loads(self.talweg("predict", "run", "--data", DIGITS, "--target", "label", "--json").stdout)
        self.assertGreater(predicted["accuracy"], 0.3)
        self.assertEqual(predicted["samples"], 1797)

    def test_same_seed_same_bits(self):
        for name, extra in (("a", []), ("b", ["--threads", "2"]), ("c", ["--backend", "interpreter"]), ("d", ["--isa", "scalar"])):
            self.train("--out", name, *extra)
        wanted = tensors(self.folder / "a")
        for name in "bcd":
            self.assertEqual(tensors(self.folder / name), wanted, name)
        self.train("--out", "e", "--seed", 2)
        self.assertNotEqual(tensors(self.folder / "e"), wanted)

    def test_refusals_lose_nothing(self):
        self.train("--out", "run")
        before = {file: file.read_bytes() for file in (self.folder / "run").iterdir()}
        self.train("--out", "run", code=2)
        self.assertEqual({file: file.read_bytes() for file in (self.folder / "run").iterdir()}, before)
        self.train("--overwrite", "--out", "run")

    def test_bad_input(self):
        self.train("--validation", "1.5", code=2)
        self.train("--shuffle", "sometimes", code=2)
        self.train("--set", "lr=banana", code=2)
        self.train("--set", "lr=-1", code=2)
        self.train("--init", "absent.safetensors", code=3)
        self.talweg("train", "--rule", "AdamW", "--data", "absent.csv", "--target", "y", "--model", "linear", code=3)
        error = self.talweg("train", "--rule", "AdamW", "--data", DIGITS, "--target", "lable", "--model", "softmax", code=2).stderr
        self.assertIn("label", error)
        (self.folder / "bad.csv").write_text("a,b\n1,2\n3,x\n", encoding="utf-8")
        error = self.talweg("train", "--rule", "AdamW", "--data", "bad.csv", "--target", "a", "--model", "linear", code=3).stderr
        self.assertIn("bad.csv", error)
        self.assertIn("3", error)

    def test_model_larger_than_the_machine(self):
        error = self.talweg("train", "--rule", "SGD", "--data", DIGITS, "--target", "label", "--model", "mlp:64-1000000-1000000-10",
                            code=2).stderr
        self.assertIn(str(65 * 10**6 + (10**6 + 1) * 10**6 + (10**6 + 1) * 10), error)
        self.assertRegex(error, r"need \d+ bytes .* has \d+ bytes")

    def test_a_view_is_judged_and_saved(self):
        rule = "SGD(lr = 0.3) | Ema(decay = 0.9)"
        arguments = ("--validation", "0.2")
        plain = json.loads(self.train(*arguments, "--out", "plain", "--json", rule=rule).stdout)
        report = json.loads(self.train(*arguments, "--out", "run", "--view", "averaged", "--json", rule=rule).stdout)
        for key in ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy"):
            self.assertEqual(report["raw"][key], plain[key])
        self.assertNotEqual(report["validation_loss"], plain["validation_loss"])
        self.assertEqual(report["view"], "averaged")
        run, before = self.folder / "run", self.folder / "plain"
        self.assertEqual((run / "raw_parameters.safetensors").read_bytes(), (before / "parameters.safetensors").read_bytes())
        self.assertNotEqual((run / "parameters.safetensors").read_bytes(), (before / "parameters.safetensors").read_bytes())
        epochs = [entry for entry in map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
                  if entry["event"] == "epoch"]
        self.assertEqual(epochs[-1]["validation_loss"], report["validation_loss"])
        text = self.train("--out", "text", "--view", "averaged", rule=rule).stdout
        self.assertIn("of `averaged`; the parameters themselves: loss", text)
        self.assertIn("raw_parameters.safetensors", text)
        error = self.train("--out", "none", "--view", "average", rule=rule, code=2).stderr
        self.assertIn("did you mean `averaged`?", error)
        self.assertFalse((self.folder / "none").exists())

    def test_norms_are_logged(self):
        report = json.loads(self.train("--out", "run", "--log-norms", "--no-step-log", "--json").stdout)
        events = [json.loads(line) for line in (self.folder / "run/log.jsonl").read_text(encoding="utf-8").splitlines()]
        norms = [event for event in events if event["event"] == "norms"]
        self.assertEqual([event["step"] for event in norms], [1, report["steps"] // 2, report["steps"]])
        for of in ("gradient", "parameter", "update"):
            self.assertEqual(list(norms[0][of]), ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"])
            self.assertEqual(report["norms"]["last"][of], norms[-1][of])
        self.assertNotIn("norms", json.loads(self.train("--json").stdout))
        self.train("--set", "lr=1e30", "--out", "far", "--log-norms", rule="SGD", code=4)
        summary = json.loads((self.folder / "far/summary.json").read_text(encoding="utf-8"))
        self.assertGreater(summary["norms"]["first"]["update"]["layers.1.weight"], 1e25)

    def test_biases_are_kept_from_decay_by_rank_by_name_and_by_group(self):
        """docs/language-pipelines.md, A pipeline for each tensor: three ways to the same bits."""
        rules = """
rule ByRank {
  hyper lr           = 1e-2 in [0, inf)
  hyper weight_decay = 0.5  in [0, inf)
  when rank >= 2: AdamW(lr = lr, weight_decay = weight_decay)
  otherwise:      AdamW(lr = lr, weight_decay = 0)
}
rule ByName {
  hyper lr = 1e-2 in [0, inf)
  when named("*.bias"): AdamW(lr = lr, weight_decay = 0)
  otherwise:            AdamW(lr = lr, weight_decay = 0.5)
}
"""
        (self.folder / "decay.tw").write_text(rules, encoding="utf-8")
        whole = "AdamW(lr = 1e-2)"
        runs = {"rank": ("decay.ByRank", ()), "name": ("decay.ByName", ()), "none": (whole, ("--set", "weight_decay=0.5")),
                "group": (whole, ("--set", "weight_decay=0.5", "--group", "*.bias:weight_decay=0"))}
        for name, (rule, arguments) in runs.items():
            self.train("--out", name, *arguments, rule=rule)
        files = {name: (self.folder / name / "parameters.safetensors").read_bytes() for name in runs}
        self.assertEqual(files["rank"], files["name"])
        self.assertEqual(files["rank"], files["group"])
        self.assertNotEqual(files["rank"], files["none"])

    def test_functions_take_no_data_flags(self):
        error = self.talweg("train", "--rule", "SGD", "--model", "function:booth", "--batch", "4", "--drop-last", "--loss", "mse",
                            code=2).stderr
        for flag in ("--batch", "--drop-last", "--loss"):
            self.assertIn(flag, error)

    def test_divergence(self):
        result = self.train("--set", "lr=1e30", "--out", "run", rule="SGD", code=4)
        self.assertRegex(result.stderr, r"step \d+")
        self.assertTrue((self.folder / "run" / "parameters.safetensors").exists())
        predicted = self.talweg("predict", "run", "--data", DIGITS, "--json")
        self.assertIn("not finite", json.loads(predicted.stdout)["warnings"][0])
        self.assertIn("warning: the run ended by a value that was not finite", predicted.stderr)
        (self.folder / "other.safetensors").write_text("no tensors at all", encoding="utf-8")
        error = self.talweg("predict", "other.safetensors", "--data", DIGITS, code=3).stderr
        self.assertIn("other.safetensors is not a safetensors file", error)

    def test_interrupt_leaves_a_summary(self):
        process = subprocess.Popen([TALWEG, "train", "--rule", "mine.Mine", "--data", DIGITS, "--target", "label", "--model",
                                    "mlp:64-64-10", "--epochs", "100000", "--batch", "32", "--out", "run"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        log = self.folder / "run" / "log.jsonl"
        for _ in range(600):
            if log.exists() and log.stat().st_size > 0:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, error)
        self.assertIn("interrupted", output)
        self.assertGreater(len(tensors(self.folder / "run")), 0)
        summary = json.loads((self.folder / "run" / "summary.json").read_text(encoding="utf-8"))
        self.assertEqual(summary["cause"], "interrupted")

    def test_groups_and_freeze(self):
        self.train("--out", "start")
        self.train("--init", "start/parameters.safetensors", "--freeze", "layers.0.*", "--out", "frozen")
        before, after = tensors(self.folder / "start"), tensors(self.folder / "frozen")
        changed = {name for name in before if before[name] != after[name]}
        self.assertEqual({name.split(".")[1] for name in changed}, {"1"})
        self.train("--group", "layers.0.*:lr=0", "--init", "start/parameters.safetensors", "--out", "slow")
        slow = tensors(self.folder / "slow")
        self.assertEqual({name: slow[name] for name in slow if ".0." in name}, {name: before[name] for name in before if ".0." in name})

    def test_progress_only_on_a_terminal(self):
        parent, child = self.terminal()
        process = subprocess.Popen([TALWEG, "train", "--rule", "mine.Mine", "--data", DIGITS, "--target", "label", "--model",
                                    "mlp:64-64-10", "--epochs", "3", "--batch", "8"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=child, stdin=subprocess.DEVNULL)
        os.close(child)
        self.assertIn(b"\r", read_all(parent))
        self.assertEqual(process.wait(timeout=60), 0)


class Repl(CommandTest):
    def test_session(self):
        session = (":help\n"
                   "rule Sign {\n  hyper lr = 0.01 in [0, inf)\n  step { update = lr * sign(grad) }\n}\n"
                   ":run Sign(lr = 0.5) on quadratic steps 5\n"
                   "rule Sign { hyper lr = 0.02 in [0, inf)\n step { update = lr * grad } }\n"
                   ":run Sign on quadratic steps 5\n"
                   "fn twice(x) = 2 * x\n"
                   "twice(21)\n"
                   ":list\n:show Sign\n:quit\n")
        result = self.talweg("repl", text_in=session)
        for word in (":run", "defined Sign", "redefined Sign", "42", "step", "fn twice"):
            self.assertIn(word, result.stdout)
        self.assertEqual(result.stderr, "")

    def test_errors_keep_what_was_there(self):
        session = "fn f(x) = x + 1\nfn f(x) = y\nf(1)\n:nothing\n:run\n1 +\n\n"
        result = self.talweg("repl", text_in=session, code=1)
        self.assertIn("\n2\n", "\n" + result.stdout)
        self.assertIn("TW0201", result.stderr)
        self.assertIn(":help", result.stderr)

    def test_unfinished_input_is_said(self):
        self.assertIn("TW0109", self.talweg("repl", text_in="rule A {\n", code=1).stderr)

    def test_on_a_terminal(self):
        parent, child = self.terminal()
        process = subprocess.Popen([TALWEG, "repl"], cwd=self.folder, stdin=child, stdout=child, stderr=child,
                                   # libedit never frees what it read from the terminal database.
                                   env={**os.environ, "TERM": "xterm", "ASAN_OPTIONS": "detect_leaks=0"})
        os.close(child)
        os.write(parent, b"1 + 1\n:quit\n")
        output = read_all(parent).decode("utf-8", "replace")
        self.assertEqual(process.wait(timeout=60), 0, output)
        self.assertRegex(output, r"(?m)^2\s*$")


def read_all(descriptor):
    chunks = []
    while select.select([descriptor], [], [], 60)[0]:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(descriptor)
    return b"".join(chunks)


def tensors(run, file="parameters"):
    """The tensors of a run's parameters, by name, as bytes."""
    content = (run / f"{file}.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length])
    data = content[8 + length:]
    return {name: data[slice(*entry["data_offsets"])] for name, entry in header.items() if name != "__metadata__"}


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
