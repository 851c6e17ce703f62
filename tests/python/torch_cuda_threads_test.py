"""Parameters on a GPU: threads that read while another one steps, and forked children, which cannot use CUDA."""
import threading
import unittest

from pretended_gpu import OnGpu
from torch_support import values

import talweg
import talweg.torch
from talweg.torch import devices


def in_thread(work):
    """What it returns, from another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(60)
    return found[0]


class Threads(OnGpu):
    def start(self, rule="NAdam"):
        own, other = self.twins((6, 5), (3,))
        optimizer, alone = talweg.torch.Optimizer(own, rule, lr=0.1), talweg.torch.Optimizer(other, rule, lr=0.1)
        self.run_both(optimizer, own, alone, other, 2)
        return own, other, optimizer, alone

    def is_free(self, optimizer):
        """Whether another thread could ask the engine for something now."""
        def look():
            lock = optimizer._bound.engine.lock
            is_free = lock.acquire(blocking=False)
            if is_free:
                lock.release()
            return is_free

        return in_thread(look)

    def watch(self, optimizer, name):
        """Whether it was free in each call of a function of the engine from now on."""
        seen, functions = [], optimizer._bound.engine.table._functions
        before = functions[name]
        functions[name] = lambda *arguments: seen.append(self.is_free(optimizer)) or before(*arguments)
        self.addCleanup(functions.__setitem__, name, before)
        return seen

    def test_nobody_reads_in_the_middle_of_a_step_or_of_reading(self):
        own, other, optimizer, alone = self.start()
        step, seen = optimizer._bound.engine._c_step, []
        optimizer._bound.engine._c_step = lambda *arguments: seen.append(self.is_free(optimizer)) or step(*arguments)
        self.run_both(optimizer, own, alone, other, 1, 2)
        self.assertEqual(seen, [False])
        seen = self.watch(optimizer, "cuda_wait")
        self.assertEqual(in_thread(lambda: optimizer.steps), 3)
        self.assertEqual(len(optimizer.state), 2)
        self.assertEqual(seen, [False, False])
        self.assertTrue(self.is_free(optimizer))
        self.assertSame(own, other)

    def test_a_step_stays_in_its_own_stream(self):
        """A thread that reads has another current one."""
        own, other, optimizer, alone = self.start()
        streams = [self.gpus.new_stream() for _ in range(2)]
        self.gpus.streams[0] = streams[0]
        scale, used = optimizer._bound.scale, []

        def read(*arguments):
            self.gpus.streams[0] = streams[1]
            optimizer.group_state
            self.gpus.streams[0] = streams[0]
            scale(*arguments)

        optimizer._bound.scale = read
        step = optimizer._bound.engine._c_step
        optimizer._bound.engine._c_step = lambda *arguments: used.append(optimizer._bound.engine.stream) or step(*arguments)
        self.run_both(optimizer, own, alone, other, 1, 2)
        self.assertEqual(used, [streams[0]])
        self.gpus.synchronize(stream=streams[0])
        self.assertSame(own, other)

    def test_reading_all_the_time(self):
        own, other, optimizer, alone = self.start()
        found, stop = [], threading.Event()

        def read():
            while not stop.is_set():
                found.append((optimizer.steps, len(optimizer.state)))

        thread = threading.Thread(target=read)
        thread.start()
        try:
            self.run_both(optimizer, own, alone, other, 10, 2)
        finally:
            stop.set()
            thread.join(60)
        self.assertEqual(found, sorted(found))
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 12)


class Forks(OnGpu):
    def refused(self, *works):
        before = self.gpus.driver.fake_cuda_log_lines()
        for work in works:
            with self.assertRaisesRegex(RuntimeError, "CUDA cannot be used in a forked process: start it by \"spawn\""):
                work()
        self.assertEqual(self.gpus.driver.fake_cuda_log_lines(), before)

    def test_a_child_is_told_that_it_cannot_use_cuda(self):
        own, other = self.twins((6, 5))
        optimizer, alone = [talweg.torch.Optimizer(p, "AdamW | Ema", lr=0.1) for p in (own, other)]
        self.run_both(optimizer, own, alone, other, 2)
        self.gradients(2, own)
        before = values(own)

        def work():
            state = optimizer._state[own[0]]
            self.refused(optimizer.step, lambda: optimizer.steps, lambda: optimizer.state, lambda: optimizer.model_state,
                         optimizer.state_dict, optimizer.send_hypers, optimizer.reset, optimizer.evaluation().__enter__,
                         lambda: state.update(m=state["m"]))
            own[0].data = devices.empty_like(own[0])
            self.refused(optimizer.step)
            optimizer.state = {}
            self.refused(optimizer.step)

        self.in_child(work)
        self.assertSame(own, before)
        self.run_both(optimizer, own, alone, other, 1, 2)
        self.assertSame(own, other)

    def test_a_child_of_an_evaluation(self):
        own, other = self.twins((6, 5))
        optimizer, alone = [talweg.torch.Optimizer(p, "AdamW | Ema", lr=0.1) for p in (own, other)]
        self.run_both(optimizer, own, alone, other, 2)
        evaluation = optimizer.evaluation()
        evaluation.__enter__()
        self.in_child(lambda: self.refused(lambda: evaluation.__exit__(None, None, None)))
        evaluation.__exit__(None, None, None)
        self.assertSame(own, other)

    def test_a_child_does_not_wait_for_threads_that_it_does_not_have(self):
        own, other = self.twins((6, 5))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        self.run_both(optimizer, own, alone, other, 1)
        inside, go_on = threading.Event(), threading.Event()

        def hold():
            with optimizer._bound.engine.lock:
                inside.set()
                go_on.wait(60)

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            self.assertTrue(inside.wait(60))
            self.in_child(lambda: self.refused(lambda: optimizer.steps))
        finally:
            go_on.set()
            thread.join()
        self.assertEqual(optimizer.steps, 1)


if __name__ == "__main__":
    unittest.main()
