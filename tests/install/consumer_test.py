#!/usr/bin/env python3
"""A consumer's CMake project with an installed and moved talweg: built, rebuilt when rules change and only then.

    consumer_test.py BUILD_TREE ROOT
"""
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

import support

WORLD = None
PREFIX = None
WHOLE = ("Building kernels of mine", "Building kernels of stages")
ARM_TOOLCHAIN = """set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
"""
#: clang alone, without a C library, named as the toolchains of WebAssembly name their machines.
WASM_TOOLCHAIN = """set(CMAKE_SYSTEM_NAME {system})
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_C_COMPILER {clang})
set(CMAKE_C_COMPILER_TARGET wasm32-unknown-unknown)
set(CMAKE_C_FLAGS_INIT "-ffreestanding -nostdlibinc")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld={linker} -nostdlib -Wl,--no-entry")
set(CMAKE_STATIC_LIBRARY_PREFIX "")
set(CMAKE_STATIC_LIBRARY_SUFFIX .bc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""
WASM_PROJECT = """
talweg_add_library(adamw EXPRESSIONS AdamW{arguments})
add_executable(consumer "{root}/tests/standalone/wasm/consumer.c" "{root}/runtime/standalone/wasm_libc.c")
target_include_directories(consumer PRIVATE "{root}" "{root}/runtime/standalone/freestanding" "${{CMAKE_SOURCE_DIR}}")
target_link_options(consumer PRIVATE -Wl,--export=run)
target_link_libraries(consumer PRIVATE adamw)
set_target_properties(consumer PROPERTIES C_STANDARD 11 SUFFIX .wasm)
"""
#: Runs the module's run(), which says the line that is wrong.
WASM_RUN = """const fs = require("fs");
const built = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
console.log("line", new WebAssembly.Instance(built, {}).exports.run());
"""


class Project:
    """A copy of consumer/, configured in a folder of its own (whose name has a space)."""

    def __init__(self, test, generator="Ninja", text=None):
        self._folder = tempfile.TemporaryDirectory(dir=WORLD.folder, prefix="a consumer ")
        test.addCleanup(self._folder.cleanup)
        self.source = pathlib.Path(self._folder.name) / "consumer"
        self.build = pathlib.Path(self._folder.name) / "build"
        self.generator = generator
        shutil.copytree(support.HERE / "consumer", self.source)
        if text is not None:
            head = "cmake_minimum_required(VERSION 3.20)\nproject(consumer LANGUAGES C)\nfind_package(talweg REQUIRED)\n"
            (self.source / "CMakeLists.txt").write_text(head + text, encoding="utf-8")

    def configure(self, *options, code=0):
        return WORLD.run("cmake", "-S", self.source, "-B", self.build, "-G", self.generator, f"-DCMAKE_PREFIX_PATH={PREFIX}",
                         *options, code=code)

    def make(self, code=0):
        return WORLD.run("cmake", "--build", self.build, code=code)

    def run(self, *before):
        return WORLD.run(*before, self.build / "consumer")

    def edit(self, file, old, new):
        """Changes a file, later than all that was made before for file systems that count in seconds too."""
        path = self.source / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        later = time.time() + 1.5
        os.utime(path, (later, later))
        time.sleep(1.6)


class Rebuilds(unittest.TestCase):
    def check(self, generator, program):
        if not WORLD.has(program):
            self.skipTest(f"no {program} here")
        project = Project(self, generator)
        project.configure()
        first = project.make()
        for line in WHOLE:
            self.assertIn(line, first)
        self.assertEqual(project.run(), "mine 0.75 1.5 2\nstages 0.1.0 8\n")

        still = project.make()
        for line in (*WHOLE, "Building C", "Linking"):
            self.assertNotIn(line, still)

        project.edit("rules/mine.tw", "lr = 0.5", "lr = 1")
        again = project.make()
        for line in WHOLE:  # both are made of mine.tw
            self.assertIn(line, again)
        self.assertEqual(project.run(), "mine 0.5 1 1\nstages 0.1.0 8\n")

        project.edit("modules/factors.tw", "2 * x", "4 * x")
        self.assertIn(WHOLE[0], project.make())
        self.assertEqual(project.run(), "mine 0 0 -1\nstages 0.1.0 8\n")
        self.assertNotIn(WHOLE[0], project.make())

    def test_ninja(self):
        self.check("Ninja", "ninja")

    def test_makefiles(self):
        self.check("Unix Makefiles", "make")

    def test_a_standard_rule_counts(self):
        project = Project(self, text="talweg_add_library(adamw EXPRESSIONS AdamW)\n"
                                     "add_custom_target(all_of_it ALL)\nadd_dependencies(all_of_it adamw)\n")
        project.configure()
        self.assertIn("Building kernels of adamw", project.make())
        self.assertNotIn("Building kernels", project.make())
        file = PREFIX / "share/talweg/stdlib/adamw.tw"
        later = time.time() + 1.5
        os.utime(file, (later, later))
        time.sleep(1.6)
        self.assertIn("Building kernels of adamw", project.make())

    def test_a_depfile_in_a_makefile(self):
        if not WORLD.has("make"):
            self.skipTest("no make here")
        source = Project(self).source
        (source / "Makefile").write_text(f"out/mine.h: ; '{PREFIX}/bin/talweg' build rules/mine.tw -I modules -o out --depfile out/mine.d\n"
                                         "-include out/mine.d\n", encoding="utf-8")
        self.assertIn("libmine.a", WORLD.run("make", "out/mine.h", cwd=source))
        self.assertIn("up to date", WORLD.run("make", "out/mine.h", cwd=source))
        later = time.time() + 1.5
        os.utime(source / "modules/factors.tw", (later, later))
        self.assertIn("libmine.a", WORLD.run("make", "out/mine.h", cwd=source))

    def test_a_mistake_in_a_rule_stops_the_build_and_says_where(self):
        project = Project(self)
        project.configure()
        project.edit("rules/mine.tw", "lr *", "rl *")
        text = project.make(code=1)
        self.assertIn("TW0201", text)
        self.assertIn("mine.tw:6", text)
        project.edit("rules/mine.tw", "rl *", "lr *")
        project.make()

    def test_rules_that_the_build_makes(self):
        project = Project(self, text="""
add_custom_command(OUTPUT made.tw COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/modules/factors.tw factors.tw
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/rules/mine.tw made.tw DEPENDS rules/mine.tw)
talweg_add_library(mine RULES ${CMAKE_BINARY_DIR}/made.tw)
add_custom_target(all_of_it ALL)
add_dependencies(all_of_it mine)
""")
        project.configure()
        self.assertIn("Building kernels of mine", project.make())

    def test_code_for_gpus(self):
        project = Project(self)
        file = project.source / "CMakeLists.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("INCLUDE modules", "TARGETS nvptx-sm90 INCLUDE modules"))
        project.configure()
        project.make()
        self.assertEqual(project.run(), "mine 0.75 1.5 2\nstages 0.1.0 8\n")
        self.assertTrue(list((project.build / "talweg/mine").glob("*.sm_90.ptx")))
        self.assertFalse(list((project.build / "talweg/mine").glob("*.sm_80.ptx")))


class OtherMachines(unittest.TestCase):
    def cross(self, project, *options):
        if not WORLD.has("aarch64-linux-gnu-gcc") or not WORLD.has("qemu-aarch64"):
            self.skipTest("no aarch64-linux-gnu-gcc or no qemu-aarch64 here")
        toolchain = project.source / "arm.cmake"
        toolchain.write_text(ARM_TOOLCHAIN, encoding="utf-8")
        project.configure(f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", *options)
        project.make()
        return WORLD.run("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", project.build / "consumer")

    def test_the_target_is_what_cmake_builds_for(self):
        self.assertEqual(self.cross(Project(self)), "mine 0.75 1.5 2\nstages 0.1.0 8\n")

    def test_several_targets(self):
        project = Project(self)
        file = project.source / "CMakeLists.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("INCLUDE modules", "TARGETS aarch64 x86-64 INCLUDE modules"))
        self.assertEqual(self.cross(project), "mine 0.75 1.5 2\nstages 0.1.0 8\n")
        self.assertTrue((project.build / "talweg/mine/x86-64/libmine.a").exists())
        shutil.rmtree(project.build)
        project.configure()
        project.make()
        self.assertEqual(project.run(), "mine 0.75 1.5 2\nstages 0.1.0 8\n")


class WebAssembly(unittest.TestCase):
    def project(self, system, processor, arguments=""):
        project = Project(self, text=WASM_PROJECT.format(root=support.ROOT, arguments=arguments))
        clang = os.environ["TALWEG_CLANG"]
        linker = next((path for path in (pathlib.Path(clang).resolve().with_name("wasm-ld"), shutil.which("wasm-ld")) if path and
                       pathlib.Path(path).exists()), None)
        self.assertIsNotNone(linker, "there is no wasm-ld")
        (project.source / "math.h").write_text('#define INFINITY __builtin_inff()\n#define NAN __builtin_nanf("")\n', encoding="utf-8")
        toolchain = project.source / "wasm.cmake"
        toolchain.write_text(WASM_TOOLCHAIN.format(system=system, processor=processor, clang=clang, linker=linker), encoding="utf-8")
        self.options = (f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", "-DCMAKE_BUILD_TYPE=Release")
        return project

    def check(self, *arguments):
        node = shutil.which("node")
        if node is None:
            self.skipTest("no node here")
        project = self.project(*arguments)
        project.configure(*self.options)
        self.assertIn("Building kernels of adamw", project.make())
        (project.source / "run.cjs").write_text(WASM_RUN, encoding="utf-8")
        self.assertEqual(WORLD.run(node, project.source / "run.cjs", project.build / "consumer.wasm"), "line 0\n")
        self.assertNotIn("Building kernels", project.make())

    def test_a_toolchain_of_wasm32(self):
        self.check("Generic", "wasm32")

    def test_as_the_wasi_sdk_names_it(self):
        self.check("WASI", "wasm32")

    def test_as_emscripten_names_it(self):
        self.check("Emscripten", "x86")

    def test_beside_another_target(self):
        self.check("Generic", "wasm32", " TARGETS x86-64 wasm32")

    def test_mistakes(self):
        for arguments, words in ((("Generic", "wasm32", " SHARED"), "for wasm32 programs link a STATIC library"),
                                 (("Generic", "wasm32", " TARGETS x86-64"), "none of TARGETS (x86-64) is what CMake builds for"),
                                 (("Generic", "x86"), "no library can be built for CMAKE_SYSTEM_PROCESSOR 'x86'"),
                                 (("Generic", "wasm64"), "no library can be built for CMAKE_SYSTEM_PROCESSOR 'wasm64'")):
            with self.subTest(arguments):
                text = self.project(*arguments).configure(*self.options, code=1)
                self.assertIn(words, " ".join(text.split()))


class Mistakes(unittest.TestCase):
    def test_arguments(self):
        for call, *words in (
                ("mine rules/mine.tw", "'rules/mine.tw' is no argument", "RULES"),
                ("mine RULES rules/mime.tw", "there is no rule file", "rules/mime.tw"),
                ("mine RULES rules", "there is no rule file"),
                ("mine", "give RULES or EXPRESSIONS"),
                ("mine RULES rules/mine.tw TARGETS", "nothing stands behind TARGETS"),
                ("mine RULES rules/mine.tw TARGETS pdp11", "there is no target 'pdp11'", "x86-64"),
                ("mine RULES rules/mine.tw TARGETS wasm32", "none of TARGETS (wasm32)", "CMAKE_SYSTEM_PROCESSOR is"),
                ("mine RULES rules/mine.tw DTYPE float16", "float32 or float64", "float16"),
                ("mine RULES rules/mine.tw INCLUDE nowhere", "there is no folder", "nowhere"),
                ("mine RULES rules/mine.tw STATIC SHARED", "exclude each other"),
                ("my-rules RULES rules/mine.tw", "letters, digits and _"),
                ("taken RULES rules/mine.tw", "a target of this name")):
            with self.subTest(call):
                text = Project(self, text=f"add_custom_target(taken)\ntalweg_add_library({call})\n").configure(code=1)
                shown = " ".join(text.split())
                for word in words:
                    self.assertIn(word, shown)

    def test_a_machine_that_is_not_served(self):
        project = Project(self, text="set(CMAKE_SYSTEM_PROCESSOR pdp11)\ntalweg_add_library(mine RULES rules/mine.tw)\n")
        self.assertIn("no library can be built for CMAKE_SYSTEM_PROCESSOR 'pdp11'", " ".join(project.configure(code=1).split()))

    def test_versions_and_components(self):
        for wanted, code, word in (("0.1", 0, ""), ("0.2", 1, "0.1.0"), ("0.1 COMPONENTS gears", 1, "no component gears")):
            project = Project(self)
            (project.source / "CMakeLists.txt").write_text(
                f"cmake_minimum_required(VERSION 3.20)\nproject(p LANGUAGES C)\nfind_package(talweg {wanted} REQUIRED)\n")
            self.assertIn(word, project.configure(code=code))

    def test_a_tree_without_its_rules_says_so(self):
        bare = WORLD.folder / "bare/bin/talweg"
        bare.parent.mkdir(parents=True)
        shutil.copy2(PREFIX / "bin/talweg", bare)
        self.assertIn(f"there is no folder {bare.parents[1]}/share/talweg/stdlib", WORLD.run(bare, "plan", "AdamW", code=1))
        self.assertIn("once per step", WORLD.run(bare, "dump", "--stage", "plan", "--rule", "AdamW",
                                                 TALWEG_STDLIB=str(PREFIX / "share/talweg/stdlib")))


class Embedding(unittest.TestCase):
    def test_a_program_that_compiles_rules(self):
        project = Project(self)
        (project.source / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.20)\nproject(p LANGUAGES CXX)\nset(CMAKE_CXX_STANDARD 17)\n"
            "find_package(talweg 0.1 REQUIRED COMPONENTS embedding)\n"
            "add_executable(consumer embedding.cpp)\ntarget_link_libraries(consumer PRIVATE talweg::talweg)\n", encoding="utf-8")
        project.configure()
        project.make()
        self.assertEqual(project.run(), "embedded 2\n")


class Generated(unittest.TestCase):
    """The files that `talweg build` writes for find_package() and pkg-config, after their folder was moved."""

    MAIN = """#include <stdio.h>
#include "adamw.h"
int main(void) { printf("%s\\n", adamw_version()); return 0; }
"""

    def library(self, *options):
        folder = tempfile.TemporaryDirectory(dir=WORLD.folder)
        self.addCleanup(folder.cleanup)
        out = pathlib.Path(folder.name, "out")
        WORLD.run(PREFIX / "bin/talweg", "build", "--rule", "AdamW", "--name", "adamw", "-o", out, *options)
        moved = pathlib.Path(folder.name, "moved")
        out.rename(moved)
        (moved.parent / "main.c").write_text(self.MAIN, encoding="utf-8")
        return moved

    def check_cmake(self, library, target):
        source = library.parent
        (source / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.10)\nproject(p C)\nfind_package(adamw CONFIG REQUIRED)\n"
            f"add_executable(p main.c)\ntarget_link_libraries(p PRIVATE {target})\n", encoding="utf-8")
        build = source / target.replace(":", "_")
        WORLD.run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-Dadamw_DIR={library}")
        WORLD.run("cmake", "--build", build)
        self.assertEqual(WORLD.run(build / "p"), "0.1.0\n")

    def test_find_package(self):
        library = self.library()
        for target in ("adamw::adamw", "adamw::shared"):
            self.check_cmake(library, target)
        self.check_cmake(self.library("--shared"), "adamw::adamw")
        self.check_cmake(self.library("--target", "x86-64,aarch64"), "adamw::adamw")

    def configure(self, library, package="adamw CONFIG REQUIRED", code=0, *options):
        """What CMake says of a project that looks for the library, without line breaks."""
        source = library.parent
        (source / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.10)\nproject(p C)\nfind_package({package})\n"
            "get_target_property(needed adamw::adamw INTERFACE_LINK_LIBRARIES)\n"
            "message(STATUS \"version ${adamw_VERSION}, needs ${needed}\")\n",
            encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=source) as build:
            return " ".join(WORLD.run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-Dadamw_DIR={library}", *options,
                                      code=code).split())

    def test_threads_are_named(self):
        for options in ((), ("--target", "x86-64,wasm32", "--static")):
            library = self.library(*options)
            self.assertIn("version 0.1.0, needs Threads::Threads", self.configure(library))
        library = self.library("--target", "wasm32", "--static")
        web = ("-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_SYSTEM_PROCESSOR=wasm32", "-DCMAKE_C_COMPILER_WORKS=1")
        self.assertNotIn("Threads", self.configure(library, "adamw CONFIG REQUIRED", 0, *web))
        self.assertNotIn("pthread", (library / "adamw.pc").read_text(encoding="utf-8"))

    def test_versions(self):
        library = self.library("--static")
        for wanted in ("0.1", "0.1.0", "0.1.0 EXACT"):
            self.configure(library, f"adamw {wanted} CONFIG REQUIRED")
        for wanted in ("0.2", "0.0.9", "0.1.1", "1"):
            said = self.configure(library, f"adamw {wanted} CONFIG REQUIRED", 1)
            self.assertIn("adamwConfig.cmake, version: 0.1.0", said)

    def test_ranges_of_versions(self):
        library = self.library("--static")
        minimum = "adamw {} CONFIG REQUIRED"
        for wanted, code in (("0.0...<1", 0), ("0.1...0.1.0", 0), ("0.0...<0.1.0", 1), ("0.1.1...2", 1)):
            with self.subTest(wanted):
                self.configure(library, minimum.format(wanted), code)

    def test_other_processors_are_refused(self):
        other = ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=riscv64")
        for options, built_for in ((("--target", "x86-64"), "x86-64"), (("--target", "x86-64,aarch64"), "x86-64, aarch64")):
            said = self.configure(self.library(*options), "adamw CONFIG REQUIRED", 1, *other)
            self.assertIn(f"it is built for {built_for}, not for riscv64", said)
        # A toolchain file may leave the processor out.
        self.configure(self.library(), "adamw CONFIG REQUIRED", 0, "-DCMAKE_SYSTEM_NAME=Linux")

    def test_pkg_config(self):
        if not WORLD.has("pkg-config"):
            self.skipTest("no pkg-config here")
        for options, folder in (((), "."), (("--target", "x86-64,aarch64"), "x86-64")):
            library = self.library(*options) / folder
            flags = WORLD.run("pkg-config", "--cflags", "--libs", "adamw", PKG_CONFIG_PATH=str(library)).split()
            self.assertIn("-pthread", flags)
            program = library / "program"
            WORLD.run("cc", library.parents[len(pathlib.Path(folder).parts)] / "main.c", "-o", program, *flags)
            self.assertEqual(WORLD.run(program, LD_LIBRARY_PATH=str(library)), "0.1.0\n")


def main():
    global WORLD, PREFIX
    with tempfile.TemporaryDirectory() as folder:
        WORLD = support.World(folder)
        PREFIX = support.install(WORLD)
        program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
