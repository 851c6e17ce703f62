#!/usr/bin/env python3
"""An installed tree may lie anywhere: library and stdlib are moved into a fresh folder, and a program runs with them
without any variable of the environment. Usage: relocated_test.py LIBRARY JIT_PROGRAM SOURCE_DIR
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

library, program, root = map(pathlib.Path, sys.argv[1:])
with tempfile.TemporaryDirectory() as folder:
    prefix = pathlib.Path(folder, "else where")
    (prefix / "lib").mkdir(parents=True)
    shutil.copy(library, prefix / "lib/libtalweg.so.0")

    def run(*arguments, libraries=prefix / "lib", start="/"):
        environment = {"LD_LIBRARY_PATH": str(libraries), "TALWEG_CACHE_DIR": str(prefix / "cache")}
        return subprocess.run([program, "LAMB", *arguments], capture_output=True, text=True, check=False, cwd=start, env=environment)

    missing = run()
    assert missing.returncode != 0 and "there is no folder" in missing.stderr, missing.stderr
    assert str(prefix / "share/talweg/stdlib") in missing.stderr, missing.stderr
    shutil.copytree(root / "stdlib", prefix / "share/talweg/stdlib")
    found = run()
    assert found.returncode == 0 and "steps 9" in found.stdout, found.stdout + found.stderr
    # Loaded by a name that is none where the program has gone.
    left = run("/", libraries="lib", start=prefix)
    assert left.returncode == 0 and "steps 9" in left.stdout, left.stdout + left.stderr
    print("found in", prefix)
