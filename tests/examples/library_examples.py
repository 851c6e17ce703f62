#!/usr/bin/env python3
"""Builds and runs the examples of generated libraries where talweg cannot be reached.

    library_examples.py header|modes|library_c|char_lm|library_python TALWEG ROOT

A fresh folder gets what `talweg build` writes, and a copy of the example. From then on every command runs in an
environment of nothing but PATH=/usr/bin:/bin. Losses must fall, and the hash of all parameters must be the same
with any number of threads and any instruction set (those that this processor has not are named and left out).
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Rules whose headers have different examples: a plain one, several gradients a step, inputs, views, rows and
# columns, no hypers.
HEADER_RULES = {
    "adamw": "AdamW",
    "uphill": "SAM | AdamW",
    "polyak": "PolyakStep",
    "averaged": "AdamW | Ema",
    "factored": "Adafactor",
    "tidy": "SkipNonFinite | ZeroNans",
    "clipped_matrix_rule": "ClipByGlobalNorm | MARS",
}
C_FLAGS = ["-Wall", "-Wextra", "-Werror"]
# What a program with a library may be linked with.
SYSTEM_LIBRARIES = re.compile(r"(linux-vdso|libc|libm|libpthread|ld-linux[\w-]*)\.so")


class Bench:
    """A folder with copies and libraries, and commands that see little else."""

    def __init__(self, talweg, root, folder):
        self.talweg, self.root, self.folder = talweg, root, pathlib.Path(folder)

    def build(self, folder, *arguments):
        subprocess.run([self.talweg, "build", "-o", self.folder / folder, *arguments], check=True,
                       stdout=subprocess.DEVNULL)

    def copy(self, *paths):
        for path in paths:
            source = self.root / path
            if source.is_dir():
                shutil.copytree(source, self.folder / source.name)
            else:
                shutil.copy(source, self.folder)

    def run(self, *command, fails=False, **environment):
        result = subprocess.run([str(part) for part in command], cwd=self.folder, text=True, capture_output=True,
                                env={"PATH": "/usr/bin:/bin", **environment}, timeout=300, check=False)
        if (result.returncode != 0) != fails:
            sys.exit(f"{environment} {command} ended with {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def check_links(self, program):
        for line in self.run("ldd", program).splitlines():
            if not SYSTEM_LIBRARIES.search(line):
                sys.exit(f"{program} needs {line.strip()}")

    def processors(self, *command):
        """The instruction sets that `command` can be run on, by what it refuses."""
        usable = []
        for cpu in ("x86-64-v2", "x86-64-v3", "x86-64-v4"):
            result = subprocess.run([str(part) for part in command], cwd=self.folder, text=True, capture_output=True,
                                    env={"PATH": "/usr/bin:/bin", "TALWEG_CPU": cpu}, check=False)
            if result.returncode == 0:
                usable.append(cpu)
            elif "TALWEG_CPU" in result.stderr:
                print(f"{cpu} is left out: {result.stderr.strip().splitlines()[-1]}")
            else:
                sys.exit(f"{command} on {cpu}: {result.stdout}{result.stderr}")
        return usable


def expect(condition, what):
    if not condition:
        sys.exit(what)


def losses_of(output, pattern):
    losses = [float(text) for text in re.findall(pattern, output)]
    expect(len(losses) > 1, f"no losses in\n{output}")
    return losses


def expect_falling(output, pattern, factor):
    losses = losses_of(output, pattern)
    expect(losses[-1] < factor * losses[0], f"losses do not fall below {factor} of the first: {losses}")


def hash_of(output):
    return re.search(r"^parameters.*?([0-9a-f]{16})", output, re.M).group(1)


def expect_same_hash(outputs):
    hashes = {what: hash_of(output) for what, output in outputs.items()}
    expect(len(set(hashes.values())) == 1, f"hashes differ: {hashes}")
    print(f"the same bits in {len(hashes)} ways: {', '.join(hashes)}")


def check_header(bench):
    """The program in front of each header compiles as C and C++, and runs."""
    for name, rule in HEADER_RULES.items():
        bench.build(name, "--rule", rule, "--name", name)
        header = (bench.folder / name / f"{name}.h").read_text()
        front = header[:header.index("#ifndef")]
        program = "\n".join(line[7:] for line in front.splitlines() if line.startswith(" *     ") or line == " *")
        program = program[:program.rindex("}") + 1] + "\n"
        expect("int main(void)" in program, f"no program in front of {name}.h")
        for source, compiler in ((f"{name}.c", ["gcc", "-std=c99", "-pedantic"]), (f"{name}.cpp", ["g++", "-std=c++11"])):
            (bench.folder / source).write_text(program)
            # C++ has no {0} for a struct without a warning of -Wextra.
            flags = C_FLAGS + (["-Wno-missing-field-initializers"] if compiler[0] == "g++" else [])
            bench.run(*compiler, *flags, source, f"-I{name}", f"{name}/lib{name}.a", "-o", f"{name}.run")
            bench.check_links(f"{name}.run")
            expect(bench.run(f"./{name}.run") == "", f"the program of {name}.h printed something")
        expect(max(map(len, header.splitlines())) <= 100, f"{name}.h has long lines")


def check_modes(bench):
    """The caller's rounding and flushing change nothing, and are left as they were."""
    bench.build("modes", "--rule", "plain=AdamW", "--rule", "clipped=ClipByGlobalNorm | AdamW", "--name", "modes")
    bench.copy("tests/examples/caller_modes.c")
    bench.copy("tests/standalone/one_tensor.h")
    bench.run("gcc", "-std=c99", "-O1", *C_FLAGS, "-Imodes", "caller_modes.c", "modes/libmodes.a", "-lm", "-o", "caller_modes")
    for cpu in bench.processors("./caller_modes"):
        bench.run("./caller_modes", TALWEG_CPU=cpu)


def check_library_c(bench):
    bench.build("adamw", "--rule", "AdamW", "--name", "adamw")
    bench.copy("examples/library_c", "examples/data/wine.csv")
    sources = ["library_c/main.c", "library_c/network.c", "library_c/pool.c"]
    bench.run("gcc", "-std=c99", "-O2", *C_FLAGS, "-Iadamw", *sources, "adamw/libadamw.a", "-lm", "-lpthread", "-o", "wine")
    bench.check_links("wine")
    outputs = {f"{threads} threads": bench.run("./wine", "wine.csv", threads) for threads in (1, 2, 3, 4)}
    for cpu in bench.processors("./wine", "wine.csv", 1):
        outputs[cpu] = bench.run("./wine", "wine.csv", 2, TALWEG_CPU=cpu)
        expect(f"on {cpu}" in outputs[cpu], f"ran on another processor than {cpu}")
    # As long as the buffer, and without a second field: nothing behind its end is read.
    (bench.folder / "short.csv").write_text("names\n" + "1" * 1023 + "\n")
    bench.run("gcc", "-std=c99", "-O1", "-fsanitize=address,undefined", *C_FLAGS, "-Iadamw", *sources, "adamw/libadamw.a", "-lm",
              "-lpthread", "-o", "checked")
    expect(bench.run("./checked", "short.csv", 1, fails=True) == "cannot read short.csv\n", "a short line is read")
    first = outputs["1 threads"]
    expect_falling(first, r"loss ([\d.]+)", 0.05)
    expect(float(re.search(r"recognised ([\d.]+)%", first).group(1)) > 90, first)
    expect_same_hash(outputs)
    bench.run("cmake", "-G", "Ninja", "-S", "library_c", "-B", "made", f"-DCMAKE_PREFIX_PATH={bench.folder}/adamw")
    bench.run("cmake", "--build", "made")
    expect_falling(bench.run("made/train_wine", "wine.csv", 2), r"loss ([\d.]+)", 0.05)


def check_char_lm(bench):
    bench.copy("examples/char_lm")
    bench.build("gpt", bench.folder / "char_lm/gpt.tw", "--rule", "gpt=gpt.Gpt")
    (bench.folder / "text").write_text("".join(path.read_text() for path in sorted((bench.root / "stdlib").glob("*.tw"))))
    bench.run("cmake", "-G", "Ninja", "-S", "char_lm", "-B", "made", f"-DCMAKE_PREFIX_PATH={bench.folder}/gpt",
              f"-DCMAKE_C_FLAGS={' '.join(C_FLAGS)}")
    bench.run("cmake", "--build", "made")
    print(bench.run("made/check_gradients").strip())
    bench.check_links("made/char_lm")
    outputs = {f"{threads} threads": bench.run("made/char_lm", 12, threads, "text") for threads in (1, 2, 3, 4)}
    for cpu in bench.processors("made/char_lm", 1, 1, "text"):
        outputs[cpu] = bench.run("made/char_lm", 12, 1, "text", TALWEG_CPU=cpu)
        expect(f"on {cpu}" in outputs[cpu], f"ran on another processor than {cpu}")
    expect_same_hash(outputs)
    expect_falling(bench.run("made/char_lm", 100, 2, "text"), r"validation ([\d.]+)", 0.65)


def check_library_python(bench):
    bench.build("averaged", "--rule", "AveragedAdamW=AdamW | Ema", "--name", "averaged")
    bench.copy("examples/library_python/train_digits.py", "examples/data/digits.csv.gz")
    train = ["python3", "train_digits.py", "averaged", "digits.csv.gz"]
    # Threads of the library of matrix products are no matter of ours.
    os_threads = {"OPENBLAS_NUM_THREADS": "1"}
    outputs = {f"{threads} threads": bench.run(*train, "--threads", threads, **os_threads) for threads in (1, 2, 3, 4)}
    for cpu in bench.processors(*train, "--epochs", 1):
        outputs[cpu] = bench.run(*train, TALWEG_CPU=cpu, **os_threads)
        expect(f"{cpu}>" in outputs[cpu], f"ran on another processor than {cpu}")
    bench.run(*train, "--epochs", 4, "--save", "half.npz", **os_threads)
    outputs["resumed"] = bench.run(*train, "--resume", "half.npz", **os_threads)
    expect("epoch 5" in outputs["resumed"] and "epoch 4" not in outputs["resumed"], outputs["resumed"])
    expect_same_hash(outputs)
    first = outputs["1 threads"]
    expect_falling(first, r"loss ([\d.]+)", 0.1)
    own, average = map(float, re.search(r"recognised ([\d.]+)%.* weights ([\d.]+)%", first).groups())
    expect(own > 94 and average > 94, first)
    # A library that cannot be used says why.
    refused = bench.run(*train, fails=True, TALWEG_CPU="none")
    expect("averaged.Error: TALWEG_CPU is `none`" in refused, refused)


def main():
    which, talweg, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    os.environ.pop("TALWEG_CPU", None)
    with tempfile.TemporaryDirectory() as folder:
        globals()[f"check_{which}"](Bench(talweg, root, folder))


if __name__ == "__main__":
    main()
