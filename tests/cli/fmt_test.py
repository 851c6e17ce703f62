#!/usr/bin/env python3
"""talweg fmt as a user types it: which files it writes, what it prints, how it ends."""
import os
import pathlib
import sys
import unittest

from cli_test import RULE, CommandTest

MESSY = "// mine\nrule A{hyper lr=0.1 in [0,inf) // rate\nstep{update=lr*grad}}\n"
NEAT = "// mine\nrule A {\n  hyper lr = 0.1 in [0, inf)  // rate\n  step { update = lr * grad }\n}\n"
BROKEN = "rule A { step { update = } }\n"


class Fmt(CommandTest):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def test_files_are_written_only_where_they_change(self):
        messy, before = self.write("messy.tw", MESSY), os.stat(self.folder / "mine.tw").st_mtime_ns
        os.chmod(messy, 0o640)
        result = self.talweg("fmt", "messy.tw", "mine.tw")
        self.assertEqual(result.stdout, "messy.tw\n")
        self.assertEqual(messy.read_text(encoding="utf-8"), NEAT)
        self.assertEqual(messy.stat().st_mode & 0o777, 0o640)
        self.assertEqual((self.folder / "mine.tw").read_text(encoding="utf-8"), RULE)
        self.assertEqual(os.stat(self.folder / "mine.tw").st_mtime_ns, before)
        self.assertEqual(self.talweg("fmt", "messy.tw").stdout, "")

    def test_a_link_stays_a_link(self):
        messy = self.write("messy.tw", MESSY)
        (self.folder / "link.tw").symlink_to("messy.tw")
        self.assertEqual(self.talweg("fmt", "link.tw").stdout, "link.tw\n")
        self.assertTrue((self.folder / "link.tw").is_symlink())
        self.assertEqual(messy.read_text(encoding="utf-8"), NEAT)

    def test_check_writes_nothing(self):
        messy = self.write("messy.tw", MESSY)
        self.assertEqual(self.talweg("fmt", "--check", "messy.tw", "mine.tw", code=1).stdout, "messy.tw\n")
        self.assertEqual(messy.read_text(encoding="utf-8"), MESSY)
        self.assertEqual(self.talweg("fmt", "--check", "mine.tw").stdout, "")

    def test_folders_are_walked(self):
        inner = self.write("rules/deep/b.tw", MESSY)
        self.write("rules/a.tw", MESSY)
        other = self.write("rules/a.txt", MESSY)
        hidden = self.write("rules/.git/c.tw", MESSY)
        self.assertEqual(self.talweg("fmt", "rules").stdout, "rules/a.tw\nrules/deep/b.tw\n")
        self.assertEqual(inner.read_text(encoding="utf-8"), NEAT)
        self.assertEqual(other.read_text(encoding="utf-8"), MESSY)
        self.assertEqual(hidden.read_text(encoding="utf-8"), MESSY)

    def test_errors_leave_the_file_and_do_not_stop_the_others(self):
        broken, messy = self.write("broken.tw", BROKEN), self.write("messy.tw", MESSY)
        result = self.talweg("fmt", "broken.tw", "messy.tw", code=1)
        self.assertEqual(result.stdout, "messy.tw\n")
        self.assertIn("error[TW", result.stderr)
        self.assertIn("broken.tw:1:", result.stderr)
        self.assertEqual(broken.read_text(encoding="utf-8"), BROKEN)
        self.assertEqual(messy.read_text(encoding="utf-8"), NEAT)
        self.talweg("fmt", "missing.tw", code=3)

    def test_a_file_that_cannot_be_written_stays(self):
        messy = self.write("locked/messy.tw", MESSY)
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.chmod(messy.parent, 0o555)
        self.assertIn("cannot write", self.talweg("fmt", "locked/messy.tw", code=3).stderr)
        os.chmod(messy.parent, 0o755)
        self.assertEqual(messy.read_text(encoding="utf-8"), MESSY)

    def test_standard_input(self):
        for arguments in (["fmt", "-"], ["fmt", "--stdin"]):
            self.assertEqual(self.talweg(*arguments, text_in=MESSY).stdout, NEAT)
        self.assertEqual(self.talweg("fmt", "-", "--check", text_in=MESSY, code=1).stdout, "standard input\n")
        self.assertEqual(self.talweg("fmt", "-", "--check", text_in=NEAT).stdout, "")
        result = self.talweg("fmt", "-", text_in=BROKEN, code=1)
        self.assertEqual(result.stdout, "")
        self.assertIn("standard input:1:", result.stderr)

    def test_usage(self):
        self.assertIn("name files or folders", self.talweg("fmt", code=2).stderr)
        self.assertIn("stands alone", self.talweg("fmt", "-", "mine.tw", code=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
