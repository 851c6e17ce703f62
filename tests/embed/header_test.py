#!/usr/bin/env python3
"""talweg/talweg.h and talweg/interface.h say what the library is compiled from: their text is that of three headers
inside, with other names. Layout is not compared. With TALWEG_UPDATE_GOLDENS=1 the headers are written anew.
Usage: header_test.py SOURCE_DIR
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDER = ROOT / "compiler/embed/include/talweg"
HEADERS = {"interface.h": ["runtime/standalone/interface.h", "runtime/standalone/table.h"],
           "talweg.h": ["compiler/embed/interface.h"]}
BEGIN, END = "/* BEGIN */\n", "/* END */\n"
# In this order: the rule's own type is called otherwise inside.
NAMES = [(r"\btalweg_lib_table\b", "talweg_rule"), (r"\btalweg_(lib|embed)_", "talweg_"),
         (r"\bTALWEG_(LIB|EMBED)_", "TALWEG_")]


def shown(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    text = text[text.index(BEGIN) + len(BEGIN):text.index(END)].replace("/* RULES */\n", "\n")
    text = re.sub(r"/\* (END )?CUDA \*/\n", "", text)  # libtalweg has it always
    for pattern, name in NAMES:
        text = re.sub(pattern, name, text)
    return text


def without_layout(text):
    return re.sub(r"[\s*\\]+", "", text)


for name, sources in HEADERS.items():
    path = FOLDER / name
    header = path.read_text(encoding="utf-8")
    first, last = header.index(BEGIN) + len(BEGIN), header.index(END)
    expected = "\n".join(shown(source) for source in sources)
    if os.environ.get("TALWEG_UPDATE_GOLDENS"):
        path.write_text(header[:first] + expected + header[last:], encoding="utf-8")
        subprocess.run(["clang-format-14", "-i", path], check=True)
        print("written:", path)
    elif without_layout(header[first:last]) != without_layout(expected):
        sys.exit(f"{path} is not what {', '.join(sources)} say; TALWEG_UPDATE_GOLDENS=1 writes it anew")
    else:
        print(name, len(re.findall(r"^[a-z].*\btalweg_\w+\(", header, re.M)), "functions as inside")
