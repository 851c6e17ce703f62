// `regrad`: the typed rules of steps that ask for another gradient, and warnings about them.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;
using test::typed;

namespace {

/// The codes for a rule `R` of this step, with states m and v per element.
std::string step(const std::string& body) {
  return codes_of("rule R {\nstate m = 1\nstate v = 1\nstep {\n" + body +
                  "\nupdate = m + v\n}\n}\n");
}

/// The codes for a rule of this pipeline over some stages.
std::string pipeline(const std::string& stages) {
  return codes_of(R"(
rule Uphill { step { let origin = param; param += 0.1 * grad; regrad; param = origin } }
rule Often { step { if t % 5 == 0 { param += grad; regrad; param -= grad } } }
rule Limit { step { grad = clip(grad, -1, 1) } }
rule Sometimes { step { if t > 3 { grad = clip(grad, -1, 1) } } }
rule Move { hyper lr = 0.1; step { update = lr * grad } }
rule Halve { step { update *= 0.5 } }
rule Late { after { param -= 0.01 * grad } }
rule Pull { step { param *= 0.9 } }
rule Length { state model length; step { length = norm(grad) per model } }
rule Mixed { step { let g = grad; param += grad; regrad; grad = 0.5 * (grad + g) } }
rule Back { state model s; step { let g = grad; param += grad; regrad; s = dot(g, grad) per model; grad = g } }
rule R = )" + stages +
                  "\n");
}

}  // namespace

TEST_CASE("regrad is a statement, under conditions of the model, once for each turn of a loop") {
  CHECK(typed(R"(
rule R {
  hyper model int k = 2
  hyper const bool extra = true
  step {
    let origin = param
    if t % k == 0 {
      param += grad
      regrad
    } else { if any(grad > 1) per model { regrad } }
    for i in 1..2 { regrad }
    if extra { regrad } else { regrad; regrad }
    param = origin
  }
}
)",
              "R(extra = false)") == R"(
rule R
  hyper k: model int = 2
  hyper extra: const bool = false
  stage r = R
    step
      origin = param:element
      if ((t:model % k:model):model == 0):model
        param = (param:element + grad:element):element
        regrad
      else
        if (any((grad:element > 1):element) per model over element):model
          regrad
      regrad
      regrad
      regrad
      regrad
      param = origin:element
)");
}

TEST_CASE("the caller reads param at a regrad") {
  CHECK(step("param = m\nparam = v") == "TW0703");
  CHECK(step("param = m\nregrad\nparam = v").empty());
  CHECK(step("param = m\nif t > 3 { regrad }\nparam = v").empty());
}

TEST_CASE("a regrad replaces the gradient: what nothing read of it is lost") {
  CHECK(step("grad = m\nregrad\nv = grad") == "TW0703");
  CHECK(step("grad = m\nv = grad\nregrad\nv += grad").empty());
  CHECK(step("grad = m\nif t > 3 { regrad }\nv = grad").empty());
  CHECK(step("if t > 3 { grad = m }\nregrad\nv = grad") == "TW0703");
  CHECK(step("m = grad\nregrad\nm += grad").empty());
  CHECK(step("regrad\ngrad = m\nv = grad").empty());
  CHECK(step("let g = grad\nregrad\nv = grad - g").empty());
}

TEST_CASE("a rule that only asks for a gradient changes one") {
  CHECK(codes_of("rule R { step { regrad } }").empty());
  CHECK(codes_of("rule R { step { if t > 3 { regrad } } }").empty());
}

TEST_CASE("a state that decides about a regrad has an effect") {
  const auto codes = [](const std::string& statement) {
    return codes_of("rule R {\nstate s\nstep {\ns = 0.9 * s + grad\n" + statement +
                    "\nupdate = grad\n}\n}\n");
  };
  CHECK(codes("let _l = norm(s) per model") == "TW0707");
  CHECK(codes("if norm(s) per model > 1 { regrad }").empty());
}

TEST_CASE("a stage that changes the gradient before another is asked for is warned about") {
  CHECK(pipeline("Uphill | Limit | Move").empty());
  CHECK(pipeline("Limit | Uphill | Move") == "TW0712");
  CHECK(pipeline("Limit | Often | Move") == "TW0712");
  CHECK(pipeline("Sometimes | Uphill | Move") == "TW0712");
  CHECK(pipeline("Limit | Uphill | Limit | Move").empty());
  CHECK(pipeline("Limit | Pull | Uphill | Move") == "TW0712");
  CHECK(pipeline("Limit | Sometimes | Uphill | Move") == "TW0712 TW0712");
  CHECK(pipeline("Pull | Uphill | Move").empty());
  CHECK(pipeline("Limit | Mixed | Move") == "TW0712");
  CHECK(pipeline("Uphill | first = Limit | Mixed | Move") == "TW0712");
  CHECK(pipeline("Limit | Back | Move").empty());
  CHECK(pipeline("Limit | Uphill | Back | Move") == "TW0712");
  CHECK(pipeline("Mixed | two = Mixed | Move").empty());
}

TEST_CASE("an update made before another gradient is warned about where nothing reads that") {
  CHECK(pipeline("Move | Uphill") == "TW0713");
  CHECK(pipeline("Move | Uphill | Halve") == "TW0713");
  CHECK(pipeline("Move | Uphill | Limit") == "TW0713");
  CHECK(pipeline("Move | Limit | Uphill") == "TW0713");
  CHECK(pipeline("Move | Mixed") == "TW0713");
  CHECK(pipeline("Mixed | Move").empty());
  CHECK(pipeline("Move | Uphill | Length").empty());
  CHECK(pipeline("Uphill | Uphill | Move").empty());
  CHECK(pipeline("Move | Uphill | Move").empty());
  CHECK(pipeline("Move | Uphill | Late").empty());
  CHECK(pipeline("Move | Often").empty());
  CHECK(pipeline("Uphill | Pull").empty());
}

TEST_CASE("warnings stand at the pipeline that has both stages, once") {
  CHECK(pipeline("Limit | Uphill | Move\nrule Q = R") == "TW0712");
  CHECK(pipeline("Uphill | Move\nrule Q = Limit | R") == "TW0712");
  CHECK(pipeline("Uphill | Move\nrule Q = R").empty());
  CHECK(pipeline("Limit | Uphill\nrule Q = R | R | Move") == "TW0712");
}

TEST_CASE("one rule may make its update before another gradient") {
  CHECK(step("param += grad\nregrad").empty());  // `update` is assigned behind
  CHECK(codes_of("rule R { step { update = grad; regrad } }") == "TW0713");
  CHECK(codes_of("rule R { step { update = grad; if t > 3 { regrad } } }") == "TW0713");
  CHECK(codes_of("rule R { step { update = grad; regrad; update += grad } }").empty());
  CHECK(codes_of("rule R { step { update = grad; regrad; param += 0.1 * grad } }").empty());
  CHECK(codes_of("rule R { state m; step { update = m; regrad; m = 0.9 * m + grad } }").empty());
  CHECK(codes_of("rule R { step { update = grad; regrad; skip if norm(grad) per model > 1 } }")
            .empty());
  CHECK(codes_of("rule R { step { param -= grad; regrad } }").empty());  // another stage may go on
}

TEST_CASE("of the arms of an `if` a step takes one") {
  const auto asks = [](const std::string& body) {
    return codes_of("rule R {\nstep {\n" + body + "\nupdate = grad\n}\n}\n");
  };
  const std::string either = "if t > 3 { regrad } else { regrad }\n";
  CHECK(asks("for i in 1..8 { regrad }").empty());
  CHECK(asks("for i in 1..9 { regrad }") == "TW0526");
  CHECK(asks("for i in 1..7 { regrad }\n" + either).empty());
  CHECK(asks("for i in 1..8 { regrad }\n" + either) == "TW0526");
  CHECK(asks("for i in 1..7 { regrad }\n" + either + "regrad") == "TW0526");
  CHECK(asks("for i in 1..8 { " + either + "}").empty());
  CHECK(asks("if t > 9 { " + either + "}\nfor i in 1..8 { " + either + "}") == "TW0526");
}
