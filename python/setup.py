"""Makes the wheel of talweg from its source tree: the Python files, libtalweg and the rules that come with it.

The library is the one that TALWEG_LIBRARY names, or build/release has, where CMake makes or renews it.
Nothing is written into the tree but build/release. The wheel is tagged for the systems that have what the library
needs, which is read from it.
"""
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70
    from wheel.bdist_wheel import bdist_wheel

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build/release"
LIBRARY = "libtalweg.so.0"
OF_GLIBC = re.compile(r"(libc|libm|libdl|librt|libpthread|libgcc_s|ld-linux-x86-64)\.so\.\d+")


def fail(text):
    sys.exit(f"talweg: {text}")


def project_version():
    project = ROOT / "CMakeLists.txt"
    found = re.search(r"project\(talweg VERSION (\S+)", project.read_text(encoding="utf-8")) if project.exists() else None
    if not found:
        fail(f"{HERE} is to lie in talweg's source tree, of which the library is built; there is no talweg in {ROOT}.")
    return found.group(1)


def jobs():
    """LLVM's headers take up to a gigabyte a file: no more jobs than memory allows."""
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(len(os.sched_getaffinity(0)), memory // 1_500_000_000))


def built_library():
    """The library of build/release, made or renewed where the tools for that are here."""
    built = BUILD / "lib" / LIBRARY
    missing = [tool for tool in ("cmake", "ninja", "c++") if shutil.which(tool) is None]
    if missing:
        if built.exists():
            print(f"talweg: no {', '.join(missing)} here: taking {built} as it is", file=sys.stderr)
            return built
        fail(f"there is no {', '.join(missing)} to build libtalweg with. Run `./dev install` in {ROOT} (Debian 12), or let "
             "TALWEG_LIBRARY name a libtalweg.so.0 that is built.")
    print("talweg: building libtalweg with CMake; the first time takes some minutes", file=sys.stderr, flush=True)
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", BUILD, "-j", str(jobs()), "--target", "talweg_embed"]):
        if command[1] == "--preset" and (BUILD / "CMakeCache.txt").exists():
            continue
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            fail(f"`{' '.join(map(str, command))}` failed in {ROOT}; the lines above say why. What talweg is built from is "
                 "listed by `./dev packages`, and installed by `./dev install` on Debian 12.")
    return built


def library(version):
    """The library that the wheel is to have, which must be of this version."""
    named = os.environ.get("TALWEG_LIBRARY")
    path = pathlib.Path(named) if named else built_library()
    if not path.is_file():
        fail(f"TALWEG_LIBRARY names {path}, which is no file.")
    opened = ctypes.CDLL(os.fspath(path.resolve()))
    opened.talweg_version.restype = ctypes.c_char_p
    found = opened.talweg_version().decode()
    if found != version:
        fail(f"{path} is of talweg {found}; this is the package of {version}.")
    return path


def platform_tag(path, local):
    """Such as manylinux_2_34_x86_64 for a library that needs nothing but glibc, from 2.34 on, and the libgcc_s beside
    it. For one that needs more it is `local`, linux_x86_64, which stands for systems like this one."""
    objdump = shutil.which("objdump")
    if objdump is None:
        print(f"talweg: there is no objdump, which tells what {path.name} needs: the wheel is tagged {local}", file=sys.stderr)
        return local
    text = subprocess.run([objdump, "-p", path], capture_output=True, text=True, check=True).stdout
    others = [name for name in re.findall(r"NEEDED +(\S+)", text) if not OF_GLIBC.fullmatch(name)]
    glibc = [17]  # of 2.17: pip knows no older one for all processors
    for name in re.findall(r"^ +0x\S+ 0x\S+ \d+ (\S+)$", text, re.M):  # the versions of symbols that it asks for
        version = re.fullmatch(r"GLIBC_2\.(\d+)(\.\d+)?|GCC_[34]\.[\d.]+", name)
        if version is None:
            others.append(name)
        elif version[1]:
            glibc.append(int(version[1]))
    if others:
        print(f"talweg: {path.name} needs {', '.join(others)}: the wheel is tagged {local}", file=sys.stderr)
        return local
    return re.sub("^linux_", f"manylinux_2_{max(glibc)}_", local)


class BuildPackage(build_py):
    """Adds what is not Python. libtalweg looks for rules in ../share/talweg/stdlib."""

    def run(self):
        if getattr(self, "editable_mode", False):
            fail("there is no editable installation: to work on the package, let PYTHONPATH name this folder and TALWEG_LIBRARY "
                 "the libtalweg.so.0 of the build tree.")
        super().run()
        package = pathlib.Path(self.build_lib, "talweg")
        copied = package / "lib" / LIBRARY
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library(self.distribution.get_version()), copied)
        strip = shutil.which("strip")
        if strip:  # of symbols that nobody links, an eighth of its size
            subprocess.run([strip, copied], check=True)
        rules = package / "share/talweg/stdlib"
        rules.mkdir(parents=True, exist_ok=True)
        for rule in sorted((ROOT / "stdlib").glob("*.tw")):
            shutil.copy(rule, rules)


class Wheel(bdist_wheel):
    """For any Python 3: the library is loaded with ctypes."""

    def get_tag(self):
        built = pathlib.Path(self.get_finalized_command("build_py").build_lib, "talweg/lib", LIBRARY)
        return "py3", "none", platform_tag(built, super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self):  # it is for one platform
        return True


# Made in a fresh folder outside of the tree: what an earlier build left would go into the wheel.
with tempfile.TemporaryDirectory() as scratch:
    setup(version=project_version(), license="Apache-2.0", distclass=WithLibrary,
          packages=find_packages(include=["talweg*"]), package_data={"talweg": ["py.typed"]},
          cmdclass={"build_py": BuildPackage, "bdist_wheel": Wheel},
          options={"build": {"build_base": scratch}, "egg_info": {"egg_base": scratch}})
