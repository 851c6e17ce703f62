"""Shared by the scripts here: twenty float64 steps over given gradients, in NumPy, against a rule of the library.

A form is an update written from its formula, `step(theta, g, s, m)`: the parameters and gradient of one tensor, the
step s = t - 1 = 0, 1, ... and a memory for the tensor, a dict that starts empty; it returns the new parameters. `run`
writes each form as a reference case (the format is that of cases/README.md) and has `talweg replay` run its rule.
"""

import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass, field

try:
    import numpy as np
except ImportError:
    print("skipped: NumPy is not installed")
    sys.exit(77)

STEPS = 20
SHAPES = [(5,), (3, 4)]
TOLERANCE = 1e-13


@dataclass
class Form:
    """A formula and the rule that must be it. `states` are entries of the memory to compare at the end, with the
    rule's names for them: "v=square b=-velocity". `extra` is the case's, `tolerance` where rounding is the subject."""

    step: object
    rule: str
    states: str = ""
    extra: dict = field(default_factory=dict)
    tolerance: float = TOLERANCE


class Trajectory:
    """Given gradients: normal numbers; in step 8 the first tensor's are 0, in step 9 the second's."""

    def __init__(self, seed=20, zeros=True, shapes=None):
        random = np.random.default_rng(seed)
        self.shapes = shapes or SHAPES
        self.start = [random.standard_normal(shape) for shape in self.shapes]
        self.gradients = [[random.standard_normal(shape) for shape in self.shapes] for _ in range(STEPS)]
        if zeros:
            self.gradients[7][0] = np.zeros(self.shapes[0])
            self.gradients[8][1] = -np.zeros(self.shapes[1])

    def run(self, step):
        """The parameters after every step, and the memories after the last: [step][tensor], [tensor]."""
        theta = [value.copy() for value in self.start]
        memory = [{"tensor": i} for i in range(len(self.shapes))]
        params = []
        for s in range(STEPS):
            theta = [step(x, g, s, m) for x, g, m in zip(theta, self.gradients[s], memory)]
            params.append(theta)
        return params, memory

    def case(self, name, form):
        params, memory = self.run(form.step)
        state = {}
        for pair in form.states.split():
            theirs = pair.split("=")[0]
            values = [m[theirs] for m in memory]
            state[theirs] = float(values[0]) if np.ndim(values[0]) == 0 else flat(values)
        return {
            "name": name,
            "hyper": {"k": form.extra.get("every", 1)},
            "tol": {"float64": form.tolerance},
            "tensors": [{"shape": list(shape)} for shape in self.shapes],
            "p0": flat(self.start),
            "grads": [flat(gradients) for gradients in self.gradients],
            "params": [flat(point) for point in params],
            "state": state,
            "extra": form.extra,
        }


def flat(tensors):
    """As a case has them: flattened, numbers that are not finite as texts."""
    number = lambda x: x if np.isfinite(x) else str(x)
    return [[number(x) for x in np.ravel(value).tolist()] for value in tensors]


def tensors_of_noise(seed):
    """Normal numbers for every element and step, as they stand in a case."""
    random = np.random.default_rng(seed)
    return [[np.ravel(random.standard_normal(shape)).tolist() for shape in SHAPES] for _ in range(STEPS)]


def replay(talweg, path, rule, backend, states=""):
    command = [talweg, "replay", "--json", "--rule", rule, "--dtype", "float64", "--backend", backend]
    if states:
        command += ["--states", states]
    return subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)


def failure(done, form):
    """What is wrong with a replay, or nothing."""
    if done.returncode != 0:
        return f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    compared = {entry["what"] for entry in json.loads(done.stdout)["largest"]}
    expected = {"params"} | {"state " + pair.split("=")[0] for pair in form.states.split()}
    return "" if compared == expected else f"compared {sorted(compared)}, not {sorted(expected)}"


def alike(forms, trajectory):
    """Pairs of forms of one rule that lead to the same points: their switches would not be tested."""
    ends = {name: trajectory.run(form.step)[0] for name, form in forms.items()}
    names = sorted(forms)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            if forms[a].rule.split("(")[0] != forms[b].rule.split("(")[0] or forms[a].states or forms[b].states:
                continue
            equal = all(np.allclose(x, y, rtol=1e-9, atol=0)
                        for p, q in zip(ends[a], ends[b]) for x, y in zip(p, q))
            if equal:
                yield f"{a} and {b} lead to the same points"


def compare(forms, trajectory, backends=("interpreter", "cpu")):
    """How many runs there were, and what is wrong with them: every form on every backend."""
    talweg, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    count = 0
    for name, form in forms.items():
        path = folder / (name + ".json")
        path.write_text(json.dumps(trajectory.case(name, form)), encoding="utf-8")
        for backend in backends:
            count += 1
            wrong = failure(replay(talweg, path, form.rule, backend, form.states), form)
            if wrong:
                failures.append(f"{name} on {backend}: {wrong}")
    return count, failures


def run(title, forms, trajectory=None):
    """The body of a script TALWEG FOLDER; returns its exit status. On the interpreter only: that compiled code has its
    bits is shown elsewhere."""
    trajectory = trajectory or Trajectory()
    count, failures = compare(forms, trajectory, backends=("interpreter",))
    failures += alike(forms, trajectory)
    print(f"{title}: {count} runs of {len(forms)} forms, {len(failures)} failures")
    for text in failures:
        print(text)
    return 1 if failures else 0
