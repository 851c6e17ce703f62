"""Processes that are forked while another thread is at work."""
import threading
import unittest

from torch_support import Case, parameters, torch

import talweg
import talweg.torch


class Forks(Case):
    def test_a_child_forked_inside_an_evaluation(self):
        own = parameters((300, 301))
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema", lr=0.1, threads=2)
        for _ in range(2):
            own[0].grad = torch.ones(300, 301)
            optimizer.step()
        expected = self.bytes_of(own[0])
        evaluation = optimizer.evaluation()
        evaluation.__enter__()

        def leave():
            evaluation.__exit__(None, None, None)
            if self.bytes_of(own[0]) != expected:
                raise AssertionError("the parameters are not back")

        self.in_child(leave)
        self.assertNotEqual(self.bytes_of(own[0]), expected)
        evaluation.__exit__(None, None, None)
        self.assertEqual(self.bytes_of(own[0]), expected)

    def test_a_child_forked_in_the_middle_of_a_step(self):
        """By another thread, whose step never ends in the child."""
        own = parameters((3,))
        optimizer = talweg.torch.Optimizer(own, "SAM(rho = 0.5) | SGD", lr=1.0, threads=1)
        expected = self.bytes_of(own[0])
        calls, inside, go_on = [], threading.Event(), threading.Event()

        def closure():
            calls.append(1)
            if len(calls) == 2:
                inside.set()
                go_on.wait(30)
            own[0].grad = gradient
            return 0.0

        gradient = torch.ones(3)
        thread = threading.Thread(target=lambda: optimizer.step(closure))
        thread.start()
        self.assertTrue(inside.wait(30))
        self.assertNotEqual(self.bytes_of(own[0]), expected)  # it is at the other point

        def step():
            if self.bytes_of(own[0]) != expected:
                raise AssertionError("the parameters are not back")
            own[0].grad = gradient
            optimizer.step(lambda: 0.0)
            if optimizer.steps != 1:
                raise AssertionError("no step was made")

        try:
            self.in_child(step)
            with self.assertRaisesRegex(RuntimeError, "on its way"):
                optimizer.step(lambda: 0.0)
        finally:
            go_on.set()
            thread.join()
        self.assertEqual(optimizer.steps, 1)


if __name__ == "__main__":
    unittest.main()
