#!/usr/bin/env python3
"""talweg devices: the processor, and GPUs as a pretended driver shows them (tests/gpu/fake_driver).

    devices_test.py TALWEG ROOT FAKE_DRIVER OLD_DRIVER
"""
import json
import os
import sys
import unittest

from cli_test import CommandTest

FAKE, OLD = sys.argv[3], sys.argv[4]
NOT_THERE = "libnot-there.so.1"
NO_DRIVER = f"no NVIDIA driver: {NOT_THERE} was not found"
NO_DEVICE = "cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)"


class Devices(CommandTest):
    def devices(self, *arguments, driver=FAKE, code=0, **variables):
        environment = {"TALWEG_CUDA_DRIVER": driver, **{f"FAKE_CUDA_{name}": value for name, value in variables.items()}}
        return self.talweg("devices", *arguments, code=code, env=environment)

    def gpu_lines(self, **options):
        """What is said besides the line of the processor, which comes first."""
        result = self.devices(**options)
        first, *rest = result.stdout.splitlines()
        self.assertRegex(first, r"^cpu     \S.*: \S+, \d+ cores?, \d+\.\d GiB$")
        return rest

    def gpu_objects(self, **options):
        first, *rest = map(json.loads, self.devices("--json", **options).stdout.splitlines())
        self.assertEqual((first["device"], first["available"]), ("cpu", True))
        self.assertEqual(first["cores"], len(os.sched_getaffinity(0)))
        self.assertGreater(first["memory_bytes"], 1 << 20)
        best = [variant["name"] for target in map(json.loads, self.talweg("targets", "--json").stdout.splitlines())
                for variant in target["variants"] if target["is_default"] and variant["runs_here"]]
        self.assertEqual(first["target"], best[0])
        return rest

    def test_no_driver(self):
        self.assertEqual(self.gpu_lines(driver=NOT_THERE), [f"cuda    none: {NO_DRIVER}"])
        self.assertEqual(self.gpu_objects(driver=NOT_THERE), [{"device": "cuda", "available": False, "reason": NO_DRIVER}])

    def test_no_device(self):
        self.assertEqual(self.gpu_lines(DEVICES="0"), [f"cuda    none: {NO_DEVICE}"])
        self.assertEqual(self.gpu_objects(DEVICES="0"), [{"device": "cuda", "available": False, "reason": NO_DEVICE}])
        self.assertEqual(self.devices(DEVICES="0").stderr, "")

    def test_one_device_and_three(self):
        for count in (1, 3):
            with self.subTest(count):
                options = {"DEVICES": str(count), "VERSION": "13010"}
                self.assertEqual(self.gpu_lines(**options), [
                    f"cuda:{i}  Pretended GPU {i}: compute capability 9.0, 132 multiprocessors, 80.0 GiB; driver for CUDA 13.1"
                    for i in range(count)])
                self.assertEqual(self.gpu_objects(**options), [
                    {"device": f"cuda:{i}", "available": True, "name": f"Pretended GPU {i}",
                     "uuid": f"0{i}a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf", "compute_capability": "9.0", "multiprocessors": 132,
                     "memory_bytes": 80 << 30, "cuda_version": "13.1"} for i in range(count)])

    def test_a_driver_that_is_too_old(self):
        reason = "the NVIDIA driver, of CUDA 10.2, is too old (talweg needs CUDA 11.4 or later): it has no cuGetErrorName"
        self.assertEqual(self.gpu_lines(driver=OLD, code=3), [f"cuda    not usable: {reason}"])
        self.assertEqual(self.devices(driver=OLD, code=3).stderr, f"talweg devices: {reason}\n")

    def test_a_driver_that_cannot_start(self):
        reason = ("cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (system has unsupported display driver / cuda driver combination)")
        result = self.devices("--json", FAIL="cuInit:1:803", code=3)
        self.assertEqual(json.loads(result.stdout.splitlines()[1]), {"device": "cuda", "available": False, "reason": reason})
        self.assertEqual(result.stderr, f"talweg devices: {reason}\n")

    def test_one_device_of_several_fails(self):
        reason = "cuDeviceGetName(device 1): CUDA_ERROR_UNKNOWN (unknown error)"
        lines = self.gpu_lines(DEVICES="3", FAIL="cuDeviceGetName:2:999", code=3)
        self.assertEqual(lines[1], f"cuda:1  not usable: {reason}")
        for i in (0, 2):
            self.assertIn(f"cuda:{i}  Pretended GPU {i}: ", lines[i])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
