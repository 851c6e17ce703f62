"""Rules and stages with values of rows, columns and matrices, against NumPy written from their papers or from the
library they follow.

formulas_matrices.py TALWEG FOLDER; see given_gradients.py. s = t - 1 throughout.
"""

import sys

from formulas_momentum import fixed, torch_sgd
from formulas_stages import before
from given_gradients import Form, np, run, Trajectory

SGD = "SGD(lr = 0.05, momentum = 0.9)"
# The last two, the two largest and the first by all other dimensions of the third tensor are different matrices.
SHAPES = [(5,), (4, 6), (4, 2, 3)]


def rms(x):
    return np.sqrt(np.mean(x**2))


def mean(m, name, value, beta):
    """The exponential average under this name, from 0."""
    m[name] = beta * m.get(name, 0) + (1 - beta) * value
    return m[name]


def covered(m, names, q, beta, row=-2, column=-1):
    """The product of the averages of rows and columns over that of all, as the papers have it."""
    r = mean(m, names[0], np.mean(q, axis=column, keepdims=True), beta)
    c = mean(m, names[1], np.mean(q, axis=row, keepdims=True), beta)
    return r * c / np.mean(r, axis=row, keepdims=True)


def adafactor(theta, g, s, m, lr=1e-2, eps1=1e-30, eps2=1e-3, clip=1.0, decay=0.8, wd=0.0, b1=0.0, relative=True,
              warmup=False, scale=True):
    """HuggingFace transformers."""
    t = s + 1
    b2 = 1 - t**-decay
    q = g**2 + eps1
    u = g / np.sqrt(covered(m, "RC", q, b2) if g.ndim >= 2 else mean(m, "V", q, b2))
    rho = min(1e-6 * t if warmup else lr, 1 / np.sqrt(t)) if relative else lr
    a = rho * max(eps2, rms(theta)) if scale else rho
    u = a * u / max(1, rms(u) / clip)
    return theta - wd * a * theta - (mean(m, "m", u, b1) if b1 else u)


def adafactor_torch(theta, g, s, m, lr=1e-2, decay=0.8, eps1=2.0**-23, eps2=1e-3, clip=1.0, wd=0.0):
    t = s + 1
    b2 = 1 - t**-decay
    a = min(lr, 1 / np.sqrt(t)) * max(eps2, rms(theta))
    theta = theta * (1 - lr * wd)
    if g.ndim >= 2:
        r = mean(m, "R", np.mean(g**2, axis=-1, keepdims=True), b2)
        c = mean(m, "C", np.mean(g**2, axis=-2, keepdims=True), b2)
        v = r * c / np.maximum(np.mean(r, axis=-2, keepdims=True), eps1)
    else:
        v = mean(m, "V", g**2, b2)
    u = g / np.sqrt(np.maximum(v, eps1**2))
    return theta - a / max(1, rms(u) / clip) * u


def two_largest(shape):
    """(rows, columns): axes in their order; of equal ones the later is the larger."""
    return sorted(sorted(range(len(shape)), key=lambda axis: (shape[axis], axis))[-2:])


def adafactor_optax(theta, g, s, m, lr=1e-2, decay=0.8, eps=1e-30, clip=1.0, wd=0.0, min_dim=128, momentum=0.0, scale=True):
    b2 = 1 - (s + 1) ** -decay
    q = g**2 + eps
    if g.ndim >= 2 and sorted(g.shape)[-2] >= min_dim:
        u = g / np.sqrt(covered(m, "RC", q, b2, *two_largest(g.shape)))
    else:
        u = g / np.sqrt(mean(m, "V", q, b2))
    u = lr * u / max(1, rms(u) / clip) * (max(rms(theta), 1e-3) if scale else 1)
    if momentum:
        u = mean(m, "m", u, momentum)
    return theta - (u + wd * theta)


def came(theta, g, s, m, lr=2e-4, b1=0.9, b2=0.999, b3=0.9999, eps1=1e-30, eps2=1e-16, clip=1.0, wd=0.0):
    """yangluo7/CAME."""
    q = g**2 + eps1
    u = g / np.sqrt(covered(m, "RC", q, b2) if g.ndim >= 2 else mean(m, "V", q, b2))
    u = u / max(1, rms(u) / clip)
    d = mean(m, "m", u, b1)
    if g.ndim >= 2:
        d = d / np.sqrt(covered(m, ("U", "D"), (u - d) ** 2 + eps2, b3))
    return theta - lr * wd * theta - lr * d


def sm3(theta, g, s, m, lr=0.1, beta=0.0, eps=1e-30, momentum=0.0):
    """PyTorch-SM3: one number for each index of each dimension."""
    axes = range(g.ndim)
    tops = m.setdefault("tops", [np.zeros([n if i == axis else 1 for i, n in enumerate(g.shape)]) for axis in axes])
    cover = np.broadcast_to(tops[0], g.shape)
    for top in tops[1:]:
        cover = np.minimum(cover, top)
    cover = (beta * cover if beta else cover) + (1 - beta) * g**2
    for axis in axes:
        new = np.max(cover, axis=tuple(i for i in axes if i != axis), keepdims=True)
        tops[axis] = np.maximum(tops[axis], new) if beta else new
    m["a"] = tops[0]
    u = g / np.sqrt(cover + eps)
    return theta - lr * (mean(m, "m", u, momentum) if momentum else u)


def units(x, columns=False):
    """The length of each unit: a vector; all dimensions but the first; or the first."""
    axes = None if x.ndim < 2 else 0 if columns else tuple(range(1, x.ndim))
    return np.sqrt(np.sum(x**2, axis=axes, keepdims=True))


def agc(theta, g, s, m, limit=0.3, eps=1e-3, div_eps=1e-6, columns=False):
    slope, most = units(g, columns), limit * np.maximum(units(theta, columns), eps)
    return np.where(slope < most, g, g * (most / np.maximum(slope, div_eps)))


def centralize(theta, g, s, m, least=2, columns=False):
    if g.ndim < max(2, least):
        return g
    return g - np.mean(g, axis=0 if columns else tuple(range(1, g.ndim)), keepdims=True)


def normalize(theta, g, s, m, eps=1e-2, over="rows", root_mean_square=False):
    if g.ndim < 2:
        return g
    axes = {"rows": tuple(range(1, g.ndim)), "columns": 0, "whole": None}[over]
    lengths = np.sqrt(np.sum(g**2, axis=axes, keepdims=True))
    return g / (lengths + eps) * (np.sqrt(g.size / lengths.size) if root_mean_square else 1)


def projection(theta, g, u, delta, wd_ratio, eps):
    """clovaai/AdamP: the step without its part along the weights, and the share of the decay."""
    for view in (lambda x: x.reshape(x.shape[0], -1), lambda x: x.reshape(1, -1)):
        w, h, d = view(theta), view(g), view(u)
        long, steep = (np.sqrt(np.sum(x**2, axis=1)) + eps for x in (w, h))
        if np.max(np.abs(np.sum(w * h, axis=1)) / steep / long) < delta / np.sqrt(w.shape[1]):
            n = w / long[:, None]
            return (d - n * np.sum(n * d, axis=1, keepdims=True)).reshape(u.shape), wd_ratio
    return u, 1


def adamp(theta, g, s, m, lr=0.05, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, delta=0.1, wd_ratio=0.1, nesterov=False):
    t = s + 1
    average, v = mean(m, "m", g, b1), mean(m, "v", g**2, b2)
    u = (b1 * average + (1 - b1) * g if nesterov else average) / (np.sqrt(v) / np.sqrt(1 - b2**t) + eps)
    u, ratio = projection(theta, g, u, delta, wd_ratio, eps) if g.ndim > 1 else (u, 1)
    return theta * (1 - lr * wd * ratio) - lr / (1 - b1**t) * u


def sgdp(theta, g, s, m, lr=0.05, mu=0.9, damp=0.0, wd=0.1, delta=0.1, wd_ratio=0.1, eps=1e-3, nesterov=False):
    m["b"] = mu * m.get("b", 0) + (1 - damp) * g
    u = g + mu * m["b"] if nesterov else m["b"]
    u, ratio = projection(theta, g, u, delta, wd_ratio, eps) if g.ndim > 1 else (u, 1)
    return theta * (1 - lr * wd * ratio / (1 - mu)) - lr * u


def rowwise_adagrad(theta, g, s, m, lr=0.01, eps=1e-8, wd=0.0, decoupled=False):
    """FBGEMM."""
    if not decoupled:
        g = g + wd * theta
    m["a"] = m.get("a", 0) + np.mean(g**2, axis=tuple(range(1, g.ndim)), keepdims=True)
    return theta * (1 - lr * wd * decoupled) - lr / (np.sqrt(m["a"]) + eps) * g


def racs(theta, g, s, m, lr=1e-3, beta=0.9, alpha=0.05, gamma=1.01, eps=1e-8, wd=0.0):
    """pytorch_optimizer, but that a norm of 0 limits nothing."""
    rest = tuple(range(1, g.ndim))
    m["r"] = beta * m.get("r", 0) + (1 - beta) * np.mean(g**2, axis=rest, keepdims=True)
    m["c"] = beta * m.get("c", 1) + (1 - beta) * np.mean(g**2, axis=0, keepdims=True)
    u = g / (np.sqrt(m["r"] + eps) * np.sqrt(m["c"] + eps))
    n, last = np.sqrt(np.sum(u**2)), m.get("last", 0)
    share = gamma / max(n / (last + eps), gamma) if last > 0 and np.isfinite(gamma) else 1
    m["last"] = n * share
    return theta * (1 - lr * wd) - lr * alpha * share * u


def nero(theta, g, s, m, lr=0.01, beta=0.999, eps=1e-8, constraints=True):
    """jxbz/nero with an eps."""
    rest = tuple(range(1, g.ndim))
    lengths = lambda x: np.sqrt(np.sum(x**2, axis=rest, keepdims=True)) if x.ndim > 1 else np.abs(x)

    def balanced(x):
        if not constraints or x.ndim < 2:
            return x
        x = x - np.mean(x, axis=rest, keepdims=True)
        return x / (lengths(x) + eps)

    if s == 0:
        theta = balanced(theta)
        m["scale"] = np.mean(lengths(theta)) or 0.01
    v = mean(m, "v", lengths(g) ** 2, beta)
    return balanced(theta - lr * m["scale"] * g / (np.sqrt(v / (1 - beta ** (s + 1))) + eps))


def stage(change, rule, states="", **settings):
    return Form(before(fixed(change, **settings), torch_sgd(mu=0.9)), f"{rule} | {SGD}", states)


FACTORS = "R=r C=c"
OPTAX = "lr = 0.05, min_dim = 3"

FORMS = {
    "adafactor": Form(adafactor, "Adafactor"),
    "adafactor_rates": Form(fixed(adafactor, lr=0.4, eps2=1.5, decay=0.6),
                            "Adafactor(lr = 0.4, eps2 = 1.5, decay_rate = 0.6)"),
    "adafactor_given": Form(fixed(adafactor, lr=0.4, eps2=1.5, relative=False),
                            "Adafactor(lr = 0.4, eps2 = 1.5, relative_step = false)"),
    "adafactor_unscaled": Form(fixed(adafactor, lr=0.4, scale=False), "Adafactor(lr = 0.4, scale_parameter = false)"),
    "adafactor_warmup": Form(fixed(adafactor, warmup=True), "Adafactor(warmup_init = true)"),
    "adafactor_decay": Form(fixed(adafactor, lr=0.05, wd=0.3), "Adafactor(lr = 0.05, weight_decay = 0.3)"),
    "adafactor_eps1": Form(fixed(adafactor, lr=0.05, eps1=0.5), "Adafactor(lr = 0.05, eps1 = 0.5)"),
    "adafactor_momentum": Form(fixed(adafactor, lr=0.05, b1=0.8, wd=0.3), "Adafactor(lr = 0.05, beta1 = 0.8, weight_decay = 0.3)", "m"),
    "adafactor_clip_low": Form(fixed(adafactor, lr=0.05, clip=0.7), "Adafactor(lr = 0.05, clip = 0.7)"),
    "adafactor_clip_high": Form(fixed(adafactor, lr=0.05, clip=1.2), "Adafactor(lr = 0.05, clip = 1.2)"),
    "adafactor_no_clip": Form(fixed(adafactor, lr=0.05, clip=np.inf), "Adafactor(lr = 0.05, clip = inf)"),
    "adafactor_torch": Form(adafactor_torch, "AdafactorTorch"),
    "adafactor_torch_floor": Form(fixed(adafactor_torch, lr=0.4, eps1=0.9), "AdafactorTorch(lr = 0.4, eps1 = 0.9)"),
    "adafactor_torch_rates": Form(fixed(adafactor_torch, lr=0.4, decay=0.6, eps2=1.5, clip=0.7, wd=0.3),
                                  "AdafactorTorch(lr = 0.4, decay_rate = 0.6, eps2 = 1.5, clip = 0.7, weight_decay = 0.3)"),
    "adafactor_optax": Form(fixed(adafactor_optax, lr=0.05, min_dim=3), f"AdafactorOptax({OPTAX})"),
    "adafactor_optax_whole": Form(adafactor_optax, "AdafactorOptax", "V=v"),
    "adafactor_optax_some": Form(fixed(adafactor_optax, lr=0.05, min_dim=4), "AdafactorOptax(lr = 0.05, min_dim = 4)"),
    "adafactor_optax_rates": Form(fixed(adafactor_optax, lr=0.05, min_dim=3, decay=0.6, eps=0.5, clip=0.7, wd=0.02),
                                  f"AdafactorOptax({OPTAX}, decay_rate = 0.6, eps = 0.5, clip = 0.7, weight_decay = 0.02)"),
    "adafactor_optax_momentum": Form(fixed(adafactor_optax, lr=0.05, min_dim=3, wd=0.02, momentum=0.8),
                                     f"AdafactorOptax({OPTAX}, weight_decay = 0.02, momentum = 0.8)", "m"),
    "adafactor_optax_unscaled": Form(fixed(adafactor_optax, lr=0.05, min_dim=3, scale=False),
                                     f"AdafactorOptax({OPTAX}, multiply_by_parameter_scale = false)"),
    "came": Form(came, "CAME", "m"),
    "came_rates": Form(fixed(came, lr=0.05, b1=0.8, b2=0.95, b3=0.97, wd=0.3),
                       "CAME(lr = 0.05, beta1 = 0.8, beta2 = 0.95, beta3 = 0.97, weight_decay = 0.3)", "m"),
    "came_clip": Form(fixed(came, lr=0.05, b2=0.5, clip=0.7), "CAME(lr = 0.05, beta2 = 0.5, clip = 0.7)"),
    "came_eps1": Form(fixed(came, lr=0.05, eps1=0.5), "CAME(lr = 0.05, eps1 = 0.5)"),
    "came_eps2": Form(fixed(came, lr=0.05, eps2=0.5), "CAME(lr = 0.05, eps2 = 0.5)"),
    "nero": Form(nero, "Nero"),
    "nero_rates": Form(fixed(nero, lr=0.05, beta=0.9, eps=0.3), "Nero(lr = 0.05, beta = 0.9, eps = 0.3)"),
    "nero_free": Form(fixed(nero, lr=0.05, beta=0.9, constraints=False), "Nero(lr = 0.05, beta = 0.9, constraints = false)"),
    "agc": stage(agc, "AGC(limit = 0.3)"),
    "agc_columns": stage(agc, "AGC(limit = 0.3, units = columns)", columns=True),
    "agc_default": stage(agc, "AGC", limit=0.01),
    "agc_eps": stage(agc, "AGC(limit = 0.3, eps = 2)", eps=2.0),
    "agc_div_eps": stage(agc, "AGC(limit = 0.3, div_eps = 3)", div_eps=3.0),
    "centralize": stage(centralize, "CentralizeGradient"),
    "centralize_columns": stage(centralize, "CentralizeGradient(over = columns)", columns=True),
    "centralize_rank_3": stage(centralize, "CentralizeGradient(least_rank = 3)", least=3),
    **{f"normalize_{over}{'_rms' if rms_ else ''}": stage(
        normalize, f"NormalizeMatrix(eps = 1e-2, over = {over}, root_mean_square = {str(rms_).lower()})", over=over,
        root_mean_square=rms_) for over in ("rows", "columns", "whole") for rms_ in (False, True)},
    "normalize_eps": stage(normalize, "NormalizeMatrix(eps = 1)", eps=1.0),
}
# delta: never, sometimes, whole tensors more often than all rows, always.
P = "lr = 0.05, eps = 1e-3, weight_decay = 0.1"
for delta in (0.0, 0.1, 0.8, 1.5, 5.0):
    FORMS[f"adamp_{delta}"] = Form(fixed(adamp, delta=delta), f"AdamP({P}, beta2 = 0.99, delta = {delta})", "m v")
    FORMS[f"sgdp_{delta}"] = Form(fixed(sgdp, delta=delta), f"SGDP({P}, delta = {delta})", "b=velocity")
FORMS |= {
    "adamp_nesterov": Form(fixed(adamp, delta=1.5, nesterov=True), f"AdamP({P}, beta2 = 0.99, delta = 1.5, nesterov = true)"),
    "adamp_ratio": Form(fixed(adamp, delta=1.5, wd_ratio=0.7), f"AdamP({P}, beta2 = 0.99, delta = 1.5, wd_ratio = 0.7)"),
    "sgdp_nesterov": Form(fixed(sgdp, delta=1.5, damp=0.3, nesterov=True),
                          f"SGDP({P}, delta = 1.5, dampening = 0.3, nesterov = true)"),
    "sgdp_ratio": Form(fixed(sgdp, delta=1.5, wd_ratio=0.7), f"SGDP({P}, delta = 1.5, wd_ratio = 0.7)"),
}
# Up to rank 2.
SM3_FORMS = {
    "sm3": Form(sm3, "SM3", "a=v/r"),
    "sm3_rates": Form(fixed(sm3, lr=0.05, eps=0.3), "SM3(lr = 0.05, eps = 0.3)"),
    "sm3_momentum": Form(fixed(sm3, momentum=0.8), "SM3(momentum = 0.8)", "a=v/r m"),
    "sm3_beta": Form(fixed(sm3, momentum=0.8, beta=0.9), "SM3(momentum = 0.8, beta = 0.9)", "a=v/r m"),
    "sm3_beta_plain": Form(fixed(sm3, beta=0.9), "SM3(beta = 0.9)", "a=v/r"),
}
# States of rows and columns: of the first tensor there are none. All zero in the first step too: nothing divides by 0.
MATRICES = Trajectory(shapes=[(4, 6), (3, 4, 2)])
MATRICES.gradients[0] = [np.zeros(shape) for shape in MATRICES.shapes]
FACTOR_FORMS = {
    "factors": Form(fixed(adafactor, lr=0.05), "Adafactor(lr = 0.05)", FACTORS),
    "factors_torch": Form(fixed(adafactor_torch, lr=0.05), "AdafactorTorch(lr = 0.05)", FACTORS),
    "racs": Form(racs, "RACS", "r c"),
    "racs_rates": Form(fixed(racs, lr=0.5, beta=0.7, alpha=0.2, gamma=1.2, eps=0.3, wd=0.1),
                       "RACS(lr = 0.5, beta = 0.7, alpha = 0.2, gamma = 1.2, eps = 0.3, weight_decay = 0.1)", "r c"),
    "racs_no_limit": Form(fixed(racs, lr=0.5, gamma=np.inf), "RACS(lr = 0.5, gamma = inf)"),
    "rowwise_adagrad": Form(rowwise_adagrad, "RowwiseAdagrad", "a"),
    "rowwise_adagrad_l2": Form(fixed(rowwise_adagrad, lr=0.05, eps=0.3, wd=0.1),
                               "RowwiseAdagrad(lr = 0.05, eps = 0.3, weight_decay = 0.1)", "a"),
    "rowwise_adagrad_decoupled": Form(fixed(rowwise_adagrad, lr=0.05, eps=0.3, wd=0.1, decoupled=True),
                                      "RowwiseAdagrad(lr = 0.05, eps = 0.3, weight_decay = 0.1, decoupled = true)", "a"),
    "factors_came": Form(fixed(came, lr=0.05), "CAME(lr = 0.05)", f"{FACTORS} U=sr D=sc m"),
}

if __name__ == "__main__":
    sys.exit(run("rows and columns", FORMS, Trajectory(shapes=SHAPES)) or
             run("up to rank 2", SM3_FORMS, Trajectory(shapes=[(5,), (4, 6)])) or
             run("states of rows and columns", FACTOR_FORMS, MATRICES))
