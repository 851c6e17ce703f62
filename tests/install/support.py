"""What tests of an installed talweg share: a fresh prefix, and a world in which nothing else of talweg or LLVM is seen."""
import os
import pathlib
import shutil
import subprocess
import sys

BUILD, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
HERE = pathlib.Path(__file__).resolve().parent
#: All that a consumer's build may call. LLVM's tools and talweg are not among them.
TOOLS = ("cmake", "ctest", "ninja", "make", "cc", "c++", "gcc", "g++", "as", "ld", "ar", "ranlib", "nm", "strip", "objcopy", "objdump",
         "readelf", "sh", "bash", "env", "uname", "pkg-config", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-as",
         "aarch64-linux-gnu-ld", "aarch64-linux-gnu-ar", "aarch64-linux-gnu-ranlib", "qemu-aarch64", "cat", "sed", "ls")


class World:
    """A folder with `bin/`, the only folder of PATH."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.tools = self.folder / "bin"
        self.tools.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (self.tools / tool).symlink_to(found)

    def has(self, tool):
        return (self.tools / tool).exists()

    def run(self, *command, code=0, cwd=None, path=(), **variables):
        """stdout and stderr of a command in an environment of nothing but PATH, HOME and `variables`."""
        folders = [str(self.tools), *map(str, path)]
        environment = {"PATH": ":".join(folders), "HOME": str(self.folder), "LANG": "C.UTF-8",
                       "TALWEG_CACHE_DIR": str(self.folder / "cache"), **variables}
        result = subprocess.run([str(part) for part in command], env=environment, cwd=cwd or self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        shown = " ".join(str(part) for part in command)
        assert result.returncode == code, f"{shown}\nended with {result.returncode}\n{result.stdout[-4000:]}"
        return result.stdout


def install(world, name="moved tree"):
    """Installs the build tree to a fresh prefix and moves that elsewhere; where it is then."""
    first = world.folder / "prefix"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", first, "--strip"], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DESTDIR": ""})
    moved = world.folder / name
    first.rename(moved)
    return moved
