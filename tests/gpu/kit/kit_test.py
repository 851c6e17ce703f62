"""A small kit, built and run on the pretended driver: all is well, and what is planted is reported."""
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TALWEG, FAKE = os.environ["TALWEG_PROGRAM"], os.environ["TALWEG_FAKE_CUDA"]
RULES = "adamw|adafactor|train|sharpness|momo|gathered|sgld|adamw_double"
#: The pretended GPU's memory is the host's: it gets little of it.
LITTLE = ("import ctypes, sys, run_kit; fake = ctypes.CDLL(sys.argv[1]); "
          "fake.fake_cuda_set_device(0, b'Pretended', 9, 0, 4, ctypes.c_size_t(64 << 20)); "
          "sys.exit(run_kit.main(['--driver'] + sys.argv[1:]))")


#: For run(): events that measure nothing.
NO_TIME = "import cuda; real = cuda.Timer.measure; cuda.Timer.measure = lambda *given: 0 * real(*given)\n"


def run(folder, *options, before=""):
    return subprocess.run([sys.executable, "-c", before + LITTLE, FAKE, *options], cwd=folder, capture_output=True, text=True,
                          timeout=900, check=False)


class Kit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.kit = pathlib.Path(cls.folder.name) / "kit"
        subprocess.run([sys.executable, HERE / "build_kit.py", cls.kit, "--talweg", TALWEG, "--target", "x86-64,nvptx-sm90",
                        "--only", RULES, "--small"], check=True, timeout=900)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def results(self, *options, code=0, before=""):
        """The checks of a run, by name."""
        out = self.kit / "results.json"
        made = run(self.kit, "--json", out, *options, before=before)
        self.assertEqual(made.returncode, code, made.stdout + made.stderr)
        found = json.loads(out.read_text())
        return {check["name"]: check for check in found["checks"]}, found, made.stdout

    def test_all_is_well(self):
        checks, found, printed = self.results("--markdown", self.kit / "speed.md")
        for name in RULES.split("|"):
            for scenario in ("small", "unaligned", "odd", "many", "large"):
                self.assertEqual(checks.pop(f"{name}.{scenario}")["result"], "ok")
        for name in ("adamw.save", "train.graph", "train.streams", "adamw.scaling", "adamw.memory", "adamw.refusals"):
            self.assertEqual(checks[name]["result"], "ok")
        self.assertEqual(found["device"]["sm"], 90)
        self.assertIn("0 failed", printed)
        rules = {row["rule"] for row in found["speed"]["rows"]}
        self.assertEqual(rules, {"AdamW", "Adafactor", "ClipByGlobalNorm(1) | AdamW | Ema"})
        self.assertIn("| `AdamW` |", (self.kit / "speed.md").read_text())

    def test_events_without_time(self):
        checks, found, _ = self.results("--part", "speed", "--markdown", self.kit / "none.md", before=NO_TIME)
        self.assertEqual(checks["speed"]["result"], "skipped")
        self.assertEqual(found["speed"], {})
        self.assertEqual((self.kit / "none.md").read_text(), "Nothing was measured.\n")

    def test_a_wrong_expectation_is_reported(self):
        path = self.kit / "expected.json"
        kept = path.read_text()
        planted = json.loads(kept)
        planted["adamw"]["small"]["m"] = "0" * 24
        planted["momo"]["small"]["ends"] = "CCHCC"
        path.write_text(json.dumps(planted))
        try:
            checks, _, printed = self.results("--quick", "--only", "adamw|momo", code=1)
        finally:
            path.write_text(kept)
        failed = {name: check["details"] for name, check in checks.items() if check["result"] == "FAILED"}
        self.assertEqual(set(failed), {"adamw.small", "momo.small"})
        self.assertEqual(failed["adamw.small"][0], "other than expected: m")
        self.assertIn("so it is on this machine's CPU", failed["adamw.small"][1])
        self.assertIn("2 failed", printed)

    def test_wrong_bits_of_a_gpu_are_found(self):
        """Where the PTX has additions it subtracts now; the CPU's code is as it was, and says which elements are wrong."""
        path = self.kit / "libraries" / "adamw.so"
        kept = path.read_bytes()
        self.assertIn(b"add.rn.f32", kept)
        path.unlink()
        path.write_bytes(kept.replace(b"add.rn.f32", b"sub.rn.f32"))
        try:
            checks, _, _ = self.results("--quick", "--only", "adamw", code=1)
        finally:
            path.write_bytes(kept)
        check = checks["adamw.small"]
        self.assertEqual(check["result"], "FAILED")
        self.assertEqual(check["details"][0], "other than expected: param")
        self.assertRegex(check["details"][1], r"^param of t0\[\d+\] is .*, on the CPU .*; \d+ of 131 elements differ")

    def test_a_failing_driver_is_reported(self):
        made = subprocess.run([sys.executable, "run_kit.py", "--driver", FAKE, "--quick", "--only", "adamw"], cwd=self.kit,
                              capture_output=True, text=True, timeout=300, check=False,
                              env={**os.environ, "FAKE_CUDA_FAIL": "cuLaunchKernel:5:719"})
        self.assertEqual(made.returncode, 1, made.stdout + made.stderr)
        self.assertIn("FAILED", made.stdout)

    def test_no_driver(self):
        made = subprocess.run([sys.executable, "run_kit.py", "--driver", "/nowhere/libcuda.so"], cwd=self.kit,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(made.returncode, 2)
        self.assertIn("no GPU: /nowhere/libcuda.so: cannot be opened", made.stderr)


class Difference(unittest.TestCase):
    """Where results differ is said by element."""

    def test_differences(self):
        sys.path.insert(0, str(HERE))
        import model
        ours = model.Values(model.numbers(5, 100, 4), 4)
        theirs = model.Values(bytearray(ours.data), 4)
        self.assertEqual(model.differences({"m of t": ours}, {"m of t": theirs}), [])
        theirs.data[4 * 30] ^= 1
        theirs.data[4 * 77 + 3] ^= 0x80
        text, = model.differences({"m of t": ours}, {"m of t": theirs})
        self.assertRegex(text, r"^m of t\[30\] is .*; 2 of 100 elements differ, the last is number 77$")
        self.assertNotEqual(model.digest({"m of t": ours}), model.digest({"m of t": theirs}))
        nan = [model.Values(bytearray(ctypes.c_uint32(bits)), 4) for bits in (0x7FC00000, 0xFFC00001, 0x7F800000)]
        self.assertEqual(model.digest({"m of t": nan[0]}), model.digest({"m of t": nan[1]}))
        self.assertNotEqual(model.digest({"m of t": nan[0]}), model.digest({"m of t": nan[2]}))
        self.assertEqual(model.differences({"m of t": nan[0]}, {"m of t": nan[1]}), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
