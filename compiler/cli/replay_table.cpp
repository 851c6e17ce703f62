// The table of reference families and the library's rules that are theirs.
#include "compiler/cli/replay_rules.h"

namespace talweg::cli {

namespace {

constexpr RuleRow kRows[] = {
    // Gradient descent and momentum.
    {"sgd", "", "SGD(lr = {lr}, weight_decay = {wd?0})", "", ""},
    {"sgd_decoupled", "", "SGDW(lr = {lr}, weight_decay = {wd})", "", ""},
    // Without noise, Langevin dynamics is gradient descent at half the rate.
    {"sgld", "", "SGD(lr = {lr} / 2, weight_decay = {wd})", "", ""},
    {"heavyball", "nesterov=true",
     "Nesterov(lr = {lr}, momentum = {momentum}, dampening = {dampening}, weight_decay = {wd})",
     "b=velocity", ""},
    {"heavyball", "nesterov=false",
     "HeavyBall(lr = {lr}, momentum = {momentum}, dampening = {dampening}, weight_decay = {wd})",
     "b=velocity", ""},
    {"nesterov", "nesterov=true",
     "Nesterov(lr = {lr}, momentum = {momentum}, dampening = {dampening}, weight_decay = {wd})",
     "b=velocity", ""},
    {"momentum_ema", "", "MomentumEma(lr = {lr}, beta = {beta}, debias = {debias})", "v=velocity",
     ""},
    {"momentum_schedule", "lr_inside=false", "HeavyBall(momentum = {momentum})", "v=velocity", ""},
    {"momentum_schedule", "lr_inside=true", "HeavyBall(momentum = {momentum}, lr_inside = true)",
     "v=-velocity", ""},
    {"sam", "", "SAM(rho = {rho}, adaptive = {adaptive}) | SGD(lr = {lr}, momentum = {momentum})",
     "", ""},
    {"signsgd", "", "SignSGD(lr = {lr})", "", ""},
    {"signum", "", "Signum(lr = {lr}, beta = {beta})", "m", ""},
    {"lion", "", "Lion(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, weight_decay = {wd})", "m", ""},
    {"qhm", "", "QHM(lr = {lr}, beta = {beta}, nu = {nu}, weight_decay = {wd})", "v=velocity", ""},
    {"aggmo", "",
     "AggMo(lr = {lr}, beta1 = {betas.0}, beta2 = {betas.1}, beta3 = {betas.2}, weight_decay = "
     "{wd})",
     "v0=velocity1 v1=velocity2 v2=velocity3", ""},
    {"asgd", "",
     "ASGD(lr = {lr}, lambda = {lambd}, alpha = {alpha}, start = {t0}, weight_decay = {wd})",
     "ax=average", ""},
    {"clip_value", "mode=value", "ClipValue(limit = {c}) | SGD(lr = {lr})", "",
     "eps agc_eps div_eps style"},
    // PyTorch's eps is the 1e-6 of `form = torch`.
    {"clip_tensor_norm", "mode=tensor_norm",
     "ClipByTensorNorm(max_norm = {c}, form = torch) | SGD(lr = {lr})", "",
     "eps agc_eps div_eps style"},
    {"clip_global_norm", "mode=global_norm",
     "ClipByGlobalNorm(max_norm = {c}, form = {style:torch=torch,optax=exact}) | SGD(lr = {lr})",
     "", "eps agc_eps div_eps"},
    {"clip_agc", "mode=agc",
     "AGC(limit = {c}, eps = {agc_eps}, div_eps = {div_eps}, units = "
     "{style:torch=rows,optax=columns}) | SGD(lr = {lr})",
     "", "eps"},
    {"grad_centralization", "", "CentralizeGradient | SGD(lr = {lr}, momentum = {momentum})",
     "b=velocity", ""},

    // Adaptive rates.
    {"adagrad", "",
     "Adagrad(lr = {lr}, lr_decay = {lr_decay}, eps = {eps}, weight_decay = {wd}, initial = "
     "{init_acc})",
     "a=squares", ""},
    {"adagrad_optax", "",
     "Adagrad(lr = {lr}, initial = {init_acc}, eps = {eps}, eps_place = inside)", "a=squares", ""},
    {"rmsprop", "",
     "RMSprop(lr = {lr}, rho = {alpha}, eps = {eps}, weight_decay = {wd}, momentum = {momentum}, "
     "centered = {centered})",
     "v=square m=mean_grad b=velocity", ""},
    {"rmsprop_optax", "",
     "RMSprop(lr = {lr}, rho = {decay}, eps = {eps}, initial = {initial_scale}, eps_place = "
     "{eps_in_sqrt:true=inside,false=outside}, centered = {centered}, momentum = {momentum?0}, "
     "nesterov = {nesterov}, "
     "bias_correction = {bias_correction}, lr_inside = true)",
     "v=square m=mean_grad b=-velocity", ""},
    {"rmsprop_tf", "",
     "RMSprop(lr = {lr}, rho = {alpha}, eps = {eps}, weight_decay = {wd}, momentum = {momentum}, "
     "centered = {centered}, "
     "initial = 1, eps_place = inside, lr_inside = true)",
     "v=square m=mean_grad b=velocity", ""},
    {"adadelta", "", "Adadelta(lr = {lr}, rho = {rho}, eps = {eps}, weight_decay = {wd})",
     "Eg=mean_grad2 Ex=mean_step2", ""},
    {"adam", "wd_mode=l2",
     "Adam(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd}, "
     "bias_correction = {bias_correction}, eps_place = {eps_mode:hat=corrected,raw=raw})",
     "m v", ""},
    {"adam", "",
     "AdamW(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd}, "
     "bias_correction = {bias_correction}, eps_place = {eps_mode:hat=corrected,raw=raw}, "
     "decay_point = "
     "{wd_mode:decoupled=old,decoupled_after=new})",
     "m v", ""},
    {"adamw", "wd_mode=l2",
     "Adam(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd}, "
     "bias_correction = {bias_correction}, eps_place = {eps_mode:hat=corrected,raw=raw})",
     "m v", ""},
    {"adamw", "",
     "AdamW(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd}, "
     "bias_correction = {bias_correction}, eps_place = {eps_mode:hat=corrected,raw=raw}, "
     "decay_point = "
     "{wd_mode:decoupled=old,decoupled_after=new})",
     "m v", ""},
    {"adamax", "",
     "Adamax(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "decoupled = "
     "{wd_mode:l2=false,optax_decoupled=true})",
     "m u", ""},
    {"amsgrad", "",
     "AMSGrad(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "variant = {mode})",
     "m v vmax=v_max", ""},
    {"nadam", "",
     "NAdam(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "momentum_decay = "
     "{momentum_decay}, decoupled = {decoupled}, product = "
     "{mode:doc=documented,bug113=torch_1_13})",
     "m v mu_product", ""},
    {"nadam_optax", "",
     "NAdamW(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd})",
     "m v", ""},
    {"radam", "",
     "RAdam(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "threshold = {threshold}, "
     "variant = {mode})",
     "m v", ""},
    {"adabelief", "",
     "AdaBelief(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd?0}, "
     "rectify = "
     "{rectify?false}, degenerate = {degenerate?true})",
     "m s", ""},
    {"adabelief_optax", "",
     "AdaBelief(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, eps_root = {eps_root}, "
     "weight_decay = {wd}, "
     "nesterov = {nesterov})",
     "m s", ""},
    {"adan", "",
     "Adan(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, beta3 = {beta3}, eps = {eps}, weight_decay "
     "= {wd}, decay = "
     "{no_prox:false=proximal,true=decoupled})",
     "m q n gprev=last_grad", ""},
    {"adan_optax", "",
     "Adan(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, beta3 = {beta3}, eps = {eps}, eps_root = "
     "{eps_root}, "
     "weight_decay = {wd}, decay = decoupled, lookahead = complement)",
     "m q n gprev=last_grad", ""},
    {"ademamix", "",
     "AdEMAMix(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, beta3 = {beta3}, alpha = {alpha}, eps "
     "= {eps}, weight_decay = "
     "{wd}, beta3_warmup = {beta3_warmup?0}, alpha_warmup = {alpha_warmup?0})",
     "m1 m2 v", ""},
    {"adopt", "",
     "ADOPT(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "decoupled = {decouple}, "
     "clip_growth = {clip})",
     "m v", ""},
    {"laprop", "",
     "LaProp(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd})", "m v",
     ""},
    {"yogi", "",
     "Yogi(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd?0}, "
     "initial = {init_acc})",
     "m v", "mode"},
    {"rprop", "",
     "Rprop(lr = {lr}, eta_minus = {etaminus}, eta_plus = {etaplus}, step_min = {step_min}, "
     "step_max = {step_max})",
     "step=step_size gprev=last_grad", ""},
    {"rprop_optax", "",
     "RpropLagged(lr = {lr}, eta_minus = {eta_minus}, eta_plus = {eta_plus}, step_min = "
     "{min_step}, step_max = {max_step})",
     "step=step_size r=last_step", ""},
    // `k`, how often a Hessian is given, is the caller's.
    {"sophia_g", "",
     "SophiaG(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, rho = {rho}, batch = {bs}, weight_decay "
     "= {wd})",
     "m h", "k"},
    {"sophia_paper", "mode=paper",
     "Sophia(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, gamma = {gamma}, eps = {eps}, "
     "weight_decay = {wd})",
     "m h", "k"},
    {"sophia_optax", "mode=optax",
     "Sophia(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, gamma = {gamma}, eps = {eps}, "
     "weight_decay = {wd}, estimate = "
     "last, bias_correction = true)",
     "m h", "k"},
    {"schedulefree_sgd", "",
     "ScheduleFreeSGD(lr = {lr}, beta = {beta}, weight_decay = {wd}, warmup = {warmup}, r = {r}, "
     "power = {power})",
     "z x", ""},
    {"schedulefree_adamw", "",
     "ScheduleFreeAdamW(lr = {lr}, beta = {beta}, beta2 = {beta2}, eps = {eps}, weight_decay = "
     "{wd}, warmup = {warmup}, r "
     "= {r}, power = {power})",
     "z x v", ""},

    // Rates that follow norms and other sums.
    {"cautious_adamw", "",
     "AdamW(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "bias_correction = {bias_correction}, eps_place = raw) | Cautious(scale = "
     "{scale:mean=mean,paper=plus_one})",
     "m v", ""},
    {"mars_adamw", "",
     "MARS(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, gamma = "
     "{gamma}, matrices = {optimize_1d:false=two,true=all}, lr_1d = {lr_1d}, beta1_1d = "
     "{beta1_1d}, beta2_1d = {beta2_1d}, weight_decay_1d = {wd_1d})",
     "m v glast=last_grad", ""},
    {"lars", "", "LARS(lr = {lr}, momentum = {momentum}, weight_decay = {wd}, trust = {trust})",
     "v=velocity", ""},
    {"lars_timm", "",
     "LARS(lr = {lr}, momentum = {momentum}, dampening = {dampening}, weight_decay = {wd}, "
     "nesterov = {nesterov}, trust = {trust}, eps = {eps}, trust_clip = {trust_clip}, "
     "always_adapt = {always_adapt}, lr_inside = false)",
     "b=velocity", ""},
    {"lars_optax", "",
     "LARS(lr = {lr}, momentum = {momentum}, weight_decay = {wd}, nesterov = {nesterov}, trust = "
     "{trust}, eps = {eps}, divisor = whole)",
     "b=-velocity", ""},
    {"lamb", "clip_global=null",
     "LAMB(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "bias_correction = {bias_correction}, limit = {clamp?inf})",
     "m v", ""},
    {"lamb_cybertronai", "clip_global=null",
     "LAMB(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "bias_correction = {bias_correction}, limit = {clamp?inf})",
     "m v", ""},
    {"lamb_timm", "",
     "ClipByGlobalNorm(max_norm = {clip_global}) | LAMB(lr = {lr}, beta1 = {beta1}, beta2 = "
     "{beta2}, eps = {eps}, weight_decay = {wd}, bias_correction = {bias_correction}, limit = "
     "{clamp?inf})",
     "m v", ""},
    {"dadapt_adam", "",
     "DAdaptAdam(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "decoupled = {decouple}, bias_correction = {bias_correction}, d0 = {d0}, growth_rate = "
     "{growth_rate})",
     "m v s d numerator_weighted=weighted", ""},
    {"prodigy", "beta3=null",
     "Prodigy(lr = {lr}, beta1 = {beta1}, beta2 = {beta2}, eps = {eps}, weight_decay = {wd}, "
     "decoupled = {decouple}, bias_correction = {bias_correction}, safeguard_warmup = "
     "{safeguard_warmup}, d0 = {d0}, d_coef = {d_coef}, growth_rate = {growth_rate})",
     "m v s d d_max d_numerator=numerator", ""},

    // Second moments of rows and columns. PyTorch's eps1 is the epsilon of float64 where none is
    // given; which of optax's factors is that of the rows depends on the shape.
    {"adafactor", "",
     "Adafactor(lr = {lr?0.01}, eps1 = {eps1}, eps2 = {eps2}, clip = {clip}, decay_rate = 0 - "
     "{decay_rate}, weight_decay = {wd}, beta1 = {beta1?0}, relative_step = {relative_step}, "
     "warmup_init = {warmup_init}, scale_parameter = {scale_parameter})",
     "V=v R=r C=c m", ""},
    {"adafactor_torch", "",
     "AdafactorTorch(lr = {lr}, decay_rate = 0 - {beta2_decay}, eps1 = {eps1?2^-52}, eps2 = "
     "{eps2}, clip = {d}, weight_decay = {wd})",
     "V=v R=r C=c", ""},
    {"adafactor_optax", "factored=true",
     "AdafactorOptax(lr = {lr}, decay_rate = {decay_rate}, eps = {eps}, clip = {clip}, "
     "weight_decay = {wd?0}, min_dim = {min_dim}, momentum = {momentum?0}, "
     "multiply_by_parameter_scale = {multiply_by_parameter_scale})",
     "V=v", ""},
    {"sm3", "", "SM3(lr = {lr}, beta = {beta}, eps = {eps}, momentum = {momentum})",
     "a0=v/r a1=c m", ""},
    {"sm3_optax", "", "SM3(lr = {lr}, beta = {beta}, eps = {eps}, momentum = {momentum})",
     "a0=v/r a1=c m", ""},

    // Averages of the weights.
    {"lookahead_sgd", "",
     "SGD(lr = {lr}, momentum = {momentum}) | Lookahead(k = {k}, alpha = {alpha})", "slow", ""},
    {"ema_weights", "debias=false",
     "HeavyBall(lr = {lr}, momentum = {momentum}) | Ema(decay = {decay})", "ema=average", ""},
    {"ema_weights", "debias=true",
     "HeavyBall(lr = {lr}, momentum = {momentum}) | Ema(decay = {decay}, debias = true)",
     "ema=average", ""},

    // Schedules: what is compared is the rate of the step, the bound hyper `lr` (and `momentum`).
    {"schedule_step", "",
     "GradientDescent(lr = step_decay(t, {lr}, every = {step}, gamma = {gamma}))", "", ""},
    {"schedule_multistep", "",
     "GradientDescent(lr = multistep_decay(t, {lr}, milestones = {milestones}, gamma = {gamma}))",
     "", ""},
    {"schedule_piecewise_constant_optax", "",
     "GradientDescent(lr = {init}[[ * drop(t, at = {at.#}, factor = {scale.#})]])", "", ""},
    {"schedule_exponential", "",
     "GradientDescent(lr = exponential_decay(t, {lr}, gamma = {gamma}))", "", ""},
    {"schedule_exponential_optax", "end=null",
     "GradientDescent(lr = exponential_decay(t, {lr}, gamma = {rate}, every = {steps}, begin = "
     "{begin}, staircase = "
     "{staircase}))",
     "", ""},
    {"schedule_exponential_optax", "",
     "GradientDescent(lr = exponential_decay(t, {lr}, gamma = {rate}, every = {steps}, begin = "
     "{begin}, staircase = {staircase}, end = {end}))",
     "", ""},
    {"schedule_inverse_time", "",
     "GradientDescent(lr = inverse_time_decay(t, {lr}, rate = {gamma}))", "", ""},
    {"schedule_inverse_time_staircase", "",
     "GradientDescent(lr = inverse_time_decay(t, {lr}, rate = {rate}, every = {steps}, staircase = "
     "true))",
     "", ""},
    {"schedule_inverse_sqrt", "",
     "GradientDescent(lr = inverse_sqrt_decay(t, {lr}, delta = {delta}))", "", ""},
    {"schedule_noam", "", "GradientDescent(lr = noam_one_based(t, width = {d}, warmup = {warmup}))",
     "", ""},
    {"schedule_linear_optax", "",
     "GradientDescent(lr = linear_decay(t, {init}, over = {steps}, end = {end}, begin = {begin}))",
     "", ""},
    {"schedule_linear_warmup_one_based", "",
     "GradientDescent(lr = linear_warmup_one_based(t, {lr}, warmup = {warmup}))", "", ""},
    {"schedule_linear_warmup_zero_based", "",
     "GradientDescent(lr = linear_warmup(t, {lr}, warmup = {warmup}))", "", ""},
    {"schedule_linear_warmup_torch", "",
     "GradientDescent(lr = linear_factor(t, {lr}, over = {iters}, start = {start}, end = {end}))",
     "", ""},
    {"schedule_polynomial_torch", "",
     "GradientDescent(lr = polynomial_decay(t, {lr}, over = {iters}, power = {power}))", "", ""},
    {"schedule_polynomial_optax", "",
     "GradientDescent(lr = polynomial_decay(t, {init}, over = {steps}, power = {power}, end = "
     "{end}, begin = {begin}))",
     "", ""},
    {"schedule_cosine_torch", "",
     "GradientDescent(lr = cosine_annealing(t, {lr}, half_period = {T_max}, end = {eta_min}))", "",
     ""},
    {"schedule_cosine_optax", "",
     "GradientDescent(lr = cosine(t, {lr}, total = {decay_steps}, end = {lr} * {alpha}, power = "
     "{exponent}))",
     "", ""},
    {"schedule_cosine_warm_restarts", "",
     "GradientDescent(lr = cosine_restarts(t, {lr}, first = {T_0}, growth = {T_mult}, end = "
     "{eta_min}))",
     "", ""},
    {"schedule_warmup_cosine_optax", "",
     "GradientDescent(lr = warmup_cosine(t, {peak}, warmup = {warmup}, total = {decay_steps}, "
     "start = {init}, end = {end}, "
     "power = {exponent}))",
     "", ""},
    {"schedule_sequential_warmup_cosine_torch", "",
     "GradientDescent(lr = if t - 1 < {milestone} then linear_factor(t, {lr}, over = {iters}, "
     "start = {start}) else "
     "cosine_annealing(t - {milestone}, {lr}, half_period = {T_max}, end = {eta_min}))",
     "", ""},
    {"schedule_cyclic", "mode=triangular",
     "GradientDescent(lr = cyclic(t, {base}, {max}, up = {up}, down = {down?=up}))", "", "gamma"},
    {"schedule_cyclic", "mode=triangular2",
     "GradientDescent(lr = cyclic_halving(t, {base}, {max}, up = {up}, down = {down?=up}))", "",
     "gamma"},
    {"schedule_cyclic", "mode=exp_range",
     "GradientDescent(lr = cyclic_exponential(t, {base}, {max}, up = {up}, down = {down?=up}, "
     "gamma = {gamma}))",
     "", ""},
    {"schedule_onecycle", "",
     "HeavyBall(lr = one_cycle(t, {max_lr}, total = 200, share = {pct}, div = {div}, final_div = "
     "{final_div}, three_phase = "
     "{three_phase}, linear = {anneal:cos=false,linear=true}), momentum = one_cycle_momentum(t, "
     "{max_mom}, {base_mom}, "
     "total = 200, share = {pct}, three_phase = {three_phase}, linear = "
     "{anneal:cos=false,linear=true}))",
     "", ""},
    {"schedule_onecycle_optax", "kind=cosine",
     "GradientDescent(lr = one_cycle_cosine(t, {peak}, total = {steps}, share = {pct}, div = "
     "{div}, final_div = "
     "{final_div}))",
     "", "pct_final"},
    {"schedule_onecycle_optax", "kind=linear",
     "GradientDescent(lr = one_cycle_linear(t, {peak}, total = {steps}, share = {pct}, foot_share "
     "= {pct_final}, div = "
     "{div}, final_div = {final_div}))",
     "", ""},
    {"schedule_wsd", "",
     "GradientDescent(lr = {kind:linear=wsd_linear,1-sqrt=wsd_sqrt,cosine=wsd_cosine}(t, {lr}, "
     "warmup = {warmup}, stable = "
     "{stable}, decay = {decay}, end_ratio = {min_ratio}))",
     "", ""},
    {"schedule_reduce_on_plateau", "",
     "plateau = ReduceOnPlateau(goal = {mode:min=lowest,max=highest}, factor = {factor}, patience "
     "= {patience}, threshold "
     "= {threshold}, threshold_mode = {tmode:rel=relative,abs=absolute}, cooldown = {cooldown}, "
     "min_scale = {min_lr} / "
     "{lr}, eps = {eps} / {lr}) | GradientDescent(lr = {lr} * plateau.scale)",
     "", ""},
    {"schedule_reduce_on_plateau_optax", "",
     "plateau = ReduceOnPlateauOptax(watch = training, factor = {factor}, patience = {patience}, "
     "rtol = {rtol}, atol = "
     "{atol}, cooldown = {cooldown}, accumulation = {accumulation}, min_scale = {min_scale}) | "
     "GradientDescent(lr = {lr} * "
     "plateau.scale)",
     "", ""},
};

}  // namespace

std::span<const RuleRow> rule_rows() { return kRows; }

}  // namespace talweg::cli
