"""States as tensors, state dicts of our own and of torch.optim, copies and pickles."""
import copy
import io
import pickle
import unittest

from torch_support import Case, VERSION, give_gradients, parameters, run, since, torch, twins, values

import talweg
import talweg.torch

#: Rules with states of every kind: of elements, rows, tensors, groups and the model, and late ones.
RULES = ("AdamW", "ClipByGlobalNorm(1) | AdamW | Ema", "Adafactor", "NAdam", "SkipNonFinite | SGD(momentum = 0.9)", "ASGD",
         "NovoGrad", "Prodigy", "ScheduleFreeAdamW", "SM3", "Rprop")


def saved(state_dict):
    """To a file and back."""
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    # Before 2.0 weights_only could not read a float.
    return torch.load(file, weights_only=True) if VERSION >= (2, 0) else torch.load(file)


def groups(given):
    return [{"params": given[:1]}, {"params": given[1:], "lr": 0.02}]


SHAPES = ((6, 5), (4,), ())


class States(Case):
    def test_they_are_the_memory_itself(self):
        own, other = twins((4, 3), ())
        optimizer, alone = talweg.torch.SGD(own, lr=1.0, momentum=0.5), talweg.torch.SGD(other, lr=1.0, momentum=0.5)
        self.assertEqual(len(optimizer.state), 0)
        run(optimizer, own, 2)
        run(alone, other, 2)
        self.assertEqual(list(optimizer.state[own[0]]), ["velocity"])
        self.assertEqual(optimizer.state[own[0]]["velocity"].shape, (4, 3))
        for parameter in own:
            optimizer.state[parameter]["velocity"].zero_()
        before = values(own)
        give_gradients(own, seed=5)
        optimizer.step()
        self.assertSame(own, [b - p.grad for b, p in zip(before, own)])
        run(alone, other, 1, 5)

    def test_of_groups_and_the_model(self):
        own = parameters(*SHAPES)
        optimizer = talweg.torch.Optimizer(groups(own), "SkipNonFinite | NAdam")
        run(optimizer, own, 2)
        self.assertEqual(sorted(optimizer.model_state), ["bad", "skipped"])
        self.assertEqual([list(states) for states in optimizer.group_state], [["mu_product"]] * 2)
        self.assertLess(optimizer.group_state[0]["mu_product"].item(), 1)
        optimizer.model_state["skipped"].fill_(7)
        self.assertEqual(optimizer.model_state["skipped"].item(), 7)

    def test_reset(self):
        own = parameters(*SHAPES)
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema")
        run(optimizer, own, 2)
        optimizer.reset()
        self.assertEqual(optimizer.steps, 0)
        fresh_own = [torch.nn.Parameter(p.detach().clone()) for p in own]
        fresh = talweg.torch.Optimizer(fresh_own, "AdamW | Ema")
        run(optimizer, own, 2)
        run(fresh, fresh_own, 2)
        self.assertSame(own, fresh_own)


class RoundTrip(Case):
    def through(self, rule, dtype, way):
        """Interrupted after three steps, by `way`, or not: bit for bit the same."""
        own, other = twins(*SHAPES, dtype=dtype)
        optimizer = talweg.torch.Optimizer(groups(own), rule, lr=0.05)
        straight = talweg.torch.Optimizer(groups(other), rule, lr=0.05)
        run(optimizer, own, 3)
        resumed, resumed_own = way(optimizer, own, rule)
        self.assertEqual(resumed.steps, 3)
        run(resumed, resumed_own, 3, 3)
        run(straight, other, 6)
        self.assertSame(resumed_own, other)
        mine, theirs = resumed.state_dict(), straight.state_dict()
        self.assertEqual(mine["talweg"], theirs["talweg"])
        self.assertEqual(mine["param_groups"], theirs["param_groups"])
        for key in theirs["state"]:
            self.assertEqual(list(mine["state"][key]), list(theirs["state"][key]))
            self.assertSame(list(mine["state"][key].values()), list(theirs["state"][key].values()))

    def all_rules(self, way):
        for rule in RULES:
            for dtype in (torch.float32, torch.float64):
                with self.subTest(rule, dtype=dtype):
                    self.through(rule, dtype, way)

    def test_state_dict(self):
        def way(optimizer, own, rule):
            fresh_own = [torch.nn.Parameter(p.detach().clone()) for p in own]
            fresh = talweg.torch.Optimizer(groups(fresh_own), rule)
            fresh.load_state_dict(saved(optimizer.state_dict()))
            return fresh, fresh_own
        self.all_rules(way)

    def test_into_one_that_has_stepped(self):
        def way(optimizer, own, rule):
            fresh_own = [torch.nn.Parameter(p.detach().clone()) for p in own]
            fresh = talweg.torch.Optimizer(groups(fresh_own), rule)
            run(fresh, fresh_own, 5)
            fresh.load_state_dict(saved(optimizer.state_dict()))
            for one, other in zip(fresh_own, own):
                one.data.copy_(other)
            return fresh, fresh_own
        self.all_rules(way)

    def test_deepcopy(self):
        def way(optimizer, own, rule):
            both = copy.deepcopy((optimizer, own))
            run(optimizer, own, 1)
            return both
        self.all_rules(way)

    def test_pickle(self):
        self.all_rules(lambda optimizer, own, rule: pickle.loads(pickle.dumps((optimizer, own))))

    def test_of_classes(self):
        own = parameters((3,))
        for optimizer in (talweg.torch.RMSprop(own, momentum=0.9, lr=0.01), talweg.torch.Lion(own), talweg.torch.SGD(own, lr=1)):
            run(optimizer, own, 2)
            again, mine = pickle.loads(pickle.dumps((optimizer, own)))
            self.assertIs(type(again), type(optimizer))
            self.assertEqual(again.steps, 2)
            self.assertEqual(str(again), str(optimizer))
            run(again, mine, 1, 2)
            before = values(own)
            run(optimizer, own, 1, 2)
            self.assertSame(own, mine)
            self.assertMoved(own, before)

    def test_before_the_first_step(self):
        own = parameters((3,))
        optimizer = talweg.torch.AdamW(own)
        state_dict = saved(optimizer.state_dict())
        self.assertEqual(state_dict["state"], {})
        run(optimizer, own, 2)
        optimizer.load_state_dict(state_dict)
        self.assertEqual(optimizer.steps, 0)
        self.assertSame([optimizer.state[own[0]]["m"]], [torch.zeros(3)])
        self.assertEqual(copy.deepcopy(talweg.torch.AdamW(own)).steps, 0)

    def test_hypers_come_along(self):
        own = parameters((3,))
        optimizer = talweg.torch.AdamW(own, lr=0.3)
        optimizer.param_groups[0]["initial_lr"] = 0.7
        run(optimizer, own, 1)
        other = talweg.torch.AdamW(parameters((3,)))
        other.load_state_dict(saved(optimizer.state_dict()))
        self.assertEqual((other.param_groups[0]["lr"], other.param_groups[0]["initial_lr"]), (0.3, 0.7))
        run(other, other.param_groups[0]["params"], 1)
        self.assertEqual(other._bound.engine.hyper("lr"), 0.3)

    @since(2, 5, "hooks of state dicts and names of parameters")
    def test_hooks(self):
        own, seen = parameters((3,)), []
        optimizer = talweg.torch.AdamW([("w", own[0])])
        run(optimizer, own, 1)
        optimizer.register_load_state_dict_pre_hook(lambda o, d: seen.append("before"))
        optimizer.register_load_state_dict_post_hook(lambda o: seen.append("after"))
        optimizer.load_state_dict(optimizer.state_dict())
        self.assertEqual(seen, ["before", "after"])
        self.assertEqual(optimizer.state_dict()["param_groups"][0]["param_names"], ["w"])


class Refused(Case):
    def setUp(self):
        self.own = parameters((3,), (2,))
        self.optimizer = talweg.torch.Optimizer([("w", self.own[0]), ("b", self.own[1])], "AdamW")
        run(self.optimizer, self.own, 2)
        self.good = copy.deepcopy(self.optimizer.state_dict())

    def refuse(self, said, change):
        wrong = copy.deepcopy(self.good)
        change(wrong)
        run(self.optimizer, self.own, 1)
        before = copy.deepcopy(self.optimizer.state_dict())
        with self.assertRaisesRegex(ValueError, said):
            self.optimizer.load_state_dict(wrong)
        after = self.optimizer.state_dict()
        self.assertEqual(after["talweg"], before["talweg"])
        self.assertEqual(after["param_groups"], before["param_groups"])
        for key, states in before["state"].items():
            self.assertSame(list(after["state"][key].values()), list(states.values()))

    def test_what_does_not_fit(self):
        def put(value, *path):
            def change(state_dict):
                for key in path[:-1]:
                    state_dict = state_dict[key]
                state_dict[path[-1]] = value
            return change
        self.refuse("no state 'm' of parameter 'b'", lambda d: d["state"][1].pop("m"))
        self.refuse("no state 'm' of parameter 'w'", lambda d: d["state"].pop(0))
        self.refuse("a state 'x' of parameter 'w', which the rule does not have", put(torch.ones(3), "state", 0, "x"))
        self.refuse(r"'m' of parameter 'w' .* has shape \(4,\), here it has \(3,\)", put(torch.ones(4), "state", 0, "m"))
        self.refuse("'m' of parameter 'w' .* is torch.bfloat16, here it is torch.float32",
                    put(torch.ones(3, dtype=torch.bfloat16), "state", 0, "m"))
        self.refuse("'m' of parameter 'w' .* is no tensor but float", put(1.0, "state", 0, "m"))
        self.refuse("of the rule Adam for float32; this is AdamW", put("Adam", "talweg", "rule"))
        self.refuse("for float64; this is AdamW for float32", put("float64", "talweg", "dtype"))
        self.refuse("format 2 of a newer talweg", put(2, "talweg", "format"))
        self.refuse("states of parameter 7, which is in no group", put({}, "state", 7))
        self.refuse("different number of parameter groups: 0, not 1", put([], "param_groups"))
        self.refuse("group 0: 1, not 2", put([0], "param_groups", 0, "params"))
        self.refuse("Invalid lr of group 0: -1", put(-1, "param_groups", 0, "lr"))

    def test_constants_are_part_of_the_rule(self):
        other = talweg.torch.Optimizer(parameters((3,), (2,)), "AdamW(eps_place = raw)")
        with self.assertRaisesRegex(ValueError, r"of the rule AdamW for float32; this is AdamW\(eps_place = raw\)"):
            other.load_state_dict(self.good)


FORMATS = (
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}), ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"weight_decay": 0.1}), ("Adam", {"amsgrad": True}), ("AdamW", {"betas": (0.8, 0.95)}), ("AdamW", {"amsgrad": True}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.9}), ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.1}), ("Adadelta", {}), ("Adamax", {}), ("RAdam", {}),
    ("NAdam", {"momentum_decay": 0.1}), ("ASGD", {"t0": 3, "lambd": 0.01}), ("ASGD", {"weight_decay": 0.1}),
    ("Rprop", {"etas": (0.4, 1.3), "step_sizes": (1e-5, 0.02)}),
)


class FromAndToTorch(Case):
    def test_to_and_fro(self):
        """Ours, then torch's, then ours again, beside torch's alone."""
        self.addCleanup(torch.set_default_dtype, torch.get_default_dtype())
        for name, arguments in FORMATS:
            if name == "NAdam" and VERSION < (2, 0):
                continue  # test_nadam_of_torch_1_13
            for dtype in (torch.float32, torch.float64):
                with self.subTest(name, dtype=dtype, **arguments):
                    torch.set_default_dtype(dtype)  # torch's own numbers, such as NAdam's mu_product, are of it
                    own, theirs = twins(*SHAPES, dtype=dtype)
                    ours = getattr(talweg.torch, name)(own, **arguments)
                    reference = getattr(torch.optim, name)(theirs, **arguments)
                    run(ours, own, 4)
                    middle = getattr(torch.optim, name)(own, **{"lr": 9.0, **arguments, "lr": 9.0})
                    middle.load_state_dict(saved(ours.torch_state_dict()))
                    run(middle, own, 4, 4)
                    last = getattr(talweg.torch, name)(own, **{**arguments, "lr": 7.0})
                    last.load_state_dict(saved(middle.state_dict()))
                    run(last, own, 4, 8)
                    run(reference, theirs, 12)
                    self.assertClose(own, theirs, 2e-6 if dtype == torch.float32 else 1e-12)
                    self.assertEqual(last.param_groups[0]["lr"], reference.param_groups[0]["lr"])

    @unittest.skipIf(VERSION >= (2, 0), "torch 2.0 and later multiply mu once")
    def test_nadam_of_torch_1_13(self):
        own, theirs = twins(*SHAPES)
        reference = torch.optim.NAdam(theirs)
        run(reference, theirs, 3)
        for mine, other in zip(own, theirs):
            mine.data.copy_(other.data)
        ours = talweg.torch.Optimizer(own, "NAdam(product = torch_1_13)")
        ours.load_state_dict(saved(reference.state_dict()))
        run(reference, theirs, 3, 3)
        run(ours, own, 3, 3)
        self.assertClose(own, theirs)

    def test_numbers_of_groups(self):
        """NAdam's product of momenta, which torch has of every parameter."""
        own = parameters(*SHAPES)
        groups_ = lambda: [{"params": own[:1]}, {"params": own[1:], "momentum_decay": 0.5}]
        reference = torch.optim.NAdam(groups_())
        run(reference, own, 3)
        good = reference.state_dict()
        ours = talweg.torch.NAdam(groups_())
        ours.load_state_dict(good)
        products = [states["mu_product"].item() for states in ours.group_state]
        self.assertEqual(products, [good["state"][i]["mu_product"].item() for i in (0, 1)])
        self.assertNotEqual(*products)
        exported = ours.torch_state_dict()
        for i in range(3):
            self.assertEqual(exported["state"][i]["mu_product"].item(), products[min(i, 1)])
        wrong = copy.deepcopy(good)
        wrong["state"][2]["mu_product"] += 0.25
        with self.assertRaisesRegex(ValueError, "mu_product of parameter 1 of group 1, .* of another parameter of its group"):
            ours.load_state_dict(wrong)
        del wrong["state"][2]["mu_product"]
        with self.assertRaisesRegex(ValueError, "no state 'mu_product' of parameter 1 of group 1"):
            ours.load_state_dict(wrong)
        self.assertEqual([states["mu_product"].item() for states in ours.group_state], products)

    def test_numbers_that_the_rule_computes(self):
        """ASGD's rates: torch keeps those of its next step."""
        own, good = self.make("ASGD", t0=1, lambd=0.01)
        ours = talweg.torch.ASGD(own)
        ours.load_state_dict(good)
        for states in ours.torch_state_dict()["state"].values():
            self.assertAlmostEqual(states["eta"].item(), good["state"][0]["eta"].item(), 9)
            self.assertEqual((states["mu"].item(), good["state"][0]["mu"].item()), (0.5, 0.5))
        late = copy.deepcopy(good)
        late["param_groups"][0]["lr"] = 0.02  # by a scheduler, after the step
        with self.assertRaisesRegex(ValueError, "eta of parameter 0 .* is 0.00999.* at step 3 gives 0.01999.*after a change of hypers"):
            talweg.torch.ASGD(own).load_state_dict(late)
        late = copy.deepcopy(good)
        late["param_groups"][0]["t0"] = 2
        with self.assertRaisesRegex(ValueError, "mu of parameter 0 .* is 0.5 .* at step 3 gives 1:"):
            talweg.torch.ASGD(own).load_state_dict(late)

    def test_states_that_have_not_begun(self):
        """A parameter without a gradient so far is exported with the values that it will begin with."""
        for name, state, arguments, expected in (
                ("Adagrad", "sum", {"initial_accumulator_value": 0.5}, lambda p: torch.full((2,), 0.5)),
                ("Rprop", "step_size", {"lr": 0.25}, lambda p: torch.full((2,), 0.25)),
                ("ASGD", "ax", {}, lambda p: p)):
            with self.subTest(name):
                own = parameters((3,), (2,))
                ours = getattr(talweg.torch, name)(own, **arguments)
                own[0].grad = torch.ones(3)
                ours.step()
                self.assertSame([ours.torch_state_dict()["state"][1][state]], [expected(own[1])])
                again = pickle.loads(pickle.dumps((ours, own)))[0]
                self.assertSame([again.torch_state_dict()["state"][1][state]], [expected(own[1])])

    def test_a_momentum_in_one_group(self):
        """Torch has no buffers where the momentum is 0."""
        for name, count in (("SGD", 1), ("RMSprop", 2)):
            with self.subTest(name):
                own, theirs = twins(*SHAPES)
                make = lambda module, p: getattr(module, name)([{"params": p[:count]}, {"params": p[count:], "momentum": 0.9}],
                                                               lr=0.01)
                reference = make(torch.optim, theirs)
                run(reference, theirs, 3)
                for mine, other in zip(own, theirs):
                    mine.data.copy_(other.data)
                ours = make(talweg.torch, own)
                ours.load_state_dict(saved(reference.state_dict()))
                run(reference, theirs, 3, 3)
                run(ours, own, 3, 3)
                self.assertClose(own, theirs)
                back = make(torch.optim, own)
                back.load_state_dict(saved(ours.torch_state_dict()))
                run(reference, theirs, 3, 6)
                run(back, own, 3, 6)
                self.assertClose(own, theirs)

    def test_constants_of_expressions(self):
        """What a class has as an argument is a constant of the rule in an expression."""
        for rule, name, group in (("SGD(momentum = 0.5, nesterov = true)", "SGD", {"momentum": 0.5, "nesterov": True}),
                                  ("RMSprop(centered = true, momentum = 0.9)", "RMSprop", {"centered": True, "momentum": 0.9}),
                                  ("norm = ClipByGlobalNorm(1) | a = AMSGrad(decoupled = true) | Ema", "AdamW", {"amsgrad": True}),
                                  ("NAdam(decoupled = true)", "NAdam", {"decoupled_weight_decay": True}),
                                  ("RAdam(decoupled = true)", "RAdam", {"decoupled_weight_decay": True})):
            if "decoupled_weight_decay" in group and VERSION < (2, 2):
                continue
            with self.subTest(rule):
                own = parameters(*SHAPES)
                optimizer = talweg.torch.Optimizer(own, rule, lr=0.01)
                run(optimizer, own, 2)
                exported = optimizer.torch_state_dict()
                for key, value in group.items():
                    self.assertEqual(exported["param_groups"][0][key], value)
                reference = getattr(torch.optim, name)(own, lr=1.0, **group)
                reference.load_state_dict(exported)
                optimizer.load_state_dict(reference.state_dict())
                key, value = next(iter(group.items()))
                wrong = reference.state_dict()
                wrong["param_groups"][0][key] = not value
                with self.assertRaisesRegex(ValueError, f"{key} of group 0 is"):
                    optimizer.load_state_dict(wrong)

    def test_maximize(self):
        """As a stage, a constant or an argument."""
        own = parameters((3,))
        for make, up in ((lambda: talweg.torch.Optimizer(own, "Maximize | SGD"), True),
                         (lambda: talweg.torch.Optimizer(own, "SGD(maximize = true)"), True),
                         (lambda: talweg.torch.Optimizer(own, "Maximize | SGD(maximize = true)"), False),
                         (lambda: talweg.torch.SGD(own, maximize=True), True), (lambda: talweg.torch.SGD(own), False)):
            exported = make().torch_state_dict()
            self.assertEqual(exported["param_groups"][0]["maximize"], up)
            make().load_state_dict(exported)
            exported["param_groups"][0]["maximize"] = not up
            with self.assertRaisesRegex(ValueError, f"maximize of group 0 is {not up}"):
                make().load_state_dict(exported)

    @unittest.skipIf(VERSION >= (2, 0), "torch 2.0 and later have these arguments")
    def test_arguments_that_torch_1_13_has_not(self):
        own = parameters((3,))
        for optimizer, key in ((talweg.torch.RAdam(own, maximize=True), "maximize"),
                               (talweg.torch.NAdam(own, decoupled_weight_decay=True), "decoupled_weight_decay")):
            with self.assertRaisesRegex(ValueError, f"of torch 1.13.* has no {key}"):
                optimizer.torch_state_dict()

    def test_forms_that_torch_has_not(self):
        own = parameters((3,))
        for rule, said in (("RMSprop(eps_place = inside)", "torch.optim.RMSprop has nothing for 'eps_place'"),
                           ("Rprop(sign_change = keep)", "torch.optim.Rprop has nothing for 'sign_change'"),
                           ("SGD(0.1, momentum = 0.9)", "torch.optim.SGD has nothing for '0.1'"),
                           ("AdamW(lr = warmup_cosine(t, peak = 1e-2, warmup = 5, total = 100))",
                            "has no hyper 'lr' of its own that torch.optim.AdamW could go on with")):
            with self.subTest(rule), self.assertRaisesRegex(ValueError, said):
                talweg.torch.Optimizer(own, rule).torch_state_dict()

    def test_into_a_pipeline(self):
        own, theirs = twins(*SHAPES)
        reference = torch.optim.AdamW(theirs, lr=0.05, betas=(0.8, 0.95))
        run(reference, theirs, 3)
        for mine, other in zip(own, theirs):
            mine.data.copy_(other.data)
        ours = talweg.torch.Optimizer(own, "ClipByGlobalNorm(1e9) | AdamW | Ema")
        ours.load_state_dict(saved(reference.state_dict()))
        group = ours.param_groups[0]
        self.assertEqual((group["lr"], group["beta1"], group["beta2"], group["max_norm"]), (0.05, 0.8, 0.95, 1e9))
        self.assertNotIn("betas", group)
        self.assertEqual(ours.steps, 3)
        run(reference, theirs, 3, 3)
        run(ours, own, 3, 3)
        self.assertClose(own, theirs)

    def make(self, name="Adam", **arguments):
        own = parameters((3,), (2,))
        reference = getattr(torch.optim, name)(own, **arguments)
        run(reference, own, 3)
        return own, reference.state_dict()

    def test_what_does_not_fit(self):
        def refuse(said, state_dict, optimizer):
            with self.assertRaisesRegex(ValueError, said):
                optimizer.load_state_dict(state_dict)
            self.assertEqual(optimizer.steps, 0)
        own, good = self.make()
        wrong = copy.deepcopy(good)
        wrong["state"][1]["step"] = torch.tensor(7.0)
        refuse(r"parameter 0 of group 0.* is at step 3 and parameter 1 of group 0.* at step 7", wrong, talweg.torch.Adam(own))
        wrong = copy.deepcopy(good)
        del wrong["state"][1]
        refuse(r"is at step 3 and parameter 1 of group 0.* at step 0", wrong, talweg.torch.Adam(own))
        own[1].requires_grad_(False)
        optimizer = talweg.torch.Adam(own)
        optimizer.load_state_dict(wrong)
        self.assertEqual(optimizer.steps, 3)
        own[1].requires_grad_(True)
        wrong = copy.deepcopy(good)
        del wrong["state"][1]["exp_avg"]
        refuse("no state 'exp_avg' of parameter 1", wrong, talweg.torch.Adam(own))
        wrong = copy.deepcopy(good)
        del wrong["state"][1]["step"]
        refuse("no state 'step' of parameter 1", wrong, talweg.torch.Adam(own))
        wrong = copy.deepcopy(good)
        wrong["state"][1]["exp_avg"] = wrong["state"][1]["exp_avg"].bfloat16()
        refuse("'exp_avg' of parameter 1 .* is torch.bfloat16, here it is torch.float32", wrong, talweg.torch.Adam(own))
        refuse("amsgrad of group 0 is False", good, talweg.torch.Adam(own, amsgrad=True))
        refuse("no optimizer of torch.optim has the states of the rule Lion", good, talweg.torch.Lion(own))
        refuse("no state|has a state|does not have|compiled into", good, talweg.torch.RMSprop(own))
        _, other = self.make(amsgrad=True)
        refuse("amsgrad of group 0 is True", other, talweg.torch.Optimizer(own, "Adam"))
        _, other = self.make("SGD", lr=0.1, momentum=0.9)
        del other["state"][1]
        refuse("has a momentum_buffer and parameter 1 .* has none", other, talweg.torch.SGD(own, lr=0.1, momentum=0.9))
        _, other = self.make(maximize=True)
        refuse("maximize of group 0", other, talweg.torch.Optimizer(own, "Adam"))
        with self.assertRaisesRegex(ValueError, "has the states of the rule Lion"):
            talweg.torch.Lion(own).torch_state_dict()

    def test_steps_as_integers(self):
        own, good = self.make()
        for states in good["state"].values():
            states["step"] = int(states["step"])
        optimizer = talweg.torch.Adam(own)
        optimizer.load_state_dict(good)
        self.assertEqual(optimizer.steps, 3)


if __name__ == "__main__":
    unittest.main()
