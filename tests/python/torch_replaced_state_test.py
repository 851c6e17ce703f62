"""States that somebody puts into `optimizer.state`: into those that there are, and for new parameters."""
import collections
import copy
import pickle
import unittest

from torch_support import Case, give_gradients, parameters, run, torch, twins, values

import talweg
import talweg.torch

NAMES = {"m": "exp_avg", "v": "exp_avg_sq"}


def replace(optimizer, names, change):
    """As programs do that add and remove points: first the states, then the parameter that has them."""
    group = optimizer.param_groups[0]
    old = group["params"][0]
    states = optimizer.state.get(old)
    for name in names:
        states[name] = change(states[name])
    del optimizer.state[old]
    group["params"][0] = torch.nn.Parameter(change(old.detach()))
    optimizer.state[group["params"][0]] = states
    return group["params"][0]


class NewParameters(Case):
    def test_they_take_states_that_are_there(self):
        mask = torch.tensor([True, False, True, True])
        more = torch.full((2, 3), 0.5)
        for change in (lambda x: x[mask], lambda x: torch.cat((x, more)), lambda x: x * 2, lambda x: x.t().clone()):
            (own,), (theirs,) = twins((4, 3))
            ours, reference = talweg.torch.AdamW([own], lr=0.1), torch.optim.AdamW([theirs], lr=0.1)
            run(ours, [own], 3)
            run(reference, [theirs], 3)
            own, theirs = replace(ours, NAMES, change), replace(reference, NAMES.values(), change)
            run(ours, [own], 3, 3)
            run(reference, [theirs], 3, 3)
            self.assertClose([own], [theirs])
            self.assertEqual(len(ours.state), 1)
            for mine, name in NAMES.items():
                self.assertClose([ours.state[own][mine]], [reference.state[theirs][name]])

    def test_plain_dicts(self):
        own = parameters((3,), (2,))
        optimizer = talweg.torch.AdamW(own[:1], lr=0.1)
        given = {"m": torch.ones(2), "v": torch.ones(2, requires_grad=True)}
        optimizer.state[own[1]] = given
        run(optimizer, own[:1], 1)
        optimizer.add_param_group({"params": own[1:]})
        own[1].grad = torch.zeros(2)
        optimizer.step()
        self.assertClose([optimizer.state[own[1]]["m"]], [torch.full((2,), 0.9)])
        self.assertSame([given["m"]], [torch.ones(2)])

    def test_before_the_first_step(self):
        own = parameters((3,))
        optimizer = talweg.torch.Lion(own)
        optimizer.state[own[0]]["m"] = torch.ones(3)
        own[0].grad = torch.zeros(3)
        optimizer.step()
        self.assertClose([optimizer.state[own[0]]["m"]], [torch.full((3,), 0.99)])
        own = parameters((3,))
        optimizer = talweg.torch.Lion(own)
        optimizer.state[own[0]]["m"] = torch.ones(4)
        own[0].grad = torch.zeros(3)
        with self.assertRaisesRegex(ValueError, r"the state 'm' of parameter 0 of group 0, .* has shape \(4,\)"):
            optimizer.step()

    def test_states_that_begin_late_have_begun(self):
        own = parameters((3,), (3,))
        optimizer = talweg.torch.ASGD(own, t0=0)
        own[0].grad = torch.ones(3)
        optimizer.step()
        frozen = optimizer.state[own[1]]
        optimizer.state[own[1]] = {"average": torch.full((3,), 7.0)}
        optimizer.step()
        self.assertSame([optimizer.state[own[1]]["average"]], [torch.full((3,), 7.0)])
        own[1].grad = torch.zeros(3)
        optimizer.step()
        self.assertClose([optimizer.state[own[1]]["average"]], [7 + (own[1] - 7) / 2])
        self.assertEqual(list(frozen), ["average"])
        # One that has not begun has not where it is taken to, either.
        own = parameters((3,), (3,))
        optimizer = talweg.torch.ASGD(own, t0=0)
        own[0].grad = torch.ones(3)
        optimizer.step()
        states = optimizer.state.pop(own[1])
        own[1] = optimizer.param_groups[0]["params"][1] = torch.nn.Parameter(torch.full((3,), 5.0))
        optimizer.state[own[1]] = states
        optimizer.step()
        self.assertEqual(optimizer._bound.read().begun["average", own[1]], 0.0)

    def test_one_dict_for_two(self):
        own = parameters((3,), (3,), (3,))
        optimizer = talweg.torch.SGD(own[:1], lr=1.0, momentum=0.5)
        run(optimizer, own[:1], 1)
        for parameter in own[1:]:
            optimizer.state[parameter] = optimizer.state[own[0]]
        optimizer.add_param_group({"params": own[1:]})
        optimizer.step()
        optimizer.state[own[0]]["velocity"].fill_(9)
        self.assertSame([optimizer.state[own[2]]["velocity"]], [optimizer.state[own[1]]["velocity"]])
        self.assertFalse(torch.equal(optimizer.state[own[1]]["velocity"], torch.full((3,), 9.0)))


class OfBound(Case):
    def setUp(self):
        self.own = parameters((3,), (3, 3))
        self.optimizer = talweg.torch.Optimizer([("w", self.own[0]), ("b", self.own[1])], "SGD(momentum = 0.5)", lr=1.0)
        run(self.optimizer, self.own, 2)

    def step(self):
        for parameter in self.own:
            parameter.grad = torch.zeros_like(parameter)
        self.optimizer.step()

    def test_a_fitting_one_is_copied_into_the_memory(self):
        states = self.optimizer.state[self.own[1]]
        memory, bound = states["velocity"], self.optimizer._bound
        values_ = memory.clone()
        ways = (
            (lambda: states.__setitem__("velocity", values_ + 1), values_ + 1),
            (lambda: states.update(velocity=values_ + 2), values_ + 2),
            (lambda: states.update({"velocity": values_ + 3}), values_ + 3),
            (lambda: states.__setitem__("velocity", torch.ones(()).expand(3, 3)), torch.ones(3, 3)),
            (lambda: states.__ior__({"velocity": values_}), values_),
            (lambda: states.__setitem__("velocity", memory.t()), values_.t()),
            (lambda: states.__setitem__("velocity", torch.nn.Parameter(values_)), values_),
        )
        for put, expected in ways:
            put()
            self.assertSame([memory], [expected])
            self.assertIs(states["velocity"], memory)
        self.assertIs(states.setdefault("velocity", None), memory)
        self.step()
        self.assertIs(self.optimizer._bound, bound)  # nothing was made anew
        self.assertSame([memory], [values_ * 0.5])

    def test_another_dict(self):
        bound = self.optimizer._bound
        self.optimizer.state[self.own[0]] = {"velocity": torch.full((3,), 4.0)}
        other = self.optimizer.state[self.own[1]]["velocity"].clone()
        self.step()
        self.assertIsNot(self.optimizer._bound, bound)
        self.assertSame([self.optimizer.state[p]["velocity"] for p in self.own], [torch.full((3,), 2.0), other * 0.5])
        self.assertEqual(self.optimizer.steps, 3)

    def refuse(self, kind, said, change):
        optimizer = copy.deepcopy(self.optimizer)
        self.own = optimizer.param_groups[0]["params"]
        give_gradients(self.own, seed=1)
        optimizer.step()
        before = values(self.own)
        change(optimizer.state)
        for _ in range(2):
            with self.assertRaisesRegex(kind, said):
                optimizer.step()
        self.assertSame(self.own, before)
        self.assertEqual(optimizer._bound.engine.steps, 3)
        del optimizer.state[self.own[0]]  # the way out
        give_gradients(self.own, seed=2)
        optimizer.step()
        self.assertMoved(self.own, before)
        self.assertSame([optimizer.state[self.own[0]]["velocity"]], [self.own[0].grad])

    def test_what_does_not_fit_is_refused_in_the_next_step(self):
        def put(name, value):
            return lambda state: state[self.own[0]].__setitem__(name, value)
        self.refuse(ValueError, r"the state 'velocity' of parameter 'w' in optimizer.state has shape \(4,\), here it has \(3,\)",
                    put("velocity", torch.ones(4)))
        self.refuse(ValueError, "the state 'velocity' of parameter 'w' .* is torch.float64, here it is torch.float32",
                    put("velocity", torch.ones(3, dtype=torch.float64)))
        self.refuse(ValueError, "'velocity' of parameter 'w' .* is no tensor but int", put("velocity", 0))
        self.refuse(ValueError, "has no values", put("velocity", torch.empty(3, device="meta")))
        self.refuse(ValueError, "a state 'exp_avg' of parameter 'w', which the rule does not have; it has velocity",
                    put("exp_avg", torch.ones(3)))
        self.refuse(TypeError, "no dict of parameter 'w' but list", lambda state: state.update({self.own[0]: [1]}))

    def test_some_of_several_are_refused(self):
        own = parameters((3,))
        optimizer = talweg.torch.AdamW(own)
        run(optimizer, own, 1)
        for take_out in (lambda states: states.pop("m"), lambda states: states.__delitem__("m")):
            kept = dict(optimizer.state[own[0]])
            take_out(optimizer.state[own[0]])
            with self.assertRaisesRegex(ValueError, r"no state 'm' of parameter 0 .* the rule has m, v. Give all, or none"):
                optimizer.step()
            optimizer.state[own[0]].update(kept)
            run(optimizer, own, 1)

    def test_taken_out_is_begun_anew(self):
        for take_out in (lambda state, p: state.__delitem__(p), lambda state, p: state.pop(p), lambda state, p: state.clear(),
                         lambda state, p: state[p].clear(), lambda state, p: state[p].popitem(),
                         lambda state, p: state.__setitem__(p, {}),
                         lambda state, p: setattr(self.optimizer, "state", collections.defaultdict(dict))):
            run(self.optimizer, self.own, 2)
            steps = self.optimizer.steps
            take_out(self.optimizer.state, self.own[0])
            run(self.optimizer, self.own, 1, 7)
            self.assertSame([self.optimizer.state[self.own[0]]["velocity"]], [self.own[0].grad])
            self.assertEqual(self.optimizer.steps, steps + 1)

    def test_copies_are_plain(self):
        state = self.optimizer.state
        for same in (copy.deepcopy(state[self.own[0]]), copy.copy(state[self.own[0]]), state[self.own[0]].copy(),
                     pickle.loads(pickle.dumps(state[self.own[0]]))):
            self.assertIs(type(same), dict)
            self.assertSame(list(same.values()), list(state[self.own[0]].values()))
        for same in (copy.deepcopy(state), copy.copy(state), state.copy(), pickle.loads(pickle.dumps(state))):
            self.assertIs(type(same), collections.defaultdict)
            self.assertEqual({type(states) for states in same.values()} - {dict, type(state[self.own[0]])}, set())
        for states in self.optimizer.state_dict()["state"].values():
            self.assertIs(type(states), dict)

    def test_saved_is_what_a_step_would_begin_with(self):
        for copied in (lambda: self.optimizer.state_dict()["state"], lambda: copy.deepcopy(self.optimizer).state_dict()["state"]):
            run(self.optimizer, self.own, 2)
            del self.optimizer.state[self.own[0]]
            self.assertSame([copied()[0]["velocity"]], [torch.zeros(3)])

    def test_dicts_stay_those_of_their_parameter(self):
        states = self.optimizer.state[self.own[0]]
        self.optimizer.add_param_group({"params": [("x", parameters((2,))[0])]})
        self.step()
        states["velocity"] = torch.full((3,), 8.0)
        self.step()
        self.assertIs(self.optimizer.state[self.own[0]], states)
        self.assertSame([states["velocity"]], [torch.full((3,), 4.0)])

    def test_asking_for_another_changes_nothing(self):
        bound = self.optimizer._bound
        self.assertEqual(self.optimizer.state[torch.zeros(1)], {})
        self.step()
        self.assertIs(self.optimizer._bound, bound)


if __name__ == "__main__":
    unittest.main()
