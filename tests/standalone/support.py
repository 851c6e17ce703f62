"""What tests of generated libraries share: running talweg and the system's C compiler, and saying what was skipped."""
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import unittest

TALWEG = pathlib.Path(os.environ["TALWEG_PROGRAM"])
ROOT = pathlib.Path(os.environ["TALWEG_ROOT"])
#: Where libraries.py puts what other tests use.
FOLDER = pathlib.Path(os.environ["TALWEG_LIBRARIES"])
HERE = pathlib.Path(__file__).resolve().parent
CC = os.environ.get("TALWEG_TEST_CC", "cc")
CXX = os.environ.get("TALWEG_TEST_CXX", "c++")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
DTYPES = ("float32", "float64")
IS_X86 = platform.machine() in ("x86_64", "AMD64")
SKIPPED = 77


def run(*command, code=0, env=None, **options):
    """The finished process; an exit code other than `code` (None: any) is an error that shows all output."""
    environment = {**os.environ, **(env or {})}
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, timeout=300,
                            check=False, **options)
    if code is not None and result.returncode != code:
        shown = " ".join(str(part) for part in command)
        raise AssertionError(f"{shown}\nended with {result.returncode}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return result


def build(name, out, *arguments, **options):
    """A library by `talweg build`; the folder it is in."""
    run(TALWEG, "build", "--name", name, "-o", out, *arguments, **options)
    return out


def compile_c(source, out, *arguments, compiler=CC):
    """A program of one C file of this folder, with all warnings."""
    run(compiler, "-std=c11", "-O1", "-g", *WARNINGS, f"-I{HERE}", HERE / source, "-o", out, *arguments, "-pthread")
    return out


def need(program):
    """The path of a program; skips the test by name where it is missing."""
    path = shutil.which(program)
    if path is None:
        raise unittest.SkipTest(f"no {program} here")
    return path


def main():
    """Runs the tests of the calling module; ends with 77 where all of them were skipped."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    if not program.result.wasSuccessful():
        sys.exit(1)
    skipped = program.result.skipped
    if program.result.testsRun == 0:
        sys.exit("no test ran")
    sys.exit(SKIPPED if len(skipped) == program.result.testsRun else 0)
