"""What a step does besides its formula: closures, hooks, autograd, views, threads, forks."""
import contextlib
import gc
import threading
import unittest

from torch_support import Case, give_gradients, parameters, run, since, torch, twins, values

import talweg
import talweg.torch


def square(given):
    """A loss whose gradient is easy."""
    return sum((p ** 2).sum() for p in given) / 2


class Closures(Case):
    def closure(self, optimizer, own, losses):
        def closure():
            self.assertTrue(torch.is_grad_enabled())
            optimizer.zero_grad()
            loss = square(own)
            loss.backward()
            losses.append(loss.item())
            return loss
        return closure

    def test_closure(self):
        own, theirs = twins((4,))
        optimizer, reference = talweg.torch.AdamW(own), torch.optim.AdamW(theirs)
        for o, p in ((optimizer, own), (reference, theirs)):
            losses = []
            with torch.no_grad():
                loss = o.step(self.closure(o, p, losses))
            self.assertEqual([loss.item()], losses)
            self.assertTrue(loss.requires_grad)
        self.assertClose(own, theirs)
        self.assertIsNone(optimizer.step())

    def test_rules_that_ask_for_another_gradient(self):
        """SAM by hand."""
        own, by_hand = twins((4,), (2, 2))
        optimizer = talweg.torch.Optimizer(own, "SAM(rho = 0.1) | SGD", lr=0.1)
        for _ in range(3):
            losses = []
            loss = optimizer.step(self.closure(optimizer, own, losses))
            self.assertEqual(len(losses), 2)
            self.assertEqual(loss.item(), losses[0])
            with torch.no_grad():
                length = torch.sqrt(sum((p ** 2).sum() for p in by_hand))
                for p in by_hand:
                    p -= 0.1 * (p + 0.1 * p / length)
        self.assertClose(own, by_hand)
        self.assertEqual(optimizer.steps, 3)

    def test_without_a_closure(self):
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "SAM | SGD", lr=0.1)
        before = values(own)
        give_gradients(own, seed=0)
        for _ in range(2):
            with self.assertRaisesRegex(RuntimeError, r"SAM \| SGD asks for a gradient at another point: call step\(closure\)"):
                optimizer.step()
            self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 0)

    def test_a_closure_that_fails(self):
        """The parameters are where they were."""
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "SAM | AdamW", lr=0.1)
        before, calls = values(own), []

        def closure():
            if calls:
                raise KeyError("in the closure")
            calls.append(1)
            optimizer.zero_grad()
            square(own).backward()
        with self.assertRaisesRegex(KeyError, "in the closure"):
            optimizer.step(closure)
        self.assertSame(own, before)
        optimizer.step(self.closure(optimizer, own, []))
        self.assertMoved(own, before)

    def test_a_closure_that_moves_parameters(self):
        own, calls = parameters((4,)), []
        optimizer = talweg.torch.Optimizer(own, "SAM | AdamW", lr=0.1)

        def closure():
            optimizer.zero_grad()
            square(own).backward()
            if calls:
                own[0].data = own[0].data.clone()
            calls.append(1)
        with self.assertRaisesRegex(RuntimeError, "closure has moved parameters"):
            optimizer.step(closure)
        self.assertEqual(optimizer.steps, 0)

    def test_what_is_not_possible_in_the_middle_of_a_step(self):
        def add_and_look():
            optimizer.add_param_group({"params": parameters((2,))})
            optimizer.model_state

        def elsewhere():
            with self.assertRaisesRegex(RuntimeError, "is on its way") as caught:
                optimizer.step()
            refusals.append(caught.exception)

        def in_another_thread():
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            raise refusals.pop()

        refusals = []
        for act, said in ((lambda: optimizer.step(), "is on its way"), (in_another_thread, "in another thread"),
                          (add_and_look, "in the middle of a step")):
            with self.subTest(said=said):
                own = parameters((4,))
                before = values(own)
                optimizer = talweg.torch.Optimizer(own, "SAM(rho = 0.1) | AdamW", lr=0.1)
                closure = self.closure(optimizer, own, losses := [])

                def acting():
                    loss = closure()
                    if len(losses) == 2:
                        act()
                    return loss

                with self.assertRaisesRegex(RuntimeError, said):
                    optimizer.step(acting)
                self.assertSame(own, before)
                self.assertEqual(optimizer.steps, 0)
                optimizer.step(closure)
                self.assertEqual(optimizer.steps, 1)

    def test_inputs(self):
        own, other = twins((4,))
        optimizer = talweg.torch.Optimizer(own, "PolyakStep")
        give_gradients(own, seed=0)
        with self.assertRaises(talweg.Error) as caught:
            optimizer.step()
        self.assertEqual(caught.exception.status, "MISSING_INPUT")
        optimizer.step(self.closure(optimizer, own, []))
        by_input = talweg.torch.Optimizer(other, "PolyakStep")
        square(other).backward()
        by_input.step(inputs={"loss": square(other).detach()})
        self.assertSame(own, other)
        with self.assertRaisesRegex(TypeError, "has no input 'los'; it has loss"):
            by_input.step(inputs={"los": 1})
        with self.assertRaisesRegex(TypeError, "has no input 'loss'"):
            talweg.torch.AdamW(own).step(inputs={"loss": 1})

    def test_inputs_of_every_element(self):
        rule = talweg.compile(text="rule Scaled {\n  input element scale\n  step {\n    update = scale * grad\n  }\n}\n")
        own = parameters((4,), (2,))
        optimizer = talweg.torch.Optimizer(own, rule)
        before = values(own)
        give_gradients(own, seed=0)
        optimizer.step(inputs={"scale": [torch.full((4,), 2.0), torch.full((2,), 3.0)]})
        self.assertSame(own, [before[0] - 2 * own[0].grad, before[1] - 3 * own[1].grad])
        with self.assertRaisesRegex(ValueError, "'scale' has 1 entries; the optimizer has 2 parameters"):
            optimizer.step(inputs={"scale": [torch.ones(4)]})
        with self.assertRaisesRegex(RuntimeError, r"the input 'scale' for parameter 0 of group 0.*has shape \(3,\)"):
            optimizer.step(inputs={"scale": [torch.ones(3), torch.ones(2)]})

    def test_inputs_are_kept_until_a_step_that_asks_for_another_gradient_has_ended(self):
        """Also copies, made of what lies elsewhere than the parameter."""
        text = "rule Scaled {\n  input element scale\n  step {\n    update = scale * grad\n  }\n}\n"
        rule = talweg.compile("SAM | Scaled", text=text)
        own = parameters((40, 30))
        optimizer = talweg.torch.Optimizer(own, rule)
        before, calls, others = values(own), [], []

        def closure():
            own[0].grad = torch.ones(40, 30)
            if calls:  # in memory that was free meanwhile
                others.extend(torch.full((40, 30), 9.0) for _ in range(8))
            calls.append(1)
            return torch.tensor(1.0)

        optimizer.step(closure, inputs={"scale": [torch.full((30, 40), 2.0).t()]})
        self.assertEqual(len(calls), 2)
        self.assertSame(own, [before[0] - 2])


class Hooks(Case):
    @since(2, 0, "hooks of step")
    def test_of_one_optimizer(self):
        own, seen = parameters((4,)), []
        optimizer = talweg.torch.AdamW(own)
        before = values(own)
        first = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append((o, values(own))))
        second = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((o, values(own))))
        run(optimizer, own, 1)
        self.assertEqual([o for o, _ in seen], [optimizer] * 2)
        self.assertSame(seen[0][1], before)
        self.assertSame(seen[1][1], own)
        first.remove()
        second.remove()
        run(optimizer, own, 1)
        self.assertEqual(len(seen), 2)

    @since(2, 0, "hooks of step")
    def test_of_all_optimizers(self):
        from torch.optim.optimizer import register_optimizer_step_post_hook
        own, seen = parameters((4,)), []
        optimizer = talweg.torch.AdamW(own)
        handle = register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append(o))
        self.addCleanup(handle.remove)
        run(optimizer, own, 1)
        self.assertEqual(seen, [optimizer])

    @since(2, 0, "hooks of step")
    def test_a_hook_may_give_other_arguments(self):
        own, calls = parameters((4,)), []
        optimizer = talweg.torch.AdamW(own)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: calls.append(1)), {}))
        optimizer.step()
        self.assertEqual(calls, [1])

    def test_the_profiler_sees_steps(self):
        own = parameters((4,))
        optimizer = talweg.torch.AdamW(own)
        with torch.autograd.profiler.profile() as profile:
            run(optimizer, own, 2)
        events = [event for event in profile.function_events if event.name == "Optimizer.step#AdamW.step"]
        self.assertEqual(len(events), 2)

    def test_zero_grad(self):
        own = parameters((4,))
        optimizer = talweg.torch.AdamW(own)
        give_gradients(own, seed=0)
        optimizer.zero_grad(set_to_none=False)
        self.assertSame([own[0].grad], [torch.zeros(4)])
        optimizer.zero_grad(set_to_none=True)
        self.assertIsNone(own[0].grad)


class Autograd(Case):
    def stale(self, own, change):
        """A backward pass that has saved a parameter must not go on with the new one."""
        loss = (own[0] * own[0]).sum()
        change()
        with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
            loss.backward()

    def test_a_step_counts_as_change(self):
        own = parameters((4,), (3,))
        optimizer = talweg.torch.AdamW(own)
        for step in range(3):
            give_gradients(own, seed=step)
            self.stale(own, optimizer.step)

    def test_a_first_step_in_inference_mode_counts(self):
        own = parameters((4,), (3,))
        optimizer = talweg.torch.AdamW(own)
        give_gradients(own, seed=1)
        with torch.inference_mode():
            optimizer.step()
        self.stale(own, optimizer.step)

    def test_after_an_unfrozen_one(self):
        own = parameters((4,), (3,))
        optimizer = talweg.torch.AdamW(own)
        own[1].grad = torch.ones(3)
        optimizer.step()
        give_gradients(own, seed=1)
        self.stale(own, optimizer.step)

    def test_one_without_gradient_has_not_changed(self):
        own = parameters((4,), (3,))
        optimizer = talweg.torch.AdamW(own)
        versions = [p._version for p in own]
        own[1].grad = torch.ones(3)
        optimizer.step()
        self.assertEqual(own[0]._version, versions[0])
        self.assertGreater(own[1]._version, versions[1])

    def test_views_count_as_change(self):
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema", lr=0.1)
        run(optimizer, own, 2)
        change = optimizer.evaluation()
        self.stale(own, change.__enter__)
        self.stale(own, lambda: change.__exit__(None, None, None))


    def test_in_inference_mode(self):
        own, other = twins((4,))
        optimizer, alone = talweg.torch.AdamW(own), talweg.torch.AdamW(other)
        for mode in (torch.inference_mode(), torch.no_grad(), torch.enable_grad()):
            with mode:
                run(optimizer, own, 1)
        for _ in range(3):
            run(alone, other, 1)
        self.assertSame(own, other)


class Views(Case):
    def test_evaluation(self):
        own = parameters((4,), (2, 3))
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema(decay = 0.5)", lr=0.1)
        run(optimizer, own, 4)
        before = values(own)
        with optimizer.evaluation():
            inside = values(own)
            with self.assertRaisesRegex(RuntimeError, "inside evaluation"):
                optimizer.step()
            with self.assertRaisesRegex(RuntimeError, "inside evaluation"), optimizer.evaluation():
                pass
            for refused in (lambda: optimizer.add_param_group({"params": parameters((2,))}),
                            lambda: optimizer.load_state_dict(optimizer.state_dict()), optimizer.__getstate__):
                with self.assertRaisesRegex(RuntimeError, "inside evaluation"):
                    refused()
            self.assertSame(own, inside)
        self.assertSame(own, before)
        self.assertMoved(own, inside)
        run(optimizer, own, 1)

    def test_they_end_after_an_exception(self):
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema", lr=0.1)
        run(optimizer, own, 2)
        before = values(own)
        with contextlib.suppress(KeyError), optimizer.evaluation("averaged"):
            raise KeyError
        self.assertSame(own, before)
        run(optimizer, own, 1)

    def test_parameters_that_move_meanwhile(self):
        own, others = parameters((1000,)), []
        optimizer = talweg.torch.Optimizer(own, "AdamW | Ema", lr=0.1)
        run(optimizer, own, 2)
        with self.assertRaisesRegex(RuntimeError, "moved to other memory inside evaluation"), optimizer.evaluation():
            own[0].data = own[0].data.clone()
            others = [torch.zeros(1000) for _ in range(16)]  # where the old memory was, if it is free
        for other in others:
            self.assertSame([other], [torch.zeros(1000)])

    def test_names(self):
        own = parameters((4,))
        with self.assertRaisesRegex(ValueError, "the rule AdamW has no view to evaluate with"):
            talweg.torch.AdamW(own).evaluation().__enter__()
        with self.assertRaisesRegex(ValueError, "has no view 'average', only averaged"):
            talweg.torch.ASGD(own).evaluation("average").__enter__()


class Threads(Case):
    def setUp(self):
        self.addCleanup(torch.set_num_threads, torch.get_num_threads())

    def test_they_follow_torch(self):
        own, other = twins((300, 301), (7,))
        optimizer, alone = talweg.torch.Optimizer(own, "ClipByGlobalNorm | AdamW"), \
            talweg.torch.Optimizer(other, "ClipByGlobalNorm | AdamW", threads=1)
        for step, threads in enumerate((1, 2, 2, 3, 1)):
            torch.set_num_threads(threads)
            before = optimizer._bound
            run(optimizer, own, 1, step)
            run(alone, other, 1, step)
            pool = optimizer._bound.pool
            self.assertEqual(pool.threads if pool else 1, threads)
            if step == 2:
                self.assertIs(optimizer._bound, before)
            self.assertIsNone(alone._bound.pool)
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 5)

    def test_a_number_of_ones_own(self):
        own = parameters((4,))
        optimizer = talweg.torch.AdamW(own, threads=2)
        torch.set_num_threads(1)
        run(optimizer, own, 1)
        self.assertEqual(optimizer._bound.pool.threads, 2)
        for wrong in (0, -1, 1025):
            with self.assertRaisesRegex(ValueError, f"there cannot be {wrong} threads"):
                talweg.torch.AdamW(own, threads=wrong)
        for wrong in ("2", 2.5):
            with self.assertRaisesRegex(TypeError, "as an integer"):
                talweg.torch.AdamW(own, threads=wrong)

    def test_a_forked_child(self):
        for threads in (1, 3):
            own = parameters((300, 301))
            optimizer = talweg.torch.AdamW(own, threads=threads)
            run(optimizer, own, 2)
            other = parameters((300, 301))
            reference = talweg.torch.AdamW(other, threads=1)
            run(reference, other, 3)
            give_gradients(own, seed=102)
            pool = optimizer._bound.pool
            self.assertEqual(pool.threads if pool else 1, threads)
            expected = self.bytes_of(other[0])

            def step():  # without torch's operations, which may wait for threads that are gone
                optimizer.step()
                if self.bytes_of(own[0]) != expected or optimizer.steps != 3:
                    raise AssertionError("the child has other results")
                if pool is not None and (optimizer._bound.pool is pool or pool.handle is not None):
                    raise AssertionError("the child uses threads that it does not have")

            def leave():
                optimizer._bound = None
                gc.collect()

            with self.subTest(threads=threads):
                self.in_child(step)
                self.in_child(leave)
                run(optimizer, own, 1, 2)
                self.assertSame(own, other)

    def test_two_optimizers_at_once(self):
        """They know nothing of each other."""
        lists = [parameters((50, 51), seed=i) for i in range(2)]
        expected = [parameters((50, 51), seed=i) for i in range(2)]

        def train(own):
            optimizer = talweg.torch.AdamW(own, threads=2)
            for _ in range(50):
                own[0].grad = own[0].detach().clone()
                optimizer.step()
        workers = [threading.Thread(target=train, args=(own,)) for own in lists]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for own in expected:
            train(own)
        self.assertSame([own[0] for own in lists], [own[0] for own in expected])


class Outcomes(Case):
    def test_a_skipped_step(self):
        own = parameters((4,))
        optimizer = talweg.torch.Optimizer(own, "SkipNonFinite | AdamW", lr=0.1)
        run(optimizer, own, 1)
        before, version = values(own), own[0]._version
        own[0].grad = torch.full((4,), float("nan"))
        optimizer.step()
        self.assertSame(own, before)
        self.assertEqual(own[0]._version, version)
        self.assertEqual(optimizer.steps, 1)
        self.assertEqual(optimizer.model_state["skipped"].item(), 1)

    def test_held_steps(self):
        own, other = twins((4,))
        optimizer = talweg.torch.Optimizer(own, "AccumulateGradient(2) | AdamW", lr=0.1)
        reference = talweg.torch.Optimizer(other, "AdamW", lr=0.1)
        for step in range(4):
            give_gradients(own, seed=step)
            optimizer.step()
        for step in (0, 2):
            give_gradients(other, own, seed=step)
            first = own[0].grad.clone()
            give_gradients(own, seed=step + 1)
            other[0].grad = (first + own[0].grad) / 2
            reference.step()
        self.assertEqual(optimizer.steps, 2)
        self.assertClose(own, other)


if __name__ == "__main__":
    unittest.main()
