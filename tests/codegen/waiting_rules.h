// Rules that wait for new gradients: always or under a condition, several times, together with
// steps that are skipped or held, with what is needed behind it kept or made again.
#pragma once

namespace talweg::tests {

inline constexpr const char* kWaitingRules = R"(
rule Sam {
  hyper rho = 0.05
  step {
    let origin = param
    param += rho * grad / (norm(grad) per model + 1e-12)
    regrad
    param = origin
  }
}
rule Look {                       // every other step
  hyper model int k = 2
  state v
  step {
    if t % k == 1 {
      let origin = param
      let before = grad
      param += 0.1 * grad / (norm(grad) per tensor + 1e-12)
      regrad
      param = origin
      v = grad - dot(grad, before) per model * before
    } else {
      grad += v / (norm(v) per group + 1)
    }
  }
}
rule Twice {                      // the second point depends on the first gradient there
  state m
  step {
    let origin = param
    let first = grad
    param -= 0.5 * grad
    regrad
    let second = grad
    if max(abs(second)) per model > 3 {
      param = origin + 0.25 * second
      regrad
    }
    m = first + 2 * second + 4 * grad
    param = origin - 0.1 * m
  }
}
rule Either {                     // one or the other, or neither
  state g
  step {
    let was = param
    if t % 3 == 1 {
      param = was * 1.5
      regrad
    } else {
      g = grad
      if t % 3 == 2 {
        param = was * 0.5
        grad = -grad
        regrad
      }
    }
    param = was + grad + g
  }
}
rule Apart {                      // one that waits, or two others that may
  state g
  step {
    if t % 4 == 0 {
      param += 0.5 * grad
      regrad
      g = grad
    } else {
      if t % 3 == 0 { regrad }
      if t % 2 == 1 {
        param -= grad
        regrad
      }
    }
    update = grad + 0.5 * g
  }
}
rule Stay { step { let g = grad; regrad; grad = 2 * grad - g } }  // the same point once more
rule Wander { step { param -= 0.1 * grad; regrad; param -= 0.1 * grad } }  // never put back
rule Forget { step { param = 2 * grad; regrad; param = grad } }  // what param was is of no use
rule Constant { step { let was = param; param = 1; regrad; param = was } }
rule SkipBefore { step { skip if not all(is_finite(grad)) per model } }
rule SkipBehind {
  state model big
  step {
    let was = param
    param = was - grad
    regrad
    big = max(abs(grad)) per model
    skip if big > 2
    param = was
  }
}
rule HoldBehind {
  state sum
  hyper model int every = 2
  step {
    let was = param
    param = was + 0.5 * grad
    regrad
    param = was
    sum += grad
    hold if calls % every != 0
    update = sum
    sum = 0
  }
}
rule Length { state model length; step { length = norm(grad) per model } }
rule Scheduled = Sam | n = Length | SGD(lr = 0.5 / (1 + n.length))
rule Seldom {
  hyper model int every = 2 in [1, inf)
  step {
    if t % every == 0 {
      let origin = param
      param += 0.05 * grad / (norm(grad) per model + 1e-12)
      regrad
      param = origin
    }
  }
}
rule Again { hyper model int every = 2 in [1, inf); step { if t % every == 0 { regrad } } }
rule Folds {                      // what is reduced is read in some steps only
  hyper k = 2
  state s
  state group squares
  state tensor most
  state model far = 1
  step {
    if t % 3 == 1 {
      far = norm(param - s) per model
      squares = sum(grad^2) per group
    } else {
      most = max(abs(s)) per tensor
    }
    if k > 1 and calls % 2 == 0 { s = grad * (dot(grad, param) per tensor) } else { s += most }
    update = s / (1 + far + squares)
  }
}
rule Remembers { step { let p = previous(grad); let was = param; param += p; regrad; param = was; update = grad - p } }
)";

}  // namespace talweg::tests
