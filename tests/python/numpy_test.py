"""talweg.Optimizer on NumPy arrays: the interpreter's bits, what it refuses and with which words, arrays of other libraries,
steps that ask for another gradient, views and states that are saved."""
import copy
import ctypes
import gc
import inspect
import pickle
import re
import signal
import sys
import types
import threading
import unittest

try:
    import numpy as np
except ImportError:
    print("skipped: no NumPy for", sys.executable)
    sys.exit(77)

import talweg

SHAPES = {"matrix": (33, 65), "bias": (129,), "scalar": (), "empty": (0, 4), "conv": (3, 5, 4, 2), "long": (40001,)}
WITH_INPUTS = """
rule WithInputs {
  hyper lr = 1
  matrix (last two)
  require rank >= 2
  input model loss
  input group boost
  input tensor factor
  input row seen
  input matrix sharp
  input lambda
  step { update = lr * (grad + lambda) * factor * boost * loss + seen + sharp }
}
"""
AVERAGED = "ClipByGlobalNorm(1) | AdamW(lr = 0.01 / t) | Ema(decay = 0.5)"


def arrays(seed, dtype=np.float32):
    random = np.random.default_rng(seed)
    return {name: np.asarray(random.standard_normal(shape), dtype) for name, shape in SHAPES.items()}


def small():
    return {"w": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), "b": np.ones(5, np.float32)}


class Bits(unittest.TestCase):
    """What libtalweg's kernels leave, against its interpreter."""

    def check(self, expression, dtype="float32", hypers=None, own=None, inputs=None, **options):
        runs = []
        for interpreter in (False, True):
            params = arrays(0, dtype)
            names = list(params)
            groups = [{"params": {name: params[name] for name in names[::2]}, **(own or {})},
                      {"params": {name: params[name] for name in names[1::2]}}]
            rule = talweg.compile(expression, dtype=dtype, interpreter=interpreter)
            optimizer = talweg.Optimizer(groups, rule=rule, **(hypers or {}), **({} if interpreter else options))
            for step in range(1, 6):
                gradients, again = arrays(step, dtype), arrays(step + 100, dtype)
                if step == 3:
                    del gradients["bias"], again["bias"]  # which is left out then
                outcome = optimizer.step(gradients, regrad=lambda: again, **(inputs(step) if inputs else {}))
                self.assertEqual(outcome, "completed")
            states = optimizer.states()
            views = [optimizer.read_view(view.name) for view in rule.views]
            runs.append((params, states, views, optimizer.save()))
        (params, states, views, saved), (other, other_states, other_views, other_saved) = runs
        self.assertTrue(any((params[name] != arrays(0, dtype)[name]).any() for name in params))
        for name in params:
            self.assertEqual(params[name].tobytes(), other[name].tobytes(), f"{expression} {name}")
        self.assertEqual(states.keys(), other_states.keys())
        for key in states:
            self.assertEqual(states[key].tobytes(), other_states[key].tobytes(), f"{expression} {key}")
        for view, other_view in zip(views, other_views):
            for name in view:
                self.assertEqual(view[name].tobytes(), other_view[name].tobytes(), f"{expression} view of {name}")
        self.assertEqual(saved, other_saved)

    def test_bits(self):
        self.check("AdamW", hypers={"lr": 0.02}, own={"lr": 0.5, "weight_decay": 0.1})
        self.check("AdamW", "float64", {"beta1": 0.8})
        self.check(AVERAGED, threads=3)
        self.check(AVERAGED, "float64", own={"max_norm": 2}, threads=2)
        self.check("Adafactor", splits={"conv": "last_two"})
        self.check("LAMB", hypers={"lr": 0.01})

    def test_regrads(self):
        self.check("SAM(rho = 0.5) | AdamW", threads=2)
        self.check("SAM | SGD(momentum = 0.9)", "float64")

    def test_threads_do_not_matter(self):
        results = set()
        for threads in (0, 1, 2, 5):
            params = arrays(0)
            optimizer = talweg.Optimizer(params, AVERAGED, threads=threads)
            for step in range(1, 4):
                optimizer.step(arrays(step))
            results.add(b"".join(array.tobytes() for array in params.values()))
        self.assertEqual(len(results), 1)

    def test_lists_are_dicts_in_order(self):
        named, listed = arrays(0), arrays(0)
        first, second = talweg.Optimizer(named, "Adam"), talweg.Optimizer(list(listed.values()), rule="Adam")
        third = talweg.Optimizer([{"params": list(listed.values())[:2]}, {"params": list(listed.values())[2:]}], "Adam")
        first.step(arrays(1))
        second.step(list(arrays(1).values()))
        for name in named:
            self.assertEqual(named[name].tobytes(), listed[name].tobytes())
        self.assertIn(("m", "5"), second.states())
        self.assertIn(("m", "5"), third.states())


class Refusals(unittest.TestCase):
    def refused(self, kind, words, call, *arguments, **named):
        with self.assertRaisesRegex(kind, words) as caught:
            call(*arguments, **named)
        return caught.exception

    def make(self, kind, words, params, rule="AdamW", **options):
        return self.refused(kind, words, talweg.Optimizer, params, rule, **options)

    def test_parameters(self):
        w = small()["w"]
        self.make(TypeError, "parameter 'w' is list, not a NumPy array", {"w": w.tolist()})
        self.make(TypeError, "parameter 'w' is NoneType", {"w": None})
        self.make(TypeError, "parameter 'w' is float32, not", {"w": np.float32(1)})
        self.make(TypeError, "parameter 'w' is of float16; it must be of float32 or float64", {"w": w.astype(np.float16)})
        self.make(TypeError, "parameter 'w' is of int64", {"w": w.astype(np.int64)})
        self.make(TypeError, "parameter 'w' is of object", {"w": w.astype(object)})
        self.make(TypeError, "parameter 'w' is of >f4, the byte order of other machines", {"w": w.astype(">f4")})
        self.make(TypeError, "parameter 'w' is of float32 and 'v' of float64", {"w": w, "v": w.astype(np.float64)})
        self.make(TypeError, "masked", {"w": np.ma.masked_array(w, w > 0)})
        self.make(TypeError, "a dict or a list of arrays", w)
        self.make(TypeError, "a dict or a list of arrays", "w")
        self.make(TypeError, "a dict or a list of arrays", [{"params": w}])
        self.make(TypeError, "group 1 is no dict that has \"params\"", [{"params": [w]}, w])
        self.make(TypeError, "group 0 is no dict", [{"w": w}])
        self.make(TypeError, "called 3, which is no text", {3: w})
        self.make(ValueError, "same name", [{"params": {"w": w}}, {"params": {"w": w.copy()}}])
        self.make(ValueError, "NUL", {"w\0": w})

    def test_layouts(self):
        w = small()["w"]
        self.make(ValueError, "'w' is not contiguous in C order, but its transpose .T is", {"w": w.T})
        self.make(ValueError, "'w' is not contiguous in C order, but its transpose", {"w": np.asfortranarray(w)})
        self.make(ValueError, "'w' is not contiguous in C order$", {"w": w[:, ::2]})
        self.make(ValueError, "'w' is not contiguous", {"w": w[::-1]})
        self.make(ValueError, "'w' is not contiguous", {"w": np.broadcast_to(np.float32(1), (3, 4))})
        read_only = w.copy()
        read_only.flags.writeable = False
        self.make(ValueError, "'w' is read-only", {"w": read_only})
        odd = np.frombuffer(bytearray(13), np.int8)[1:].view(np.float32)
        self.make(talweg.Error, "not aligned", {"w": odd})
        both = np.zeros(10, np.float32)
        self.assertEqual(self.make(talweg.Error, "share memory", {"a": both[:6], "b": both[5:]}).status, "OVERLAP")
        transposed = np.asfortranarray(np.zeros((2, 3), np.float32)).T
        talweg.Optimizer({"a": both[:5], "b": both[5:], "row": w[1:2], "transposed": transposed}, "SGD")

    def test_rules(self):
        self.make(TypeError, "a rule is an expression such as", small(), 3)
        self.make(TypeError, "not NoneType", small(), None)
        self.make(talweg.CompileError, "`AdamWw`", small(), "AdamWw")

    def test_options(self):
        params = small()
        self.make(KeyError, "tags: there is no parameter 'x'", params, tags={"x": ["bias"]})
        self.make(KeyError, "splits: there is no parameter 'x'", params, splits={"x": 1})
        self.make(TypeError, "the tags of 'w' are 'bias': give a list", params, tags={"w": "bias"})
        self.make(ValueError, "it may be a dimension, a pair of them, or one of \"first_rest\"", params, splits={"w": "last"})
        self.make(ValueError, "dimensions 0 to 1", params, splits={"w": (0, 2)})
        self.make(ValueError, "there cannot be -1 threads", params, threads=-1)
        self.make(talweg.Error, "1024 threads", params, threads=1025)
        self.make(TypeError, "integer", params, threads=1.5)
        self.assertEqual(self.make(talweg.Error, "`momentum`", params, momentum=1).status, "UNKNOWN_NAME")
        self.assertEqual(self.make(talweg.Error, "`beta1`", params, beta1=1).status, "OUT_OF_RANGE")
        for wrong in ("0.1", None, (0.1, 0.2)):
            self.make(TypeError, f"hyper 'lr' is {re.escape(repr(wrong))}, which is no number", params, lr=wrong)
        self.make(talweg.Error, "`momentum`", [{"params": params, "momentum": 1}])

    def test_gradients(self):
        params = small()
        before = {name: array.copy() for name, array in params.items()}
        optimizer = talweg.Optimizer(params, "AdamW")
        good = {name: np.ones_like(array) for name, array in params.items()}
        for kind, words, given in (
                (KeyError, "there is no parameter 'x'", {"x": good["w"]}),
                (ValueError, "1 arrays were given for 2 parameters", [good["w"]]),
                (TypeError, "the gradient is ndarray, not a dict or list", good["w"]),
                (TypeError, "the gradient is NoneType", None),
                (TypeError, "the gradient of 'w' is list", {"w": good["w"].tolist()}),
                (TypeError, "the gradient of 'b' is of float64; it must be of float32", {**good, "b": np.ones(5)}),
                (TypeError, "the gradient of 'w' is of >f4, the byte order", {"w": good["w"].astype(">f4")}),
                (TypeError, "masked", {"w": np.ma.masked_array(good["w"])}),
                (ValueError, r"the gradient of 'w' has shape \(4, 3\), its parameter \(3, 4\)",
                 {"w": np.ones((4, 3), np.float32)}),
                (ValueError, "the gradient of 'w' is not contiguous in C order, but", {"w": np.asfortranarray(good["w"])}),
                (talweg.Error, "the gradient of 'w' shares memory with parameter `w`", {"w": params["w"]})):
            self.refused(kind, words, optimizer.step, given)
        self.refused(TypeError, "has no input 'loss'; it has \\[\\]", optimizer.step, good, loss=1)
        for name in params:
            self.assertEqual(params[name].tobytes(), before[name].tobytes())
        self.assertEqual((optimizer.steps, optimizer.calls), (0, 0))
        read_only = {name: array.copy() for name, array in good.items()}
        for array in read_only.values():
            array.flags.writeable = False
        self.assertEqual(optimizer.step(read_only), "completed")

    def test_copies(self):
        optimizer = talweg.Optimizer(small(), "AdamW")
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
            self.refused(TypeError, "make another one and load", duplicate, optimizer)

    def test_two_threads_at_once(self):
        optimizer = talweg.Optimizer(small(), "SAM | SGD")
        gradients = {name: np.ones_like(array) for name, array in small().items()}
        refused = []

        def other():
            try:
                optimizer.step(gradients)
            except RuntimeError as error:
                refused.append(str(error))

        def regrad():
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            return gradients

        self.assertEqual(optimizer.step(gradients, regrad), "completed")
        self.assertEqual(len(refused), 1)
        self.assertIn("on its way", refused[0])


class Use(unittest.TestCase):
    def setUp(self):
        self.params = small()
        self.gradients = {"w": np.full((3, 4), 0.5, np.float32), "b": np.arange(5, dtype=np.float32)}

    def test_hypers_of_stages(self):
        rule = talweg.compile(text='rule R {\n  when rank == 2: Adafactor\n  otherwise: AdamW\n}\n')
        optimizer = talweg.Optimizer(self.params, rule, adamw_lr=0.5)
        self.assertEqual((optimizer.hyper("adamw.lr"), optimizer.hyper("adamw_lr")), (0.5, 0.5))
        optimizer.set_hyper("adamw.lr", 0.25)
        self.assertEqual(optimizer.hyper("adamw_lr"), 0.25)

    def test_rules_for_another_type(self):
        rule = talweg.compile("AdamW")
        params = {"w": np.ones(3)}
        optimizer = talweg.Optimizer(params, rule)
        self.assertEqual((rule.dtype, optimizer.rule.dtype), ("float32", "float64"))
        optimizer.step({"w": np.ones(3)})
        self.assertEqual(optimizer.states()["m", "w"].dtype, np.float64)
        library = types.SimpleNamespace(rule=rule)  # of a library with one rule, which talweg.load returns
        self.assertIs(talweg.Optimizer(self.params, library).rule, rule)

    def test_inputs(self):
        rule = talweg.compile(text=WITH_INPUTS)
        w = np.zeros((2, 3, 4), np.float32)
        optimizer = talweg.Optimizer({"w": w}, rule)
        noise = {"w": np.ones((2, 3, 4), np.float32)}
        given = {"loss": 2, "boost": [3], "factor": np.array([0.5]), "lambda_": noise,
                 "seen": {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, "sharp": {"w": np.array([10, 20.0])}}
        self.assertEqual(optimizer.step(noise, **given), "completed")
        self.assertTrue((w == -6 - np.arange(6).reshape(2, 3, 1) - np.array([10, 20])[:, None, None]).all(), w)
        for kind, words, wrong in ((ValueError, "has 2 numbers; there is one a group, and so 1", {"boost": [1, 2]}),
                                   (ValueError, "there is one a model", {"loss": [1, 2]}),
                                   (TypeError, "not numbers", {"loss": "2"}), (TypeError, "not numbers", {"factor": {"w": 1}}),
                                   (ValueError, "seen of 'w' has 2 numbers; there is one a row, and so 6",
                                    {"seen": [np.zeros(2, np.float32)]}),
                                   (talweg.Error, "`loss`", {"loss": None})):
            call = {**given, **wrong}
            if wrong == {"loss": None}:
                del call["loss"]
            with self.assertRaisesRegex(kind, words):
                optimizer.step(noise, **call)
        self.assertEqual(optimizer.steps, 1)

    def test_regrad(self):
        optimizer = talweg.Optimizer(self.params, "SAM(rho = 0.5) | SGD", threads=2)
        before = {name: array.copy() for name, array in self.params.items()}
        moved = []

        def interrupt():
            moved.append((self.params["w"] != before["w"]).any())
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            optimizer.step(self.gradients, regrad=interrupt)
        self.assertEqual(moved, [True])
        with self.assertRaises(KeyboardInterrupt):
            optimizer.step(self.gradients, regrad=lambda: signal.raise_signal(signal.SIGINT))
        with self.assertRaisesRegex(talweg.Error, "give step a `regrad`"):
            optimizer.step(self.gradients)
        with self.assertRaisesRegex(TypeError, "of float64"):
            optimizer.step(self.gradients, regrad=lambda: {"w": np.ones((3, 4))})
        with self.assertRaisesRegex(RuntimeError, "on its way"):
            optimizer.step(self.gradients, regrad=lambda: optimizer.step(self.gradients))
        for refused in (optimizer.save, optimizer.reset):
            with self.assertRaisesRegex(talweg.Error, "waits"):
                optimizer.step(self.gradients, regrad=refused)
        for name in before:
            self.assertEqual(self.params[name].tobytes(), before[name].tobytes())
        self.assertEqual((optimizer.steps, optimizer.calls), (0, 0))
        self.assertEqual(optimizer.step(self.gradients, regrad=lambda: self.gradients), "completed")

    def test_views(self):
        optimizer = talweg.Optimizer(self.params, AVERAGED)
        for _ in range(3):
            optimizer.step(self.gradients)
        before = self.params["w"].copy()
        read = optimizer.read_view()
        with optimizer.view():
            self.assertTrue((self.params["w"] != before).any())
            self.assertEqual(self.params["w"].tobytes(), read["w"].tobytes())
            with self.assertRaisesRegex(talweg.Error, "swapped in"), optimizer.view("averaged"):
                pass
            self.assertEqual(self.params["w"].tobytes(), read["w"].tobytes())
        self.assertEqual(self.params["w"].tobytes(), before.tobytes())
        with self.assertRaises(KeyboardInterrupt), optimizer.view("averaged"):
            raise KeyboardInterrupt
        self.assertEqual(self.params["w"].tobytes(), before.tobytes())
        with self.assertRaisesRegex(TypeError, "SGD has no view"):
            talweg.Optimizer(small(), "SGD").read_view()

    def test_a_view_ends_with_its_optimizer(self):
        """Also where nothing else holds the arrays any more."""
        optimizer = talweg.Optimizer(self.params, AVERAGED, threads=2)
        optimizer.step(self.gradients)
        before = self.params["w"].copy()
        entered = optimizer.view()
        entered.__enter__()
        optimizer.cycle = optimizer
        w = self.params["w"]
        del self.params, optimizer, entered
        gc.collect()
        self.assertEqual(w.tobytes(), before.tobytes())

    def test_saved(self):
        straight, params = small(), self.params
        one, first = talweg.Optimizer(straight, AVERAGED), talweg.Optimizer(params, AVERAGED)
        for optimizer in (one, first):
            optimizer.step(self.gradients)
        data = first.save()
        second = talweg.Optimizer(params, AVERAGED)
        for given in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8)):
            second.load(given)
        for wrong in (data[:-1], b"", data.replace(b"m/w", b"m/x")):
            with self.assertRaises(talweg.Error) as caught:
                second.load(wrong)
            self.assertEqual(caught.exception.status, "BAD_DATA")
        with self.assertRaises(TypeError):
            second.load(len(data))
        for optimizer in (one, second):
            optimizer.step(self.gradients)
        self.assertEqual(second.save(), one.save())
        self.assertEqual(params["w"].tobytes(), straight["w"].tobytes())
        second.reset()
        self.assertEqual(second.steps, 0)

    def test_nothing_and_empty(self):
        for params in ({}, [], [{"params": []}, {"params": {}, "lr": 1}], {"w": np.zeros((0, 3))},
                       {"w": np.zeros(0, np.float32), "s": np.ones((), np.float32)}):
            optimizer = talweg.Optimizer(params, "AdamW", threads=2)
            given = params.values() if isinstance(params, dict) else []
            self.assertEqual(optimizer.step([np.ones_like(array) for array in given]), "completed")
            self.assertEqual(optimizer.steps, 1)
        self.assertTrue(0.99 < params["s"] < 1)
        self.assertEqual(optimizer.states()["m", "s"].shape, ())

    def test_states(self):
        optimizer = talweg.Optimizer(self.params, "AdamW")
        optimizer.step(self.gradients)
        states = optimizer.states()
        states["m", "w"][0] = 0  # the state itself
        self.assertTrue((optimizer.states()["m", "w"][0] == 0).all())
        kept = states["v", "b"].copy()
        del optimizer
        gc.collect()
        others = [np.ones(1 << 14, np.float32) for _ in range(20)]
        self.assertTrue((states["v", "b"] == kept).all(), len(others))

    def test_words(self):
        optimizer = talweg.Optimizer(self.params, "AdamW")
        self.assertRegex(repr(optimizer), "<talweg.Optimizer of AdamW: 2 parameters of 17 elements, 0 steps, x86-64")
        self.assertIn("__dlpack__", talweg.Optimizer.__doc__)
        for name, member in inspect.getmembers(talweg.Optimizer):
            if not name.startswith("_"):
                self.assertTrue(inspect.getdoc(member), name)
        self.assertIn("threads", inspect.signature(talweg.Optimizer).parameters)


class Lender:
    """An array of another library: the memory of a NumPy array, and what shall be said of it."""

    NEW = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi))

    def __init__(self, array, device=1, code=2, bits=32, lanes=1, flags=0, major=1, is_versioned=True, strides=None):
        from talweg import _dlpack
        self.array, self.device, self.is_versioned = array, device, is_versioned
        self.shape = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
        self.strides = strides and (ctypes.c_int64 * len(strides))(*strides)
        tensor = _dlpack._DLTensor(data=array.ctypes.data - 8, device=device, rank=array.ndim, code=code, bits=bits, lanes=lanes,
                                   shape=self.shape, strides=self.strides, offset=8)
        self.managed = _dlpack._DLVersioned(major=major, flags=flags, tensor=tensor) if is_versioned else tensor

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **options):
        if not self.is_versioned and options:
            raise TypeError("there is no max_version")
        name = b"dltensor_versioned" if self.is_versioned else b"dltensor"
        self.name = ctypes.c_char_p(name)
        return self.NEW(ctypes.addressof(self.managed), ctypes.cast(self.name, ctypes.c_char_p), None)


class Scalars(unittest.TestCase):
    def test_a_gradient_that_numpy_made_a_number(self):
        w, wide = np.array(3, np.float32), np.float64(1)
        optimizer = talweg.Optimizer({"w": w}, "GradientDescent", lr=0.5)
        gradient = w + w
        self.assertNotIsInstance(gradient, np.ndarray)
        optimizer.step({"w": gradient})
        self.assertEqual(w, 0)
        with self.assertRaisesRegex(TypeError, "the gradient of 'w' is of float64"):
            optimizer.step({"w": wide})
        with self.assertRaisesRegex(TypeError, "parameter 'w' is float64, not a NumPy array"):
            talweg.Optimizer({"w": wide}, "AdamW")


class Borrowed(unittest.TestCase):
    """Arrays of other libraries, by DLPack."""

    def test_steps(self):
        for versioned, device in ((False, 1), (True, 1), (True, 3)):  # 3: memory of the CPU that CUDA has pinned
            for strides in (None, (4, 1)):
                expected, w = small()["w"], small()["w"]
                gradient = np.full((3, 4), 0.5, np.float32)
                talweg.Optimizer({"w": expected}, "AdamW").step({"w": gradient})
                optimizer = talweg.Optimizer({"w": Lender(w, device, is_versioned=versioned, strides=strides)}, "AdamW")
                optimizer.step({"w": Lender(gradient, flags=1, is_versioned=versioned, strides=strides)})
                self.assertEqual(w.tobytes(), expected.tobytes())

    def test_refusals(self):
        w = small()["w"]
        for kind, words, lender in (
                (ValueError, "parameter 'w' is in memory of CUDA; it must be in that of the CPU", Lender(w, device=2)),
                (ValueError, "is in memory of device 99", Lender(w, device=99)),
                (ValueError, "is read-only", Lender(w, flags=1)),
                (ValueError, "is read-only", type("Array", (Lender,), {"__module__": "jaxlib._jax"})(w, is_versioned=False)),
                (ValueError, "is not contiguous in C order", Lender(w, strides=(1, 3))),
                (TypeError, "is of bfloat16; it must be", Lender(w, code=4, bits=16)),
                (TypeError, "is of float16; it must be", Lender(w, bits=16)),
                (TypeError, "is of int32; it must be", Lender(w, code=0)),
                (TypeError, "float32 or float64", Lender(w, code=17, bits=4)),
                (TypeError, "float32 or float64", Lender(w, lanes=2)),
                (TypeError, "DLPack 2, which is not known", Lender(w, major=2))):
            with self.assertRaisesRegex(kind, words):
                talweg.Optimizer({"w": lender}, "AdamW")
        optimizer = talweg.Optimizer({"w": w}, "AdamW")
        for kind, words, lender in ((ValueError, "the gradient of 'w' is in memory of ROCm", Lender(w, device=10)),
                                    (talweg.Error, "shares memory with parameter `w`", Lender(w)),
                                    (TypeError, "the gradient of 'w' is of float64", Lender(np.ones((3, 4)), bits=64)),
                                    (ValueError, "has shape", Lender(np.ones((4, 3), np.float32)))):
            with self.assertRaisesRegex(kind, words):
                optimizer.step({"w": lender})

    def test_memory_is_given_back(self):
        class Plain:  # lends what NumPy lends, whose capsule holds the array
            def __init__(self, array):
                self.array = array

            def __dlpack_device__(self):
                return 1, 0

            def __dlpack__(self, **options):
                return self.array.__dlpack__()

        w, gradient = small()["w"], np.ones((3, 4), np.float32)
        before = sys.getrefcount(w), sys.getrefcount(gradient)
        optimizer = talweg.Optimizer({"w": Plain(w)}, "AdamW")
        self.assertGreater(sys.getrefcount(w), before[0])
        optimizer.step({"w": Plain(gradient)})
        self.assertEqual(sys.getrefcount(gradient), before[1])
        del optimizer
        gc.collect()
        self.assertEqual(sys.getrefcount(w), before[0])


if __name__ == "__main__":
    unittest.main(verbosity=1)
