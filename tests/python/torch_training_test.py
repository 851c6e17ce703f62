"""Trains small networks side by side with torch.optim and with talweg.torch: the same losses to rounding.

The bounds are so tight that a formula that is a little wrong breaks them, which is tested too. Rounding differences grow
on the way, and chaotically where rates are large; rates here are such that neighbouring trajectories stay neighbours.

    training_test.py [--steps N] [unittest's options]        1,000 steps is the run labelled slow
"""
import sys
import unittest

import support

torch = support.need("torch")
import small_models  # noqa: E402 (needs torch)
import talweg.torch  # noqa: E402

STEPS = 40
#: Of the losses, relative: float64 and float32. The second grows with the steps.
BOUNDS = {torch.float64: lambda steps: 1e-12 if steps <= 100 else 1e-9, torch.float32: lambda steps: 1e-5 if steps <= 100 else 1e-3}

#: torch keeps NAdam's product of momenta in float32, whatever the parameters are.
ROUGH = {"NAdam": 1e-7}

#: What is compared: torch's class, its arguments (an eps that can be seen, and decay, so that where they stand
#: matters), and a formula that is nearly the same and must be noticed.
OPTIMIZERS = {
    "SGD": ("SGD", dict(lr=0.2, momentum=0.9, dampening=0.1, weight_decay=1e-3),
            "SGD(momentum = 0.9, dampening = 0.1, first = damped)"),
    "RMSprop": ("RMSprop", dict(lr=1e-2, alpha=0.95, eps=1e-2, weight_decay=1e-2, momentum=0.5, centered=True),
                "RMSprop(momentum = 0.5, centered = true, eps_place = inside)"),
    "Adagrad": ("Adagrad", dict(lr=0.1, lr_decay=1e-2, eps=1e-3, weight_decay=1e-2), "Adagrad(eps_place = inside)"),
    "Adam": ("Adam", dict(lr=2e-2, betas=(0.8, 0.95), eps=1e-3, weight_decay=1e-2), "Adam(eps_place = raw)"),
    "AdamW": ("AdamW", dict(lr=2e-2, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1), "Adam"),
    "AMSGrad": ("Adam", dict(lr=2e-2, betas=(0.8, 0.95), eps=1e-3, weight_decay=1e-2, amsgrad=True),
                "AMSGrad(variant = optax)"),
    "NAdam": ("NAdam", dict(lr=2e-2, betas=(0.8, 0.95), eps=1e-3, weight_decay=1e-2, momentum_decay=0.1),
              "NAdam(product = torch_1_13)"),
    "RAdam": ("RAdam", dict(lr=5e-2, betas=(0.8, 0.95), eps=1e-3, weight_decay=1e-3), "RAdam(variant = optax)"),
    "Adamax": ("Adamax", dict(lr=5e-2, betas=(0.8, 0.95), eps=1e-2, weight_decay=1e-3), "Adamax(eps_place = divisor)"),
}
#: Of the rates above. The transformer needs smaller ones.
RATES = {small_models.Digits: 1, small_models.Text: 0.25}
#: What torch calls otherwise than the rule.
HYPERS = {"alpha": ("rho",), "betas": ("beta1", "beta2")}
VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])


def hypers_of(settings):
    """torch's arguments as hypers of a rule; what a rule has fixed is in its text."""
    hypers = {}
    for name, value in settings.items():
        if name not in ("momentum", "dampening", "centered", "amsgrad"):
            hypers.update(zip(HYPERS.get(name, (name,)), value if isinstance(value, tuple) else (value,)))
    return hypers


def losses_with(data, dtype, steps, make):
    model = small_models.make_model(data, dtype)
    return small_models.train(data, model, make(model.parameters()), steps)


def difference(losses, others):
    """The largest difference, over the loss."""
    return max(abs(loss - other) / abs(other) for loss, other in zip(losses, others))


class SideBySide(unittest.TestCase):
    steps = STEPS

    def setUp(self):
        torch.set_num_threads(1)

    def known(self, name):
        if name == "NAdam" and VERSION < (2, 0):
            self.skipTest(f"NAdam of torch {torch.__version__} multiplies a factor once too often (mended in 2.0)")

    def compare(self, name, data):
        self.known(name)
        kind, settings, _ = OPTIMIZERS[name]
        settings = {**settings, "lr": settings["lr"] * RATES[type(data)]}
        for dtype, bound in BOUNDS.items():
            with self.subTest(dtype=dtype):
                theirs, ours = (losses_with(data, dtype, self.steps, lambda params, home=home: getattr(home, kind)(params, **settings))
                                for home in (torch.optim, talweg.torch))
                self.assertLess(theirs[-1], theirs[0], "torch's optimizer learns nothing: the comparison shows little")
                self.assertNotEqual(theirs[-1], theirs[-2])
                found = difference(ours, theirs)
                print(f"{name}, {type(data).__name__}, {dtype}, {self.steps} steps: losses differ by {found:.1e}, "
                      f"{theirs[0]:.3f} to {theirs[-1]:.3f}", flush=True)
                self.assertLess(found, max(bound(self.steps), ROUGH.get(name, 0)))

    def notice(self, name, data):
        """The same comparison with a formula that is not torch's must fail."""
        self.known(name)
        kind, settings, wrong = OPTIMIZERS[name]
        for dtype, bound in BOUNDS.items():
            with self.subTest(dtype=dtype):
                theirs = losses_with(data, dtype, STEPS, lambda params: getattr(torch.optim, kind)(params, **settings))
                ours = losses_with(data, dtype, STEPS, lambda params: talweg.torch.Optimizer(params, rule=wrong, **hypers_of(settings)))
                found = difference(ours, theirs)
                print(f"{wrong} for {name}, {type(data).__name__}, {dtype}: losses differ by {found:.1e}", flush=True)
                self.assertGreater(found, 2 * max(bound(STEPS), ROUGH.get(name, 0)))


def add_comparisons():
    for name in OPTIMIZERS:
        for data in (small_models.Digits, small_models.Text):
            def compare(self, name=name, data=data):
                self.compare(name, data())
            setattr(SideBySide, f"test_{name}_on_{data.__name__.lower()}", compare)

        def notice(self, name=name):
            self.notice(name, small_models.Digits())
        setattr(SideBySide, f"test_wrong_{name}_is_noticed", notice)


add_comparisons()


if __name__ == "__main__":
    if "--steps" in sys.argv:
        place = sys.argv.index("--steps")
        SideBySide.steps = int(sys.argv[place + 1])
        del sys.argv[place:place + 2]
    support.main()
