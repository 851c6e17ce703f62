"""C programs that use and misuse a generated library: consumers_test.py plain|sanitized|valgrind."""
import sys
import unittest

from support import FOLDER, SKIPPED, compile_c, main, need, run

#: C files here, with what they are compiled with.
PROGRAMS = {
    "cpu": ["-D_POSIX_C_SOURCE=200809L"],
    "flat": [],
    "inputs": [],
    "memory": ["-Wl,--wrap=malloc,--wrap=free"],
    "misuse_calls": [],
    "misuse_creation": [],
    "saved": [],
    "threads": [],
    "waiting": [],
}
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


class Consumers(unittest.TestCase):
    kind = "?"

    def check(self, name, dtype):
        folder = FOLDER / dtype
        flags = SANITIZE if self.kind == "sanitized" else []
        program = compile_c(f"{name}.c", folder / f"{name}_{self.kind}", f"-I{folder}", *flags, *PROGRAMS[name],
                            folder / "libsamples.a", "-lm")
        before = [need("valgrind"), "-q", "--error-exitcode=9", "--leak-check=full"] if self.kind == "valgrind" else []
        result = run(*before, program, code=None)
        if result.returncode == SKIPPED:
            self.skipTest(result.stderr.strip())
        self.assertEqual(result.returncode, 0, result.stderr)


def add(name):
    def test(self):
        for dtype in ("float32", "float64") if self.kind == "plain" else ("float32",):
            self.check(name, dtype)
    setattr(Consumers, f"test_{name}", test)


for program in PROGRAMS:
    add(program)

if __name__ == "__main__":
    Consumers.kind = sys.argv.pop(1)
    main()
