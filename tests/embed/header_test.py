#!/usr/bin/env python3
"""talweg/talweg.h says what the library is compiled from: its text is that of three headers inside, with other
names. Layout is not compared. With TALWEG_UPDATE_GOLDENS=1 the header is written anew.
Usage: header_test.py SOURCE_DIR
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
HEADER = ROOT / "compiler/embed/include/talweg/talweg.h"
SOURCES = ["runtime/standalone/interface.h", "runtime/standalone/table.h", "compiler/embed/interface.h"]
BEGIN, END = "/* BEGIN */\n", "/* END */\n"
# In this order: the rule's own type is called otherwise inside.
NAMES = [(r"\btalweg_lib_table\b", "talweg_rule"), (r"\btalweg_(lib|embed)_", "talweg_"),
         (r"\bTALWEG_(LIB|EMBED)_", "TALWEG_")]


def shown(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    text = text[text.index(BEGIN) + len(BEGIN):text.index(END)].replace("/* RULES */\n", "\n")
    for pattern, name in NAMES:
        text = re.sub(pattern, name, text)
    return text


def without_layout(text):
    return re.sub(r"[\s*\\]+", "", text)


header = HEADER.read_text(encoding="utf-8")
first, last = header.index(BEGIN) + len(BEGIN), header.index(END)
expected = "\n".join(shown(path) for path in SOURCES)
if os.environ.get("TALWEG_UPDATE_GOLDENS"):
    HEADER.write_text(header[:first] + expected + header[last:], encoding="utf-8")
    subprocess.run(["clang-format-14", "-i", HEADER], check=True)
    print("written:", HEADER)
elif without_layout(header[first:last]) != without_layout(expected):
    sys.exit(f"{HEADER} is not what {', '.join(SOURCES)} say; TALWEG_UPDATE_GOLDENS=1 writes it anew")
else:
    print(len(re.findall(r"^[a-z].*\btalweg_\w+\(", header, re.M)), "functions as inside")
