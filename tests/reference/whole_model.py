"""For rules that sum over tensors or the model: forms that see all tensors at once.

step(x, g, s, m) has lists of parameters and gradients and one memory, in which lists hold an entry for each tensor and
other values are the model's; it returns the new parameters. s = t - 1 counts calls; a form that skips some counts its
own steps.
"""

from given_gradients import np, SHAPES, STEPS, Trajectory


class Whole(Trajectory):
    """Forms that see all tensors at once."""

    def run(self, step):
        x, m, params = [value.copy() for value in self.start], {}, []
        for s in range(STEPS):
            x = step(x, self.gradients[s], s, m)
            params.append(x)
        return params, [{name: value[i] if isinstance(value, list) else value for name, value in m.items()}
                        for i in range(len(self.shapes))]


def total(values):
    """Sum over all tensors."""
    return sum(float(np.sum(value)) for value in values)


def length(value):
    return float(np.sqrt(np.sum(np.asarray(value) ** 2)))


def whole_length(values):
    return np.sqrt(total(value**2 for value in values))


def each(step, **settings):
    """A form of one tensor, for every tensor."""

    def of_all(x, g, s, m):
        memories = m.setdefault("memories", [{} for _ in x])
        new = [step(a, b, s, c, **settings) for a, b, c in zip(x, g, memories)]
        for name in memories[0]:
            m[name] = [memory[name] for memory in memories]
        return new

    return of_all


def moment(m, name, values, beta, weight=None):
    """The exponential average of a list of values under this name."""
    weight = 1 - beta if weight is None else weight
    m[name] = [beta * old + weight * value for old, value in zip(m.get(name, [0] * len(values)), values)]
    return m[name]


def fixed(form, **settings):
    return lambda x, g, s, m: form(x, g, s, m, **settings)


def with_zeros():
    """All gradients 0 in the first two steps and in step 10: nothing is known yet, nothing divides by 0."""
    trajectory = Whole()
    for step in (0, 1, 9):
        trajectory.gradients[step] = [np.zeros(shape) for shape in SHAPES]
    return trajectory


def with_faults():
    """A NaN in one tensor, then infinities two steps in a row."""
    trajectory = Whole()
    trajectory.gradients[3][1][1, 2] = np.nan
    trajectory.gradients[6][0][2] = np.inf
    trajectory.gradients[7][1][0, 0] = -np.inf
    return trajectory
