#!/usr/bin/env python3
"""What libtalweg.so shows: the functions of the recorded list, which are those of talweg.h and,
for the Python package, of tensors.h, and no other symbol; and that of libraries it needs none but
glibc's and libgcc_s.
Usage: exports_test.py LIBRARY SOURCE_DIR (TALWEG_UPDATE_GOLDENS=1 records anew)
"""
import os
import pathlib
import re
import subprocess
import sys

library, root = sys.argv[1], pathlib.Path(sys.argv[2])
recorded = root / "tests/embed/exports.txt"
table = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
names = sorted(line.split()[-1].split("@")[0] for line in table.splitlines())
if os.environ.get("TALWEG_UPDATE_GOLDENS"):
    recorded.write_text("\n".join(names) + "\n", encoding="utf-8")
assert names == recorded.read_text(encoding="utf-8").split(), f"exported: {names}"
header = "".join((root / f"compiler/embed/include/talweg/{name}.h").read_text(encoding="utf-8") for name in ("talweg", "interface"))
header += (root / "compiler/embed/tensors.h").read_text(encoding="utf-8").replace("talweg_embed_", "talweg_")
text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
declared = sorted(set(re.findall(r"\b(talweg_\w+)\(", text)))
assert names == declared, f"only exported: {set(names) - set(declared)}; only declared: {set(declared) - set(names)}"
dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
assert "[libtalweg.so.0]" in dynamic, dynamic
needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
if not any("san.so" in name for name in needed):  # what a library for sanitizers needs is no user's business
    assert needed <= {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}, needed
print(len(names), "functions, SONAME libtalweg.so.0")
