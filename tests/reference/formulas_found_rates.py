"""Rules that find their rate, from distances, sums of gradients or the loss, against NumPy written from their papers
or from the library they follow.

formulas_found_rates.py TALWEG FOLDER; see given_gradients.py and whole_model.py.
"""

import sys

from given_gradients import Form, np, run
from whole_model import each, fixed, moment, total, Whole, whole_length, with_faults, with_zeros


# ---- Distances ----


def distances(m, x, start, key):
    m[key] = max(m[key], whole_length([a - b for a, b in zip(x, start)]))
    return m[key]


def dog(x, g, s, m, lr=1.0, reach=1e-2, eps=1e-3, wd=0.0):
    g = [value + wd * w for value, w in zip(g, x)]
    if s == 0:
        m["x0"], m["r"], m["G"] = x, reach * (1 + whole_length(x)), 0.0
    m["G"] += whole_length(g) ** 2
    eta = lr * distances(m, x, m["x0"], "r") / np.sqrt(m["G"] + eps)
    return [w - eta * value for w, value in zip(x, g)]


def of_one(step, **settings):
    """A form of the whole model, for each tensor as if it were one."""
    def of_tensor(w, value, s, m):
        return step([w], [value], s, m, **settings)[0]

    return each(of_tensor)


def dowg(x, g, s, m, lr=1.0, eps=1e-2, first=None, wd=0.0):
    g = [value + wd * w for value, w in zip(g, x)]
    if s == 0:
        m["x0"], m["r2"], m["v"] = x, eps if first is None else first, 0.0
    m["r2"] = max(m["r2"], total((a - b) ** 2 for a, b in zip(x, m["x0"])))
    m["v"] += m["r2"] * whole_length(g) ** 2
    return [w - lr * m["r2"] / (np.sqrt(m["v"]) + eps) * value for w, value in zip(x, g)]


# ---- D-Adaptation and Prodigy ----


def dadapt_sgd(x, g, s, m, lr=1.0, mu=0.8, d0=1e-3, growth=np.inf, wd=0.0):
    g = [value + wd * w for value, w in zip(g, x)]
    m.setdefault("x0", x)
    m.setdefault("s", [np.zeros_like(w) for w in x])
    square = total(value**2 for value in g)
    if "first" not in m and square == 0 or not np.isfinite(square):
        return x
    m.setdefault("first", float(np.sqrt(square)))
    d = m.get("d", d0)
    rate = d * lr / m["first"]
    m["s"] = [a + rate * value for a, value in zip(m["s"], g)]
    m["w"] = m.get("w", 0.0) + rate**2 * square
    reach = total(a**2 for a in m["s"])
    m["d"] = max(d, min((reach - m["w"]) / np.sqrt(reach), growth * d))
    return [mu * w + (1 - mu) * (w0 - a) for w, w0, a in zip(x, m["x0"], m["s"])]


def dadapt_adam(x, g, s, m, lr=1.0, b1=0.9, b2=0.99, eps=1e-3, wd=0.0, d0=1e-2, growth=np.inf, decoupled=False,
                corrected=False):
    if all(np.all(value == 0) for value in g) and "s" not in m:
        return x
    m["t"] = k = m.get("t", 0) + 1
    g = g if decoupled else [value + wd * w for value, w in zip(g, x)]
    d, q = m.get("d", d0), np.sqrt(b2)
    rate = d * lr * (np.sqrt(1 - b2**k) / (1 - b1**k) if corrected else 1)
    zeros = [np.zeros_like(w) for w in x]
    along = total(value * a / (np.sqrt(v) + eps) for value, a, v in zip(g, m.get("s", zeros), m.get("v", zeros)))
    moment(m, "m", g, b1, rate * (1 - b1))
    moment(m, "v", [value**2 for value in g], b2)
    moment(m, "s", g, q, rate * (1 - q))
    m["w"] = q * m.get("w", 0.0) + (1 - q) * rate * along
    m["d"] = max(d, min(m["w"] / ((1 - q) * total(abs(a) for a in m["s"])), d * growth))
    return [w - (rate * wd * w if decoupled else 0) - a / (np.sqrt(v) + eps) for w, a, v in zip(x, m["m"], m["v"])]


def dadapt_lion(x, g, s, m, lr=1.0, b1=0.9, b2=0.95, wd=0.1, d0=1e-2, forgets=False):
    if all(np.all(value == 0) for value in g) and "s" not in m:
        return x
    d, q = m.get("d", d0), np.sqrt(b2)
    rate = d * lr
    zeros = [np.zeros_like(w) for w in x]
    u = [np.sign(b1 * a + (1 - b1) * value) for a, value in zip(m.get("m", zeros), g)]
    along = rate * total(a * b for a, b in zip(u, m.get("s", zeros)))
    moment(m, "m", g, b2, rate * (1 - b2))
    moment(m, "s", u, q, rate * (1 - q))
    numerator = q * m.get("w", 0.0) + (1 - q) * along
    m["w"] = 0.0 if forgets else numerator
    m["d"] = max(d, numerator / ((1 - q) * total(abs(a) for a in m["s"])))
    return [w * (1 - rate * wd) - rate * a for w, a in zip(x, u)]


def prodigy(x, g, s, m, lr=1.0, b1=0.9, b2=0.99, b3=None, eps=1e-3, wd=0.0, d0=1e-2, coef=1.0, growth=np.inf,
            decoupled=True, corrected=False, safeguard=False):
    if all(np.all(value == 0) for value in g) and "s" not in m:
        return x
    m["t"] = k = m.get("t", 0) + 1
    m.setdefault("x0", x)
    g = g if decoupled else [value + wd * w for value, w in zip(g, x)]
    b3 = np.sqrt(b2) if b3 is None else b3
    d, top = m.get("d", d0), m.get("top", d0)
    rate = d * lr * (np.sqrt(1 - b2**k) / (1 - b1**k) if corrected else 1)
    m["n"] = b3 * m.get("n", 0.0) + d / d0 * rate * total(value * (w0 - w) for value, w0, w in zip(g, m["x0"], x))
    moment(m, "m", g, b1, d * (1 - b1))
    moment(m, "v", [value**2 for value in g], b2, d**2 * (1 - b2))
    moment(m, "s", g, b3, d / d0 * (d if safeguard else rate))
    guess = coef * m["n"] / total(abs(a) for a in m["s"])
    if d == d0:
        d = max(d, guess)
    m["top"] = max(top, guess)
    m["d"] = min(m["top"], d * growth)
    return [w - (rate * wd * w if decoupled else 0) - rate * a / (np.sqrt(v) + m["d"] * eps)
            for w, a, v in zip(x, m["m"], m["v"])]


# ---- Rates from the loss ----

LOSSES = [5.0, 4.5, 4.7, 3.0, 2.5, 2.5, 0.3, 1.0, 2.5, 2.0, -0.5, 1.9, 1.2, 1.9, 0.1, 1.9, 1.9, 0.0, 0.9, 1.9]


def polyak(x, g, s, m, lr=1.0, limit=0.15, lowest=0.0, share=1.0, eps=0.0):
    below = share * total(value**2 for value in g) + eps
    rate = min(max(LOSSES[s] - lowest, 0) / below, limit) if below > 0 else 0
    return [w - lr * rate * value for w, value in zip(x, g)]


def alig(x, g, s, m, limit=0.15, mu=0.9, eps=1e-5, adjusted=False):
    rate = min(max(LOSSES[s], 0) / (total(value**2 for value in g) + eps), limit)
    zeros = [np.zeros_like(w) for w in x]
    m["b"] = [mu * b - (value if adjusted else rate * value) for b, value in zip(m.get("b", zeros), g)]
    return [w - rate * value + (rate * mu if adjusted else mu) * b for w, value, b in zip(x, g, m["b"])]


def momo(x, g, s, m, lr=0.5, b=0.8, lowest=0.0, wd=0.0, adapts=False):
    kept = 0 if s == 0 else b
    moment(m, "m", g, kept)
    m["f"] = kept * m.get("f", 0.0) + (1 - kept) * LOSSES[s]
    m["g"] = kept * m.get("g", 0.0) + (1 - kept) * total(value * w for value, w in zip(g, x))
    return momo_step(x, m, m["m"], [1] * len(x), 1, lr, lowest, wd, adapts)


def momo_adam(x, g, s, m, lr=0.05, b=0.9, b2=0.9, eps=1e-2, lowest=0.0, wd=0.0, adapts=False):
    moment(m, "m", g, b)
    moment(m, "v", [value**2 for value in g], b2)
    m["f"] = b * m.get("f", 0.0) + (1 - b) * LOSSES[s]
    m["g"] = b * m.get("g", 0.0) + (1 - b) * total(value * w for value, w in zip(g, x))
    roots = [np.sqrt(v / (1 - b2 ** (s + 1))) + eps for v in m["v"]]
    return momo_step(x, m, m["m"], roots, 1 - b ** (s + 1), lr, lowest, wd, adapts)


def momo_step(x, m, momentum, roots, c, lr, lowest, wd, adapts):
    """The step both share: the model f + <m, x' - x> of the loss, cut off at its bound."""
    square = total(a * a / r for a, r in zip(momentum, roots))
    inner = total(a * w for a, w in zip(momentum, x))
    bound = m.get("bound", lowest)
    cap = (1 + lr * wd) * (m["f"] - m["g"]) + inner
    if adapts and cap < (1 + lr * wd) * c * bound:
        bound = max(cap / (2 * c * (1 + lr * wd)), lowest)
    rate = min(lr / c, max(cap - (1 + lr * wd) * c * bound, 0) / square) if square > 0 else 0
    m["bound"] = max((m["f"] + inner - m["g"] - rate * square / 2) / c, lowest) if adapts else lowest
    return [w / (1 + lr * wd) - rate * a / r for w, a, r in zip(x, momentum, roots)]


GIVEN = {"losses": LOSSES}

FORMS = {
    # Distances.
    "dog": Form(dog, "DoG(reach = 1e-2, eps = 1e-3)", "r=distance G=total"),
    "dog_decay": Form(fixed(dog, lr=0.5, wd=0.1), "DoG(lr = 0.5, reach = 1e-2, eps = 1e-3, weight_decay = 0.1)"),
    "ldog": Form(of_one(dog), "LDoG(reach = 1e-2, eps = 1e-3)"),
    "ldog_decay": Form(of_one(dog, lr=0.5, wd=0.1), "LDoG(lr = 0.5, reach = 1e-2, eps = 1e-3, weight_decay = 0.1)"),
    "dowg": Form(dowg, "DoWG(eps = 1e-2)", "r2=reach2 v=total"),
    "dowg_first": Form(fixed(dowg, lr=0.5, first=0.3, wd=0.1), "DoWG(lr = 0.5, eps = 1e-2, first = 0.3, weight_decay = 0.1)"),
    # Rates that are found.
    "dadapt_sgd": Form(dadapt_sgd, "DAdaptSGD(momentum = 0.8, d0 = 1e-3)", "s d first w=weighted"),
    "dadapt_sgd_slower": Form(fixed(dadapt_sgd, lr=0.7, growth=1.1, wd=0.1),
                              "DAdaptSGD(lr = 0.7, momentum = 0.8, d0 = 1e-3, growth_rate = 1.1, weight_decay = 0.1)", "s d"),
    "dadapt_adam": Form(dadapt_adam, "DAdaptAdam(beta2 = 0.99, eps = 1e-3, d0 = 1e-2)", "m v s d w=weighted"),
    "dadapt_adam_decoupled": Form(fixed(dadapt_adam, lr=0.7, wd=0.1, growth=1.1, decoupled=True, corrected=True),
                                  "DAdaptAdam(lr = 0.7, beta2 = 0.99, eps = 1e-3, d0 = 1e-2, growth_rate = 1.1, weight_decay = 0.1, "
                                  "decoupled = true, bias_correction = true)", "s d"),
    "dadapt_adam_l2": Form(fixed(dadapt_adam, wd=0.1), "DAdaptAdam(beta2 = 0.99, eps = 1e-3, d0 = 1e-2, weight_decay = 0.1)", "s d"),
    "dadapt_lion": Form(dadapt_lion, "DAdaptLion(beta2 = 0.95, d0 = 1e-2, weight_decay = 0.1)", "m s d w=weighted"),
    "dadapt_lion_as_coded": Form(fixed(dadapt_lion, lr=0.7, forgets=True),
                                 "DAdaptLion(lr = 0.7, beta2 = 0.95, d0 = 1e-2, weight_decay = 0.1, memory = none)", "m s d"),
    "prodigy": Form(prodigy, "Prodigy(beta2 = 0.99, eps = 1e-3, d0 = 1e-2)", "m v s d top=d_max n=numerator"),
    "prodigy_l2": Form(fixed(prodigy, lr=0.7, b3=0.9, wd=0.1, coef=2, growth=1.1, decoupled=False),
                       "Prodigy(lr = 0.7, beta2 = 0.99, beta3 = 0.9, eps = 1e-3, d0 = 1e-2, d_coef = 2, growth_rate = 1.1, "
                       "weight_decay = 0.1, decoupled = false)", "s d top=d_max"),
    "prodigy_safeguard": Form(fixed(prodigy, wd=0.1, corrected=True, safeguard=True),
                              "Prodigy(beta2 = 0.99, eps = 1e-3, d0 = 1e-2, weight_decay = 0.1, bias_correction = true, "
                              "safeguard_warmup = true)", "s d"),
    # Rates from the loss.
    "polyak": Form(polyak, "PolyakStep(max_rate = 0.15)", extra=GIVEN),
    "polyak_share": Form(fixed(polyak, lr=0.7, limit=np.inf, lowest=0.4, share=0.5, eps=0.3),
                         "PolyakStep(lr = 0.7, max_rate = inf, lowest = 0.4, share = 0.5, eps = 0.3)", extra=GIVEN),
    "alig": Form(alig, "AliG(max_lr = 0.15)", extra=GIVEN),
    "alig_adjusted": Form(fixed(alig, mu=0.7, eps=0.1, adjusted=True),
                          "AliG(max_lr = 0.15, momentum = 0.7, eps = 0.1, adjusted_momentum = true)", extra=GIVEN),
    "momo": Form(momo, "MoMo(lr = 0.5, beta = 0.8)", "m f=average g=gamma", extra=GIVEN),
    "momo_decay": Form(fixed(momo, lowest=-0.5, wd=0.1), "MoMo(lr = 0.5, beta = 0.8, lowest = -0.5, weight_decay = 0.1)", extra=GIVEN),
    "momo_adapts": Form(fixed(momo, wd=0.1, lowest=-2, adapts=True),
                        "MoMo(lr = 0.5, beta = 0.8, lowest = -2, weight_decay = 0.1, adapts_lowest = true)", "bound", extra=GIVEN),
    "momo_adam": Form(momo_adam, "MoMoAdam(lr = 0.05, beta2 = 0.9, eps = 1e-2)", "m v f=average g=gamma", extra=GIVEN),
    "momo_adam_decay": Form(fixed(momo_adam, lr=0.2, b=0.8, lowest=-0.5, wd=0.1),
                            "MoMoAdam(lr = 0.2, beta1 = 0.8, beta2 = 0.9, eps = 1e-2, lowest = -0.5, weight_decay = 0.1)", extra=GIVEN),
    "momo_adam_adapts": Form(fixed(momo_adam, lr=0.2, lowest=-2, adapts=True),
                             "MoMoAdam(lr = 0.2, beta2 = 0.9, eps = 1e-2, lowest = -2, adapts_lowest = true)", "bound", extra=GIVEN),
}

ZERO_FORMS = {name + "_zero": FORMS[name] for name in (
    "dog", "dowg", "dadapt_sgd", "dadapt_adam_decoupled", "dadapt_lion", "prodigy_safeguard", "momo", "polyak")}
BAD_FORMS = {"dadapt_sgd_skips": FORMS["dadapt_sgd"]}

if __name__ == "__main__":
    sys.exit(run("rates that are found", FORMS, Whole()) or run("gradients of 0", ZERO_FORMS, with_zeros()) or
             run("gradients that are not finite", BAD_FORMS, with_faults()))
