"""Where parameters and gradients are: passes of Python, and one call of libtalweg, find the same."""
import ctypes
import unittest

from torch_support import Case, parameters, since, torch

from talweg.torch import described, places

KINDS = [(places.Parameters, places.Gradients)]
if described.calls() is not None:
    KINDS.append((lambda given: places.DescribedParameters(given, described.calls()),
                  lambda given, shapes: places.DescribedGradients(given, shapes, described.calls())))


def with_gradients(*shapes, dtype=torch.float32):
    own = parameters(*shapes, dtype=dtype)
    for parameter in own:
        parameter.grad = torch.ones(parameter.shape, dtype=dtype)
    return own


class Kinds(Case):
    @since(2, 15, "description of tensors for C, or may have none")
    def test_current_torch_is_read_in_one_call(self):
        own = with_gradients((2,))
        self.assertIsInstance(places.of_parameters(own * places.CALL_FROM), places.DescribedParameters)
        self.assertIsInstance(places.of_gradients(own, [own[0].shape]), places.DescribedGradients)


class OfParameters(Case):
    def check(self, change, are, are_unmoved, *shapes):
        for of_parameters, _ in KINDS:
            own = parameters(*shapes)
            known, kept = of_parameters(own), list(own) + [p.data for p in own]
            self.assertTrue(known.are(list(own)) and known.are_unmoved(list(own)) and known.are_unmoved(tuple(own)))
            given = change(own)
            with self.subTest(kind=type(known).__name__):
                self.assertEqual((known.are(given), known.are_unmoved(given)), (are, are_unmoved))
            del kept

    def test_others(self):
        self.check(lambda own: own[:1], False, False, (2,), (3,))
        self.check(lambda own: own + parameters((2,)), False, False, (2,), (3,))
        self.check(lambda own: own[::-1], False, False, (2,), (2,))
        self.check(lambda own: [own[0], 3], False, False, (2,), (2,))
        self.check(lambda own: [], False, False, (1,))
        self.check(lambda own: [torch.nn.Parameter(own[0].data)], False, False, (1,))

    def test_moved(self):
        def move(index, to):
            def change(own):
                own[index].data = to(own[index].data)
                return own
            return change
        shapes = ((), (4, 4), (0, 3), (1, 5))
        for index in (0, 1, 3):
            self.check(move(index, torch.clone), True, False, *shapes)
        self.check(move(1, lambda data: data[1:]), True, False, *shapes)
        self.check(move(2, torch.clone), True, True, *shapes)
        self.check(move(1, torch.t), True, True, *shapes)
        self.check(lambda own: own, True, True)

    @since(2, 3, "conversions that keep a module's parameters")
    def test_on_another_device(self):
        def change(own):
            torch.utils.swap_tensors(own[0], torch.nn.Parameter(own[0].to("meta")))
            return own
        self.check(change, True, False, (2,))


class OfGradients(Case):
    SHAPES = ((), (4, 4), (0, 3), (1, 5))

    def read(self, own, before, change, dtype=torch.float32):
        """What each kind finds after a change; whether all gradients have been taken `before` it."""
        for _, of_gradients in KINDS:
            given = with_gradients(*own, dtype=dtype)
            gradients = of_gradients(given, [p.shape for p in given])
            kept = [p.grad for p in given] + [p.data for p in given]
            pointers = (ctypes.c_void_p * max(1, len(own)))()
            if before:
                self.assertEqual(gradients.read()[1], places.ELSEWHERE)
                gradients.take(pointers, None)
                self.assertEqual([pointer or 0 for pointer in pointers[:len(own)]], [p.grad.data_ptr() for p in given])
                self.assertEqual(gradients.read()[1], places.AS_BEFORE)
            change(given)
            try:
                found, outcome = gradients.read()
            except (TypeError, RuntimeError):
                found, outcome = [p.grad for p in given], places.UNFIT
            self.assertEqual(len(found), len(given))
            self.assertTrue(all(a is b.grad for a, b in zip(found, given)))
            yield gradients, given, outcome, pointers
            del kept

    def check(self, expected, change, shapes=SHAPES, before=True, dtype=torch.float32):
        for gradients, _, outcome, _ in self.read(shapes, before, change, dtype):
            with self.subTest(kind=type(gradients).__name__):
                self.assertEqual(outcome, expected)

    def set(self, index, make):
        def change(given):
            own = given[index]
            gradient, own.grad = own.grad, None
            own.grad = make(gradient)
        return change

    def test_elsewhere(self):
        for index in (0, 1, 3):
            self.check(places.ELSEWHERE, self.set(index, torch.clone))
        self.check(places.AS_BEFORE, self.set(2, torch.clone))
        self.check(places.AS_BEFORE, self.set(1, lambda gradient: gradient.view(16).view(4, 4)))
        self.check(places.ELSEWHERE, self.set(1, torch.clone), dtype=torch.float64)
        self.check(places.AS_BEFORE, lambda given: None, (), before=False)

    def test_they_are_taken(self):
        """At places of their own, and only when they are taken."""
        for gradients, given, outcome, pointers in self.read(((2,), (3,)), True, self.set(1, torch.clone)):
            self.assertEqual(outcome, places.ELSEWHERE)
            self.assertEqual(gradients.read()[1], places.ELSEWHERE)
            more = (ctypes.c_void_p * 4)(1, 2, 3, 4)
            gradients.take(more, [3, 0])
            self.assertEqual(more[:], [given[1].grad.data_ptr(), 2, 3, given[0].grad.data_ptr()])
            self.assertEqual(gradients.read()[1], places.AS_BEFORE)
            gradients.forget()
            self.assertEqual(gradients.read()[1], places.ELSEWHERE)

    def test_of_no_use(self):
        for before in (False, True):
            self.check(places.UNFIT, self.set(1, lambda gradient: None), before=before)
            self.check(places.UNFIT, self.set(0, lambda gradient: None), before=before)
            self.check(places.UNFIT, self.set(1, torch.t), before=before)
            self.check(places.UNFIT, self.set(1, lambda gradient: gradient[:1].expand(4, 4)), before=before)
            self.check(places.UNFIT, self.set(3, lambda gradient: torch.ones(1, 10)[:, ::2]), before=before)
            self.check(places.UNFIT, lambda given: given[1].grad.t_(), before=before)
            self.check(places.UNFIT, self.set(1, lambda gradient: gradient.to_sparse()), before=before)
        self.check(places.UNFIT, self.set(0, lambda gradient: torch.tensor([1 + 2j]).conj().imag[0]))

    def test_strides_that_mean_nothing(self):
        self.check(places.ELSEWHERE, self.set(3, lambda gradient: torch.ones(3, 5)[1:2]))
        self.check(places.ELSEWHERE, self.set(3, lambda gradient: torch.ones(5, 1).t()))
        self.check(places.AS_BEFORE, self.set(2, lambda gradient: torch.ones(3, 0).t()))

    def test_parameters_that_have_changed(self):
        """They are looked at where a gradient is elsewhere."""
        def turn(given):
            given[1].data = given[1].data.t()

        def cut(given):
            given[1].data = given[1].data[:2]

        for change in (turn, cut):
            self.check(places.AS_BEFORE, change)
            self.check(places.UNFIT, lambda given: (change(given), self.set(0, torch.clone)(given)))

    @unittest.skipIf(not hasattr(torch.Tensor, "grad_dtype"), "gradients of another type cannot be set")
    def test_of_another_type_in_the_same_memory(self):
        """Where an address alone is compared, it shows as soon as one is elsewhere."""
        for dtype in (torch.int32, torch.float16):
            def change(given):
                memory = given[1].grad
                given[1].grad = None
                given[1].grad_dtype = dtype
                given[1].grad = memory.view(16).view(dtype)[:16].view(4, 4)
            self.check(places.UNFIT, lambda given: (change(given), self.set(0, torch.clone)(given)))
            for gradients, _, outcome, _ in self.read(self.SHAPES, True, change):
                if isinstance(gradients, places.DescribedGradients):
                    self.assertEqual(outcome, places.UNFIT)


if __name__ == "__main__":
    unittest.main()
