#!/usr/bin/env python3
"""talweg fmt as a user types it: which files it writes, what it prints, how it ends."""
import os
import resource
import signal
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

    def test_other_names_of_a_file_see_the_new_text(self):
        for text in (MESSY, MESSY + "\n" * 200, "rule  A  =  SGD;rule  B=A\n"):
            messy = self.write("messy.tw", text)
            other = self.folder / "other.tw"
            other.unlink(missing_ok=True)
            os.link(messy, other)
            self.talweg("fmt", "messy.tw")
            self.assertTrue(os.path.samefile(messy, other))
            self.assertEqual(other.read_text(encoding="utf-8"), NEAT if "hyper" in text else "rule A = SGD\nrule B = A\n")

    def test_a_full_disk_leaves_the_old_text(self):
        long = "rule A{" + "".join(f"hyper h{i}=0;" for i in range(2000)) + "step{update=0*grad}}\n"
        for other in ((), ("other.tw",)):
            messy = self.write("messy.tw", long)
            for name in other:
                os.link(messy, self.folder / name)
            limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(long) + 100, len(long) + 100))
            result = self.talweg("fmt", "messy.tw", code=3, preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), limit()))
            self.assertIn("cannot write messy.tw", result.stderr)
            self.assertEqual(messy.read_text(encoding="utf-8"), long)
            self.assertEqual(sorted(p.name for p in self.folder.iterdir() if p.suffix != ".tw"), [])

    def test_a_read_only_file_stays(self):
        messy = self.write("messy.tw", MESSY)
        os.chmod(messy, 0o444)
        result = self.talweg("fmt", "messy.tw", code=3)
        self.assertIn("cannot write messy.tw: it is read-only", result.stderr)
        self.assertEqual((result.stdout, messy.read_text(encoding="utf-8")), ("", MESSY))
        self.assertEqual(self.talweg("fmt", "--check", "messy.tw", code=1).stdout, "messy.tw\n")

    def test_only_regular_files_are_read(self):
        os.mkfifo(self.folder / "pipe.tw")
        messy = self.write("messy.tw", MESSY)
        (self.folder / "lost.tw").symlink_to("nothing.tw")
        result = self.talweg("fmt", ".", "/dev/full", code=3)
        self.assertIn("cannot format ./pipe.tw: it is no regular file", result.stderr)
        self.assertIn("cannot format /dev/full: it is no regular file", result.stderr)
        self.assertIn("lost.tw", result.stderr)
        self.assertEqual((result.stdout, messy.read_text(encoding="utf-8")), ("./messy.tw\n", NEAT))

    def test_a_folder_that_cannot_be_read_does_not_stop_the_others(self):
        messy = self.write("rules/b/messy.tw", MESSY)
        self.write("rules/a/locked.tw", MESSY)
        if os.geteuid() == 0:
            self.skipTest("root may read everywhere")
        os.chmod(self.folder / "rules/a", 0)
        result = self.talweg("fmt", "rules", code=3)
        os.chmod(self.folder / "rules/a", 0o755)
        self.assertIn("cannot read the folder rules/a", result.stderr)
        self.assertEqual((result.stdout, messy.read_text(encoding="utf-8")), ("rules/b/messy.tw\n", NEAT))

    def test_a_file_in_a_folder_that_cannot_be_written(self):
        messy = self.write("locked/messy.tw", MESSY)
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.chmod(messy.parent, 0o555)
        self.assertEqual(self.talweg("fmt", "locked/messy.tw").stdout, "locked/messy.tw\n")
        os.chmod(messy.parent, 0o755)
        self.assertEqual(messy.read_text(encoding="utf-8"), NEAT)

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
