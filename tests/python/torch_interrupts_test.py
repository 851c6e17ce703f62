"""What comes in the middle of a step: interrupts from the keyboard, and steps of other threads."""
import threading
import types
import unittest
import unittest.mock

from torch_support import Case, parameters, torch, values

import talweg
import talweg.torch


def closure_of(own, calls, act=lambda: None):
    """Gradients; `act` at the second call, in the middle of the step of a rule that asks again."""
    def closure():
        calls.append(1)
        own[0].grad = torch.ones_like(own[0])
        if len(calls) == 2:
            act()
    return closure


class Interrupts(Case):
    def test_an_interrupt_in_the_call(self):
        """It comes in Python, right after the call: the parameters go back from the other point."""
        own, moved = parameters((4,)), []
        optimizer = talweg.torch.Optimizer(own, "SAM | AdamW", lr=0.1)
        optimizer.step(closure_of(own, []))
        before, engine = values(own), optimizer._bound.engine
        step = engine._c_step

        def interrupted(*arguments):
            self.assertEqual(step(*arguments), 0)
            moved.append(values(own))
            raise KeyboardInterrupt

        engine._c_step = interrupted
        with self.assertRaises(KeyboardInterrupt):
            optimizer.step(closure_of(own, []))
        self.assertMoved(moved[0], before)
        self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 1)
        engine._c_step = step
        optimizer.step(closure_of(own, []))
        self.assertEqual(optimizer.steps, 2)


class Threads(Case):
    def test_two_that_begin_at_once(self):
        """One asks which thread it is, and meanwhile another goes into a step."""
        own, said, first = parameters((4,)), [], threading.get_ident()
        optimizer = talweg.torch.Optimizer(own, "SAM(rho = 0.1) | AdamW", lr=0.1)
        asked, go_on = threading.Event(), threading.Event()

        def get_ident():
            if threading.get_ident() != first:
                asked.set()
                go_on.wait(30)
            return threading.get_ident()

        def elsewhere():
            try:
                optimizer.step()
            except RuntimeError as error:
                said.append(str(error))

        def let_go_on():
            go_on.set()
            thread.join()

        thread = threading.Thread(target=elsewhere)
        with unittest.mock.patch.object(talweg.torch.optimizer, "threading", types.SimpleNamespace(get_ident=get_ident)):
            thread.start()
            self.assertTrue(asked.wait(30))
            optimizer.step(closure_of(own, [], let_go_on))
        self.assertRegex(said[0], "is on its way")
        self.assertEqual(optimizer.steps, 1)


if __name__ == "__main__":
    unittest.main()
