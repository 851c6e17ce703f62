"""Libraries with code for NVIDIA's GPUs, and rules of libtalweg there, on a pretended device (tests/gpu/fake_driver)."""
import json
import os
import pathlib
import re
import sys
import unittest

from elf import visible_and_needed
from link_test import MEMORY, THREADS
from support import CC, CXX, FOLDER, HERE, ROOT, TALWEG, build, main, run

DRIVER = pathlib.Path(os.environ["TALWEG_FAKE_CUDA"])
LIBTALWEG = pathlib.Path(os.environ["TALWEG_LIBTALWEG"])
GPU = FOLDER / "gpu"
RULES = ["--rule", "train=ClipByGlobalNorm(1) | AdamW | Ema", "--rule", "lines=Adafactor", "--rule", "sharp=SAM | SGD(lr = 0.1)",
         "--rule", "polyak=PolyakStep", "--rule", "waits=SAM | PolyakStep", "--rule", "noise=samples.Noise",
         "--rule", "norms=AdaNorm"]
SAMPLES = HERE / "rules/samples.tw"
#: How the driver is opened.
LOADER = {"dlopen", "dlsym", "dlerror", "sched_yield"}
FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}", f"-I{ROOT / 'compiler/embed/include'}",
         f"-I{GPU}"]
LINKED = [DRIVER, f"-Wl,-rpath,{DRIVER.parent}", "-pthread", "-ldl"]
ENVIRONMENT = {"TALWEG_CUDA_DRIVER": str(DRIVER), "TALWEG_CPU": "", "TALWEG_CACHE_DIR": str(FOLDER / "gpu_cache")}


def compile_program(source, name, *arguments):
    program = FOLDER / name
    run(CC, *FLAGS, HERE / source, "-o", program, *arguments, *LINKED)
    return program


class Devices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build("gpu", GPU, SAMPLES, "-q", "--target", "nvptx", *RULES)

    def runs(self, program, *arguments, **environment):
        result = run(program, *arguments, env={**ENVIRONMENT, **environment})
        self.assertEqual(result.stdout.splitlines()[-1], "ok")

    def test_the_bits_of_the_host(self):
        self.runs(compile_program("cuda.c", "cuda_static", GPU / "libgpu.a"))

    def test_shared(self):
        self.runs(compile_program("cuda.c", "cuda_shared", f"-L{GPU}", "-lgpu", f"-Wl,-rpath,{GPU}"))

    def test_compiled_rules(self):
        program = compile_program("cuda.c", "cuda_compiled", "-DCOMPILED", f"-L{LIBTALWEG.parent}", "-ltalweg",
                                  f"-Wl,-rpath,{LIBTALWEG.parent}")
        self.runs(program)
        self.runs(program)  # kernels from the cache

    def test_inputs(self):
        self.runs(compile_program("cuda_inputs.c", "cuda_inputs", GPU / "libgpu.a"))
        self.runs(compile_program("cuda_inputs.c", "cuda_inputs_compiled", f'-DCOMPILED="{SAMPLES}"', f"-L{LIBTALWEG.parent}",
                                  "-ltalweg", f"-Wl,-rpath,{LIBTALWEG.parent}"))

    def test_cpp(self):
        program = FOLDER / "cuda_cpp"
        run(CXX, "-std=c++20", *FLAGS[1:], HERE / "cuda.cpp", "-o", program, GPU / "libgpu.a", *LINKED)
        self.runs(program)

    def test_waits_after_a_capture(self):
        self.runs(compile_program("cuda_waits.c", "cuda_waits", GPU / "libgpu.a"))

    def test_failures(self):
        self.runs(compile_program("cuda_failures.c", "cuda_failures", GPU / "libgpu.a"))

    def test_memory(self):
        self.runs(compile_program("cuda_failures.c", "cuda_sanitized", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                                  GPU / "libgpu.a"))

    def test_no_driver(self):
        program = compile_program("cuda_failures.c", "cuda_failures_none", GPU / "libgpu.a")
        self.runs(program, "no NVIDIA driver: /nowhere/libcuda.so was not found", TALWEG_CUDA_DRIVER="/nowhere/libcuda.so")


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (GPU / "gpu.h").exists():
            Devices.setUpClass()

    def test_ptx_lies_in_the_library_and_beside_it(self):
        for name in ("libgpu.so", "libgpu.a"):
            library = (GPU / name).read_bytes()
            for rule in ("train", "lines", "sharp", "polyak", "waits", "noise", "norms"):
                for architecture in (80, 90, 100):
                    ptx = (GPU / f"gpu_{rule}.sm_{architecture}.ptx").read_bytes()
                    self.assertIn(b"\n.target sm_%d" % architecture, ptx)
                    self.assertIn(ptx + b"\0", library)
        self.assertEqual(json.loads((GPU / "gpu.json").read_text())["gpus"], ["nvptx-sm80", "nvptx-sm90", "nvptx-sm100"])

    def test_what_is_visible_and_needed(self):
        text = re.sub(r"^static .*", "", (GPU / "gpu.h").read_text(), flags=re.M)
        declared = set(re.findall(r"^[a-z].*?\b(gpu_\w+)\(", text, re.M))
        self.assertIn("gpu_train_cuda_step", declared)
        for name in ("libgpu.a", "libgpu.so"):
            shown, needed = visible_and_needed(GPU / name)
            self.assertEqual(set(shown), declared)
            self.assertLessEqual(needed, MEMORY | THREADS | LOADER | {"_GLOBAL_OFFSET_TABLE_"})
        self.assertIn("-ldl", (GPU / "gpu.pc").read_text())
        self.assertIn("CMAKE_DL_LIBS", (GPU / "gpuConfig.cmake").read_text())

    def test_the_header_takes_handles_of_cuda(self):
        """Those of cuda.h and of the runtime's headers, of which none is needed."""
        text = ('#include "gpu.h"\ntypedef struct CUstream_st* cudaStream_t;\ntypedef struct CUctx_st* CUcontext;\n'
                "int set(gpu_optimizer* o, cudaStream_t stream);\n"
                "int set(gpu_optimizer* o, cudaStream_t stream) { return gpu_cuda_set_stream(o, stream, NULL) != GPU_OK; }\n"
                "int put(gpu_cuda* cuda, CUcontext context);\n"
                "int put(gpu_cuda* cuda, CUcontext context) { cuda->context = context; return 0; }\n")
        for standard, compiler, suffix in (("c99", CC, "c"), ("c17", CC, "c"), ("c++11", CXX, "cpp"), ("c++20", CXX, "cpp")):
            source = FOLDER / f"cuda_header.{suffix}"
            source.write_text(text)
            run(compiler, f"-std={standard}", "-fsyntax-only", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wshadow", f"-I{GPU}", source)

    def test_one_architecture_for_two_machines(self):
        folder = build("one", FOLDER / "one_gpu", "-q", "--rule", "SGD", "--target", "aarch64,nvptx-sm90,x86-64")
        self.assertEqual([path.name for path in folder.glob("*.ptx")], ["one.sm_90.ptx"])
        ptx = (folder / "one.sm_90.ptx").read_bytes()
        for machine in ("aarch64", "x86-64"):
            self.assertIn(ptx, (folder / machine / "libone.so").read_bytes())
            self.assertLessEqual(visible_and_needed(folder / machine / "libone.so")[1], MEMORY | THREADS | LOADER)

    def test_ptx_alone(self):
        folder = build("alone", FOLDER / "ptx_alone", "-q", "--rule", "SGD", "--emit", "ptx")
        self.assertEqual(sorted(path.name for path in folder.iterdir()), [f"alone.sm_{n}.ptx" for n in (100, 80, 90)])

    def test_no_driver_for_webassembly(self):
        result = run(TALWEG, "build", "--rule", "SGD", "-o", FOLDER / "none", "--target", "wasm32,nvptx", code=2)
        self.assertIn("code for GPUs does not go with wasm32, which has no driver for them", result.stderr)

    def test_the_python_module_is_the_hosts(self):
        code = ("import sys; sys.path.insert(0, sys.argv[1]); import gpu; import numpy as np; w = np.ones((3, 4), np.float32)\n"
                "o = gpu.train({'w': w}, lr=0.1); o.step({'w': 2 * w}); print(w[0, 0] < 1)")
        result = run(sys.executable, "-c", code, GPU, code=None)
        if "No module named 'numpy'" in result.stderr:
            self.skipTest("no NumPy here")
        self.assertEqual(result.stdout, "True\n", result.stderr)


class HostOnly(unittest.TestCase):
    def test_what_a_library_without_it_says(self):
        source = FOLDER / "host_only.c"
        source.write_text("""#include <stdio.h>
#include "talweg/interface.h"
#include "adamw.h"
int main(void) {
  const talweg_rule* rule = adamw_rule();
  talweg_spec spec = {.interface_version = 1};
  talweg_optimizer* made = NULL;
  talweg_error error;
  int status = rule->functions->cuda_create(rule, &spec, NULL, &made, &error);
  puts(rule->functions->status_text(status));
  puts(error.message);
  if (rule->functions->create(rule, &spec, &made, &error)) return 1;
  puts(rule->functions->status_text(rule->functions->cuda_wait(made, NULL, &error)));
  rule->functions->destroy(made);
  puts(rule->functions->status_text(19));
  return 0;
}
""")
        program = FOLDER / "host_only"
        run(CC, *FLAGS, f"-I{FOLDER / 'adamw'}", source, "-o", program, FOLDER / "adamw/libadamw.a")
        self.assertEqual(run(program).stdout.splitlines(),
                         ["NOT_SERVED", "the library has no code for GPUs; talweg build --target nvptx makes one that has",
                          "BAD_ARGUMENT", "DEVICE_FAILED"])


if __name__ == "__main__":
    main()
