"""Groups, hypers in them, schedulers, and parameters that come later."""
import unittest
import warnings

from torch_support import Case, give_gradients, parameters, run, run_both, torch, twins, values

import talweg
import talweg.torch
from torch.optim import lr_scheduler

PIPELINE = "ClipByGlobalNorm(1) | AdamW"


def choosing(condition):
    """A rule that halves some parameters and leaves the others."""
    return ("rule Half {\n  step {\n    update = 0.5 * param\n  }\n}\n\n"
            "rule Choosing {\n  hyper lr = 0 in [0, inf)\n\n"
            f"  when {condition}: Half\n  otherwise: SGD(lr = lr)\n}}\n")


class Groups(Case):
    def test_hypers_of_their_own(self):
        own, theirs = twins((4,), (5,), (6,))
        arguments = dict(lr=0.1, weight_decay=0.2)
        groups = lambda p: [{"params": p[:1]}, {"params": p[1:], "lr": 0.01, "betas": (0.5, 0.6)}]
        optimizer = talweg.torch.AdamW(groups(own), **arguments)
        reference = torch.optim.AdamW(groups(theirs), **arguments)
        run_both(optimizer, own, reference, theirs, 5)
        self.assertClose(own, theirs)

    def test_by_the_names_of_the_rule(self):
        optimizer = talweg.torch.Optimizer([{"params": parameters((2,))}, {"params": parameters((3,)), "beta1": 0.5}], PIPELINE,
                                           lr=0.25, max_norm=2)
        one, other = optimizer.param_groups
        self.assertEqual((one["lr"], one["beta1"], one["max_norm"]), (0.25, 0.9, 2))
        self.assertEqual((other["lr"], other["beta1"]), (0.25, 0.5))

    def test_changes_take_effect(self):
        own, = parameters((3,)),
        optimizer = talweg.torch.GradientDescent(own, lr=1.0)
        for lr in (1.0, 0.5, torch.tensor(0.25), 0):
            before = values(own)
            own[0].grad = torch.ones(3)
            optimizer.param_groups[0]["lr"] = lr
            optimizer.step()
            self.assertSame(own, [before[0] - float(lr)])

    def test_a_tensor_that_changes_in_place(self):
        own, lr = parameters((3,)), torch.tensor(0.5)
        optimizer = talweg.torch.GradientDescent(own, lr=lr)
        for value in (0.5, 0.125):
            lr.fill_(value)
            before = values(own)
            own[0].grad = torch.ones(3)
            optimizer.step()
            self.assertSame(own, [before[0] - value])

    def test_what_else_changes_in_place(self):
        decay = torch.nn.Parameter(torch.tensor(0.5))
        for make, change, hyper in (
                (lambda: {"betas": [0.5, 0.75]}, lambda given: given["betas"].__setitem__(0, 0.25), "beta1"),
                (lambda: {"betas": (torch.tensor(0.5), 0.75)}, lambda given: given["betas"][0].fill_(0.25), "beta1"),
                (lambda: {"weight_decay": decay}, lambda given: decay.data.fill_(0.25), "weight_decay")):
            given, own = make(), parameters((3,))
            with self.subTest(**given):
                optimizer = talweg.torch.Adam(own, **given)
                run(optimizer, own, 2)
                change(given)
                run(optimizer, own, 1)
                self.assertEqual(optimizer._bound.engine.hyper(hyper), 0.25)

    def test_values_out_of_range_name_group_and_hyper(self):
        def make(**arguments):
            return talweg.torch.Optimizer(
                [{"params": parameters((2,))}, {"params": parameters((2,), seed=1), **arguments}], "AdamW")
        for wrong, said in (({"lr": -1}, r"Invalid lr of group 1: -1 is not in \[0, inf\)"),
                            ({"beta1": 1.0}, r"Invalid beta1 of group 1: 1 is not in \[0, 1\)"),
                            ({"eps": 0}, r"Invalid eps of group 1: 0 is not in \(0, inf\)"),
                            ({"lr": float("nan")}, "Invalid lr of group 1: nan"),
                            ({"lr_": 0.1}, "did you mean 'lr'")):
            with self.subTest(**wrong), self.assertRaisesRegex(ValueError, said):
                make(**wrong)
        for wrong in ({"lr": "much"}, {"lr": "0.1"}, {"lr": None}, {"lr": torch.ones(2)}, {"lr": torch.tensor(1j)},
                      {"lr": torch.tensor(1, device="meta")}):
            with self.subTest(**wrong), self.assertRaisesRegex(TypeError, "lr of group 1"):
                make(**wrong)
        with self.assertRaisesRegex(TypeError, "no hyper 'momentum'.*beta1"):
            talweg.torch.Optimizer(parameters((2,)), "AdamW", momentum=0.9)
        with self.assertRaisesRegex(ValueError, "betas of group 0.*has 3 parts"):
            talweg.torch.Adam(parameters((2,)), betas=(0.1, 0.2, 0.3))
        with self.assertRaisesRegex(TypeError, "betas of group 0 is 0.9: 2 numbers are needed"):
            talweg.torch.Adam(parameters((2,)), betas=0.9)

    def test_refused_values_later_change_nothing(self):
        own = parameters((2,))
        optimizer = talweg.torch.Adam(own)
        run(optimizer, own, 1)
        before = values(own)
        optimizer.param_groups[0]["lr"] = -1
        for _ in range(2):
            with self.assertRaisesRegex(ValueError, "Invalid lr of group 0"):
                run(optimizer, own, 1)
        self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 1)
        optimizer.param_groups[0]["lr"] = 0.1
        run(optimizer, own, 1)
        self.assertMoved(own, before)
        del optimizer.param_groups[0]["lr"]
        with self.assertRaisesRegex(ValueError, "no 'lr' any more"):
            run(optimizer, own, 1)

    def test_what_is_compiled_in_cannot_change(self):
        own = parameters((2,))
        optimizer = talweg.torch.Adam(own)
        optimizer.param_groups[0]["amsgrad"] = True
        with self.assertRaisesRegex(ValueError, "amsgrad of group 0 is True.*compiled into the rule"):
            run(optimizer, own, 1)
        with self.assertRaisesRegex(ValueError, "nesterov of group 0"):
            talweg.torch.SGD([{"params": own, "nesterov": True}], lr=0.1, momentum=0.9)

    def test_a_momentum_in_one_group(self):
        own, theirs = twins((2,), (3,))
        groups = lambda p: [{"params": p[:1]}, {"params": p[1:], "momentum": 0.9}]
        optimizer, reference = talweg.torch.SGD(groups(own), lr=0.1), torch.optim.SGD(groups(theirs), lr=0.1)
        run_both(optimizer, own, reference, theirs, 4)
        self.assertClose(own, theirs)

    def test_no_momentum_in_one_group(self):
        """Nor is anything dampened there."""
        own, theirs = twins((2,), (3,))
        make = lambda module, p: module.SGD([{"params": p[:1]}, {"params": p[1:], "momentum": 0}], lr=0.1, momentum=0.9,
                                            dampening=0.5)
        run_both(make(talweg.torch, own), own, make(torch.optim, theirs), theirs, 4)
        self.assertClose(own, theirs)

    def test_tags_and_splits(self):
        own = parameters((4,), (5,))
        rule = talweg.compile("Choosing", text=choosing('tagged("decay")'))
        optimizer = talweg.torch.Optimizer([{"params": own[:1], "tags": ("decay",)}, {"params": own[1:]}], rule)
        before = values(own)
        run(optimizer, own, 1)
        self.assertSame(own, [before[0] * 0.5, before[1]])
        cubes = parameters((2, 3, 4))
        optimizer = talweg.torch.Optimizer([{"params": cubes, "split": "last_two"}], "Adafactor")
        run(optimizer, cubes, 1)
        self.assertEqual([optimizer.state[cubes[0]][name].numel() for name in "rc"], [6, 8])
        with self.assertRaisesRegex(ValueError, "the split of '0' is 'middle'"):
            run(talweg.torch.Optimizer([{"params": cubes, "split": "middle"}], "Adafactor"), cubes, 1)

    def test_hypers_of_the_model(self):
        text = ("rule Once {\n  hyper model lr = 0.5 in [0, 1]\n  step {\n    update = lr * grad\n  }\n}\n")
        rule = talweg.compile(text=text)
        optimizer = talweg.torch.Optimizer([{"params": parameters((2,))}, {"params": parameters((2,), seed=1), "lr": 0.1}], rule)
        with self.assertRaisesRegex(ValueError, "one value for the whole model"):
            optimizer.step()


class Later(Case):
    def test_add_param_group(self):
        own, other = twins((4,), (5,))
        optimizer = talweg.torch.Optimizer(own[:1], "AdamW", lr=0.1)
        alone = talweg.torch.Optimizer(other[:1], "AdamW", lr=0.1)
        run(optimizer, own[:1], 3)
        run(alone, other[:1], 3)
        optimizer.add_param_group({"params": own[1:], "lr": 0.01})
        before = values(own[1:])
        give_gradients(own, seed=7)
        other[0].grad = own[0].grad.clone()
        optimizer.step()
        alone.step()
        self.assertSame(own[:1], other[:1])
        self.assertMoved(own[1:], before)
        self.assertEqual(optimizer.steps, 4)
        self.assertEqual([group["lr"] for group in optimizer.param_groups], [0.1, 0.01])

    def test_lists_that_others_change(self):
        """Some tools put other parameters into the groups, or take some out."""
        own, new = parameters((4,), (5,)), parameters((4,), (), seed=3)
        optimizer = talweg.torch.AdamW([{"params": own[:1]}, {"params": own[1:]}], lr=0.1)
        run(optimizer, own, 2)
        optimizer.param_groups[0]["params"][0] = new[0]
        before = values(own + new[:1])
        run(optimizer, own + new[:1], 1)
        self.assertSame(own[:1], before[:1])
        self.assertMoved([own[1], new[0]], before[1:])
        self.assertNotIn(own[0], optimizer.state)
        optimizer.param_groups[0]["params"].append(new[1])
        before = values(new)
        run(optimizer, new, 1)
        self.assertMoved(new, before)
        del optimizer.param_groups[1]
        before = values(own)
        run(optimizer, own, 1)
        self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 5)

    def test_states_that_begin_late(self):
        """An average that starts from the parameter does so when its parameter comes."""
        own = parameters((4,), (5,))
        optimizer = talweg.torch.ASGD(own[:1])
        run(optimizer, own[:1], 3)
        optimizer.add_param_group({"params": own[1:]})
        give_gradients(own, seed=3)
        optimizer.step()
        self.assertLess((optimizer.state[own[1]]["average"] - own[1]).abs().max().item(), 0.1)

    def test_the_same_parameter_twice(self):
        own = parameters((4,))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            optimizer = talweg.torch.GradientDescent(own * 2, lr=1.0)
        self.assertTrue(any("duplicate parameters" in str(entry.message) for entry in said))
        before = values(own)
        own[0].grad = torch.ones(4)
        optimizer.step()
        self.assertSame(own, [before[0] - 1])
        with self.assertRaisesRegex(ValueError, "more than one parameter group"):
            optimizer.add_param_group({"params": own})

    def test_shared_parameters_of_a_module(self):
        one = torch.nn.Linear(3, 3)
        both = torch.nn.Sequential(one, one)
        optimizer = talweg.torch.AdamW(both.parameters())
        both(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        self.assertEqual(len(optimizer.state), 2)

    def test_frozen_later(self):
        own, theirs = twins((4,), (5,))
        optimizer, reference = talweg.torch.SGD(own, lr=0.1, momentum=0.9), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
        for step in range(6):
            give_gradients(own, theirs, seed=step)
            for p in (own, theirs):
                p[1].requires_grad_(step not in (2, 3))
                if step in (2, 3):
                    p[1].grad = None
            optimizer.step()
            reference.step()
        self.assertClose(own, theirs)

    def test_without_any_gradient(self):
        own = parameters((4,))
        before = values(own)
        talweg.torch.AdamW(own).step()
        self.assertSame(own, before)


class Schedulers(Case):
    def beside(self, make, name="AdamW", **arguments):
        own, theirs = twins((4,), (3,))
        optimizer, reference = getattr(talweg.torch, name)(own, **arguments), getattr(torch.optim, name)(theirs, **arguments)
        schedules = make(optimizer), make(reference)
        for step in range(12):
            give_gradients(own, theirs, seed=step)
            for o, s in zip((optimizer, reference), schedules):
                o.step()
                s.step(1.0) if isinstance(s, lr_scheduler.ReduceLROnPlateau) else s.step()
            for key in ("lr", "betas", "momentum"):
                self.assertEqual(optimizer.param_groups[0].get(key), reference.param_groups[0].get(key))
        self.assertClose(own, theirs)

    def test_of_torch(self):
        sequence = lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o, 0.1, 3), lr_scheduler.ExponentialLR(o, 0.9)], [3])
        for name, make in (("lambda", lambda o: lr_scheduler.LambdaLR(o, lambda e: 0.9 ** e)),
                           ("step", lambda o: lr_scheduler.StepLR(o, 3)),
                           ("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 10)),
                           ("one cycle", lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20)),
                           ("cyclic", lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 4, cycle_momentum=False)),
                           ("plateau", lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=2)),
                           ("sequence", sequence)):
            with self.subTest(name), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.beside(make, lr=0.05)

    def test_momentum(self):
        self.beside(lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20), "SGD", lr=0.1, momentum=0.9)
        self.beside(lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 4), "SGD", lr=0.1, momentum=0.9, nesterov=True)
        self.beside(lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20), "RMSprop", lr=0.01, momentum=0.9)
        self.beside(lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.01, 4), "RMSprop", momentum=0.5, centered=True)

    def test_a_whole_cycle_of_rmsprop(self):
        """Where momentum is of one group first, too."""
        for dtype, most in ((torch.float32, 1e-6), (torch.float64, 1e-13)):
            own, theirs = twins((4, 3), (3,), dtype=dtype)
            make = lambda module, p: module.RMSprop([{"params": p[:1]}, {"params": p[1:], "momentum": 0.9}], lr=0.01)
            optimizer, reference = make(talweg.torch, own), make(torch.optim, theirs)
            schedules = [lr_scheduler.OneCycleLR(o, 0.05, total_steps=60) for o in (optimizer, reference)]
            momenta = set()
            for step in range(60):
                give_gradients(own, theirs, seed=step)
                for o, schedule in zip((optimizer, reference), schedules):
                    o.step()
                    if step < 59:
                        schedule.step()
                momenta.add(optimizer.param_groups[0]["momentum"])
            self.assertGreater(len(momenta), 40)
            self.assertEqual(optimizer._bound.engine.hyper("momentum", 1), optimizer.param_groups[1]["momentum"])
            self.assertClose(own, theirs, most)

    def test_they_do_not_warn(self):
        """They wrap step to see whether it is called."""
        own = parameters((3,))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            optimizer = talweg.torch.Lion(own)
            schedule = lr_scheduler.StepLR(optimizer, 1)
            for _ in range(3):
                run(optimizer, own, 1)
                schedule.step()
        self.assertEqual(optimizer.steps, 3)

    def test_any_hyper(self):
        own = parameters((3,))
        optimizer = talweg.torch.Optimizer(own, "AdamW", lr=0.1)
        optimizer.param_groups[0]["weight_decay"] = 0.75
        run(optimizer, own, 1)
        self.assertEqual(optimizer._bound.engine.hyper("weight_decay"), 0.75)

    def test_one_that_is_compiled_in_says_so(self):
        own = parameters((3,))
        optimizer = talweg.torch.RMSprop(own)
        run(optimizer, own, 1)
        self.assertEqual(list(optimizer.state[own[0]]), ["square"])
        lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
        with self.assertRaisesRegex(ValueError, "momentum of group 0"):
            run(optimizer, own, 1)


class Names(Case):
    def test_rules_that_ask_for_them(self):
        own = parameters((4,), (5,))
        rule = talweg.compile("Choosing", text=choosing('named("*.bias")'))
        before = values(own)
        run(talweg.torch.Optimizer(zip(("a.bias", "a.weight"), own), rule), own, 1)
        self.assertSame(own, [before[0] * 0.5, before[1]])
        with self.assertRaisesRegex(ValueError, r"asks for names: give model.named_parameters\(\)"):
            talweg.torch.Optimizer(own, rule)

    def test_in_messages(self):
        module = torch.nn.Linear(2, 2)
        named = list(module.named_parameters())
        optimizer = talweg.torch.AdamW(named)
        self.assertEqual(optimizer.param_groups[0]["param_names"], ["weight", "bias"])
        module.double()
        module(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
        with self.assertRaisesRegex(TypeError, "parameter 'weight' is torch.float64 now"):
            optimizer.step()
        with self.assertRaisesRegex(ValueError, "with/without names"):
            talweg.torch.AdamW([named[0], torch.nn.Parameter(torch.ones(2))])

    def test_of_groups(self):
        module = torch.nn.Linear(2, 2)
        optimizer = talweg.torch.AdamW([{"params": [entry]} for entry in module.named_parameters()])
        self.assertEqual([group["param_names"] for group in optimizer.param_groups], [["weight"], ["bias"]])


if __name__ == "__main__":
    unittest.main()
