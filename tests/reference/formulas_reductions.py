"""Stages and rules with norms and other sums over tensors or the model, against NumPy written from their papers or
from the library they follow.

formulas_reductions.py TALWEG FOLDER; see given_gradients.py and whole_model.py.
"""

import sys

from formulas_adaptive import adam
from formulas_momentum import torch_sgd
from given_gradients import Form, np, run, SHAPES, tensors_of_noise
from whole_model import each, fixed, length, moment, total, Whole, whole_length, with_faults, with_zeros

heavy_ball = each(torch_sgd(mu=0.9))
SGD = "SGD(lr = 0.05, momentum = 0.9)"
ADAM = "lr = 0.01, beta2 = 0.99, eps = 1e-3"


def before(change, inner=heavy_ball):
    """The optimizer on changed gradients; where `change` gives None the step is skipped."""

    def step(x, g, s, m):
        g = change(x, g, s, m)
        if g is None:
            return x
        m["t"] = m.get("t", 0) + 1
        return inner(x, g, m["t"] - 1, m)

    return step


# ---- Stages ----


def clip_model(x, g, s, m, limit=1.5, torch=False):
    n = whole_length(g)
    if not np.isfinite(n):
        return None
    if torch:
        return [value * min(1, limit / (n + 1e-6)) for value in g]
    return [value / n * limit for value in g] if n > limit else g


def clip_tensors(x, g, s, m, limit=1.5, torch=False):
    norms = [length(value) for value in g]
    if not np.all(np.isfinite(norms)):
        return None
    if torch:
        return [value * min(1, limit / (n + 1e-6)) for value, n in zip(g, norms)]
    return [value / n * limit if n > limit else value for value, n in zip(g, norms)]


def normalize(x, g, s, m, scale=2.0, eps=1e-2, model=False):
    norms = [whole_length(g) if model else length(value) for value in g]
    return [scale * value / (n + eps) if n > 0 else value for value, n in zip(g, norms)]


def orthogonal(x, g, s, m, rescale=True, eps=1e-30):
    new = []
    for w, value in zip(x, g):
        across = value - np.sum(w * value) / (np.sum(w * w) + eps) * w
        new.append(across * length(value) / (length(across) + eps) if rescale else across)
    return new


def finite_only(x, g, s, m, limit=100):
    if all(np.all(np.isfinite(value)) for value in g):
        m["bad"] = 0.0
        return g
    m["bad"] = m.get("bad", 0) + 1.0
    if m["bad"] > limit:
        return g
    m["count"] = m.get("count", 0) + 1.0
    return None


def trusted(x, g, s, m, lr=0.02, trust=0.5, eps=0.1, floor=0.0, limit=np.inf):
    new = []
    moves = [value - after for value, after in zip(x, each(adam, lr=1.0, wd=0.0)(x, g, s, m))]
    for w, u in zip(x, moves):
        wn, un = max(length(w), floor), max(length(u), floor)
        ratio = trust * wn / (un + eps) if wn > 0 and un > 0 else 1
        new.append(w - lr * min(ratio, limit) * u)
    return new


def cautious(x, g, s, m, scale="mean", least=1e-3):
    """After momentum; the mask asks for the product, which does not underflow here."""
    new = []
    for w, value, after in zip(x, g, heavy_ball(x, g, s, m)):
        u = w - after
        mask = (u * value > 0).astype(float)
        if scale == "mean":
            mask = mask / max(np.mean(mask), least)
        elif scale == "plus_one":
            mask = mask * mask.size / (np.sum(mask) + 1)
        new.append(w - mask * u)
    return new


def grams(x, g, s, m):
    return [w - np.abs(w - after) * np.sign(value) for w, value, after in zip(x, g, each(adam, wd=0.0)(x, g, s, m))]


def measured(x, g, s, m):
    m["n"], m["top"] = whole_length(g), max(float(np.max(np.abs(value))) for value in g)
    new = heavy_ball(x, g, s, m)
    m["moved"] = whole_length([a - b for a, b in zip(x, new)])
    m["part"] = m["moved"] / whole_length(x)
    return new


# ---- Gradient descent with a length ----


def square_root(x, g, s, m, lr=0.05, eps=0.0, tensor=False):
    roots = [np.sqrt((np.sum(value**2) if tensor else total(v**2 for v in g)) + eps) for value in g]
    return [w - lr * value / root if root > 0 else w for w, value, root in zip(x, g, roots)]


def adam_by_length(x, g, s, m, scale=0.01, inverse=False):
    n = whole_length(g)
    lr = (scale / n if n > 0 else 0) if inverse else scale * n
    return each(adam, lr=lr, b2=0.99, eps=1e-3, wd=0.0)(x, g, s, m)


def fromage(x, g, s, m, lr=0.1, bound=None):
    new = []
    firsts = m.setdefault("first", [length(w) for w in x])
    for w, value, first in zip(x, g, firsts):
        wn, gn = length(w), length(value)
        w = (w - lr * value * (wn / gn if wn > 0 and gn > 0 else 1)) / np.sqrt(1 + lr**2)
        if bound and length(w) > bound * first:
            w = w * (bound * first / length(w))
        new.append(w)
    return new


# ---- Momentum and Adam with norms ----


def lars(x, g, s, m, lr=0.5, mu=0.9, damp=0.0, wd=0.1, trust=0.02, eps=0.0, whole=False, inside=True, nesterov=False,
         always=True, clip=False):
    forces = []
    for w, value in zip(x, g):
        d = value + wd * w
        top, gn = length(w), length(d if whole else value)
        ratio = 1.0
        if top > 0 and gn > 0 and (wd != 0 or always):
            ratio = trust * top / ((gn if whole else gn + wd * top) + eps)
        if clip:
            ratio = min(ratio / lr, 1)
        forces.append(ratio * d * (lr if inside else 1))
    old = m.get("b")
    m["b"] = [f if old is None else mu * b + (1 - damp) * f for f, b in zip(forces, old or forces)]
    steps = [f + mu * b for f, b in zip(forces, m["b"])] if nesterov else m["b"]
    return [w - (1 if inside else lr) * d for w, d in zip(x, steps)]


def lamb(x, g, s, m, lr=0.02, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, limit=np.inf, corrected=True, averaging=True,
         always=True, clip=False):
    moment(m, "m", g, b1, None if averaging else 1)
    moment(m, "v", [value**2 for value in g], b2)
    c1, c2 = (1 - b1 ** (s + 1), 1 - b2 ** (s + 1)) if corrected else (1, 1)
    new = []
    for w, a, b in zip(x, m["m"], m["v"]):
        u = a / c1 / (np.sqrt(b / c2) + eps) + wd * w
        ratio = min(length(w), limit) / length(u) if length(u) > 0 and length(w) > 0 and (wd != 0 or always) else 1
        new.append(w - lr * (min(ratio, 1) if clip else ratio) * u)
    return new


def novograd(w, g, s, m, lr=0.02, b1=0.95, b2=0.9, eps=1e-2, wd=0.1, zero=False, averaging=False, corrected=False):
    square = np.sum(g**2)
    m["v"] = square if m.get("v", 0) == 0 and not zero else b2 * m.get("v", 0) + (1 - b2) * square
    force = g / (np.sqrt(m["v"]) + eps) + wd * w
    m["m"] = b1 * m.get("m", 0) + (1 - b1 if averaging else 1) * force
    k = s + 1
    return w - lr * (np.sqrt(1 - b2**k) / (1 - b1**k) if corrected else 1) * m["m"]


def stable_adamw(w, g, s, m, lr=0.02, b1=0.9, b2=0.9, eps=1e-3, wd=0.2, by_lr=False):
    """The corrected averages by their definitions: sums of b^i g, divided."""
    k = s + 1
    m["sum1"] = b1 * m.get("sum1", 0) + (1 - b1) * g
    m["sum2"] = b2 * m.get("sum2", 0) + (1 - b2) * g**2
    m["m"], m["v"] = m["sum1"] / (1 - b1**k), m["sum2"] / (1 - b2**k)
    rms = np.sqrt(np.mean(g**2 / np.maximum(m["v"], eps**2)))
    rate = lr / max(1, rms)
    return w * (1 - (lr if by_lr else rate) * wd) - rate * m["m"] / (np.sqrt(m["v"]) + eps)


def adanorm(w, g, s, m, lr=0.01, b1=0.9, b2=0.99, r=0.9, eps=1e-3, wd=0.1, decoupled=False):
    k = s + 1
    if not decoupled:
        g = g + wd * w
    n = length(g)
    m["e"] = r * m.get("e", 0) + (1 - r) * n
    scaled = m["e"] * (g / n) if m["e"] > n > 0 else g
    m["m"] = b1 * m.get("m", 0) + (1 - b1) * scaled
    m["v"] = b2 * m.get("v", 0) + (1 - b2) * g**2
    w = w * (1 - lr * wd) if decoupled else w
    return w - lr * m["m"] / (1 - b1**k) / (np.sqrt(m["v"] / (1 - b2**k)) + eps)


def adatam(w, g, s, m, lr=0.02, b1=0.9, b2=0.99, decay=0.8, eps=1e-2, wd=0.1):
    old = m.get("m", np.zeros_like(g))
    both = length(old) * length(g)
    m["a"] = decay * m.get("a", 0) + (1 - decay) * (np.sum(old * g) / both if both > 0 else 0)
    m["m"] = b1 * old + ((1 + m["a"]) / 2 + eps) * g
    m["v"] = b2 * m.get("v", 0) + (1 - b2) * g**2
    return w * (1 - lr * wd) - lr * m["m"] / (np.sqrt(m["v"]) + eps)


def adai(x, g, s, m, lr=0.5, b0=0.1, b2=0.9, eps=1e-3, wd=0.05, decoupled=False):
    k = s + 1
    g = g if decoupled else [value + wd * w for value, w in zip(g, x)]
    v = [value / (1 - b2**k) for value in moment(m, "v", [value**2 for value in g], b2)]
    mean = total(v) / sum(np.size(value) for value in v)
    old = m.get("m", [0] * len(x))
    product = m.get("p", [1] * len(x))
    m["m"], m["p"], new = [], [], []
    for i, w in enumerate(x):
        inertia = np.clip(1 - b0 * v[i] / mean, 0, 1 - eps) if mean > 0 else np.full_like(w, 1 - eps)
        m["p"].append(product[i] * inertia)
        m["m"].append(inertia * old[i] + (1 - inertia) * g[i])
        w = w * (1 - lr * wd) if decoupled else w
        new.append(w - lr * m["m"][i] / (1 - m["p"][i]))
    return new


def avagrad(x, g, s, m, lr=0.05, b1=0.9, b2=0.99, eps=0.1, wd=0.1, corrected=True):
    k = s + 1
    x = [w * (1 - lr * wd) for w in x]
    moment(m, "m", g, b1)
    if s > 0:
        rate = lr * m["gamma"] / (1 - b1**k if corrected else 1)
        x = [w - rate * a / (np.sqrt(v / (1 - b2**s)) + eps) for w, a, v in zip(x, m["m"], m["v"])]
    moment(m, "v", [value**2 for value in g], b2)
    roots = [np.sqrt(v / (1 - b2**k)) + eps for v in m["v"]]
    m["gamma"] = float(np.sqrt(sum(np.size(r) for r in roots) / total(r**-2 for r in roots)))
    return x


def mars(x, g, s, m, lr=0.01, b1=0.95, b2=0.9, gamma=0.05, eps=1e-3, wd=0.1, limit=1.0, lr1=None, c1=0.9, c2=0.95,
         wd1=None, which=lambda rank: rank == 2):
    k = s + 1
    lr1, wd1 = lr if lr1 is None else lr1, wd if wd1 is None else wd1
    last = m.get("last", [np.zeros_like(value) for value in g])
    old = [m.get(name, [0] * len(x)) for name in ("m", "v")]
    m["last"], m["m"], m["v"], new = g, [], [], []
    for i, w in enumerate(x):
        matrix = which(np.ndim(w))
        rate, p, q, decay = (lr, b1, b2, wd) if matrix else (lr1, c1, c2, wd1)
        c = g[i]
        if matrix:
            c = g[i] + gamma * (b1 / (1 - b1)) * (g[i] - last[i])
            c = c * limit / length(c) if length(c) > limit else c
        m["m"].append(p * old[0][i] + (1 - p) * c)
        m["v"].append(q * old[1][i] + (1 - q) * c**2)
        new.append(w - rate * (m["m"][i] / (1 - p**k) / (np.sqrt(m["v"][i] / (1 - q**k)) + eps) + decay * w))
    return new


# ---- Curvature ----

HESSIAN = tensors_of_noise(31)


def adahessian(x, g, s, m, lr=0.05, b1=0.9, b2=0.9, eps=1e-2, wd=0.1, power=1.0, every=1):
    k = s + 1
    moment(m, "m", g, b1)
    if s % every == 0:
        moment(m, "v", [np.reshape(h, shape) ** 2 for h, shape in zip(HESSIAN[s // every], SHAPES)], b2)
    return [w * (1 - lr * wd) - lr * a / (1 - b1**k) / ((v / (1 - b2**k)) ** (power / 2) + eps)
            for w, a, v in zip(x, m["m"], m["v"])]


def clipped(**settings):
    return before(fixed(clip_model, **settings))


LARS_ = "lr = 0.5, weight_decay = 0.1, trust = 0.02"
LAMB_ = "lr = 0.02, beta2 = 0.99, eps = 1e-3, weight_decay = 0.1"
NOVO = "lr = 0.02, beta2 = 0.9, eps = 1e-2, weight_decay = 0.1"
MARS_ = "lr = 0.01, beta2 = 0.9, gamma = 0.05, eps = 1e-3, weight_decay = 0.1"

FORMS = {
    # Stages.
    "clip_model": Form(clipped(), f"ClipByGlobalNorm(1.5) | {SGD}"),
    "clip_model_torch": Form(clipped(torch=True), f"ClipByGlobalNorm(1.5, form = torch) | {SGD}"),
    "clip_tensors": Form(before(clip_tensors), f"ClipByTensorNorm(1.5) | {SGD}"),
    "clip_tensors_torch": Form(before(fixed(clip_tensors, torch=True)), f"ClipByTensorNorm(1.5, form = torch) | {SGD}"),
    "normalize_tensors": Form(before(normalize), f"NormalizeGradient(2, eps = 1e-2) | {SGD}"),
    "normalize_model": Form(before(fixed(normalize, model=True)), f"NormalizeGradient(2, eps = 1e-2, over = model) | {SGD}"),
    "normalize_exactly": Form(before(fixed(normalize, scale=1, eps=0)), f"NormalizeGradient(eps = 0) | {SGD}"),
    "orthogonal": Form(before(orthogonal), f"OrthogonalGradient | {SGD}"),
    "orthogonal_shorter": Form(before(fixed(orthogonal, rescale=False, eps=1.0)),
                               f"OrthogonalGradient(eps = 1, rescale = false) | {SGD}"),
    "trust_ratio": Form(trusted, "Adam(lr = 1, beta2 = 0.99, eps = 1e-3) | TrustRatio(lr = 0.02, trust = 0.5, eps = 0.1)"),
    "trust_ratio_limits": Form(fixed(trusted, trust=1, eps=0, floor=2.5, limit=0.8),
                               "Adam(lr = 1, beta2 = 0.99, eps = 1e-3) | TrustRatio(lr = 0.02, min_norm = 2.5, limit = 0.8)"),
    **{f"cautious_{scale}": Form(fixed(cautious, scale=scale), f"{SGD} | Cautious(scale = {scale})")
       for scale in ("mean", "plus_one", "none")},
    "cautious_least": Form(fixed(cautious, least=0.9), f"{SGD} | Cautious(least = 0.9)"),
    "grams": Form(grams, f"Adam({ADAM}) | Grams"),
    "measured_gradient": Form(measured, f"GradientNorm | {SGD}", "n=length top=largest"),
    "measured_update": Form(measured, f"{SGD} | UpdateNorm", "moved=length part=share"),
    # Lengths.
    "square_root": Form(square_root, "GradSquareRoot(lr = 0.05)"),
    "square_root_eps": Form(fixed(square_root, eps=0.5), "GradSquareRoot(lr = 0.05, eps = 0.5)"),
    "square_root_tensor": Form(fixed(square_root, eps=0.5, tensor=True), "GradSquareRoot(lr = 0.05, eps = 0.5, over = tensor)"),
    "square_root_tensor_zero": Form(fixed(square_root, tensor=True), "GradSquareRoot(lr = 0.05, over = tensor)"),
    "adam_length": Form(adam_by_length, "AdamGradSquareRoot(scale = 0.01, beta2 = 0.99, eps = 1e-3)", "m v"),
    "adam_inverse": Form(fixed(adam_by_length, inverse=True),
                         "AdamGradSquareRoot(scale = 0.01, rate = inverse, beta2 = 0.99, eps = 1e-3)", "m v"),
    "fromage": Form(fromage, "Fromage(lr = 0.1)"),
    "fromage_bound": Form(fixed(fromage, bound=1.01), "Fromage(lr = 0.1, bound = 1.01)"),
    # Norms in momentum and Adam.
    "lars": Form(lars, f"LARS({LARS_})", "b=velocity"),
    "lars_whole": Form(fixed(lars, whole=True, eps=0.1), f"LARS({LARS_}, divisor = whole, eps = 0.1)"),
    "lars_torch": Form(fixed(lars, inside=False, damp=0.2), f"LARS({LARS_}, lr_inside = false, dampening = 0.2)"),
    "lars_nesterov": Form(fixed(lars, nesterov=True, damp=0.2), f"LARS({LARS_}, nesterov = true, dampening = 0.2)"),
    "lars_clip": Form(fixed(lars, clip=True, trust=0.4), "LARS(lr = 0.5, weight_decay = 0.1, trust = 0.4, trust_clip = true)"),
    "lars_plain": Form(fixed(lars, lr=0.01, wd=0, always=False), "LARS(lr = 0.01, trust = 0.02, always_adapt = false)"),
    "lars_always": Form(fixed(lars, lr=0.01, wd=0), "LARS(lr = 0.01, trust = 0.02)"),
    "lamb": Form(lamb, f"LAMB({LAMB_})", "m v"),
    "lamb_uncorrected": Form(fixed(lamb, corrected=False, limit=1.5), f"LAMB({LAMB_}, bias_correction = false, limit = 1.5)"),
    "lamb_sum": Form(fixed(lamb, averaging=False), f"LAMB({LAMB_}, averaging = false)", "m v"),
    "lamb_clip": Form(fixed(lamb, clip=True), f"LAMB({LAMB_}, trust_clip = true)"),
    "lamb_plain": Form(fixed(lamb, wd=0, always=False), "LAMB(lr = 0.02, beta2 = 0.99, eps = 1e-3, always_adapt = false)"),
    "lamb_nvidia": Form(before(fixed(normalize, scale=1, eps=0, model=True), lamb),
                        f"NormalizeGradient(eps = 0, over = model) | LAMB({LAMB_})"),
    "novograd": Form(each(novograd), f"NovoGrad({NOVO})", "m"),
    "novograd_zero": Form(each(novograd, zero=True, averaging=True), f"NovoGrad({NOVO}, first = zero, averaging = true)", "m"),
    "novograd_corrected": Form(each(novograd, corrected=True), f"NovoGrad({NOVO}, bias_correction = true)"),
    "stable_adamw": Form(each(stable_adamw), "StableAdamW(lr = 0.02, beta2 = 0.9, eps = 1e-3, weight_decay = 0.2)", "m v"),
    "stable_adamw_lr": Form(each(stable_adamw, by_lr=True),
                            "StableAdamW(lr = 0.02, beta2 = 0.9, eps = 1e-3, weight_decay = 0.2, decay_by = lr)"),
    "adanorm": Form(each(adanorm), f"AdaNorm({ADAM}, r = 0.9, weight_decay = 0.1)", "m v"),
    "adanorm_decoupled": Form(each(adanorm, decoupled=True), f"AdaNorm({ADAM}, r = 0.9, weight_decay = 0.1, decoupled = true)"),
    "adatam": Form(each(adatam), "AdaTAM(lr = 0.02, beta2 = 0.99, decay = 0.8, eps = 1e-2, weight_decay = 0.1)", "m v"),
    "adai": Form(adai, "Adai(lr = 0.5, beta2 = 0.9, weight_decay = 0.05)", "m v p=memory"),
    "adai_decoupled": Form(fixed(adai, decoupled=True), "Adai(lr = 0.5, beta2 = 0.9, weight_decay = 0.05, decoupled = true)"),
    "avagrad": Form(avagrad, "AvaGrad(lr = 0.05, beta2 = 0.99, weight_decay = 0.1)", "m v"),
    "avagrad_uncorrected": Form(fixed(avagrad, corrected=False),
                                "AvaGrad(lr = 0.05, beta2 = 0.99, weight_decay = 0.1, bias_correction = false)"),
    "mars": Form(mars, f"MARS({MARS_})", "m v last=last_grad"),
    "mars_others": Form(fixed(mars, limit=0.5, lr1=0.02, c1=0.8, c2=0.9, wd1=0.3),
                        f"MARS({MARS_}, max_norm = 0.5, lr_1d = 0.02, beta1_1d = 0.8, beta2_1d = 0.9, weight_decay_1d = 0.3)"),
    "mars_all": Form(fixed(mars, which=lambda rank: True), f"MARS({MARS_}, matrices = all)"),
    # Curvature.
    "adahessian": Form(adahessian, "AdaHessian(lr = 0.05, beta2 = 0.9, eps = 1e-2, weight_decay = 0.1)", "m v", {"hess": HESSIAN}),
    "adahessian_seldom": Form(fixed(adahessian, power=0.5, every=3),
                              "AdaHessian(lr = 0.05, beta2 = 0.9, eps = 1e-2, weight_decay = 0.1, power = 0.5)", "m v",
                              {"hess": HESSIAN, "every": 3}),
}

# With a tensor of three dimensions.
CUBE = Whole(shapes=[(5,), (3, 4), (2, 3, 2)])
CUBE_FORMS = {
    "mars_of_two_dimensions": FORMS["mars"],
    "mars_of_two_or_more": Form(fixed(mars, which=lambda rank: rank >= 2), f"MARS({MARS_}, matrices = at_least_two)"),
    "lamb_of_three_tensors": FORMS["lamb"],
}

ZERO_FORMS = {name + "_zero": FORMS[name] for name in (
    "square_root", "adam_length", "adam_inverse", "lamb", "lars", "novograd", "adanorm", "adai", "normalize_exactly",
    "clip_model", "avagrad", "mars")}

CORRECTED = each(adam, wd=0.0)
BAD_FORMS = {
    "clip_skips": Form(before(clip_model, CORRECTED), f"ClipByGlobalNorm(1.5) | Adam({ADAM})", "m v"),
    "clip_skips_torch": Form(before(fixed(clip_model, torch=True), CORRECTED), f"ClipByGlobalNorm(1.5, form = torch) | Adam({ADAM})", "m v"),
    "clip_tensors_skips": Form(before(clip_tensors, CORRECTED), f"ClipByTensorNorm(1.5) | Adam({ADAM})", "m v"),
    "finite_only": Form(before(finite_only, CORRECTED), f"SkipNonFinite | Adam({ADAM})", "m v bad count=skipped"),
    "finite_only_limit": Form(before(fixed(finite_only, limit=1), CORRECTED), f"SkipNonFinite(limit = 1) | Adam({ADAM})",
                              "bad count=skipped"),
}

if __name__ == "__main__":
    with np.errstate(invalid="ignore"):  # in the steps that are let through
        sys.exit(run("reductions", FORMS, Whole()) or run("three dimensions", CUBE_FORMS, CUBE) or
                 run("gradients of 0", ZERO_FORMS, with_zeros()) or
                 run("gradients that are not finite", BAD_FORMS, with_faults()))
