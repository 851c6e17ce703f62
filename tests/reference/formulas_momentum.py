"""Rules without second moments: gradient descent, momentum, signs, averaging; each form against NumPy.

formulas_momentum.py TALWEG FOLDER; see given_gradients.py. s = t - 1 throughout.
"""

import sys

from given_gradients import Form, np, run, tensors_of_noise, Trajectory

NOISE = tensors_of_noise(31)


def torch_sgd(lr=0.05, mu=0.0, damp=0.0, nesterov=False, wd=0.0, maximize=False, first_copy=True, decoupled=False):
    """PyTorch's SGD as its documentation states it."""

    def step(theta, g, s, m):
        g = -g if maximize else g
        if decoupled:
            theta = theta * (1 - lr * wd)
        else:
            g = g + wd * theta
        if mu == 0:
            return theta - lr * g
        if s == 0 and first_copy:
            m["b"] = g
        else:
            m["b"] = mu * m.get("b", 0) + (1 - damp) * g
        return theta - lr * (g + mu * m["b"] if nesterov else m["b"])

    return step


def keras_sgd(theta, g, s, m, lr=0.05, mu=0.9, nesterov=True, wd=0.05):
    g = g + wd * theta
    m["v"] = mu * m.get("v", 0) - lr * g
    return theta + (mu * m["v"] - lr * g if nesterov else m["v"])


def resetting_heavy_ball(theta, g, s, m, lr=0.05, mu=0.9, k=4):
    m["v"] = g if s % k == 0 else mu * m["v"] + g
    return theta - lr * m["v"]


def average(lr=0.1, beta=0.9, debias=False, nesterov=False):
    def step(theta, g, s, m):
        m["v"] = beta * m.get("v", 0) + (1 - beta) * g
        c, c_next = (1 - beta ** (s + 1), 1 - beta ** (s + 2)) if debias else (1, 1)
        direction = beta * m["v"] / c_next + (1 - beta) * g / c if nesterov else m["v"] / c
        return theta - lr * direction

    return step


def qhm(theta, g, s, m, lr=0.1, beta=0.9, nu=0.7, wd=0.05, direct=False):
    if direct:
        theta = theta - lr * wd * theta
    else:
        g = g + wd * theta
    m["v"] = beta * m.get("v", 0) + (1 - beta) * g
    return theta - lr * ((1 - nu) * g + nu * m["v"])


def aggmo(theta, g, s, m, lr=0.1, betas=(0.0, 0.9, 0.99), wd=0.05):
    g = g + wd * theta
    for i, beta in enumerate(betas):
        m[i] = beta * m.get(i, 0) + g
    return theta - lr * np.mean([m[i] for i in range(3)], axis=0)


def sign_sgd(theta, g, s, m, lr=0.01, wd=0.1):
    return theta - lr * (np.sign(g) + wd * theta)


def signum(theta, g, s, m, lr=0.01, beta=0.9, wd=0.1, nesterov=False):
    m["m"] = beta * m.get("m", 0) + (1 - beta) * g
    return theta - lr * (np.sign(beta * m["m"] + (1 - beta) * g if nesterov else m["m"]) + wd * theta)


def lion(theta, g, s, m, lr=0.01, b1=0.9, b2=0.8, wd=0.1):
    c = b1 * m.get("m", 0) + (1 - b1) * g
    m["m"] = b2 * m.get("m", 0) + (1 - b2) * g
    return theta - lr * (np.sign(c) + wd * theta)


def sgdw(theta, g, s, m, lr=0.05, mu=0.9, wd=0.1, by_lr=True):
    m["v"] = mu * m.get("v", 0) + g
    return theta - lr * m["v"] - (lr * wd if by_lr else wd) * theta


def acc_sgd(theta, g, s, m, lr=0.01, kappa=1000.0, xi=10.0, c=0.7, wd=0.05):
    """The authors' two lines: buf <- ((1/beta - 1) buf - long * g + theta) * beta; theta mixed by zeta."""
    g = g + wd * theta
    beta = xi * c**2 / kappa
    zeta = c / (c + beta)
    w = m.get("w", theta)
    m["w"] = ((1 / beta - 1) * w - lr * kappa / c * g + theta) * beta
    return zeta * (theta - lr * g) + (1 - zeta) * m["w"]


def pid(theta, g, s, m, lr=0.01, mu=0.9, damp=0.2, ki=5.0, kd=10.0, copies=False, wd=0.05):
    g = g + wd * theta
    m["i"] = g if copies and s == 0 else mu * m.get("i", 0) + (1 - damp) * g
    m["d"] = np.zeros_like(g) if s == 0 else mu * m["d"] + (1 - mu) * (g - m["g"])
    m["g"] = g
    return theta - lr * (g + ki * m["i"] + kd * m["d"])


def demon_sgd(theta, g, s, m, lr=0.05, mu=0.9, total=12):
    left = max(1 - s / total, 0)
    m["v"] = mu * left / ((1 - mu) + mu * left) * m.get("v", 0) + g
    return theta - lr * m["v"]


def optimistic(theta, g, s, m, lr=0.05, alpha=0.8, beta=0.6, first_zero=False):
    last = m.get("g", np.zeros_like(g) if first_zero else g)
    m["g"] = g
    return theta - lr * alpha * g - lr * beta * (g - last)


def sgld(theta, g, s, m, lr=0.02, wd=0.1, temperature=0.5, noisy=True):
    noise = np.reshape(NOISE[s][m["tensor"]], g.shape) if noisy else 0
    return theta - lr / 2 * (g + wd * theta) + np.sqrt(lr * temperature) * noise


def rprop(theta, g, s, m, lr=0.01, minus=0.5, plus=1.2, low=1e-6, high=0.02, change="rest"):
    """Igel & Huesken's four forms, an element at a time."""
    size, last, moved = m.setdefault("size", np.full(g.shape, lr)), m.setdefault("g", np.zeros(g.shape)), m.setdefault(
        "moved", np.zeros(g.shape))
    result = theta.copy()
    for i in np.ndindex(g.shape):
        now, product = g[i], g[i] * last[i]
        if product > 0:
            size[i] = min(size[i] * plus, high)
        elif product < 0:
            size[i] = max(size[i] * minus, low)
        if product < 0 and change == "backtrack":
            moved[i], last[i] = -moved[i], 0
        elif product < 0 and change == "rest":
            moved[i], last[i] = 0, 0
        else:
            moved[i], last[i] = -np.sign(now) * size[i], now
        result[i] += moved[i]
    return result


def asgd(theta, g, s, m, lr=0.1, lambd=0.01, alpha=0.75, t0=4, wd=0.05):
    """PyTorch's ASGD, whose eta and mu are set for the next step at the end of each."""
    eta = lr / (1 + lambd * lr * s) ** alpha
    g = g + wd * theta
    theta = theta * (1 - lambd * eta) - eta * g
    mu = 1 / max(1, s - t0)
    m["ax"] = theta.copy() if mu == 1 else m["ax"] + (theta - m["ax"]) * mu
    return theta


def schedule_free_sgd(theta, g, s, m, lr=0.5, beta=0.9, warmup=5, wd=0.01):
    """The authors' form that keeps only z: x is found from y and z."""
    k = s + 1
    rate = lr * min(1, k / warmup)
    m["top"] = max(m.get("top", 0), rate)
    w = m["top"] ** 2
    m["sum"] = m.get("sum", 0) + w
    c = w / m["sum"]
    z = m.get("z", theta)
    g = g + wd * theta
    y = (1 - c) * theta + c * z + rate * (beta * (1 - c) - 1) * g
    m["z"] = z - rate * g
    return y


def fixed(function, **settings):
    return lambda theta, g, s, m: function(theta, g, s, m, **settings)


MOMENTUM = "SGD(lr = 0.05, momentum = 0.9"

FORMS = {
    "sgd_l2": Form(torch_sgd(wd=0.1), "SGD(lr = 0.05, weight_decay = 0.1)"),
    "sgd_decoupled": Form(torch_sgd(wd=0.1, mu=0.9, decoupled=True), MOMENTUM + ", weight_decay = 0.1, decoupled = true)"),
    "sgd_momentum_l2": Form(torch_sgd(wd=0.1, mu=0.9), MOMENTUM + ", weight_decay = 0.1)"),
    "sgd_maximize": Form(torch_sgd(wd=0.1, mu=0.9, maximize=True), MOMENTUM + ", weight_decay = 0.1, maximize = true)"),
    "sgd_maximize_stage": Form(torch_sgd(wd=0.1, mu=0.9, maximize=True), "Maximize | " + MOMENTUM + ", weight_decay = 0.1)"),
    "sgd_dampening": Form(torch_sgd(mu=0.9, damp=0.3), MOMENTUM + ", dampening = 0.3)"),
    "sgd_first_damped": Form(torch_sgd(mu=0.9, damp=0.3, first_copy=False), MOMENTUM + ", dampening = 0.3, first = damped)"),
    "sgd_nesterov": Form(torch_sgd(mu=0.9, nesterov=True), MOMENTUM + ", nesterov = true)", "b=velocity"),
    "nesterov_lr_inside": Form(keras_sgd, "Nesterov(lr = 0.05, momentum = 0.9, weight_decay = 0.05, lr_inside = true)", "v=-velocity"),
    "heavy_ball_lr_inside": Form(fixed(keras_sgd, nesterov=False), "HeavyBall(lr = 0.05, weight_decay = 0.05, lr_inside = true)", "v=-velocity"),
    "heavy_ball_reset": Form(resetting_heavy_ball, "HeavyBall(lr = 0.05, reset_every = 4)"),
    "average": Form(average(), "MomentumEma(lr = 0.1)"),
    "average_debias": Form(average(debias=True), "MomentumEma(lr = 0.1, debias = true)"),
    "average_nesterov": Form(average(nesterov=True), "MomentumEma(lr = 0.1, nesterov = true)"),
    "average_nesterov_debias": Form(average(debias=True, nesterov=True),
                                    "MomentumEma(lr = 0.1, debias = true, nesterov = true)"),
    "qhm": Form(qhm, "QHM(beta = 0.9, weight_decay = 0.05)"),
    "qhm_direct": Form(fixed(qhm, direct=True), "QHM(beta = 0.9, weight_decay = 0.05, decoupled = true)"),
    "aggmo": Form(aggmo, "AggMo(weight_decay = 0.05)"),
    "sign_sgd": Form(sign_sgd, "SignSGD(lr = 0.01, weight_decay = 0.1)"),
    "signum": Form(signum, "Signum(lr = 0.01, weight_decay = 0.1)"),
    "signum_nesterov": Form(fixed(signum, nesterov=True), "Signum(lr = 0.01, weight_decay = 0.1, nesterov = true)"),
    "tiger": Form(fixed(signum, beta=0.8), "Tiger(lr = 0.01, beta = 0.8, weight_decay = 0.1)", "m"),
    "lion": Form(lion, "Lion(lr = 0.01, beta2 = 0.8, weight_decay = 0.1)", "m"),
    "sgdw": Form(sgdw, "SGDW(lr = 0.05, momentum = 0.9, weight_decay = 0.1)"),
    "sgdw_paper": Form(fixed(sgdw, by_lr=False), "SGDW(lr = 0.05, momentum = 0.9, weight_decay = 0.1, decay_by_lr = false)"),
    "acc_sgd": Form(acc_sgd, "AccSGD(lr = 0.01, weight_decay = 0.05)", "w=average"),
    "pid": Form(pid, "PID(lr = 0.01, dampening = 0.2, weight_decay = 0.05)", "i=integral d=derivative"),
    "pid_copied": Form(fixed(pid, copies=True), "PID(lr = 0.01, dampening = 0.2, weight_decay = 0.05, first = copied)", "i=integral"),
    "demon_sgd": Form(demon_sgd, "DemonSGD(lr = 0.05, total = 12)"),
    "optimistic": Form(optimistic, "OptimisticGD(lr = 0.05, alpha = 0.8, beta = 0.6)"),
    "optimistic_zero": Form(fixed(optimistic, first_zero=True), "OptimisticGD(lr = 0.05, alpha = 0.8, beta = 0.6, first = zero)"),
    "sgld": Form(sgld, "SGLD(lr = 0.02, weight_decay = 0.1, temperature = 0.5)", extra={"noise": NOISE}),
    "sgld_silent": Form(fixed(sgld, noisy=False), "SGLD(lr = 0.02, weight_decay = 0.1)"),
    "rprop_rest": Form(rprop, "Rprop(step_max = 0.02)", "size=step_size"),
    "rprop_keep": Form(fixed(rprop, change="keep"), "Rprop(step_max = 0.02, sign_change = keep)"),
    "rprop_backtrack": Form(fixed(rprop, change="backtrack"), "Rprop(step_max = 0.02, sign_change = backtrack)"),
    "asgd": Form(asgd, "ASGD(lr = 0.1, lambda = 0.01, start = 4, weight_decay = 0.05)", "ax=average"),
    "schedule_free_sgd": Form(schedule_free_sgd, "ScheduleFreeSGD(lr = 0.5, warmup = 5, weight_decay = 0.01)", "z"),
}

if __name__ == "__main__":
    sys.exit(run("momentum and signs", FORMS))
