#!/usr/bin/env python3
"""Fails if a file includes what its layer may not see, or if a source file is too long.

Within compiler/ and within runtime/ a layer sees only those listed before it. runtime/ never sees compiler/;
compiler/ sees runtime/abi, and its driver, standalone, embed and cli all of runtime/. antlr4 stays in syntax; LLVM in codegen,
targets and driver (and the one file of cli that edits lines). Usage: check_layers.py [ROOT]
"""
import pathlib
import re
import sys

COMPILER = ["base", "types", "builtins", "syntax", "sema", "ir", "passes", "plan", "codegen", "targets", "driver", "standalone", "embed", "cli"]
RUNTIME = ["abi", "support", "device", "memory", "optimizer", "gpu", "standalone", "checkpoint", "train"]
LLVM_LAYERS = {"codegen", "targets", "driver", "standalone"}
LLVM_FILES = {"compiler/cli/line_editor.cpp"}
LONGEST = 500
SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


def allowed(side, layer, target_side, target_layer):
    """True if a file of side/layer may include a header of target_side/target_layer."""
    if side == target_side:
        order = COMPILER if side == "compiler" else RUNTIME
        return order.index(target_layer) <= order.index(layer)
    if side == "compiler":
        return target_layer == "abi" or layer in ("driver", "standalone", "embed", "cli")
    return False


def faults_of(root, path):
    relative = path.relative_to(root)
    side, layer = relative.parts[0], relative.parts[1]
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > LONGEST:
        yield f"{relative}: {lines} lines; split it by topic (at most {LONGEST})"
    if layer not in (COMPILER if side == "compiler" else RUNTIME):
        yield f"{relative}: unknown layer '{layer}'"
        return
    for include in INCLUDE.findall(text):
        parts = include.split("/")
        if parts[0] in ("compiler", "runtime") and len(parts) > 2:
            if parts[1] not in (COMPILER if parts[0] == "compiler" else RUNTIME):
                yield f"{relative}: includes {include} of an unknown layer"
            elif not allowed(side, layer, parts[0], parts[1]):
                yield f"{relative}: {side}/{layer} may not include {include}"
        if parts[0] in ("antlr4-runtime.h", "antlr4-runtime", "TalwegParser.h", "TalwegLexer.h") and layer != "syntax":
            yield f"{relative}: antlr4 stays in compiler/syntax"
        if parts[0] in ("llvm", "lld") and layer not in LLVM_LAYERS and str(relative) not in LLVM_FILES:
            yield f"{relative}: LLVM stays in {', '.join(sorted(LLVM_LAYERS))}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    files = [p for side in ("compiler", "runtime") for p in sorted((root / side).rglob("*")) if p.suffix in SUFFIXES]
    faults = [fault for path in files for fault in faults_of(root, path)]
    print("\n".join(faults) if faults else f"{len(files)} files, every include points to a layer before it")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
