#!/usr/bin/env python3
"""train and replay with --device cuda, on the pretended driver (tests/gpu/fake_driver): the processor's parameters, bit for bit.

    on_device_test.py TALWEG ROOT FAKE_DRIVER
"""
import json
import sys
import unittest

from cli_test import CommandTest, ROOT, tensors

FAKE = sys.argv[3]
CASES = ROOT / "tests/reference/cases"


class OnDevice(CommandTest):
    def command(self, *arguments, driver=FAKE, code=0, **variables):
        environment = {"TALWEG_CUDA_DRIVER": driver, **{f"FAKE_CUDA_{name}": value for name, value in variables.items()}}
        return self.talweg(*arguments, code=code, env=environment)

    def run_moons(self, rule, *arguments, **options):
        return self.command("train", "--rule", rule, "--data", "generate:moons?n=40", "--model", "mlp:2-6-2", "--epochs", 2,
                            "--batch", 10, "--validation", "every:4", *arguments, **options)

    def agree(self, rule, *arguments):
        self.run_moons(rule, "--out", "host", *arguments)
        self.run_moons(rule, "--out", "device", "--device", "cuda", *arguments)
        for file in ("parameters", "raw_parameters"):
            if (self.folder / "host" / f"{file}.safetensors").exists():
                self.assertEqual(tensors(self.folder / "device", file), tensors(self.folder / "host", file), file)

    def test_parameters_are_those_of_the_processor(self):
        for rule in ("SGD(momentum = 0.9)", "AdamW(lr = cosine(t, peak = 1e-2, total = 8))", "ClipByGlobalNorm(1) | AdamW",
                     "Adafactor", "LAMB"):
            with self.subTest(rule):
                self.agree(rule, "--overwrite")

    def test_a_rule_that_asks_for_another_gradient(self):
        self.agree("SAM | SGD")

    def test_a_view_stands_in(self):
        self.agree("SGD | Ema(decay = 0.5)", "--view", "averaged", "--patience", 1)

    def test_groups_frozen_tensors_and_float64(self):
        self.agree("AdamW", "--group", "layers.0.*:lr=1e-2", "--freeze", "*.1.bias", "--dtype", "float64")

    def test_the_summary_names_the_device(self):
        result = self.run_moons("SGD", "--device", "cuda:1", "--out", "run", DEVICES="2")
        self.assertIn("\ndevice    cuda:1 (Pretended GPU 1)\n", result.stdout)
        summary = json.loads((self.folder / "run/summary.json").read_text())
        self.assertEqual([summary[key] for key in ("device", "gpu", "isa")], ["cuda:1", "Pretended GPU 1", "nvptx-sm90"])
        self.assertNotIn("threads", summary)
        report = json.loads(self.run_moons("SGD", "--device", "cuda", "--json").stdout)
        self.assertEqual((report["device"], report["gpu"]), ("cuda:0", "Pretended GPU 0"))
        report = json.loads(self.run_moons("SGD", "--json").stdout)
        self.assertEqual((report["device"], "gpu" in report), ("cpu", False))
        self.assertNotIn("device", self.run_moons("SGD", "--device", "cpu").stdout)

    def refused(self, code, *arguments, **options):
        result = self.run_moons("SGD", *arguments, code=code, **options)
        self.assertEqual(result.stdout, "")
        prefix, _, message = result.stderr.rstrip("\n").partition("talweg train: ")
        self.assertEqual(prefix, "")
        return message

    def test_no_driver_and_no_device(self):
        advice = "; `talweg devices` says what there is, and --device cpu needs no GPU"
        self.assertEqual(self.refused(3, "--device", "cuda", driver="libnot-there.so.1"),
                         "no NVIDIA driver: libnot-there.so.1 was not found" + advice)
        self.assertEqual(self.refused(3, "--device", "cuda", DEVICES="0"),
                         "cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)" + advice)
        self.assertEqual(self.refused(2, "--device", "cuda:1"), "there is no device cuda:1: there is only cuda:0" + advice)

    def test_the_kernels_are_for_the_device(self):
        for capability, isa in (("80", "nvptx-sm80"), ("89", "nvptx-sm80"), ("90", "nvptx-sm90"), ("120", "nvptx-sm100")):
            with self.subTest(capability):
                self.run_moons("SGD", "--device", "cuda", "--out", "run", "--overwrite", CAPABILITY=capability, VERSION="13000")
                self.assertEqual(json.loads((self.folder / "run/summary.json").read_text())["isa"], isa)
        self.assertEqual(self.refused(2, "--device", "cuda", CAPABILITY="75"),
                         "cuda:0 (Pretended GPU 0) has compute capability 7.5; rules run on 8.0 or later")

    def test_a_driver_that_fails(self):
        message = self.refused(3, "--device", "cuda", "--out", "run", FAIL="cuMemAlloc_v2:1:2")
        self.assertRegex(message, r"^cuda:0 has no memory for \d+ bytes of parameters \(cuMemAlloc_v2\(\d+ bytes\): "
                                  r"CUDA_ERROR_OUT_OF_MEMORY \(out of memory\)\)$")
        self.assertFalse((self.folder / "run").exists())
        message = self.refused(3, "--device", "cuda", "--out", "run", "--quiet", FAIL="cuLaunchKernel:7:719")
        self.assertRegex(message, r"^cuLaunchKernel\(.*\): CUDA_ERROR_LAUNCH_FAILED \(unspecified launch failure\)")
        last = json.loads((self.folder / "run/log.jsonl").read_text().splitlines()[-1])
        self.assertEqual((last["event"], last["reason"]), ("failed", message))

    def test_devices_that_are_none(self):
        for device in ("gpu", "cuda:", "cuda:x", "cuda:-1", "cuda1", "cuda:99999999999", "CUDA", ""):
            with self.subTest(device):
                self.assertIn(f"unknown device `{device}`", self.refused(2, "--device", device))

    def test_options_of_the_processor(self):
        for option in (("--isa", "scalar"), ("--threads", "2"), ("--backend", "interpreter")):
            message = self.refused(2, "--device", "cuda", *option)
            self.assertTrue(message.startswith(f"{' '.join(option)} does not go with --device cuda: "), message)
            self.run_moons("SGD", "--device", "cpu", *option)

    def test_replay_of_many_cases(self):
        without_a_rule = ("muon", "shampoo", "soap", "sm3")  # or, the last, for other tensors
        cases = [case for case in sorted(CASES.glob("*.json.gz")) if not case.name.startswith(without_a_rule)][::10]
        replay = ("replay", "--json", *cases)
        here, there = ([json.loads(line) for line in self.command(*replay, *more).stdout.splitlines()]
                       for more in ((), ("--device", "cuda")))
        self.assertEqual([case["largest"] for case in there], [case["largest"] for case in here])
        self.assertEqual({case["device"] for case in there}, {"cuda:0"})
        self.assertGreater(len(there), 15)

    def test_replay(self):
        for case, arguments in (("adamw", ()), ("sgd", ()), ("schedule_step", ()), ("adamw", ("--dtype", "float32"))):
            with self.subTest(case):
                file = CASES / f"{case}.json.gz"
                replay = ("replay", file, "--json", *arguments)
                here, there = (json.loads(self.command(*replay, *more).stdout) for more in ((), ("--device", "cuda")))
                self.assertTrue(there["agrees"])
                self.assertEqual((there["device"], there["isa"]), ("cuda:0", "nvptx-sm90"))
                self.assertEqual(there["largest"], here["largest"])
        text = self.command("replay", CASES / "schedule_step.json.gz", "--device", "cuda").stdout
        self.assertIn("agrees (float64, cuda:0; ", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
