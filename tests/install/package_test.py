#!/usr/bin/env python3
"""The Debian package: what it holds, what it depends on, and that what is unpacked from it runs.

    package_test.py BUILD_TREE ROOT
"""
import gzip
import io
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

import support

WORLD = None
PACKAGE = None
ROOT = None  # where it was unpacked


def pack(folder):
    """cpack with the quick compression: xz takes a minute."""
    result = subprocess.run(["cpack", "-G", "DEB", "--config", support.BUILD / "CPackConfig.cmake", "-B", folder,
                             "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip"], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"cpack ended with {result.returncode}\n{result.stdout}{result.stderr}")
    packages = list(pathlib.Path(folder).glob("*.deb"))
    assert len(packages) == 1, packages
    return packages[0]


def fields():
    text = subprocess.run(["dpkg-deb", "--field", PACKAGE], capture_output=True, text=True, check=True).stdout
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith(" "))


class Package(unittest.TestCase):
    def test_name_and_fields(self):
        architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
        self.assertEqual(PACKAGE.name, f"talweg_0.1.0_{architecture}.deb")
        found = fields()
        self.assertEqual(found["Package"], "talweg")
        self.assertEqual(found["Version"], "0.1.0")
        self.assertRegex(found["Maintainer"], r"^.+ <\S+@\S+>$")
        self.assertTrue(found["Section"] and found["Priority"] and int(found["Installed-Size"]) > 1000)
        self.assertFalse(found["Description"].lower().startswith("talweg"), "lintian: description-starts-with-package-name")

    def test_installed_size_counts_every_file_once(self):
        """As dpkg-gencontrol counts: files in whole KiB; folders and links, such as those to libtalweg, one each."""
        kib = sum((file.lstat().st_size + 1023) // 1024 if file.is_file() and not file.is_symlink() else 1 for file in ROOT.rglob("*"))
        self.assertEqual(int(fields()["Installed-Size"]), kib)
        self.assertTrue((ROOT / "usr/lib/libtalweg.so").is_symlink())

    def test_shared_libraries_are_told_to_ldconfig(self):
        listed = subprocess.run(["dpkg-deb", "--ctrl-tarfile", PACKAGE], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(listed)) as control:
            self.assertEqual({name.removeprefix("./") for name in control.getnames()} - {"", "."}, {"control", "md5sums", "shlibs", "triggers"})
            self.assertEqual({(member.uid, member.gid, member.mode) for member in control if member.isfile()}, {(0, 0, 0o644)})
            triggers = next(member for member in control if member.name.endswith("triggers"))
            self.assertEqual(control.extractfile(triggers).read(), b"activate-noawait ldconfig\n")

    def test_dependencies_are_of_what_is_linked(self):
        names = [part.split()[0] for part in fields()["Depends"].split(",")]
        for wanted in ("libc6", "libstdc++6", "libedit2"):
            self.assertIn(wanted, names)
        for name in names:
            self.assertNotRegex(name, "llvm|clang|lld|antlr|fmt|zstd|zlib|talweg", "these are linked in")

    def test_licences_of_what_is_linked_in(self):
        text = (ROOT / "usr/share/doc/talweg/copyright").read_text(encoding="utf-8")
        for line in (support.ROOT / "LICENSE_THIRD_PARTY.md").read_text(encoding="utf-8").splitlines():
            self.assertIn(f" {line}\n" if line else " .\n", text)
        for paragraph in text.split("\n\n"):
            self.assertRegex(paragraph, r"^(Format|Files): ", "what stands alone is a paragraph of its own to Debian's readers")

    def test_files_are_where_debian_has_them(self):
        for file in ("bin/talweg", "share/talweg/stdlib/adamw.tw", "lib/cmake/talweg/talwegConfig.cmake", "share/man/man1/talweg.1.gz",
                     "share/man/man1/talweg-build.1.gz", "share/bash-completion/completions/talweg",
                     "share/fish/vendor_completions.d/talweg.fish", "share/zsh/vendor-completions/_talweg",
                     "share/doc/talweg/copyright", "lib/libtalweg.so.0", "include/talweg/talweg.hpp", "share/doc/talweg/changelog.gz", "share/doc/talweg/README.md"):
            self.assertTrue((ROOT / "usr" / file).is_file(), file)
        for name in ROOT.iterdir():
            self.assertEqual(name.name, "usr")
        for file in ROOT.rglob("*"):
            mode = stat.S_IMODE(file.stat().st_mode)
            programs = file.is_dir() or file == ROOT / "usr/bin/talweg"
            self.assertEqual(mode, 0o755 if programs else 0o644, f"{file} has {mode:o}")
            self.assertFalse(file.name.startswith("LICENSE"), "lintian: extra-license-file")
        self.assertFalse(list((ROOT / "usr/share/man/man1").glob("*.1")), "manual pages are compressed")

    def test_nothing_names_the_time_or_place_of_its_build(self):
        for file in (ROOT / "usr").rglob("*.gz"):
            self.assertEqual(file.read_bytes()[4:8], b"\0\0\0\0", f"{file}: gzip --no-name leaves no time")
            self.assertGreater(len(gzip.decompress(file.read_bytes())), 100)
        for file in (ROOT / "usr").rglob("*"):
            if file.is_file():
                is_named = str(support.ROOT).encode() in file.read_bytes()
                self.assertFalse(is_named, f"{file} names the source tree")

    def test_programs_are_stripped(self):
        for file in [ROOT / "usr/bin/talweg", *(ROOT / "usr/lib").glob("*.so")]:
            sections = subprocess.run(["readelf", "--wide", "--sections", file], capture_output=True, text=True, check=True).stdout
            self.assertIn(".text", sections)
            self.assertNotRegex(sections, r"\.symtab|\.debug_")

    def test_it_runs_from_where_it_was_unpacked(self):
        talweg = ROOT / "usr/bin/talweg"
        self.assertEqual(WORLD.run(talweg, "--version"), "talweg 0.1.0\n")
        self.assertIn("AdamW", WORLD.run(talweg, "list"))
        written = WORLD.run(talweg, "build", "--rule", "AdamW", "-o", WORLD.folder / "out")
        self.assertIn("libadamw.a", written)

    def test_its_cmake_package_serves(self):
        project = WORLD.folder / "project"
        shutil.copytree(support.HERE / "consumer", project)
        WORLD.run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={ROOT / 'usr'}")
        WORLD.run("cmake", "--build", project / "build")
        self.assertEqual(WORLD.run(project / "build/consumer"), "mine 0.75 1.5 2\nstages 0.1.0 8\n")

    def test_lintian(self):
        if not shutil.which("lintian"):
            self.skipTest("no lintian here")
        text = subprocess.run(["lintian", "--no-cfg", "--allow-root", "--fail-on", "none", PACKAGE], capture_output=True, text=True,
                              check=True).stdout
        errors = [line for line in text.splitlines() if re.match(r"E: ", line)]
        # It is no package of Debian's archive: its changelog has no entries of theirs; LLVM has its own names of libraries.
        accepted = ("embedded-library", "debian-changelog-file-missing", "bogus-mail-host", "no-changelog", "copyright-not-using")
        self.assertEqual([line for line in errors if not any(word in line for word in accepted)], [], text)


def main():
    global WORLD, PACKAGE, ROOT
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "readelf"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    with tempfile.TemporaryDirectory() as folder:
        WORLD = support.World(folder)
        packed = pathlib.Path(folder, "packed")
        packed.mkdir()
        PACKAGE = pack(packed)
        ROOT = pathlib.Path(folder, "unpacked")
        subprocess.run(["dpkg-deb", "-x", PACKAGE, ROOT], check=True)
        ROOT.chmod(0o755)
        program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
