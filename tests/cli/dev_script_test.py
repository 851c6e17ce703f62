#!/usr/bin/env python3
"""./dev where packages are missing and there is no privilege, on another system, and with wrong arguments.

The script runs with a PATH in which apt and its kin are small fakes.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1]).resolve()
FAKES = {
    "id": "echo 1000",
    "dpkg-query": 'case "${@: -1}" in llvm-22-dev|antlr4) exit 1;; *) printf installed;; esac',
    "apt-get": 'echo "apt-get was called: $*" >&2; exit 1',
}


def run(arguments, fakes, without=()):
    with tempfile.TemporaryDirectory() as folder:
        tools = pathlib.Path(folder)
        for tool in ("bash", "dirname", "uname", "nproc", "awk", "env", "grep", "cat", "mkdir", "rm"):
            found = next(p for p in ("/usr/bin", "/bin") if pathlib.Path(p, tool).exists())
            os.symlink(pathlib.Path(found, tool), tools / tool)
        for name, body in fakes.items():
            if name not in without:
                (tools / name).unlink(missing_ok=True)
                (tools / name).write_text(f"#!/bin/bash\n{body}\n")
                (tools / name).chmod(0o755)
        return subprocess.run([str(root / "dev"), *arguments], env={"PATH": folder, "HOME": folder}, capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL)


def expect(what, result, code, *words):
    text = result.stdout + result.stderr
    assert result.returncode == code, f"{what}: exit {result.returncode}, not {code}\n{text}"
    for word in words:
        assert word in text, f"{what}: '{word}' is missing in\n{text}"


expect("no privilege", run(["build"], FAKES), 3,
       "apt-get install --yes --no-install-recommends antlr4 llvm-22-dev")
expect("no apt", run(["build"], FAKES, without=("apt-get",)), 3, "LLVM 22.1")
expect("another system", run(["build"], {**FAKES, "uname": "echo Darwin"}), 3, "Darwin")
old = {**FAKES, "id": "echo 0", "apt-get": "exit 0", "apt-cache": "echo '  Candidate: (none)'"}
expect("no LLVM 22", run(["test"], old), 3, "LLVM 22.1", "security")
expect("typo", run(["tset"], FAKES), 2, "unknown command 'tset'")
expect("help", run(["help"], FAKES), 0, "demo", "test")
print("the dev script says what is missing and how to get it")
