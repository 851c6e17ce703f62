"""What the tests of talweg.torch share. They run with Debian's torch and with the current one; what
one of them lacks is skipped by name."""
import ctypes
import os
import re
import signal
import sys
import unittest

try:
    import torch
except ImportError:
    print(f"skipped: no torch for {sys.executable}")
    sys.exit(77)

VERSION = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", torch.__version__).groups())


def since(major, minor, what):
    """Skips a test where torch is too old for it."""
    return unittest.skipIf(VERSION < (major, minor), f"torch {torch.__version__} has no {what}")


def parameters(*shapes, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype)) for shape in shapes]


def twins(*shapes, dtype=torch.float32, seed=0):
    """The same parameters twice."""
    return parameters(*shapes, dtype=dtype, seed=seed), parameters(*shapes, dtype=dtype, seed=seed)


def give_gradients(*lists, seed):
    """The same random gradients to each list of parameters."""
    for parameters_ in lists:
        generator = torch.Generator().manual_seed(seed)
        for parameter in parameters_:
            parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)


def run(optimizer, parameters_, steps, first=0):
    for step in range(first, first + steps):
        give_gradients(parameters_, seed=100 + step)
        optimizer.step()


def run_both(optimizer, own, reference, theirs, steps):
    """Steps of two optimizers with the same gradients."""
    for step in range(steps):
        give_gradients(own, theirs, seed=step)
        optimizer.step()
        reference.step()


def values(parameters_):
    return [parameter.detach().clone() for parameter in parameters_]


def distance(one, other):
    """The largest difference, relative to the largest element of its tensor. NaN if there is one."""
    found = [((a.detach() - b.detach()).abs().max() / b.detach().abs().max().clamp_min(1e-30)).item()
             for a, b in zip(one, other) if a.numel()]
    return sum(found) if any(value != value for value in found) else max(found)


class Case(unittest.TestCase):
    def assertSame(self, one, other):
        """Bit for bit."""
        self.assertEqual(len(one), len(other))
        for i, (a, b) in enumerate(zip(one, other)):
            self.assertTrue(torch.equal(a.detach(), b.detach()), f"tensor {i} differs:\n{a}\n{b}")

    def assertClose(self, one, other, most=1e-6):
        self.assertEqual(len(one), len(other))
        self.assertLessEqual(distance(one, other), most)

    def assertMoved(self, one, other):
        for i, (a, b) in enumerate(zip(one, other)):
            self.assertFalse(torch.equal(a.detach(), b.detach()), f"tensor {i} is as before")

    def in_child(self, work):
        """Runs work in a forked child, which is given half a minute."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.alarm(30)
                work()
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    @staticmethod
    def bytes_of(tensor):
        return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
