"""Generated libraries leave the interpreter's bits, on one kind of processor: bits_test.py KIND."""
import functools
import itertools
import pathlib
import sys
import unittest

from support import CC, DTYPES, FOLDER, IS_X86, SKIPPED, compile_c, main, need, run

CROSS_CC, CROSS_ROOT = "aarch64-linux-gnu-gcc", pathlib.Path("/usr/aarch64-linux-gnu")


def emulator(kind):
    """What runs programs of that kind; empty for this processor itself."""
    if kind == "aarch64":
        return [need("qemu-aarch64"), "-L", CROSS_ROOT]
    if not IS_X86:
        raise unittest.SkipTest("this is no x86-64 processor")
    models = {"v2-emulated": "Nehalem", "v3-emulated": "Haswell"}
    return [need("qemu-x86_64"), "-cpu", models[kind]] if kind in models else []


@functools.cache
def compiled(kind, compiler, dtype, is_shared):
    folder = FOLDER / dtype
    code = folder / "aarch64" if kind == "aarch64" else folder
    library = [f"-L{code}", "-lsamples", f"-Wl,-rpath,{code}"] if is_shared else [code / "libsamples.a"]
    out = folder / f"transcript_{kind}_{'shared' if is_shared else 'static'}"
    return compile_c("transcript.c", out, f"-I{folder}", *library, compiler=compiler)


class Bits(unittest.TestCase):
    kind = "?"

    def setUp(self):
        self.emulator = emulator(self.kind)
        self.compiler = need(CROSS_CC) if self.kind == "aarch64" else CC
        self.cpu = "aarch64" if self.kind == "aarch64" else "x86-64-" + self.kind.split("-")[0]

    def program(self, dtype, is_shared):
        return compiled(self.kind, self.compiler, dtype, is_shared)

    def check(self, program, dtype, tasks, *more, forced=True):
        result = run(*self.emulator, program, tasks, *more, code=None, env={"TALWEG_CPU": self.cpu if forced else ""})
        if result.returncode == SKIPPED:
            self.skipTest(f"{self.cpu}: {result.stderr.strip()}")
        self.assertEqual(result.returncode, 0, result.stderr)
        expected = (FOLDER / dtype / "expected.txt").read_text().splitlines()
        for number, (want, got) in enumerate(zip(expected, result.stdout.splitlines()), 1):
            self.assertEqual(got, want, f"line {number} with {tasks} tasks, {dtype}, {program}:\n" +
                             "\n".join(line for line in expected[:number] if " " not in line or line.startswith("step"))[-200:])
        self.assertEqual(len(result.stdout.splitlines()), len(expected))
        return result

    # Emulators are slow: there each way is gone once.

    def test_static(self):
        for dtype, tasks in itertools.product(DTYPES, (0, 2, 3, 7)) if not self.emulator else [("float64", 3)]:
            self.check(self.program(dtype, False), dtype, tasks)

    def test_shared(self):
        for dtype in DTYPES if not self.emulator else ():
            self.check(self.program(dtype, True), dtype, 3)
        self.check(self.program("float32", True), "float32", 4, "pool")

    def test_what_is_chosen(self):
        """Without TALWEG_CPU it is the best that the processor has."""
        if not self.emulator:
            self.check(self.program("float32", False), "float32", 0)  # skips where the processor lacks it
        chosen = self.check(self.program("float32", False), "float32", 0, forced=False).stderr.splitlines()
        if self.emulator:
            self.assertEqual(chosen[-1], f"runs on {self.cpu}")  # qemu warns of what it lacks


if __name__ == "__main__":
    Bits.kind = sys.argv.pop(1)
    main()
