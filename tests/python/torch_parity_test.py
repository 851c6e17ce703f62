"""Every class that torch.optim has too, beside it: the same parameters after 20 steps."""
import copy
import os
import pickle
import subprocess
import tempfile
import unittest

from torch_support import Case, VERSION, give_gradients, run_both, torch, twins, values

import talweg
import talweg.torch

SHAPES = ((7, 5), (3,), (), (2, 3, 4), (0, 3))

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.01, "lr": 1e-3}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.1}),
    ("Adagrad", {"maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"weight_decay": 0.1, "rho": 0.8}),
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.1, "betas": (0.8, 0.99), "eps": 1e-6}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "lr": 0.01}),
    ("AdamW", {"amsgrad": True, "maximize": True}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"momentum_decay": 0.01}),
    ("RAdam", {"weight_decay": 0.1}),
    ("ASGD", {"weight_decay": 0.1}),
    ("ASGD", {"t0": 5, "lr": 0.1, "lambd": 1e-3, "alpha": 0.6}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.4, 1.3), "step_sizes": (1e-5, 0.02)}),
]
#: Arguments that came later.
LATER = [
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}, (2, 1)),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}, (2, 2)),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}, (2, 7)),
    ("RMSprop", {"maximize": True}, (2, 0)),
    ("Rprop", {"maximize": True}, (2, 0)),
    ("NAdam", {"maximize": True}, (2, 2)),
]


class Parity(Case):
    def beside(self, name, arguments, dtype, most):
        own, theirs = twins(*SHAPES, dtype=dtype)
        optimizer = getattr(talweg.torch, name)(own, **arguments)
        reference = getattr(torch.optim, name)(theirs, **arguments)
        start = values(own)
        run_both(optimizer, own, reference, theirs, 20)
        self.assertMoved([a for a in own if a.numel()], [a for a in start if a.numel()])
        self.assertClose(own, theirs, most)

    def all_cases(self):
        cases = CASES + [(name, arguments) for name, arguments, version in LATER if VERSION >= version]
        for name, arguments in cases:
            if name == "NAdam" and VERSION < (2, 0):
                continue  # test_nadam_of_torch_1_13
            yield name, arguments

    def test_float32(self):
        for name, arguments in self.all_cases():
            with self.subTest(name, **arguments):
                self.beside(name, arguments, torch.float32, 1e-6)

    def test_float64(self):
        # NAdam and ASGD of torch keep numbers such as the product of mu in the default type.
        torch.set_default_dtype(torch.float64)
        self.addCleanup(torch.set_default_dtype, torch.float32)
        for name, arguments in self.all_cases():
            with self.subTest(name, **arguments):
                self.beside(name, arguments, torch.float64, 1e-12)

    @unittest.skipIf(VERSION >= (2, 0), "torch 2.0 and later multiply mu once")
    def test_nadam_of_torch_1_13(self):
        """It multiplied mu once too often, for which the rule has an option."""
        own, theirs = twins(*SHAPES)
        optimizer = talweg.torch.Optimizer(own, "NAdam(product = torch_1_13)")
        reference = torch.optim.NAdam(theirs)
        run_both(optimizer, own, reference, theirs, 20)
        self.assertClose(own, theirs)

    def test_defaults_are_those_of_torch(self):
        for name in talweg.torch.LIKE:
            with self.subTest(name):
                (own, theirs) = twins((2,))
                needed = {"lr": 1e-3} if name == "SGD" and VERSION < (2, 2) else {}
                group = getattr(talweg.torch, name)(own, **needed).param_groups[0]
                defaults = dict(getattr(torch.optim, name)(theirs, **needed).defaults)
                if name == "AdamW":
                    defaults.pop("decoupled_weight_decay", None)  # which is what AdamW is
                for key, value in defaults.items():
                    self.assertEqual(group[key] or None, value or None, key)

    def test_arguments_that_are_not_served_are_named(self):
        for name in ("foreach", "capturable", "differentiable", "fused"):
            with self.subTest(name):
                talweg.torch.AdamW(twins((2,))[0], **{name: False})
                with self.assertRaisesRegex(ValueError, f"{name}=True is not served"):
                    talweg.torch.AdamW(twins((2,))[0], **{name: True})
        with self.assertRaisesRegex(TypeError, "momentun"):
            talweg.torch.SGD(twins((2,))[0], lr=0.1, momentun=0.9)
        with self.assertRaisesRegex(ValueError, "Nesterov momentum requires a momentum and zero dampening"):
            talweg.torch.SGD(twins((2,))[0], lr=0.1, nesterov=True)


class Classes(Case):
    def test_a_class_for_every_rule(self):
        own, other = twins((4, 3))
        optimizer = talweg.torch.Lion(own, lr=0.01)
        reference = talweg.torch.Optimizer(other, "Lion", lr=0.01)
        run_both(optimizer, own, reference, other, 3)
        self.assertSame(own, other)
        self.assertIs(talweg.torch.Lion, type(optimizer))
        self.assertIn("sign of an interpolated momentum", talweg.torch.Lion.__doc__)

    def test_its_signature_has_the_hypers(self):
        import inspect
        signature = inspect.signature(talweg.torch.Lion)
        self.assertEqual(signature.parameters["lr"].default, 1e-4)
        self.assertIn("weight_decay", signature.parameters)

    def test_constants_of_a_rule_are_arguments_too(self):
        optimizer = talweg.torch.Yogi(twins((2,))[0])
        self.assertEqual(optimizer.rule.name, "Yogi")
        optimizer = talweg.torch.HeavyBall(twins((2,))[0], lr_inside=True, reset_every=3)
        self.assertEqual(optimizer.state_dict()["talweg"]["rule"], "HeavyBall(lr_inside = true, reset_every = 3)")
        with self.assertRaisesRegex(talweg.CompileError, "lr_inside_out"):
            talweg.torch.HeavyBall(twins((2,))[0], lr_inside_out=True)

    def test_unknown_classes(self):
        with self.assertRaisesRegex(AttributeError, "Adamm"):
            talweg.torch.Adamm
        self.assertFalse(hasattr(talweg.torch, "no_rule"))

    def test_they_are_in_dir(self):
        names = dir(talweg.torch)
        self.assertEqual(names, sorted(set(names)))
        self.assertLessEqual({*talweg.torch.LIKE, "Optimizer", "Lion", *(rule.name for rule in talweg.rules())}, set(names))
        for name in names:
            self.assertEqual(getattr(talweg.torch, name).__module__, "talweg.torch", name)

    def test_rules_from_everywhere(self):
        text = "rule Half {\n  hyper lr = 0.5 in [0, 1]\n  step {\n    update = lr * grad\n  }\n}\n"
        for rule in (talweg.compile(text=text), talweg.compile(text=text, dtype="float64")):
            for dtype in (torch.float32, torch.float64):
                own, = twins((3,), dtype=dtype)[:1]
                before = values(own)
                own[0].grad = torch.ones(3, dtype=dtype)
                talweg.torch.Optimizer(own, rule).step()
                self.assertSame(own, [before[0] - 0.5])
        with self.assertRaisesRegex(talweg.CompileError, "AdamX"):
            talweg.torch.Optimizer(twins((3,))[0], "AdamX")
        for wrong, called in ((3, "int"), (talweg.torch.AdamW, "AdamW")):
            with self.assertRaisesRegex(TypeError, f"a rule is an expression.*, not {called}$"):
                talweg.torch.Optimizer(twins((3,))[0], wrong)

    def test_rules_of_built_libraries(self):
        """Of one type, and without a text."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        subprocess.run([os.environ["TALWEG_PROGRAM"], "build", "--rule", "AdamW", "-o", folder.name], check=True,
                       capture_output=True)
        library = talweg.load(folder.name)
        own, other = twins((3, 2))
        optimizer, reference = talweg.torch.Optimizer(own, library, lr=0.1), talweg.torch.Optimizer(other, "AdamW", lr=0.1)
        run_both(optimizer, own, reference, other, 3)
        self.assertSame(own, other)
        again, copied = copy.deepcopy((optimizer, own))
        again.load_state_dict(reference.state_dict())
        give_gradients(own, copied, seed=4)
        optimizer.step()
        again.step()
        self.assertSame(own, copied)
        self.assertEqual(pickle.loads(pickle.dumps(optimizer)).steps, optimizer.steps)
        with self.assertRaisesRegex(ValueError, "maximize cannot be added to AdamW, which is built"):
            talweg.torch.Optimizer(own, library, maximize=True)
        with self.assertRaisesRegex(talweg.Error, "it is built for float32"):
            talweg.torch.Optimizer(twins((2,), dtype=torch.float64)[0], library)
        with self.assertRaisesRegex(ValueError, "is not contiguous"):
            talweg.torch.Optimizer([torch.nn.Parameter(torch.ones(2, 3).t())], library)

    def test_maximize(self):
        up, down = twins((3,))
        before = values(up)
        one = talweg.torch.Optimizer(up, talweg.compile("AdamW(weight_decay = 0)"), maximize=True, lr=0.1)
        other = talweg.torch.Optimizer(down, "AdamW(weight_decay = 0)", lr=0.1)
        give_gradients(up, down, seed=1)
        one.step()
        other.step()
        self.assertClose([up[0] - before[0]], [before[0] - down[0]])


if __name__ == "__main__":
    unittest.main()
