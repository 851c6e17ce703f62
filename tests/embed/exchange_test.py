#!/usr/bin/env python3
"""One C++ program with rules compiled at run time and with the same rules in built libraries: the same output, bit for
bit; and the interpreter's. Usage: exchange_test.py TALWEG JIT_PROGRAM CXX INCLUDE_DIR FOLDER LIBTALWEG
"""
import pathlib
import subprocess
import sys

TALWEG, JIT, CXX, INCLUDE, FOLDER, LIBTALWEG = sys.argv[1:]
HERE = pathlib.Path(__file__).parent
RULES = {"adamw": "AdamW", "clipped": "ClipByGlobalNorm(1) | AdamW", "lamb": "LAMB", "sam": "SAM | AdamW",
         "averaged": "AdamW | Ema"}


def output(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


for name, expression in RULES.items():
    folder = pathlib.Path(FOLDER, name)
    output(TALWEG, "build", "--rule", f"{name}={expression}", "--static", "-o", folder)
    program = folder / "built"
    output(CXX, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", f"-I{INCLUDE}", f"-I{folder}",
           f'-DEXCHANGE_HEADER="{name}.h"', f"-DEXCHANGE_RULE={name}_rule", HERE / "built.cpp", "-o", program,
           folder / f"lib{name}.a", "-pthread")
    built, compiled = output(program), output(JIT, expression)
    assert built == compiled, f"{expression}: built\n{built}\ncompiled\n{compiled}"
    interpreted = output(JIT, expression, "interpreter")
    assert interpreted == compiled, f"{expression}: interpreted\n{interpreted}\ncompiled\n{compiled}"
    assert "OUT_OF_RANGE" in built and ("outcome 3" in built) == (name == "sam"), built
    print(f"{expression}: {len(built.splitlines())} lines the same")

folder = pathlib.Path(FOLDER, "adamw")
program = folder / "foreign"
with open(LIBTALWEG, "rb") as library:  # a program with a sanitized libtalweg needs its run time
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in library.read() else []
output(CXX, *sanitize, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", f"-I{INCLUDE}", f"-I{folder}",
       HERE / "foreign.cpp", "-o", program, folder / "libadamw.a", LIBTALWEG,
       f"-Wl,-rpath,{pathlib.Path(LIBTALWEG).parent}", "-pthread")
assert output(program) == "0 failures\n"
