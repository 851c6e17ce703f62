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
RULES = "adamw|adafactor|train|sharpness|momo|momo_double|gathered|gathered_loss|sgld|adamw_double"
#: The pretended GPU's memory is the host's: it gets little of it.
LITTLE = ("import ctypes, sys, run_kit; fake = ctypes.CDLL(sys.argv[1]); "
          "fake.fake_cuda_set_device(0, b'Pretended', 9, 0, 4, ctypes.c_size_t(64 << 20)); "
          "sys.exit(run_kit.main(['--driver'] + sys.argv[1:]))")


#: For run(): events that measure nothing.
NO_TIME = "import cuda; real = cuda.Timer.measure; cuda.Timer.measure = lambda *given: 0 * real(*given)\n"
#: One check of a rule that ends its process, one that does not end, and one that leaves an error behind.
PLANTED = """
import os, signal, time, rule_checks
real = rule_checks.check_scenario
def planted(driver, rule, scenario, *others):
    if scenario.name == "small":
        print("the last words", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if scenario.name == "odd":
        time.sleep(1000)
    if scenario.name == "unaligned":
        driver.is_lost = True
        try:
            raise ValueError("the first cause")
        finally:
            raise KeyError("of clean-up")
    assert not hasattr(driver, "is_lost")
    return real(driver, rule, scenario, *others)
rule_checks.check_scenario = planted
"""
#: A work of the speed part that raises, and one that ends its process.
PLANTED_SPEED = """
import os, speed_works
def raising(self):
    raise MemoryError("planted")
speed_works.Bench.graph = raising
speed_works.Bench.driver_copy = lambda self: lambda: os.abort()
"""


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
        for name in ("adamw.save", "train.graph", "train.graph_sent", "train.streams", "adamw.scaling", "adamw.memory",
                     "adamw.refusals", "sharpness.regrad_graph", "sharpness.regrad_graphs", "momo.gpu_input",
                     "momo_double.gpu_input", "sgld.given", "gathered_loss.missing"):
            self.assertEqual(checks[name]["result"], "ok")
        self.assertEqual(found["device"]["sm"], 90)
        self.assertIn("0 failed", printed)
        rows = found["speed"]["rows"]
        self.assertEqual({row["rule"] for row in rows}, {"AdamW", "Adafactor", "ClipByGlobalNorm(1) | AdamW | Ema"})
        for row in rows:
            self.assertGreaterEqual(set(row["times"]), {"talweg, C", "talweg, C, graph"})
            self.assertEqual(set(row["copies"]), {"kernel", "driver"})
            self.assertGreater(min(row["copies"].values()), 0)
        self.assertTrue(found["is_over"])
        text = (self.kit / "speed.md").read_text()
        self.assertIn("| `AdamW` |", text)
        self.assertIn("| `ClipByGlobalNorm(1) \\| AdamW \\| Ema` |", text)

    def test_what_ends_a_process_is_one_check(self):
        checks, found, printed = self.results("--part", "checks", "--only", "momo", "--check-limit", "20", code=1,
                                              before=PLANTED)
        results = {name: check["result"] for name, check in checks.items() if name.startswith("momo")}
        self.assertEqual(results, {"momo.small": "FAILED", "momo.unaligned": "FAILED", "momo.odd": "FAILED",
                                   "momo.many": "not run", "momo.large": "not run", "momo.gpu_input": "ok"})
        crashed, raised, hung = (checks[f"momo.{name}"]["details"] for name in ("small", "unaligned", "odd"))
        self.assertEqual(crashed[0], "ended by SIGSEGV")
        self.assertIn("the last words", crashed)
        self.assertRegex("\n".join(crashed), "in planted")
        self.assertEqual(raised[0], "ValueError: the first cause")
        self.assertRegex(raised[1], ", planted: ")
        self.assertEqual(raised[-1], "afterwards KeyError: 'of clean-up'")
        self.assertEqual(hung[0], "it took longer than 20 seconds")
        self.assertRegex("\n".join(hung), "in planted")
        self.assertIn("2 not run", printed)
        self.assertTrue(found["is_over"])

    def test_after_a_crash_the_others_run(self):
        before = PLANTED.replace('"odd"', '"none"')
        checks, _, _ = self.results("--part", "checks", "--only", "momo|sgld", code=1, before=before)
        for name in ("momo", "sgld"):
            results = {kind: checks[f"{name}.{kind}"]["result"] for kind in ("small", "unaligned", "odd", "many", "large")}
            self.assertEqual(results, {"small": "FAILED", "unaligned": "FAILED", "odd": "ok", "many": "ok", "large": "ok"})

    def test_a_limit_of_time(self):
        """What is not run is said; nothing runs before the planted hang."""
        before = PLANTED.replace('"odd"', '"small"').replace("os.kill", "time.sleep(1000); os.kill")
        checks, found, printed = self.results("--part", "checks", "--only", "momo|sgld", "--limit", "15", "--jobs", "1", code=1,
                                              before=before)
        self.assertEqual({check["result"] for check in checks.values()}, {"not run"}, checks)
        self.assertGreaterEqual(set(checks), {f"{name}.{kind}" for name in ("momo", "sgld")
                                              for kind in ("small", "unaligned", "odd", "many", "large")})
        self.assertEqual(checks["sgld.large"]["details"], ["the limit of time came first"])
        self.assertIn("0 ok, 0 failed", printed)

    def test_a_work_that_fails_leaves_the_others(self):
        checks, found, _ = self.results("--part", "speed", "--only", "adafactor", code=1, before=PLANTED_SPEED)
        for title in [name for name in checks if name.endswith("parameters")]:
            self.assertEqual(checks[title]["result"], "ok")
            self.assertEqual(checks[f"{title}: talweg, C, graph"]["details"][0], "MemoryError: planted")
            self.assertEqual(checks[f"{title}: driver's copy"]["details"][0], "ended by SIGABRT")
        self.assertEqual(len(found["speed"]["rows"]), 3)
        for row in found["speed"]["rows"]:
            self.assertEqual((set(row["times"]), set(row["copies"])), ({"talweg, C"}, {"kernel"}))

    def test_in_process(self):
        checks, found, _ = self.results("--quick", "--only", "momo", "--in-process")
        self.assertEqual({checks["momo.small"]["result"], checks["momo.unaligned"]["result"]}, {"ok"})
        self.assertTrue(found["is_over"])

    def test_names_that_no_rule_has(self):
        for pattern, said in (("adamm", r"no rule of this kit is called 'adamm'; there are adamw"),
                              ("momo|trian", "no rule of this kit is called 'trian'; there are train"),
                              ("adam[", r"'adam\[' is no pattern")):
            made = run(self.kit, "--only", pattern)
            self.assertEqual(made.returncode, 2, made.stdout)
            self.assertRegex(made.stderr, "--only: " + said)

    def test_events_without_time(self):
        checks, found, _ = self.results("--part", "speed", "--markdown", self.kit / "none.md", before=NO_TIME)
        titles = [check for name, check in checks.items() if name.endswith("parameters")]
        self.assertEqual({check["result"] for check in titles}, {"skipped"})
        self.assertEqual(titles[0]["details"], ["events measure no time here"])
        self.assertEqual(found["speed"], {"rows": []})
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
