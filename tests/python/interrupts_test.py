"""Interrupts from the keyboard that come while C is at work: in Python, right after the call."""
import unittest

from support import main, need

np = need("numpy")
import talweg  # noqa: E402


class Views(unittest.TestCase):
    def test_an_interrupt_in_the_call(self):
        w, one = np.linspace(-1, 1, 12, dtype=np.float32), np.ones(12, np.float32)
        optimizer = talweg.Optimizer({"w": w}, "AdamW | Ema(decay = 0.5)", lr=0.1)
        optimizer.step({"w": one})
        optimizer.step({"w": one})
        functions, before = optimizer._table._functions, w.tobytes()
        swap_in = functions["swap_in"]

        def interrupted_before(*arguments):
            raise KeyboardInterrupt

        def interrupted_after(*arguments):
            self.assertEqual(swap_in(*arguments), 0)
            self.assertNotEqual(w.tobytes(), before)
            raise KeyboardInterrupt

        for interrupted in (interrupted_before, interrupted_after):
            functions["swap_in"] = interrupted
            with self.assertRaises(KeyboardInterrupt), optimizer.view():
                pass
            self.assertEqual(w.tobytes(), before)
        functions["swap_in"] = swap_in
        with optimizer.view():
            inside = w.tobytes()
            functions["swap_in"] = interrupted_before
            with self.assertRaises(KeyboardInterrupt), optimizer.view():
                pass
            self.assertEqual(w.tobytes(), inside)  # the view that was in stays in
        self.assertEqual(w.tobytes(), before)
        optimizer.step({"w": one})


if __name__ == "__main__":
    main()
