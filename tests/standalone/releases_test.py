"""Libraries of two releases of talweg in one program: TALWEG_NEXT is the command of the later one."""
import json
import os
import unittest

from elf import visible_and_needed
from support import CC, FOLDER, HERE, WARNINGS, build, main, run

NEXT = os.environ["TALWEG_NEXT"]
RULE = "ClipByGlobalNorm(1) | AdamW | Ema"


class Releases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.now = build("now", FOLDER / "now", "--rule", f"now={RULE}")
        cls.next = FOLDER / "next"
        run(NEXT, "build", "--name", "next", "-o", cls.next, "--rule", f"next={RULE}")

    def test_each_says_its_own_version(self):
        versions = [(name, json.loads((folder / f"{name}.json").read_text())) for name, folder in (("now", self.now), ("next", self.next))]
        (_, now), (_, later) = versions
        self.assertEqual(run(NEXT, "--version").stdout, "talweg 0.2.0\n")
        self.assertNotEqual(now["talweg"], later["talweg"])
        self.assertEqual((later["talweg"], later["interface"]), ("0.2.0", now["interface"] + 1))
        for name, described in versions:
            header = ((self.now if name == "now" else self.next) / f"{name}.h").read_text()
            self.assertIn(f"#define {name.upper()}_INTERFACE {described['interface']}u", header)

    def test_no_name_is_in_both(self):
        for suffix in ("a", "so"):
            now, later = (set(visible_and_needed(folder / f"lib{folder.name}.{suffix}")[0]) for folder in (self.now, self.next))
            self.assertTrue(now and later)
            self.assertEqual(now & later, set())

    def test_in_one_program(self):
        archives = [self.now / "libnow.a", self.next / "libnext.a"]
        shared = [[f"-L{folder}", f"-l{folder.name}", f"-Wl,-rpath,{folder}"] for folder in (self.now, self.next)]
        forms = {"static": archives, "reversed": archives[::-1], "shared": shared[0] + shared[1], "shared_reversed": shared[1] + shared[0],
                 "now_static": [archives[0], *shared[1]], "next_static": [*shared[0], archives[1]]}
        versions = [json.loads((folder / f"{folder.name}.json").read_text())["talweg"] for folder in (self.now, self.next)]
        for form, libraries in forms.items():
            with self.subTest(form):
                program = FOLDER / f"two_releases_{form}"
                run(CC, "-std=c11", "-O1", *WARNINGS, f"-I{self.now}", f"-I{self.next}", HERE / "releases/two_releases.c", "-o", program,
                    *libraries, "-pthread")
                run(program, *versions)


if __name__ == "__main__":
    main()
