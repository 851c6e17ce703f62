"""Rules with second moments, each form against NumPy written from its paper or from the library it follows.

formulas_adaptive.py TALWEG FOLDER; see given_gradients.py. s = t - 1 throughout; k = t.
"""

import sys

from formulas_momentum import fixed
from given_gradients import Form, np, run


def moment(m, name, value, beta, start=0.0):
    """The exponential average of `value` under this name."""
    m[name] = beta * m.get(name, start) + (1 - beta) * value
    return m[name]


def coupled(theta, g, wd, lr, decoupled):
    """(theta, g) after weight decay."""
    return (theta * (1 - lr * wd), g) if decoupled else (theta, g + wd * theta)


# ---- Adagrad and RMSprop ----


def adagrad(theta, g, s, m, lr=0.1, eps=1e-7, initial=0.1, inside=True, lr_decay=0.0, wd=0.0):
    g = g + wd * theta
    m["a"] = m.get("a", initial) + g * g
    root = np.sqrt(m["a"] + eps) if inside else np.sqrt(m["a"]) + eps
    return theta - lr / (1 + s * lr_decay) * g / root


def adadelta(theta, g, s, m, lr=0.7, rho=0.9, eps=1e-3, wd=0.1):
    g = g + wd * theta
    square = moment(m, "g2", g * g, rho)
    delta = np.sqrt(m.get("x2", 0) + eps) / np.sqrt(square + eps) * g
    moment(m, "x2", delta * delta, rho)
    return theta - lr * delta


def rmsprop(theta, g, s, m, lr=0.01, rho=0.9, eps=1e-3, initial=0.0, inside=False, centered=False, mu=0.0,
            lr_inside=False, nesterov=False, corrected=False, wd=0.0, decoupled=False):
    theta, g = coupled(theta, g, wd, lr, decoupled)
    fix = 1 - rho ** (s + 1) if corrected else 1
    square = moment(m, "v", g * g, rho, initial) / fix
    if centered:
        square = np.maximum(square - (moment(m, "m", g, rho) / fix) ** 2, 0)
    d = g / (np.sqrt(square + eps) if inside else np.sqrt(square) + eps)
    if mu == 0:
        return theta - lr * d
    d, outer = (lr * d, 1) if lr_inside else (d, lr)
    m["b"] = mu * m.get("b", 0) + d
    return theta - outer * (d + mu * m["b"] if nesterov else m["b"])


def madgrad(theta, g, s, m, lr=0.01, mu=0.9, eps=1e-6, wd=0.1, decay="l2"):
    m.setdefault("x0", theta)
    rate = lr + eps
    lamb = rate * np.sqrt(s + 1)
    old = theta
    if decay == "l2":
        g = g + wd * theta
    if decay == "before":
        theta = theta * (1 - rate * wd)
    m["s"] = m.get("s", 0) + lamb * g
    m["nu"] = m.get("nu", 0) + lamb * g * g
    z = m["x0"] - m["s"] / (np.cbrt(m["nu"]) + eps)
    theta = mu * theta + (1 - mu) * z
    return theta - rate * wd * old if decay == "decoupled" else theta


def ftrl(theta, g, s, m, lr=0.1, power=0.5, initial=0.1, l1=0.05, l2=0.2, beta=0.3, shrink=0.1, factor=2):
    n = m.get("n", np.full(g.shape, initial))
    n_new = n + g * g
    sigma = (n_new**power - n**power) / lr
    m["z"] = m.get("z", 0) + g + 2 * shrink * theta - sigma * theta
    m["n"] = n_new
    quadratic = n_new**power / lr + beta / lr + factor * l2
    return np.where(np.abs(m["z"]) <= l1, 0.0, (np.sign(m["z"]) * l1 - m["z"]) / quadratic)


# ---- Adam ----


def adam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, decoupled=False, place="corrected", root_eps=0.0,
         corrected=True, after=False, by_lr=True):
    k = s + 1
    old = theta
    amount = lr * wd if by_lr else wd
    if decoupled and not after:
        theta = theta * (1 - amount)
    elif not decoupled:
        g = g + wd * old
    c1, c2 = (1 - b1**k, 1 - b2**k) if corrected else (1, 1)
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    if place == "corrected":
        theta = theta - lr * (mean / c1) / (np.sqrt(square / c2 + root_eps) + eps)
    elif place == "inside":
        theta = theta - lr * (mean / c1) / np.sqrt(square / c2 + eps)
    else:
        theta = theta - lr * np.sqrt(c2) / c1 * mean / (np.sqrt(square) + eps)
    return theta * (1 - amount) if after else theta


def amsgrad(theta, g, s, m, lr=0.01, b1=0.9, b2=0.9, eps=1e-3, wd=0.1, form="torch", decoupled=False):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    c1, c2 = 1 - b1**k, 1 - b2**k
    m["top"] = np.maximum(m.get("top", 0), square / c2 if form == "optax" else square)
    if form == "torch":
        return theta - lr / c1 * mean / (np.sqrt(m["top"]) / np.sqrt(c2) + eps)
    if form == "optax":
        return theta - lr * (mean / c1) / (np.sqrt(m["top"]) + eps)
    if form == "keras":
        return theta - lr * np.sqrt(c2) / c1 * mean / (np.sqrt(m["top"]) + eps)
    return theta - lr * mean / (np.sqrt(m["top"]) + eps)


def adamax(theta, g, s, m, lr=0.01, b1=0.9, b2=0.9, eps=0.01, wd=0.1, divisor=False, decoupled=False):
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean = moment(m, "m", g, b1)
    if divisor:
        m["u"] = np.maximum(b2 * m.get("u", 0), np.abs(g))
        return theta - lr * mean / ((1 - b1 ** (s + 1)) * (m["u"] + eps))
    m["u"] = np.maximum(b2 * m.get("u", 0), np.abs(g) + eps)
    return theta - lr / (1 - b1 ** (s + 1)) * mean / m["u"]


def nadam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, psi=0.004, wd=0.0, decoupled=False):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mu = lambda i: b1 * (1 - 0.5 * 0.96 ** (i * psi))
    product = np.prod([mu(i) for i in range(1, k + 1)])
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    m_hat = mu(k + 1) * mean / (1 - product * mu(k + 1)) + (1 - mu(k)) * g / (1 - product)
    return theta - lr * m_hat / (np.sqrt(square / (1 - b2**k)) + eps)


def nadamw(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, root_eps=0.0):
    k = s + 1
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    m_hat = b1 * mean / (1 - b1 ** (k + 1)) + (1 - b1) * g / (1 - b1**k)
    return theta - lr * (m_hat / (np.sqrt(square / (1 - b2**k) + root_eps) + eps) + wd * theta)


def radam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.9, eps=1e-3, wd=0.1, form="torch", threshold=5, decoupled=False,
          degenerate=True):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean, square = moment(m, "m", g, b1) / (1 - b1**k), moment(m, "v", g * g, b2)
    top = 2 / (1 - b2) - 1
    rho = top - 2 * k * b2**k / (1 - b2**k)
    if {"torch": rho > threshold, "optax": rho >= threshold, "paper": rho > 4}[form]:
        r = np.sqrt((rho - 4) * (rho - 2) * top / ((top - 4) * (top - 2) * rho))
        if form == "torch":
            return theta - lr * mean * r * np.sqrt(1 - b2**k) / (np.sqrt(square) + eps)
        return theta - lr * r * mean / (np.sqrt(square / (1 - b2**k)) + eps)
    return theta - (lr * mean if degenerate else 0)


def adabelief(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, eps_root=1e-3, wd=0.1, decoupled=True):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean = moment(m, "m", g, b1)
    m["s"] = b2 * m.get("s", 0) + (1 - b2) * (g - mean) ** 2 + eps_root
    return theta - lr * mean / (1 - b1**k) / (np.sqrt(m["s"] / (1 - b2**k)) + eps)


def yogi(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, initial=0.01, wd=0.1, both=True, corrected=True,
         decoupled=True):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean = moment(m, "m", g, b1, initial if both else 0.0)
    v = m.get("v", initial)
    m["v"] = v - (1 - b2) * np.sign(v - g * g) * g * g
    c1, c2 = (1 - b1**k, 1 - b2**k) if corrected else (1, 1)
    return theta - lr * mean / c1 / (np.sqrt(m["v"] / c2) + eps)


def adan(theta, g, s, m, lr=0.01, b1=0.98, b2=0.92, b3=0.99, eps=1e-3, wd=0.1, proximal=True):
    k = s + 1
    d = g - m.get("g", g)
    m["g"] = g
    mean, diff = moment(m, "m", g, b1), moment(m, "d", d, b2)
    square = moment(m, "n", (g + b2 * d) ** 2, b3)
    u = (mean / (1 - b1**k) + b2 * diff / (1 - b2**k)) / (np.sqrt(square / (1 - b3**k)) + eps)
    return (theta - lr * u) / (1 + lr * wd) if proximal else theta * (1 - lr * wd) - lr * u


def half_life_warmup(k, start, end, steps):
    f = lambda beta: np.log(0.5) / np.log(beta + 1e-8) - 1
    return 0.5 ** (1 / ((1 - k / steps) * f(start) + k / steps * f(end) + 1)) if k < steps else end


def ademamix(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, b3=0.999, alpha=5.0, eps=1e-3, wd=0.1, alpha_steps=12, beta_steps=15):
    k = s + 1
    a = alpha * min(k / alpha_steps, 1)
    fast, slow = moment(m, "fast", g, b1), moment(m, "slow", g, half_life_warmup(k, b1, b3, beta_steps))
    root = np.sqrt(moment(m, "v", g * g, b2)) / np.sqrt(1 - b2**k) + eps
    return theta - lr * ((fast / (1 - b1**k) + a * slow) / root + wd * theta)


def simplified_ademamix(theta, g, s, m, lr=0.001, b1=0.99, b2=0.95, alpha=2.0, eps=1e-3, wd=0.1, summed=True, steps=0):
    k = s + 1
    b = half_life_warmup(k, 0.9, b1, steps) if steps else b1
    m["m"] = b * m.get("m", 0) + (1 if summed else 1 - b) * g
    root = np.sqrt(moment(m, "v", g * g, b2) / (1 - b2**k)) + eps
    return theta - lr * wd * theta - lr * (m["m"] + alpha * g) / root


def adopt(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, decoupled=False, bound=lambda s: s**0.25):
    if not decoupled:
        g = g + wd * theta
    if s == 0:
        m["v"] = g * g
        return theta
    if decoupled:
        theta = theta * (1 - lr * wd)
    n = g / np.maximum(np.sqrt(m["v"]), eps)
    if bound:
        n = np.clip(n, -bound(s), bound(s))
    m["v"] = b2 * m["v"] + (1 - b2) * g * g
    return theta - lr * moment(m, "m", n, b1)


def laprop(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, wd=0.01, first=False):
    k = s + 1
    root = np.sqrt(moment(m, "v", g * g, b2) / (1 - b2**k)) + eps
    mean = moment(m, "m", g / root, b1) / (1 - b1**k)
    return theta * (1 - lr * wd) - lr * mean if first else (theta - lr * mean) * (1 - wd)


def qhadam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, nu1=0.7, nu2=0.8, eps=1e-3, wd=0.1, decoupled=False):
    """qhoptim's way: weights of the averages, which start at the first value."""
    theta, g = coupled(theta, g, wd, lr, decoupled)
    w1, w2 = 1 + b1 * m.get("w1", 0), 1 + b2 * m.get("w2", 0)
    m["w1"], m["w2"] = w1, w2
    m["m"] = m.get("m", 0) * (1 - 1 / w1) + g / w1
    m["v"] = m.get("v", 0) * (1 - 1 / w2) + g * g / w2
    return theta - lr * (nu1 * m["m"] + (1 - nu1) * g) / (np.sqrt(nu2 * m["v"] + (1 - nu2) * g * g) + eps)


def adabound(theta, g, s, m, lr=0.01, final=0.1, b1=0.9, b2=0.9, gamma=0.05, eps=1e-3, wd=0.1, ams=False, decoupled=False):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    if ams:
        square = m["top"] = np.maximum(m.get("top", 0), square)
    size = lr * np.sqrt(1 - b2**k) / (1 - b1**k)
    low, high = final * (1 - 1 / (gamma * k + 1)), final * (1 + 1 / (gamma * k))
    return theta - np.minimum(np.maximum(size / (np.sqrt(square) + eps), low), high) * mean


def adamod(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, b3=0.9, eps=1e-3, wd=0.1):
    k = s + 1
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    rate = lr * np.sqrt(1 - b2**k) / (1 - b1**k) / (np.sqrt(square) + eps)
    return theta - lr * wd * theta - np.minimum(rate, moment(m, "bound", rate, b3)) * mean


def padam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.9, p=0.25, eps=1e-3, wd=0.1, ams=False, decoupled=False):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    if ams:
        square = m["top"] = np.maximum(m.get("top", 0), square)
    return theta - lr * np.sqrt(1 - b2**k) / (1 - b1**k) * mean / (np.sqrt(square) + eps) ** (2 * p)


def diffgrad(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, wd=0.1, decoupled=False):
    k = s + 1
    theta, g = coupled(theta, g, wd, lr, decoupled)
    mean, square = moment(m, "m", g, b1), moment(m, "v", g * g, b2)
    friction = 1 / (1 + np.exp(-np.abs(m.get("g", 0) - g)))
    m["g"] = g
    return theta - lr * np.sqrt(1 - b2**k) / (1 - b1**k) * mean * friction / (np.sqrt(square) + eps)


def acprop(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, root_eps=1e-3, wd=0.1, new=False):
    divisor = np.sqrt(m["s"] / (1 - b2**s)) if s > 0 else 1.0
    before = m.get("m", 0)
    mean = moment(m, "m", g, b1)
    m["s"] = b2 * m.get("s", 0) + (1 - b2) * (g - (mean if new else before)) ** 2 + root_eps
    return theta - lr * g / (divisor + eps) - lr * wd * theta


def optimistic_adam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, gain=0.8, itself=False, ahead=False):
    k = s + 1
    mean = moment(m, "m", g, b1)
    m_hat = b1 * mean / (1 - b1 ** (k + 1)) + (1 - b1) * g / (1 - b1**k) if ahead else mean / (1 - b1**k)
    d = m_hat / (np.sqrt(moment(m, "v", g * g, b2) / (1 - b2**k)) + eps)
    last = m.get("d", d if itself else 0)
    m["d"] = d
    return theta - lr * d - lr * gain * (d - last)


def adamc(theta, g, s, m, b1=0.9, b2=0.99, eps=1e-3, wd=0.5, known=0.0, plain=False):
    """Under a rate that rises to 0.02 in step 6 and falls."""
    k = s + 1
    lr = 0.02 * min(k / 6, 6 / k)
    m["top"] = max(m.get("top", 0), lr)
    amount = lr if plain else lr * lr / (known or m["top"])
    mean, square = moment(m, "m", g, b1) / (1 - b1**k), moment(m, "v", g * g, b2) / (1 - b2**k)
    return theta - amount * wd * theta - lr * mean / (np.sqrt(square) + eps)


def demon_adam(theta, g, s, m, lr=0.01, b1=0.9, b2=0.99, eps=1e-3, total=12, averaged=False):
    left = max(1 - s / total, 0)
    beta = b1 * left / ((1 - b1) + b1 * left)
    m["m"] = beta * m.get("m", 0) + (1 - beta if averaged else 1) * g
    return theta - lr * m["m"] / (np.sqrt(moment(m, "v", g * g, b2) / (1 - b2 ** (s + 1))) + eps)


def sophia(theta, g, s, m, hessians, every, lr=0.01, b1=0.9, b2=0.8, gamma=0.5, eps=1e-3, wd=0.1):
    mean = moment(m, "m", g, b1)
    if s % every == 0:
        moment(m, "h", np.reshape(hessians[s // every][m["tensor"]], g.shape), b2)
    return theta * (1 - lr * wd) - lr * np.clip(mean / np.maximum(gamma * m["h"], eps), -1, 1)


def schedule_free(theta, g, s, m, lr=0.05, beta=0.9, b2=0.9, eps=1e-3, wd=0.1, warmup=0, rectify=None):
    """The authors' form, which keeps y and z. `rectify`: None, or whether the first steps are silent."""
    k = s + 1
    square = moment(m, "v", g * g, b2) / (1 - b2**k)
    adaptive = True
    if rectify is None:
        rate = lr * min(1, k / warmup) if warmup else lr
    else:
        top = 2 / (1 - b2) - 1
        rho = top - 2 * k * b2**k / (1 - b2**k)
        adaptive = rho > 4
        r = np.sqrt(abs((rho - 4) * (rho - 2) * top / ((top - 4) * (top - 2) * rho)))
        rate = lr * (r if adaptive else 0.0 if rectify == "silent" else 1.0)
    m["top"] = max(m.get("top", 0), rate)
    m["sum"] = m.get("sum", 0) + m["top"] ** 2
    c = m["top"] ** 2 / m["sum"] if m["sum"] else 0
    z = m.get("z", theta)
    u = (g / (np.sqrt(square) + eps) if adaptive else g) + wd * theta
    m["z"] = z - rate * u
    return theta + c * (z - theta) + rate * (beta * (1 - c) - 1) * u


def text(**settings):
    return "".join(f", {name} = {value}" for name, value in settings.items())


def rule(name, settings="lr = 0.01, beta2 = 0.99, eps = 1e-3, weight_decay = 0.1", **more):
    return f"{name}({settings}{text(**more)})"


NEAR = "lr = 0.01, beta2 = 0.9, eps = 1e-3, weight_decay = 0.1"
RMS = "lr = 0.01, rho = 0.9, eps = 1e-3"
MAX = "lr = 0.01, beta2 = 0.9, eps = 0.01, weight_decay = 0.1"
FREE = "lr = 0.05, beta2 = 0.9, eps = 1e-3, weight_decay = 0.1"
FTRL = "lr = 0.1, l1 = 0.05, l2 = 0.2, beta = 0.3, l2_shrinkage = 0.1"
CURVE = "lr = 0.02 * min(t / 6, 6 / t), beta2 = 0.99, eps = 1e-3, weight_decay = 0.5"
HESSIANS = [[np.abs(np.random.default_rng(i).standard_normal(n)).tolist() for n in (5, 12)] for i in range(5)]

FORMS = {
    "adagrad_keras": Form(adagrad, "Adagrad(lr = 0.1, initial = 0.1, eps = 1e-7, eps_place = inside)", "a=squares"),
    "adagrad_torch": Form(fixed(adagrad, initial=0.2, inside=False, eps=1e-2, lr_decay=0.3, wd=0.1),
                          "Adagrad(lr = 0.1, initial = 0.2, eps = 1e-2, lr_decay = 0.3, weight_decay = 0.1)"),
    "adadelta": Form(adadelta, "Adadelta(lr = 0.7, eps = 1e-3, weight_decay = 0.1)", "x2=mean_step2"),
    "rmsprop_inside": Form(fixed(rmsprop, inside=True), f"RMSprop({RMS}, eps_place = inside)"),
    "rmsprop_centered": Form(fixed(rmsprop, centered=True), f"RMSprop({RMS}, centered = true)"),
    "rmsprop_momentum": Form(fixed(rmsprop, mu=0.9), f"RMSprop({RMS}, momentum = 0.9)"),
    "rmsprop_scheduled_momentum": Form(lambda *at: rmsprop(*at, mu=0.9 - 0.02 * at[2]),
                                       f"RMSpropMomentum({RMS}, momentum = 0.9 - 0.02 * (t - 1))", "b=velocity"),
    "rmsprop_scheduled_momentum_centered": Form(
        lambda *at: rmsprop(*at, mu=0.9 - 0.02 * at[2], centered=True, wd=0.1),
        f"RMSpropMomentum({RMS}, momentum = 0.9 - 0.02 * (t - 1), centered = true, weight_decay = 0.1)", "b=velocity"),
    "rmsprop_tensorflow": Form(fixed(rmsprop, mu=0.9, inside=True, initial=1.0, lr_inside=True),
                               f"RMSprop({RMS}, momentum = 0.9, eps_place = inside, initial = 1, lr_inside = true)", "b=velocity"),
    "rmsprop_keras": Form(fixed(rmsprop, mu=0.9, inside=True, centered=True, lr_inside=True),
                          f"RMSprop({RMS}, momentum = 0.9, eps_place = inside, centered = true, lr_inside = true)"),
    "rmsprop_optax": Form(fixed(rmsprop, mu=0.9, nesterov=True, corrected=True, lr_inside=True),
                          f"RMSprop({RMS}, momentum = 0.9, nesterov = true, bias_correction = true, lr_inside = true)"),
    "rmsprop_l2": Form(fixed(rmsprop, wd=0.1), f"RMSprop({RMS}, weight_decay = 0.1)"),
    "rmsprop_decoupled": Form(fixed(rmsprop, wd=0.1, decoupled=True), f"RMSprop({RMS}, weight_decay = 0.1, decoupled = true)"),
    "madgrad": Form(madgrad, "MADGRAD(weight_decay = 0.1)", "nu=sum"),
    "madgrad_l2": Form(madgrad, "MADGRAD(weight_decay = 0.1)"),
    "madgrad_decoupled": Form(fixed(madgrad, decay="decoupled"), "MADGRAD(weight_decay = 0.1, decay = decoupled)"),
    "madgrad_before": Form(fixed(madgrad, decay="before"), "MADGRAD(weight_decay = 0.1, decay = before)"),
    "madgrad_no_momentum": Form(fixed(madgrad, mu=0.0), "MADGRAD(weight_decay = 0.1, momentum = 0)"),
    "ftrl_keras": Form(ftrl, f"FTRL({FTRL})"),
    "ftrl_paper": Form(fixed(ftrl, factor=1, initial=0.0), f"FTRL({FTRL}, l2_factor = 1, initial = 0)"),
    "ftrl_power": Form(fixed(ftrl, power=0.3, l1=0.5), "FTRL(lr = 0.1, power = 0.3, l1 = 0.5, l2 = 0.2, beta = 0.3, l2_shrinkage = 0.1)", "z n"),
    "adam_l2": Form(adam, rule("Adam")),
    "adam_raw": Form(fixed(adam, place="raw"), rule("Adam", eps_place="raw")),
    "adam_inside": Form(fixed(adam, place="inside"), rule("Adam", eps_place="inside")),
    "adam_eps_root": Form(fixed(adam, root_eps=0.01), rule("Adam", eps_root=0.01)),
    "adam_raw_moments": Form(fixed(adam, corrected=False), rule("Adam", bias_correction="false")),
    "adamw_before": Form(fixed(adam, decoupled=True), rule("AdamW")),
    "adamw_after": Form(fixed(adam, decoupled=True, after=True), rule("AdamW", decay_point="new")),
    "adamw_paper": Form(fixed(adam, decoupled=True, by_lr=False), rule("AdamW", decay_by_lr="false")),
    "adamw_after_paper": Form(fixed(adam, decoupled=True, after=True, by_lr=False), rule("AdamW", decay_by_lr="false", decay_point="new")),
    "adamw_inside": Form(fixed(adam, decoupled=True, place="inside"), rule("AdamW", eps_place="inside")),
    "adamw_eps_root": Form(fixed(adam, decoupled=True, root_eps=0.01), rule("AdamW", eps_root=0.01)),
    "adamw_raw": Form(fixed(adam, decoupled=True, place="raw"), rule("AdamW", eps_place="raw")),
    **{f"amsgrad_{form}": Form(fixed(amsgrad, form=form), rule("AMSGrad", NEAR, variant=form))
       for form in ("torch", "optax", "paper", "keras")},
    "amsgrad_decoupled": Form(fixed(amsgrad, decoupled=True), rule("AMSGrad", NEAR, decoupled="true")),
    "adamax": Form(adamax, rule("Adamax", MAX)),
    "adamax_keras": Form(fixed(adamax, divisor=True), rule("Adamax", MAX, eps_place="divisor")),
    "adamax_decoupled": Form(fixed(adamax, decoupled=True), rule("Adamax", MAX, decoupled="true")),
    "nadam": Form(nadam, rule("NAdam", "lr = 0.01, beta2 = 0.99, eps = 1e-3")),
    "nadam_keras": Form(fixed(nadam, psi=1.0), rule("NAdam", "lr = 0.01, beta2 = 0.99, eps = 1e-3", momentum_decay=1)),
    "nadam_l2": Form(fixed(nadam, wd=0.1), rule("NAdam")),
    "nadam_decoupled": Form(fixed(nadam, wd=0.1, decoupled=True), rule("NAdam", decoupled="true")),
    "nadamw": Form(nadamw, rule("NAdamW")),
    "nadamw_eps_root": Form(fixed(nadamw, root_eps=0.01), rule("NAdamW", eps_root=0.01)),
    **{f"radam_{form}": Form(fixed(radam, form=form), rule("RAdam", NEAR, variant=form)) for form in ("torch", "optax", "paper")},
    "radam_threshold": Form(fixed(radam, threshold=7), rule("RAdam", NEAR, threshold=7)),
    "radam_decoupled": Form(fixed(radam, decoupled=True), rule("RAdam", NEAR, decoupled="true")),
    "radam_silent": Form(fixed(radam, degenerate=False), rule("RAdam", NEAR, degenerate="false")),
    "adabelief": Form(adabelief, rule("AdaBelief")),
    "adabelief_optax": Form(fixed(adabelief, eps_root=1e-2), rule("AdaBelief", eps_root=1e-2)),
    "adabelief_l2": Form(fixed(adabelief, decoupled=False), rule("AdaBelief", decoupled="false")),
    "yogi": Form(yogi, rule("Yogi", initial=0.01)),
    "yogi_v_alone": Form(fixed(yogi, both=False), rule("Yogi", initial=0.01, start="v_alone")),
    "yogi_paper": Form(fixed(yogi, both=False, corrected=False), rule("Yogi", initial=0.01, start="v_alone", bias_correction="false")),
    "yogi_l2": Form(fixed(yogi, decoupled=False), rule("Yogi", initial=0.01, decoupled="false")),
    "adan": Form(adan, "Adan(lr = 0.01, eps = 1e-3, weight_decay = 0.1)"),
    "adan_decoupled": Form(fixed(adan, proximal=False), "Adan(lr = 0.01, eps = 1e-3, weight_decay = 0.1, decay = decoupled)"),
    "ademamix": Form(ademamix, rule("AdEMAMix", beta3=0.999, alpha_warmup=12, beta3_warmup=15)),
    "simplified_ademamix": Form(simplified_ademamix, "SimplifiedAdEMAMix(lr = 1e-3, alpha = 2, eps = 1e-3, weight_decay = 0.1)"),
    "simplified_ademamix_average": Form(fixed(simplified_ademamix, summed=False),
        "SimplifiedAdEMAMix(lr = 1e-3, alpha = 2, eps = 1e-3, weight_decay = 0.1, momentum = average)"),
    "simplified_ademamix_warmup": Form(fixed(simplified_ademamix, steps=15),
        "SimplifiedAdEMAMix(lr = 1e-3, alpha = 2, eps = 1e-3, weight_decay = 0.1, beta1_warmup = 15)"),
    "adopt": Form(adopt, rule("ADOPT")),
    "adopt_decoupled": Form(fixed(adopt, decoupled=True), rule("ADOPT", decoupled="true")),
    "adopt_unclipped": Form(fixed(adopt, bound=None), rule("ADOPT", clip_growth="false")),
    "adopt_from_one": Form(fixed(adopt, bound=lambda s: (s + 1) ** 0.25), rule("ADOPT", clip_step="counted_from_one")),
    "adopt_power": Form(fixed(adopt, bound=lambda s: s**0.1), rule("ADOPT", clip_power=0.1)),
    "laprop": Form(laprop, rule("LaProp", "lr = 0.01, beta2 = 0.99, eps = 1e-3, weight_decay = 0.01")),
    "laprop_by_lr": Form(fixed(laprop, first=True), rule("LaProp", "lr = 0.01, beta2 = 0.99, eps = 1e-3, weight_decay = 0.01", decay="by_lr_first")),
    "qhadam": Form(qhadam, rule("QHAdam", nu1=0.7, nu2=0.8)),
    "qhadam_direct": Form(fixed(qhadam, decoupled=True), rule("QHAdam", nu1=0.7, nu2=0.8, decoupled="true")),
    "adabound": Form(adabound, rule("AdaBound", NEAR, gamma=0.05)),
    "adabound_ams": Form(fixed(adabound, ams=True), rule("AdaBound", NEAR, gamma=0.05, amsbound="true")),
    "adabound_decoupled": Form(fixed(adabound, decoupled=True), rule("AdaBound", NEAR, gamma=0.05, decoupled="true")),
    "adamod": Form(adamod, rule("AdaMod", beta3=0.9), "bound"),
    "padam": Form(padam, rule("PAdam", NEAR)),
    "padam_partial": Form(fixed(padam, p=0.1), rule("PAdam", NEAR, partial=0.1)),
    "padam_amsgrad": Form(fixed(padam, ams=True), rule("PAdam", NEAR, amsgrad="true")),
    "padam_decoupled": Form(fixed(padam, decoupled=True), rule("PAdam", NEAR, decoupled="true")),
    "diffgrad": Form(diffgrad, rule("DiffGrad")),
    "diffgrad_decoupled": Form(fixed(diffgrad, decoupled=True), rule("DiffGrad", decoupled="true")),
    "acprop": Form(acprop, rule("ACProp", eps_root=1e-3)),
    "acprop_new": Form(fixed(acprop, new=True), rule("ACProp", eps_root=1e-3, centre="new")),
    "optimistic_adam": Form(optimistic_adam, rule("OptimisticAdam", "lr = 0.01, beta2 = 0.99, eps = 1e-3, optimism = 0.8")),
    "optimistic_adam_nesterov": Form(fixed(optimistic_adam, ahead=True),
                                     rule("OptimisticAdam", "lr = 0.01, beta2 = 0.99, eps = 1e-3, optimism = 0.8", nesterov="true")),
    "optimistic_adam_optax": Form(fixed(optimistic_adam, itself=True),
                                  rule("OptimisticAdam", "lr = 0.01, beta2 = 0.99, eps = 1e-3, optimism = 0.8", first="step_itself")),
    "adamc": Form(adamc, f"AdamC({CURVE})"),
    "adamc_known_top": Form(fixed(adamc, known=0.02), f"AdamC({CURVE}, max_lr = 0.02)"),
    "adamc_plain": Form(fixed(adamc, plain=True), f"AdamC({CURVE}, normalized = false)"),
    "demon_adam": Form(demon_adam, "DemonAdam(lr = 0.01, beta2 = 0.99, eps = 1e-3, total = 12)"),
    "demon_adam_average": Form(fixed(demon_adam, averaged=True), "DemonAdam(lr = 0.01, beta2 = 0.99, eps = 1e-3, total = 12, average = true)"),
    "sophia": Form(fixed(sophia, hessians=HESSIANS, every=4), "Sophia(lr = 0.01, beta1 = 0.9, beta2 = 0.8, gamma = 0.5, eps = 1e-3, weight_decay = 0.1)",
                   "h", {"hess": HESSIANS, "every": 4}),
    "schedule_free_adamw": Form(fixed(schedule_free, warmup=5), f"ScheduleFreeAdamW({FREE}, warmup = 5)", "z"),
    "schedule_free_radam": Form(fixed(schedule_free, rectify="silent"), f"ScheduleFreeRAdam({FREE})", "z"),
    "schedule_free_radam_sgd": Form(fixed(schedule_free, rectify="sgd"), f"ScheduleFreeRAdam({FREE}, silent = false)", "z"),
}

if __name__ == "__main__":
    sys.exit(run("second moments", FORMS))
