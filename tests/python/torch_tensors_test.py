"""Which tensors are taken, how their memory may lie, and what happens when it moves."""
import unittest

from torch_support import Case, give_gradients, parameters, run, run_both, since, torch, twins, values

import talweg
import talweg.torch


def sgd(given, **arguments):
    return talweg.torch.SGD(given, lr=0.1, momentum=0.9, **arguments)


class Refused(Case):
    def refuse(self, error, said, given):
        with self.assertRaisesRegex(error, said):
            sgd(given)

    def test_kinds_of_parameters(self):
        leaf = torch.nn.Parameter
        good = leaf(torch.ones(2))
        for tensor, said in ((leaf(torch.ones(2, dtype=torch.bfloat16)), "is torch.bfloat16: only torch.float32 and"),
                             (leaf(torch.ones(2, dtype=torch.float16)), "is torch.float16"),
                             (leaf(torch.ones(2, dtype=torch.complex64)), "is torch.complex64"),
                             (leaf(torch.ones(2, device="meta")), "is on meta: only tensors on the CPU"),
                             (leaf(torch.eye(2).to_sparse()), "is sparse"),
                             (leaf(torch.ones(2, dtype=torch.float64)), "is torch.float64, and others are torch.float32")):
            with self.subTest(said):
                self.refuse(TypeError, rf"parameter 1 of group 0, of shape \(2(, 2)?,?\), {said}", [good, tensor])
                self.refuse(TypeError, f"parameter 'odd' {said}", [("good", good), ("odd", tensor)])
        self.refuse(TypeError, "is torch.bfloat16", [leaf(torch.ones(2, dtype=torch.bfloat16))])

    def test_what_is_no_parameter(self):
        good = torch.nn.Parameter(torch.ones(2))
        self.refuse(ValueError, "can't optimize a non-leaf Tensor: parameter 1 of group 0", [good, good * 2])
        self.refuse(ValueError, "can't optimize a non-leaf Tensor", [good[:1]])
        self.refuse(TypeError, "parameter 1 of group 0 is no tensor but", [good, 3])
        self.refuse(ValueError, "empty parameter list", [])
        self.refuse(TypeError, r"params is a dict: give its values\(\), or its items\(\) for", {"w": good})
        self.refuse(TypeError, r"params is one group: give a list of groups", {"params": [good]})
        self.refuse(TypeError, "iterable of Tensors", good)
        self.refuse(TypeError, r"params is the module Linear: give its parameters\(\)", torch.nn.Linear(2, 2))
        for mixed, place, kind in (([{"params": [good]}, good], 1, "Parameter"), ([good, {"params": [good]}], 0, "Parameter")):
            self.refuse(TypeError, f"group {place} is no dict but {kind}: give groups, or parameters, not both", mixed)
        sgd(torch.nn.ParameterList([good]))
        self.refuse(TypeError, "ordered collections", {good})
        self.refuse(TypeError, "ordered collections", [{"params": {good}}])
        self.refuse(ValueError, 'group 0 has no "params"', [{"lr": 1}])
        self.refuse(ValueError, "has no shape yet", [torch.nn.LazyLinear(3).weight])

    def test_overlapping_memory(self):
        self.refuse(ValueError, r"parameter 0 of group 0, of shape \(3, 2\), has strides \(0, 1\): its elements overlap",
                    [torch.nn.Parameter(torch.ones(2).expand(3, 2))])
        self.refuse(ValueError, "overlap or leave gaps", [torch.nn.Parameter(torch.ones(4)[::2])])
        memory = torch.ones(6)
        both = [torch.nn.Parameter(memory[:4]), torch.nn.Parameter(memory[2:])]
        optimizer = sgd(both)
        give_gradients(both, seed=0)
        with self.assertRaisesRegex(talweg.Error, r"^parameter 0 of group 0, of shape \(4,\), and parameter 1 of group 0, of shape "
                                    r"\(4,\), share memory") as caught:
            optimizer.step()
        self.assertEqual(caught.exception.status, "OVERLAP")
        with self.assertRaisesRegex(talweg.Error, "^parameter 'a' and parameter 'b' share memory"):
            sgd([("a", both[0]), ("b", both[1])]).step()

    def test_gradients(self):
        table = torch.nn.Embedding(4, 2, sparse=True)
        optimizer = sgd([("table", table.weight)])
        table(torch.tensor([1])).sum().backward()
        before = values(table.parameters())
        with self.assertRaisesRegex(RuntimeError, "the gradient of parameter 'table' is sparse"):
            optimizer.step()
        self.assertSame(values(table.parameters()), before)
        table.weight.grad = torch.ones(4, 2)
        optimizer.step()
        self.assertMoved(values(table.parameters()), before)

    @unittest.skipIf(not hasattr(torch.Tensor, "grad_dtype"), "gradients of another type cannot be set")
    def test_gradients_of_another_type(self):
        own = parameters((4,))
        optimizer = sgd(own)
        run(optimizer, own, 1)
        own[0].grad = None
        own[0].grad_dtype = torch.bfloat16
        own[0].grad = torch.ones(4, dtype=torch.bfloat16)
        with self.assertRaisesRegex(RuntimeError, "is torch.bfloat16, the parameter torch.float32: nothing is cast"):
            optimizer.step()


class Devices(Case):
    @since(2, 0, "default devices")
    def test_another_device_by_default(self):
        """Memory is asked for on the CPU, whatever torch makes tensors on."""
        own, theirs = twins((4, 3), (0,), (5,))
        gradients = [torch.randn(3, 4).t(), torch.zeros(0), torch.ones(5)]
        for p, q, gradient in zip(own, theirs, gradients):
            p.grad, q.grad = gradient, gradient.clone()
        reference = torch.optim.AdamW(theirs)
        reference.step()
        with torch.device("meta"):
            optimizer = talweg.torch.AdamW(own)
            optimizer.step()
            exported = optimizer.torch_state_dict()
        self.assertClose(own, theirs)
        for states in (optimizer.state[p] for p in own):
            self.assertEqual({state.device.type for state in states.values()}, {"cpu"})
        self.assertEqual(exported["state"][0]["step"].device.type, "cpu")


class Shapes(Case):
    def test_empty_and_0d(self):
        own, theirs = twins((), (0,), (2, 0, 3), (1, 1))
        optimizer, reference = talweg.torch.AdamW(own), torch.optim.AdamW(theirs)
        run_both(optimizer, own, reference, theirs, 3)
        self.assertClose(own, theirs)
        self.assertEqual(optimizer.state[own[0]]["m"].shape, ())
        self.assertEqual(optimizer.state[own[2]]["m"].shape, (2, 0, 3))

    def test_dense_strides(self):
        """Channels last and transposed, with gradients of the same strides: as they lie."""
        def made():
            image = torch.nn.Parameter(torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))
                                       .contiguous(memory_format=torch.channels_last))
            turned = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).t())
            return [image, turned]
        own, theirs = made(), made()
        optimizer, reference = talweg.torch.AdamW(own, lr=0.1), torch.optim.AdamW(theirs, lr=0.1)
        for step in range(4):
            generator = torch.Generator().manual_seed(step)
            for a, b in zip(own, theirs):
                gradient = torch.randn(a.shape, generator=generator)
                b.grad = gradient.clone()
                a.grad = torch.empty_strided(a.size(), a.stride()).copy_(gradient)
                self.assertEqual(a.grad.stride(), a.stride())
            optimizer.step()
            reference.step()
        self.assertClose(own, theirs)
        for a, b in zip(own, theirs):
            self.assertEqual(optimizer.state[a]["m"].stride(), a.stride())
            self.assertClose([optimizer.state[a]["m"]], [reference.state[b]["exp_avg"]])

    def test_gradients_of_other_strides(self):
        """They are copied into their parameter's order, whatever was there in the step before."""
        own, theirs = twins((3, 3))
        optimizer, reference = sgd(own), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
        buffer = torch.randn(3, 3)
        for step in range(8):
            gradient = buffer if step % 2 == 0 else buffer.t()
            own[0].grad = None
            own[0].grad = gradient.view(3, 3) if step % 4 == 0 else gradient
            theirs[0].grad = gradient.clone()
            optimizer.step()
            reference.step()
        self.assertClose(own, theirs)

    def test_rules_that_look_at_the_shape(self):
        turned = torch.nn.Parameter(torch.randn(3, 2).t())
        with self.assertRaisesRegex(ValueError, r"parameter 'w' is not contiguous .*rows, columns.*p.data.contiguous\(\)"):
            talweg.torch.Optimizer([("w", turned)], "Adafactor")
        turned.data = turned.data.contiguous()
        talweg.torch.Optimizer([("w", turned)], "Adafactor")
        with self.assertRaisesRegex(ValueError, "is not contiguous"):
            talweg.torch.Optimizer([torch.nn.Parameter(torch.randn(3, 2).t())], "NormalizeMatrix | SGD")

    def test_expanded_gradients_and_ones_with_a_graph(self):
        own, other = twins((3, 4), (5,))
        optimizer, alone = sgd(own), sgd(other)
        for step in range(3):
            own[0].grad, own[1].grad = torch.full((4,), 2.0 + step).expand(3, 4), torch.tensor([1.0]).expand(5)
            other[0].grad, other[1].grad = torch.full((3, 4), 2.0 + step), torch.ones(5)
            optimizer.step()
            alone.step()
        self.assertSame(own, other)
        x = torch.ones(5, requires_grad=True)
        own[1].grad, other[1].grad = x * 2, torch.full((5,), 2.0)
        optimizer.step()
        alone.step()
        self.assertSame(own, other)

    def test_conditions_on_the_shape(self):
        def rule(condition):
            return talweg.compile("R", text=f"rule R {{\n  when {condition}: SGD(lr = 1)\n  otherwise: SGD(lr = 2)\n}}\n")
        turned = torch.nn.Parameter(torch.randn(3, 2).t())
        for condition in ("rank == 2", "rank >= 2 and rows > 2"):
            with self.assertRaisesRegex(ValueError, "is not contiguous"):
                talweg.torch.Optimizer([turned], rule(condition))
        talweg.torch.Optimizer([turned], rule('tagged("rank")'))

    def test_a_gradient_in_one_step_only(self):
        """Torch counts steps for each parameter; here a parameter without one is left out."""
        own = parameters((4,), (3,), (2,))
        optimizer = talweg.torch.AdamW(own)
        for present in ((0, 1, 2), (0,), (1, 2), (), (2,)):
            before, states = values(own), [optimizer.state[p]["m"].clone() for p in own] if optimizer.state else None
            for i, parameter in enumerate(own):
                parameter.grad = torch.ones_like(parameter) if i in present else None
            optimizer.step()
            for i, parameter in enumerate(own):
                (self.assertMoved if i in present else self.assertSame)([parameter], [before[i]])
                if states and i not in present:
                    self.assertSame([optimizer.state[parameter]["m"]], [states[i]])


class Moves(Case):
    def moved(self, change, checked=True):
        """Parameters that `change` moves go on as those that stay."""
        own, other = twins((4, 3), (5,))
        optimizer, alone = talweg.torch.AdamW(own, lr=0.1), talweg.torch.AdamW(other, lr=0.1)
        run(optimizer, own, 3)
        run(alone, other, 3)
        addresses = [p.data_ptr() for p in own]
        kept = [p.data for p in own]
        change(own)
        if checked:
            self.assertNotEqual([p.data_ptr() for p in own], addresses)
        run(optimizer, own, 3, 3)
        run(alone, other, 3, 3)
        self.assertSame(own, other)
        self.assertEqual(optimizer.steps, 6)
        self.assertSame([optimizer.state[p]["m"] for p in own], [alone.state[p]["m"] for p in other])
        del kept

    def test_data_replaced(self):
        def change(own):
            own[1].data = own[1].data.clone()
        self.moved(change)

    def test_into_a_flat_buffer(self):
        def change(own):
            flat = torch.cat([p.data.reshape(-1) for p in own])
            own[0].data, own[1].data = flat[:12].view(4, 3), flat[12:]
        self.moved(change)

    def test_another_order_of_dimensions(self):
        def change(own):
            own[0].data = own[0].data.t().contiguous().t()
        self.moved(change)

    def test_another_order_of_dimensions_in_the_same_memory(self):
        own, theirs = twins((3, 3))
        optimizer, reference = talweg.torch.Adam(own, lr=0.1), torch.optim.Adam(theirs, lr=0.1)
        run(optimizer, own, 1)
        run(reference, theirs, 1)
        for p in (*own, *theirs):
            p.data, before = p.data.t(), p.grad
            p.grad = torch.arange(9.0).view(3, 3)
            self.assertNotEqual(p.grad.data_ptr(), before.data_ptr())
        with self.assertRaisesRegex(ValueError, r"has strides \(1, 3\) now, .*\(3, 1\): .*p.data = p.data.clone\(\)"):
            optimizer.step()
        own[0].data = own[0].data.clone()
        optimizer.step()
        reference.step()
        self.assertClose(own, theirs)

    def test_one_that_appears_again_at_the_old_address(self):
        def change(own):
            own[0].data, own[0].data = own[0].data.clone(), own[0].data
        self.moved(change, checked=False)

    def test_another_type(self):
        own = parameters((4,))
        optimizer = sgd(own)
        run(optimizer, own, 1)
        own[0].grad = None
        own[0].data = own[0].data.double()
        with self.assertRaisesRegex(TypeError, "is torch.float64 now, and its states are float32: make a new optimizer"):
            optimizer.step()

    @since(2, 3, "conversions that keep a module's parameters")
    def test_another_device(self):
        module = torch.nn.Linear(2, 2)
        optimizer = sgd(module.named_parameters())
        run(optimizer, list(module.parameters()), 1)
        torch.__future__.set_swap_module_params_on_conversion(True)
        self.addCleanup(torch.__future__.set_swap_module_params_on_conversion, False)
        optimizer.zero_grad()
        module.to("meta")
        with self.assertRaisesRegex(TypeError, "parameter 'weight' is on meta"):
            optimizer.step()

    def test_another_shape(self):
        own = parameters((4,))
        optimizer = sgd(own)
        run(optimizer, own, 1)
        grown = own[0].data.clone()
        own[0].data = torch.ones(5)
        own[0].grad = torch.ones(5)
        with self.assertRaisesRegex(ValueError, r"parameter 0 .*has shape \(5,\) now, and its states \(4,\)"):
            optimizer.step()
        own[0].data = grown
        own[0].grad = torch.ones(4)
        optimizer.step()
        kept, own[0].grad = own[0].grad, torch.ones(4)  # elsewhere
        own[0].data = own[0].data[:3]  # at the same address
        with self.assertRaisesRegex(ValueError, r"has shape \(3,\) now"):
            optimizer.step()
        del kept
        own[0].grad = torch.ones(3)
        with self.assertRaisesRegex(ValueError, r"has shape \(3,\) now"):
            optimizer.step()

    def test_gradients_that_are_made_anew(self):
        own, theirs = twins((64, 64), (64,))
        optimizer, reference = sgd(own), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
        for step in range(5):
            for p, o in ((own, optimizer), (theirs, reference)):
                o.zero_grad(set_to_none=step % 2 == 0)
                x = torch.full((64,), 0.1 * step)
                (p[0] @ x + p[1]).pow(2).mean().backward()
                o.step()
        self.assertClose(own, theirs)

    def test_gradients_elsewhere_in_each_step(self):
        """Of some of the parameters."""
        own, theirs = twins((4, 3), (5,), (2, 2))
        optimizer, reference = sgd(own), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
        kept = []
        for step in range(6):
            for present in ((0, 2), (0, 1, 2))[step // 3]:
                gradient = torch.full_like(own[present], 0.1 * step + present)
                own[present].grad, theirs[present].grad = gradient, gradient.clone()
                kept.append(gradient)
            optimizer.step()
            reference.step()
            self.assertClose(own, theirs)

    def test_negated_gradients(self):
        own, theirs = twins((1,), (3,))
        optimizer, reference = sgd(own), torch.optim.SGD(theirs, lr=0.1, momentum=0.9)
        run(optimizer, own, 1)
        run(reference, theirs, 1)
        negated = torch.tensor([1 + 2j]).conj().imag
        self.assertTrue(negated.is_neg() and negated.is_contiguous())
        own[0].grad, theirs[0].grad = negated, torch.tensor([-2.0])
        optimizer.step()
        reference.step()
        self.assertClose(own, theirs)


if __name__ == "__main__":
    unittest.main()
