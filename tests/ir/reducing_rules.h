// Rules that reduce, for tests of plans and of generated code.
#pragma once

namespace talweg::tests {

/// Module `m`.
inline constexpr const char* kReducingRules = R"(
rule ClipByGlobalNorm {
  hyper max = 1 in (0, inf)
  step {
    let n = norm(grad) per model
    if n > max { grad = grad * (max / n) }
  }
}

rule Lamb {
  hyper lr = 0.001 in [0, inf)
  hyper beta1 = 0.9 in [0, 1)
  hyper beta2 = 0.999 in [0, 1)
  hyper eps = 1e-6 in (0, inf)
  hyper wd = 0.01 in [0, inf)
  state m
  state v
  step {
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad^2
    let m_hat = m / (1 - beta1^t)
    let v_hat = v / (1 - beta2^t)
    let r = m_hat / (sqrt(v_hat) + eps) + wd * param
    let pn = norm(param) per tensor
    let rn = norm(r) per tensor
    let trust = if pn > 0 and rn > 0 then pn / rn else 1
    update = lr * trust * r
  }
}

/// Corrects the gradient by its change since the last step, and keeps the corrected one short.
rule Mars {
  hyper gamma = 0.025 in [0, inf)
  step {
    let corrected = grad + gamma * (grad - previous(grad))
    let length = norm(corrected) per tensor
    grad = if length > 1 then corrected / length else corrected
  }
}

/// The mask is scaled by its mean over the tensor.
rule Cautious {
  hyper eps = 1e-3 in (0, inf)
  step {
    let mask = if update * grad > 0 then 1 else 0
    let share = mean(mask) per tensor
    update = update * mask / max(share, eps)
  }
}

/// Four values an element make one whose norm divides it.
rule Wide {
  hyper lr = 0.1 in [0, inf)
  input i1
  input i2
  input i3
  step {
    let y = grad * i1 + i2 * i3
    update = lr * y / (norm(y) per tensor)
  }
}

/// Every reduction, to every rate, over elements, tensors and groups.
rule All {
  hyper lr = 0.1 in [0, inf)
  state m
  state tensor seen
  state tensor longest
  state group total
  state model best = inf
  input tensor factor
  input group warmth
  step {
    let length = norm(grad) per tensor
    let most = max(abs(grad)) per group
    let least = min(param) per model
    let inner = dot(grad, param) per tensor
    let some = any(grad > 0) per tensor
    let every = all(grad < 1) per group
    let elements = count(grad > 0) per tensor
    let typical = mean(length) per model
    let spread = max(sum(grad) per group) per model
    seen = seen + (if some then 1 else 0)
    longest = max(longest, length)
    total = total + (sum(length) per group)
    best = min(best, spread + typical)
    m = 0.9 * m + grad / (1 + length)
    let scale = if every then most else inner
    update = lr * (m * scale + least / (1 + elements))
    if given(factor) { update = update * factor }
    if given(warmth) { update = update + warmth }
  }
}

/// Whether the step is skipped is known after a pass.
rule Guard {
  hyper model limit = 100 in (0, inf)
  state tensor tries
  state noise
  step {
    tries = tries + 1
    noise = 0.5 * noise + grad
    let n = norm(grad) per model
    skip if n > limit or not is_finite(n)
  }
}

rule Large { step { update = grad / (1 + norm(grad) per model) } }
rule Small { step { update = grad * (mean(grad) per model) } }
rule Ways {
  when size > 64: Large
  otherwise: Small
}

/// An arm reduces, for each of its tensors, what only they keep.
rule Kept { state s = param; step { update = grad * (sum(s + grad) per tensor) } }
rule Plain { step { update = grad } }
rule Arms {
  when size > 5: Kept
  otherwise: Plain
}

/// Views that reduce, over all tensors or those of an arm; some of it is reduced in steps too.
rule Viewed {
  hyper share = 0.5 in [0, 1]
  state m
  state tensor seen = share
  state group gain = share
  step {
    m = 0.9 * m + grad
    seen = norm(param) per tensor
    gain += sum(seen) per group
    update = 0.1 * m
  }
  view unit = param / (1e-3 + norm(param) per tensor)
  view centred = (m - mean(m) per model) / (1 + sqrt(mean((m - mean(m) per model)^2) per model))
  view grouped = param * (sum(size) per group) + max(seen) per group - gain
  view counted = if any(param > 2) per model then param - min(m) per group else param * t
  view shared = param * (mean(norm(param) per tensor) per model) + dot(param, m) per model
  view gains = param * (if all(m == m) per model then sum(gain * share) per model else 0)
}
rule ArmsViewed {
  when size > 5: Viewed
  otherwise: Plain
}

/// A reduction of what another one makes, twice.
rule Chain {
  state v
  step {
    let a = grad / (1e-3 + norm(grad) per tensor)
    let b = a / (1 + sum(abs(a)) per model)
    v = 0.5 * v + b * b
    let c = b / (1e-6 + max(v) per group)
    update = c
  }
}
)";

}  // namespace talweg::tests
