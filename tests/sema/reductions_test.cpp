// Reductions: what they become, where they may stand, and over which rates.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;
using test::codes_of_step;
using test::typed;

namespace {

/// A rule with states and inputs of all rates around the statements of a step.
std::string rule_of(const std::string& statements) {
  return "rule R {\n"
         "  hyper lr = 0.1\n  hyper model cap = 1\n  hyper const k = 2\n"
         "  input model loss\n  input noise\n"
         "  state m = 0\n  state group mu = 0\n  state model total = 0\n"
         "  step {\n    let _read = lr * cap * k * loss * noise * m * mu * total\n" +
         statements + "\n    update = grad\n  }\n}\n";
}

}  // namespace

TEST_CASE("a reduction has the rate asked for, and says what it is over") {
  CHECK(typed(R"(
rule Trust {
  hyper lr = 0.1
  state model steps
  step {
    let length = norm(grad) per tensor
    let all_sizes = sum(length * lr) per group
    let how_many = count(grad > 0) per model
    let is_bad = any(not is_finite(grad)) per model
    let along = dot(grad, param) per tensor
    steps += if is_bad then 0 else how_many
    update = grad * all_sizes / (length + along)
  }
}
)",
              "Trust") == R"(
rule Trust
  hyper lr: group number = 0.1
  state steps: model
  stage trust = Trust
    step
      length = (norm(grad:element) per tensor over element):tensor
      all_sizes = (sum((length:tensor * lr:group):tensor) per group over tensor):group
      how_many = (count((grad:element > 0):element) per model over element):model
      is_bad = (any((not is_finite(grad:element):element):element) per model over element):model
      along = (dot(grad:element, param:element) per tensor over element):tensor
      steps = (steps:model + (if is_bad:model then 0 else how_many:model):model):model
      update = ((grad:element * all_sizes:group):element / (length:tensor + along:tensor):tensor):element
  param -= update
)");
}

TEST_CASE("every reduction, per every rate that all tensors have") {
  for (const char* rate : {"model", "group", "tensor"}) {
    const std::string per = std::string(" per ") + rate;
    for (const char* call : {"sum(grad)", "mean(grad)", "min(grad)", "max(grad)", "norm(grad)",
                             "dot(grad, param)", "dot(grad, lr)", "count(grad > 0)"}) {
      INFO(call << per);
      CHECK(codes_of(rule_of(std::string("param -= ") + call + per)).empty());
    }
    for (const char* call : {"any(grad > 0)", "all(grad > lr)"}) {
      INFO(call << per);
      CHECK(codes_of(rule_of(std::string("if ") + call + per + " { param = m }")).empty());
    }
  }
  for (const char* rate : {"const", "element", "layer", "modle"})
    CHECK(codes_of(rule_of(std::string("m = sum(grad) per ") + rate)) == "TW0407");
}

TEST_CASE("per binds tighter than operators") {
  CHECK(codes_of(rule_of("total = 1 / norm(grad) per model ^ 2")).empty());
  CHECK(codes_of(rule_of("total = -sum(grad) per model")).empty());
}

TEST_CASE("what is reduced differs more often than the result") {
  CHECK(codes_of(rule_of("m = sum(lr) per tensor")) == "TW0321");
  CHECK(codes_of(rule_of("m = sum(lr) per group")) == "TW0321");
  CHECK(codes_of(rule_of("m = sum(2) per model")) == "TW0321");
  CHECK(codes_of(rule_of("m = sum(k) per tensor")) == "TW0321");
  CHECK(codes_of(rule_of("m = sum(loss) per model")) == "TW0321");
  CHECK(codes_of(rule_of("m = sum(norm(grad) per tensor) per tensor")) == "TW0321");
  CHECK(codes_of(rule_of("total = sum(lr) per model")).empty());
  CHECK(codes_of(rule_of("total = sum(mu * cap) per model")).empty());
  CHECK(codes_of(rule_of("total = max(norm(grad) per tensor) per model")).empty());
}

TEST_CASE("conditions around a reduction are no faster than its result") {
  CHECK(codes_of(rule_of("if grad > 0 { m = sum(grad) per tensor }")) == "TW0322");
  CHECK(codes_of(rule_of("m = if grad > 0 then sum(grad) per tensor else 0")) == "TW0322");
  CHECK(codes_of(rule_of("if lr > 0 { m = sum(grad) per model }")) == "TW0322");
  CHECK(codes_of(rule_of("if cap > 0 { if grad > 0 { m = sum(grad) per group } }")) == "TW0322");
  CHECK(codes_of(rule_of("if lr > 0 { m = sum(grad) per group }")).empty());
  CHECK(codes_of(rule_of("if t > 3 { m = sum(grad) per model }")).empty());
  CHECK(codes_of(rule_of("if norm(grad) per tensor > 3 { m = sum(grad) per tensor }")).empty());
  CHECK(codes_of(rule_of("m = sum(if grad > 0 then grad else 0) per tensor")).empty());
  CHECK(codes_of(rule_of("if k > 1 { m = sum(grad) per model }")).empty());
}

TEST_CASE("operands have the kind that the reduction takes, and there are as many") {
  CHECK(codes_of(rule_of("m = sum(grad > 0) per tensor")) == "TW0301");
  CHECK(codes_of(rule_of("m = count(grad) per tensor")) == "TW0301");
  CHECK(codes_of(rule_of("m = dot(grad, param > 0) per tensor")) == "TW0301");
  CHECK(codes_of(rule_of("m = sum([1, 2]) per tensor")) == "TW0310");
  CHECK(codes_of(rule_of("m = sum() per tensor")) == "TW0215");
  CHECK(codes_of(rule_of("m = sum(grad, param) per tensor")) == "TW0215");
  CHECK(codes_of(rule_of("m = max(grad, param) per tensor")) == "TW0215");
  CHECK(codes_of(rule_of("m = dot(grad) per tensor")) == "TW0215");
  CHECK(codes_of(rule_of("m = sum(x = grad) per tensor")) == "TW0218");
  CHECK(codes_of(rule_of("m = any(grad > 0) per tensor")) == "TW0301");
}

TEST_CASE("min and max of several values stay functions; a reduction says per what") {
  CHECK(codes_of_step("m = max(grad, param)").empty());
  CHECK(codes_of_step("m = max(grad)") == "TW0319");
  CHECK(codes_of_step("m = norm(grad)") == "TW0319");
  CHECK(codes_of_step("m = sum(gard)") == "TW0201 TW0319");
}

TEST_CASE("per stands behind a reduction") {
  CHECK(codes_of_step("m = grad per model") == "TW0320");
  CHECK(codes_of_step("m = abs(grad) per model") == "TW0320");
  CHECK(codes_of_step("m = (grad + 1) per model") == "TW0320");
  CHECK(codes_of_step("m = sum(grad) per tensor per model") == "TW0320");
  CHECK(codes_of_step("m = nrom(grad) per model") == "TW0202");
}

TEST_CASE("where reductions may stand") {
  const std::string functions =
      "fn rms(x) = sqrt(mean(x^2) per tensor)\n"
      "fn size(x) { let a = norm(x) per tensor\n a }\n";
  CHECK(codes_of(functions + "rule R { step { update = grad / rms(grad) } }").empty());
  CHECK(codes_of(functions + "rule R { state m\n after { m = 0.5 * m + rms(param) }\n view v = m }")
            .empty());
  CHECK(codes_of("rule R { state m = norm(param) per tensor\n step { update = m } }").empty());
  CHECK(codes_of(functions + "rule R { state m = rms(param)\n step { update = m } }").empty());
  CHECK(codes_of("rule R { hyper a = 1\n hyper b = sum(a) per model\n step { update = a * b } }") ==
        "TW0323");
  CHECK(codes_of("let a = sum(1) per model\n") == "TW0323");
  CHECK(codes_of("rule R { hyper a = 1 in [0, sum(1) per model)\n step { update = a } }") ==
        "TW0323");
  CHECK(codes_of("rule R { step { update = grad }\n view v = norm(param) per tensor }").empty());
  CHECK(codes_of(functions + "rule R { step { update = grad }\n view v = rms(param) }").empty());
  CHECK(codes_of(functions + "rule R { step { update = grad }\n view v = rms(grad) }") == "TW0224");
  CHECK(codes_of("rule R { step { update = grad }\n view v = norm(param) per row }") == "TW0324");
  CHECK(codes_of("rule R { step { update = grad }\n"
                 "view v = if rank >= 2 then param / norm(param) per row else param }")
            .empty());
  CHECK(codes_of("rule R { step { update = grad }\n"
                 "view v = if param > 0 then sum(param) per model else 0 }") == "TW0322");
  CHECK(codes_of("rule S { step { update = grad } }\n"
                 "rule R { when count(rank > 2) per model > 1: S }") == "TW0323");
  CHECK(codes_of("rule S { hyper lr = 1\n step { update = lr * grad } }\n"
                 "rule R { input noise\n pipeline S(lr = mean(noise) per model) }")
            .empty());
  CHECK(codes_of("rule S { hyper model lr = 1\n step { update = lr * grad } }\n"
                 "rule R { input noise\n pipeline S(lr = mean(noise) per group) }") == "TW0309");
}

TEST_CASE("a view cannot read a hyper that is bound to a reduction") {
  CHECK(codes_of("rule S { hyper lr = 1\n step { update = lr * grad }\n view v = lr * param }\n"
                 "rule R { hyper a = 1\n pipeline S(lr = sum(a) per model) }") == "TW0420");
}

TEST_CASE("arms that constants drop are checked, and leave nothing behind") {
  CHECK(codes_of(rule_of("if k > 5 { m = sum(lr) per tensor }")) == "TW0321");
  CHECK(codes_of(rule_of("if k > 5 { m = sum(grad) per tensor }")).empty());
}
