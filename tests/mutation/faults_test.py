#!/usr/bin/env python3
"""The list of faults can be planted: each text stands once in its file, and the test that is to notice it exists.

    faults_test.py ROOT PROGRAM...
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from faults import FAULTS  # noqa: E402


def test_cases(tests):
    """Names of the cases of all programs."""
    case = re.compile(r'TEST_CASE\(\s*"([^"]*)"')
    return [name for file in tests.rglob("*.cpp") for name in case.findall(file.read_text(encoding="utf-8"))]


def faults_of_list(root, programs, faults):
    """What is wrong with the list, in words."""
    cases, seen = test_cases(root / "tests"), set()
    for name, file, old, new, program, arguments in faults:
        path = root / file
        count = path.read_text(encoding="utf-8").count(old) if path.is_file() else 0
        if count != 1:
            yield f"{name}: its text stands {count} times in {file}: {old!r}"
        if old == new:
            yield f"{name}: it changes nothing"
        if name in seen or "|" in name:
            yield f"{name}: the name stands for two faults, or cannot stand in a table"
        seen.add(name)
        if program not in programs:
            yield f"{name}: there is no test program {program}"
        for pattern in arguments:
            if not any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), case) for case in cases):
                yield f"{name}: no test case is named {pattern}"


def main():
    root, programs = pathlib.Path(sys.argv[1]), sys.argv[2:]
    wrong = list(faults_of_list(root, programs, FAULTS))
    # The check sees what it is for.
    _, file, old, _, program, _ = FAULTS[0]
    planted = [("gone", file, old + "?", "", program, []), ("same", file, old, old, program, []),
               ("untested", file, old, "", "no_test", []), ("unknown case", file, old, "", program, ["no such case"]),
               ("gone", file, old, "", program, [])]
    if len(list(faults_of_list(root, programs, planted))) != len(planted):
        wrong.append("the check does not see faults of the list")
    print("\n".join(wrong) or f"{len(FAULTS)} faults can be planted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
