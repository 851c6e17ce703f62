"""copy.copy of an optimizer: groups and states in common, as torch's copies have them."""
import copy
import gc
import unittest
import weakref

from torch_support import Case, give_gradients, parameters, run, torch, twins

import talweg
import talweg.torch

RULES = ("AdamW", "ClipByGlobalNorm(1) | AdamW | Ema", "NAdam", "ASGD", "SkipNonFinite | SGD(momentum = 0.9)")


class Copies(Case):
    def test_steps_of_one_are_steps_of_both(self):
        for rule in RULES:
            for before in (0, 2):
                with self.subTest(rule, before=before):
                    own, other = twins((6, 5), (3,))
                    optimizer, straight = talweg.torch.Optimizer(own, rule), talweg.torch.Optimizer(other, rule)
                    run(optimizer, own, before)
                    copied = copy.copy(optimizer)
                    run(copied, own, 3, before)
                    run(optimizer, own, 2, before + 3)
                    run(copied, own, 1, before + 5)
                    run(straight, other, before + 6)
                    self.assertSame(own, other)
                    self.assertEqual((optimizer.steps, copied.steps), (before + 6, before + 6))
                    self.assertIs(copied.state[own[0]], optimizer.state[own[0]])

    def test_as_in_torch(self):
        for module in (torch.optim, talweg.torch):
            with self.subTest(module.__name__):
                own = parameters((3,))
                optimizer = module.AdamW(own, lr=0.1)
                run(optimizer, own, 1)
                copied = copy.copy(optimizer)
                self.assertIsNot(copied, optimizer)
                self.assertIs(type(copied), type(optimizer))
                self.assertIs(copied.param_groups, optimizer.param_groups)
                self.assertIs(copied.state, optimizer.state)
                copied.param_groups[0]["lr"] = 0.5
                copied.add_param_group({"params": parameters((2,), seed=1)})
                self.assertEqual([group["lr"] for group in optimizer.param_groups], [0.5, 0.1])

    def test_what_is_loaded(self):
        own = parameters((3,))
        optimizer = talweg.torch.AdamW(own)
        saved = copy.deepcopy(optimizer.state_dict())
        run(optimizer, own, 2)
        copy.copy(optimizer).load_state_dict(saved)
        self.assertEqual(optimizer.steps, 0)
        self.assertSame([optimizer.state[own[0]]["m"]], [torch.zeros(3)])

    def test_they_last_without_the_first(self):
        """Also where a scheduler has wrapped its step."""
        own, other = twins((3,))
        optimizer = talweg.torch.AdamW(own)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        run(optimizer, own, 1)
        copied = copy.copy(copy.copy(optimizer))
        del optimizer, schedule
        gc.collect()
        run(copied, own, 2, 1)
        straight = talweg.torch.AdamW(other)
        run(straight, other, 3)
        self.assertSame(own, other)
        deep, deep_own = copy.deepcopy((copied, own))
        run(deep, deep_own, 1, 3)
        self.assertEqual((deep.steps, copied.steps), (4, 3))
        known = weakref.ref(copied)
        del copied, deep
        gc.collect()
        self.assertIsNone(known())

    def test_in_a_forked_child(self):
        own, other = twins((300, 301))
        optimizer, straight = talweg.torch.AdamW(own, threads=2), talweg.torch.AdamW(other, threads=1)
        run(optimizer, own, 1)
        run(straight, other, 2)
        copied = copy.copy(optimizer)
        give_gradients(own, seed=101)
        expected = self.bytes_of(other[0])

        def step():
            copied.step()
            if self.bytes_of(own[0]) != expected:
                raise AssertionError("the child has other results")
        self.in_child(step)


if __name__ == "__main__":
    unittest.main()
