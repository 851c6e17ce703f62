"""Founding forms: twenty float64 steps of each, in NumPy written from the formula, against the library's rule.

founding.py TALWEG FOLDER; see given_gradients.py. s = t - 1 = 0, 1, ... throughout. Linear regressions stand beside
the given gradients.
"""

import json
import pathlib
import sys

from given_gradients import np, replay, STEPS, TOLERANCE, Form, Trajectory


# ---- The forms, each from its line ----


def descent(rate):
    """theta -= rate(s) * g."""
    return lambda theta, g, s, m: theta - rate(s) * g


def momentum_average(theta, g, s, m, alpha=0.1, beta=0.9):
    m["v"] = beta * m.get("v", 0) + (1 - beta) * g
    return theta - alpha * m["v"]


def clipped_momentum(theta, g, s, m, eps=0.5):
    return momentum_average(theta, np.clip(g, -eps, eps), s, m)


def heavy_ball(theta, g, s, m, eta=0.05, mu=0.9, dampening=0.3):
    m["v"] = g if s == 0 else mu * m["v"] + (1 - dampening) * g
    return theta - eta * m["v"]


def nesterov(theta, g, s, m, eta=0.05, mu=0.9):
    m["v"] = mu * m.get("v", 0) + g
    return theta - eta * (g + mu * m["v"])


def adagrad(theta, g, s, m, eta=0.1, eps=1e-10):
    m["r"] = m.get("r", 0) + g**2
    return theta - eta * g / (np.sqrt(m["r"]) + eps)


def rmsprop_rho_inside(theta, g, s, m, alpha=0.01, rho=0.9, eps=1e-6):
    m["R"] = rho * m.get("R", 0) + (1 - rho) * g**2
    return theta - alpha * g / np.sqrt(rho * m["R"] + eps)


def rmsprop(theta, g, s, m, alpha=0.01, rho=0.9, eps=1e-8):
    m["R"] = rho * m.get("R", 0) + (1 - rho) * g**2
    return theta - alpha * g / (np.sqrt(m["R"]) + eps)


def adam_uncorrected(theta, g, s, m, alpha=0.01, beta1=0.9, beta2=0.9, eps=1e-6):
    m["m"] = beta1 * m.get("m", 0) + (1 - beta1) * g
    m["v"] = beta2 * m.get("v", 0) + (1 - beta2) * g**2
    return theta - alpha * m["m"] / (np.sqrt(m["v"]) + eps)


def adam(theta, g, s, m, alpha=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m["m"] = beta1 * m.get("m", 0) + (1 - beta1) * g
    m["v"] = beta2 * m.get("v", 0) + (1 - beta2) * g**2
    m_hat = m["m"] / (1 - beta1 ** (s + 1))
    v_hat = m["v"] / (1 - beta2 ** (s + 1))
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps)


def adamw(theta, g, s, m, alpha=0.01, decay=0.1):
    return adam(theta * (1 - alpha * decay), g, s, m, alpha)


def coded_decay(s, lr=0.1, warmup_batch=40):
    """lr multiplied by (1 - batch / warmup_batch) once a batch."""
    for batch in range(s + 1):
        lr = lr * (1 - batch / warmup_batch)
    return lr


# A validation loss that falls, stalls and falls again, one value after each step.
LOSSES = [5.0, 4.0, 3.0, 2.5, 2.5, 2.5, 2.6, 2.5, 2.5, 2.0, 1.9, 1.9, 1.9, 1.9, 2.2, 1.9, 1.9, 1.9, 1.9, 1.9]


def plateau_rate(s, lr=0.1, factor=0.5, patience=2):
    """The rate after the losses of the steps before s: halved when more than `patience` in a row were no better."""
    best, bad = np.inf, 0
    for loss in LOSSES[:s]:
        if loss < best * (1 - 1e-4):
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            lr, bad = lr * factor, 0
    return lr


FORMS = {
    "gradient_descent": (descent(lambda s: 0.1), "GradientDescent(lr = 0.1)"),
    "sgd": (descent(lambda s: 0.1), "SGD(lr = 0.1)"),
    "momentum_average": (momentum_average, "MomentumEma(lr = 0.1, beta = 0.9)"),
    "heavy_ball_dampening": (heavy_ball, "HeavyBall(lr = 0.05, momentum = 0.9, dampening = 0.3)"),
    "heavy_ball_no_momentum": (descent(lambda s: 0.05), "HeavyBall(lr = 0.05, momentum = 0, dampening = 0.3)"),
    "sgd_dampening": (heavy_ball, "SGD(lr = 0.05, momentum = 0.9, dampening = 0.3)"),
    "nesterov": (nesterov, "Nesterov(lr = 0.05, momentum = 0.9)"),
    "sgd_nesterov": (nesterov, "SGD(lr = 0.05, momentum = 0.9, nesterov = true)"),
    "inverse_sqrt": (descent(lambda s: 0.1 / np.sqrt(1 + 0.3 * s)),
                     "GradientDescent(lr = inverse_sqrt_decay(t, 0.1, delta = 0.3))"),
    "rsqrt": (descent(lambda s: 0.1 / np.sqrt(s + 2.0)), "GradientDescent(lr = rsqrt_decay(t, 0.1, delta = 2))"),
    "batch_decay": (descent(lambda s: 0.1 / (1 + s / 7)), "GradientDescent(lr = batch_decay(t, 0.1, warmup_batch = 7))"),
    "coded_decay": (descent(coded_decay),
                    "decay = CompoundDecay(factor = 1 - (t - 1) / 40) | GradientDescent(lr = 0.1 * decay.scale)"),
    "step_decay": (descent(lambda s: 0.1 * 0.5 ** (s // 6)),
                   "GradientDescent(lr = step_decay(t, 0.1, every = 6, gamma = 0.5))"),
    "exponential_decay": (descent(lambda s: 0.1 * 0.9**s), "GradientDescent(lr = exponential_decay(t, 0.1, gamma = 0.9))"),
    "inverse_time_decay": (descent(lambda s: 0.1 / (1 + 0.5 * s)),
                           "GradientDescent(lr = inverse_time_decay(t, 0.1, rate = 0.5))"),
    "plateau": (descent(plateau_rate),
                "plateau = ReduceOnPlateau(factor = 0.5, patience = 2) | GradientDescent(lr = 0.1 * plateau.scale)"),
    "adagrad": (adagrad, "Adagrad(lr = 0.1)"),
    "rmsprop_rho_inside": (rmsprop_rho_inside, "RMSpropRhoInside(lr = 0.01, rho = 0.9)"),
    "rmsprop": (rmsprop, "RMSprop(lr = 0.01, rho = 0.9)"),
    "adam_uncorrected": (adam_uncorrected,
                         "Adam(lr = 0.01, beta1 = 0.9, beta2 = 0.9, eps = 1e-6, bias_correction = false)"),
    "adam": (adam, "Adam(lr = 0.01)"),
    "adamw": (adamw, "AdamW(lr = 0.01, weight_decay = 0.1)"),
    "clipped_momentum": (clipped_momentum, "ClipValue(limit = 0.5) | MomentumEma(lr = 0.1)"),
}


def regression(name, batches):
    """Twenty steps of gradient descent on y = 4 + 3 x, mean squared error, over the given batches of samples."""
    random = np.random.default_rng(21)
    x = random.uniform(0, 2, 20)
    y = 4 + 3 * x + random.standard_normal(20)
    theta = np.zeros(2)
    start, loss, params = theta.tolist(), [], []
    for batch in batches:
        features = np.column_stack([np.ones(len(batch)), x[batch]])
        error = features @ theta - y[batch]
        loss.append(np.mean(error**2))
        theta = theta - 0.05 * 2 / len(batch) * features.T @ error
        params.append(theta.tolist())
    return {
        "name": name,
        "problem": "linear regression y = 4 + 3x + noise",
        "hyper": {"batch": len(batches[0])},
        "tol": {"float64": TOLERANCE},
        "tensors": [{"name": "b", "shape": [1]}, {"name": "w", "shape": [1]}],
        "p0": [[start[0]], [start[1]]],
        "data": {"x": x.tolist(), "y": y.tolist()},
        "extra": {"order": [sample for batch in batches for sample in batch]},
        "loss": loss,
        "params": params,
    }


def cases():
    trajectory = Trajectory()
    for name, (step, rule) in FORMS.items():
        yield trajectory.case(name, Form(step, rule, "", {"losses": LOSSES} if name == "plateau" else {})), rule
    single = [[(7 * s) % 20] for s in range(STEPS)]
    mini = [[(3 * s + i) % 20 for i in range(5)] for s in range(STEPS)]
    for name, batches in {"batch": [list(range(20))] * STEPS, "single_sample": single, "mini_batch": mini}.items():
        yield regression("regression_" + name, batches), "GradientDescent(lr = 0.05)"


def main(talweg, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    count = 0
    for case, rule in cases():
        path = folder / (case["name"] + ".json")
        path.write_text(json.dumps(case), encoding="utf-8")
        for backend in ("interpreter", "cpu"):
            count += 1
            done = replay(talweg, path, rule, backend)
            if done.returncode != 0:
                failures.append(f"{case['name']} on {backend}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    # The coded decay ends in an error where its factor is no longer positive.
    rule = "decay = CompoundDecay(factor = 1 - (t - 1) / 10) | GradientDescent(lr = 0.1 * decay.scale)"
    done = replay(talweg, folder / "coded_decay.json", rule, "cpu")
    if done.returncode == 0 or done.stdout or "`factor`" not in done.stderr or "step 11" not in done.stderr:
        failures.append(f"a factor that is not positive was not refused: exit {done.returncode}\n{done.stderr}")
    print(f"{count - len(failures)} of {count} founding runs agree with NumPy")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
