// Texts made to exhaust a compiler end in a few clean messages.
#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;
using base::DiagnosticKind;
using test::parse;
using test::repeated;

namespace {

constexpr std::size_t kMany = 60'000;

}  // namespace

TEST_CASE("deep nesting is refused before anything recurses") {
  const std::string step = "rule A { step { ";
  for (const std::string& text :
       {"let x = " + repeated("(", kMany) + "1" + repeated(")", kMany),
        "let x = " + repeated("(", kMany), "let x = " + repeated("[", kMany),
        "let x = " + repeated("f(", kMany), repeated("{", kMany),
        "let x = " + repeated("-", kMany) + "1", "let x = " + repeated("- ", kMany) + "1",
        "let x = " + repeated("not ", kMany) + "true", "let x = " + repeated("2^", kMany) + "2",
        "let x = " + repeated("2^-", kMany) + "2", "let x = " + repeated("if a then ", kMany) + "1",
        "let x = " + repeated("if a then 1 else ", 30'000) + "2",
        step + "if a { }" + repeated(" else if a { }", 30'000) + " } }",
        step + repeated("if a { ", 40'000)}) {
    const auto parsed = parse(text);
    INFO(text.substr(0, 40));
    CHECK(parsed.count(DiagnosticKind::NestedTooDeeply) == 1);
    CHECK(parsed.module.decls.empty());
  }
}

TEST_CASE("nesting up to the limit is fine") {
  const int most = syntax::Limits::kMaxNesting;
  const std::size_t fits = static_cast<std::size_t>(most);
  CHECK(parse("let x = " + repeated("(", fits) + "1" + repeated(")", fits)).messages().empty());
  CHECK(parse("let x = " + repeated("- ", fits) + "1").messages().empty());
  CHECK(parse("let x = " + repeated("2^", fits) + "2").messages().empty());
  CHECK(parse("let x = " + repeated("not ", fits) + "true").messages().empty());
  CHECK_FALSE(parse("let x = " + repeated("not ", fits + 1) + "true").messages().empty());
}

TEST_CASE("signs, powers and ifs side by side do not nest") {
  CHECK(parse("let x = 1" + repeated(" + -a^2 * -b", 300)).messages().empty());
  CHECK(parse("let x = true" + repeated(" and not a", 500)).messages().empty());
  CHECK(parse("let x = [0" + repeated(", if a then -1 else 2^2", 500) + "]").messages().empty());
  CHECK(parse("rule A { step {\n" + repeated("if a { m = -1 } else { m = 2 }\n", 500) + "} }")
            .messages()
            .empty());
}

TEST_CASE("long chains are refused, not recursed into") {
  for (const std::string& text :
       {"let x = a" + repeated(" + a", kMany), "let x = a" + repeated(" and a", kMany),
        "let x = a" + repeated(" per tensor", kMany)}) {
    const auto parsed = parse(text);
    CHECK(parsed.count(DiagnosticKind::ExpressionTooLong) > 0);
  }
  CHECK(parse("let x = a" + repeated(" + a", 900)).messages().empty());
}

TEST_CASE("megabytes of one thing") {
  constexpr std::size_t kMega = 1'000'000;
  CHECK(parse("let x = " + repeated("1", kMega)).count(DiagnosticKind::NumberTooLong) == 1);
  CHECK(parse("let " + repeated("a", kMega) + " = 1").count(DiagnosticKind::NameTooLong) == 1);
  CHECK(parse("let x = 1" + repeated("a", kMega)).count(DiagnosticKind::NumberTooLong) == 1);
  CHECK(parse("let x = \"" + repeated("a", kMega)).count(DiagnosticKind::TextTooLong) == 1);
  CHECK(parse(repeated("$", kMega)).count(DiagnosticKind::UnexpectedCharacter) == 1);
  CHECK(parse(repeated(";", kMega)).count(DiagnosticKind::TooManyTokens) == 1);
  CHECK(parse(repeated("a", 9 * kMega)).count(DiagnosticKind::SourceTooLarge) == 1);
  CHECK(parse("//" + repeated("β", kMega / 2)).messages().empty());
  CHECK(parse(repeated("/// a\n", kMega / 4)).messages().empty());
}

TEST_CASE("thousands of mistakes are capped, and their text is short") {
  for (const std::string& text :
       {repeated(")", kMany), repeated("fn f(\n", kMany), repeated("rule A {\n", kMany),
        repeated("/*", kMany), repeated("\"\n", kMany), repeated("a b\n", kMany),
        repeated("else ", kMany), repeated("([{", kMany), repeated("  {\n}\n", kMany)}) {
    const auto parsed = parse(text);
    CHECK(parsed.diagnostics.has_errors());
    CHECK(parsed.diagnostics.all().size() <= base::Diagnostics::kMaxErrors);
    CHECK(parsed.messages().size() < 20'000);
  }
}

TEST_CASE("bytes that are no text") {
  CHECK(parse("let x = \xff").count(DiagnosticKind::InvalidUtf8) == 1);
  CHECK(parse("let x = \xc0\x80").count(DiagnosticKind::InvalidUtf8) == 1);
  CHECK(parse("\xed\xa0\x80").count(DiagnosticKind::InvalidUtf8) == 1);
  CHECK(parse(std::string("let x = \0", 9)).count(DiagnosticKind::NulCharacter) == 1);
  const auto parsed = parse("let x = 1\n// caf\xe9");
  REQUIRE(parsed.diagnostics.all().size() == 1);
  const auto at =
      parsed.sources[parsed.module.source].position(parsed.diagnostics.all()[0].span.begin);
  CHECK((at.line == 2 && at.column == 7));
}

TEST_CASE("the first token of a file may be any") {
  for (const char* text : {"1", "=", "..", ".", "else", "\"a\"", "|", "per", "2 2", "== 1", "..5"})
    CHECK(parse(text).diagnostics.error_count() == 1);
}
