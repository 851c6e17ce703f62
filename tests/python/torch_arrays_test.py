"""talweg.Optimizer on PyTorch's tensors, by DLPack: their memory, as it is."""
import sys
import unittest

try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"skipped: {error} for {sys.executable}")
    sys.exit(77)

import talweg

SHAPES = {"matrix": (33, 65), "bias": (129,), "scalar": (), "empty": (0, 4)}
AVERAGED = "ClipByGlobalNorm(1) | AdamW(lr = 0.01 / t) | Ema(decay = 0.5)"


def arrays(seed, dtype):
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.standard_normal(shape), dtype) for name, shape in SHAPES.items()}


def tensors(seed, dtype):
    return {name: torch.tensor(array) for name, array in arrays(seed, dtype).items()}


class Tensors(unittest.TestCase):
    def test_bits(self):
        for dtype in (np.float32, np.float64):
            here, there = arrays(0, dtype), tensors(0, dtype)
            for params, gradients in ((here, arrays), (there, tensors)):
                optimizer = talweg.Optimizer(params, AVERAGED)
                for step in range(1, 4):
                    optimizer.step(gradients(step, dtype))
                with optimizer.view():
                    params["view"] = params["matrix"] + 0
            for name in here:
                self.assertEqual(there[name].numpy().tobytes(), here[name].tobytes(), name)

    def test_tensors_may_be_dropped(self):
        """The optimizer keeps the memory that it has borrowed."""
        optimizer = talweg.Optimizer([torch.ones(1 << 16)], "SGD")
        others = [torch.zeros(1 << 16) for _ in range(20)]
        optimizer.step([torch.ones(1 << 16)])
        self.assertTrue(all((other == 0).all() for other in others))

    def test_refusals(self):
        for kind, words, given in ((TypeError, "parameter '0' does not give its memory: .*gradient",
                                    torch.ones(3, requires_grad=True)),
                                   (TypeError, "parameter '0' does not give its memory: .*meta", torch.ones(3, device="meta")),
                                   (TypeError, "parameter '0' is of bfloat16", torch.ones(3, dtype=torch.bfloat16)),
                                   (ValueError, "parameter '0' is not contiguous", torch.ones(3, 4).t()),
                                   (TypeError, "parameter '0' does not give its memory", torch.eye(3).to_sparse())):
            with self.assertRaisesRegex(kind, words):
                talweg.Optimizer([given], "AdamW")
        w = torch.ones(3)
        with self.assertRaisesRegex(talweg.Error, "shares memory with parameter `0`"):
            talweg.Optimizer([w], "AdamW").step([w])


if __name__ == "__main__":
    unittest.main(verbosity=1)
