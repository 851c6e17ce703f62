// Rules that wait for new gradients leave the same bits on every target: always or under a
// condition, several times, together with steps that are skipped or held, with what is needed
// behind it kept or made again.
#include <catch2/catch.hpp>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

constexpr const char* kSource = R"(
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
rule Stay { step { let g = grad; regrad; grad = 2 * grad - g } }  // the same point once more
rule Wander { step { param -= 0.1 * grad; regrad; param -= 0.1 * grad } }  // never put back
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
rule Remembers { step { let p = previous(grad); let was = param; param += p; regrad; param = was; update = grad - p } }
)";

constexpr const char* kRules[] = {"m.Sam | SGD",
                                  "m.Sam | AdamW",
                                  "SkipNonFinite | m.Sam | ClipByGlobalNorm | AdamW | Ema",
                                  "m.Look | HeavyBall",
                                  "m.Twice",
                                  "m.Twice | m.Look",
                                  "m.Either",
                                  "m.Stay | SGD",
                                  "m.Wander | Adam",
                                  "m.Constant | SGD",
                                  "m.SkipBefore | m.Sam | SGD",
                                  "m.SkipBehind | SGD",
                                  "m.SkipBefore | m.Look | m.SkipBehind | SGD",
                                  "m.HoldBehind",
                                  "m.Scheduled",
                                  "m.Remembers"};

}  // namespace

TEST_CASE("steps that wait for gradients have the same bits on every target") {
  std::vector<StepSetting> settings;
  for (const std::uint32_t threads : {1u, 3u}) {
    StepSetting setting;
    setting.tensors = {{0, 0},           {1, 1},         {63, 0},
                       {65, 0, true, 2}, {19, 0, false}, {1025, 1, true, 1}};
    setting.group_count = 2;
    setting.threads = threads;
    setting.steps = 5;
    setting.seed = threads;
    setting.placement = threads == 1 ? Placement::AtEnd : Placement::AtStart;
    settings.push_back(setting);
  }
  for (const char* rule : kRules) require_same_bits(graph_of_rule(rule, kSource), settings, rule);
}

}  // namespace talweg::tests
