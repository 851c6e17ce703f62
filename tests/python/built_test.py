"""Rules of libraries that `talweg build` made, beside the same rules compiled."""
import copy
import json
import os
import pathlib
import pickle
import platform
import shutil
import subprocess
import tempfile
import unittest

from support import SKIPPED, main, need

np = need("numpy")
import talweg  # noqa: E402

PROGRAM = os.environ.get("TALWEG_PROGRAM")
if PROGRAM is None:
    print("skipped: TALWEG_PROGRAM names no command to build libraries with")
    raise SystemExit(SKIPPED)
PIPELINE = "ClipByGlobalNorm(1) | AdamW | Ema"


def build(folder, *arguments):
    subprocess.run([PROGRAM, "build", *arguments, "-o", folder], check=True, capture_output=True)
    return folder


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="built ü ")
        cls.root = pathlib.Path(cls.temporary.name)
        cls.pair = build(cls.root / "pair", "--rule", f"averaged={PIPELINE}", "--rule", "SAM | HeavyBall", "--name", "pair",
                         "--dtype", "float64")
        cls.one = build(cls.root / "one", "--rule", "AdamW")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_ways_to_name_it(self):
        for path in (self.one, str(self.one), self.one / "adamw.json", self.one / "libadamw.so", os.path.relpath(self.one)):
            library = talweg.load(path)
            self.assertEqual((library.name, list(library), len(library), library.rule.name), ("adamw", ["AdamW"], 1, "AdamW"))
        self.assertEqual(repr(library), "<talweg.Library adamw in float32: AdamW>")
        self.assertEqual(library.description, json.loads((self.one / "adamw.json").read_text()))

    def test_the_same_as_compiled(self):
        library = talweg.load(self.pair)
        for built, compiled in ((library["averaged"], talweg.compile(PIPELINE, dtype="float64")),
                                (library[list(library)[1]], talweg.compile("SAM | HeavyBall", dtype="float64"))):
            for name in ("name", "dtype", "hypers", "states", "inputs", "views", "state_bytes", "summary"):
                self.assertEqual(getattr(built, name), getattr(compiled, name), name)
            self.assertEqual(repr(built), repr(compiled))
            left, right = (rule.trajectory("rosenbrock", 50, lr=1e-3) for rule in (built, compiled))
            self.assertEqual(left.losses.tobytes(), right.losses.tobytes())
            self.assertLess(left.losses[-1], left.losses[0])

    def test_what_it_has_not_got(self):
        rule = talweg.load(self.one).rule
        for call in (rule.plan, lambda: rule.source, lambda: rule.for_dtype("float64"), lambda: rule.for_dtype("float16")):
            with self.assertRaisesRegex(talweg.Error, "libadamw.so has not got"):
                call()
        self.assertIs(rule.for_dtype("float32"), rule)
        self.assertTrue(rule.documentation.startswith("AdamW: Adam with"))
        self.assertIn("Hypers\n", str(rule))
        self.assertNotIn("<summary>A step", rule._repr_html_())

    def test_copies(self):
        library = talweg.load(self.pair)
        rule = library["averaged"]
        self.assertIs(copy.deepcopy(rule), rule)
        self.assertEqual(str(pickle.loads(pickle.dumps(rule))), str(rule))
        self.assertEqual(repr(pickle.loads(pickle.dumps(library))), repr(library))

    def test_outlives_the_library_object(self):
        rule = talweg.load(self.one)["AdamW"]
        self.assertTrue(np.isfinite(rule.trajectory("beale", 3).losses).all())

    def test_names(self):
        library = talweg.load(self.pair)
        with self.assertRaisesRegex(KeyError, "no rule 'adam'; it has averaged"):
            library["adam"]
        self.assertNotIn("adam", library)
        with self.assertRaisesRegex(ValueError, r"say which, as in load\(...\)\['averaged'\]"):
            library.rule

    def test_several_targets(self):
        machine = {"x86_64": "x86-64", "aarch64": "aarch64"}.get(platform.machine())
        if machine is None:
            self.skipTest(f"talweg builds for no {platform.machine()}")
        folder = build(self.root / "several", "--rule", "AdamW", "--target", "x86-64,aarch64")
        self.assertEqual(talweg.load(folder).file, (folder / machine / "libadamw.so").resolve())

    def test_what_is_refused(self):
        empty = self.root / "empty"
        empty.mkdir()
        both = self.root / "both"
        shutil.copytree(self.one, both)
        shutil.copy(self.pair / "pair.json", both)
        (both / "other.json").write_text("[1]")
        archive = self.root / "archive"  # what --static leaves out is missing
        archive.mkdir()
        shutil.copy(self.one / "adamw.json", archive)
        (empty / "libnot.so").write_bytes(b"not an object")
        text = self.root / "rules.tw"
        text.write_text("")
        renamed = empty / "librenamed.so"
        shutil.copy(self.one / "libadamw.so", renamed)
        for path, kind, words in ((self.root / "nowhere", FileNotFoundError, "there is no"),
                                  (empty, FileNotFoundError, "it has none"),
                                  (both, FileNotFoundError, "it has adamw.json, pair.json"),
                                  (both / "other.json", ValueError, "no manifest"),
                                  (archive, FileNotFoundError, "unless --static"), (empty / "libnot.so", OSError, "libnot.so cannot be loaded as a library that"),
                                  (text, ValueError, r"rules.tw is the text of rules, which talweg.compile\(file=...\) takes"),
                                  (renamed, ValueError, "not the one named 'renamed'"),
                                  (os.environ["TALWEG_LIBRARY"], ValueError, "no library that `talweg build` made")):
            with self.subTest(str(path)), self.assertRaisesRegex(kind, words):
                talweg.load(path)


if __name__ == "__main__":
    main()
