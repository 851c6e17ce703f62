"""Training that was saved and goes on in a fresh process ends with the bits of training that was never interrupted.

    torch_resume_test.py --resume FOLDER      goes on with all that was saved there; for the test itself
"""
import copy
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

torch = support.need("torch")
import small_models  # noqa: E402 (needs torch)
import talweg.torch  # noqa: E402

TOTAL = 24
HALF = 14  # within the gathering of gradients
#: What else decides a step than momentum: a schedule in the rule, views, a state of the whole model, several passes.
RULES = {
    "AdamW": "AdamW(lr = 1e-2)",
    "schedule": "AdamW(lr = cosine(t, peak = 1e-2, total = 24))",
    "view": "ClipByGlobalNorm(1) | AdamW(lr = 1e-2) | Ema(decay = 0.9)",
    "group_state": "NAdam(lr = 1e-2)",
    "rows": "Adafactor",
    "gathered": "AccumulateGradient(k = 4) | Adam(lr = 3e-2)",
}


def go_on(name, dtype, first, steps, saved=None):
    """Trains from step `first` on; returns losses, parameters, states and the evaluation by a view, if there is one."""
    data = small_models.Text()
    model = small_models.make_model(data, getattr(torch, dtype))
    optimizer = talweg.torch.Optimizer(model.parameters(), rule=RULES[name])
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
    losses = small_models.train(data, model, optimizer, steps, first)
    result = {"losses": losses, "model": copy.deepcopy(model.state_dict()), "optimizer": copy.deepcopy(optimizer.state_dict())}
    if "Ema" in RULES[name]:
        own = data.loss(model, 1000).item()
        with optimizer.evaluation():
            result["evaluated"] = data.loss(model, 1000).item()
        if result["evaluated"] == own or data.loss(model, 1000).item() != own:
            raise AssertionError("the view was not in place of the parameters, or stayed there")
    return result


def resume(folder):
    for file in pathlib.Path(folder).glob("*.saved"):
        name, dtype = file.stem.split("-")
        torch.save(go_on(name, dtype, HALF, TOTAL - HALF, torch.load(file)), file.with_suffix(".resumed"))


class Resume(unittest.TestCase):
    def same(self, one, other, where="result"):
        self.assertIs(type(one), type(other), where)
        if isinstance(one, torch.Tensor):
            self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape), where)
            self.assertEqual(one.reshape(-1).numpy().tobytes(), other.reshape(-1).numpy().tobytes(), where)
        elif isinstance(one, dict):
            self.assertEqual(list(one), list(other), where)
            for key in one:
                self.same(one[key], other[key], f"{where}[{key!r}]")
        elif isinstance(one, (list, tuple)):
            self.assertEqual(len(one), len(other), where)
            for place, (a, b) in enumerate(zip(one, other)):
                self.same(a, b, f"{where}[{place}]")
        else:
            self.assertEqual(one, other, where)

    def test_resumed_equals_uninterrupted(self):
        with tempfile.TemporaryDirectory() as folder:
            runs = [(name, dtype) for name in RULES for dtype in ("float32", "float64")]
            for name, dtype in runs:
                torch.save(go_on(name, dtype, 0, HALF), pathlib.Path(folder, f"{name}-{dtype}.saved"))
            subprocess.run([sys.executable, __file__, "--resume", folder], check=True)
            for name, dtype in runs:
                with self.subTest(rule=name, dtype=dtype):
                    whole = go_on(name, dtype, 0, TOTAL)
                    losses = whole.pop("losses")
                    self.assertLess(sum(losses[-4:]), 0.95 * sum(losses[:4]))
                    resumed = torch.load(pathlib.Path(folder, f"{name}-{dtype}.resumed"))
                    self.same(losses[HALF:], resumed.pop("losses"), "losses")
                    self.same(whole, resumed)

    def test_a_difference_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.same({"a": [torch.zeros(2)]}, {"a": [torch.tensor([0, -0.0])]})


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--resume"]:
        resume(sys.argv[2])
    else:
        support.main()
