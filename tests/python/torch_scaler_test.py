"""torch.amp.GradScaler, which unscales gradients before it calls step, and does not call it where one is infinite."""
import unittest

from torch_support import Case, parameters, since, torch, twins, values

import talweg
import talweg.torch

RULES = ("AdamW", "SGD(momentum = 0.9)", "ClipByGlobalNorm(1) | AdamW | Ema")


def backward(own, step, scale=lambda loss: loss):
    generator = torch.Generator().manual_seed(step)
    scale(sum((p * p * torch.randn(p.shape, generator=generator)).sum() for p in own)).backward()


@since(2, 3, "GradScaler on the CPU")
class Scaler(Case):
    def test_infinite_gradients_leave_everything(self):
        own, theirs = twins((4,))
        optimizer, reference = talweg.torch.AdamW(own), torch.optim.AdamW(theirs)
        scalers = [torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2) for _ in range(2)]
        scales = []
        for step in range(6):
            for p, o, scaler in ((own, optimizer, scalers[0]), (theirs, reference, scalers[1])):
                o.zero_grad()
                before = values(p)
                wrong = {1: float("inf"), 4: float("nan")}.get(step, 1.0)
                scaler.scale((p[0] * p[0]).sum() * wrong).backward()
                if step in (2, 4):
                    scaler.unscale_(o)
                scaler.step(o)
                scaler.update()
                (self.assertSame if wrong != 1 else self.assertMoved)(p, before)
            scales.append(scalers[0].get_scale())
            self.assertEqual(scales[-1], scalers[1].get_scale())
        self.assertEqual(scales, [4.0, 2.0, 2.0, 4.0, 2.0, 2.0])
        self.assertClose(own, theirs)
        self.assertEqual(optimizer.steps, 4)

    def test_a_power_of_two_changes_no_bit(self):
        """Also where gradients are clipped in between."""
        for rule in RULES:
            for clips in (False, True):
                with self.subTest(rule, clips=clips):
                    own, other = twins((6, 5), (3,))
                    optimizer, alone = talweg.torch.Optimizer(own, rule, lr=0.1), talweg.torch.Optimizer(other, rule, lr=0.1)
                    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
                    start = values(own)
                    for step in range(8):
                        optimizer.zero_grad()
                        alone.zero_grad()
                        backward(own, step, scaler.scale)
                        backward(other, step)
                        if clips:
                            scaler.unscale_(optimizer)
                            torch.nn.utils.clip_grad_norm_(own, 0.5)
                            torch.nn.utils.clip_grad_norm_(other, 0.5)
                        scaler.step(optimizer)
                        scaler.update()
                        alone.step()
                    self.assertEqual(scaler.get_scale(), 4096.0)
                    self.assertSame(own, other)
                    self.assertMoved(own, start)

    def test_any_other_scale_is_that_of_unscaled_gradients(self):
        own, other = twins((6, 5))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=3.0)
        for step in range(4):
            optimizer.zero_grad()
            alone.zero_grad()
            backward(own, step, scaler.scale)
            backward(other, step, lambda loss: loss * 3.0)
            other[0].grad.mul_(torch.tensor(1 / 3.0))
            scaler.step(optimizer)
            scaler.update()
            alone.step()
        self.assertSame(own, other)

    def test_of_two_optimizers_one_steps(self):
        own, other = parameters((4,)), parameters((3,), seed=1)
        optimizers = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
        before = values(own), values(other)
        scaler.scale(own[0].sum() * float("inf") + other[0].sum()).backward()
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update()
        self.assertSame(own, before[0])
        self.assertMoved(other, before[1])
        self.assertEqual([optimizer.steps for optimizer in optimizers], [0, 1])
        self.assertEqual(scaler.get_scale(), 1.0)

    def test_one_that_is_not_enabled(self):
        own, other = twins((4,))
        optimizer, alone = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        scaler = torch.amp.GradScaler("cpu", enabled=False)
        backward(own, 0, scaler.scale)
        backward(other, 0)
        scaler.step(optimizer)
        alone.step()
        self.assertSame(own, other)


if __name__ == "__main__":
    unittest.main()
