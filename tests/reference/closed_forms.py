"""Schedules against closed forms and recursions written from their sources, step by step over the points where the
sources differ by one.

closed_forms.py TALWEG FOLDER writes each schedule as a reference case and has `talweg replay` compare the rate (and
for HeavyBall the momentum) of every step. `form(s)` is the rate of the update that s updates went before: PyTorch's
last_epoch, optax's count, HuggingFace's current_step.
"""

import json
import math
import pathlib
import re
import sys

from given_gradients import replay

STEPS = 130
TOLERANCE = 1e-13


# ---- PyTorch ----


def torch_one_cycle(s, peak, total, share, div, final, three, linear, values=None):
    """OneCycleLR: a list of phases with their last steps; `values` gives the momentum's in place of the rate's."""
    start = peak / div
    names = values or {"initial_lr": start, "max_lr": peak, "min_lr": start / final}
    if three:
        phases = [(share * total - 1, "initial_lr", "max_lr"), (2 * share * total - 2, "max_lr", "initial_lr"),
                  (total - 1, "initial_lr", "min_lr")]
    else:
        phases = [(share * total - 1, "initial_lr", "max_lr"), (total - 1, "max_lr", "min_lr")]
    begin = 0
    for i, (end, a, b) in enumerate(phases):
        if s <= end or i == len(phases) - 1:
            q = (s - begin) / (end - begin)
            a, b = names[a], names[b]
            return a + (b - a) * q if linear else b + (a - b) / 2 * (1 + math.cos(math.pi * q))
        begin = end
    raise AssertionError


def torch_one_cycle_momentum(s, high, low, total, share, three, linear):
    names = {"initial_lr": high, "max_lr": low, "min_lr": high}
    return torch_one_cycle(s, 1, total, share, 1, 1, three, linear, names)


def torch_warm_restarts(s, peak, first, growth, end):
    """CosineAnnealingWarmRestarts.step without an argument: T_cur counts up and starts anew at T_i."""
    position, length = 0, first
    for _ in range(s):
        position += 1
        if position >= length:
            position, length = position - length, length * growth
    return end + (peak - end) * (1 + math.cos(math.pi * position / length)) / 2


def torch_cosine(s, peak, half, end):
    """CosineAnnealingLR's recursion, which the closed form must equal."""
    rate = peak
    for k in range(1, s + 1):
        if (k - 1 - half) % (2 * half) == 0:
            rate += (peak - end) * (1 - math.cos(math.pi / half)) / 2
        else:
            rate = (1 + math.cos(math.pi * k / half)) / (1 + math.cos(math.pi * (k - 1) / half)) * (rate - end) + end
    return rate


def torch_cyclic(s, low, high, up, down, mode, gamma=1.0):
    total = up + down
    cycle = math.floor(1 + s / total)
    x = 1 + s / total - cycle
    scale = x / (up / total) if x <= up / total else (x - 1) / (up / total - 1)
    factor = {"triangular": 1, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": gamma**s}[mode]
    return low + (high - low) * scale * factor


def torch_swa(s, lr, swa, start, over, linear):
    q = min(max((s - start) / over, 0), 1)
    alpha = q if linear else (1 - math.cos(math.pi * q)) / 2
    return swa * alpha + lr * (1 - alpha)


def torch_polynomial(s, lr, total, power):
    """PolynomialLR's recursion."""
    rate = lr
    for k in range(1, s + 1):
        if k <= total:
            rate *= ((1 - k / total) / (1 - (k - 1) / total)) ** power
    return rate


# ---- optax ----


def optax_interpolate(s, init, points, linear):
    bounds, values = [0], [init]
    for at, scale in points:
        bounds.append(at)
        values.append(values[-1] * scale)
    for i in range(len(points)):
        if bounds[i] <= s < bounds[i + 1]:
            q = (s - bounds[i]) / (bounds[i + 1] - bounds[i])
            a, b = values[i], values[i + 1]
            return a + (b - a) * q if linear else b + (a - b) / 2 * (math.cos(math.pi * q) + 1)
    return values[-1]


def optax_exponential(s, lr, steps, rate, begin, staircase, end):
    if s - begin <= 0:
        value = lr
    else:
        p = (s - begin) / steps
        value = lr * rate ** (math.floor(p) if staircase else p)
    return value if end is None else (max if rate < 1 else min)(value, end)


def optax_warmup_exponential(s, init, peak, warmup, steps, rate, begin, staircase, end):
    return init + (peak - init) * s / warmup if s < warmup else optax_exponential(
        s - warmup, peak, steps, rate, begin, staircase, end)


def optax_polynomial(s, init, end, power, steps, begin):
    count = min(max(s - begin, 0), steps)
    return (init - end) * (1 - count / steps) ** power + end


def optax_cosine(s, peak, steps, alpha, exponent):
    return peak * ((1 - alpha) * (0.5 * (1 + math.cos(math.pi * min(s, steps) / steps))) ** exponent + alpha)


# ---- HuggingFace ----


def hf_warm(s, warmup):
    return s / max(1, warmup)


def hf_linear(s, warmup, total):
    return hf_warm(s, warmup) if s < warmup else max(0.0, (total - s) / max(1, total - warmup))


def hf_polynomial(s, lr, warmup, total, power, end):
    if s < warmup:
        return lr * hf_warm(s, warmup)
    if s > total:
        return end
    return (lr - end) * (1 - (s - warmup) / (total - warmup)) ** power + end


def hf_inverse_sqrt(s, warmup, timescale):
    return hf_warm(s, warmup) if s < warmup else 1 / math.sqrt((s + timescale - warmup) / timescale)


def hf_cosine(s, warmup, total, cycles, low):
    if s < warmup:
        return hf_warm(s, warmup)
    q = (s - warmup) / max(1, total - warmup)
    return max(0, 0.5 * (1 + math.cos(math.pi * cycles * 2 * q)) * (1 - low) + low)


def hf_cosine_one_based(s, warmup, total, cycles, low, start=None):
    if s < warmup:
        return (s + 1) / max(1, warmup) if start is None else start + (1 - start) * s / max(1, warmup - 1)
    q = (s - warmup + 1) / max(1, total - warmup)
    return max(0, 0.5 * (1 + math.cos(math.pi * cycles * 2 * q)) * (1 - low) + low)


def hf_restarts(s, warmup, total, cycles):
    if s < warmup:
        return hf_warm(s, warmup)
    q = (s - warmup) / max(1, total - warmup)
    return 0.0 if q >= 1 else max(0, 0.5 * (1 + math.cos(math.pi * ((cycles * q) % 1))))


def hf_wsd(s, warmup, stable, decay, low, rise="linear", fall="linear", cycles=0.5):
    if s < warmup:
        q = s / max(1, warmup)
        factor = {"linear": q, "cosine": 0.5 * (1 - math.cos(math.pi * q)), "1-sqrt": 1 - math.sqrt(1 - q)}[rise]
        return factor * (1 - low) + low
    if s < warmup + stable:
        return 1
    if s < warmup + stable + decay:
        q = (s - warmup - stable) / max(1, decay)
        factor = {"linear": 1 - q, "cosine": 0.5 * (1 + math.cos(math.pi * cycles * 2 * q)), "1-sqrt": 1 - math.sqrt(q)}[fall]
        return factor * (1 - low) + low
    return low


# ---- Keras and papers ----


def keras_piecewise(s, boundaries, values):
    for boundary, value in zip(boundaries, values):
        if s <= boundary:
            return value
    return values[-1]


def keras_polynomial(s, lr, steps, end, power, cycle):
    if cycle:
        steps = steps * max(math.ceil(s / steps), 1)
    else:
        s = min(s, steps)
    return (lr - end) * (1 - s / steps) ** power + end


def keras_restarts(s, peak, first, t_mul, m_mul, alpha):
    i, begin, length = 0, 0, first
    while s >= begin + length:
        begin, length, i = begin + length, length * t_mul, i + 1
    return peak * ((1 - alpha) * 0.5 * m_mul**i * (1 + math.cos(math.pi * (s - begin) / length)) + alpha)


def rex(s, lr, total, end):
    q = min(s / total, 1)
    return end + (lr - end) * (1 - q) / (0.5 + 0.5 * (1 - q))


def demon(s, start, total):
    q = max(0.0, 1 - s / total)
    return start * q / ((1 - start) + start * q)


def half_life(k, start=0.9, end=0.9999, steps=100):
    f = lambda beta: math.log(0.5) / math.log(beta + 1e-8) - 1
    return 0.5 ** (1 / ((1 - k / steps) * f(start) + k / steps * f(end) + 1)) if k < steps else end


def one_cycle(peak, total, share, div, final, three, linear, high=0.95, low=0.85):
    word = lambda value: "true" if value else "false"
    flags = f"share = {share}, three_phase = {word(three)}, linear = {word(linear)}"
    return (lambda s: torch_one_cycle(min(s, total - 1), peak, total, share, div, final, three, linear),
            f"one_cycle(t, {peak}, total = {total}, div = {div}, final_div = {final}, {flags})",
            lambda s: torch_one_cycle_momentum(min(s, total - 1), high, low, total, share, three, linear),
            f"one_cycle_momentum(t, {high}, {low}, total = {total}, {flags})")


# name: (form, expression[, form of the momentum, its expression])
SCHEDULES = {
    "torch_step": (lambda s: 0.1 * 0.3 ** (s // 30), "step_decay(t, 0.1, every = 30, gamma = 0.3)"),
    "torch_multistep": (lambda s: 0.1 * 0.3 ** sum(s >= m for m in (0, 20, 21, 21, 90)),
                        "multistep_decay(t, 0.1, milestones = [0, 20, 21, 21, 90], gamma = 0.3)"),
    "torch_constant": (lambda s: 0.1 / 3 if s < 5 else 0.1, "constant_factor(t, 0.1, over = 5)"),
    "torch_linear": (lambda s: 0.1 * (0.25 + 0.5 * min(s, 40) / 40), "linear_factor(t, 0.1, over = 40, start = 0.25, end = 0.75)"),
    "torch_linear_no_span": (lambda s: 0.1 * (0.25 if s < 1 else 0.75), "linear_factor(t, 0.1, over = 0, start = 0.25, end = 0.75)"),
    "torch_exponential": (lambda s: 0.1 * 0.97**s, "exponential_decay(t, 0.1, gamma = 0.97)"),
    "torch_polynomial": (lambda s: torch_polynomial(s, 0.1, 100, 2), "polynomial_decay(t, 0.1, over = 100, power = 2)"),
    "torch_cosine": (lambda s: torch_cosine(s, 0.1, 50, 0.001), "cosine_annealing(t, 0.1, half_period = 50, end = 0.001)"),
    "torch_warm_restarts": (lambda s: torch_warm_restarts(s, 0.1, 10, 2, 0.01), "cosine_restarts(t, 0.1, first = 10, growth = 2, end = 0.01)"),
    "torch_warm_restarts_3": (lambda s: torch_warm_restarts(s, 0.1, 1, 3, 0), "cosine_restarts(t, 0.1, first = 1, growth = 3)"),
    "torch_warm_restarts_even": (lambda s: torch_warm_restarts(s, 0.1, 13, 1, 0.01), "cosine_restarts(t, 0.1, first = 13, end = 0.01)"),
    "torch_cyclic": (lambda s: torch_cyclic(s, 0.01, 0.1, 16, 16, "triangular"), "cyclic(t, 0.01, 0.1, up = 16)",
                     lambda s: torch_cyclic(s, 0.9, 0.8, 16, 16, "triangular"), "cyclic(t, 0.9, 0.8, up = 16)"),
    "torch_cyclic_uneven": (lambda s: torch_cyclic(s, 0.01, 0.1, 8, 24, "triangular"), "cyclic(t, 0.01, 0.1, up = 8, down = 24)"),
    "torch_triangular2": (lambda s: torch_cyclic(s, 0.01, 0.1, 16, 16, "triangular2"), "cyclic_halving(t, 0.01, 0.1, up = 16)"),
    "torch_exp_range": (lambda s: torch_cyclic(s, 0.01, 0.1, 16, 16, "exp_range", 0.99), "cyclic_exponential(t, 0.01, 0.1, up = 16, gamma = 0.99)"),
    "torch_one_cycle": one_cycle(0.5, 120, 0.3, 25, 1e4, False, False),
    "torch_one_cycle_linear": one_cycle(0.5, 120, 0.25, 10, 100, False, True),
    "torch_one_cycle_three": one_cycle(0.5, 120, 0.3, 25, 1e4, True, False),
    "torch_one_cycle_three_linear": one_cycle(0.5, 110, 0.4, 10, 100, True, True),
    "torch_swa": (lambda s: torch_swa(s, 0.1, 0.02, 60, 10, False), "swa_rate(t, 0.1, 0.02, start = 60, over = 10)"),
    "torch_swa_linear": (lambda s: torch_swa(s, 0.1, 0.02, 60, 10, True), "swa_rate(t, 0.1, 0.02, start = 60, over = 10, linear = true)"),
    "torch_sequential": (lambda s: 0.1 * (0.1 + 0.9 * s / 20) if s < 20 else torch_cosine(s - 20, 0.1, 100, 0),
                         "if t - 1 < 20 then linear_factor(t, 0.1, over = 20, start = 0.1) else cosine_annealing(t - 20, 0.1, half_period = 100)"),
    "torch_chained": (lambda s: (0.1 / 3 if s < 5 else 0.1) * 0.97**s, "constant_factor(t, 0.1, over = 5) * 0.97 ^ (t - 1)"),
    "optax_linear": (lambda s: optax_polynomial(s, 0.1, 0.01, 1, 80, 10), "linear_decay(t, 0.1, over = 80, end = 0.01, begin = 10)"),
    "optax_polynomial": (lambda s: optax_polynomial(s, 0.1, 0.01, 3, 80, 10), "polynomial_decay(t, 0.1, over = 80, power = 3, end = 0.01, begin = 10)"),
    "optax_exponential": (lambda s: optax_exponential(s, 0.1, 20, 0.5, 15, False, None), "exponential_decay(t, 0.1, gamma = 0.5, every = 20, begin = 15)"),
    "optax_exponential_staircase": (lambda s: optax_exponential(s, 0.1, 20, 0.5, 15, True, 0.01),
                                    "exponential_decay(t, 0.1, gamma = 0.5, every = 20, begin = 15, staircase = true, end = 0.01)"),
    "optax_exponential_growing": (lambda s: optax_exponential(s, 0.1, 20, 1.5, 0, False, 0.7), "exponential_decay(t, 0.1, gamma = 1.5, every = 20, end = 0.7)"),
    "optax_exponential_growing_on": (lambda s: optax_exponential(s, 0.1, 20, 1.5, 0, False, None), "exponential_decay(t, 0.1, gamma = 1.5, every = 20)"),
    "optax_piecewise": (lambda s: 0.1 * (0.5 if s >= 30 else 1) * (0.1 if s >= 90 else 1), "0.1 * drop(t, 30, 0.5) * drop(t, 90, 0.1)"),
    "optax_interpolate": (lambda s: optax_interpolate(s, 0.1, [(30, 2), (90, 0.1)], True), "0.1 * glide(t, 0, 30, 2) * glide(t, 30, 90, 0.1)"),
    "optax_interpolate_cosine": (lambda s: optax_interpolate(s, 0.1, [(30, 2), (90, 0.1)], False),
                                 "0.1 * glide(t, 0, 30, 2, linear = false) * glide(t, 30, 90, 0.1, linear = false)"),
    "optax_cosine": (lambda s: optax_cosine(s, 0.1, 100, 0.05, 1), "cosine(t, 0.1, total = 100, end = 0.005)"),
    "optax_cosine_power": (lambda s: optax_cosine(s, 0.1, 100, 0.05, 1.5), "cosine(t, 0.1, total = 100, end = 0.005, power = 1.5)"),
    "optax_warmup_constant": (lambda s: 0.02 + 0.08 * min(s, 30) / 30, "warmup_constant(t, 0.1, warmup = 30, start = 0.02)"),
    "optax_warmup_cosine": (lambda s: 0.01 + 0.09 * s / 30 if s < 30 else optax_cosine(s - 30, 0.1, 70, 0.1, 1),
                            "warmup_cosine(t, 0.1, warmup = 30, total = 100, start = 0.01, end = 0.01)"),
    "optax_warmup_cosine_all_warmup": (lambda s: 0.1 * s / 30 if s < 30 else 0.1 if s == 30 else 0.01,
                                       "warmup_cosine(t, 0.1, warmup = 30, total = 30, end = 0.01)"),
    "optax_warmup_exponential": (lambda s: optax_warmup_exponential(s, 0.01, 0.1, 20, 10, 0.5, 15, True, 0.01),
                                 "warmup_exponential(t, 0.1, warmup = 20, gamma = 0.5, every = 10, begin = 15, staircase = true, start = 0.01, end = 0.01)"),
    "optax_one_cycle_cosine": (lambda s: optax_interpolate(s, 0.5 / 25, [(36, 25), (120, 1 / (25 * 1e4))], False), "one_cycle_cosine(t, 0.5, total = 120)"),
    "optax_one_cycle_linear": (lambda s: optax_interpolate(s, 0.5 / 25, [(36, 25), (102, 1 / 25), (120, 1 / 1e4)], True), "one_cycle_linear(t, 0.5, total = 120)"),
    "hf_constant": (lambda s: 0.1 * min(hf_warm(s, 30), 1), "linear_warmup(t, 0.1, warmup = 30)"),
    "hf_linear": (lambda s: 0.1 * hf_linear(s, 30, 100), "warmup_linear(t, 0.1, warmup = 30, total = 100)"),
    "hf_linear_cold": (lambda s: 0.1 * hf_linear(s, 0, 100), "warmup_linear(t, 0.1, warmup = 0, total = 100)"),
    "hf_polynomial": (lambda s: hf_polynomial(s, 0.1, 30, 100, 2, 1e-4), "warmup_polynomial(t, 0.1, warmup = 30, total = 100, power = 2, end = 1e-4)"),
    "hf_inverse_sqrt": (lambda s: 0.1 * hf_inverse_sqrt(s, 30, 30), "warmup_inverse_sqrt(t, 0.1, warmup = 30)"),
    "hf_inverse_sqrt_timescale": (lambda s: 0.1 * hf_inverse_sqrt(s, 0, 10000), "warmup_inverse_sqrt(t, 0.1, warmup = 0, timescale = 10_000)"),
    "hf_cosine": (lambda s: 0.1 * hf_cosine(s, 30, 100, 0.5, 0), "warmup_cosine_waves(t, 0.1, warmup = 30, total = 100)"),
    "hf_cosine_waves": (lambda s: 0.1 * hf_cosine(s, 30, 100, 1.75, 0.1), "warmup_cosine_waves(t, 0.1, warmup = 30, total = 100, cycles = 1.75, end_ratio = 0.1)"),
    "hf_cosine_one_based": (lambda s: 0.1 * hf_cosine_one_based(s, 30, 100, 0.5, 0.1), "warmup_cosine_waves_one_based(t, 0.1, warmup = 30, total = 100, end_ratio = 0.1)"),
    "hf_cosine_one_based_start": (lambda s: 0.1 * hf_cosine_one_based(s, 30, 100, 0.5, 0.1, 0.2),
                                  "warmup_cosine_waves_one_based(t, 0.1, warmup = 30, total = 100, end_ratio = 0.1, start_ratio = 0.2)"),
    "hf_restarts": (lambda s: 0.1 * hf_restarts(s, 30, 100, 4), "warmup_cosine_restarts(t, 0.1, warmup = 30, total = 100, cycles = 4)"),
    **{f"hf_wsd_{rise}_{fall}": (lambda s, rise=rise, fall=fall: 0.1 * hf_wsd(s, 20, 50, 40, 0.1, rise, fall),
                                 f"wsd_{name}(t, 0.1, warmup = 20, stable = 50, decay = 40, end_ratio = 0.1, start_ratio = 0.1, shape = {shape})")
       for shape, rise in enumerate(("linear", "cosine", "1-sqrt"))
       for fall, name in (("linear", "linear"), ("cosine", "cosine"), ("1-sqrt", "sqrt"))},
    "hf_wsd_waves": (lambda s: 0.1 * hf_wsd(s, 20, 50, 40, 0, fall="cosine", cycles=1.5), "wsd_cosine(t, 0.1, warmup = 20, stable = 50, decay = 40, cycles = 1.5)"),
    "keras_piecewise": (lambda s: keras_piecewise(s, [30, 90], [0.1, 0.05, 0.01]), "0.1 * drop(t, 30 + 1, 0.5) * drop(t, 90 + 1, 0.2)"),
    "keras_polynomial": (lambda s: keras_polynomial(s, 0.1, 100, 0.01, 2, False), "polynomial_decay(t, 0.1, over = 100, power = 2, end = 0.01)"),
    "keras_polynomial_cycle": (lambda s: keras_polynomial(s, 0.1, 40, 0.01, 2, True), "polynomial_cycles(t, 0.1, over = 40, power = 2, end = 0.01)"),
    "keras_inverse_time": (lambda s: 0.1 / (1 + 0.5 * math.floor(s / 20)), "inverse_time_decay(t, 0.1, rate = 0.5, every = 20, staircase = true)"),
    "keras_restarts": (lambda s: keras_restarts(s, 0.1, 10, 2, 0.7, 0), "cosine_restarts(t, 0.1, first = 10, growth = 2, height = 0.7)"),
    "keras_restarts_even": (lambda s: keras_restarts(s, 0.1, 10, 1, 0.7, 0.1), "cosine_restarts(t, 0.1, first = 10, height = 0.7, end = 0.01)"),
    "noam": (lambda s: 512**-0.5 * min((s + 1) ** -0.5, (s + 1) * 40**-1.5), "noam_one_based(t, width = 512, warmup = 40)"),
    "warmup_one_based": (lambda s: 0.1 * min(1, (s + 1) / 30), "linear_warmup_one_based(t, 0.1, warmup = 30)"),
    "batch_decay": (lambda s: 0.1 / (1 + s / 7), "batch_decay(t, 0.1, warmup_batch = 7)"),
    "rsqrt": (lambda s: 0.1 / math.sqrt(s + 2), "rsqrt_decay(t, 0.1, delta = 2)"),
    "rex": (lambda s: rex(s, 0.1, 100, 0.01), "rex(t, 0.1, total = 100, end = 0.01)"),
    "demon": (lambda s: demon(s, 0.9, 100), "demon(t, 0.9, total = 100)"),
    "growing_beta": (lambda s: 1 - (s + 1) ** -0.8, "growing_beta_one_based(t)"),
    "ademamix_beta": (lambda s: half_life(s + 1), "warmed_beta(t, 0.9999, 0.9, 100)"),
}


# ---- Plateaus ----

# Losses that fall, stall at the thresholds, rise and fall again.
LOSSES = [2.0 + math.cos(s / 9) + 0.3 * math.sin(2.3 * s) for s in range(STEPS)]


def torch_plateau(losses, lr, factor, patience, threshold, mode="min", relative=True, cooldown=0, min_lr=0.0, eps=1e-8):
    """ReduceLROnPlateau.step after every loss; the rate at last."""
    best, bad, resting = math.inf if mode == "min" else -math.inf, 0, 0
    for loss in losses:
        margin = abs(best) * threshold if relative and math.isfinite(best) else threshold
        better = loss < best - margin if mode == "min" else loss > best + margin
        best, bad = (loss, 0) if better else (best, bad + 1)
        if resting > 0:
            resting, bad = resting - 1, 0
        if bad > patience:
            lower = max(lr * factor, min_lr)
            lr = lower if lr - lower > eps else lr
            resting, bad = cooldown, 0
    return lr


def optax_plateau(losses, lr, factor, patience, rtol, atol=0.0, cooldown=0, size=1, min_scale=0.0):
    """optax.contrib.reduce_on_plateau over means of `size` losses; the rate of the step of the last of them."""
    best, bad, resting, scale = math.inf, 0, 0, 1.0
    for end in range(size, len(losses) + 1, size):
        mean = sum(losses[end - size:end]) / size
        better = mean < (1 - rtol) * best - atol
        best = mean if better else best
        count = 0 if better else bad + 1
        if resting > 0:
            bad, resting = 0, resting - 1
        elif count == patience:
            bad, resting, scale = 0, cooldown, max(scale * factor, min_scale)
        else:
            bad = count
    return lr * scale


def plateau(expression, form, after=True):
    """`after`: the loss of a step changes the rate of the next."""
    return (lambda s: form(LOSSES[:s] if after else LOSSES[:s + 1]), "0.1 * plateau.scale", expression)


# eps is a share of the rate here, a rate in PyTorch.
PLATEAUS = {
    "torch_relative": plateau("ReduceOnPlateau(factor = 0.5, patience = 3, threshold = 0.05, eps = 1e-7)",
                              lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.05)),
    "torch_absolute": plateau("ReduceOnPlateau(factor = 0.5, patience = 3, threshold = 0.3, threshold_mode = absolute, eps = 1e-7)",
                              lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.3, relative=False)),
    "torch_highest": plateau("ReduceOnPlateau(factor = 0.5, patience = 3, threshold = 0.05, goal = highest, eps = 1e-7)",
                             lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.05, mode="max")),
    "torch_highest_absolute": plateau("ReduceOnPlateau(factor = 0.5, patience = 3, threshold = 0.3, threshold_mode = absolute, goal = highest, eps = 1e-7)",
                                      lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.3, mode="max", relative=False)),
    "torch_cooldown": plateau("ReduceOnPlateau(factor = 0.5, patience = 3, threshold = 0.05, cooldown = 7, eps = 1e-7)",
                              lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.05, cooldown=7)),
    "torch_min_lr": plateau("ReduceOnPlateau(factor = 0.5, patience = 1, threshold = 0.05, min_scale = 0.2, eps = 1e-7)",
                            lambda l: torch_plateau(l, 0.1, 0.5, 1, 0.05, min_lr=0.02)),
    "torch_eps": plateau("ReduceOnPlateau(factor = 0.5, patience = 1, threshold = 0.05, eps = 0.1)",
                         lambda l: torch_plateau(l, 0.1, 0.5, 1, 0.05, eps=0.01)),
    "torch_training_loss": plateau("ReduceOnPlateau(watch = training, factor = 0.5, patience = 3, threshold = 0.05, eps = 1e-7)",
                                   lambda l: torch_plateau(l, 0.1, 0.5, 3, 0.05), after=False),
    "optax": plateau("ReduceOnPlateauOptax(watch = training, factor = 0.5, patience = 3, rtol = 0.05)",
                     lambda l: optax_plateau(l, 0.1, 0.5, 3, 0.05), after=False),
    "optax_atol": plateau("ReduceOnPlateauOptax(watch = training, factor = 0.5, patience = 3, rtol = 0.01, atol = 0.2, cooldown = 4)",
                          lambda l: optax_plateau(l, 0.1, 0.5, 3, 0.01, 0.2, 4), after=False),
    "optax_accumulation": plateau("ReduceOnPlateauOptax(watch = training, factor = 0.5, patience = 2, rtol = 0.01, accumulation = 5, min_scale = 0.2)",
                                  lambda l: optax_plateau(l, 0.1, 0.5, 2, 0.01, size=5, min_scale=0.2), after=False),
}


def uncovered(stdlib, expressions):
    """Schedules of the library that no expression here and no reference case names."""
    table = (stdlib.parent / "compiler" / "cli" / "replay_table.cpp").read_text(encoding="utf-8")
    source = (stdlib / "schedules.tw").read_text(encoding="utf-8")
    return [name for name in re.findall(r"^fn (\w+)\(t,", source, re.MULTILINE)
            if not any(name + "(" in text for text in [*expressions, table]) and source.count(name + "(") < 2]


def case_of(name, entry):
    """The reference case of an entry and the rule that must be it."""
    form, rate, *momentum = entry
    case = {"name": name, "family": name, "hyper": {}, "tol": {"float64": TOLERANCE},
            "values": [form(s) for s in range(STEPS)], "extra": {}}
    if not momentum:
        return case, f"GradientDescent(lr = {rate})"
    if isinstance(momentum[0], str):
        case["extra"]["losses"] = LOSSES
        return case, f"plateau = {momentum[0]} | GradientDescent(lr = {rate})"
    case["extra"]["momentum"] = [momentum[0](s) for s in range(STEPS)]
    return case, f"HeavyBall(lr = {rate}, momentum = {momentum[1]})"


def main(talweg, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    entries = {**SCHEDULES, **{"plateau_" + name: entry for name, entry in PLATEAUS.items()}}
    for name, entry in entries.items():
        case, rule = case_of(name, entry)
        if len(set(case["values"])) < 2:
            failures.append(f"{name} is constant")
        path = folder / (name + ".json")
        path.write_text(json.dumps(case), encoding="utf-8")
        done = replay(talweg, path, rule, "interpreter")
        if done.returncode != 0:
            failures.append(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    missing = uncovered(pathlib.Path(__file__).resolve().parents[2] / "stdlib", [entry[1] for entry in SCHEDULES.values()])
    if missing:
        failures.append(f"schedules without a test: {missing}")
    print(f"{len(entries)} schedules over {STEPS} steps, {len(failures)} failures")
    for text in failures:
        print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
