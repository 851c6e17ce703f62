"""What comes in the middle of a step: interrupts from the keyboard, and steps of other threads."""
import os
import sys
import threading
import types
import unittest
import unittest.mock

from torch_support import Case, parameters, torch, values

import talweg
import talweg.torch

#: Of the package.
FOLDER = os.path.dirname(talweg.__file__) + os.sep


def closure_of(own, calls, act=lambda: None):
    """Gradients; `act` at the second call, in the middle of the step of a rule that asks again."""
    def closure():
        calls.append(1)
        for parameter in own:
            parameter.grad = torch.ones_like(parameter)
        if len(calls) == 2:
            act()
    return closure


def is_ending(frame):
    """Whether it belongs to a __del__, from which no exception comes."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


class Interrupted:
    """Raises KeyboardInterrupt in the package at one of the places where Python sees to interrupts: where a function
    begins, and after a function of C. `is_over`: there are not so many."""

    def __init__(self, place):
        self.left, self.is_over = place, True

    def __enter__(self):
        sys.setprofile(self.see)
        return self

    def __exit__(self, kind, error, trace):
        sys.setprofile(None)
        return kind is KeyboardInterrupt

    def see(self, frame, event, argument):
        if event in ("call", "c_return") and FOLDER in frame.f_code.co_filename and not is_ending(frame):
            self.left -= 1
            if self.left < 0:
                sys.setprofile(None)
                self.is_over = False
                raise KeyboardInterrupt


class Interrupts(Case):
    def anywhere(self, expression, change=lambda own, optimizer: None):
        """An interrupted step is made or not; the next one goes on from there."""
        rule = talweg.compile(expression)

        def made():
            own = parameters((4,), (3,))
            optimizer = talweg.torch.Optimizer(own, rule, lr=0.1)
            for _ in range(2):
                optimizer.step(closure_of(own, []))
            own += change(own, optimizer) or []
            return own, optimizer

        def check(said):
            while reference.steps < optimizer.steps:
                reference.step(closure_of(theirs, []))
            self.assertEqual(optimizer.steps, reference.steps, said)
            self.assertSame(own, theirs)
            for one, other in zip(own, theirs):
                states, expected = optimizer.state[one], reference.state[other]
                self.assertSame(list(states.values()), list(expected.values()))

        place = 0
        while True:
            (own, optimizer), (theirs, reference) = made(), made()
            closure = closure_of(own, [])
            with Interrupted(place) as interrupted:
                optimizer.step(closure)
            if interrupted.is_over:
                break
            if optimizer.steps > 2:
                check(f"interrupted at place {place}")
            optimizer.step(closure_of(own, []))
            check(f"after an interrupt at place {place}")
            place += 1
        self.assertGreater(place, 20)

    def test_anywhere(self):
        self.anywhere("AdamW | Ema")

    def test_anywhere_between_two_gradients(self):
        self.anywhere("SAM | AdamW")

    def test_anywhere_after_a_move(self):
        def move(own, optimizer):
            kept.append(own[0].data)
            own[0].data = own[0].data.clone()
        kept = []
        self.anywhere("AdamW | Ema", move)

    def test_anywhere_after_a_new_group(self):
        def add(own, optimizer):
            new = parameters((2,), seed=1)
            optimizer.add_param_group({"params": new})
            return new
        self.anywhere("AdamW | Ema", add)

    def test_anywhere_in_an_evaluation(self):
        place = 0
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema", lr=0.1)
        for _ in range(3):
            optimizer.step(closure_of(own, []))
        before = values(own)
        while True:
            with Interrupted(place) as interrupted:
                with optimizer.evaluation():
                    pass
            self.assertSame(own, before)
            if interrupted.is_over:
                break
            place += 1
        self.assertGreater(place, 20)
        optimizer.step(closure_of(own, []))

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
