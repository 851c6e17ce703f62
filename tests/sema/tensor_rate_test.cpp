// Values of tensor and group rate: states and inputs, `rank` and `size`, `require`; and `previous`.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;
using test::typed;

namespace {

std::string rule_of(const std::string& declarations, const std::string& step) {
  return "rule R {\n" + declarations + "\nstep {\n" + step + "\nupdate = grad\n}\n}\n";
}

std::string after_stage(const std::string& argument) {
  return "rule A {\n state group g = 1\n state tensor s = 1\n state e = 1\n state model m = 1\n"
         " step { e = s * g * m * grad\n update = e } }\n"
         "rule B { hyper lr = 1\n step { update = lr * grad } }\n"
         "rule R = a = A() | B(lr = " +
         argument + ")\n";
}

}  // namespace

TEST_CASE("states and inputs of one value per tensor or group") {
  CHECK(typed(R"(
rule R {
  hyper lr = 0.1
  state tensor scale = lr
  input tensor factor
  input group boost
  step {
    scale = 0.9 * scale + factor * norm(grad) per tensor
    update = scale * boost * grad
  }
}
)",
              "R") == R"(
rule R
  hyper lr: group number = 0.1
  state scale: tensor = lr:group
  input factor: tensor
  input boost: group
  stage r = R
    step
      scale = ((0.9 * scale:tensor):tensor + (factor:tensor * (norm(grad:element) per tensor over element):tensor):tensor):tensor
      update = ((scale:tensor * boost:group):tensor * grad:element):element
  param -= update
)");
  CHECK(codes_of(rule_of("state tensor s", "s += grad")) == "TW0303");
  CHECK(codes_of(rule_of("state group s", "s += norm(grad) per tensor")) == "TW0303");
  CHECK(codes_of(rule_of("state tensor s", "if grad > 0 { s += 1 }")) == "TW0304");
  CHECK(codes_of(rule_of("state model s", "if rank > 1 { s += 1 }")) == "TW0304");
  CHECK(codes_of(rule_of("state tensor s", "if rank > 1 { s += 1 }")).empty());
  CHECK(codes_of(rule_of("state tensor s = param", "s = 1")) == "TW0303");
  CHECK(codes_of(rule_of("input matrix s", "param -= s")) == "TW0324");
}

TEST_CASE("an argument reads model and group states of earlier stages") {
  CHECK(codes_of(after_stage("a.m")).empty());
  CHECK(codes_of(after_stage("a.g")).empty());
  CHECK(codes_of(after_stage("a.s")) == "TW0226");
  CHECK(codes_of(after_stage("a.e")) == "TW0226");
  CHECK(codes_of(after_stage("mean(a.e) per group")) == "TW0226");
}

TEST_CASE("rank and size are numbers of tensor rate") {
  CHECK(typed(R"(
rule R {
  hyper lr = 0.1
  state v
  step {
    v = if rank >= 2 then grad else v + grad / size
    update = lr * sqrt(size) * v
  }
  view scaled = v / size
}
)",
              "R") == R"(
rule R
  hyper lr: group number = 0.1
  state v: element
  stage r = R
    step
      v = (if (rank:tensor >= 2):tensor then grad:element else (v:element + (grad:element / size:tensor):element):element):element
      update = ((lr:group * sqrt(size:tensor):tensor):tensor * v:element):element
  param -= update
  view scaled = (v:element / size:tensor):element
)");
  CHECK(codes_of(rule_of("state s = size", "param -= s")).empty());
  CHECK(codes_of(rule_of("state group s = size", "param -= s")) == "TW0303");
  CHECK(codes_of(rule_of("hyper h = size", "param -= h")) == "TW0224");
  CHECK(codes_of(after_stage("1 / size")) == "TW0224");
  CHECK(codes_of("fn f(x) = x / size") == "TW0224");
  CHECK(codes_of("fn f(x, size) = x / size\n" + rule_of("", "param -= f(grad, size)")).empty());
  CHECK(codes_of(rule_of("", "size = 1")) == "TW0316");
  CHECK(codes_of(rule_of("", "let size = 1")) == "TW0205");
}

TEST_CASE("a reduction stands under facts of its own tensors only") {
  CHECK(codes_of(rule_of("state m = 0", "if rank > 1 { m += norm(grad) per model }")) == "TW0322");
  CHECK(codes_of(rule_of("state m = 0", "if rank > 1 { m += norm(grad) per tensor }\nparam -= m"))
            .empty());
}

TEST_CASE("require is kept with the tensors that it is asked of") {
  CHECK(typed(R"(
rule A {
  hyper const int most = 2
  require rank   <= most and not named("*.bias")
  require most > 1
  step { update = grad }
}
rule R {
  require size > 0
  when tagged("a"): A
}
)",
              "R") == R"(
rule R
  hyper most: const int = 2
  require (size:tensor > 0):tensor
  require ((rank:tensor <= 2):tensor and (not named("*.bias"):tensor):tensor):tensor when tagged("a"):tensor
  stage a = A when tagged("a"):tensor
    step
      update = grad:element
  param -= update
)");
  test::Session session;
  session.add("m", "rule A {\n  require rank   <= 1+1\n  step { update = grad }\n}\n");
  const auto rule = session.resolve("A", "m");
  REQUIRE(rule);
  REQUIRE(rule->requirements.size() == 1);
  CHECK(rule->requirements[0].text == "rank <= 1 + 1");
  CHECK(rule->requirements[0].rule == "A");
  CHECK(!rule->requirements[0].stage_condition);
}

TEST_CASE("require is decided where the optimizer is built") {
  CHECK(codes_of(rule_of("require rank", "")) == "TW0301");
  CHECK(codes_of(rule_of("hyper h = 1\nrequire h > 0", "param -= h")) == "TW0224");
  CHECK(codes_of(rule_of("require t > 0", "")) == "TW0224");
  CHECK(codes_of(rule_of("require any(rank > 1) per model", "")) == "TW0323");
  CHECK(codes_of(rule_of("require previous(rank) > 1", "")) == "TW0416");
  CHECK(codes_of(rule_of("hyper const k = 2\nrequire k > 5", "")) == "TW0415");
  CHECK(codes_of(rule_of("hyper const k = 2\nrequire k > 1", "")).empty());
}

TEST_CASE("previous is a state that is read, then assigned") {
  CHECK(typed(R"(
fn change(x) = x - previous(x)
rule R {
  step {
    let a = previous(grad + 1)
    if t > 3 { param -= change(a) + change(norm(grad) per model) }
    update = previous(2) * previous(grad+1)
  }
}
)",
              "R") == R"(
rule R
  state previous(grad + 1): element of the last step
  state previous(x): element of the last step
  state previous(x) 2: model of the last step
  state previous(2): model of the last step
  state previous(grad + 1) 2: element of the last step
  stage r = R
    step
      a = { now = (grad:element + 1):element; before = previous(grad + 1):element; previous(grad + 1) = now:element; before:element }:element
      if (t:model > 3):model
        param = (param:element - ({ x = a:element; (x:element - { now#2 = x:element; before#2 = previous(x):element; previous(x) = now#2:element; before#2:element }:element):element }:element + { x#2 = (norm(grad:element) per model over element):model; (x#2:model - { now#3 = x#2:model; before#3 = previous(x) 2:model; previous(x) 2 = now#3:model; before#3:model }:model):model }:model):element):element
      update = ({ before#4 = previous(2):model; previous(2) = 2; before#4:model }:model * { now#4 = (grad:element + 1):element; before#5 = previous(grad + 1) 2:element; previous(grad + 1) 2 = now#4:element; before#5:element }:element):element
  param -= update
)");
}

TEST_CASE("previous differs as often as the conditions around it") {
  test::Session session;
  session.add("m", rule_of("",
                           "if grad > 0 { param -= previous(t) }\n"
                           "param -= if rank > 1 then previous(t) else 0"));
  const auto rule = session.resolve("R", "m");
  REQUIRE(rule);
  REQUIRE(rule->states.size() == 2);
  CHECK(rule->states[0].rate == types::Rate::Element);
  CHECK(rule->states[1].rate == types::Rate::Tensor);
  CHECK(rule->states[1].is_previous);
  CHECK(!rule->states[1].initial);
}

TEST_CASE("what previous keeps belongs to its stage") {
  const std::string rules =
      "rule A { step { update = grad - previous(grad) } }\n"
      "rule R { when rank > 1: A | A\n otherwise: A }\n";
  test::Session session;
  session.add("m", rules);
  const auto rule = session.resolve("R", "m");
  REQUIRE(rule);
  REQUIRE(rule->states.size() == 3);
  CHECK(rule->states[0].public_name == "a.previous(grad)");
  CHECK(rule->states[1].public_name == "a_2.previous(grad)");
  CHECK(rule->states[2].condition);
}

TEST_CASE("where previous may stand") {
  CHECK(codes_of(rule_of("state s = previous(param)", "param -= s")) == "TW0416");
  CHECK(codes_of(rule_of("hyper h = previous(1)", "param -= h")) == "TW0416");
  CHECK(codes_of(rule_of("hyper const h = previous(1)", "param -= h")) == "TW0416");
  CHECK(codes_of(rule_of("", "") +
                 "rule V { step { update = grad }\n view v = previous(param) }") == "TW0416");
  CHECK(codes_of("let c = previous(1)") == "TW0416");
  CHECK(codes_of(after_stage("previous(t)")) == "TW0416");
  CHECK(codes_of("fn f(x) = x - previous(x)").empty());
  CHECK(codes_of("fn f(x) = x - previous(x)\n" + rule_of("state s = f(param)", "param -= s")) ==
        "TW0416");
  CHECK(codes_of(rule_of("", "param -= previous(grad > 0)")) == "TW0301");
  CHECK(codes_of(rule_of("", "param -= previous([1, 2])")) == "TW0310");
  CHECK(codes_of(rule_of("", "param -= previous()")) == "TW0215");
  CHECK(codes_of(rule_of("", "param -= previous(x = grad)")) == "TW0218");
  CHECK(codes_of(rule_of("", "param -= previous")) == "TW0201");
}

TEST_CASE("no warning is about the state that previous keeps") {
  CHECK(codes_of(rule_of("", "let a = previous(grad)")) == "TW0705");
  CHECK(codes_of(rule_of("hyper const k = 1", "if k > 2 { param -= previous(grad) }")).empty());
  CHECK(codes_of("rule R { state m\n step { m = m + previous(grad)\n update = m } }").empty());
}

TEST_CASE("code that constants drop leaves no state of previous behind") {
  test::Session session;
  session.add("m", rule_of("hyper const k = 1", "if k > 2 { param -= previous(grad) }"));
  const auto rule = session.resolve("R", "m");
  REQUIRE(rule);
  CHECK(rule->states.empty());
}
