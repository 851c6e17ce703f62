#!/usr/bin/env python3
"""Plants faults, one at a time, in a copy of the sources, and checks that the suite notices each.

    run.py ROOT WORK [TABLE] [--only TEXT]...

WORK holds the copy and its build; both stay, so that a second run compiles little. A fault counts as noticed where
its test program fails or crashes; a fault that does not compile, a text that is not there exactly once, or a test
that fails without a fault is an error of this script's list. --only runs the faults with a TEXT in their names. TABLE
(Markdown) says of each fault when it was planted last: rows of faults that did not run stay. Exit status 1 if a fault
survived.
"""
import argparse
import datetime
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from faults import FAULTS  # noqa: E402
from table import write_table  # noqa: E402

PARTS = ["CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "cmake", "compiler", "runtime", "grammar", "stdlib", "tests",
         "docs", "examples", "benchmarks"]

# A fault may leave something unused, which is an error elsewhere.
UNUSED = "".join(f'#pragma GCC diagnostic ignored "-Wunused-{what}"\n'
                 for what in ("function", "variable", "parameter", "but-set-variable", "value"))
MAY_BE_UNUSED = {".c": UNUSED, ".cpp": UNUSED}


def copy_sources(root, tree):
    """Copies what changed since the last run; files that are the same keep their time, and so their objects."""
    for part in PARTS:
        for source in sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]:
            if not source.is_file() or "__pycache__" in source.parts:
                continue
            target = tree / source.relative_to(root)
            content = source.read_bytes()
            if target.exists() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(source, target)


def build(folder, target):
    return subprocess.run(["cmake", "--build", folder, "--target", target], capture_output=True, text=True, check=False)


def run_test(folder, program, arguments):
    """True if the test passes."""
    try:
        return subprocess.run([folder / "bin" / program, *arguments], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=900, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def sources_commit(root):
    """The last commit that changed what faults are planted in."""
    log = subprocess.run(["git", "-C", root, "log", "-1", "--format=%h", "--", "compiler", "runtime", "stdlib"],
                         capture_output=True, text=True, check=True)
    return log.stdout.strip()


class Check:
    def __init__(self, root, work):
        # Laid out as a checkout is, and built alike, so that a compiler cache can know the objects without a fault.
        self.tree, self.folder = work / "tree", work / "tree/build/release"
        copy_sources(root, self.tree)
        subprocess.run(["cmake", "--preset", "release"], cwd=self.tree, check=True, stdout=subprocess.DEVNULL)
        self.good = {}

    def passes_unchanged(self, program, arguments):
        key = (program, *arguments)
        if key not in self.good:
            built = build(self.folder, program)
            if built.returncode != 0:
                sys.exit(f"{program} does not build without a fault:\n{built.stdout[-3000:]}")
            self.good[key] = run_test(self.folder, program, arguments)
        return self.good[key]

    def plant(self, fault):
        """'noticed', 'SURVIVED', or what is wrong with the list."""
        _, file, old, new, program, arguments = fault
        if not self.passes_unchanged(program, arguments):
            return "ERROR: the test fails without the fault"
        path = self.tree / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            return f"ERROR: the text stands there {text.count(old)} times"
        path.write_text(MAY_BE_UNUSED.get(path.suffix, "") + text.replace(old, new), encoding="utf-8")
        try:
            built = build(self.folder, program)
            if built.returncode != 0:
                print(built.stdout[-3000:], file=sys.stderr)
                return "ERROR: it does not compile"
            return "SURVIVED" if run_test(self.folder, program, arguments) else "noticed"
        finally:
            path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("table", type=pathlib.Path, nargs="?")
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    check = Check(options.root.resolve(), options.work.resolve())
    when = f"{datetime.date.today()}, {sources_commit(options.root)}"
    rows, failed = {}, 0
    for fault in FAULTS:
        name, file, _, _, program, arguments = fault
        if options.only and not any(text in name for text in options.only):
            continue
        begin = time.monotonic()
        outcome = check.plant(fault)
        failed += outcome != "noticed"
        test = " ".join([program, *arguments])
        rows[name] = (name, file, test, outcome, when)
        print(f"{outcome:10} {name} ({test}, {time.monotonic() - begin:.0f} s)", flush=True)
        if options.table:
            write_table(options.table, [fault[0] for fault in FAULTS], rows)
    print(f"{len(rows) - failed} of {len(rows)} faults were noticed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
