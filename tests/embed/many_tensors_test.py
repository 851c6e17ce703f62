#!/usr/bin/env python3
"""A C program with a built library and libtalweg: many_tensors.c, which says what it shows.

    many_tensors_test.py TALWEG CC INCLUDE_DIR FOLDER LIBTALWEG
"""
import pathlib
import subprocess
import sys

TALWEG, CC, INCLUDE, FOLDER, LIBTALWEG = sys.argv[1:]
SOURCE = pathlib.Path(__file__).with_name("many_tensors.c")
#: Of single elements; of norms per tensor and of the model, with a view; of rows and columns.
RULES = {"elements": "AdamW", "norms": "ClipByGlobalNorm(1) | LAMB | Ema", "lines": "Adafactor"}


def run(*command):
    done = subprocess.run([str(part) for part in command], check=False, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}")


def main():
    folder = pathlib.Path(FOLDER)
    rules = [part for name, expression in RULES.items() for part in ("--rule", f"{name}={expression}")]
    run(TALWEG, "build", "--name", "many", "--static", "--quiet", "-o", folder, *rules)
    with open(LIBTALWEG, "rb") as library:  # then a program with it needs its run time, and the interpreter takes long
        is_sanitized = b"__asan_init" in library.read()
    sanitize = ["-fsanitize=address,undefined", "-DTENSOR_COUNT=1000"] if is_sanitized else []
    program = folder / "many_tensors"
    run(CC, *sanitize, "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", f"-I{INCLUDE}", f"-I{folder}",
        SOURCE, "-o", program, folder / "libmany.a", LIBTALWEG, f"-Wl,-rpath,{pathlib.Path(LIBTALWEG).parent}", "-pthread")
    run(program, *RULES.values())


if __name__ == "__main__":
    main()
