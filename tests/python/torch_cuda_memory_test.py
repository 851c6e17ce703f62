"""Parameters on a GPU: memory that the driver does not have, captures that are not to be spoiled, what a graph keeps."""
import gc
import unittest

from pretended_gpu import OnGpu
from torch_support import torch, twins, values

import talweg
import talweg.torch
from talweg._gpu import GpuEngine
from talweg.torch.gpu import OutOfMemoryError

OUT_OF_MEMORY = 2


def engines():
    return [found for found in gc.get_objects() if type(found) is GpuEngine]


class Shortage(OnGpu):
    def test_what_torch_keeps_for_later_is_given_back(self):
        own, other = self.twins((4,))
        optimizer, alone = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        left = []
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = len(engines())
        talweg.torch.devices.empty_cache = lambda: left.append(len(engines()) - before)
        self.gpus.driver.fake_cuda_fail(b"cuMemAlloc_v2", 1, OUT_OF_MEMORY)
        self.run_both(optimizer, own, alone, other, 2)
        self.assertEqual(left, [0])  # the states of the first attempt were given back too
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 2)

    def test_where_that_is_not_enough_it_is_torchs_error_and_nothing_changes(self):
        own, other = self.twins((4,))
        optimizer, alone = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        self.run_both(optimizer, own, alone, other, 1)
        before, memory = values(own), own[0].data
        own[0].data = self.gpus.admit(memory.clone())
        self.gradients(1, own)

        def fail():
            self.gpus.emptied += 1
            self.gpus.driver.fake_cuda_fail(b"cuMemAlloc_v2", 1, OUT_OF_MEMORY)

        talweg.torch.devices.empty_cache = fail
        fail()
        with self.assertRaisesRegex(OutOfMemoryError, "CUDA_ERROR_OUT_OF_MEMORY"):
            optimizer.step()
        self.assertEqual(self.gpus.emptied, 2)
        self.assertTrue(issubclass(OutOfMemoryError, RuntimeError))
        self.assertIs(OutOfMemoryError, getattr(torch.cuda, "OutOfMemoryError", RuntimeError))
        self.assertSame(own, before)
        self.run_both(optimizer, own, alone, other, 2, 1)
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 3)

    def test_other_errors_of_the_driver_are_no_reason_for_it(self):
        own, _ = self.twins((4,))
        self.gradients(0, own)
        self.gpus.driver.fake_cuda_fail(b"cuMemAlloc_v2", 1, 999)
        with self.assertRaisesRegex(talweg.Error, "cuMemAlloc_v2"):
            talweg.torch.AdamW(own).step()
        self.assertEqual(self.gpus.emptied, 0)


class Captures(OnGpu):
    def test_an_optimizer_may_end_inside_one(self):
        """The garbage collector ends those that are in cycles, as with a scheduler, whenever it likes."""
        own, other = self.twins((6, 5))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        self.run_both(optimizer, own, alone, other, 2)
        ways = {"a step": optimizer.step, "a wait": lambda: optimizer.steps,
                "a new engine": talweg.torch.SGD(self.with_gradients(twins((2,))[0])).step}
        for name, goes_on in ways.items():
            with self.subTest(name):
                self.check(optimizer, goes_on)
        alone.step()
        self.assertSame(own, other)

    def test_an_optimizer_keeps_what_its_graphs_use(self):
        own, _ = self.twins((6, 5))
        optimizer = talweg.torch.AdamW(own, lr=0.1)
        changes = (lambda: optimizer.state.update({own[0]: {}}),
                   lambda: optimizer.add_param_group({"params": self.with_gradients(twins((2,))[0])}))
        graphs, gc_before = [], len(engines())
        for change in (*changes, lambda: None):
            for _ in range(2):
                self.with_gradients(own)
                optimizer.step()
            with self.gpus.capture(self.gpus.new_stream(), graphs):
                optimizer.step()
            change()
        gc.collect()
        self.assertEqual(len(engines()), gc_before + 3)
        for replay in graphs:
            before = values(own)
            replay()  # the driver refuses memory that was freed
            self.assertMoved(own, before)

    def with_gradients(self, parameters):
        self.gpus.admit_all(parameters)
        self.gradients(7, parameters)
        return parameters

    def check(self, optimizer, goes_on):
        dropped = talweg.torch.AdamW(self.with_gradients(twins((4,))[0]))
        dropped.itself = dropped
        torch.optim.lr_scheduler.ExponentialLR(dropped, 0.9)
        dropped.step()
        graph, lines = [], self.gpus.driver.fake_cuda_log_lines
        with self.gpus.capture(self.gpus.new_stream(), graph):
            optimizer.step()
            count, before = len(engines()), lines()
            del dropped
            gc.collect()
            self.assertEqual(len(engines()), count - 1)
            self.assertEqual(lines(), before)
        freed = self.gpus.calls("cuMemFreeHost")
        goes_on()
        self.assertGreater(self.gpus.calls("cuMemFreeHost"), freed)


if __name__ == "__main__":
    unittest.main()
