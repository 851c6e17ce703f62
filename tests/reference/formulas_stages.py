"""Stages: what stands before or after an optimizer in a pipeline; each form against NumPy.

formulas_stages.py TALWEG FOLDER; see given_gradients.py. s = t - 1 throughout.
"""

import sys

from formulas_adaptive import adam
from formulas_momentum import fixed, torch_sgd
from given_gradients import Form, np, run, Trajectory

SGD = "SGD(lr = 0.05, momentum = 0.9)"
heavy_ball = torch_sgd(mu=0.9)


def before(change, inner=heavy_ball):
    """The optimizer on changed gradients: change(theta, g, s, m)."""
    return lambda theta, g, s, m: inner(theta, change(theta, g, s, m), s, m)


def after(change, inner=heavy_ball):
    """What is done to the new point: change(theta, s, m), which may keep things in m; m["old"] is the point before."""

    def step(theta, g, s, m):
        m["old"] = theta
        return change(inner(theta, g, s, m), s, m)

    return step


def lookahead(new, s, m, k=3, alpha=0.3, first=None):
    """Steps are counted from 1; synchronised after `first`, first + k, ..."""
    if s == 0:
        m["slow"] = m["old"]
    t, first = s + 1, first or k
    if t < first or (t - first) % k:
        return new
    m["slow"] = (1 - alpha) * m["slow"] + alpha * new
    return m["slow"]


def lookahead_reset(theta, g, s, m, k=4):
    m["b"] = g if s % k == 0 else 0.9 * m["b"] + g
    m["old"] = theta
    return lookahead(theta - 0.05 * m["b"], s, m, k)


def ema(new, s, m, decay=0.8):
    m["average"] = decay * m.get("average", m["old"]) + (1 - decay) * new
    return new


def ema_debias(new, s, m, decay=0.8):
    m["sum"] = decay * m.get("sum", 0) + (1 - decay) * new
    m["average"] = m["sum"] / (1 - decay ** (s + 1))
    return new


def swa(new, s, m, start=6, every=4):
    """PyTorch's AveragedModel, called after steps start, start + every, ...; the mean of those points."""
    if s == 0:
        m["points"], m["average"] = [], m["old"]
    if s + 1 >= start and (s + 1 - start) % every == 0:
        m["points"].append(new)
        m["average"] = np.mean(m["points"], axis=0)
    return new


def grokfast(theta, g, s, m, copies=True):
    last = m.get("slow", g if copies else 0)
    m["slow"] = 0.9 * last + 0.1 * g
    return g + 2 * m["slow"]


def cautious(theta, g, s, m, at_zero=True):
    m["b"] = g if s == 0 else 0.9 * m["b"] + g
    step = 0.05 * m["b"]
    mask = step * theta >= 0 if at_zero else step * theta > 0
    return theta - step - 0.02 * np.where(mask, theta, 0)


def cautious_gradient(theta, g, s, m, at_zero=True):
    """As above without momentum: the update is exactly 0 where the gradient is."""
    mask = g * theta >= 0 if at_zero else g * theta > 0
    return theta - 0.05 * g - 0.02 * np.where(mask, theta, 0)


def accumulated(inner, k=3, mean=True):
    """k calls are one step of the inner form, which counts its own."""
    def step(theta, g, s, m):
        m["total"] = m.get("total", 0) + g
        if (s + 1) % k:
            return theta
        g, m["total"] = m["total"] / (k if mean else 1), np.zeros_like(g)
        return inner(theta, g, s // k, m)

    return step


def apply_every(theta, g, s, m, k=3):
    m["b"] = g if s == 0 else 0.9 * m["b"] + g
    m["sum"] = m.get("sum", 0) - 0.05 * m["b"]
    if (s + 1) % k:
        return theta
    theta, m["sum"] = theta + m["sum"], 0
    return theta


def decayed(point):
    def step(theta, g, s, m):
        if point == "old":
            theta = theta * (1 - 0.05 * 0.2)
        theta = heavy_ball(theta, g, s, m)
        return theta * (1 - 0.05 * 0.2) if point == "new" else theta

    return step


FORMS = {
    "clip_value": Form(before(lambda theta, g, s, m: np.clip(g, -0.5, 0.5)), f"ClipValue(0.5) | {SGD}"),
    "l2_decay": Form(before(lambda theta, g, s, m: g + 0.1 * theta), f"L2Decay(0.1) | {SGD}"),
    "decoupled_decay": Form(decayed("old"), f"DecoupledDecay(lr = 0.05, weight_decay = 0.2) | {SGD}"),
    "decoupled_decay_new": Form(decayed("new"), f"DecoupledDecay(lr = 0.05, weight_decay = 0.2, point = new) | {SGD}"),
    "cautious_decay": Form(cautious, f"{SGD} | CautiousDecay(lr = 0.2)"),
    "cautious_decay_at_zero": Form(cautious_gradient, "GradientDescent(lr = 0.05) | CautiousDecay(lr = 0.2)"),
    "cautious_decay_not_at_zero": Form(fixed(cautious_gradient, at_zero=False),
                                       "GradientDescent(lr = 0.05) | CautiousDecay(lr = 0.2, at_zero = false)"),
    "grokfast": Form(before(grokfast), f"Grokfast(decay = 0.9) | {SGD}", "slow=average"),
    "grokfast_zero": Form(before(fixed(grokfast, copies=False)), f"Grokfast(decay = 0.9, first = zero) | {SGD}", "slow=average"),
    "accumulate": Form(accumulated(adam), "AccumulateGradient(k = 3) | Adam(lr = 0.01, beta2 = 0.99, eps = 1e-3, weight_decay = 0.1)",
                       "total"),
    "accumulate_sum": Form(accumulated(heavy_ball, k=4, mean=False), f"AccumulateGradient(k = 4, reduce = sum) | {SGD}", "total"),
    "apply_every": Form(apply_every, f"{SGD} | ApplyEvery(k = 3)"),
    "non_negative": Form(after(lambda new, s, m: np.maximum(new, 0)), f"{SGD} | NonNegative"),
    "lookahead": Form(after(lookahead), f"{SGD} | Lookahead(k = 3, alpha = 0.3)", "slow"),
    "lookahead_jettify": Form(after(lambda new, s, m: lookahead(new, s, m, first=1)),
                              f"{SGD} | Lookahead(k = 3, alpha = 0.3, first = 1)", "slow"),
    "lookahead_reset": Form(lookahead_reset, "HeavyBall(lr = 0.05, reset_every = 4) | Lookahead(k = 4, alpha = 0.3)", "slow"),
    "ema": Form(after(ema), f"{SGD} | Ema(decay = 0.8)", "average"),
    "ema_debias": Form(after(ema_debias), f"{SGD} | Ema(decay = 0.8, debias = true)", "average"),
    "swa": Form(after(swa), f"{SGD} | Swa(start = 6, every = 4)", "average"),
    "swa_of_all": Form(after(lambda new, s, m: swa(new, s, m, start=1, every=1)), f"{SGD} | Swa", "average"),
    "swa_not_begun": Form(after(lambda new, s, m: swa(new, s, m, start=100)), f"{SGD} | Swa(start = 100)", "average"),
}

# Gradients with tiny values, NaN and infinities.
ODD = Trajectory()
ODD.gradients[2][0][:] = [1e-16, -1e-16, 1e-15, -1e-300, 0.0]
ODD.gradients[4][1][0] = [np.nan, 1.0, -np.nan, 1e-16]
FINITE = Trajectory()
FINITE.gradients[2] = [value.copy() for value in ODD.gradients[2]]
INFINITE = Trajectory()
INFINITE.gradients[4][1][0] = [np.nan, np.inf, -np.inf, 1.0]

ODD_FORMS = {
    "zero_nans": Form(before(lambda theta, g, s, m: np.where(np.isnan(g), 0, g)), f"ZeroNans | {SGD}"),
}
FINITE_FORMS = {
    # The sign of 1e-16 shows where 1e-16 itself would not.
    "zero_tiny": Form(lambda theta, g, s, m: theta - 0.01 * np.sign(np.where(np.abs(g) < 1e-15, 0, g)),
                      "ZeroTiny | SignSGD(lr = 0.01)"),
    "zero_tiny_off": Form(lambda theta, g, s, m: theta - 0.01 * np.sign(g), "ZeroTiny(below = 0) | SignSGD(lr = 0.01)"),
}
INFINITE_FORMS = {
    "zero_infinities": Form(before(lambda theta, g, s, m: np.where(np.isfinite(g), g, 0)),
                            f"ZeroNans(infinities = true) | {SGD}"),
}

if __name__ == "__main__":
    sys.exit(run("stages", FORMS) or run("NaN", ODD_FORMS, trajectory=ODD) or
             run("tiny gradients", FINITE_FORMS, trajectory=FINITE) or
             run("infinities", INFINITE_FORMS, trajectory=INFINITE))
