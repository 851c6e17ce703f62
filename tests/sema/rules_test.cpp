// What is an error, what is a warning, and what is neither.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;
using test::codes_of_step;

TEST_CASE("conditions and the places assigned under them") {
  CHECK(codes_of_step("if flag { best = 1 }\nupdate = v") == "TW0304");  // group over model
  CHECK(codes_of_step("if t > 2 { best = 1 }\nupdate = v").empty());
  CHECK(codes_of_step("if grad > 0 { m = 1 }\nupdate = v").empty());
  CHECK(codes_of_step("if t > 2 { if grad > 0 { best = 1 } }\nupdate = v") == "TW0304");
  CHECK(codes_of_step("update = if grad > 0 then { best = 1\n 2 } else 3") == "TW0304");
  CHECK(codes_of_step("best = if grad > 0 then 1 else 2\nupdate = v") == "TW0303");
  CHECK(codes_of_step("var x = 1\nif grad > 0 { x = 2 }\nbest = x\nupdate = v") == "TW0303");
  CHECK(codes_of_step("var x = 1\nif t > 3 { x = 2 }\nbest = x\nupdate = v").empty());
  CHECK(codes_of_step("var x = grad\nx = 1\nbest = x\nupdate = v") == "TW0703");
}

TEST_CASE("update is assigned on all ways or on none") {
  CHECK(codes_of_step("if t > 2 { update = v } else { update = m }").empty());
  CHECK(codes_of_step("if t > 2 { update = v } else { if t > 1 { update = m } }") == "TW0403");
  CHECK(codes_of_step("update = v\nif t > 2 { update = 2 * update }").empty());
  CHECK(codes_of_step("if t > 2 { update = v }\nupdate = 2 * update").empty());
  CHECK(codes_of_step("let x = if t > 2 then { update = v\n 1 } else 2\nm = x * m") == "TW0403");
  CHECK(codes_of_step("if true { update = v }").empty());
  CHECK(codes_of_step("if false { update = v }\nm = v").empty());
  CHECK(codes_of_step("if t > 2 { grad = v }\nm = grad").empty());
}

TEST_CASE("shadowing is refused within a rule, not between siblings") {
  CHECK(codes_of_step("let m = 1\nupdate = v") == "TW0204");
  CHECK(codes_of_step("for m in 1..2 { v += m }\nupdate = v") == "TW0204");
  CHECK(
      codes_of_step("if t > 1 { let a = v\nm = a } else { let a = m\nv = a }\nupdate = v").empty());
  CHECK(codes_of_step("for i in 1..2 { let a = i * v\nm = a * m }\nupdate = m").empty());
  CHECK(codes_of("fn f(x) = { let x = 1\n x }") == "TW0204");
  CHECK(codes_of("fn f(t, grad, size) = t * grad * size").empty());
  CHECK(codes_of("fn f(pi) = pi") == "TW0205");
  CHECK(codes_of("let a = 1\nrule R { hyper a = 2\n step { update = a * grad } }").empty());
}

TEST_CASE("functions are checked even when nobody calls them") {
  CHECK(codes_of("fn f(x) = x + nowhere") == "TW0201");
  CHECK(codes_of("fn f(x) = sqrt(x, x)") == "TW0215");
  CHECK(codes_of("fn g(x) = x\nfn f(x) = g(x, 1)") == "TW0215");
  CHECK(codes_of("fn f(x) = { for i in x { }\n 1 }").empty());
  CHECK(codes_of("fn f(c, x) = if c then -x else x").empty());
  CHECK(codes_of("fn f(x) = { let y = x\n x }") == "TW0705");
  CHECK(codes_of("fn f(x) = if x > 0 then 1 else false") == "TW0302");
}

TEST_CASE("an arm that is not taken is still checked") {
  CHECK(codes_of_step("if false { update = nowhere }\nupdate = v") == "TW0201");
  CHECK(codes_of_step("update = if true then v else not v") == "TW0301");
  CHECK(codes_of_step("for i in 1..0 { v = nowhere }\nupdate = v") == "TW0201");
}

TEST_CASE("warnings do not cry wolf") {
  CHECK(codes_of("rule R { state a\n after { a = 0.5 * a + param } }").empty());
  CHECK(codes_of("rule R { state model n\n step { n = 3 } }").empty());  // read by other stages
  CHECK(codes_of("rule R { hyper const bool b = false\n hyper c = 1\n step { update = grad\n"
                 " if b { update = c * grad } } }")
            .empty());
  CHECK(codes_of_step("m = v\nif t > 1 { m = grad }\nupdate = v").empty());
  CHECK(codes_of_step("var s = 0\nfor i in 1..3 { s = s + i * grad }\nupdate = s").empty());
  CHECK(codes_of_step("grad = 2 * grad\nupdate = update + v").empty());
  CHECK(codes_of_step("m = v\nm = grad\nupdate = v") == "TW0703");
  CHECK(codes_of("rule R = SGD_\nrule SGD_ { step { update = grad } }").empty());
}

TEST_CASE("kinds of hypers") {
  const auto hyper = [](const std::string& text) {
    return codes_of("rule R { hyper " + text +
                    "\n step { update = grad\n if t > 9999 { update = grad } } }");
  };
  CHECK(hyper("int k = 3 in [1, 10]") == "TW0702");
  CHECK(hyper("int k = 1 / 2") == "TW0307");
  CHECK(hyper("const list = [1, 2]") == "TW0702");
  CHECK(hyper("list = [1, 2]") == "TW0310");
  CHECK(hyper("const mode = b in {a, b}") == "TW0702");
  CHECK(hyper("const mode = c in {a, b}") == "TW0312");
  CHECK(hyper("x = 0 / 0") == "TW0306");
  CHECK(hyper("x = inf in (0, inf]") == "TW0702");
  CHECK(hyper("x = 1 in [2, 1]") == "TW0308");
  CHECK(hyper("x = 1 in [nowhere, 2]") == "TW0201");
}

TEST_CASE("arguments of stages") {
  const std::string rules = R"(
rule A { hyper x = 1 in [0, 2]
  hyper model y = 1
  hyper const c = 1
  hyper const list = [1]
  hyper bool b = true
  state model s
  state e
  step { s = y
    e = e + grad
    for i in list { update = if b then x * c * i * grad else e + update } } }
)";
  const auto codes = [&](const std::string& pipeline) {
    test::Session session;
    session.add("m", rules);
    const bool resolved = session.resolve(pipeline, "m").has_value();
    CHECK(resolved == session.codes().empty());
    return session.codes();
  };
  CHECK(codes("A(x = 3)") == "TW0306");
  CHECK(codes("A(x = t)").empty());
  CHECK(codes("A(y = t)").empty());
  CHECK(codes("A(b = t > 3)").empty());
  CHECK(codes("A(b = t)") == "TW0301");
  CHECK(codes("A(x = t > 3)") == "TW0301");
  CHECK(codes("A(c = t)") == "TW0305");
  CHECK(codes("A(list = [1, 2, 3])").empty());
  CHECK(codes("A(list = 5)") == "TW0311");
  CHECK(codes("a = A | A(y = a.s)").empty());
  CHECK(codes("a = A | A(x = a.e)") == "TW0226");
  CHECK(codes("a = A | A(x = if a.s > 1 then { param = 1\n 2 } else 3)") == "TW0224");
  CHECK(codes("A(x = lr)") == "TW0201");
  CHECK(codes("A | a") == "TW0203");
}

TEST_CASE("constants are evaluated as the graph evaluates them") {
  test::Session session;
  session.add("m", "let k = 3\nfn twice(x) = { var y = x\n for i in 1..1 { y = y + x }\n y }");
  CHECK(session.constant("2 + 3 * 4", "m") == 14.0);
  CHECK(session.constant("-2^2", "m") == -4.0);
  CHECK(session.constant("2^-1", "m") == 0.5);
  CHECK(session.constant("twice(k) ^ 2", "m") == 36.0);
  CHECK(session.constant("7 % 4", "m") == 3.0);
  CHECK(session.constant("1 / 0", "m") == std::numeric_limits<double>::infinity());
  CHECK(session.constant("max(1, 5, 3) + clip(9, 0, 2)", "m") == 7.0);
  CHECK(session.constant("k > 2 and not (k == 4)", "m") == 1.0);
  CHECK(session.constant("0.1 * 0.1 - 0.01", "m") == std::fma(0.1, 0.1, -0.01));
  CHECK(session.constant("0.01 - 0.1 * 0.1", "m") == std::fma(-0.1, 0.1, 0.01));
  CHECK(session.constant("0.1 * 0.3 - 0.3 * 0.1", "m") == 0.0);
  CHECK(session.constant("sqrt(2)", "m") == std::sqrt(2.0));
  CHECK(session.codes().empty());
  CHECK_FALSE(session.constant("t", "m"));
  CHECK(session.codes() == "TW0224");
  session.forget();
  CHECK_FALSE(session.constant("[1, 2]", "m"));
  CHECK(session.codes() == "TW0310");
}
