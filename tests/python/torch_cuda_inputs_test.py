"""Inputs that are numbers, as tensors on a GPU: read there, with the bits that they have as numbers of Python."""
import unittest
from unittest import mock

from pretended_gpu import OnGpu
from torch_support import torch, values

import talweg
import talweg.torch

RATES = """
rule Rates {
  hyper lr = 0.1
  input model loss
  input group boost
  input tensor factor
  state m
  step {
    m = 0.5 * m + grad
    update = lr * boost * factor * m / (1 + abs(loss))
  }
}
"""


def read_by_the_host(*_):
    raise AssertionError("the host has read a tensor of the GPU")


class Inputs(OnGpu):
    count = 2

    def pair(self, rule="PolyakStep", shapes=((6, 5), (3,)), **hypers):
        own, other = self.twins(*shapes)
        return own, other, talweg.torch.Optimizer(own, rule, **hypers), talweg.torch.Optimizer(other, rule, **hypers)

    def there(self, value, dtype=torch.float32, gpu=0):
        return self.gpus.admit(torch.tensor(value, dtype=dtype), gpu)

    def unread(self):
        """Within, the host can have no number of a tensor."""
        return mock.patch.multiple(torch.Tensor, item=read_by_the_host, __float__=read_by_the_host, tolist=read_by_the_host)

    def test_a_loss_has_the_bits_of_the_number(self):
        for rule in ("PolyakStep", "MoMo", "MoMoAdam", "AliG", "ClipByGlobalNorm(1) | PolyakStep"):
            for dtype in (torch.float32, torch.float64, torch.float16, torch.int64):
                with self.subTest(rule, dtype=dtype):
                    own, other, optimizer, alone = self.pair(rule)
                    start = values(own)
                    for step, value in enumerate((3.3, 2.7, 1.1, 5.9)):
                        self.gradients(step, own, other)
                        loss = self.there(value, dtype)
                        with self.unread():
                            optimizer.step(inputs={"loss": loss})
                        alone.step(inputs={"loss": float(torch.tensor(value, dtype=dtype))})
                        self.assertSame(own, other)
                    self.assertMoved(own, start)
                    self.assertEqual(optimizer.steps, 4)

    def closure(self, parameters, optimizer):
        """Computes gradients and the loss: where parameters are on a GPU, there."""
        def run():
            optimizer.zero_grad()
            loss = sum((p * p).sum() for p in parameters)
            loss.backward()
            if self.gpus.gpu_of(parameters[0]) is not None:
                self.gpus.admit(loss)
                self.gpus.admit_gradients(parameters)
            return loss

        return run

    def test_a_closure_returns_it(self):
        own, other, optimizer, alone = self.pair("MoMo")
        for _ in range(3):
            losses = []
            for parameters, o in ((own, optimizer), (other, alone)):
                losses.append(o.step(self.closure(parameters, o)))
            self.assertTrue(losses[0].requires_grad)
            self.assertEqual(losses[0].item(), losses[1].item())
            self.assertSame(own, other)

    def test_a_step_that_asks_for_two_gradients_has_the_loss_of_the_first(self):
        own, other, optimizer, alone = self.pair("SAM | PolyakStep")
        for _ in range(3):
            for parameters, o in ((own, optimizer), (other, alone)):
                o.step(self.closure(parameters, o))
            self.assertSame(own, other)

    def test_the_host_waits_for_nothing(self):
        own, other, optimizer, alone = self.pair("MoMo")
        names = ("cuStreamSynchronize", "cuCtxSynchronize", "cuMemcpyDtoH")
        for step in range(5):
            self.gradients(step, own, other)
            before = [self.gpus.calls(name) for name in names]
            optimizer.step(inputs={"loss": self.there(1.5 - step / 10)})
            if step > 1:
                self.assertEqual([self.gpus.calls(name) for name in names], before)
            alone.step(inputs={"loss": float(torch.tensor(1.5 - step / 10))})
        self.assertSame(own, other)

    def test_numbers_and_tensors_in_turn(self):
        own, other, optimizer, alone = self.pair("MoMo")
        loss = self.there(0.0)
        for step, value in enumerate((0.5, 1.5, 2.5, 3.5, 4.5, 5.5)):
            self.gradients(step, own, other)
            loss.fill_(value)
            given = (loss, loss, value, torch.tensor(value), loss, self.there(value))[step]
            optimizer.step(inputs={"loss": given})
            alone.step(inputs={"loss": value})
            self.assertSame(own, other)
        before = values(own)
        with self.assertRaisesRegex(talweg.Error, "reads input `loss`, which was not given"):
            optimizer.step()
            self.assertEqual(optimizer.steps, 6)  # where it is waited for
        self.assertSame(own, before)

    def test_it_is_read_in_the_order_of_the_stream(self):
        own, other, optimizer, alone = self.pair()
        loss = self.there(2.5)
        for step in range(4):
            if step > 1:
                self.gpus.streams[0] = self.gpus.new_stream()
                self.gpus.driver.fake_cuda_set_delay(1)
            self.gradients(step, own, other)
            optimizer.step(inputs={"loss": loss})
            if step > 1:
                loss.fill_(0.5 + step)  # what is in the stream is still to be done
            alone.step(inputs={"loss": 0.5 + step if step > 1 else 2.5})
            if step > 1:
                self.assertMoved(own, other)
            self.gpus.synchronize(stream=self.gpus.stream(0))
            self.gpus.driver.fake_cuda_set_delay(0)
            self.assertSame(own, other)

    def test_groups_and_tensors(self):
        rule = talweg.compile(text=RATES)
        own, other = self.twins((6, 5), (3,), (7,))
        optimizer, alone = [talweg.torch.Optimizer([{"params": p[:2]}, {"params": p[2:]}], rule) for p in (own, other)]
        start = values(own)
        boosts, factors = [0.5, 1.5], [0.25, 0.75, 1.25]
        spread = self.gpus.admit(torch.tensor([factors, [9.0] * 3]).t().contiguous())[:, 0]
        for step, (boost, factor) in enumerate((
                (self.there(boosts), self.there(factors, torch.float64)),
                (self.there(boosts, torch.float16), spread),
                ([self.there(value) for value in boosts], self.there(factors).reshape(3, 1)),
                (boosts, self.there(factors)))):
            self.gradients(step, own, other)
            with self.unread():
                optimizer.step(inputs={"loss": self.there(0.5), "boost": boost, "factor": factor})
            alone.step(inputs={"loss": 0.5, "boost": boosts, "factor": factors})
            self.assertSame(own, other)
        self.assertMoved(own, start)

    def test_a_captured_step_reads_it_when_it_is_replayed(self):
        for dtype in (torch.float32, torch.float64):
            with self.subTest(dtype=dtype):
                own, other, optimizer, alone = self.pair("MoMo")
                loss = self.there(1.0, dtype)
                for step in range(2):
                    self.gradients(step, own, other)
                    optimizer.step(inputs={"loss": loss})
                    alone.step(inputs={"loss": 1.0})
                graph = []
                with self.gpus.capture(self.gpus.new_stream(), graph):
                    optimizer.step(inputs={"loss": loss})
                self.assertSame(own, other)  # nothing has run
                for step in range(2, 6):
                    for one, two in zip(own, other):
                        two.grad.copy_(torch.randn(two.shape))
                        one.grad.copy_(two.grad)
                    loss.fill_(1.0 + step)
                    graph[0]()
                    alone.step(inputs={"loss": 1.0 + step})
                    self.assertSame(own, other)
                self.gradients(6, own, other)  # with another place, which is not the graph's
                optimizer.step(inputs={"loss": self.there(0.25)})
                alone.step(inputs={"loss": 0.25})
                self.assertSame(own, other)

    def test_both_gradients_of_a_captured_step_go_with_it(self):
        own, other, optimizer, alone = self.pair("SAM | PolyakStep")
        loss = self.there(1.5)
        for step in range(2):
            self.gradients(step, own, other)
            optimizer.step(lambda: loss)
            alone.step(lambda: 1.5)
        graph = []
        with self.gpus.capture(self.gpus.new_stream(), graph):
            optimizer.step(lambda: loss)
        for value in (0.5, 2.5):
            loss.fill_(value)
            graph[0]()
            alone.step(lambda: value)
            self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 4)

    def test_a_number_of_the_host_is_not_captured(self):
        own, other, optimizer, alone = self.pair("MoMo")
        for step in range(2):
            self.gradients(step, own, other)
            optimizer.step(inputs={"loss": 1.5})
            alone.step(inputs={"loss": 1.5})
        for given in (1.5, torch.tensor(1.5)):
            refused = self.assertRaisesRegex(talweg.Error, "`loss` is a number of the host")
            with self.gpus.capture(self.gpus.new_stream(), []), refused:
                optimizer.step(inputs={"loss": given})
        optimizer.step(inputs={"loss": self.there(0.5)})
        alone.step(inputs={"loss": 0.5})
        self.assertSame(own, other)

    def test_a_measurement_in_some_steps(self):
        own, other, optimizer, alone = self.pair("ReduceOnPlateau(patience = 1) | SGD", lr=0.1)
        for step, value in enumerate((1.0, None, 1.5, None, 2.0, 2.5, None, 3.0)):
            self.gradients(step, own, other)
            optimizer.step(inputs=None if value is None else {"validation_loss": self.there(value)})
            alone.step(inputs=None if value is None else {"validation_loss": value})
            self.assertSame(own, other)
            self.assertEqual([state.item() for state in optimizer.model_state.values()],
                             [state.item() for state in alone.model_state.values()])
        self.assertLess(optimizer.model_state["scale"].item(), 1)

    def test_what_does_not_fit_is_refused(self):
        own, other, optimizer, alone = self.pair()
        before = values(own)
        self.gradients(0, own, other)
        for given, error, text in (
                (self.there([1.0, 2.0]), TypeError, r"'loss' is a tensor of shape \(2,\): one number is needed"),
                (self.there(1.0, gpu=1), RuntimeError, "'loss' is on cuda:1, the parameters on cuda:0"),
                (self.there(1j, torch.complex64), TypeError, "'loss' is torch.complex64: real numbers are needed")):
            with self.assertRaisesRegex(error, text):
                optimizer.step(inputs={"loss": given})
        self.assertSame(own, before)
        optimizer.step(inputs={"loss": self.there(2.5)})
        alone.step(inputs={"loss": 2.5})
        self.assertSame(own, other)

    def test_what_does_not_fit_groups_and_tensors_is_refused(self):
        own, _ = self.twins((6, 5), (3,))
        optimizer = talweg.torch.Optimizer(own, talweg.compile(text=RATES))
        self.gradients(0, own)
        fitting = {"loss": self.there(0.5), "boost": self.there([1.0]), "factor": self.there([1.0, 2.0])}
        one, far = self.there(1.0), self.there(1.0, gpu=1)
        for name, given, error, text in (
                ("boost", self.there([1.0, 2.0]), ValueError, r"'boost' is a tensor of shape \(2,\); the optimizer has 1 groups"),
                ("factor", self.there([1.0]), ValueError, r"'factor' is a tensor of shape \(1,\); the optimizer has 2 param"),
                ("factor", [one], ValueError, "'factor' has 1 entries; the optimizer has 2 parameters"),
                ("factor", [one, far], RuntimeError, "'factor' is on cuda:1, the parameters on cuda:0"),
                ("factor", [one, self.there([1.0, 2.0])], TypeError, r"'factor' has a tensor of shape \(2,\)")):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                optimizer.step(inputs={**fitting, name: given})
        optimizer.step(inputs=fitting)
        self.assertEqual(optimizer.steps, 1)


if __name__ == "__main__":
    unittest.main()
