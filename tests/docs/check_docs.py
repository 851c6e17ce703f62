#!/usr/bin/env python3
"""Runs what the documents say.

    check_docs.py TALWEG ROOT [--update]

Fenced blocks of README.md, ARCHITECTURE.md, CONTRIBUTING.md, docs/ and examples/, by their first line:
    ```talweg                  must pass `talweg check`
    ```talweg error=TW0301     must fail with that diagnostic and no other error
    ```talweg file=walk.tw     also keeps it as that module for later blocks
    ```console                 every `$ command` must end with 0 (or with N where the block says exit=N); lines after
                               a command are its output (stdout, then stderr) and must be equal, unless the block says `output=any`.
                               A line `...` stands for any lines. `needs=node`: not run, which is said, where there is no such program
    ```c file=first.c          (or cpp, cmake, javascript, python, json) is written to that file, for later console blocks to compile or run;
                               `more=first.c` adds to it. Each block of these languages says one of the two, but for
    ```python                  with lines `>>> ...`: run as a session, and what it prints must be equal; `...` stands for any text. All
                               sessions of a document are one. `needs=torch`: as above, where there is no such module
    ```sh                      commands that are not run (they take long, or install): bash must be able to read them
    ```text dump=STAGE RULE    must be what `talweg dump --stage STAGE RULE` prints; --update rewrites it
Links to files of the repository must lead somewhere. Blocks of a document run in order in one temporary folder in which the repository's examples/ and stdlib/ can be seen, and as build/release the build tree; `python3` is the one that runs this,
and has the package talweg of the tree. Blocks
that begin with `$ ./dev` are not run (they install packages); the test of a fresh machine runs those.
"""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
FILE_LANGUAGES = ("c", "cpp", "cmake", "javascript", "python", "json")
#: Runs the sessions of a file as one.
SESSION = ("import doctest, sys; sys.exit(bool(doctest.testfile(sys.argv[1], module_relative=False, encoding='utf-8', "
           "optionflags=doctest.ELLIPSIS).failed))")
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ ]*$", re.M | re.S)


class Runner:
    def __init__(self, talweg, root):
        self.talweg, self.root = talweg, root
        self.faults, self.ran = [], 0
        self.commands = tempfile.TemporaryDirectory()
        self.add_command("python3", f'exec "{sys.executable}" "$@"')
        if b"__asan_init" in talweg.read_bytes():  # then programs with libtalweg need its run time
            for compiler in ("cc", "c++"):
                self.add_command(compiler, 'case "$*" in *-ltalweg*) set -- -fsanitize=address,undefined "$@" ;; esac\n'
                                 f'exec {shutil.which(compiler)} "$@"')
            loaded = [subprocess.run(["c++", f"-print-file-name=lib{name}.so"], capture_output=True, text=True, check=True).stdout.strip()
                      for name in ("asan", "stdc++")]  # exceptions are looked for when the run time starts
            self.add_command("python3", f'LD_PRELOAD="{":".join(loaded)}" ASAN_OPTIONS=detect_leaks=0 exec "{sys.executable}" "$@"')

    def add_command(self, name, script):
        """What commands of documents run under this name."""
        file = pathlib.Path(self.commands.name, name)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def run(self, arguments, folder, **options):
        path = f"{self.commands.name}:{self.talweg.parent}:{os.environ['PATH']}"
        library = str(self.talweg.parent.parent / "lib")
        environment = {**os.environ, "PATH": path, "NO_COLOR": "1",
                       # libtalweg and its headers, as if they were installed
                       "CPATH": str(self.root / "compiler/embed/include"),
                       "LIBRARY_PATH": library, "LD_LIBRARY_PATH": library,
                       # and the Python package
                       "PYTHONPATH": str(self.root / "python"), "TALWEG_LIBRARY": f"{library}/libtalweg.so.0",
                       "PYTHONDONTWRITEBYTECODE": "1",
                       "CMAKE_GENERATOR": "Ninja",  # make need not be there
                       "TALWEG_STDLIB": str(self.root / "stdlib")}
        return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
                              check=False, **options)

    def fault(self, path, line, text):
        self.faults.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def check_rule(self, path, line, info, body, folder):
        """A block in the language."""
        file = pathlib.Path(folder, (re.findall(r"file=(\S+)", info) or [f"block_{line}.tw"])[0])
        file.write_text(body, encoding="utf-8")
        result = self.run([self.talweg, "check", "--json", file.name], folder)
        found = [json.loads(text) for text in result.stdout.splitlines() if text.startswith("{")]
        codes = sorted({entry["code"] for entry in found if entry["severity"] == "error"})
        wanted = sorted(re.findall(r"error=(TW\d{4})", info))
        if codes != wanted or (result.returncode != 0) != bool(wanted):
            self.fault(path, line, f"expected {wanted or 'no error'}, got exit {result.returncode} {codes}\n"
                       + "\n".join(entry.get("message", "") for entry in found) + result.stderr)

    def check_layout(self, path, line, body, folder):
        """What readers copy is laid out as `talweg fmt` would."""
        result = self.run([self.talweg, "fmt", "-"], folder, input=body)
        if result.returncode != 0 or result.stdout != body:
            self.fault(path, line, f"talweg fmt would write\n{result.stdout}{result.stderr}")

    def check_console(self, path, line, info, body, folder):
        """Commands and their output."""
        if body.startswith("$ ./dev"):
            return
        commands = re.split(r"^\$ ", body, flags=re.M)
        if commands[0].strip():
            self.fault(path, line, "a console block starts with `$ `")
        if self.lacks(path, line, info):
            return
        wanted_exit = int((re.findall(r"exit=(\d+)", info) or ["0"])[0])
        for command in commands[1:]:
            lines = command.split("\n")
            text = lines.pop(0)
            while text.endswith("\\"):
                text = text[:-1] + lines.pop(0).lstrip("> ")
            here_document = re.search(r"<<'(\w+)'", text)
            while here_document and lines:
                text += "\n" + lines.pop(0)
                if text.endswith("\n" + here_document.group(1)):
                    break
            result = self.run(["bash", "-c", text], folder)
            if result.returncode != wanted_exit:
                self.fault(path, line, f"`{text}` ended with {result.returncode}\n{result.stdout}{result.stderr}")
            expected = "\n".join(lines).rstrip("\n")
            if expected and "output=any" not in info and not fits(expected, result.stdout + result.stderr):
                self.fault(path, line, f"`{text}` printed\n{result.stdout}{result.stderr}instead of\n{expected}")

    def lacks(self, path, line, info):
        """True, and said, where a program or module that a block needs is not here."""
        for name in re.findall(r"needs=(\S+)", info):
            if shutil.which(name) is None and importlib.util.find_spec(name) is None:
                print(f"{path.relative_to(self.root)}:{line}: not run: there is no {name}")
                return True
        return False

    def check_session(self, path, text, folder):
        """What Python prints, of all blocks of a document that show it; the rest of it is blank, so that lines count as there."""
        kept, end = [], 0
        for match in FENCE.finditer(text):
            info, body = match.group(1).strip(), match.group(2)
            line = text.count("\n", 0, match.start()) + 1
            if is_session(info, body) and not self.lacks(path, line, info):
                kept.append("\n" * text.count("\n", end, match.start(2)) + body)
                end = match.end(2)
                self.ran += 1
        if not kept:
            return
        file = pathlib.Path(folder, "session.txt")
        file.write_text("".join(kept), encoding="utf-8")
        result = self.run(["python3", "-c", SESSION, file.name], folder)
        if result.returncode != 0:
            self.fault(path, 0, f"a Python session differs\n{result.stdout}{result.stderr}")

    def keep_file(self, path, line, info, body, folder):
        """A block that later commands compile or run."""
        named = re.findall(r"\b(file|more)=(\S+)", info)
        if len(named) != 1:
            self.fault(path, line, f"nothing runs this block: give it file=NAME or more=NAME ({info})")
            return
        mode, name = named[0]
        file = pathlib.Path(folder, name)
        if (mode == "more") != file.exists():
            self.fault(path, line, f"{name} {'already exists' if mode == 'file' else 'has no first part'}")
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a", encoding="utf-8") as out:
            out.write(body)

    def check_shell(self, path, line, _info, body, folder):
        """Commands that are only read."""
        result = self.run(["bash", "-n"], folder, input=body)
        if result.returncode != 0:
            self.fault(path, line, result.stderr)

    def dumped(self, info, folder):
        stage, rule = re.fullmatch(r"text dump=(\S+) (.*)", info).groups()
        return self.run([self.talweg, "dump", "--stage", stage, "--rule", rule], folder)

    def check_dump(self, path, line, info, body, folder):
        result = self.dumped(info, folder)
        if result.returncode != 0 or result.stdout.rstrip() != body.rstrip():
            self.fault(path, line, f"differs from the output of talweg dump ({info}); --update rewrites it\n{result.stderr}")

    def check_file(self, path):
        text = path.read_text(encoding="utf-8")
        for match in LINK.finditer(FENCE.sub("", text)):
            if not (path.parent / match.group(1)).exists():
                self.fault(path, 0, f"links to {match.group(1)}, which does not exist")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("examples", "stdlib"):
                os.symlink(self.root / name, pathlib.Path(folder, name))
            pathlib.Path(folder, "build").mkdir()
            os.symlink(self.talweg.parents[1], pathlib.Path(folder, "build/release"))
            for match in FENCE.finditer(text):
                info, body = match.group(1).strip(), match.group(2)
                line = text.count("\n", 0, match.start()) + 1
                kinds = {"talweg": self.check_rule, "console": self.check_console, "sh": self.check_shell,
                         **dict.fromkeys(FILE_LANGUAGES, self.keep_file)}
                check = self.check_dump if info.startswith("text dump=") else kinds.get(info.split(" ")[0])
                if check and not is_session(info, body):
                    check(path, line, info, body, folder)
                    self.ran += 1
                if info.startswith("talweg") and "error=TW01" not in info:
                    self.check_layout(path, line, body, folder)
            self.check_session(path, text, folder)

    def update_file(self, path):
        def replace(match, folder):
            info = match.group(1).strip()
            if info.startswith("talweg") and "file=" in info:
                self.check_rule(path, 0, info, match.group(2), folder)
            if not info.startswith("text dump="):
                return match.group(0)
            return f"```{info}\n{self.dumped(info, folder).stdout.rstrip()}\n```"
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            text = FENCE.sub(lambda match: replace(match, folder), text)
        path.write_text(text, encoding="utf-8")


def is_session(info, body):
    return info.split(" ")[0] == "python" and body.startswith(">>> ")


def fits(expected, output):
    """True if output is expected, where a line `...` stands for any lines."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^\.\.\.$", expected, flags=re.M)]
    return re.fullmatch(r"\n*(.*\n)?".join(parts) + r"\s*", output, flags=re.S) is not None


def main():
    talweg, root = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    runner = Runner(talweg, root)
    files = [root / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    files += sorted((root / "docs").rglob("*.md")) + sorted((root / "examples").rglob("*.md"))
    for path in files:
        if "--update" in sys.argv:
            runner.update_file(path)
        runner.check_file(path)
    print("\n".join(runner.faults) or f"{runner.ran} blocks of {len(files)} documents hold")
    return 1 if runner.faults or runner.ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
