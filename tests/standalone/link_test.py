"""What a linker and a compiler see of a library: its names, what it needs, its header."""
import json
import os
import re
import shutil
import unittest

from elf import visible_and_needed
from support import CC, CXX, DTYPES, FOLDER, HERE, ROOT, TALWEG, build, main, need, run

GOLDEN = HERE / "golden"
UPDATES = os.environ.get("TALWEG_UPDATE_GOLDENS") == "1"
C, CPP = ("c99", "c11", "c17", "gnu17"), ("c++11", "c++14", "c++17", "c++20")
#: All that a library may take of the C library; the pool of threads is an archive member of its own.
MEMORY = {"malloc", "free", "madvise", "getenv", "memcpy", "memset", "memmove", "memcmp", "strcmp", "strlen"}
THREADS = {"getpid", "sysconf", "pthread_create", "pthread_join", "syscall"}


class Golden(unittest.TestCase):
    """`TALWEG_UPDATE_GOLDENS=1 ctest -R standalone_link` writes golden/ anew. A name that goes, or changes what it means,
    breaks programs: then TALWEG_LIB_INTERFACE grows."""

    def compare(self, name, text):
        path = GOLDEN / name
        if UPDATES:
            path.write_text(text)
        self.assertEqual(path.read_text(), text, f"{name} is not what a library has now; see {type(self).__doc__}")

    def test_header(self):
        release = run(TALWEG, "--version").stdout.split()[1]
        self.compare("adamw.h", (FOLDER / "adamw/adamw.h").read_text().replace(release, "RELEASE"))

    def test_names(self):
        self.compare("adamw.symbols", "".join(f"{name}\n" for name in visible_and_needed(FOLDER / "adamw/libadamw.a")[0]))


class Documentation(unittest.TestCase):
    """What rules say of themselves, in headers and in what programs read of a library."""

    def setUp(self):
        self.header = (FOLDER / "float32/samples.h").read_text()
        manifest = json.loads((FOLDER / "float32/samples.json").read_text())
        self.docs = {rule["prefix"]: rule["doc"] for rule in manifest["rules"]}

    def said_by(self, module):
        """The comment before the module's first rule."""
        text = (ROOT / f"stdlib/{module}.tw").read_text()
        return [line[4:].strip() for line in re.match(r"(///.*\n)+", text).group().splitlines()]

    def stages_of(self, rule):
        return re.findall(r"^(Stage \d+, .*)$", self.docs[rule], re.M)

    def test_a_pipeline_shows_what_its_stages_say(self):
        self.assertEqual(self.stages_of("samples_averaged"), ["Stage 1, ClipByGlobalNorm:", "Stage 2, AdamW:", "Stage 3, Ema:"])
        section = self.header[self.header.index("---- ClipByGlobalNorm | AdamW(") :]
        section = [line.removeprefix("/*").removeprefix(" *").strip() for line in section[: section.index("typedef")].splitlines()]
        for module in ("clip_by_global_norm", "adamw", "ema"):
            for line in self.said_by(module):
                self.assertIn(line, section)
                self.assertIn(line, self.docs["samples_averaged"])

    def test_a_rule_that_is_a_pipeline_says_first_what_it_is(self):
        self.assertTrue(self.docs["samples_routes"].startswith("One way for tensors with a tag"))
        self.assertEqual(self.stages_of("samples_routes"),
                         [f"Stage {i}, {name}, for some tensors:" for i, name in enumerate(("SGD", "Adafactor", "AdamW"), 1)])

    def test_a_lone_rule_says_it_once(self):
        self.assertEqual(self.docs["samples_adamw"].splitlines()[0].strip(), self.said_by("adamw")[0])
        self.assertEqual(self.stages_of("samples_adamw"), [])


class Names(unittest.TestCase):
    def libraries(self):
        for dtype in DTYPES:
            for folder in (FOLDER / dtype, FOLDER / dtype / "aarch64"):
                yield folder / "libsamples.a", folder / "samples.h"
                yield folder / "libsamples.so", folder / "samples.h"
        yield FOLDER / "adamw/libadamw.a", FOLDER / "adamw/adamw.h"
        yield FOLDER / "adamw/libadamw.so", FOLDER / "adamw/adamw.h"

    def test_only_what_the_header_declares_is_visible(self):
        for library, header in self.libraries():
            prefix = header.stem
            declared = set(re.findall(rf"^[a-z].*?\b({prefix}_\w+)\(", re.sub(r"^static .*", "", header.read_text(), flags=re.M), re.M))
            shown, _ = visible_and_needed(library)
            self.assertEqual(set(shown), declared, library)
            self.assertEqual(len(shown), len(set(shown)), library)

    def test_nothing_is_needed_but_the_c_library(self):
        for library, _ in self.libraries():
            needed = visible_and_needed(library)[1]
            self.assertLessEqual(needed, MEMORY | THREADS | {"_GLOBAL_OFFSET_TABLE_"}, library)
            self.assertIn("malloc", needed, library)

    def test_shared_object(self):
        readelf = shutil.which("readelf")
        if readelf is None:
            self.skipTest("no readelf here")
        text = run(readelf, "-dlW", FOLDER / "adamw/libadamw.so").stdout
        self.assertIn("soname: [libadamw.so]", text)
        self.assertNotIn("TEXTREL", text)
        self.assertRegex(text, r"GNU_STACK .* RW +0")  # not executable
        self.assertNotRegex(text, r"LOAD .* RWE")

    def test_linked_without_threads(self):
        """A program that leaves the pool alone needs no pthreads."""
        source = FOLDER / "no_threads.c"
        source.write_text('#include "adamw.h"\nint main(void) { return adamw_interface_version() != ADAMW_INTERFACE; }\n')
        program = FOLDER / "no_threads"
        run(CC, source, f"-I{FOLDER / 'adamw'}", FOLDER / "adamw/libadamw.a", "-o", program)
        run(program)
        self.assertFalse([name for name in visible_and_needed(program)[1] if name.startswith("pthread_")])


class Headers(unittest.TestCase):
    def compile(self, text, *flags, compiler=CC, suffix=".c", code=0):
        source = FOLDER / f"header_test{suffix}"
        source.write_text(text)
        return run(compiler, "-fsyntax-only", "-pedantic", "-Wall", "-Wextra", "-Werror", *flags, source, code=code)

    def test_languages(self):
        includes = [f"-I{FOLDER / 'adamw'}", f"-I{FOLDER / 'float32'}"]
        text = '#include "adamw.h"\n#include "samples.h"\n#include "adamw.h"\nint main(void) { return 0; }\n'
        for standard in C:
            self.compile(text, f"-std={standard}", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wshadow", *includes)
        for standard in CPP:
            self.compile(text, f"-std={standard}", "-Wshadow", *includes, compiler=CXX, suffix=".cpp")

    def test_no_conversion_that_a_compiler_warns_of(self):
        """NAN and INFINITY are floats, which not every conversion makes doubles in C and in C++."""
        clang = need("clang")
        rules = FOLDER / "special.tw"
        rules.write_text("rule Special {\n  hyper least = -inf in [-inf, inf]\n  hyper most = inf in [-inf, inf]\n"
                         "  hyper other = 2 * most in [-inf, inf]\n  step { update = clamp(grad, least, other) }\n}\n")
        folder = build("special", FOLDER / "special", rules)
        text = '#include "special.h"\ndouble f(void);\ndouble f(void) { return special_defaults().least; }\n'
        for name in ("not_set", "infinite"):
            self.assertIn(f"= {name};", (folder / "special.h").read_text())
        self.compile(text, "-Wdouble-promotion", "-Wconversion", "-std=c99", f"-I{folder}", compiler=clang)
        for compiler in (CXX, clang):
            self.compile(text, "-Wdouble-promotion", "-Wold-style-cast", "-Wconversion", "-std=c++17", f"-I{folder}", "-xc++",
                         compiler=compiler, suffix=".cpp")

    def test_one_library_is_not_another(self):
        text = '#include "adamw.h"\n#include "samples.h"\nvoid f(adamw_optimizer* o) {{ {}_reset(o, 0); }}\n'
        includes = [f"-I{FOLDER / 'adamw'}", f"-I{FOLDER / 'float32'}"]
        self.compile(text.format("adamw"), *includes)
        self.compile(text.format("samples"), *includes, code=1)

    def test_awkward_names(self):
        """Rules whose words mean something else in C, C++ or a header."""
        folder = build("awkward", FOLDER / "awkward", HERE / "rules/awkward.tw")
        text = '#include "awkward.h"\nint main(void) { return 0; }\n'
        for standard in C:
            self.compile(text, f"-std={standard}", f"-I{folder}")
        for standard in CPP:
            self.compile(text, f"-std={standard}", f"-I{folder}", compiler=CXX, suffix=".cpp")


class Together(unittest.TestCase):
    def test_two_libraries_of_one_rule(self):
        for name in ("first", "second"):
            build(name, FOLDER / name, "--rule", "AdamW")
        folders = [FOLDER / "first", FOLDER / "second", FOLDER / "float32"]
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", *(f"-I{folder}" for folder in folders), HERE / "two_libraries.c"]
        names = ("first", "second", "samples")
        archives = [folder / f"lib{name}.a" for folder, name in zip(folders, names)]
        shared = [part for folder, name in zip(folders, names) for part in (f"-L{folder}", f"-l{name}", f"-Wl,-rpath,{folder}")]
        for form, libraries in (("static", archives), ("reversed", archives[::-1]), ("shared", shared)):
            program = FOLDER / f"two_libraries_{form}"
            run(CC, *flags, "-o", program, *libraries)
            run(program)

    def test_the_same_library_again_is_the_same_bytes(self):
        again = build("adamw", FOLDER / "again", "--rule", "AdamW")
        for path in sorted((FOLDER / "adamw").iterdir()):
            if path.is_file():
                self.assertEqual(path.read_bytes(), (again / path.name).read_bytes(), path.name)


if __name__ == "__main__":
    main()
