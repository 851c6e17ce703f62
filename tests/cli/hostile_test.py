#!/usr/bin/env python3
"""Hostile rule files: each gets a clean error (exit 1), in under a second and 256 MB.

Time is CPU time and memory the largest resident set of the process; both are properties of the command, not benchmarks. In a
build with sanitizers only the clean error is asked for.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

talweg = str(pathlib.Path(sys.argv[1]).resolve())
SANITIZED = b"__asan_init" in pathlib.Path(talweg).read_bytes() or b"__tsan_init" in pathlib.Path(talweg).read_bytes()
STEP = "rule R {{ step {{ update = {} }} }}\n"
N = 60_000
CASES = {
    "parentheses": STEP.format("(" * N + "grad" + ")" * N).encode(),
    "open parentheses": STEP.format("(" * N).encode(),
    "unary minuses": STEP.format("- " * N + "grad").encode(),
    "nots": ("rule R { step { update = if " + "not " * N + "true then grad else grad } }").encode(),
    "ifs": STEP.format("if t > 1 then grad else " * N + "grad").encode(),
    "if statements": ("rule R { step { " + "if t > 1 { " * N + "}" * N + " } }").encode(),
    "powers": STEP.format("grad" + "^2" * N).encode(),
    "sums": STEP.format("grad" + " + grad" * 500_000).encode(),
    "braces": b"{" * N,
    "brackets": STEP.format("[" * N).encode(),
    "megabyte number": STEP.format("1" * 1_000_000).encode(),
    "megabyte fraction": STEP.format("0." + "1" * 1_000_000).encode(),
    "megabyte name": STEP.format("x" * 1_000_000).encode(),
    "overflowing number": STEP.format("1e999 * grad").encode(),
    "invalid utf-8": b"rule R { step { update = gr\xffad } }",
    "lone continuation": b"\x80",
    "utf-16": "rule R { }".encode("utf-16"),
    "nul": b"rule R { step { update = \0 grad } }",
    "only nul": b"\0" * 1000,
    "random bytes": bytes((i * 7919 + 13) % 256 for i in range(100_000)),
    "endless loop": b"rule R { step { var x = grad\n for i in 1..1000000000000 { x = x + grad }\n update = x } }",
    "nested loops": ("rule R { step { var x = grad\n" + "for i in 1..100 {" * 8 + " x = x + grad " + "}" * 8
                     + "\n update = x } }").encode(),
    "doubling functions": ("fn f0(x) = x + 1\n" + "".join(f"fn f{i}(x) = f{i-1}(x) + f{i-1}(x)\n" for i in range(1, 60))
                           + "rule R { step { update = f59(grad) } }").encode(),
    "doubling lets": ("rule R { step { var x = grad\n for i in 1..100000 { x = x + x }\n update = x } }").encode(),
    "recursion": b"fn f(x) = g(x)\nfn g(x) = f(x)\nrule R { step { update = f(grad) } }",
    "pipeline of itself": b"rule A = B\nrule B = A\n",
    "many errors": "".join(f"rule R{i} {{ step {{ update = nothing{i} }} }}\n" for i in range(5000)).encode(),
    "unclosed everything": b"rule R { step { if t > 1 { update = grad * (1 + ",
    "only a slash": b"/",
    "huge list": ("rule R { step { var x = grad\n for v in [" + "1," * 200_000 + "1] { x = x + v }\n update = x } }").encode(),
}


def run(folder, name):
    process = subprocess.Popen([talweg, "check", name], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    return process.returncode, message.decode("utf-8", "replace"), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


faults = []


def judge(name, code, message, seconds, megabytes):
    print(f"{name:22} exit {code}  {seconds:5.2f} s  {megabytes:6.1f} MB  {message.splitlines()[0][:100] if message else ''}")
    if code != 1:
        faults.append(f"{name}: exit {code}\n{message[:2000]}")
    if "TW" not in message:
        faults.append(f"{name}: no numbered diagnostic\n{message[:2000]}")
    if len(message) > 200_000:
        faults.append(f"{name}: {len(message)} bytes of messages")
    if not SANITIZED and (seconds >= 1 or megabytes >= 256):
        faults.append(f"{name}: {seconds:.2f} s, {megabytes:.0f} MB")


with tempfile.TemporaryDirectory() as folder:
    for name, content in CASES.items():
        file = pathlib.Path(folder, "hostile.tw")
        file.write_bytes(content)
        judge(name, *run(folder, file.name))
    pathlib.Path(folder, "a.tw").write_text("import b\nrule A { step { update = grad } }\n")
    pathlib.Path(folder, "b.tw").write_text("import a\nrule B { step { update = grad } }\n")
    judge("imports in a circle", *run(folder, "a.tw"))
    pathlib.Path(folder, "self.tw").write_text("import self\n")
    judge("import of itself", *run(folder, "self.tw"))
    pathlib.Path(folder, "empty.tw").write_text("")
    code, message, *_ = run(folder, "empty.tw")
    if code != 0:
        faults.append(f"an empty file is an empty module, got exit {code}: {message}")
    # The REPL: a line without end, and an input that never becomes whole.
    for name, source, wanted in [("endless line", "/dev/zero", "a line has more than"),
                                 ("endless input", pathlib.Path(folder, "open.txt"), "goes on for more than")]:
        pathlib.Path(folder, "open.txt").write_text("(\n" * N)
        with open(source, "rb") as lines:
            repl = subprocess.run([talweg, "repl"], stdin=lines, capture_output=True,
                                  timeout=600 if SANITIZED else 120)
        if repl.returncode != 1 or wanted not in repl.stderr.decode():
            faults.append(f"repl, {name}: exit {repl.returncode}\n{repl.stderr[:500]}")
print("\n".join(faults) or f"{len(CASES) + 3} hostile inputs refused cleanly")
sys.exit(1 if faults else 0)
