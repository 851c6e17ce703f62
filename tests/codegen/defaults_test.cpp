// Defaults that are expressions of other hypers: until such a hyper is set it follows them, in each
// group, in steps, initial values and views, on every target.
#include <catch2/catch.hpp>
#include <functional>

#include "runtime/optimizer/optimizer.hpp"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/try_on_every_target.h"
#include "tests/ir/compile_text.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

using Numbers = std::vector<double>;

constexpr const char* kRules = R"(
rule Follows {
  hyper lr = 0.5 in [0, inf)
  hyper share = 1 - lr / 4 in [0, 1]
  hyper bool flip = share < 0.5
  hyper int wait = 3
  hyper int twice = 2 * wait
  state start = share
  step {
    start += 0
    update = if flip then -share else share
    if t > twice { update = 100 }
  }
  view sum = share + start
}
rule Inner {
  hyper model int k = 3 in [1, inf)
  hyper model int first = k in [1, inf)
  step { update = first }
}
rule Outer {
  hyper model int every = 4 in [1, inf)
  pipeline Inner(k = every + t)
}
)";

/// Two groups with a tensor of one element each, gradients 1.
struct Trial {
  Numbers params{0, 0};
  double grad = 1;
  optimizer::Optimizer optimizer;

  explicit Trial(const std::shared_ptr<driver::Program>& program)
      : optimizer(make(program, params)) {}

  static optimizer::Optimizer make(const std::shared_ptr<driver::Program>& program,
                                   Numbers& params) {
    return make_optimizer(program->image(),
                          {{"a", {1}, &params[0], 0, {}}, {"b", {1}, &params[1], 1, {}}}, 2, 0,
                          program);
  }

  support::Status try_step() {
    const void* const gradients[] = {&grad, &grad};
    const auto stepped = optimizer.step(gradients);
    return stepped ? support::ok() : support::Status(stepped.failure());
  }
  void step() {
    const auto stepped = try_step();
    INFO((stepped ? std::string() : stepped.failure().message));
    REQUIRE(stepped);
  }
  /// What the step subtracted.
  Numbers update() {
    params = {0, 0};
    step();
    return {-params[0], -params[1]};
  }
  Numbers view(const char* name) {
    Numbers out{0, 0};
    REQUIRE(optimizer.read_view(name, std::vector<void*>{&out[0], &out[1]}));
    return out;
  }
};

void on_every_target(const std::string& rule, const std::function<void(Trial&)>& check) {
  try_on_every_target<Trial>(rule, kRules, check);
}

}  // namespace

TEST_CASE("a hyper follows its default until it is set, in its group") {
  on_every_target("m.Follows", [](Trial& run) {
    CHECK_FALSE(run.optimizer.hyper("share"));  // not before a step
    CHECK(run.update() == Numbers{0.875, 0.875});
    CHECK(*run.optimizer.hyper("share") == 0.875);
    REQUIRE(run.optimizer.set_hyper("lr", 3, 1));
    CHECK(run.update() == Numbers{0.875, -0.25});
    CHECK(run.view("sum") == Numbers{1.75, 1.125});  // start began with the first step
    CHECK(*run.optimizer.hyper("share", 1) == 0.25);
    REQUIRE(run.optimizer.set_hyper("flip", 0, 1));
    REQUIRE(run.optimizer.set_hyper("share", 0.5, 0));
    CHECK(*run.optimizer.hyper("share", 0) == 0.5);
    CHECK(run.update() == Numbers{0.5, 0.25});
    CHECK(*run.optimizer.hyper("share", 0) == 0.5);
    REQUIRE(run.optimizer.set_hyper("wait", 1));  // twice is 2
    CHECK(run.update() == Numbers{100, 100});
    REQUIRE(run.optimizer.set_hyper("twice", 4, 1));
    CHECK(run.update() == Numbers{100, 100});
    REQUIRE(run.optimizer.set_hyper("twice", 40, 1));
    CHECK(run.update() == Numbers{100, 0.25});
  });
}

TEST_CASE("what a default computes is held to the range, and a refused step changes nothing") {
  on_every_target("m.Follows", [](Trial& run) {
    REQUIRE(run.optimizer.set_hyper("lr", 8));
    const auto refused = run.try_step();
    REQUIRE_FALSE(refused);
    CHECK(refused.failure().kind == support::FailureKind::Numeric);
    CHECK(refused.failure().message.find("share") != std::string::npos);
    CHECK(run.params == Numbers{0, 0});
    CHECK_FALSE(run.optimizer.set_hyper("share", 2));
    REQUIRE(run.optimizer.set_hyper("share", 1));
    CHECK(run.update() == Numbers{1, 1});
  });
}

TEST_CASE("a default follows a hyper that the pipeline binds") {
  on_every_target("m.Outer", [](Trial& run) {
    CHECK(run.update() == Numbers{5, 5});
    REQUIRE(run.optimizer.set_hyper("every", 10));
    CHECK(run.update() == Numbers{12, 12});
    REQUIRE(run.optimizer.set_hyper("first", 7));
    CHECK(run.update() == Numbers{7, 7});
    CHECK_FALSE(run.optimizer.set_hyper("k", 7));
  });
}

}  // namespace talweg::tests
