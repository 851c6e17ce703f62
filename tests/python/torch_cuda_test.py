"""Parameters on a GPU: the same bits as on the CPU, and what a user of torch expects of streams, states and copies."""
import gc
import os
import subprocess
import sys
import unittest
import weakref

from pretended_gpu import OnGpu
from torch_support import torch, values

import talweg
import talweg.torch


class Results(OnGpu):
    def check(self, rule, dtype=torch.float32, **hypers):
        own, other = self.twins((6, 5), (3,), (), dtype=dtype)
        start = values(own)
        optimizer, alone = talweg.torch.Optimizer(own, rule, **hypers), talweg.torch.Optimizer(other, rule, **hypers)
        self.run_both(optimizer, own, alone, other, 4)
        self.assertEqual(optimizer.steps, 4)
        self.assertSame(own, other)
        self.assertMoved(own, start)
        for one, two in zip(own, other):
            self.assertEqual(list(optimizer.state[one]), list(alone.state[two]))
            self.assertSame(list(optimizer.state[one].values()), list(alone.state[two].values()))

    def test_rules_have_the_same_bits(self):
        for rule in ("SGD", "SGD(momentum = 0.9)", "Adam", "AdamW", "ClipByGlobalNorm(1) | AdamW | Ema", "NAdam", "LAMB"):
            with self.subTest(rule):
                self.check(rule, lr=0.1)

    def test_float64(self):
        self.check("ClipByGlobalNorm(1) | AdamW", torch.float64, lr=0.1)

    def test_classes_of_torch_and_their_capturable(self):
        own, other = self.twins((4,))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1, capturable=True), talweg.torch.AdamW(other, lr=0.1)
        self.run_both(optimizer, own, alone, other, 3)
        self.assertSame(own, other)
        with self.assertRaisesRegex(ValueError, "capturable=True is not served"):
            talweg.torch.AdamW(other, capturable=True)
        with self.assertRaisesRegex(ValueError, "fused=True is not served"):
            talweg.torch.AdamW(own, fused=True)

    def test_several_gradients_a_step(self):
        own, other = self.twins((6, 5), (3,))
        optimizer, alone = talweg.torch.Optimizer(own, "SAM | SGD", lr=0.1), talweg.torch.Optimizer(other, "SAM | SGD", lr=0.1)

        def closure_of(p, o):
            def closure():
                o.zero_grad()
                loss = sum((q * q * (i + 1)).sum() for i, q in enumerate(p))
                loss.backward()
                if self.gpus.gpu_of(p[0]) is not None:
                    self.gpus.admit_gradients(p)
                return loss
            return closure

        for _ in range(3):
            self.assertEqual(optimizer.step(closure_of(own, optimizer)).item(), alone.step(closure_of(other, alone)).item())
        self.assertSame(own, other)
        self.gradients(9, own)
        before = values(own)
        with self.assertRaisesRegex(RuntimeError, "asks for a gradient at another point"):
            optimizer.step()
        self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 3)

    def test_inputs(self):
        rule = talweg.compile(text="rule Scaled {\n  input element scale\n  step {\n    update = scale * grad\n  }\n}\n")
        for given, used in ((rule, "scale"), ("PolyakStep", "loss")):
            with self.subTest(used):
                own, other = self.twins((6, 5), (3,))
                start = values(own)
                optimizer, alone = talweg.torch.Optimizer(own, given), talweg.torch.Optimizer(other, given)
                for step in range(3):
                    self.gradients(step, own, other)
                    inputs = [torch.randn(p.shape) for p in own] if used == "scale" else 2.5
                    alone.step(inputs={used: inputs})
                    if used == "scale":
                        self.gpus.admit_all(inputs)
                    optimizer.step(inputs={used: inputs})
                self.assertSame(own, other)
                self.assertMoved(own, start)

    def test_schedulers(self):
        own, other = self.twins((4,))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        schedulers = [torch.optim.lr_scheduler.ExponentialLR(o, 0.5) for o in (optimizer, alone)]
        for step in range(4):
            self.run_both(optimizer, own, alone, other, 1, step)
            for scheduler in schedulers:
                scheduler.step()
        self.assertSame(own, other)

    def test_gradients_in_other_strides_and_left_out(self):
        own, other = self.twins((4, 3), (3,))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        self.run_both(optimizer, own, alone, other, 2)
        for step in range(3):
            gradient = torch.randn(3, 4).t()
            for p in (own, other):
                p[0].grad, p[1].grad = gradient.clone(memory_format=torch.preserve_format), None
            self.gpus.admit_gradients(own)
            optimizer.step()
            alone.step()
        self.assertSame(own, other)


class Memory(OnGpu):
    def test_torch_allocates_states(self):
        own, _ = self.twins((1000,))
        optimizer = talweg.torch.AdamW(own)
        before = self.gpus.calls("cuMemAlloc_v2(80")
        self.gradients(0, own)
        optimizer.step()
        self.assertEqual(len(self.gpus.allocated), 1)
        self.assertGreaterEqual(self.gpus.allocated[0][0], 8000)
        self.assertEqual(self.gpus.calls("cuMemAlloc_v2(80"), before)
        m = optimizer.state[own[0]]["m"]
        self.assertEqual(self.gpus.gpu_of(m), 0)

    def test_out_of_memory_is_torchs_error_and_changes_nothing(self):
        own, other = self.twins((4,))
        optimizer, alone = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        before, memory = values(own), talweg.torch.devices.memory

        def fail(size, gpu):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

        self.gradients(0, own)
        talweg.torch.devices.memory = fail
        try:
            with self.assertRaisesRegex(torch.cuda.OutOfMemoryError, "CUDA out of memory"):
                optimizer.step()
        finally:
            talweg.torch.devices.memory = memory
        self.assertSame(own, before)
        self.run_both(optimizer, own, alone, other, 2)
        self.assertSame(own, other)

    def test_states_are_kept_after_their_optimizer(self):
        own, _ = self.twins((4,))
        optimizer = talweg.torch.AdamW(own)
        self.gradients(0, own)
        optimizer.step()
        state = optimizer.state[own[0]]
        m = state["m"].clone()
        del optimizer
        gc.collect()
        self.assertSame([state["m"]], [m])

    def test_an_engine_ends_with_the_last_tensor_of_its_numbers(self):
        own, _ = self.twins((4,))
        optimizer = talweg.torch.NAdam(own)
        self.gradients(0, own)
        optimizer.step()
        engine = weakref.ref(optimizer._bound.engine)
        numbers = optimizer.group_state[0]
        gc.disable()
        try:
            optimizer.state.clear()
            optimizer.step()
            self.assertIsNotNone(engine())
            numbers.clear()
            self.assertIsNone(engine())
        finally:
            gc.enable()

    def test_a_forked_child_asks_nothing_of_the_driver(self):
        own, _ = self.twins((4,))
        optimizers = [talweg.torch.AdamW(own)]
        self.gradients(0, own)
        optimizers[0].step()

        def work():
            before = self.gpus.driver.fake_cuda_log_lines()
            optimizers.clear()
            gc.collect()
            self.assertEqual(self.gpus.driver.fake_cuda_log_lines(), before)

        self.in_child(work)
        lines = self.gpus.driver.fake_cuda_log_lines()
        optimizers.clear()
        gc.collect()
        self.assertGreater(self.gpus.driver.fake_cuda_log_lines(), lines)

    def test_a_step_allocates_nothing_and_waits_for_nothing(self):
        own, _ = self.twins((6, 5), (3,))
        optimizer = talweg.torch.Optimizer(own, "ClipByGlobalNorm(1) | AdamW", lr=0.1)
        for step in range(2):
            self.gradients(step, own)
            optimizer.step()
        names = ("cuMemAlloc", "cuStreamSynchronize", "cuCtxSynchronize", "cuMemcpyDtoH")
        before = [self.gpus.calls(name) for name in names]
        optimizer.param_groups[0]["lr"] = 0.05
        self.gradients(2, own)
        optimizer.step()
        self.assertEqual([self.gpus.calls(name) for name in names], before)

    def test_work_goes_into_the_current_stream(self):
        own, other = self.twins((6, 5))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        for step in range(4):
            if step > 1:
                self.gpus.streams[0] = self.gpus.new_stream()
            self.gradients(step, own, other)
            self.gpus.driver.fake_cuda_set_delay(1)
            optimizer.step()
            alone.step()
            if step > 1:
                self.assertMoved(own, other)  # it is still to be done
            self.gpus.synchronize(stream=self.gpus.stream(0))
            self.gpus.driver.fake_cuda_set_delay(0)
            self.assertSame(own, other)

    def test_without_a_driver_it_says_so(self):
        program = (
            "import contextlib, torch, talweg.torch\n"
            "from talweg.torch import devices\n"
            "devices.gpu_of = lambda tensor: 0\n"
            "devices.using = lambda gpu: contextlib.nullcontext()\n"
            "devices.stream = lambda gpu: 0\n"
            "devices.is_capturing = lambda gpu: False\n"
            "devices.memory = lambda size, gpu: torch.zeros(size, dtype=torch.uint8)\n"
            "p = torch.nn.Parameter(torch.ones(3))\n"
            "p.grad = torch.ones(3)\n"
            "optimizer = talweg.torch.AdamW([p])\n"
            "try:\n"
            "    optimizer.step()\n"
            "except talweg.Error as error:\n"
            "    print(error.status, error, p.tolist())\n")
        said = subprocess.run([sys.executable, "-c", program], env={**os.environ, "TALWEG_CUDA_DRIVER": "/nowhere/libcuda.so.1"},
                              capture_output=True, text=True, check=True).stdout
        self.assertRegex(said, r"^DEVICE_FAILED no NVIDIA driver: /nowhere/libcuda.so.1 was not found.* \[1.0, 1.0, 1.0\]$")

    def test_what_the_driver_refuses_is_told(self):
        own, _ = self.twins((4,))
        optimizer = talweg.torch.AdamW(own)
        self.gradients(0, own)
        before = values(own)
        self.gpus.driver.fake_cuda_fail(b"cuModuleLoadDataEx", 1, 209)
        with self.assertRaisesRegex(talweg.Error, "cuModuleLoadDataEx") as caught:
            optimizer.step()
        self.assertEqual(caught.exception.status, "DEVICE_FAILED")
        self.assertSame(own, before)


if __name__ == "__main__":
    unittest.main()
