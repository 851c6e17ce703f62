"""What tests of the Python package share: skipping by name where something is missing."""
import importlib
import importlib.util
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(os.environ.get("TALWEG_ROOT", pathlib.Path(__file__).resolve().parents[2]))
SKIPPED = 77


def need(name):
    """A module; where it is missing, says so and ends the test as skipped."""
    need_installed(name)
    return importlib.import_module(name)


def need_installed(*names):
    """The same of several, which are not imported."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            print(f"skipped: no {name} for {sys.executable}")
            sys.exit(SKIPPED)


def main():
    """Runs the tests of the calling file; ends with 77 where all of them were skipped."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0:
        sys.exit("no test ran")
    sys.exit(SKIPPED if len(result.skipped) == result.testsRun else 0)
