// The test of the test: examples are reproducible, every list of choices is a rule that compiles, a
// planted difference is found, and what is printed of it is small.
#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/targets/target.h"
#include "tests/random/check_rule.h"
#include "tests/random/shrink.h"

namespace talweg::tests {

namespace {

using builtins::Op;

/// Compiles something else wherever the rule computes `from`.
CheckOptions planted(Op from, Op to) {
  CheckOptions options{.isas = {"scalar"}, .both_types = false, .plant = {}};
  options.plant = [from, to](ir::Graph& graph) {
    for (ir::Node& node : graph.nodes)
      if (node.kind == ir::NodeKind::Apply && node.op == from) node.op = to;
  };
  return options;
}

/// The first example that shows the planted difference, made smaller.
Example smallest(const CheckOptions& options) {
  const auto fails = [&](Choices& choices) {
    const Example example = draw_example(choices);
    const std::string fault = check_example(example, options).fault;
    return fault.find("expected") != std::string::npos;
  };
  for (std::uint64_t n = 0; n < 400; ++n) {
    Choices choices = choices_of_example(n);
    if (!fails(choices)) continue;
    Choices small(shrink(choices.taken(), fails, 800));
    REQUIRE(fails(small));
    Choices again(small.taken());
    return draw_example(again);
  }
  FAIL("400 examples do not show the difference");
  return {};
}

std::ptrdiff_t lines(const std::string& text) { return std::ranges::count(text, '\n'); }

/// Compares a text with the interpreter on every instruction set of this machine, in both types.
/// Gives what came up.
std::set<std::string> require_same_everywhere(const std::string& module) {
  std::set<std::string> features;
  Example example{.setting = {}, .rule = {.module = module, .library = {}, .expression = "m.R"}};
  example.setting.tensors = {{17, 0}, {5, 1}, {0, 0}, {130, 0, {65, 2}}, {24, 1, {2, 3, 4}}};
  example.setting.groups = 2;
  example.setting.steps = 3;
  CheckOptions options{.isas = {}, .both_types = true, .plant = {}};
  for (const targets::Target* target : targets::all_targets())
    if (target->runs_here()) options.isas.emplace_back(target->name());
  for (example.setting.seed = 1; example.setting.seed <= 6; ++example.setting.seed) {
    const Outcome outcome = check_example(example, options);
    INFO(outcome.fault);
    CHECK(outcome.fault.empty());
    features.insert(outcome.features.begin(), outcome.features.end());
  }
  return features;
}

}  // namespace

TEST_CASE("an input in arms that turn out equal is missing everywhere or nowhere") {
  require_same_everywhere(R"(
rule R {
  input hessian
  input model loss
  state model best
  step {
    param = if hessian > 0 then grad * grad else update * grad
    best = if loss > 1 then t * calls else calls * t
  }
})");
}

TEST_CASE("an initial value that a pass finds out to be constant is still given") {
  require_same_everywhere(R"(
rule R {
  hyper rate = 0.5
  hyper model first = 0.5
  state s = if rate < 1 and 2 > inf then rate else 1.5
  state group g = rate * 0 + 0^0 * 3
  state model best = if first < 1 and 2 > inf then first else 2.5
  step {
    s = 2 * s
    g = g + 1
    best = best + 1
    param = s + g + best
  }
})");
}

TEST_CASE("a truth that an arm of a `when` and the step decide together is no way") {
  require_same_everywhere(R"(
rule First { step { update = 1 / (2 - t) } }
rule Powers { step { param = if is_finite(update) then 2 * param else grad; update = 0.1^(100 * t) } }
rule Jumps { step { param = if is_finite(update) then 3 * param else grad; update = 1 / (3 - t) } }
rule Finite { step { param = if is_finite(update) then 4 * param else grad } }
rule Choice {
  when size >= 8: Powers
  when named("tensor0"): Powers
  otherwise: Jumps
}
rule R { pipeline First | Choice | Finite }
)");
}

TEST_CASE("views of arms and of bound hypers are read and swapped to the bit") {
  require_same_everywhere(R"(
rule Mean {
  hyper decay = 0.5 in [0, 1]
  state average = param
  state model held
  step {
    held += 1
    average = decay * average + (1 - decay) * param
    update = grad
  }
  view mean = average / (1 - decay^t)
  view counted = held - t
}
rule Ahead {
  step { skip if calls == 2 }
  view ahead = if param > 0 then param else -param * t
}
rule Choice {
  when rank > 1: Mean(decay = if t < 2 then 0.25 else 0.75)
}
rule R { pipeline Ahead | Choice }
)");
}

TEST_CASE("rows, columns and matrices are the same to the bit, on vectors too") {
  require_same_everywhere(R"(
rule R {
  hyper rate = 0.5
  hyper half = 0.5 * rate
  input tensor factor
  matrix (last two)
  state row r = half
  state col c
  state matrix x = rate
  state tensor longest
  state slow = param
  step {
    var sum_of_rows = 0
    if rank >= 2 {
      r = 0.5 * r + 0.5 * (mean(grad^2) per row)
      c = max(c, max(abs(grad)) per col)
      x = x + (dot(r, r) per matrix)
      longest = previous(norm(r) per tensor)
      grad *= rsqrt(1 + r) / (1 + c) + (if any(grad > c) per row then x else rows / cols)
      sum_of_rows = sum(sum(grad) per row) per tensor
    }
    update = if given(factor) then factor * grad else grad / (1 + abs(sum_of_rows))
  }
  after { slow += half * (param - slow) }
})");
}

TEST_CASE("what leaves `rank >= 2` with one value per matrix or row is there for vectors too") {
  const char* kBodies[] = {
      "update = 1; if rank >= 2 { update = sum(grad + 1) per matrix }",
      "update = 1; if rank >= 2 { update = sum(grad + 1) per row }; update = update * 2 + t",
      "grad = 3; if rank >= 2 { let m = mean(param) per col; grad = if grad > 0 then m else m }; "
      "update = sqrt(grad) + 1",
      "update = 1; if rank < 2 { update = size } else { let m = mean(param) per matrix; update = "
      "if param > 0 then m else m }; update = exp(update)"};
  for (const char* body : kBodies)
    require_same_everywhere(std::string("rule R { step { ") + body + " } }\n");
}

TEST_CASE("a state per tensor that nothing per tensor is assigned to is kept all the same") {
  require_same_everywhere(R"(
rule R {
  hyper int rate = 3
  state tensor s
  step { s = 2 * rate }
})");
}

TEST_CASE("a state that only the place of a new gradient depends on has memory") {
  require_same_everywhere(R"(
rule R {
  state s
  state slow = 2 * param
  input element_input
  step {
    let origin = param
    param += 3 * grad * (if 3 <= s then size else slow) + element_input
    regrad
    param = origin
  }
})");
}

TEST_CASE("a step that waits for gradients goes on, is abandoned or begins again") {
  const std::set<std::string> met = require_same_everywhere(R"(
rule Uphill {
  hyper rho = 0.5
  state first
  state calm = param
  step {
    let origin = param
    let before = grad
    first = 0.5 * first + grad
    param += rho * grad / (1 + abs(grad))
    if t > 1 or calls > 2 {
      regrad
      calm += before * grad
    }
    grad += param - calm
    regrad
    skip if calls == 3 and sum(abs(grad)) per model > 0
    param = origin + 0.25 * before
    hold if calls == 2
  }
  view there = calm - first
}
rule R { pipeline Uphill | ClipValue(1) | SGD(lr = 0.1) }
)");
  for (const char* what :
       {"run: another gradient", "run: an abandoned step", "run: a step that begins again",
        "run: a held call", "run: a skipped step", "run: a completed step"})
    CHECK((met.contains(what) ? "" : what) == std::string());
}

TEST_CASE("an example depends on its number only") {
  for (const std::uint64_t n : {0u, 7u, 1234u}) {
    Choices first = choices_of_example(n);
    Choices second = choices_of_example(n);
    const std::string text = describe(draw_example(first));
    CHECK(describe(draw_example(second)) == text);
    Choices replayed(first.taken());
    CHECK(describe(draw_example(replayed)) == text);
  }
}

TEST_CASE("whatever is cut out of the choices, a well-typed rule is left") {
  const CheckOptions front_end_only{.isas = {}, .both_types = false, .plant = {}};
  for (std::uint64_t n = 0; n < 30; ++n) {
    Choices whole = choices_of_example(n);
    draw_example(whole);
    std::vector<std::uint32_t> list = whole.taken();
    for (std::uint64_t edit = 0; list.size() > 20; ++edit) {
      const std::size_t begin = counter_random(n, edit) % list.size();
      const std::size_t end = std::min(list.size(), begin + 1 + list.size() / 4);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(begin),
                 list.begin() + static_cast<std::ptrdiff_t>(end));
      Choices choices(list);
      const Example example = draw_example(choices);
      INFO(describe(example));
      CHECK(check_example(example, front_end_only).fault.empty());
    }
  }
}

TEST_CASE("no choices at all make the simplest rule") {
  Choices none(std::vector<std::uint32_t>{});
  const Example example = draw_example(none);
  CHECK(lines(example.rule.module) <= 5);
  CHECK(example.setting.tensors.size() == 1);
}

TEST_CASE("a planted difference is found and made small") {
  const auto [from, to] = GENERATE(std::pair(Op::Floor, Op::Ceil), std::pair(Op::Lt, Op::Le));
  const Example example = smallest(planted(from, to));
  INFO(describe(example));
  CHECK(lines(example.rule.module) <= 15);
  CHECK(example.rule.module.size() < 200);
  CHECK(example.setting.steps <= 2);
  CHECK(example.setting.tensors.size() <= 3);  // the first may have no gradient
}

}  // namespace talweg::tests
