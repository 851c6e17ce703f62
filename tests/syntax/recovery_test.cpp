// One mistake gives one message, and what stands around it is still understood.
#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;
using namespace talweg::syntax;
using base::DiagnosticKind;
using test::parse;

TEST_CASE("each wrong statement is reported once, in order") {
  const auto parsed = parse(
      "rule R {\n"
      "  hyper lr = = 1\n"
      "  state m\n"
      "  step {\n"
      "    m = 2 grad\n"
      "    let ok = 1\n"
      "    update = * 3 * * 4 )\n"
      "    let fine = 2\n"
      "  }\n"
      "}\n"
      "fn f(x = x\n"
      "fn g(x) = x\n");
  CHECK(parsed.diagnostics.error_count() == 4);
  std::uint32_t before = 0;
  for (const base::Diagnostic& diagnostic : parsed.diagnostics.all()) {
    CHECK(diagnostic.span.begin >= before);
    before = diagnostic.span.begin;
  }
  REQUIRE(parsed.module.decls.size() == 3);
  const auto& rule = parsed.declaration<RuleDecl>(0);
  CHECK(rule.hypers.size() == 1);
  CHECK(rule.states.size() == 1);
  REQUIRE(rule.steps.size() == 1);
  CHECK(rule.steps[0].body.size() == 4);
  CHECK(parsed.declaration<FnDecl>(2).name.text == "g");
}

TEST_CASE("a wrong declaration does not swallow its neighbours") {
  const auto parsed =
      parse("rule 3 { step { a = 1; b = 2 } }\nrule Good { state m }\nfn (x) = x\nlet y = 1");
  CHECK(parsed.diagnostics.error_count() == 2);
  REQUIRE(parsed.module.decls.size() == 2);
  CHECK(parsed.declaration<RuleDecl>(0).name.text == "Good");
  CHECK(parsed.declaration<ConstDecl>(1).name.text == "y");
}

TEST_CASE("a missing brace is found by the indentation") {
  const auto parsed = parse(
      "rule A {\n"
      "  step {\n"
      "    if t > 1 {\n"
      "      m = 1\n"
      "  }\n"
      "  after { m = 2 }\n"
      "}\n"
      "rule B { state m }\n");
  REQUIRE(parsed.diagnostics.error_count() == 1);
  const base::Diagnostic& diagnostic = parsed.diagnostics.all()[0];
  CHECK(diagnostic.kind == DiagnosticKind::UnclosedBracket);
  CHECK(parsed.sources[diagnostic.span.source].position(diagnostic.span.begin).line == 3);
  REQUIRE(parsed.module.decls.size() == 2);
  CHECK(parsed.declaration<RuleDecl>(0).afters.size() == 1);
}

TEST_CASE("an operator of another language is taken as ours") {
  const auto parsed = parse("rule R { state m\n step { if t > 1 && !(t > 3) { m := m ** 2 } } }");
  CHECK(parsed.count(DiagnosticKind::ForeignOperator) == 4);
  CHECK(parsed.diagnostics.error_count() == 4);
  CHECK(parsed.declaration<RuleDecl>(0).steps.at(0).body.size() == 1);
}

TEST_CASE("trees of wrong texts can be printed") {
  const auto parsed =
      parse("let a = (1 +\nlet b = f(, 2)\nfn f(x) { let y = }\nrule R { hyper x }");
  CHECK(parsed.diagnostics.has_errors());
  CHECK_FALSE(print(parsed.module).empty());
}
