"""A library's Python module: the interpreter's bits, errors as exceptions, views, states that are saved."""
import copy
import gc
import importlib.util
import json
import pickle
import struct
import sys
import types
import unittest

from support import FOLDER, HERE, ROOT, SKIPPED, build, main

try:
    import numpy as np
except ImportError:
    print("skipped: no NumPy for", sys.executable)
    sys.exit(SKIPPED)

#: As in scenario.h.
TENSORS = (("embed.weight", (40, 7), 0, ("embedding",)), ("w", (33, 65), 1, ()), ("w.bias", (129,), 0, ()), ("scalar", (), 1, ()),
           ("empty", (0, 4), 0, ()), ("conv", (3, 5, 4, 2), 1, ()), ("long", (40001,), 0, ()), ("frozen", (5,), 1, ()))
STEPS = 6


def load(dtype, name="samples"):
    spec = importlib.util.spec_from_file_location(f"{name}_{dtype}", FOLDER / dtype / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(seed, count, dtype):
    """scenario_number for seed, seed + 1, ..."""
    z = (np.arange(count, dtype=np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    fraction = ((z >> np.uint64(40)).astype(np.float64) - 8388608.0) / 8388608.0
    kind = z & np.uint64(31)
    values = np.choose(np.minimum(kind, 4).astype(int), [np.zeros(count), fraction * 512, fraction * 1e-6, fraction * 1e-40, fraction])
    return values.astype(dtype)


def arrays(use, step, dtype):
    result = {}
    for index, (name, shape, _, _) in enumerate(TENSORS):
        seed = (use << 40 | step << 32 | index) << 20
        result[name] = numbers(seed, int(np.prod(shape)), dtype).reshape(shape)
    return result


def fnv(array):
    result = 0xCBF29CE484222325
    for byte in np.ascontiguousarray(array).tobytes():
        result = (result ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{result:016x}"


def expected(dtype, rule):
    """The hashes of the interpreter: a dict by name for each step, and one of the view."""
    blocks = []
    is_here = False
    for line in (FOLDER / dtype / "expected.txt").read_text().splitlines():
        words = line.split(" ")
        if len(words) == 1:
            is_here = line == rule
        elif is_here and words[0] in ("step", "view"):
            blocks.append({})
        elif is_here:
            blocks[-1].setdefault(words[0], words[1])
    return blocks


class Scenario:
    def __init__(self, module, name, **options):
        self.dtype = module.dtype
        self.params = arrays(0, 0, self.dtype)
        groups = [{"params": {n: self.params[n] for n, _, g, _ in TENSORS if g == group}} for group in (0, 1)]
        self.optimizer = getattr(module, name)(groups, tags={n: tags for n, _, _, tags in TENSORS}, **options)

    def gradients(self, step, use=1):
        given = arrays(use, step, self.dtype)
        return {n: given[n] for n in given if n != "frozen" and not (n == "w.bias" and step == 3)}

    def step(self, step):
        return self.optimizer.step(self.gradients(step), regrad=lambda: self.gradients(step, 2))


class Bits(unittest.TestCase):
    def check(self, dtype, rule, setting, **options):
        run = Scenario(load(dtype), rule, **options)
        for step in range(1, STEPS + 1):
            if step == 4 and setting:
                run.optimizer.set_hyper(*setting, group=1)
            self.assertEqual(run.step(step), "completed")
        blocks = expected(dtype, rule)
        view = blocks.pop() if len(blocks) % STEPS else None
        last = blocks[-1]
        short = [name for name, _, _, _ in TENSORS if name != "long"]  # that takes long to hash here
        for name in short:
            self.assertEqual(fnv(run.params[name]), last[name], f"{rule} {name} {dtype}")
        for (state, tensor), array in run.optimizer.states().items():
            if tensor != "long":
                self.assertEqual(fnv(array), last[f"{state}/{tensor}" if tensor else state], f"{rule} {state} {tensor} {dtype}")
        if view:
            read = run.optimizer.read_view("averaged")
            for name in short:
                self.assertEqual(fnv(read[name]), view[name], f"view of {rule} {name} {dtype}")

    def test_bits(self):
        for dtype in ("float32", "float64"):
            # Orders of tensors differ from the scenario's where groups come one after the other; sums over the model
            # then do too, so those rules are not here.
            self.check(dtype, "adamw", ("lr", 0.05))
            self.check(dtype, "rmsprop", ("lr", 0.02), threads=3)
            self.check(dtype, "follows", ("lr2", 0.4))
            self.check(dtype, "routes", ("adamw.lr", 0.5))


class Use(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.module = load("float32")

    def setUp(self):
        self.w = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
        self.b = np.ones(5, dtype=np.float32)
        self.params = {"w": self.w, "b": self.b}
        self.gradients = {"w": np.full((3, 4), 0.5, np.float32), "b": np.arange(5, dtype=np.float32)}

    def refused(self, status, words, call, *arguments, **named):
        with self.assertRaises(self.module.Error) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.status, status)
        self.assertIn(words, str(caught.exception))

    def test_description(self):
        self.assertEqual(self.module.description, json.loads((FOLDER / "float32/samples.json").read_text()))
        self.assertIn("arXiv", self.module.adamw.__doc__)
        self.assertEqual(self.module.dtype, np.float32)

    def test_text(self):
        """It has the files that the package has, whole, in one."""
        text = (FOLDER / "float32/samples.py").read_text()
        for part in ("engine", "dlpack", "arrays"):
            own = (ROOT / f"runtime/standalone/python/{part}.py").read_text().split("\n# BEGIN\n")[1]
            self.assertIn(own.strip(), text)
        self.assertFalse([line for line in text.splitlines() if len(line) > 100 or line.startswith("# HERE")])

    def test_arrays_that_are_refused(self):
        make = self.module.adamw
        for wrong in (self.w.astype(np.float64), self.w.tolist(), self.w.astype(">f4"), None):
            with self.assertRaises(TypeError):
                make({"w": wrong})
        for wrong in (self.w.T, self.w[:, ::2]):
            with self.assertRaises(ValueError):
                make({"w": wrong})
        read_only = self.w.copy()
        read_only.flags.writeable = False
        with self.assertRaises(ValueError):
            make({"w": read_only})
        odd = np.frombuffer(bytearray(13), np.int8)[1:].view(np.float32)
        self.refused("BAD_ARGUMENT", "not aligned", make, {"w": odd})
        self.refused("OVERLAP", "share memory", make, {"a": self.w, "b": self.w})
        self.refused("BAD_ARGUMENT", "no name", make, {"": self.w})
        self.refused("BAD_ARGUMENT", "1024 threads", make, self.params, threads=1025)
        for threads in (-1, 1 << 32, (1 << 32) + 1, 1 - (1 << 32)):
            with self.assertRaisesRegex(ValueError, f"{threads} threads"):
                make(self.params, threads=threads)

    def test_names_with_a_nul_are_refused(self):
        optimizer = self.module.averaged(self.params)
        for call in (lambda: self.module.adamw({"w\0x": self.w}), lambda: self.module.adamw({"w": self.w}, tags={"w": ["bias\0x"]}),
                     lambda: optimizer.set_hyper("lr\0x", 0.5), lambda: optimizer.hyper("lr\0x"),
                     lambda: optimizer.read_view("averaged\0x"), lambda: optimizer.view("averaged\0x").__enter__()):
            with self.assertRaisesRegex(ValueError, "NUL"):
                call()

    def test_gradients_that_are_refused(self):
        optimizer = self.module.adamw(self.params)
        before = self.w.copy()
        for error, wrong in ((TypeError, self.gradients["w"].astype(np.float64)), (ValueError, self.gradients["w"].reshape(4, 3)),
                             (ValueError, np.zeros((4, 3), np.float32).T)):
            with self.assertRaises(error):
                optimizer.step({"w": wrong})
        with self.assertRaises(KeyError):
            optimizer.step({"v": self.gradients["w"]})
        with self.assertRaises(ValueError):
            optimizer.step([self.gradients["w"]])
        with self.assertRaises(TypeError):
            optimizer.step(self.gradients, loss=1)
        self.refused("OVERLAP", "`w`", optimizer.step, {"w": self.w})
        self.assertTrue((self.w == before).all())
        self.assertEqual(optimizer.steps, 0)
        self.assertEqual(optimizer.step({"w": self.gradients["w"]}), "completed")  # b is left out
        self.assertTrue((self.b == 1).all() and (self.w != before).all())

    def test_mappings_that_are_no_dicts(self):
        optimizer = self.module.adamw(types.MappingProxyType(self.params))
        before = self.b.copy()
        self.assertEqual(optimizer.step(types.MappingProxyType({"w": self.gradients["w"]})), "completed")
        self.assertTrue((self.b == before).all() and optimizer.states()["m", "w"].all())
        with self.assertRaises(KeyError):
            optimizer.step(types.MappingProxyType({"v": self.gradients["w"]}))

    def test_hypers(self):
        optimizer = self.module.adamw([{"params": {"w": self.w}, "lr": 0.25}, {"params": {"b": self.b}}], beta1=0.5)
        self.assertEqual((optimizer.hyper("lr"), optimizer.hyper("lr", 1), optimizer.hyper("beta1", 1)), (0.25, 0.001, 0.5))
        self.refused("OUT_OF_RANGE", "`beta1`", optimizer.set_hyper, "beta1", 1)
        self.refused("OUT_OF_RANGE", "`lr`", optimizer.set_hyper, "lr", float("nan"))
        self.refused("UNKNOWN_NAME", "`learning_rate`", optimizer.set_hyper, "learning_rate", 1)
        self.refused("UNKNOWN_NAME", "`momentum`", self.module.adamw, {"w": np.zeros(2, np.float32)}, momentum=1)
        for group in (-1, 2, 1 << 32):
            with self.assertRaises(IndexError):
                optimizer.set_hyper("lr", 0.5, group=group)
            with self.assertRaises(IndexError):
                optimizer.hyper("lr", group)
        self.assertEqual((optimizer.hyper("lr"), optimizer.hyper("lr", 1)), (0.25, 0.001))

    def test_views(self):
        optimizer = self.module.averaged(self.params)
        for _ in range(3):
            optimizer.step(self.gradients)
        before = self.w.copy()
        read = optimizer.read_view("averaged")
        self.assertTrue((read["w"] != self.w).any())
        with optimizer.view("averaged"):
            self.assertTrue((self.w == read["w"]).all() and (self.b == read["b"]).all())
            self.refused("SWAPPED_IN", "swapped in", optimizer.step, self.gradients)
        self.assertTrue((self.w == before).all())
        self.refused("UNKNOWN_NAME", "`mean`", optimizer.read_view, "mean")
        with self.assertRaises(ZeroDivisionError), optimizer.view("averaged"):
            raise ZeroDivisionError
        self.assertTrue((self.w == before).all())

    def test_regrad(self):
        optimizer = self.module.sam(self.params)
        before = self.w.copy()
        self.refused("WAITING", "regrad", optimizer.step, self.gradients)
        wrong = {"w": self.gradients["w"].astype(np.float64), "b": self.gradients["b"]}
        with self.assertRaises(TypeError):
            optimizer.step(self.gradients, regrad=lambda: wrong)
        with self.assertRaises(ZeroDivisionError):
            optimizer.step(self.gradients, regrad=lambda: 1 // 0)
        self.assertTrue((self.w == before).all())
        self.assertEqual((optimizer.steps, optimizer.calls), (0, 0))
        self.assertEqual(optimizer.step(self.gradients, regrad=lambda: self.gradients), "completed")

    def test_inputs(self):
        optimizer = self.module.sgdnoise(self.params)
        noise = {"w": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float32)}
        self.refused("MISSING_INPUT", "`loss`", optimizer.step, self.gradients, noise=noise, factor=[1, 1], boost=[1])
        for wrong in ({"factor": [1]}, {"factor": [1, 1, 1]}, {"boost": []}, {"boost": [1, 2]}, {"loss": [1, 2]}):
            with self.assertRaises(ValueError):
                optimizer.step(self.gradients, **{"loss": 1, "noise": noise, "factor": [1, 1], "boost": [1], **wrong})
        with self.assertRaises(TypeError):
            optimizer.step(self.gradients, loss=1, noise={"w": noise["w"].astype(int)}, factor=[1, 1], boost=[1])
        self.assertEqual(optimizer.steps, 0)
        self.assertEqual(optimizer.step(self.gradients, loss=1, noise=noise, factor=[1, 1], boost=[1]), "completed")

    def rates(self, splits=None, **given):
        """One step of a rule with inputs of every rate; its states of matrices, rows and columns."""
        conv = np.zeros((2, 3, 4), np.float32)
        optimizer = self.module.rates({"w": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float32), "conv": conv},
                                      splits=splits)
        zeros = [np.zeros(array.shape, np.float32) for array in (np.zeros((3, 4)), np.zeros(5), conv)]
        rows = {name: optimizer.states()["r", name].size for name in ("w", "conv")}
        columns = {name: optimizer.states()["c", name].size for name in ("w", "conv")}
        matrices = {name: optimizer.states()["bend", name].size for name in ("w", "conv")}
        inputs = {"loss": 1, "boost": [1], "factor": [1, 1, 1], "noise": zeros,
                  "sharp": {name: np.arange(1, count + 1, dtype=float) for name, count in matrices.items()},
                  "seen": {name: np.arange(count, dtype=np.float32) for name, count in rows.items()},
                  "wide": {name: np.arange(count, dtype=np.float32) for name, count in columns.items()}}
        optimizer.step(zeros, **{**inputs, **given})
        return {key: array.copy() for key, array in optimizer.states().items() if key[0] in ("r", "c", "bend")}

    def test_inputs_of_matrices_rows_and_columns(self):
        for splits, shapes in ((None, ((3,), (4,), (), (2,), (12,), ())),
                               ({"w": "last_two", "conv": "last_two"}, ((3,), (4,), (), (6,), (8,), (2,))),
                               ({"conv": "two_largest"}, ((3,), (4,), (), (6,), (8,), (2,))),
                               ({"conv": 2}, ((3,), (4,), (), (6,), (4,), ())),
                               ({"conv": (2,)}, ((3,), (4,), (), (6,), (4,), ())),
                               ({"conv": (np.int64(0), 2)}, ((3,), (4,), (), (6,), (12,), (3,))),
                               ({"conv": "first_rest"}, ((3,), (4,), (), (2,), (12,), ()))):
            states = self.rates(splits)
            for (name, tensor), shape in zip((("r", "w"), ("c", "w"), ("bend", "w"), ("r", "conv"), ("c", "conv"),
                                              ("bend", "conv")), shapes):
                state = states[name, tensor]
                self.assertEqual(state.size, np.prod(shape, dtype=int), (splits, name, tensor))
                numbers = np.arange(state.size)
                expected = {"r": numbers, "c": np.float32(0.45) + numbers.astype(np.float32), "bend": numbers + 1.0}[name]
                np.testing.assert_allclose(state.ravel(), expected, rtol=1e-6, err_msg=f"{splits} {name} {tensor}")

    def test_inputs_of_lines_that_are_refused(self):
        for name, word, given in (("seen", "3 numbers; there is one a row, and so 2", {"conv": np.zeros(3, np.float32)}),
                                  ("seen", "b.*one a row, and so 0", {"b": np.zeros(5, np.float32)}),
                                  ("wide", "one a col, and so 4", {"w": np.zeros(3, np.float32)}),
                                  ("sharp", "one a matrix, and so 1", {"w": np.zeros(2)})):
            with self.assertRaisesRegex(ValueError, word):
                self.rates(**{name: given})
        for name, given in (("seen", np.zeros(3)), ("sharp", np.zeros(1, np.float32)), ("wide", np.zeros(4, int))):
            with self.assertRaisesRegex(TypeError, "must be of"):
                self.rates(**{name: {"w": given}})
        self.refused("MISSING_INPUT", "`seen`", self.rates, seen={"w": np.zeros(3, np.float32)})

    def test_options_that_are_refused(self):
        make = self.module.adafactor
        for option in ("tags", "splits"):
            with self.assertRaisesRegex(KeyError, f"{option}: there is no parameter 'W'"):
                make(self.params, **{option: {"W": ["bias"]}})
        with self.assertRaisesRegex(TypeError, "give a list"):
            make(self.params, tags={"w": "bias"})
        for split, words in (("rows", "first_rest"), (2, "dimensions 0 to 1"), (-1, "dimensions 0 to 1"), ((0, 1, 1), "0 to 1"),
                             ((), "0 to 1")):
            with self.assertRaisesRegex(ValueError, words):
                make(self.params, splits={"w": split})
        with self.assertRaises(TypeError):
            make(self.params, splits={"w": 1.5})
        self.refused("BAD_ARGUMENT", "split", make, self.params, splits={"w": 0})

    def test_saved(self):
        straight = self.module.averaged({name: array.copy() for name, array in self.params.items()})
        first = self.module.averaged(self.params)
        for optimizer in (first, straight):
            optimizer.step(self.gradients)
            optimizer.step(self.gradients)
        saved = first.save()
        (length,) = struct.unpack("<Q", saved[:8])
        entries = json.loads(saved[8:8 + length])
        self.assertEqual(saved[8:9], b"{")
        self.assertEqual(entries.pop("__metadata__")["rule"][:16], "ClipByGlobalNorm")
        self.assertEqual(sorted(entry["data_offsets"] for entry in entries.values())[-1][1], len(saved) - 8 - length)
        begin, end = entries["m/w"]["data_offsets"]
        self.assertEqual(saved[8 + length + begin:8 + length + end], first.states()["m", "w"].tobytes())
        self.assertEqual(entries["m/w"]["shape"], [3, 4])
        del first
        second = self.module.averaged(self.params)
        second.load(saved)
        self.assertEqual(second.steps, 2)
        second.step(self.gradients)
        straight.step(self.gradients)
        self.assertEqual(second.save(), straight.save())
        for wrong in (b"", saved[:-1], saved + b"x", saved.replace(b"m/w", b"m/x"), bytes(len(saved))):
            self.refused("BAD_DATA", "states", second.load, wrong)
        self.assertEqual(second.save(), straight.save())
        second.reset()
        self.assertEqual(second.steps, 0)

    def test_rules_called_as_what_the_module_uses(self):
        build("awkward", FOLDER / "awkward_python", HERE / "rules/awkward.tw")
        module = load("awkward_python", "awkward")
        self.assertIn("Error_", module.__all__)
        self.assertIn("print_", module.__all__)
        self.assertFalse(hasattr(module, "print"))
        self.assertTrue(issubclass(module.Error_, module.Optimizer) and issubclass(module.Error, Exception))
        with self.assertRaises(module.Error):
            module.Error_(self.params, momentum=1)
        before = self.b.copy()
        module.Error_(self.params).step(self.gradients)
        self.assertTrue((self.b == before - 0.25 * self.gradients["b"]).all())
        before = self.b.copy()
        ones = {name: np.ones_like(array) for name, array in self.params.items()}
        module.Asks(self.params).step(self.gradients, gradients_=2, optimizer=ones)
        self.assertTrue((self.b == before - 2 * self.gradients["b"]).all())

    def test_garbage_in_cycles(self):
        """Python ends what is in a cycle in any order: the pool may come before the optimizer, which still uses it."""
        optimizer = self.module.averaged(self.params, threads=3)
        for _ in range(3):
            optimizer.step(self.gradients)
        stepped = self.w.copy()
        engine, pool, ended = optimizer._engine, optimizer._engine._pool, []
        engine.swap_in("averaged")
        self.assertTrue((self.w != stepped).any())

        def end(handle, engine=engine, destroy=pool._destroy):
            ended.append(engine._handle)
            destroy(handle)

        pool._destroy, pool.engine = end, engine
        del optimizer, engine, pool, end
        gc.collect()
        self.assertEqual(ended, [None])  # the optimizer had ended
        self.assertTrue((self.w == stepped).all())  # and put back what the view stood in for

    def test_steps_within_steps_are_refused(self):
        optimizer = self.module.sam(self.params)
        before = self.w.copy()
        with self.assertRaisesRegex(RuntimeError, "on its way"):
            optimizer.step(self.gradients, regrad=lambda: optimizer.step(self.gradients))
        self.assertTrue((self.w == before).all())
        self.assertEqual(optimizer.step(self.gradients, regrad=lambda: self.gradients), "completed")

    def test_gradients_that_share_memory_with_another_parameter(self):
        both = np.zeros(12, np.float32)
        optimizer = self.module.adamw({"a": both[:4], "b": both[8:]})
        self.refused("OVERLAP", "parameter `b`", optimizer.step, {"a": both[5:9]})
        self.refused("OVERLAP", "parameter `a`", optimizer.step, {"b": both[3:7]})
        self.assertEqual(optimizer.step({"a": both[4:8], "b": both[4:8]}), "completed")

    def test_copies_are_refused(self):
        optimizer = self.module.adamw(self.params, threads=2)
        optimizer.step(self.gradients)
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps, lambda one: copy.deepcopy({"optimizer": one})):
            with self.assertRaisesRegex(TypeError, "make another one and load"):
                duplicate(optimizer)
        gc.collect()
        self.assertEqual(optimizer.step(self.gradients), "completed")

    def test_states_outlive_their_optimizer(self):
        optimizer = self.module.adamw(self.params)
        optimizer.step(self.gradients)
        states = optimizer.states()
        before = states["v", "w"].copy()
        del optimizer
        gc.collect()
        other = [np.ones(1 << 16, np.float32) for _ in range(20)]
        self.assertTrue((states["v", "w"] == before).all(), len(other))


if __name__ == "__main__":
    main()
