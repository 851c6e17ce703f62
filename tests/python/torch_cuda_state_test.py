"""Parameters on a GPU: state dicts, copies, views, the flags of GradScaler, graphs, several devices."""
import copy
import unittest

from pretended_gpu import OnGpu
from torch_support import run, since, torch, twins, values

import talweg
import talweg.torch
from talweg.torch import engines

RULE = "ClipByGlobalNorm(1) | AdamW | Ema"


class States(OnGpu):
    def pair(self, rule=RULE):
        own, other = self.twins((6, 5), (3,))
        optimizers = talweg.torch.Optimizer(own, rule, lr=0.1), talweg.torch.Optimizer(other, rule, lr=0.1)
        return own, other, *optimizers

    def test_state_dicts_go_to_the_cpu_and_back(self):
        for rule in (RULE, "NAdam", "LAMB", "Prodigy"):
            with self.subTest(rule):
                own, other, optimizer, alone = self.pair(rule)
                self.run_both(optimizer, own, alone, other, 2)
                saved = copy.deepcopy(optimizer.state_dict())
                self.assertEqual(saved["talweg"]["counters"], alone.state_dict()["talweg"]["counters"])
                on_cpu, on_gpu = [[torch.nn.Parameter(p.detach().clone()) for p in own] for _ in range(2)]
                self.gpus.admit_all(on_gpu)
                resumed = [talweg.torch.Optimizer(p, rule, lr=0.5) for p in (on_cpu, on_gpu)]
                resumed[0].load_state_dict(saved)
                resumed[1].load_state_dict(copy.deepcopy(resumed[0].state_dict()))
                self.assertEqual(resumed[1].steps, 2)
                for step in (2, 3):
                    self.gradients(step, own, other, on_cpu, on_gpu)
                    for o in (optimizer, alone, *resumed):
                        o.step()
                self.assertSame(own, other)
                self.assertSame(own, on_cpu)
                self.assertSame(own, on_gpu)

    def test_a_state_dict_of_torch(self):
        own, other = self.twins((6, 5))
        theirs = torch.optim.AdamW(other, lr=0.1)
        run(theirs, other, 2)
        with torch.no_grad():
            own[0].copy_(other[0])
        optimizer = talweg.torch.AdamW(own, lr=0.1)
        optimizer.load_state_dict(theirs.state_dict())
        self.gradients(5, own, other)
        optimizer.step()
        theirs.step()
        self.assertClose(own, other)
        back = optimizer.torch_state_dict()
        self.assertEqual(back["state"][0]["step"].item(), 3)
        self.assertClose([back["state"][0]["exp_avg"]], [theirs.state_dict()["state"][0]["exp_avg"]])

    def test_states_of_groups_and_the_model_are_those_after_the_last_step(self):
        own, other, optimizer, alone = self.pair("NAdam")
        for step in range(3):
            self.run_both(optimizer, own, alone, other, 1, step)
            self.assertEqual([{k: v.item() for k, v in s.items()} for s in optimizer.group_state],
                             [{k: v.item() for k, v in s.items()} for s in alone.group_state])
            self.assertEqual(optimizer.state_dict()["talweg"]["counters"], {"t": step + 1, "calls": step + 1})

    def test_a_state_that_is_written_counts(self):
        own, other, optimizer, alone = self.pair("AdamW")
        self.run_both(optimizer, own, alone, other, 2)
        for p, o in ((own, optimizer), (other, alone)):
            o.state[p[0]]["m"] = torch.full((6, 5), 0.5)
            o.state[p[1]]["v"].fill_(0.25)
        self.run_both(optimizer, own, alone, other, 1, 2)
        self.assertSame(own, other)

    def test_a_number_that_is_written_to_a_kept_dict_counts(self):
        """The host has it, and steps that were made meanwhile do not put theirs over it."""
        own, other, optimizer, alone = self.pair("AdaNorm")
        self.run_both(optimizer, own, alone, other, 2)
        kept = [(optimizer.state[own[0]], optimizer), (alone.state[other[0]], alone)]
        self.run_both(optimizer, own, alone, other, 1, 2)
        for state, o in kept:
            state["e"] = torch.tensor(0.5, dtype=torch.float64)
            self.assertEqual(next(iter(o.state.values()))["e"].item(), 0.5)
        self.run_both(optimizer, own, alone, other, 2, 3)
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 5)  # brings the numbers here
        self.assertSame([kept[0][0]["e"]], [kept[1][0]["e"]])

    def test_memory_of_a_gpu_is_none_of_the_hosts(self):
        own, other, optimizer, alone = self.pair("AdamW")
        self.run_both(optimizer, own, alone, other, 1)
        on_gpu, on_cpu = optimizer.state[own[0]]["m"], alone.state[other[0]]["m"]
        self.assertEqual([engines.is_alike(a, b) for a in (on_gpu, on_cpu) for b in (on_gpu, on_cpu)], [False] * 3 + [True])

    def test_moving_takes_states_along(self):
        """As `module.cuda()` does after steps on the CPU."""
        own, other = twins((6, 5), (3,))
        optimizer, alone = talweg.torch.Optimizer(own, RULE, lr=0.1), talweg.torch.Optimizer(other, RULE, lr=0.1)
        self.run_both(optimizer, own, alone, other, 2)
        for p in own:
            p.data = p.data.clone()
            self.gpus.admit(p)
        self.run_both(optimizer, own, alone, other, 2, 2)
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 4)
        self.assertEqual(self.gpus.gpu_of(optimizer.state[own[0]]["m"]), 0)

    def test_copies_go_on_alone(self):
        own, other, optimizer, alone = self.pair()
        self.run_both(optimizer, own, alone, other, 2)
        twin = copy.deepcopy(optimizer)
        copied = self.gpus.admit_all([p for group in twin.param_groups for p in group["params"]])
        self.run_both(twin, copied, alone, other, 2, 2)
        self.assertSame(copied, other)
        self.assertEqual(optimizer.steps, 2)

    def test_reset(self):
        own, other, optimizer, alone = self.pair()
        self.run_both(optimizer, own, alone, other, 2)
        optimizer.reset()
        alone.reset()
        self.assertEqual(optimizer.steps, 0)
        self.run_both(optimizer, own, alone, other, 2)
        self.assertSame(own, other)

    def test_views_stand_in_for_parameters(self):
        own, other, optimizer, alone = self.pair()
        self.run_both(optimizer, own, alone, other, 3)
        before = values(own)
        with optimizer.evaluation(), alone.evaluation():
            self.assertSame(own, other)
            self.assertMoved(own, before)
            self.assertEqual(len(self.gpus.allocated), 2)  # for states, and for the parameters
            self.assertGreaterEqual(self.gpus.allocated[-1][0], 33 * 4)
            with self.assertRaisesRegex(RuntimeError, "not possible inside evaluation"):
                optimizer.step()
        self.assertSame(own, before)
        self.run_both(optimizer, own, alone, other, 1, 3)
        self.assertSame(own, other)


class Scaling(OnGpu):
    def setUp(self):
        super().setUp()
        if not talweg.torch.devices.hands_over_scales():
            self.skipTest(f"torch {torch.__version__} does not hand scales over")

    def test_only_optimizers_on_gpus_take_the_scale(self):
        own, other = self.twins((4,))
        self.assertTrue(talweg.torch.AdamW(own)._step_supports_amp_scaling)
        self.assertFalse(talweg.torch.AdamW(other)._step_supports_amp_scaling)

    @since(2, 3, "GradScaler on the CPU")
    def test_the_scaler_of_torch(self):
        own, other = self.twins((6, 5), (3,))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)

        def admit(o, *_):
            self.gpus.admit_all([flag for flag in (getattr(o, "found_inf", None), getattr(o, "grad_scale", None))
                                 if flag is not None])

        optimizer.register_step_pre_hook(admit)
        scalers = [torch.amp.GradScaler("cpu", init_scale=3.0, growth_interval=3) for _ in range(2)]
        for step in range(8):
            for p, o, scaler in ((own, optimizer, scalers[0]), (other, alone, scalers[1])):
                o.zero_grad()
                wrong = {1: float("inf"), 4: float("nan")}.get(step, 1.0)
                scaler.scale(sum((q * q).sum() * (i + 1) for i, q in enumerate(p)) * wrong).backward()
                if o is optimizer:
                    self.gpus.admit_gradients(own)
                if step in (2, 4, 5):
                    scaler.unscale_(o)
                scaler.step(o)
                scaler.update()
            self.assertEqual(scalers[0].get_scale(), scalers[1].get_scale())
            self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 6)
        self.assertFalse(hasattr(optimizer, "found_inf"))
        self.run_both(optimizer, own, alone, other, 1, 9)  # without a scaler
        self.assertSame(own, other)

    @since(2, 3, "GradScaler on the CPU")
    def test_the_scaler_of_torch_without_any_gradient(self):
        """It sums up no flags to 0, which is no tensor."""
        own, other = self.twins((6, 5))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        self.run_both(optimizer, own, alone, other, 1)
        before, scaler, seen = values(own), torch.amp.GradScaler("cpu", init_scale=3.0), []
        optimizer.zero_grad()
        scaler.scale(torch.zeros(()))

        def look(o, *_):
            seen.append(o.found_inf)
            self.gpus.admit(o.grad_scale)

        optimizer.register_step_pre_hook(look)
        scaler.step(optimizer)
        self.assertEqual(seen, [0])
        self.assertNotIsInstance(seen[0], torch.Tensor)
        self.assertSame(own, before)
        self.assertEqual(optimizer.steps, 2)

    def test_flags_are_tensors(self):
        own, _ = self.twins((6, 5))
        optimizer = talweg.torch.AdamW(own, lr=0.1)
        self.gradients(0, own)
        for name in ("found_inf", "grad_scale"):
            setattr(optimizer, name, 2.0)
            with self.assertRaisesRegex(TypeError, f"{name} of the optimizer is 2.0: a tensor is needed"):
                optimizer.step()
            delattr(optimizer, name)
        optimizer.step()


class Graphs(OnGpu):
    def test_a_captured_step_is_replayed(self):
        own, other = self.twins((6, 5), (3,))
        optimizer, alone = [talweg.torch.Optimizer(p, "ClipByGlobalNorm(1) | AdamW", lr=0.1) for p in (own, other)]
        self.run_both(optimizer, own, alone, other, 2)
        graph = []
        with self.gpus.capture(self.gpus.new_stream(), graph):
            optimizer.step()
        self.assertSame(own, other)  # nothing has run
        for step in range(2, 6):
            new = [torch.randn(p.shape) for p in own]
            for p in (own, other):
                for q, gradient in zip(p, new):
                    q.grad.copy_(gradient)
            for o in (optimizer, alone):
                o.param_groups[0]["lr"] = 0.1 / step
            optimizer.send_hypers()
            graph[0]()
            alone.step()
            self.assertSame(own, other)
            self.assertEqual(optimizer.steps, step + 1)
        self.run_both(optimizer, own, alone, other, 2, 6)
        self.assertSame(own, other)

    def test_states_are_loaded_between_replays(self):
        own, other = self.twins((6, 5), (3,))
        optimizers = [talweg.torch.Optimizer(p, "AdamW | Ema", lr=0.1) for p in (own, other)]
        optimizer, alone = optimizers
        self.run_both(optimizer, own, alone, other, 2)
        saved = [copy.deepcopy(o.state_dict()) for o in optimizers]
        graph = []
        with self.gpus.capture(self.gpus.new_stream(), graph):
            optimizer.step()
        for goes_on in (optimizer.step, optimizer.send_hypers, optimizer.send_hypers):
            for _ in range(3):
                graph[0]()
                alone.step()
            self.assertSame(own, other)
            self.assertEqual(optimizer.steps, alone.steps)
            for o, state_dict in zip(optimizers, saved):
                o.load_state_dict(copy.deepcopy(state_dict))
                self.assertEqual(o.steps, 2)
            goes_on()
            if goes_on == optimizer.step:
                alone.step()

    def test_state_dicts_wait_as_often_for_many_parameters(self):
        """After a capture whatever the host reads is waited for."""
        waits = []
        for count in (2, 12):
            own, other = self.twins(*[(3, 2)] * count)
            optimizer, alone = [talweg.torch.Optimizer(p, "AdaNorm", lr=0.1) for p in (own, other)]
            self.run_both(optimizer, own, alone, other, 2)
            graph = []
            with self.gpus.capture(self.gpus.new_stream(), graph):
                optimizer.step()
            graph[0]()
            alone.step()
            before = self.gpus.calls("cuCtxSynchronize")
            saved = optimizer.state_dict()
            between = self.gpus.calls("cuCtxSynchronize")
            self.assertEqual([{k: v.tolist() for k, v in state.items()} for state in saved["state"].values()],
                             [{k: v.tolist() for k, v in state.items()} for state in alone.state_dict()["state"].values()])
            saved = copy.deepcopy(saved)
            graph[0]()
            copied = self.gpus.calls("cuCtxSynchronize")
            optimizer.load_state_dict(saved)
            self.assertEqual(optimizer.steps, 3)
            waits.append((between - before, self.gpus.calls("cuCtxSynchronize") - copied))
        self.assertGreater(min(waits[0]), 0)
        self.assertEqual(waits[0], waits[1])

    def test_both_gradients_of_a_step_are_captured(self):
        own, other = self.twins((6, 5), (3,))
        optimizer, alone = [talweg.torch.Optimizer(p, "SAM | AdamW", lr=0.1) for p in (own, other)]
        self.gradients(0, own, other)
        for _ in range(2):
            for o in (optimizer, alone):
                o.step(lambda: None)  # the gradients are where they are
        graph = []
        with self.gpus.capture(self.gpus.new_stream(), graph):
            optimizer.step(lambda: None)
        self.assertSame(own, other)  # nothing has run
        for step in range(3):
            new = [torch.randn(p.shape) for p in own]
            for p in (own, other):
                for q, gradient in zip(p, new):
                    q.grad.copy_(gradient)
            graph[0]()
            alone.step(lambda: None)
            self.assertSame(own, other)
            self.assertEqual(optimizer.steps, step + 3)

    def test_what_a_graph_cannot_capture_is_refused(self):
        own, other = self.twins((6, 5), (3,))
        optimizer = talweg.torch.AdamW(own, lr=0.1)
        self.gradients(0, own)
        with self.gpus.capture(self.gpus.new_stream(), []), self.assertRaisesRegex(RuntimeError, "cannot capture the first step"):
            optimizer.step()
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 0.2
        with self.gpus.capture(self.gpus.new_stream(), []), self.assertRaisesRegex(talweg.Error, "hypers were set"):
            optimizer.step()
        optimizer.param_groups[0]["lr"] = self.gpus.admit(torch.tensor(0.3))
        with self.gpus.capture(self.gpus.new_stream(), []), self.assertRaisesRegex(RuntimeError, "cannot be read while a graph"):
            optimizer.step()
        optimizer.step()
        self.assertEqual(optimizer.steps, 2)

    def test_the_engine_of_a_graph_is_kept(self):
        own, _ = self.twins((6, 5))
        optimizer = talweg.torch.AdamW(own, lr=0.1)
        run_once = []
        for seed in range(2):
            self.gradients(seed, own)
            optimizer.step()
        with self.gpus.capture(self.gpus.new_stream(), run_once):
            optimizer.step()
        moved = own[0].data
        own[0].data = self.gpus.admit(own[0].data.clone())
        self.gradients(2, own)
        optimizer.step()
        before = moved.clone()
        run_once[0]()  # on the old memory, which must be there
        self.assertMoved([moved], [before])

    def test_send_hypers_is_for_gpus(self):
        _, other = self.twins((4,))
        with self.assertRaisesRegex(RuntimeError, r"send_hypers\(\) is for parameters on a GPU"):
            talweg.torch.AdamW(other).send_hypers()


class Devices(OnGpu):
    count = 2

    def test_an_optimizer_for_each_device(self):
        own, other = self.twins((6, 5))
        second, alone_too = twins((3,), seed=1)
        self.gpus.admit_all(second, 1)
        optimizers = [talweg.torch.AdamW(p, lr=0.1) for p in (own, other, second, alone_too)]
        for step in range(3):
            self.gradients(step, own, other)
            self.gradients(step, second, alone_too)
            for optimizer in optimizers:
                optimizer.step()
        self.assertSame(own, other)
        self.assertSame(second, alone_too)
        self.assertEqual({gpu for _, gpu in self.gpus.allocated}, {0, 1})

    def test_parameters_on_two_devices_are_refused(self):
        own, other = self.twins((6, 5))
        second = self.gpus.admit_all(twins((3,))[0], 1)
        with self.assertRaisesRegex(ValueError, r"parameter 1 of group 0.* is on cuda:1, and others are on cuda:0"):
            talweg.torch.AdamW([*own, *second])
        with self.assertRaisesRegex(ValueError, "parameter 0 of group 1.* is on the CPU, and others are on cuda:0"):
            talweg.torch.AdamW([{"params": own}, {"params": other}])
        optimizer = talweg.torch.AdamW(own)
        with self.assertRaisesRegex(ValueError, "parameter 0 of group 1.* is on cuda:1, and others are on cuda:0"):
            optimizer.add_param_group({"params": second})
        self.gradients(0, own)
        optimizer.step()
        self.assertEqual(optimizer.steps, 1)

    def test_one_that_moved_alone_is_refused(self):
        own, _ = self.twins((6, 5), (3,))
        optimizer = talweg.torch.AdamW(own)
        self.gradients(0, own)
        optimizer.step()
        before = values(own)
        own[1].data = self.gpus.admit(own[1].data.clone(), 1)
        with self.assertRaisesRegex(ValueError, "parameter 1 of group 0.* is on cuda:1, and others are on cuda:0"):
            optimizer.step()
        self.assertSame(own, before)


if __name__ == "__main__":
    unittest.main()
