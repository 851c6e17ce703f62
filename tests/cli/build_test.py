#!/usr/bin/env python3
"""talweg build and talweg targets as commands: which files, under which names, and how they end. What libraries do is
tested in tests/standalone."""
import ast
import json
import os
import select
import signal
import subprocess
import sys
import unittest

from cli_test import TALWEG, CommandTest

RULES = """/// Adds a share of the last step.
rule Heavy {
  hyper lr = 0.1 in [0, inf)
  state last
  step {
    last = 0.5 * last + grad
    update = lr * last
  }
}
rule Plain { hyper lr = 0.1; step { update = lr * grad } }
"""


class Build(CommandTest):
    def build(self, *arguments, code=0):
        return self.talweg("build", *arguments, code=code)

    def names(self, folder="out"):
        root = self.folder / folder
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def test_a_rule_becomes_a_library_of_its_name(self):
        result = self.build("--rule", "AdamW", "-o", "out")
        files = ["adamw.h", "adamw.json", "adamw.pc", "adamw.py", "adamwConfig.cmake", "adamwConfigVersion.cmake", "libadamw.a",
                 "libadamw.so"]
        self.assertEqual(self.names(), files)
        self.assertEqual(sorted(result.stdout.split()), [f"out/{name}" for name in files])
        self.assertEqual(result.stderr, "")

    def test_all_rules_of_a_file(self):
        (self.folder / "mine.tw").write_text(RULES)
        self.build("mine.tw", "-o", "out")
        rules = json.loads((self.folder / "out/mine.json").read_text())["rules"]
        self.assertEqual([rule["prefix"] for rule in rules], ["mine_heavy", "mine_plain"])
        header = (self.folder / "out/mine.h").read_text()
        self.assertIn("Adds a share of the last step.", header)
        self.assertIn("mine_plain_create(", header)

    def test_one_of_the_two_forms(self):
        self.build("--rule", "SGD", "-o", "a", "--static")
        self.assertIn("libsgd.a", self.names("a"))
        self.assertNotIn("libsgd.so", self.names("a"))
        self.build("--rule", "SGD", "-o", "b", "--shared")
        self.assertNotIn("libsgd.a", self.names("b"))
        self.assertIn("libsgd.so", self.names("b"))

    def test_several_targets_have_folders(self):
        self.build("--rule", "SGD", "-o", "out", "--target", "x86-64,aarch64")
        for name in ("x86-64/libsgd.a", "aarch64/libsgd.a", "sgd.h"):
            self.assertIn(name, self.names())
        kinds = [(self.folder / "out" / folder / "libsgd.so").read_bytes()[18] for folder in ("x86-64", "aarch64")]
        self.assertEqual(kinds, [62, 183])  # e_machine: EM_X86_64, EM_AARCH64

    def test_the_code_alone(self):
        begins = {"llvm": ("sgd.ll", b"; ModuleID"), "asm": ("sgd.s", b"\t"), "obj": ("sgd.o", b"\x7fELF")}
        for form, (name, start) in begins.items():
            with self.subTest(form):
                self.build("--rule", "SGD", "-o", form, "--emit", form)
                self.assertEqual(self.names(form), [name])
                code = (self.folder / form / name).read_bytes()
                self.assertEqual(code[:len(start)], start)
                self.assertIn(b"sgd_create", code)

    def test_the_same_bytes_again(self):
        self.build("--rule", "LAMB", "-o", "a")
        self.build("--rule", "LAMB", "-o", "b")
        for name in self.names("a"):
            self.assertEqual((self.folder / "a" / name).read_bytes(), (self.folder / "b" / name).read_bytes(), name)

    def test_names_of_every_sort_in_c_and_python(self):
        (self.folder / "odd.tw").write_text("""/// Ends comments */ and \\ "begins" /* them.
rule Odd {
  hyper double = 0.1 in [0, inf)
  hyper lambda = 0.5 in [0, 1)
  hyper γ = 0.5 in [0, 1)
  hyper ж = 0.5 in [0, 1)
  hyper ш = 0.5 in [0, 1)
  hyper gamma = 0.5 in [0, 1)
  hyper I = 0.5 in [0, 1)
  hyper errno = 0.5 in [0, 1)
  state θ
  state hypers
  step { θ = lambda * θ + grad; hypers = θ; update = double * γ * gamma * ж * ш * I * errno * hypers }
}
""", encoding="utf-8")
        self.build("odd.tw", "-o", "out")
        fields = [hyper["field"] for hyper in json.loads((self.folder / "out/odd.json").read_text())["rules"][0]["hypers"]]
        self.assertEqual(fields, ["double_", "lambda_", "gamma_", "x_", "x__", "gamma", "I_", "errno_"])
        compile(f"f({', '.join(f'{field}=1' for field in fields)})", "fields", "eval")
        for language in (["-x", "c", "-std=c99"], ["-x", "c++", "-std=c++17"]):
            subprocess.run(["cc", *language, "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-include", "errno.h",
                            "-include", "complex.h", "out/odd.h"], cwd=self.folder, check=True, timeout=60)

    def test_names_of_modules_that_the_python_file_imports(self):
        self.build("--rule", "AdamW", "-o", "out")
        tree = ast.parse((self.folder / "out/adamw.py").read_text())
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} - {"__future__"}
        self.assertGreater(len(modules), 5)
        for module in modules:
            said = self.build("--rule", "AdamW", "--name", module, "-o", "x", code=2).stderr
            self.assertRegex(said, f"`{module}` (would stand in the way|is a word of C)")

    def test_names_that_cannot_be(self):
        cases = [
            (["--rule", "AdamW", "--name", "1a"], "`1a` cannot be the name of a library"),
            (["--rule", "AdamW", "--name", "a" * 65], "at most 64"),
            (["--rule", "AdamW", "--name", "talweg_x"], "talweg's own"),
            (["--rule", "AdamW", "--name", "int"], "`int` is a word of C"),
            (["--rule", "AdamW", "--name", "lambda"], "`lambda` is a word of C, C++ or Python"),
            (["--rule", "AdamW", "--name", "malloc"], "in the way of malloc.h, libmalloc.so or malloc.py"),
            (["--rule", "AdamW", "--name", "m"], "libm.so"),
            (["--rule", "AdamW", "--name", "numpy"], "numpy.py"),
            (["--rule", "AdamW", "--name", "Math"], "`Math` would stand in the way of math.h"),
            (["--rule", "signal=AdamW"], "signal.h"),
            (["--rule", "=AdamW"], "give it one: --rule 'name=AdamW'"),
            (["--rule", "x-y=AdamW"], "give it one: --rule 'name=AdamW'"),
            (["--rule", "x-y=SGD(lr=1)"], "give it one: --rule 'name=SGD(lr=1)'"),
            (["--rule", "AdamW", "--rule", "AdamW"], "two rules would be called `adamw`"),
            (["--rule", "a=AdamW", "--rule", "A=SGD", "--name", "z"], "two rules would be called `a`"),
            (["--rule", "Pool=AdamW", "--rule", "SGD", "--name", "o"], "`o_pool_create` would be the name of two"),
            (["--rule", "x=SGD", "--rule", "x_set=SGD", "--name", "n"], "`n_x_set_hypers` would be the name of two"),
            (["--rule", "AdamW", "--rule", "SGD"], "a library of several rules needs a name"),
            (["--rule", ""], "--rule names no rule"),
            (["--rule", " "], "--rule names no rule"),
            (["--rule", "x="], "--rule names no rule"),
        ]
        for arguments, message in cases:
            with self.subTest(arguments):
                self.assertIn(message, self.build(*arguments, "-o", "out", code=2).stderr)
                self.assertFalse((self.folder / "out").exists())

    def test_a_default_of_minus_zero(self):
        (self.folder / "zero.tw").write_text(
            "rule Zero { hyper shift = -0.0 in (-inf, inf); step { param = shift + 0 * grad } }")
        self.build("zero.tw", "-o", "out", "--static")
        (self.folder / "main.c").write_text('#include "zero.h"\n'
                                            "int main(void) { return signbit(zero_defaults().shift) ? 0 : 1; }")
        subprocess.run(["cc", "-Iout", "main.c", "-o", "main"], cwd=self.folder, check=True, timeout=60)
        subprocess.run(["./main"], cwd=self.folder, check=True, timeout=60)

    def test_classes_have_names_of_their_own(self):
        names = ["None", "None_", "_private", "Plain"]
        self.build(*(f"--rule={name}=SignSGD" for name in names), "--name", "many", "-o", "out", "--static")
        rules = json.loads((self.folder / "out/many.json").read_text())["rules"]
        self.assertEqual([rule["class"] for rule in rules],
                         ["None_", "None__", "x_private", "Plain"])
        self.assertEqual(rules[0]["prefix"], "many_none")

    def test_a_folder_for_temporary_files_that_is_not_there(self):
        result = subprocess.run([TALWEG, "build", "--rule", "SGD", "-o", "out"], cwd=self.folder, text=True, timeout=60,
                                capture_output=True, env={**os.environ, "TMPDIR": str(self.folder / "nowhere")})
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertRegex(result.stderr, r"nowhere.*: No such file or directory; TMPDIR names another")

    def test_a_header_is_there_once_all_is(self):
        (self.folder / "out/libsgd.a").mkdir(parents=True)
        self.assertIn("out/libsgd.a", self.build("--rule", "SGD", "-o", "out", code=3).stderr)
        self.assertNotIn("sgd.h", self.names())  # which Make would take for all of them

    def test_a_build_that_fails_leaves_what_was_there(self):
        self.build("--rule", "SGD", "--name", "mine", "-o", "out", "--static")
        before = {name: (self.folder / "out" / name).read_bytes() for name in self.names()}
        for blocked in ("mine.py", "mine.h"):
            with self.subTest(blocked):
                path = self.folder / "out" / blocked
                path.unlink(missing_ok=True)
                path.mkdir()
                self.assertIn(f"out/{blocked}", self.build("--rule", "AdamW", "--name", "mine", "-o", "out", code=3).stderr)
                self.assertEqual({name: (self.folder / "out" / name).read_bytes() for name in self.names()},
                                 {name: text for name, text in before.items() if name != blocked})
                path.rmdir()

    def interrupt(self, is_time, **environment):
        """A build that Ctrl-C meets once something is so; the process."""
        process = subprocess.Popen([TALWEG, "build", "--rule", "SGD", "-o", "out"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env={**os.environ, **environment})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        while process.poll() is None and not is_time():
            pass
        process.send_signal(signal.SIGINT)
        return process

    def test_ctrl_c_leaves_no_temporary_files(self):
        temporary = self.folder / "temporary"
        temporary.mkdir()
        process = self.interrupt(lambda: any(temporary.iterdir()), TMPDIR=str(temporary))
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT, process.stderr.read())
        self.assertEqual(list(temporary.iterdir()), [])

    def test_ctrl_c_waits_until_all_files_are_in_place(self):
        header = self.folder / "out/sgd.h"
        header.parent.mkdir()
        os.mkfifo(header)  # where the build waits for a reader
        process = self.interrupt((self.folder / "out/libsgd.a").exists)
        reader = os.open(header, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        text = b""
        while True:
            ended = process.poll() is not None
            if select.select([reader], [], [], 0.1)[0]:
                piece = os.read(reader, 1 << 16)
                text += piece
                if not piece:
                    break
            elif ended:
                break
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT, process.stderr.read())
        self.assertTrue(text.endswith(b"#endif\n"), text[-100:])
        self.assertEqual(self.names(), ["libsgd.a", "libsgd.so", "sgd.json", "sgd.pc", "sgd.py", "sgdConfig.cmake",
                                        "sgdConfigVersion.cmake"])

    def test_libraries_left_of_an_earlier_build(self):
        self.assertEqual(self.build("--rule", "SGD", "-o", "out").stderr, "")
        self.assertEqual(self.build("--rule", "SGD", "-o", "out").stderr, "")
        left = "talweg build: out/libsgd.{} is left from an earlier build; remove it, or programs may be linked with it\n"
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--static").stderr, left.format("so"))
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--shared").stderr, left.format("a"))
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--shared", "--quiet").stderr, "")
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--emit", "obj").stderr, "")

    def test_libraries_left_of_an_earlier_build_for_other_targets(self):
        left = [f"talweg build: out/{name} is left from an earlier build; remove it, or programs may be linked with it\n"
                for name in ("x86-64/libsgd.a", "x86-64/libsgd.so", "aarch64/libsgd.a", "aarch64/libsgd.so", "libsgd.a")]
        self.build("--rule", "SGD", "-o", "out", "--target", "x86-64,aarch64")
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--static").stderr, "".join(left[:4]))
        self.assertEqual(self.build("--rule", "SGD", "-o", "out", "--target", "x86-64,aarch64").stderr, left[4])

    def test_rules_of_files_whose_names_are_no_names(self):
        for name in ("my-rules.tw", "9.tw", "rule.tw", "my rules.tw", "-x.tw"):
            with self.subTest(name):
                (self.folder / name).write_text(RULES)
                self.build(f"./{name}", "-o", "out", "--name", "mine", "--static")
                rules = json.loads((self.folder / "out/mine.json").read_text())["rules"]
                self.assertEqual([rule["name"] for rule in rules], ["Heavy", "Plain"])

    def test_files_of_one_name(self):
        (self.folder / "other").mkdir()
        (self.folder / "one.tw").write_text("rule A { step { update = grad } }")
        (self.folder / "other/one.tw").write_text("rule A { step { update = 2 * grad } }")
        for arguments in (["one.tw", "other/one.tw"], ["one.tw", "other/one.tw", "--rule", "one.A"]):
            self.assertIn("one.tw and other/one.tw are both the module `one`",
                          self.build(*arguments, "--name", "x", "-o", "out", code=2).stderr)
        self.assertIn("one.tw and one.tw are both", self.build("one.tw", "one.tw", "-o", "out", code=2).stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_blanks_around_a_name(self):
        self.build("--rule", " sign = SignSGD", "-o", "out", "--static")
        self.assertIn("sign.h", self.names())

    def test_what_cannot_be_built(self):
        (self.folder / "empty.tw").write_text("")
        (self.folder / "wrong.tw").write_text("rule R { step { update = gard } }")
        cases = [
            (["-o", "out"], 2, "nothing to build"),
            (["--rule", "AdamW"], 2, "--out is required"),
            (["empty.tw", "-o", "out"], 2, "declare no rule"),
            (["missing.tw", "-o", "out"], 3, "missing.tw"),
            (["wrong.tw", "-o", "out"], 1, "did you mean `grad`"),
            (["--rule", "Adamm", "-o", "out"], 1, "did you mean `Adam`"),
            (["--rule", "AdamW |", "-o", "out"], 1, "TW0"),
            (["--rule", "1", "-o", "out"], 1, "TW0"),
            (["--rule", "x-y=AdamW |", "-o", "out"], 1, "TW0"),
            (["--rule", "AdamW", "-o", "out", "--target", "z80"], 2, "there is no target `z80`; there are x86-64,"),
            *((["--rule", "AdamW", "-o", "out", "--target", targets], 2, f"a target is empty in `--target {targets}`")
              for targets in ("x86-64,,aarch64", ",x86-64", "x86-64,", "")),
            (["--rule", "AdamW", "-o", "empty.tw"], 3, "empty.tw"),
            (["--rule", "AdamW", "-o", "out", "--emit", "obj", "--static"], 2, "excludes"),
        ]
        for arguments, code, message in cases:
            with self.subTest(arguments):
                self.assertIn(message, self.build(*arguments, code=code).stderr)
                self.assertFalse((self.folder / "out").exists())

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_is_not_ours(self):
        (self.folder / "locked").mkdir(mode=0o500)
        self.assertIn("Permission denied", self.build("--rule", "SGD", "-o", "locked", code=3).stderr)

    def test_where_no_file_may_grow(self):
        limited = subprocess.run(["/bin/sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$0" build --rule SGD -o out', TALWEG],
                                 cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(limited.returncode, 3, limited.stderr)
        self.assertIn("cannot write", limited.stderr)
        self.assertEqual([name for name in self.names() if name.startswith("lib")], [])


class Targets(CommandTest):
    def test_a_line_each(self):
        text = self.talweg("targets").stdout
        self.assertRegex(text, r"(?m)^x86-64 +x86-64-v4.*x86-64-v3.*x86-64-v2")
        self.assertRegex(text, r"(?m)^aarch64 ")
        self.assertEqual(text.count("the default"), 1)

    def test_for_programs(self):
        targets = [json.loads(line) for line in self.talweg("targets", "--json").stdout.splitlines()]
        self.assertEqual(len([target for target in targets if target["is_default"]]), 1)
        default = next(target for target in targets if target["is_default"])
        self.assertTrue(any(variant["runs_here"] for variant in default["variants"]))
        for target in targets:
            self.talweg("build", "--rule", "SGD", "-o", "out", "--target", target["name"], "--emit", "obj")

    def test_gpus(self):
        text = self.talweg("targets").stdout
        self.assertRegex(text, r"(?m)^nvptx +PTX for compute capability 8\.0, 9\.0, 10\.0 and newer, beside")
        self.assertRegex(text, r"(?m)^nvptx-sm90 +PTX for compute capability 9\.0 and newer, beside")
        gpus = [target for target in map(json.loads, self.talweg("targets", "--json").stdout.splitlines()) if target["is_gpu"]]
        self.assertEqual([gpu["name"] for gpu in gpus], ["nvptx", "nvptx-sm80", "nvptx-sm90", "nvptx-sm100"])
        self.assertEqual({gpu["cmake_processor"] for gpu in gpus}, {None})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
