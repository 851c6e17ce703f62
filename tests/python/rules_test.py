"""Rules as objects: what compiling refuses and says, what they tell of themselves, copies, threads."""
import copy
import json
import os
import pathlib
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

from support import main, need

need("numpy")
import talweg  # noqa: E402

HALF = "/// Half a step.\nrule Half {\n  hyper lr = 0.5 in [0, 2]\n  step { update = lr * grad }\n}\n"
TWO = "rule A { step { update = grad } }\nrule B { step { update = 2 * grad } }\n"


class Compiling(unittest.TestCase):
    def test_a_mistake(self):
        with self.assertRaises(talweg.CompileError) as caught:
            talweg.compile("ClipByGlobalNorm | Half", text=HALF.replace("grad", "gard"))
        error = caught.exception
        self.assertEqual(error.status, "BAD_RULE")
        self.assertIn("error[TW0201]: `gard` is not defined here", str(error))
        self.assertIn("  = help: did you mean `grad`?", str(error))
        (entry,) = error.diagnostics
        self.assertEqual((entry["code"], entry["severity"], entry["file"], entry["line"]), ("TW0201", "error", "text", 4))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(again), again.status, again.diagnostics), (str(error), error.status, error.diagnostics))
        self.assertIsInstance(error, talweg.Error)

    def test_tracebacks_have_the_public_names(self):
        for code, name in (("talweg.compile('Adamm')", "talweg.CompileError"),
                           ("talweg.compile('AdamW', cpu='z80')", "talweg.Error")):
            done = subprocess.run([sys.executable, "-c", f"import talweg; {code}"], capture_output=True, text=True)
            self.assertRegex(done.stderr, f"(?m)^{re.escape(name)}: ")
        for name in ("CompileWarning", "Library", "LibraryRule", "Optimizer", "Plan", "Rule", "Trajectory"):
            self.assertEqual(getattr(talweg, name).__module__, "talweg", name)

    def test_names_of_the_package(self):
        self.assertLessEqual({*talweg.__all__, "__version__", "__doc__"}, set(dir(talweg)))
        for name in talweg.__all__:
            self.assertTrue(hasattr(talweg, name), name)

    def test_several_mistakes(self):
        with self.assertRaises(talweg.CompileError) as caught:
            talweg.compile(text="rule A { step { update = x + y } }")
        self.assertEqual([entry["code"] for entry in caught.exception.diagnostics], ["TW0201", "TW0201"])

    def test_unknown_names(self):
        for expression, words in (("Adamw", "did you mean `AdamW`?"), ("AdamW(lr_ = 1)", "lr_"),
                                  ("AdamW | nowhere.Half", "nowhere")):
            with self.subTest(expression), self.assertRaisesRegex(talweg.CompileError, words.replace("?", r"\?")):
                talweg.compile(expression)

    def test_a_warning(self):
        text = "rule Odd {\n  hyper lr = 1\n  hyper unused = 2\n  step { update = lr * grad }\n}\n"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rule = talweg.compile(text=text)
        self.assertEqual([entry.category for entry in caught], [talweg.CompileWarning])
        self.assertEqual(pathlib.Path(caught[0].filename).name, pathlib.Path(__file__).name)
        self.assertIn("`unused`", str(caught[0].message))
        self.assertEqual(rule.name, "Odd")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            talweg.compile("AdamW")

    def test_what_is_given(self):
        for wrong, kind in ((dict(), talweg.Error), (dict(expression=""), talweg.Error), (dict(expression=" \n"), talweg.Error),
                            (dict(text=""), talweg.Error), (dict(text=TWO), talweg.Error), (dict(text=HALF, file="x"), TypeError),
                            (dict(expression="AdamW\0"), ValueError), (dict(text=HALF + "\0"), ValueError),
                            (dict(expression="AdamW", cpu="x86\0-64"), ValueError),
                            (dict(expression="AdamW", folders=["a\0b"]), ValueError),
                            (dict(expression="AdamW", folders="/tmp"), TypeError),
                            (dict(expression="AdamW", cpu="6502"), talweg.Error),
                            (dict(expression="AdamW", dtype="float16"), ValueError),
                            (dict(expression="AdamW", dtype=None), ValueError),
                            (dict(file="/nowhere/x.tw"), FileNotFoundError)):
            with self.subTest(str(wrong)), self.assertRaises(kind):
                talweg.compile(**wrong)
        for wrong, called in ((dict(expression=7), "the rule"), (dict(expression=b"AdamW"), "the rule"), (dict(text=7), "the text"),
                              (dict(expression="AdamW", cpu=3), "cpu")):
            with self.subTest(str(wrong)), self.assertRaisesRegex(TypeError, f"^{called} is to be a str, not (int|bytes)$"):
                talweg.compile(**wrong)
        with self.assertRaisesRegex(talweg.Error, "A.*B.*which"):
            talweg.compile(text=TWO)
        self.assertEqual(talweg.compile("B", text=TWO).name, "B")

    def test_files_and_folders(self):
        with tempfile.TemporaryDirectory(prefix="rules ü ") as name:
            folder = pathlib.Path(name)
            (folder / "inner").mkdir()
            (folder / "inner/base.tw").write_text(HALF)
            mine = "import base\n\n/// ½ of it\nrule Mine = ClipValue(1) | base.Half\n"
            (folder / "mine.tw").write_text(mine, encoding="utf-8")
            for given in (folder / "mine.tw", str(folder / "mine.tw")):
                with self.assertRaisesRegex(talweg.CompileError, "base"):
                    talweg.compile(file=given)
                rule = talweg.compile(file=given, folders=[folder / "inner"])
                self.assertEqual(rule.name, "Mine")
                self.assertRegex(rule.documentation, r"(?s)^½ of it\n\nStage 1, ClipValue:\n\n.*\n\nStage 2, Half:\n\nHalf a step\.")
            (folder / "beside.tw").write_text("import mine2\n\nrule Beside = mine2.Half | Ema\n")
            (folder / "mine2.tw").write_text(HALF)
            self.assertEqual([view.name for view in talweg.compile(file=folder / "beside.tw").views], ["averaged"])
            (folder / "bytes.tw").write_bytes(b"rule \xff {")
            with self.assertRaises(UnicodeDecodeError):
                talweg.compile(file=folder / "bytes.tw")
            with self.assertRaisesRegex(talweg.CompileError, "mine.tw:2"):
                (folder / "mine.tw").write_text("\nrule Mine { stepp { } }\n")
                talweg.compile(file=folder / "mine.tw")

    def test_threads(self):
        expressions = [f"ClipValue({i}) | AdamW(beta1 = 0.{i})" for i in range(1, 9)] + ["Wrong"] * 4
        found = {}

        def work(index):
            try:
                found[index] = talweg.compile(expressions[index], cache=False).name
            except talweg.CompileError as error:
                found[index] = error.diagnostics[0]["code"]

        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(expressions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[index] for index in range(8)], expressions[:8])
        self.assertEqual(len({found[index] for index in range(8, 12)}), 1)


class Telling(unittest.TestCase):
    def test_what_a_rule_has(self):
        for dtype, size in (("float32", 4), ("float64", 8)):
            rule = talweg.compile("Adafactor | Ema", dtype=dtype)
            self.assertEqual(rule.dtype, dtype)
            rates = [(state["name"], state["rate"]) for state in rule.description["states"]]
            self.assertEqual([(state.name, state.rate) for state in rule.states], rates)
            self.assertLess({"row", "col", "element"}, {rate for _, rate in rates} | {""})
            self.assertEqual(rule.state_bytes["row"], size)
            self.assertEqual(rule.state_bytes, rule.plan().data["state_bytes"])
        hyper = {hyper.name: hyper for hyper in rule.hypers}["decay"]
        self.assertEqual((hyper.default, hyper.low, hyper.high, hyper.low_closed, hyper.high_closed), (0.999, 0, 1, True, False))
        self.assertEqual([view.name for view in rule.views], ["averaged"])
        self.assertEqual([part.name for part in talweg.compile("AliG").inputs], ["loss"])

    def test_plan(self):
        rule = talweg.compile("AdamW")
        plan = rule.plan()
        self.assertIn("for each parameter a step moves 28 bytes (16 read, 12 written)", str(plan))
        self.assertEqual(plan.data["bytes_per_parameter"], {"read": 16, "written": 12, "total": 28})
        self.assertEqual(rule.for_dtype("float64").plan().data["bytes_per_parameter"]["total"], 56)
        self.assertEqual((repr(plan), plan.text), (str(plan), str(plan)))

    def test_documentation_and_source(self):
        rule = talweg.compile("AdamW")
        self.assertTrue(rule.documentation.startswith("AdamW: Adam with weight decay kept out of the gradient.\n\n    param <-"))
        self.assertEqual(rule.summary, "Adam with weight decay kept out of the gradient")
        self.assertIn("\nrule AdamW {\n", rule.source)
        pipeline = talweg.compile("Half | Ema", text=HALF)
        self.assertRegex(pipeline.documentation, r"(?s)^Stage 1, Half:\n\nHalf a step\.\n\nStage 2, Ema:\n\nEma, a stage")
        self.assertRegex(pipeline.source, r"(?s)^/// Half a step\.\nrule Half.*\nrule Ema \{")
        self.assertEqual(talweg.compile("ClipValue(1) | AdamW(lr = cosine(t, peak = 1, total = 9))").source.count("\nrule "), 2)
        self.assertEqual(talweg.compile(text=HALF).source, HALF)

    def test_as_text(self):
        rule = talweg.compile(text=HALF)
        self.assertEqual(repr(rule), "<talweg.Rule Half in float32: lr=0.5; no states>")
        self.assertEqual(str(rule), "Half in float32\n\n  Half a step.\n\nHypers\n  lr  0.5  [0, 2]\n\nMemory\n  no states")
        self.assertIn("  averaged  The average: what to evaluate with.\n", str(talweg.compile("AdamW | Ema")))

    def test_the_library(self):
        names = [rule.name for rule in talweg.rules()]
        self.assertEqual(names, sorted(set(names), key=str.lower))
        program = os.environ.get("TALWEG_PROGRAM")
        if program is None:
            self.skipTest("TALWEG_PROGRAM names no command to compare with")
        listed = subprocess.run([program, "list", "--json"], capture_output=True, text=True, check=True).stdout.splitlines()
        entries = [entry for entry in map(json.loads, listed) if entry["sort"] in ("rule", "stage")]
        self.assertEqual(set(names), {entry["name"] for entry in entries})
        adamw = next(rule for rule in talweg.rules() if rule.name == "AdamW")
        self.assertEqual(adamw.documentation, talweg.compile("AdamW").documentation)
        self.assertIn("rule AdamW {", adamw.source)

    def test_version(self):
        version = os.environ.get("TALWEG_PROGRAM") and subprocess.run(
            [os.environ["TALWEG_PROGRAM"], "--version"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(talweg.__version__, r"^\d+\.\d+\.\d+$")
        if version:
            self.assertIn(talweg.__version__, version)
        with self.assertRaises(AttributeError):
            talweg.__versions__


class Library(unittest.TestCase):
    def ask(self, library):
        program = "import talweg\ntry:\n  talweg.compile('AdamW')\nexcept ImportError as error:\n  print(error)"
        return subprocess.run([sys.executable, "-c", program], env={**os.environ, "TALWEG_LIBRARY": str(library)}, check=True,
                              capture_output=True, text=True).stdout

    def test_missing(self):
        self.assertRegex(self.ask("/nowhere/libtalweg.so.0"), "there is no /nowhere/libtalweg.so.0. Install the package")

    def test_not_to_be_loaded(self):
        with tempfile.TemporaryDirectory() as name:
            wrong = pathlib.Path(name, "libtalweg.so.0")
            wrong.write_text("no library")
            for path in (wrong, name):
                self.assertRegex(self.ask(path), "cannot be loaded: .*glibc 2.34")


class Copies(unittest.TestCase):
    def test_copies(self):
        rule = talweg.compile("Half", text=HALF, dtype="float64")
        self.assertIs(copy.copy(rule), rule)
        self.assertIs(copy.deepcopy({"rule": rule})["rule"], rule)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(rule, protocol))
            self.assertEqual((str(again), again.source, again.dtype), (str(rule), rule.source, "float64"))

    def test_a_pickle_in_another_process(self):
        with tempfile.TemporaryDirectory() as name:
            pathlib.Path(name, "mine.tw").write_text(HALF)
            rule = talweg.compile("mine.Half | Ema", file=pathlib.Path(name, "mine.tw"))
            data = pickle.dumps(rule)
        made = subprocess.run([sys.executable, "-c", "import pickle, sys; print(pickle.load(sys.stdin.buffer))"], input=data,
                              capture_output=True, check=True).stdout.decode()
        self.assertEqual(made, f"{rule}\n")

    def test_another_type(self):
        rule = talweg.compile("Half", text=HALF)
        self.assertIs(rule.for_dtype("float32"), rule)
        doubled = rule.for_dtype("float64")
        self.assertEqual((doubled.dtype, doubled.source, doubled.for_dtype("float32").dtype), ("float64", HALF, "float32"))
        with self.assertRaisesRegex(ValueError, "bfloat16"):
            rule.for_dtype("bfloat16")


if __name__ == "__main__":
    main()
