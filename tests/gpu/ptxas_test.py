#!/usr/bin/env python3
"""ptxas assembles every kernel: those of each rule and stage of the library, of some pipelines and of rules/, in float32
and float64, and those that fold, for each architecture. No function may spill registers, use local memory or draw a warning.

Usage: ptxas_test.py TALWEG FOLD_KERNELS [PTXAS]

Ends with 77 where there is no ptxas: PTXAS, on PATH, or in /usr/local/cuda/bin. registers.txt, beside this file, has the
registers of a thread as the ptxas counts them that it names; another ptxas may count otherwise, so they are compared
only with that one. TALWEG_UPDATE_GOLDENS=1 writes it anew."""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TALWEG, FOLD_KERNELS, *CHOSEN = sys.argv[1:]
HERE = pathlib.Path(__file__).resolve().parent
GOLDEN, MODULES = HERE / "registers.txt", HERE / "rules"
UPDATES = os.environ.get("TALWEG_UPDATE_GOLDENS") == "1"
ARCHITECTURES = ("sm80", "sm90", "sm100")
DTYPES = ("float32", "float64")
PIPELINES = ("ClipByGlobalNorm(1) | AdamW", "ClipByGlobalNorm(1) | AdamW | Ema", "AdamW | Cautious", "SAM | AdamW",
             "ClipByGlobalNorm(1) | LAMB | Ema", "ClipByGlobalNorm(1) | Adafactor", "levels.Levels")
SKIPPED = 77
HEADING = """\
Registers of a thread: float32 on sm_80, sm_90 and sm_100, then float64 on them. Each pass of a rule has a line with the
bytes of shared memory of a block, where it has any; of all other kernels of a kind the most are given."""


def find_ptxas():
    """Its path, or None."""
    if CHOSEN and CHOSEN[0]:
        return CHOSEN[0]
    return shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")


def output_of(*command):
    """What it prints; an exit code other than 0 is an error that shows everything."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout + result.stderr


class Usage:
    """What ptxas -v says of one function."""

    def __init__(self, name):
        self.name = name
        self.registers = self.shared = self.memory = 0


def parse_usages(report):
    """A Usage for each function that is compiled; those of .func have no registers of their own."""
    usages = []
    for line in report.splitlines():
        if found := re.search(r"Function properties for (\S+)", line):
            usages.append(Usage(found[1]))
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            usages[-1].memory = max(map(int, found.groups()))
        elif found := re.search(r"Used (\d+) registers", line):
            usages[-1].registers = int(found[1])
            shared = re.search(r"(\d+) bytes smem", line)
            usages[-1].shared = int(shared[1]) if shared else 0
    return usages


Job = collections.namedtuple("Job", "rule dtype architecture")  # rule: None for the kernels that fold


class Assembler:
    """ptxas, and the architectures it knows."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.version = re.search(r"V([\d.]+)", output_of(path, "--version"))[1]
        self.known = [name for name in ARCHITECTURES if self.knows(name)]

    def knows(self, architecture):
        text = output_of(FOLD_KERNELS, f"nvptx-{architecture}")
        heading = re.match(r"(?s).*?\.address_size \d+", text)[0] + "\n"
        return self.run(heading, architecture, "heading").returncode == 0

    def run(self, ptx, architecture, name):
        file = self.folder / f"{name}.{architecture}.ptx"
        file.write_text(ptx, encoding="utf-8")
        try:
            return subprocess.run([self.path, "-v", "--warn-on-spills", "--warn-on-local-memory-usage", "-arch",
                                   architecture.replace("sm", "sm_"), file, "-o", file.with_suffix(".cubin")],
                                  capture_output=True, text=True, timeout=600, check=False)
        finally:
            file.unlink()
            file.with_suffix(".cubin").unlink(missing_ok=True)

    def usages(self, job):
        """(what is wrong, [Usage])"""
        target = f"nvptx-{job.architecture}"
        if job.rule is None:
            ptx = output_of(FOLD_KERNELS, target)
        else:
            ptx = output_of(TALWEG, "dump", "-I", MODULES, "--rule", job.rule, "--dtype", job.dtype, "--stage", "asm",
                            "--isa", target)
        result = self.run(ptx, job.architecture, re.sub(r"\W+", "_", f"{job.rule} {job.dtype}"))
        report = result.stdout + result.stderr
        usages = parse_usages(report)
        faults = [line for line in report.splitlines() if not line.startswith(("ptxas info", " ")) or "warning" in line]
        faults += [f"{usage.name}: {usage.memory} bytes of local memory" for usage in usages if usage.memory != 0]
        if result.returncode != 0:
            faults.append(f"ptxas ends with {result.returncode}")
        if ptx.count(".entry ") != sum(usage.registers != 0 for usage in usages):
            faults.append("not every kernel was assembled")
        return [f"{job.rule or 'folds'}, {job.dtype}, {job.architecture}: {fault}" for fault in faults], usages


def row_of(job, kernel):
    """Where a kernel stands: its rule and name if it is a pass, else its kind."""
    name = kernel.removeprefix("talweg_")
    if re.fullmatch(r"(pass|lines)_\d+", name):
        return job.rule, name
    return "", re.sub(r"\d+", "N", name)


class Table:
    """Registers by row and column, as text."""

    def __init__(self):
        self.registers = collections.defaultdict(dict)
        self.shared = collections.Counter()

    def add(self, job, usage):
        row = row_of(job, usage.name)
        column = job.dtype, job.architecture
        self.registers[row][column] = max(usage.registers, self.registers[row].get(column, 0))
        if row[0]:
            self.shared[row] = max(usage.shared, self.shared[row])

    def text(self, version):
        lines = [f"ptxas {version}", HEADING, ""]
        for row in sorted(self.registers, key=lambda row: (row[0] != "", row[0].lower(), row[1])):
            cells = [" ".join(f"{self.registers[row].get((dtype, name), '-'):>3}" for name in ARCHITECTURES)
                     for dtype in DTYPES]
            shared = f"   shared {self.shared[row]}" if self.shared[row] else ""
            lines.append(f"{' '.join(row).strip():<52}{'   '.join(cells)}{shared}")
        return "\n".join(lines) + "\n"


def without_registers(text):
    """Its rows, without what depends on the version of ptxas."""
    return [re.sub(r"\s+[-\d][-\d ]*(?=\s+shared|$)", "", line) for line in text.splitlines()[1:]]


class PtxasTest(unittest.TestCase):
    maxDiff = None

    def test_every_kernel(self):
        path = find_ptxas()
        if path is None:
            self.skipTest("no ptxas: set TALWEG_PTXAS in CMake, or have it on PATH or in /usr/local/cuda/bin")
        listed = [json.loads(line) for line in output_of(TALWEG, "list", "--json").splitlines()]
        rules = [entry["name"] for entry in listed if entry["sort"] in ("rule", "stage")]
        self.assertGreater(len(rules), 80)
        table, faults = Table(), []
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            assembler = Assembler(path, pathlib.Path(folder))
            print(f"{path}, {assembler.version}", flush=True)
            for name in set(ARCHITECTURES) - set(assembler.known):
                print(f"it does not know {name}, which is left out")
            self.assertTrue(assembler.known)
            jobs = [Job(rule, dtype, architecture) for rule in [*rules, *PIPELINES] for dtype in DTYPES
                    for architecture in assembler.known]
            jobs += [Job(None, "float64", architecture) for architecture in assembler.known]
            for job, (wrong, usages) in zip(jobs, workers.map(assembler.usages, jobs)):
                faults += wrong
                for usage in usages:
                    if usage.registers:
                        table.add(job, usage)
        self.assertFalse(faults, "\n".join(faults))
        self.compare(table.text(assembler.version), assembler.version)

    def compare(self, text, version):
        if UPDATES:
            GOLDEN.write_text(text, encoding="utf-8")
        golden = GOLDEN.read_text(encoding="utf-8")
        hint = f"{GOLDEN}: TALWEG_UPDATE_GOLDENS=1 accepts what is so now"
        if golden.startswith(f"ptxas {version}\n"):
            self.assertEqual(golden, text, hint)
        else:
            print(f"registers are not compared: those of {golden.splitlines()[0]} are known")
            self.assertEqual(without_registers(golden), without_registers(text), hint)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    if program.result.skipped:
        sys.exit(SKIPPED)
    sys.exit(not program.result.wasSuccessful())
