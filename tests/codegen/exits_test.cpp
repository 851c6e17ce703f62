// `skip if` and `hold if` on every target: the same bits as the interpreter, and through whole
// optimizers what the language says they mean.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "runtime/optimizer/optimizer.hpp"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/try_on_every_target.h"
#include "tests/ir/compile_text.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

using optimizer::StepOutcome;

constexpr const char* kRules = R"(
rule Gather {
  hyper model int k = 3 in [1, inf)
  state total
  step {
    total += grad
    hold if calls % k != 0
    grad = total / k
    total = 0
  }
}
rule Move {
  hyper lr = 0.5 in [0, inf)
  step { update = lr * grad }
}
rule Keep {
  input model loss
  state m
  state other
  state model seen
  step {
    other = other + 2
    m = m + grad
    seen = seen + 1
    param -= 1
    skip if loss > 10
    m = 100
    seen = 100
  }
}
rule Before {
  state b
  state model c
  step { b = b + 1; c += 1; param += 8 }
}
rule Many {
  input model loss
  hyper bool flip = false
  state m
  state v
  state group g
  step {
    m = 0.5 * m + grad
    if t > 1 {
      v = v + m
      skip if given(loss) and loss < 0
      v = 2 * v
    } else {
      hold if calls % 2 == 0
    }
    g = g + 1
    hold if t % 3 == 0 and calls % 2 == 1
    param += if flip then m / (1 - 0.9^t) else -m
    skip if t == 5
    update = v / (1 - 0.99^t)
  }
  after {
    m += param
    hold if t == 4
    v = v - m
    skip if calls % 7 == 0
  }
}
rule Starts {
  hyper model gain = 2 in [0, inf)
  input model loss
  state from_param = param
  state from_hyper = gain
  state model scalar = gain
  state group grouped = gain
  state own = param
  step {
    own = own + 1
    skip if loss > 10
    hold if loss > 5
    from_param = from_param + 1
    from_hyper = from_hyper + 1
    scalar = scalar + 1
    grouped = grouped + 1
  }
}
rule Ranged {
  hyper rate = 1 in [0, 1]
  step { update = rate * grad }
}
rule SkipsOn {
  input model loss
  step { skip if loss > 10 }
}
rule Bounded = SkipsOn | Ranged(rate = t + 1)
rule InAfter {
  input model loss
  state s
  state a
  step { s = s + 1; update = grad }
  after {
    a = param
    skip if loss > 10
    hold if loss > 5
    a = 0
  }
}
rule InIf {
  input model loss
  state m
  step {
    if t == 1 {
      m = m + 1
      skip if loss > 10
      m = m + 2
    } else {
      hold if loss > 10
    }
    update = grad
  }
}
rule Changes {
  input model loss
  step {
    let change = grad - previous(grad)
    skip if loss > 10
    hold if loss > 5
    update = change
  }
}
)";

/// One tensor [1, 2, 3] with gradient [1, 1, 1] under an optimizer.
struct Trial {
  std::vector<double> param{1, 2, 3};
  std::vector<double> grad{1, 1, 1};
  optimizer::Optimizer optimizer;

  explicit Trial(const std::shared_ptr<driver::Program>& program)
      : optimizer(make(program, param)) {}

  static optimizer::Optimizer make(const std::shared_ptr<driver::Program>& program,
                                   std::vector<double>& param) {
    return make_optimizer(program->image(), {{"w", {3}, param.data(), 0, {}}}, 1, 0, program);
  }

  support::Result<StepOutcome> try_step(std::optional<double> loss = {}) {
    optimizer::StepInputs inputs;
    if (loss) inputs.model.emplace_back("loss", *loss);
    const void* const gradients[] = {grad.data()};
    return optimizer.step(gradients, inputs);
  }
  StepOutcome step(std::optional<double> loss = {}) {
    const auto stepped = try_step(loss);
    INFO((stepped ? std::string() : stepped.failure().message));
    REQUIRE(stepped);
    return *stepped;
  }
  [[nodiscard]] std::vector<double> state(const char* name) const {
    const auto* start = static_cast<const double*>(*optimizer.state(name, 0));
    return {start, start + 3};
  }
  [[nodiscard]] double scalar(const char* name) const { return *optimizer.scalar(name); }
};

using Numbers = std::vector<double>;

void on_every_target(const std::string& rule, const std::function<void(Trial&)>& check) {
  try_on_every_target<Trial>(rule, kRules, check);
}

}  // namespace

TEST_CASE("rules that skip and hold have the same bits on every target") {
  StepSetting ways;  // through every end
  ways.tensors = {{70, 0}, {1, 1}, {19, 0, false}};
  ways.group_count = 2;
  ways.steps = 9;
  StepSetting shared;  // among threads
  shared.tensors = {{TALWEG_CHUNK_ELEMENTS + 3, 0}, {33, 1}, {5, 1}};
  shared.group_count = 2;
  shared.threads = 3;
  shared.steps = 2;
  for (const char* rule : {"m.Gather | m.Move", "m.Before | m.Keep | m.Move", "m.Many",
                           "m.Before | m.Many | m.Gather | AdamW", "m.Starts | m.Move", "m.Bounded",
                           "m.InAfter", "m.InIf | m.Gather(k = 2) | m.Many"})
    require_same_bits(graph_of_rule(rule, kRules), {ways, shared}, rule);
}

TEST_CASE("a held call keeps what was assigned, a later one uses it") {
  on_every_target("m.Gather | m.Move", [](Trial& run) {
    CHECK(run.step() == StepOutcome::Held);
    CHECK(run.step() == StepOutcome::Held);
    CHECK(run.state("total") == Numbers{2, 2, 2});
    CHECK(run.param == Numbers{1, 2, 3});
    CHECK(run.optimizer.steps_completed() == 0);
    CHECK(run.optimizer.calls() == 2);
    run.grad = {4, 1, -2};
    CHECK(run.step() == StepOutcome::Completed);
    CHECK(run.param == Numbers{0, 1.5, 3});
    CHECK(run.state("total") == Numbers{0, 0, 0});
    CHECK(run.optimizer.steps_completed() == 1);
    CHECK(run.optimizer.calls() == 3);
    CHECK(run.step() == StepOutcome::Held);
  });
}

TEST_CASE("a skipped step keeps only what its own block assigned to states before") {
  on_every_target("m.Before | m.Keep | m.Move", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Skipped);
    CHECK(run.param == Numbers{1, 2, 3});  // though two stages assigned it before
    CHECK(run.state("m") == Numbers{1, 1, 1});
    CHECK(run.state("other") == Numbers{2, 2, 2});
    CHECK(run.scalar("seen") == 1);
    CHECK(run.state("b") == Numbers{0, 0, 0});
    CHECK(run.scalar("c") == 0);
    CHECK(run.optimizer.steps_completed() == 0);
    CHECK(run.optimizer.calls() == 1);
    CHECK(run.step(10) == StepOutcome::Completed);
    CHECK(run.state("m") == Numbers{100, 100, 100});
    CHECK(run.state("b") == Numbers{1, 1, 1});
    CHECK(run.scalar("seen") == 100);
    CHECK(run.param == Numbers{7.5, 8.5, 9.5});
    CHECK(run.optimizer.steps_completed() == 1);
  });
}

TEST_CASE("a condition that is not a number is false, and one that needs a missing input refuses") {
  on_every_target("m.Keep", [](Trial& run) {
    CHECK(run.step(std::nan("")) == StepOutcome::Completed);
    const Numbers before = run.param;
    CHECK_FALSE(run.try_step());
    CHECK(run.param == before);
    CHECK(run.optimizer.calls() == 1);
  });
}

TEST_CASE("states get their initial values in the first call that keeps them") {
  on_every_target("m.Starts", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Skipped);
    CHECK(run.state("own") == Numbers{2, 3, 4});  // its assignment was kept: it has begun
    run.param = {10, 20, 30};
    REQUIRE(run.optimizer.set_hyper("gain", 5));
    CHECK(run.scalar("scalar") == 5);
    CHECK(run.step(11) == StepOutcome::Skipped);
    CHECK(run.state("own") == Numbers{3, 4, 5});
    CHECK(run.step(6) == StepOutcome::Held);
    CHECK(run.state("from_param") == Numbers{10, 20, 30});
    CHECK(run.state("from_hyper") == Numbers{5, 5, 5});
    run.param = {7, 7, 7};
    REQUIRE(run.optimizer.set_hyper("gain", 3));
    CHECK(run.scalar("scalar") == 5);
    CHECK(run.scalar("grouped") == 5);
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.state("from_param") == Numbers{11, 21, 31});
    CHECK(run.state("from_hyper") == Numbers{6, 6, 6});
    CHECK(run.scalar("scalar") == 6);
    CHECK(run.scalar("grouped") == 6);
    CHECK(run.state("own") == Numbers{5, 6, 7});
  });
}

TEST_CASE("a hyper bound behind an exit is not evaluated where it is taken") {
  on_every_target("m.Bounded", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Skipped);  // t + 1 = 2 is outside [0, 1]
    const auto refused = run.try_step(0);
    REQUIRE_FALSE(refused);
    CHECK(refused.failure().kind == support::FailureKind::Numeric);
    CHECK(run.param == Numbers{1, 2, 3});
    CHECK(run.optimizer.calls() == 1);
    CHECK(run.step(11) == StepOutcome::Skipped);
  });
}

TEST_CASE("exits in `after`: param is restored by a skip and kept by a hold") {
  on_every_target("m.InAfter", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Skipped);
    CHECK(run.param == Numbers{1, 2, 3});
    CHECK(run.state("a") == Numbers{0, 1, 2});  // as it stood there
    CHECK(run.state("s") == Numbers{0, 0, 0});  // of another block
    CHECK(run.step(6) == StepOutcome::Held);
    CHECK(run.param == Numbers{0, 1, 2});
    CHECK(run.state("a") == Numbers{0, 1, 2});
    CHECK(run.state("s") == Numbers{1, 1, 1});
    CHECK(run.optimizer.steps_completed() == 0);
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.state("a") == Numbers{0, 0, 0});
  });
}

TEST_CASE("an exit in an `if` is taken where the condition around it holds too") {
  on_every_target("m.InIf", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Skipped);
    CHECK(run.state("m") == Numbers{1, 1, 1});
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.state("m") == Numbers{4, 4, 4});
    CHECK(run.param == Numbers{0, 1, 2});
    CHECK(run.step(11) == StepOutcome::Held);
    CHECK(run.param == Numbers{0, 1, 2});
    CHECK(run.state("m") == Numbers{4, 4, 4});
    CHECK(run.step(0) == StepOutcome::Completed);
  });
}

TEST_CASE("of several exits the first whose condition holds is taken") {
  constexpr const char* kOrder = R"(
rule Order {
  input model loss
  state m
  step {
    m = 1
    hold if loss > 20
    m = 2
    skip if loss > 10
    m = 3
    hold if loss > 5
    m = 4
  }
})";
  const auto program =
      driver::make_interpreter(graph_of_rule("m.Order", kOrder), types::ComputeType::F64);
  Trial run(program);
  CHECK(run.step(21) == StepOutcome::Held);
  CHECK(run.state("m") == Numbers{1, 1, 1});
  CHECK(run.step(11) == StepOutcome::Skipped);
  CHECK(run.state("m") == Numbers{2, 2, 2});
  CHECK(run.step(6) == StepOutcome::Held);
  CHECK(run.state("m") == Numbers{3, 3, 3});
  CHECK(run.step(1) == StepOutcome::Completed);
  CHECK(run.state("m") == Numbers{4, 4, 4});
}

TEST_CASE("what a skipped or held call does not keep, it does not touch") {
  // A signalling NaN and a subnormal would change where they are loaded and written back.
  const ir::Graph graph = graph_of_rule("m.Gather | m.Move", kRules);
  constexpr auto kCompute = types::ComputeType::F32;
  std::vector<std::shared_ptr<driver::Program>> programs = {
      driver::make_interpreter(graph, kCompute)};
  for (const std::string& isa : isas_here()) programs.push_back(compile_for(graph, kCompute, isa));
  for (const auto& program : programs) {
    std::vector<std::uint32_t> bits{0x7fa00001u, 0x00000001u, 0x80000000u};
    const std::vector<std::uint32_t> before = bits;
    const std::vector<float> grad(3, 1.0F);
    auto optimizer = make_optimizer(program->image(), {{"w", {3}, bits.data(), 0, {}}});
    const void* const gradients[] = {grad.data()};
    REQUIRE(*optimizer.step(gradients) == StepOutcome::Held);
    CHECK(bits == before);
  }
}

TEST_CASE("gradients of no finite norm skip the step that clips them") {
  on_every_target("ClipByGlobalNorm(max_norm = 5) | SGD(lr = 1)", [](Trial& run) {
    for (const double wrong : {std::nan(""), std::numeric_limits<double>::infinity(), -1e300}) {
      run.grad = {1, wrong, 1};
      CHECK(run.step() == StepOutcome::Skipped);
      CHECK(run.param == Numbers{1, 2, 3});
    }
    run.grad = {6, 8, 0};
    CHECK(run.step() == StepOutcome::Completed);
    CHECK(run.param == Numbers{-2, -2, 3});
    CHECK(run.optimizer.steps_completed() == 1);
  });
}

TEST_CASE("what `previous` reads is of the last completed step, not of a skipped or held call") {
  on_every_target("m.Changes", [](Trial& run) {
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.param == Numbers{0, 1, 2});
    run.grad = {5, 5, 5};
    CHECK(run.step(11) == StepOutcome::Skipped);
    run.grad = {7, 7, 7};
    CHECK(run.step(6) == StepOutcome::Held);
    run.grad = {2, 1, 4};
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.param == Numbers{-1, 1, -1});
  });
}

TEST_CASE("gathered gradients move the parameters as their mean does") {
  on_every_target("AccumulateGradient(k = 2) | SGD(lr = 1)", [](Trial& run) {
    run.grad = {1, 2, 3};
    CHECK(run.step() == StepOutcome::Held);
    run.grad = {3, 2, -3};
    CHECK(run.step() == StepOutcome::Completed);
    CHECK(run.param == Numbers{-1, 0, 3});
    REQUIRE(run.optimizer.set_hyper("k", 3));
    CHECK(run.step() == StepOutcome::Held);
    CHECK(run.step() == StepOutcome::Held);
    REQUIRE(run.optimizer.set_hyper("k", 1));
    run.grad = {0, -1, 6};
    CHECK(run.step() == StepOutcome::Completed);
    CHECK(run.param == Numbers{-3, -1, 3});
    CHECK(run.optimizer.steps_completed() == 2);
    CHECK(run.optimizer.calls() == 5);
  });
  on_every_target("m.SkipsOn | AccumulateGradient(k = 2, reduce = sum) | SGD(lr = 1)",
                  [](Trial& run) {
                    CHECK(run.step(0) == StepOutcome::Held);
                    CHECK(run.step(11) == StepOutcome::Skipped);  // no part of the group
                    CHECK(run.step(0) == StepOutcome::Completed);
                    CHECK(run.param == Numbers{-1, 0, 1});
                  });
  on_every_target("AccumulateGradient(k = 2) | m.SkipsOn | SGD(lr = 1)", [](Trial& run) {
    CHECK(run.step(11) == StepOutcome::Held);
    run.grad = {9, 9, 9};
    CHECK(run.step(11) == StepOutcome::Skipped);  // undone: the first gradient stays
    CHECK(run.state("total") == Numbers{1, 1, 1});
    run.grad = {3, 3, 3};
    CHECK(run.step(0) == StepOutcome::Completed);
    CHECK(run.param == Numbers{-1, 0, 1});
  });
}

}  // namespace talweg::tests
