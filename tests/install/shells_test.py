#!/usr/bin/env python3
"""Completions and manual pages say what --help says, and shells and groff take them.

    shells_test.py BUILD_TREE ROOT
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve()
TALWEG = BUILD / "bin/talweg"
SHELLS = {"bash": "bash-completion/completions/talweg", "fish": "fish/vendor_completions.d/talweg.fish", "zsh": "zsh/site-functions/_talweg"}


def talweg(*arguments, code=0):
    result = subprocess.run([TALWEG, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == code, f"{arguments}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


def commands():
    """Names of the subcommands, as --help lists them."""
    listed = talweg("--help").split("Subcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S+)", listed, re.M)


def options(command):
    """The names of a command's options, as its --help lists them: ["-r", "--rule"] for each."""
    text = talweg(*command, "--help").split("Options:\n")[1]
    return [found.split(",") for found in re.findall(r"^  (-\S+)", text, re.M)]


ALL = {(): options(()), **{(name,): options((name,)) for name in commands()}}


class Whole(unittest.TestCase):
    """Every command and option is in each, and what was built is what the command prints."""

    def test_there_are_many(self):
        self.assertGreater(len(ALL), 12)
        self.assertIn(["-r", "--rule"], ALL["build",])
        self.assertGreater(sum(map(len, ALL.values())), 120)

    def test_bash(self):
        text = talweg("completions", "bash")
        for command, wanted in ALL.items():
            name = command[0] if command else "''"
            line = re.search(rf"^    {re.escape(name)}\) echo '(.*)' ;;$", text, re.M)
            self.assertIsNotNone(line, name)
            self.assertEqual(line.group(1).split(), [part for names in wanted for part in names], name)

    def test_zsh(self):
        text = talweg("completions", "zsh")
        for (name, *_), wanted in ((command, wanted) for command, wanted in ALL.items() if command):
            block = text.split(f"\n      {name}) _arguments", 1)[1].split(" ;;\n", 1)[0]
            for names in wanted:
                for option in names:
                    self.assertRegex(block, rf"[)*]{re.escape(option)}[+=]?\[", f"{name} {option}")

    def test_fish(self):
        text = talweg("completions", "fish")
        for command, wanted in ALL.items():
            condition = f"'__fish_seen_subcommand_from {command[0]}'" if command else "__fish_use_subcommand"
            lines = [line for line in text.splitlines() if line.startswith(f"complete -c talweg -n {condition} ")]
            if command:
                self.assertIn(f"complete -c talweg -n __fish_use_subcommand -a {command[0]} ", text)
            for names in wanted:
                parts = [f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in names]
                self.assertTrue(any(all(f"{part} " in line for part in parts) for line in lines), f"{command} {names}")

    def test_manual(self):
        for command, wanted in ALL.items():
            page = talweg("man", *command).replace("\\-", "-")
            for names in wanted:
                self.assertIn("\n" + ", ".join(rf"\fB{name}\fR" for name in names), page, command)
        for (name, *_) in (command for command in ALL if command):
            self.assertIn(rf"\fB{name}\fR", talweg("man"))

    def test_what_was_built(self):
        for shell, file in SHELLS.items():
            self.assertEqual((BUILD / "share" / file).read_text(), talweg("completions", shell))
        pages = {"talweg.1": (), **{f"talweg-{command[0]}.1": command for command in ALL if command}}
        self.assertLessEqual(set(pages), {file.name for file in (BUILD / "share/man/man1").iterdir()})
        for file, command in pages.items():
            self.assertEqual((BUILD / "share/man/man1" / file).read_text(), talweg("man", *command))

    def test_wrong_usage(self):
        talweg("completions", "csh", code=2)
        talweg("completions", code=2)
        talweg("man", "biuld", code=2)
        talweg("man", "-o", "/proc/nowhere", code=3)
        talweg("completions", "bash", "-o", "/proc/nowhere/file", code=3)


class Rendered(unittest.TestCase):
    def test_pages_render_without_warnings(self):
        if not shutil.which("groff") or not pathlib.Path("/usr/share/groff/current/tmac/an.tmac").exists():
            self.skipTest("no groff with its man macros here")
        for command in ALL:
            page = talweg("man", *command)
            shown = subprocess.run(["groff", "-ww", "-man", "-Tascii", "-P-cbou"], input=page, capture_output=True, text=True, check=True)
            self.assertEqual(shown.stderr, "", command)
            self.assertIn("SYNOPSIS", shown.stdout)

    def test_man_finds_and_shows_them(self):
        if not shutil.which("man"):
            self.skipTest("no man here")
        environment = {**os.environ, "MANPATH": str(BUILD / "share/man"), "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}
        shown = subprocess.run(["man", "--warnings", "-P", "cat", "talweg-build"], capture_output=True, text=True, env=environment, check=True)
        self.assertEqual(shown.stderr, "")
        self.assertIn("talweg build adamw.tw -o out", shown.stdout)


class Bash(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("mine.tw", "other.tw", "notes.txt", "two words.tw"):
            (self.folder / name).write_text("")
        (self.folder / "rules").mkdir()

    def bash(self, script, *options):
        environment = {**os.environ, "PATH": f"{TALWEG.parent}:{os.environ['PATH']}", "HOME": str(self.folder)}
        return subprocess.run(["bash", "--noprofile", "--norc", *options, "-c", script], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=60, check=True).stdout

    def complete(self, *words):
        """What is offered for the last of these words of a line."""
        line = " ".join(f"'{word}'" if "'" not in word else f'"{word}"' for word in words)
        return self.bash(f"compopt() {{ :; }}; source <({TALWEG} completions bash); COMP_WORDS=({line}); "
                         f"COMP_CWORD={len(words) - 1}; _talweg; printf '%s\\n' \"${{COMPREPLY[@]}}\"").split("\n")[:-1]

    def test_commands(self):
        self.assertEqual(set(self.complete("talweg", "")), set(commands()))
        self.assertEqual(self.complete("talweg", "tra"), ["train", "trace"])

    def test_options(self):
        self.assertEqual(self.complete("talweg", "build", "--ta"), ["--target"])
        self.assertEqual(set(self.complete("talweg", "build", "-")), {name for names in ALL["build",] for name in names})

    def test_values(self):
        self.assertEqual(self.complete("talweg", "build", "--dtype", ""), ["float32", "float64"])
        self.assertEqual(self.complete("talweg", "build", "--dtype", "=", "float6"), ["float64"])
        self.assertEqual(self.complete("talweg", "plan", "AdamW", "--dtype", "="), ["float32", "float64"])
        targets = [line.split()[0] for line in talweg("targets").splitlines()]
        self.assertEqual(self.complete("talweg", "build", "--target", ""), targets)
        self.assertIn("rosenbrock", self.complete("talweg", "trace", "--function", "ros"))
        self.assertEqual(self.complete("talweg", "explain", "TW0201"), ["TW0201"])
        self.assertEqual(self.complete("talweg", "train", "--epochs", ""), [""])

    def test_rules(self):
        offered = self.complete("talweg", "plan", "AdamW")
        self.assertIn("AdamW", offered)
        self.assertTrue(all(name.startswith("AdamW") for name in offered))
        self.assertIn("ClipValue", self.complete("talweg", "train", "--rule", "Clip"))
        self.assertEqual(self.complete("talweg", "train", "--rule", "cosin"), [""], "schedules are no rules")
        self.assertIn("cosine", self.complete("talweg", "list", "cosin"))
        self.assertIn("ClipValue(1) | AdamW", self.complete("talweg", "train", "-r", "ClipValue(1) | AdamW"))

    def test_files(self):
        self.assertEqual(set(self.complete("talweg", "check", "")), {"mine.tw", "other.tw", "two words.tw", "rules"})
        self.assertEqual(self.complete("talweg", "build", "m"), ["mine.tw"])
        self.assertEqual(self.complete("talweg", "build", "-o", ""), ["rules"])
        self.assertIn("notes.txt", self.complete("talweg", "predict", "rules", "--data", "n"))

    def test_at_a_prompt(self):
        """The same through bash's own reading of lines: the tabulator key completes."""
        (self.folder / "mine.tw").write_text("rule Mine {\n  step { update = grad }\n}\n")
        self.assertIn("mine.tw: ok, 1 rule", self.at_a_prompt("talweg che\tmin\t\n"))
        shown = self.at_a_prompt("show() { echo \"[$2]\"; }; complete -F _talweg show\n", "show plan 'ClipValue(1) | AMSGr\t\n")
        self.assertIn("[ClipValue(1) | AMSGrad]", shown)

    def at_a_prompt(self, *lines):
        """What an interactive bash shows when these lines are typed."""
        try:
            master, slave = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal: {error}")
        environment = {"PATH": f"{TALWEG.parent}:/usr/bin:/bin", "HOME": str(self.folder), "TERM": "dumb", "PS1": "ready> ", "NO_COLOR": "1"}
        shell = subprocess.Popen(["bash", "--noprofile", "--norc", "-i"], cwd=self.folder, env=environment, stdin=slave, stdout=slave,
                                 stderr=slave, start_new_session=True)
        os.close(slave)
        text = ""
        for typed in (f"source <({TALWEG} completions bash)\n", *lines, "exit\n"):
            os.write(master, typed.encode())
            until = time.monotonic() + 1
            while time.monotonic() < until:
                if select.select([master], [], [], 0.1)[0]:
                    try:
                        text += os.read(master, 65536).decode(errors="replace")
                    except OSError:
                        break
        try:
            shell.wait(timeout=30)
        except subprocess.TimeoutExpired:
            shell.kill()
            shell.wait()
            self.fail(f"bash waits for more:\n{text}")
        finally:
            os.close(master)
        return text


class OtherShells(unittest.TestCase):
    def test_zsh_and_fish_can_read_theirs(self):
        for shell in ("zsh", "fish"):
            with self.subTest(shell):
                if not shutil.which(shell):
                    self.skipTest(f"no {shell} here")
                subprocess.run([shell, "-n", BUILD / "share" / SHELLS[shell]], check=True)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)
