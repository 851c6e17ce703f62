// Warnings: each is given where something is of no use, and nowhere else.
#include <catch2/catch.hpp>

#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;

namespace {

/// The codes for a step that goes on with `update = lr * (m or v)`, after further declarations.
std::string step(const std::string& body, const std::string& declarations = {}) {
  return codes_of(
      "rule R {\nhyper lr = 0.1 in [0, inf)\nhyper const bool on = true\nstate m = 1\nstate v = "
      "1\n" +
      declarations + "\nstep {\n" + body + "\nupdate = lr * (if on then m + v else v)\n}\n}\n");
}

}  // namespace

TEST_CASE("an assignment is lost if every path overwrites it unread") {
  CHECK(step("m = grad\nm = 2 * grad") == "TW0703");
  CHECK(step("m = grad\nm = 2 * m").empty());
  CHECK(step("m = v\nv = m\nm = grad").empty());
  CHECK(step("m *= 2\nm = grad") == "TW0703");
  CHECK(step("m *= 2\nm /= 3").empty());
  CHECK(step("param = m\nparam -= v").empty());
  CHECK(step("param = m\nparam = v") == "TW0703");
  CHECK(step("grad = 2 * grad\nm = update").empty());
  CHECK(step("grad = 2 * grad\ngrad = m") == "TW0703");
  CHECK(step("update = m\nif t > 4 { m = update }").empty());
  CHECK(codes_of("rule R { after { param = 1\nparam = 2 } }") == "TW0703");
  CHECK(codes_of("rule R { state m\nstep { m = grad\nupdate = 1 }\nafter { m = 2\nparam -= m } }")
            .empty());
}

TEST_CASE("arms of branches are paths") {
  CHECK(step("m = grad\nif grad > 0 { m = v }").empty());
  CHECK(step("m = grad\nif grad > 0 { m = v } else { m = 2 * v }") == "TW0703");
  CHECK(step("if grad > 0 { m = grad } else { m = v }\nm = 3 * grad") == "TW0703 TW0703");
  CHECK(step("if grad > 0 { m = grad }\nm = m + grad").empty());
  CHECK(step("m = grad\nif grad > 0 { m = v }\nm = 3") == "TW0703 TW0703");
  CHECK(step("let x = if t > 1 then { m = grad\n1 } else 2\nm = x") == "TW0703");
  CHECK(step("let x = if t > 1 then { m = grad\n1 } else 2\nm = x + m").empty());
}

TEST_CASE("an arm that const hypers choose may not be taken") {
  CHECK(step("m = grad\nif on { m = v }").empty());
  CHECK(step("m = grad\nif not on { m = v }").empty());
  CHECK(step("m = grad\nif on { m = v } else { m = 2 * v }").empty());
  CHECK(step("m = grad\nif not on { v = m }\nm = grad").empty());
  CHECK(step("m = grad\nif on { m = v }\nm = 2") == "TW0703 TW0703");
  CHECK(step("m = grad\nfor i in list { m = i }", "hyper const list = [1, 2]").empty());
  CHECK(step("m = grad\nlet x = if on then { m = v\n1 } else 2\nm = m + x").empty());
}

TEST_CASE("a place in a loop is warned about once, if it is lost every time") {
  CHECK(step("for i in 1..3 { m = i * grad }").empty());
  CHECK(step("for i in 1..3 { m = i\nm = grad }") == "TW0703");
  CHECK(step("for i in 1..3 { if i == 1 { m = grad } else { m = m + i } }").empty());
  CHECK(step("for i in 1..3 { let q = i\nm = grad }") == "TW0705");
}

TEST_CASE("the value a var begins with may be replaced by arms, since it must have one") {
  CHECK(step("var q = 0\nif t > 3 { q = 1 } else { q = 2 }\nm = q").empty());
  CHECK(step("var q = 0\nfor i in 1..3 { q = i }\nm = q").empty());
  CHECK(step("var q = 0\nq = grad\nm = q") == "TW0703");
  CHECK(codes_of("fn f(x) { var a = x\na = 2\na }") == "TW0703");
  CHECK(codes_of("fn f(x) { var a = 0\nif x > 1 { a = 1 } else { a = 3 }\na }").empty());
  CHECK(codes_of("fn f(x) { var a = 0\nif x > 1 { a = 1\na = 2 }\na }") == "TW0703");
}

TEST_CASE("a local that only feeds itself is never used") {
  CHECK(step("let q = 2") == "TW0705");
  CHECK(step("let _q = 2").empty());
  CHECK(step("let q = 2\nif not on { m = q }").empty());
  CHECK(step("var q = 0\nfor i in 1..3 { q += i }") == "TW0705");
  CHECK(step("var q = 0\nfor i in 1..3 { q += i }\nm = q").empty());
  CHECK(step("var q = 0\nq = 2") == "TW0705");  // and not that it is overwritten, too
  CHECK(codes_of("fn f(x) { var a = 0\na += x\n1 }") == "TW0705");
}

TEST_CASE("a state is useful if something reads it, here or outside") {
  CHECK(step("", "state w") == "TW0701");
  CHECK(step("w = grad", "state w") == "TW0701");
  CHECK(step("w += grad", "state w") == "TW0707");
  CHECK(step("if not on { m = w }", "state w = 1").empty());
  CHECK(step("if not on { w = m }", "state w") == "TW0701");
  CHECK(step("w = t", "state model w").empty());     // a later stage may read it
  CHECK(step("", "state model w = 1") == "TW0701");  // what would it find?
  CHECK(codes_of("rule R { state m\nafter { m = 0.9 * m + param } }").empty());
  CHECK(codes_of("rule R { state m\nstep { update = m }\nafter { m = grad } }").empty());
  CHECK(codes_of("rule P { state model scale = 1\nstep { scale *= 0.9 } }\n"
                 "rule S { hyper lr = 1\nstep { update = lr * grad } }\n"
                 "rule R { hyper h = 2 in [0, inf)\npipeline p = P | S(lr = h * p.scale) }")
            .empty());
}

TEST_CASE("a hyper is used where anything depends on it") {
  CHECK(step("", "hyper h = 1") == "TW0702");
  CHECK(step("if not on { m = h }", "hyper h = 1").empty());
  CHECK(step("m = g * grad", "hyper h = 1\nhyper g = h").empty());
  CHECK(step("m += w", "hyper h = 1\nstate w = h").empty());
  CHECK(step("m = if mode == a then grad else 2", "hyper const mode = a in {a, b}").empty());
  CHECK(step("", "hyper const mode = a in {a, b}") == "TW0702");
  CHECK(step("for i in list { m += i }", "hyper const list = [1, 2]").empty());
  CHECK(codes_of("rule S { step { update = grad } }\nrule R { hyper h = 2\npipeline S | S }") ==
        "TW0702");
}

TEST_CASE("an input is read by its value, or by whether it is given") {
  CHECK(step("", "input model loss") == "TW0706");
  CHECK(step("if given(loss) { m = grad }", "input model loss").empty());
  CHECK(step("if not on { m = loss }", "input model loss").empty());
}

TEST_CASE("a rule changes something with its const hypers as they are") {
  CHECK(codes_of("rule R { step { let _a = grad } }") == "TW0704");
  CHECK(codes_of("rule R { hyper const bool on = false\nstep { if on { grad = 2 } } }") ==
        "TW0704");
  CHECK(codes_of("rule R { hyper const bool on = true\nstep { if on { grad = 2 } } }").empty());
  CHECK(codes_of("rule R { state model n\nstep { n = t } }").empty());
}

TEST_CASE("a state that only feeds itself, or states like it, reaches nothing") {
  CHECK(step("w = 0.9 * w + grad", "state w") == "TW0707");
  CHECK(step("w = x\nx = w + grad", "state w\nstate x") == "TW0707 TW0707");
  CHECK(step("let q = w\nw = q + grad", "state w") == "TW0707");
  CHECK(step("if w > 0 { w = grad } else { w = 2 }", "state w") == "TW0707");
  CHECK(step("w = if w > 0 then grad else 2", "state w") == "TW0707");
  CHECK(step("w = 0.9 * w + grad\nx = w", "state w\nstate x") == "TW0701 TW0707");
}

TEST_CASE(
    "a state reaches something through locals, conditions, states, views and calls that end") {
  CHECK(step("w = 0.9 * w + grad\nlet q = 2 * w\nm = q", "state w").empty());
  CHECK(step("w += grad\nif w > 3 { m = 2 }", "state w").empty());
  CHECK(step("w += grad\nlet q = if w > 3 then { m = grad\n1 } else 2\nv = q", "state w").empty());
  CHECK(step("w += grad\nx = w + x\nv = x", "state w\nstate x").empty());
  CHECK(step("w += grad", "state w\nview seen = w").empty());
  CHECK(step("w = w + 1\nhold if w > 3", "state model w").empty());
  CHECK(step("w += 1", "state model w").empty());  // a later stage may read it
  CHECK(step("w += grad\nif not on { v = w }", "state w").empty());
  CHECK(step("w += grad\nlet q = w\nif not on { v = q }", "state w").empty());
  CHECK(codes_of("fn pick(x, bool_on) = if bool_on > 0 then 0 else x\n"
                 "rule R { hyper const c = 1\nstate w\n"
                 "step { w += grad\nupdate = grad + pick(w, c) } }")
            .empty());
  // Its states are what such a rule is there for.
  CHECK(codes_of("rule R { state m\nafter { m = 0.9 * m + param } }").empty());
}

TEST_CASE("a state that is read is assigned, or has an initial value") {
  CHECK(step("m = w", "state w") == "TW0708");
  CHECK(step("m = w", "state model w") == "TW0708");
  CHECK(step("m = w", "state w = param").empty());
  CHECK(step("m = w", "state w = 0").empty());
  CHECK(step("m = w\nif not on { w = grad }", "state w").empty());
}

TEST_CASE("a name assigned to itself") {
  CHECK(step("grad = grad") == "TW0709");
  CHECK(step("param = param") == "TW0709");
  CHECK(step("for i in 1..3 { m = m }") == "TW0709");
  CHECK(step("var q = m\nq = q\nv = q") == "TW0709");
  CHECK(step("m = v\ngrad = -grad").empty());
  CHECK(codes_of("rule R { step { update = update } }").empty());
  CHECK(codes_of("fn f(x) { var a = x\na = a\na }") == "TW0709");
}

TEST_CASE("a call that always ends, or never") {
  CHECK(step("skip if true") == "TW0710");
  CHECK(step("hold if not 2 > 3") == "TW0710");
  CHECK(step("skip if false") == "TW0710");
  CHECK(step("if t > 3 { skip if false }") == "TW0710");
  CHECK(step("if t > 3 { skip if true }").empty());
  CHECK(step("if on { hold if true }").empty());
  CHECK(step("skip if not on").empty());
  CHECK(step("skip if t > 3").empty());
}
