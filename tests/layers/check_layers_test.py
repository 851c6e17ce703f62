#!/usr/bin/env python3
"""The layer check itself: a clean tree passes, and each kind of forbidden include is found."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).with_name("check_layers.py")
PLANTED = {
    "compiler/base/a.h": '#include "compiler/sema/check.h"\n',
    "compiler/ir/a.cpp": '#include "runtime/support/result.h"\n',
    "runtime/train/a.cpp": '#include "compiler/base/source.h"\n',
    "runtime/memory/a.c": '#include "runtime/optimizer/step.h"\n',
    "compiler/sema/a.cpp": "#include <llvm/IR/Module.h>\n",
    "compiler/sema/b.cpp": "#include <antlr4-runtime.h>\n",
    "compiler/plan/long.cpp": "//\n" * 501,
}
GOOD = {
    "compiler/sema/a.cpp": '#include "compiler/syntax/ast.h"\n',
    "compiler/codegen/a.cpp": '#include <llvm/IR/Module.h>\n#include "runtime/abi/talweg_abi.h"\n',
    "compiler/driver/a.cpp": '#include "runtime/support/result.h"\n',
}


def status(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, CHECK, folder], stdout=subprocess.DEVNULL, check=False).returncode


assert status(GOOD) == 0, "a clean tree is refused"
for planted, content in PLANTED.items():
    assert status({**GOOD, planted: content}) == 1, f"not found: {planted}: {content[:60]}"
print(f"{len(PLANTED)} planted faults found")
