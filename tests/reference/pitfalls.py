"""Where well-known libraries went wrong or disagree: a named test for each that could happen in this library.

pitfalls.py TALWEG FOLDER; see given_gradients.py for the forms. The second half changes every hyper and switch of
every rule, one at a time, and asks for a different result: a hyper that some path ignores is the most common bug of
all.
"""

import json
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import formulas_adaptive as adaptive
import formulas_found_rates as found
import formulas_matrices as matrices
import formulas_momentum as momentum
import formulas_reductions as reductions
from formulas_momentum import fixed
from given_gradients import compare, Form, np, STEPS, Trajectory
from whole_model import Whole, with_faults, with_zeros

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
from make_stdlib import declarations, hypers  # noqa: E402


def taken(module, **names):
    """Forms of a module under the names of pitfalls."""
    return {pitfall: module.FORMS[name] for pitfall, name in names.items()}


def defaults(function, rule, **settings):
    """A rule without arguments against PyTorch's signature."""
    return Form(fixed(function, **settings), rule)


def papers_adan(theta, g, s, m, lr=0.01, b1=0.02, b2=0.08, b3=0.01, eps=1e-3):
    """Adan as the paper prints it: its betas weigh the new value."""
    k, d = s + 1, g - m.get("g", g)
    m["g"] = g
    m["m"] = (1 - b1) * m.get("m", 0) + b1 * g
    m["v"] = (1 - b2) * m.get("v", 0) + b2 * d
    m["n"] = (1 - b3) * m.get("n", 0) + b3 * (g + (1 - b2) * d) ** 2
    c1, c2, c3 = (1 - (1 - b) ** k for b in (b1, b2, b3))
    return theta - lr * (m["m"] / c1 + (1 - b2) * m["v"] / c2) / (np.sqrt(m["n"] / c3) + eps)


def radam_at_threshold(k=6, b2=0.75):
    """rho of step k, to the last bit: every power and difference in it is exact."""
    return 2 / (1 - b2) - 1 - 2 * k * b2**k / (1 - b2**k)


def scheduled_adamw(theta, g, s, m):
    return adaptive.adam(theta, g, s, m, lr=0.01 + 0.005 * s, decoupled=True)


def lion_from_zero(theta, g, s, m):
    """The sign of the first step is the gradient's, and m afterwards (1 - beta2) g, not (1 - beta1) g."""
    c = 0.9 * m.get("m", np.zeros_like(g)) + 0.1 * g
    m["m"] = 0.5 * m.get("m", np.zeros_like(g)) + 0.5 * g
    return theta - 0.01 * np.sign(c)


AT = radam_at_threshold()
NEAR = "lr = 0.01, beta2 = 0.75, eps = 1e-3, weight_decay = 0.1"

FORMS = {
    # Where eps stands.
    **taken(adaptive, adam_eps_is_outside_the_corrected_root="adam_l2", adam_eps_hat_is_outside_the_raw_root="adam_raw",
            adam_eps_inside_the_root="adam_inside", adam_eps_root_is_beside_eps="adam_eps_root",
            adamax_eps_is_under_the_maximum="adamax", adamax_eps_in_the_divisor="adamax_keras",
            adabelief_eps_is_stored_and_added_again="adabelief", adagrad_eps_outside_from_zero="adagrad_torch",
            adagrad_eps_inside_from_a_tenth="adagrad_keras"),
    # Maxima, thresholds and products.
    **taken(adaptive, amsgrad_maximum_of_the_raw_v="amsgrad_torch", amsgrad_maximum_of_the_corrected_v="amsgrad_optax",
            amsgrad_keras_adds_eps_to_the_raw_root="amsgrad_keras", nadam_running_product_of_mu="nadam",
            nadam_keras_has_no_004="nadam_keras", nadam_power_of_beta1="nadamw", radam_paper_rectifies_above_4="radam_paper"),
    "radam_torch_rectifies_above_the_threshold_only": Form(
        fixed(adaptive.radam, b2=0.75, threshold=AT), f"RAdam({NEAR}, threshold = {AT!r})"),
    "radam_optax_rectifies_at_the_threshold": Form(
        fixed(adaptive.radam, b2=0.75, threshold=AT, form="optax"), f"RAdam({NEAR}, threshold = {AT!r}, variant = optax)"),
    # RMSprop.
    **taken(adaptive, rmsprop_eps_inside="rmsprop_inside", rmsprop_tensorflow_starts_at_one_lr_in_the_buffer="rmsprop_tensorflow",
            rmsprop_lr_outside_the_buffer="rmsprop_momentum"),
    # Momentum.
    **taken(momentum, sgd_first_velocity_is_the_gradient_undampened="sgd_dampening", sgd_first_velocity_dampened="sgd_first_damped",
            momentum_as_an_average="average", momentum_lr_inside_the_buffer="heavy_ball_lr_inside",
            nesterov_of_a_sum="sgd_nesterov", nesterov_lr_inside_the_buffer="nesterov_lr_inside", nesterov_of_an_average="average_nesterov"),
    # Decay.
    **taken(adaptive, adamw_decay_times_lr_before_the_step="adamw_before", adamw_decay_of_the_paper_is_not_times_lr="adamw_paper",
            adamw_decay_after_the_step="adamw_after", laprop_decay_is_not_times_lr="laprop", laprop_decay_times_lr="laprop_by_lr",
            madgrad_decay_of_the_old_point="madgrad_decoupled"),
    # Orders, first steps, conventions.
    "adan_betas_are_one_minus_the_papers": Form(papers_adan, "Adan(lr = 0.01, eps = 1e-3)"),
    "lion_updates_its_average_after_use_by_beta2": Form(lion_from_zero, "Lion(lr = 0.01, beta2 = 0.5)", "m"),
    **taken(momentum, schedule_free_weights_by_the_largest_lr_squared="schedule_free_sgd", asgd_copies_until_it_averages="asgd",
            optimistic_first_step_without_a_last_gradient="optimistic"),
    **taken(adaptive, schedule_free_radam_sums_nothing_while_silent="schedule_free_radam", adopt_first_step_only_sets_v="adopt",
            adopt_clip_counts_from_zero="adopt", adopt_clip_counts_from_one="adopt_from_one", yogi_starts_both_moments="yogi"),
    # A state that is not written back in one implementation of several.
    **{f"amsgrad_maximum_is_written_back_{form}": Form(
        fixed(adaptive.amsgrad, form=form), adaptive.rule("AMSGrad", adaptive.NEAR, variant=form), "top=v_max m v")
       for form in ("torch", "optax", "paper", "keras")},
    "adabound_maximum_is_written_back": Form(
        fixed(adaptive.adabound, ams=True), adaptive.rule("AdaBound", adaptive.NEAR, gamma=0.05, amsbound="true"), "top=v_max"),
    "padam_maximum_is_written_back": Form(
        fixed(adaptive.padam, ams=True), adaptive.rule("PAdam", adaptive.NEAR, amsgrad="true"), "top=v_max"),
    # A rate that was frozen at its first value.
    "rate_is_read_every_step": Form(scheduled_adamw, "AdamW(beta2 = 0.99, eps = 1e-3, weight_decay = 0.1)",
                                    extra={"lr": [0.01 + 0.005 * s for s in range(STEPS)]}),
    # Defaults are PyTorch's where it has the rule.
    "default_sgd": Form(momentum.torch_sgd(lr=1e-3), "SGD"),
    "default_adam": defaults(adaptive.adam, "Adam", lr=1e-3, b2=0.999, eps=1e-8, wd=0.0),
    "default_adamw": defaults(adaptive.adam, "AdamW", lr=1e-3, b2=0.999, eps=1e-8, wd=0.01, decoupled=True),
    "default_amsgrad": defaults(adaptive.amsgrad, "AMSGrad", lr=1e-3, b2=0.999, eps=1e-8, wd=0.0),
    "default_adamax": defaults(adaptive.adamax, "Adamax", lr=2e-3, b2=0.999, eps=1e-8, wd=0.0),
    "default_nadam": defaults(adaptive.nadam, "NAdam", lr=2e-3, b2=0.999, eps=1e-8),
    "default_radam": defaults(adaptive.radam, "RAdam", lr=1e-3, b2=0.999, eps=1e-8, wd=0.0),
    "default_adagrad": defaults(adaptive.adagrad, "Adagrad", lr=1e-2, eps=1e-10, initial=0.0, inside=False),
    "default_adadelta": defaults(adaptive.adadelta, "Adadelta", lr=1.0, eps=1e-6, wd=0.0),
    "default_rmsprop": defaults(adaptive.rmsprop, "RMSprop", lr=1e-2, rho=0.99, eps=1e-8),
    "default_rprop": defaults(momentum.rprop, "Rprop", lr=1e-2, high=50.0),
    "default_asgd": defaults(momentum.asgd, "ASGD", lr=1e-2, lambd=1e-4, t0=1e6, wd=0.0),
}


class Constant(Trajectory):
    """The same gradient in every step, so that the mean square is the square of the mean up to rounding."""

    def __init__(self):
        super().__init__(zeros=False)
        self.gradients = [self.gradients[0]] * STEPS


CENTERED = {
    # Where rounding makes the variance negative, PyTorch gives NaN; here the step is at most lr * g / eps.
    "rmsprop_centered_variance_is_not_negative": Form(
        fixed(adaptive.rmsprop, rho=0.1, centered=True, eps=10.0), "RMSprop(lr = 0.01, rho = 0.1, centered = true, eps = 10)",
        tolerance=1e-6),
}

# With norms and other sums over tensors or the model.
NORMS = {
    **taken(reductions, clip_of_the_model_is_exact="clip_model", clip_of_the_model_with_pytorchs_eps="clip_model_torch",
            lars_norms_of_gradient_and_decay_apart="lars", lars_norm_of_the_decayed_gradient="lars_whole",
            lars_rate_outside_the_velocity="lars_torch", lars_ratio_only_with_decay="lars_plain",
            lamb_norms_have_no_limit="lamb", lamb_norm_is_limited_and_moments_uncorrected="lamb_uncorrected",
            lamb_ratio_only_with_decay="lamb_plain", lamb_after_one_norm_of_the_model="lamb_nvidia",
            novograd_starts_at_the_first_norm="novograd", novograd_starts_at_zero="novograd_zero",
            cautious_divides_by_the_mean_with_a_floor="cautious_mean", cautious_of_the_paper="cautious_plus_one",
            cautious_without_rescaling="cautious_none", mars_matrices_have_two_dimensions="mars",
            stable_adamw_decay_by_the_lowered_rate="stable_adamw", avagrad_rates_are_those_of_the_step_before="avagrad"),
    "lamb_after_the_clip_of_the_model": Form(
        reductions.before(reductions.clip_model, reductions.lamb), f"ClipByGlobalNorm(1.5) | LAMB({reductions.LAMB_})", "m v"),
    **taken(found, dadapt_lion_keeps_its_numerator="dadapt_lion", dadapt_lion_as_coded_forgets_it="dadapt_lion_as_coded",
            prodigy_new_d_in_eps_only="prodigy"),
}
# A norm that is not finite leaves every parameter and state as it is, and the step is not counted.
FAULTS = {pitfall: reductions.BAD_FORMS[name] for pitfall, name in {
    "clip_of_a_norm_that_is_not_finite_skips": "clip_skips", "clip_with_eps_of_a_norm_that_is_not_finite_skips": "clip_skips_torch",
    "clip_of_tensors_skips_the_whole_step": "clip_tensors_skips", "skipped_steps_are_counted_but_are_no_steps": "finite_only"}.items()}
ZEROS = {
    **{pitfall: reductions.ZERO_FORMS[name] for pitfall, name in {
        "lamb_of_no_update_divides_by_nothing": "lamb_zero", "lars_of_no_gradient_divides_by_nothing": "lars_zero",
        "adam_with_an_inverse_length_of_0_stays": "adam_inverse_zero"}.items()},
    "prodigy_skips_until_there_is_a_gradient": found.ZERO_FORMS["prodigy_safeguard_zero"],
    "dadapt_skips_until_there_is_a_gradient": found.ZERO_FORMS["dadapt_adam_decoupled_zero"],
}

# With values of rows and columns.
MATRICES = {
    **taken(matrices, adafactor_eps1_is_added_to_the_square="adafactor_eps1", adafactor_torch_eps1_is_a_floor="adafactor_torch_floor",
            adafactor_optax_eps_is_added_to_the_square="adafactor_optax_rates",
            adafactor_factors_the_last_two_dimensions="adafactor", adafactor_optax_factors_the_two_largest="adafactor_optax",
            adafactor_optax_factors_no_small_dimension="adafactor_optax_some",
            adafactor_divides_by_the_excess_only="adafactor_clip_high", adafactor_divides_by_the_excess="adafactor_clip_low",
            adafactor_decay_by_the_rate_of_the_tensor="adafactor_decay", adafactor_optax_decay_is_not_times_lr="adafactor_optax_momentum",
            adafactor_torch_decay_by_lr="adafactor_torch_rates", adafactor_momentum_of_the_scaled_step="adafactor_momentum",
            came_measures_the_stray_from_the_new_momentum="came_rates", came_divides_by_the_excess="came_clip",
            agc_units_are_all_dimensions_but_the_first="agc", agc_units_of_transposed_weights="agc_columns",
            centralize_leaves_vectors_alone="centralize", adamp_rows_before_the_whole_tensor="adamp_1.5",
            sgdp_decay_over_one_minus_momentum="sgdp_1.5"),
    "default_adafactor": matrices.FORMS["adafactor"],
    "default_adafactor_torch": matrices.FORMS["adafactor_torch"],
    "default_adafactor_optax": defaults(matrices.adafactor_optax, "AdafactorOptax"),
    "default_came": matrices.FORMS["came"],
}


# ---- No hyper and no switch is ignored ----

# What makes the hypers of a rule matter: settings for all of them, and for one ("rule.hyper").
SETTINGS = {
    "SGD": "momentum = 0.9", "SGD.first": "momentum = 0.9, dampening = 0.5", "SGD.decoupled": "momentum = 0.9, weight_decay = 0.1",
    "SGDW": "momentum = 0.9", "RMSprop": "momentum = 0.5", "RMSprop.decoupled": "momentum = 0.5, weight_decay = 0.1",
    "HeavyBall.lr_inside": "lr = 1e-3 * t", "Nesterov.lr_inside": "lr = 1e-3 * t", "QHM.decoupled": "weight_decay = 0.1",
    "NAdam.decoupled": "weight_decay = 0.1", "Adamax.decoupled": "weight_decay = 0.1", "AMSGrad.decoupled": "weight_decay = 0.1",
    "RAdam.decoupled": "weight_decay = 0.1", "Yogi.decoupled": "weight_decay = 0.1", "AdaBelief.decoupled": "weight_decay = 0.1",
    "AdaBelief.degenerate": "rectify = true", "ADOPT.decoupled": "weight_decay = 0.1", "LaProp.decay": "weight_decay = 0.1",
    "QHAdam": "nu1 = 0.7, nu2 = 0.7", "QHAdam.decoupled": "weight_decay = 0.1", "AdaBound.decoupled": "weight_decay = 0.1",
    "AdaBound.amsbound": "beta2 = 0.5, gamma = 1e-6", "AdaBound.eps": "gamma = 1e-6", "AdaBound.beta2": "gamma = 1e-6",
    "AdaBound.lr": "gamma = 1e-6", "AdaBound.final_lr": "gamma = 10", "AdaBound.gamma": "gamma = 10",
    "PAdam.decoupled": "weight_decay = 0.1", "PAdam.amsgrad": "beta2 = 0.5", "DiffGrad.decoupled": "weight_decay = 0.1",
    "Adan.decay": "weight_decay = 0.1", "AMSGrad": "beta2 = 0.5", "MADGRAD.decay": "weight_decay = 0.1", "AdamW.decay_point": "weight_decay = 0.5",
    "AdamC": "lr = 1e-3 / t", "AdamC.lr": "", "FTRL": "l1 = 0.1, l2 = 0.1, beta = 0.1", "FTRL.l1": "l1 = 10",
    "ASGD": "start = 3", "DemonSGD.total": "total = 10", "DemonSGD": "total = 30", "DemonAdam": "total = 30", "DemonAdam.total": "total = 10",
    "SimplifiedAdEMAMix": "beta1_warmup = 10", "AdEMAMix": "alpha_warmup = 10, beta3_warmup = 10",
    "ScheduleFreeAdamW": "warmup = 10", "ScheduleFreeSGD": "warmup = 10, lr = 1e-3", "ScheduleFreeRAdam": "beta2 = 0.9",
    "RMSprop.eps_place": "eps = 0.1", "PID.first": "dampening = 0.5", "ADOPT": "lr = 0.1", "ADOPT.eps": "eps = 100, lr = 0.1",
    "Lion": "lr = 0.5", "Signum": "lr = 0.5", "Tiger": "lr = 0.5", "ADOPT.clip_power": "lr = 1", "ADOPT.clip_growth": "lr = 30",
    "ADOPT.clip_step": "lr = 30", "CautiousDecay": "lr = 0.1",
    "Adai.decoupled": "weight_decay = 0.1", "AdaNorm.decoupled": "weight_decay = 0.1", "DAdaptAdam.decoupled": "weight_decay = 0.1",
    "Prodigy.decoupled": "weight_decay = 0.1", "Prodigy.safeguard_warmup": "lr = 0.5", "DAdaptLion.beta1": "d0 = 0.5",
    "LARS.divisor": "weight_decay = 0.1", "LARS.lr_inside": "lr = 0.1 * t", "LARS.trust_clip": "lr = 0.01, trust = 0.5",
    "LAMB.averaging": "weight_decay = 0.1", "StableAdamW": "lr = 0.3, beta2 = 0.999",
    "Adafactor.relative_step": "lr = 1", "SM3.beta": "lr = 0.5",
    **{"MARS." + hyper: "matrices = all" for hyper in ("beta1", "beta2", "gamma", "max_norm")},
}
# Values to change to where twice the default, or a half, is not another result.
OTHER = {"AccSGD.constant": "0.5", "AccSGD.kappa": "500", "Rprop.eta_plus": "2", "RpropLagged.eta_plus": "2", "SGD.dampening": "0.5", "HeavyBall.dampening": "0.5", "Nesterov.dampening": "0.5",
         "ASGD.start": "10", "Rprop.step_min": "0.1", "RpropLagged.step_min": "0.1", "Rprop.step_max": "1e-3", "RpropLagged.step_max": "1e-3",
         "AdamC.max_lr": "1", "AdamW.eps_root": "1e-3", "AdaBelief.eps_root": "1e-3", "FTRL.l1": "0.1", "FTRL.l2": "0.3", "FTRL.beta": "0.3", "ADOPT.clip_power": "0.01",
         "HeavyBall.reset_every": "3", "ADOPT.eps": "200", "RAdam.threshold": "20", "Lookahead.first": "1",
         "FTRL.l2_factor": "1", "AdaBelief.eps": "1e-3", "ACProp.eps": "1e-3", "ACProp.eps_root": "1e-3", "LaProp.eps": "1e-3",
         "ClipValue.limit": "0.5", "ZeroTiny.below": "30", "Swa.start": "4", "AggMo.beta1": "0.5", "MADGRAD.eps": "1e-3",
         "LAMB.limit": "0.5", "TrustRatio.limit": "0.5", "TrustRatio.min_norm": "5", "DAdaptAdam.growth_rate": "1.02",
         "DAdaptSGD.growth_rate": "1.02", "Prodigy.growth_rate": "1.02", "Prodigy.beta3": "0.9", "Cautious.least": "0.9",
         "OrthogonalGradient.eps": "1", "NormalizeGradient.eps": "1", "Adafactor.eps1": "10", "Adafactor.eps2": "10",
         "AdafactorTorch.eps1": "1000", "AdafactorTorch.eps2": "10", "AdafactorOptax.eps": "10", "SM3.eps": "10",
         "CAME.eps1": "10", "Nero.eps": "10", "AGC.eps": "10", "AGC.div_eps": "1000"}
# What a stage is seen through.
AROUND = {**{stage: "{} | SGD" for stage in ("AGC", "ClipByGlobalNorm", "ClipByTensorNorm", "NormalizeGradient", "OrthogonalGradient",
                                               "SAM", "ASAM", "GSAM", "LookSAM", "FriendlySAM")},
          "Cautious": "HeavyBall(lr = 0.05) | {}", "TrustRatio": "Adam(lr = 1) | {}", "StableAdamW": "Maximize | {}",
          "ClipValue": "{} | SGD", "L2Decay": "{} | SGD", "DecoupledDecay": "{} | SGD", "CautiousDecay": "Maximize | GradientDescent | {}",
          "ZeroTiny": "{} | SGD", "Grokfast": "{} | SGD", "AccumulateGradient": "{} | SGD", "ApplyEvery": "GradientDescent(lr = 1e-3) | {}", "Lookahead": "GradientDescent(lr = 1e-3) | {}",
          "CompoundDecay": "decay = {} | SGD(lr = decay.scale * 1e-3)"}
# Seen elsewhere: they need losses, curvatures, noise, NaN, matrices or several tensors, or change only an average
# (formulas_stages, formulas_reductions, formulas_matrices, formulas_found_rates, closed_forms, formulas_momentum), or only the points
# where the sign function meets 0.
ELSEWHERE = {"ReduceOnPlateau", "ReduceOnPlateauOptax", "Sophia", "SophiaG", "ZeroNans", "Ema", "Swa", "SGLD.temperature", "ASGD.start",
             "CautiousDecay.at_zero", "PolyakStep", "AliG", "MoMo", "MoMoAdam", "AdaHessian.beta2", "AdaHessian.power",
             "SkipNonFinite.limit", "MARS.matrices", "GradSquareRoot.over", "NormalizeGradient.over",
             "CentralizeGradient", "NormalizeMatrix", "AdafactorOptax.min_dim", "AGC.units", "CAME.beta3", "CAME.eps2",
             "RowwiseAdagrad", "RACS", "Nero.constraints", *(f"{rule}.{hyper}" for rule in ("AdamP", "SGDP") for hyper in ("delta", "wd_ratio")), "SGDP.eps"}


def others(default, limits, words):
    """Values of a hyper beside its default."""
    if "true or false" in limits:
        return ["false" if default == "true" else "true"]
    if limits.startswith("{"):
        return [word.strip() for word in limits[1:-1].split(",") if word.strip() != default]
    try:
        value = float(default.replace("_", ""))
    except ValueError:
        return ["3"]
    if value == 0:
        return ["0.1"]
    return [str(int(value) + 1)] if "int" in words else [repr(value / 2)]


def traced(talweg, rule):
    command = [talweg, "trace", "--json", "--backend", "interpreter", "--function", "styblinski-tang", "--start=-1.5,2",
               "-n", str(STEPS), "--rule", rule]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def with_hyper(name, settings, hyper=None, value=None):
    """The rule with these settings, one of them changed."""
    given = dict(part.split(" = ") for part in settings.split(", ") if part)
    if hyper:
        given[hyper] = value
    arguments = ", ".join(f"{key} = {text}" for key, text in given.items())
    return AROUND.get(name, "{}").format(f"{name}({arguments})" if arguments else name)


def changes():
    """(hyper, rule before, rule after) for every hyper and every other value of it."""
    for path in sorted((ROOT / "stdlib").glob("*.tw")):
        for _, kind, rule, lines in declarations(path.read_text(encoding="utf-8")):
            if kind != "rule" or rule in ELSEWHERE:
                continue
            for hyper, default, limits, words, _ in hypers(lines):
                key = f"{rule}.{hyper}"
                if key in ELSEWHERE:
                    continue
                settings = SETTINGS.get(key, SETTINGS.get(rule, ""))
                for value in [OTHER[key]] if key in OTHER else others(default, limits, words):
                    yield key, with_hyper(rule, settings), with_hyper(rule, settings, hyper, value)


def ignored_hypers(talweg):
    """(how many were changed, what is wrong: those without an effect)."""
    pairs = list(changes())
    if b"__asan_init" in pathlib.Path(talweg).read_bytes():  # every run is slow: a part of them
        pairs = pairs[::10]
    rules = sorted({rule for _, *both in pairs for rule in both})
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = dict(zip(rules, pool.map(lambda rule: traced(talweg, rule), rules)))
    wrong = [f"{rule}: {result}" for rule, result in results.items() if not result.startswith("{")]
    wrong += [f"{key}: {after} is {before}" for key, before, after in pairs if results[before] == results[after]]
    return len(pairs), wrong


# ---- Numbers that a storage type cannot hold; tensors without elements ----


def rounded_betas(talweg, folder):
    """beta2 = 0.999 becomes 0.996 in bfloat16, and 1 - beta2 can become 0: scalars are float64 for float32 parameters,
    and a beta that rounds to 1 is refused."""
    case = {"name": "rounded", "family": "f", "hyper": {}, "tol": {"float64": 1e-13, "float32": 1e-6},
            "tensors": [{"shape": [0]}, {"shape": [2]}], "p0": [[], [1.0, 2.0]], "grads": [[[], [1.0, -0.5]]] * 3, "state": {}}
    theta, m = np.array([1.0, 2.0]), {}
    points = []
    for s in range(3):
        theta = adaptive.adam(theta, np.array([1.0, -0.5]), s, m, b1=0.9999999, b2=0.9999999, wd=0.0)
        points.append([[], theta.tolist()])
    case["params"] = points
    case["f32"] = {"steps": [1, 2, 3], "params": points}
    path = folder / "rounded.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    settings = "lr = 0.01, eps = 1e-3, beta1 = 0.9999999"
    for backend in ("interpreter", "cpu"):
        for dtype in ("float32", "float64"):
            command = [talweg, "replay", "--dtype", dtype, "--backend", backend, "--rule", f"Adam({settings}, beta2 = 0.9999999)", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield f"betas_are_not_rounded_to_the_parameters_type, {dtype} on {backend}: {done.stdout}{done.stderr}"
    done = subprocess.run([talweg, "replay", "--dtype", "float32", "--rule", "Adam(beta2 = 0.99999999)", str(path)],
                          capture_output=True, text=True, check=False)
    if done.returncode == 0 or "becomes 1 in float32" not in done.stderr:
        yield f"a_beta_that_rounds_to_one_is_refused: exit {done.returncode} {done.stderr}"


def main():
    talweg, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    count, failures = compare(FORMS, Trajectory())
    more, wrong = compare(CENTERED, Constant())
    for forms, trajectory in ((MATRICES, Trajectory(shapes=matrices.SHAPES)), (NORMS, Whole()), (FAULTS, with_faults()), (ZEROS, with_zeros())):
        runs, failed = compare(forms, trajectory)
        more, wrong = more + runs, wrong + failed
    changed, ignored = ignored_hypers(talweg)
    failures += wrong + ignored + list(rounded_betas(talweg, folder))
    pitfalls = sum(len(forms) for forms in (FORMS, CENTERED, MATRICES, NORMS, FAULTS, ZEROS))
    print(f"{count + more} runs of {pitfalls} pitfalls, {changed} hypers and switches changed; {len(failures)} failures")
    for text in failures:
        print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
