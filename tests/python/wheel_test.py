"""The wheel: made from the tree, installed into a fresh environment elsewhere, used without the tree.

Needs TALWEG_LIBRARY. No network: what building needs are Debian's setuptools and wheel.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from support import ROOT, main, need_installed

need_installed("pip", "setuptools", "wheel", "venv", "numpy")

LIBRARY = pathlib.Path(os.environ["TALWEG_LIBRARY"]).resolve()
VERSION = re.search(r"project\(talweg VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
OFFLINE = ("--no-index", "--no-deps", "--disable-pip-version-check", "--no-cache-dir")

USE = """
import ctypes, sys, warnings
warnings.simplefilter("error")
import numpy as np
import talweg
from talweg import _engine, _native
assert talweg.__file__.startswith(sys.prefix), talweg.__file__
rule = talweg.compile("ClipByGlobalNorm(1) | Mine", text="rule Mine { step { update = 0.5 * grad } }")
w, gradient = np.ones(3, np.float32), np.full(3, 0.5, np.float32)
engine = _engine.Engine(rule._table, [_engine.Tensor("w", w.shape, w.ctypes.data)])
engine.step((ctypes.c_void_p * 1)(gradient.ctypes.data))
print(talweg.__version__, w.tolist(), _native.library()._name)
try:
    talweg.compile("Adamw")
except talweg.CompileError as error:
    print(error)
"""


def run(*command, code=0, **options):
    """The finished process, without what the test itself was told of the tree."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("PYTHONPATH", "TALWEG_LIBRARY", "TALWEG_ROOT")}
    environment.update(options.pop("env", {}))
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, timeout=600,
                            check=False, **options)
    if (result.returncode != 0) != (code != 0):
        raise AssertionError(f"{command}\nended with {result.returncode}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return result


def listing(folder):
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="talweg wheel ")
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.before = listing(ROOT / "python")
        run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation", "-w", cls.folder, ROOT / "python",
            env={"TALWEG_LIBRARY": str(LIBRARY)}, cwd="/")
        cls.after = listing(ROOT / "python")
        (cls.wheel,) = cls.folder.glob("*.whl")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_the_tree_stays_as_it_was(self):
        self.assertEqual(self.before, self.after)

    def test_content(self):
        with zipfile.ZipFile(self.wheel) as wheel:
            names = set(wheel.namelist())
            info = f"talweg-{VERSION}.dist-info"
            package = ROOT / "python/talweg"
            python = {f"talweg/{path.relative_to(package).as_posix()}" for path in package.rglob("*.py")}
            rules = {f"talweg/share/talweg/stdlib/{path.name}" for path in (ROOT / "stdlib").glob("*.tw")}
            self.assertGreater(len(rules), 100)
            expected = python | rules | {"talweg/py.typed", "talweg/lib/libtalweg.so.0"}
            self.assertEqual({name for name in names if not name.startswith(info)}, expected)
            self.assertEqual(wheel.read("talweg/_engine.py"), (ROOT / "runtime/standalone/python/engine.py").read_bytes())
            (licence,) = (name for name in names if name.startswith(info) and name.endswith("/LICENSE"))
            self.assertEqual(wheel.read(licence), (ROOT / "LICENSE").read_bytes())
            (others,) = (name for name in names if name.startswith(info) and name.endswith("/LICENSE_THIRD_PARTY.md"))
            self.assertEqual(wheel.read(others), (ROOT / "LICENSE_THIRD_PARTY.md").read_bytes())
            metadata = wheel.read(f"{info}/METADATA").decode()
            self.assertIn(f"\nVersion: {VERSION}\n", metadata)
            self.assertRegex(metadata, r"\nRequires-Dist: numpy")
            self.assertRegex(metadata, r"\nRequires-Dist: torch.*extra == .torch.")
            for name in names:
                content = wheel.read(name)
                self.assertNotIn(os.fsencode(ROOT), content, name)
                self.assertNotIn(os.fsencode(LIBRARY.parent), content, name)

    def test_needs_glibc_alone_and_says_which(self):
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(self.wheel) as wheel:
            text = run("readelf", "--wide", "--dynamic", "--version-info", wheel.extract("talweg/lib/libtalweg.so.0", folder)).stdout
            (info,) = (name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL"))
            said = re.findall(r"^Tag: (.*)$", wheel.read(info).decode(), re.M)
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
        self.assertEqual(needed - {"ld-linux-x86-64.so.2"}, {"libc.so.6", "libm.so.6", "libgcc_s.so.1"})
        versions = [tuple(map(int, version.split("."))) for version in re.findall(r"Name: GLIBC_([\d.]+) ", text)]
        self.assertEqual(max(versions), (2, 34), "docs/python.md and _native.py name this version")
        self.assertEqual(said, ["py3-none-manylinux_2_34_x86_64"])
        self.assertEqual(self.wheel.name, f"talweg-{VERSION}-{said[0]}.whl")

    def test_used_far_from_the_tree(self):
        environment = self.folder / "environment"
        run(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", environment)
        python = environment / "bin/python"
        run(python, "-m", "pip", "install", *OFFLINE, self.wheel, cwd="/")
        used = run(python, "-c", USE, cwd=self.folder, env={"TALWEG_CACHE_DIR": str(self.folder / "cache")})
        lines = used.stdout.splitlines()
        self.assertTrue(lines[0].startswith(f"{VERSION} [0.75, 0.75, 0.75] {environment}"), used.stdout)
        self.assertIn("did you mean `AdamW`?", used.stdout)
        run(python, "-m", "pip", "uninstall", "--yes", "talweg")
        self.assertEqual([path for path in environment.rglob("*") if "talweg" in path.name], [])


class Mistakes(unittest.TestCase):
    """setup.py in a tree that has little more than the package."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.temporary.name)
        shutil.copytree(ROOT / "python", self.root / "python")
        shutil.copytree(ROOT / "stdlib", self.root / "stdlib")
        (self.root / "CMakeLists.txt").write_text(f"project(talweg VERSION {VERSION} LANGUAGES C)\n")
        self.tools = self.root / "tools"
        self.tools.mkdir()

    def tearDown(self):
        self.temporary.cleanup()

    def tool(self, name, script):
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def make(self, code=1, command=("bdist_wheel", "-d", "dist"), **environment):
        environment.setdefault("PATH", str(self.tools))
        result = run(sys.executable, "setup.py", "-q", *command, code=code, cwd=self.root / "python", env=environment)
        return result.stdout + result.stderr

    def test_no_tools(self):
        self.assertRegex(self.make(), r"there is no cmake, ninja, c\+\+ to build libtalweg with. Run `./dev install`")

    def test_no_such_library(self):
        self.assertIn("/nowhere/libtalweg.so.0, which is no file", self.make(TALWEG_LIBRARY="/nowhere/libtalweg.so.0"))

    def test_no_tree(self):
        (self.root / "CMakeLists.txt").unlink()
        self.assertIn("is to lie in talweg's source tree", self.make(TALWEG_LIBRARY=str(LIBRARY)))

    def test_another_version(self):
        (self.root / "CMakeLists.txt").write_text("project(talweg VERSION 9.8.7 LANGUAGES C)\n")
        self.assertIn(f"is of talweg {VERSION}; this is the package of 9.8.7", self.make(TALWEG_LIBRARY=str(LIBRARY)))

    def test_editable(self):
        self.assertIn("let PYTHONPATH name this folder", self.make(command=("editable_wheel",), TALWEG_LIBRARY=str(LIBRARY)))

    def test_a_build_that_fails(self):
        for tool in ("cmake", "ninja", "c++"):
            self.tool(tool, "exit 1")
        self.assertRegex(self.make(), r"`cmake --preset release` failed.*\n*.*\./dev packages")

    def small_library(self, text="", *options):
        """One that says its version and no more: libtalweg takes long to pack."""
        small = self.root / "small"
        small.with_suffix(".c").write_text(f'{text}\nconst char* talweg_version(void) {{ return "{VERSION}"; }}\n')
        run("cc", "-shared", "-fPIC", small.with_suffix(".c"), "-o", small, "-Wl,--no-as-needed", *options)
        return small

    def test_tags(self):
        newer = "#include <stdlib.h>\nvoid newer(void) { arc4random_buf(0, 0); }"  # since glibc 2.36
        for tag, *of in (("manylinux_2_17", ""), ("manylinux_2_36", newer), ("linux", newer, "-lstdc++"), ("linux", "", "-lz")):
            with self.subTest(tag, of=of):
                said = self.make(code=0, TALWEG_LIBRARY=str(self.small_library(*of)), PATH=os.environ["PATH"])
                (wheel,) = (self.root / "python/dist").iterdir()
                self.assertEqual(wheel.name, f"talweg-{VERSION}-py3-none-{tag}_x86_64.whl")
                self.assertEqual(f"needs {of[-1].replace('-l', 'lib')}.so" in said, tag == "linux", said)
                wheel.unlink()

    def test_a_build(self):
        made, small = self.root / "build/release/lib", self.small_library()
        self.tool("cmake", f'echo "$@" >> "{self.root}/calls"\n/bin/mkdir -p "{made}"\n/bin/cp "{small}" "{made}/libtalweg.so.0"')
        self.tool("ninja", "exit 1")
        self.tool("c++", "exit 1")
        self.assertIn("there is no objdump", self.make(code=0))
        calls = (self.root / "calls").read_text().splitlines()
        self.assertEqual(calls[0], "--preset release")
        self.assertRegex(calls[1], r"^--build \S+/build/release -j \d+ --target talweg_embed$")
        self.assertEqual([path.name for path in (self.root / "python/dist").iterdir()],
                         [f"talweg-{VERSION}-py3-none-linux_x86_64.whl"])
        shutil.rmtree(self.tools)
        self.assertIn("as it is", self.make(code=0))  # without tools: the library that is there


if __name__ == "__main__":
    main()
