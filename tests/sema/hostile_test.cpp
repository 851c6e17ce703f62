// Programs written to exhaust the checker: each ends in a clean error, with little work.
#include <catch2/catch.hpp>

#include "compiler/sema/checker.h"
#include "tests/sema/tw_check.h"

using namespace talweg;
using test::codes_of;

namespace {

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

std::string in_step(const std::string& statements) {
  return "rule R { step {\n" + statements + "\nupdate = grad } }\n";
}

}  // namespace

TEST_CASE("loops with enormous bounds") {
  CHECK(codes_of(in_step("for i in 1..1e15 { param += i }")) == "TW0522");
  CHECK(codes_of(in_step("for i in 1..1e18 { param += i }")) == "TW0307");
  CHECK(codes_of(in_step("for i in 1..inf { param += i }")) == "TW0307");
  CHECK(codes_of(in_step("for i in -9e15..9e15 { param += i }")) == "TW0522");
  CHECK(codes_of(in_step("for i in 1..0/0 { param += i }")) == "TW0307");
  CHECK(codes_of(in_step("for i in 1..10000 { for j in 1..10000 { param += i } }")) == "TW0521");
  CHECK(codes_of(in_step("for i in 1..10000 { for j in 1..10000 { } }")) == "TW0520");
  CHECK(codes_of(in_step("for i in 1..9999 { for j in 1..9999 { if false { param = 1 } } }")) ==
        "TW0520");
}

TEST_CASE("functions that double") {
  std::string text = "fn f0(x) = x * x\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string before = "f" + std::to_string(i - 1);
    text += "fn f" + std::to_string(i) + "(x) = " + before + "(x) + " + before + "(" + before +
            "(x))\n";
  }
  CHECK(codes_of(text) == "TW0520");
  CHECK(codes_of(text + in_step("param = f40(grad)")) == "TW0520");
  test::Session session;
  session.add("m", text + "rule R { hyper lr = f40(1)\n step { update = lr * grad } }");
  CHECK_FALSE(session.resolve("R", "m"));
  CHECK(session.codes() == "TW0520");
}

TEST_CASE("many rules that each cost much share one limit") {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "rule R" + std::to_string(i) +
            " { state s\n step { for i in 1..9000 { s = s + i * s * s } } }\n";
  CHECK(codes_of(text) == "TW0520");
}

TEST_CASE("chains of constants, functions and rules") {
  std::string constants, functions;
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i), next = std::to_string(i + 1);
    constants += "let c" + n + " = c" + next + "\n";
    functions += "fn f" + n + "(x) = f" + next + "(x)\n";
  }
  CHECK(codes_of(constants + "let c3000 = 1") == "TW0523");
  CHECK(codes_of(functions + "fn f3000(x) = x") == "TW0523");
  std::string rules = "rule R0 { step { update = grad } }\n";
  for (int i = 1; i < 100; ++i)
    rules += "rule R" + std::to_string(i) + " = R" + std::to_string(i - 1) + "\n";
  CHECK(codes_of(rules) == "TW0524");
  std::string pairs = "rule P0 { step { update = grad } }\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "P" + std::to_string(i - 1);
    pairs += "rule P" + std::to_string(i) + " = " + before + " | " + before + "\n";
  }
  CHECK(codes_of(pairs) == "TW0524");
}

TEST_CASE("long and deep expressions") {
  CHECK(codes_of(in_step("param = 1" + repeated(" + grad", 900))).empty());
  CHECK(codes_of(in_step("param = " + repeated("(", 200) + "grad" + repeated(")", 200))).empty());
  std::string calls = "fn f(x) = x" + repeated(" + x", 600) + "\n";
  CHECK(codes_of(calls + in_step("param = f(f(grad))")) == "");
  CHECK(codes_of(in_step(repeated("if t > 1 { ", 100) + "param = grad" + repeated(" }", 100)))
            .empty());
  CHECK(codes_of("fn deep(x) = " + repeated("if x > 1 then 1 else ", 200) + "2\n" +
                 in_step("param = deep(grad)"))
            .empty());
}

TEST_CASE("thousands of unknown names cost little") {
  std::string names, uses;
  for (int i = 0; i < 5000; ++i)
    names += "let some_rather_long_name_" + std::to_string(i) + " = 1\n";
  for (int i = 0; i < 5000; ++i)
    uses += "param = sone_rather_long_nane_" + std::to_string(i) + "\n";
  test::Session session;
  session.add("m", names + in_step(uses));
  CHECK_FALSE(session.check("m"));
  CHECK(session.diagnostics().all().size() <= 2 * base::Diagnostics::kMaxErrors);
}

TEST_CASE("rules of very many members") {
  std::string states, inputs, hypers, choices, arguments, comparisons;
  for (int i = 0; i < 20000; ++i) {
    const std::string n = std::to_string(i);
    states += "state s" + n + "\n";
    inputs += "input i" + n + "\n";
    hypers += "hyper h" + n + " = 1\n";
    arguments += (i ? ", h" : "h") + n + " = 2";
    choices += (i ? ", c" : "c") + n;
    if (i % 4 == 0) comparisons += "if mode == c" + n + " { param = grad }\n";
  }
  const auto resolves = [](const std::string& members, const std::string& pipeline) {
    test::Session session;
    session.add("m", "rule R {\n" + members + "step { update = grad } }");
    session.resolve(pipeline, "m");
    return session.codes();
  };
  CHECK(resolves(states, "R").empty());
  CHECK(resolves(inputs, "R").empty());
  CHECK(resolves(hypers, "R").empty());
  CHECK(resolves(hypers, "R(" + arguments + ")") == "TW0520");
  CHECK(codes_of("rule R { hyper const mode = c0 in {" + choices + "}\n step {" + comparisons +
                 "} }") == "TW0520");
}

TEST_CASE("reductions and previous values, many and deep") {
  CHECK(codes_of(in_step("param -= grad" + repeated(" per model", 3))) == "TW0320");
  CHECK(codes_of(in_step("param -= sum(grad)" + repeated(" per model", 4))) == "TW0320");
  CHECK(codes_of(in_step("param -= grad" + repeated(" per model", 450))) == "TW0523");
  CHECK(codes_of(in_step("param -= " + repeated("norm(", 60) + "grad" +
                         repeated(" + grad) per tensor", 60)))
            .empty());
  CHECK(codes_of(in_step("param -= " + repeated("previous(", 60) + "grad" + repeated(")", 60)))
            .empty());
  CHECK(codes_of(in_step("for i in 1..10000 { param -= previous(grad) }")) == "TW0521");
  CHECK(codes_of(in_step("for i in 1..4000 { param -= previous(grad) }")).empty());
  CHECK(codes_of(in_step("for i in 1..10000 { param -= norm(grad) per model }")).empty());
}

TEST_CASE("conditions about the rank, many, long, and of parts that double") {
  const std::string use = "{ param -= norm(grad) per row }\n";
  std::string doubled = "let a0 = rank > 1\n";
  for (int i = 1; i <= 60; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    doubled += "let a" + std::to_string(i) + " = " + before + " and " + before + "\n";
  }
  // What takes long to see through is taken as if it said nothing.
  CHECK(codes_of(in_step(doubled + "if a2 " + use)).find("TW0324") == std::string::npos);
  CHECK(codes_of(in_step(doubled + "if a60 " + use)) == "TW0324");
  CHECK(codes_of(in_step("if rank > 1" + repeated(" and size > 3", 400) + use)) == "TW0324");
  CHECK(codes_of(in_step("if rank > 1 { if size > 3" + repeated(" and rows > 3", 400) + use + "}"))
            .empty());
  CHECK(codes_of(in_step(repeated("if rank > 1 { ", 100) + "if t > 1 " + use + repeated(" }", 100)))
            .empty());
  CHECK(codes_of(in_step("for i in 1..4000 { if rank > 1 " + use + "}")).empty());
  CHECK(codes_of(in_step("for i in 1..4000 " + use)) == "TW0324");
}
