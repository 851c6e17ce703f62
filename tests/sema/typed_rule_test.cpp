// Rules of the language's own examples, as the typed rules they become.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::typed;

TEST_CASE("AdamW: rates are inferred, a compound assignment is one expression") {
  CHECK(typed(R"(
rule AdamW {
  hyper lr           = 1e-3  in [0, inf)
  hyper beta1        = 0.9   in [0, 1)
  hyper beta2        = 0.999 in [0, 1)
  hyper eps          = 1e-8  in (0, inf)
  hyper weight_decay = 1e-2  in [0, inf)
  state m
  state v
  step {
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad^2
    let m_hat = m / (1 - beta1^t)
    let v_hat = v / (1 - beta2^t)
    param -= lr * weight_decay * param
    update = lr * m_hat / (sqrt(v_hat) + eps)
  }
}
)",
              "AdamW") == R"(
rule AdamW
  hyper lr: group number = 0.001 in [0, inf)
  hyper beta1: group number = 0.9 in [0, 1)
  hyper beta2: group number = 0.999 in [0, 1)
  hyper eps: group number = 1e-08 in (0, inf)
  hyper weight_decay: group number = 0.01 in [0, inf)
  state m: element
  state v: element
  stage adamw = AdamW
    step
      m = ((beta1:group * m:element):element + ((1 - beta1:group):group * grad:element):element):element
      v = ((beta2:group * v:element):element + ((1 - beta2:group):group * (grad:element ^ 2):element):element):element
      m_hat = (m:element / (1 - (beta1:group ^ t:model):group):group):element
      v_hat = (v:element / (1 - (beta2:group ^ t:model):group):group):element
      param = (param:element - ((lr:group * weight_decay:group):group * param:element):element):element
      update = ((lr:group * m_hat:element):element / (sqrt(v_hat:element):element + eps:group):element):element
  param -= update
)");
}

TEST_CASE("Lookahead: a condition of group rate, assignments under it, nothing subtracted") {
  CHECK(typed(R"(
rule Lookahead {
  hyper int k = 5; hyper alpha = 0.5
  state slow = param
  after { if t % k == 0 { slow += alpha * (param - slow); param = slow } }
}
)",
              "Lookahead(k = 2)") == R"(
rule Lookahead
  hyper k: group int = 2
  hyper alpha: group number = 0.5
  state slow: element = param:element
  stage lookahead = Lookahead
    after
      if ((t:model % k:group):group == 0):group
        slow = (slow:element + (alpha:group * (param:element - slow:element):element):element):element
        param = slow:element
)");
}

TEST_CASE("a recipe: bindings, functions inlined, states of named stages, names from outside") {
  CHECK(typed(R"(
rule Scaled {
  hyper lr = 0.1 in [0, inf)
  hyper decay = 0
  state m
  step { m = lr * grad
    update = m + decay * param }
}
rule Plateau {
  hyper model factor = 0.5
  input model loss
  state model scale = 1
  step { if loss > 1 { scale *= factor } }
}
rule Ema {
  hyper decay = 0.999 in [0, 1)
  state average = param
  after { average = decay * average + (1 - decay) * param }
}
fn warm(t, peak, warmup, floor = 0) = if t < warmup then peak * t / warmup else floor
rule Recipe {
  hyper peak = 3e-4 in [0, inf)
  pipeline
      plateau = Plateau()
    | Scaled(lr = plateau.scale * warm(t, peak, warmup = 100), decay = 0.5)
    | Ema
}
)",
              "Recipe") == R"(
rule Recipe
  hyper peak: group number = 0.0003 in [0, inf)
  hyper factor: model number = 0.5
  hyper lr: group number = bound in [0, inf)
  hyper scaled.decay: group number = 0.5
  hyper ema.decay: group number = 0.999 in [0, 1)
  state scale: model = 1
  state m: element
  state average: element = param:element
  input loss: model
  stage plateau = Plateau
    step
      if (loss:model > 1):model
        scale = (scale:model * factor:model):model
  stage scaled = Scaled
    bind lr = (scale:model * { t = t:model; peak = peak:group; (if (t:model < 100):model then ((peak:group * t:model):group / 100):group else 0):group }:group):group
    step
      m = (lr:group * grad:element):element
      update = (m:element + (scaled.decay:group * param:element):element):element
  stage ema = Ema
    after
      average = ((ema.decay:group * average:element):element + ((1 - ema.decay:group):group * param:element):element):element
  param -= update
)");
}

TEST_CASE("a constant condition keeps one arm, and states of the other are gone") {
  const std::string module = R"(
rule R {
  hyper const bool amsgrad = false
  hyper const mode = raw in {raw, corrected}
  state v
  state v_max
  input hessian
  step {
    v = v + grad^2
    let w = if mode == raw then v else v / t
    if amsgrad { v_max = max(v_max, v)
      update = grad / v_max + hessian }
    else { update = grad / w }
  }
}
)";
  CHECK(typed(module, "R") == R"(
rule R
  hyper amsgrad: const bool = false
  hyper mode: const number = raw
  state v: element
  stage r = R
    step
      v = (v:element + (grad:element ^ 2):element):element
      w = { v:element }:element
      update = (grad:element / w:element):element
  param -= update
)");
  CHECK(typed(module, "R(amsgrad = true, mode = corrected)") == R"(
rule R
  hyper amsgrad: const bool = true
  hyper mode: const number = corrected
  state v: element
  state v_max: element
  input hessian: element
  stage r = R
    step
      v = (v:element + (grad:element ^ 2):element):element
      w = { (v:element / t:model):element }:element
      v_max = max(v_max:element, v:element):element
      update = ((grad:element / v_max:element):element + hessian:element):element
  param -= update
)");
}

TEST_CASE("the rate of a var follows what it was assigned last") {
  CHECK(typed(R"(
rule R {
  step {
    var x = 1
    update = x * grad
    x = t
    update = update + x
    if t > 5 { x = 2 }
    update = update + x
    if grad > 0 { x = 3 }
    update = update + x
    x = 4
    update = update + x
  }
}
)",
              "R") == R"(
rule R
  stage r = R
    step
      x = 1
      update = (1 * grad:element):element
      x = t:model
      update = (update:element + x:model):element
      if (t:model > 5):model
        x = 2
      update = (update:element + x:model):element
      if (grad:element > 0):element
        x = 3
      update = (update:element + x:element):element
      x = 4
      update = (update:element + 4):element
  param -= update
)");
}

TEST_CASE("loops are unrolled over ranges and lists; lists go into functions") {
  CHECK(typed(R"(
let milestones = [30, 80]
fn steps(t, base, list, gamma = 0.1) = {
  var rate = base
  for m in list { if t > m { rate *= gamma } }
  rate
}
rule R {
  hyper lr = 1
  hyper const int n = 2
  step {
    var sum = 0
    for i in 1..n { sum += i * grad }
    update = sum * steps(t, lr, milestones)
  }
}
)",
              "R") == R"(
rule R
  hyper lr: group number = 1
  hyper n: const int = 2
  stage r = R
    step
      sum = 0
      sum = (0 + (1 * grad:element):element):element
      sum = (sum:element + (2 * grad:element):element):element
      update = (sum:element * { t = t:model; base = lr:group; rate = base:group; if (t:model > 30):model { rate = (rate:group * 0.1):group; } if (t:model > 80):model { rate = (rate:group * 0.1):group; } rate:group }:group):element
  param -= update
)");
}

TEST_CASE("blocks as arms assign under the condition") {
  CHECK(typed(R"(
rule R {
  state r
  state v
  step {
    let u = if t > 10 then {
      r = grad
      grad * r
    } else {
      v = 0.5 * v
      v
    }
    update = u
  }
}
)",
              "R") == R"(
rule R
  state r: element
  state v: element
  stage r = R
    step
      u = (if (t:model > 10):model then { r = grad:element; (grad:element * r:element):element }:element else { v = (0.5 * v:element):element; v:element }:element):element
      update = u:element
  param -= update
)");
}

TEST_CASE("rules used twice, nested pipelines and inputs of one name") {
  CHECK(typed(R"(
rule Gain { hyper gain = 2
  input model loss
  step { grad = gain * loss * grad } }
rule Pair { hyper gain = 3
  pipeline Gain(gain) | last = Gain }
)",
              "Gain | Pair(gain = 2 * t) | Gain(7)") == R"(
rule Gain | Pair(gain = 2 * t) | Gain(7)
  hyper gain.gain: group number = 2
  hyper pair.gain: group number = bound
  hyper gain_3.gain: group number = bound
  hyper last.gain: group number = 2
  hyper gain_2.gain: group number = 7
  input loss: model
  stage gain = Gain
    step
      grad = ((gain.gain:group * loss:model):group * grad:element):element
  stage gain_3 = Gain
    bind pair.gain = (2 * t:model):model
    bind gain_3.gain = pair.gain:group
    step
      grad = ((gain_3.gain:group * loss:model):group * grad:element):element
  stage last = Gain
    step
      grad = ((last.gain:group * loss:model):group * grad:element):element
  stage gain_2 = Gain
    step
      grad = ((gain_2.gain:group * loss:model):group * grad:element):element
)");
}

TEST_CASE("defaults use earlier hypers as the pipeline sets them") {
  const std::string module = R"(
rule R {
  hyper beta1 = 0.9
  hyper beta2 = beta1 / 2
  hyper bool fast = beta2 > 0.4
  step { update = (if fast then beta2 else beta1) * grad }
}
)";
  const auto defaults = [&](const std::string& pipeline) {
    test::Session session;
    session.add("m", module);
    const auto rule = session.resolve(pipeline, "m");
    INFO(session.text());
    REQUIRE(rule);
    return std::vector<double>{rule->hypers[0].default_value, rule->hypers[1].default_value,
                               rule->hypers[2].default_value};
  };
  CHECK(defaults("R") == std::vector<double>{0.9, 0.45, 1});
  CHECK(defaults("R(0.5)") == std::vector<double>{0.5, 0.25, 0});
  CHECK(defaults("R(fast = false, beta2 = 0.6)") == std::vector<double>{0.9, 0.6, 0});

  test::Session session;
  session.add("m", module);
  const auto rule = session.resolve("R(beta1 = 1 / t)", "m");
  REQUIRE(rule);
  CHECK(rule->hypers[0].bound);
  CHECK_FALSE(rule->hypers[0].follows);
  for (const int i : {1, 2}) {
    CHECK(rule->hypers[static_cast<std::size_t>(i)].follows);
    CHECK_FALSE(rule->hypers[static_cast<std::size_t>(i)].bound);
  }
  CHECK_FALSE(session.resolve("R(beta2 = 1 / t)", "m")->hypers[1].follows);
}

TEST_CASE("a given input, calls and a state of hypers") {
  CHECK(typed(R"(
rule R {
  hyper model start = 2
  input model loss
  state model best = 2 * start
  step {
    if given(loss) and loss < best { best = loss }
    update = best * calls * grad
  }
}
)",
              "R") == R"(
rule R
  hyper start: model number = 2
  state best: model = (2 * start:model):model
  input loss: model
  stage r = R
    step
      if (given(loss):model and (loss:model < best:model):model):model
        best = loss:model
      update = ((best:model * calls:model):model * grad:element):element
  param -= update
)");
}

TEST_CASE("skip and hold are statements, once for each turn of a loop") {
  CHECK(typed(R"(
rule R {
  hyper model int k = 2
  input model loss
  state m
  step {
    m = m + grad
    if t > 1 { skip if loss > 3 } else { hold if calls % k != 0 }
    for i in 1..2 { hold if t == i }
  }
}
)",
              "R") == R"(
rule R
  hyper k: model int = 2
  state m: element
  input loss: model
  stage r = R
    step
      m = (m:element + grad:element):element
      if (t:model > 1):model
        skip if (loss:model > 3):model
      else
        hold if ((calls:model % k:model):model != 0):model
      hold if (t:model == 1):model
      hold if (t:model == 2):model
)");
}

TEST_CASE("what a call that ends early leaves is read by it") {
  const auto codes = [](const std::string& statements) {
    test::Session session;
    session.add("m", "rule R {\n  input model loss\n  state m = 0\n  state v = 0\n  step {\n" +
                         statements + "\n    update = (m + v) * loss\n  }\n}");
    session.check("m");
    return session.codes();
  };
  CHECK(codes("m = 1\n m = 2\n v = 1") == "TW0703");
  CHECK(codes("m = 1\n skip if loss > 1\n m = 2\n v = 1").empty());
  CHECK(codes("param = 1\n hold if loss > 1\n param = 2\n v = 1").empty());
  CHECK(codes("param = 1\n skip if loss > 1\n param = 2\n v = 1") == "TW0703");
}
