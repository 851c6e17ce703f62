// Where statements end.
#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;
using namespace talweg::syntax;
using test::parse;

namespace {

/// How many statements a step with this text has; -1 if it does not parse.
int statements(const std::string& body) {
  const auto parsed = parse("rule R {\n step {\n" + body + "\n}\n}");
  if (parsed.diagnostics.has_errors()) return -1;
  return static_cast<int>(parsed.declaration<RuleDecl>(0).steps.at(0).body.size());
}

}  // namespace

TEST_CASE("a statement ends with its line or at a semicolon") {
  CHECK(statements("a = 1\nb = 2") == 2);
  CHECK(statements("a = 1; b = 2") == 2);
  CHECK(statements("a = 1;\n\n;; b = 2;") == 2);
  CHECK(statements("a = 1 b = 2") == -1);
  CHECK(statements("a = 1 // one\r\nb = 2\r\n") == 2);
}

TEST_CASE("a line that needs more goes on") {
  CHECK(statements("a =\n 1 +\n 2 *\n 3\nb = 2") == 2);
  CHECK(statements("a = f(\n1,\n2\n)\nb = (1\n- 2)") == 2);
  CHECK(statements("a = if c then\n 1 else\n 2") == 1);
  CHECK(statements("a = [1,\n2\n]") == 1);
}

TEST_CASE("a line that cannot begin a statement continues") {
  CHECK(statements("a = 1\n + 2\n * 3\n and d") == 1);
  CHECK(statements("a = if c\n then 1\n else 2") == 1);
  CHECK(statements("if c\n{ a = 1 }\nelse\n{ b = 2 }") == 1);
  CHECK(statements("a = norm(b)\n per tensor") == 1);
}

TEST_CASE("a line that begins with a sign or a bracket stands alone") {
  CHECK(statements("a = b\n- c") == -1);
  CHECK(statements("a = f\n(c)") == -1);
  const auto parsed = parse("fn f(x) {\n let y = x\n -y\n}");
  CHECK_FALSE(parsed.diagnostics.has_errors());
}

TEST_CASE("pipelines and ranges may be spread over lines") {
  const auto parsed = parse(
      "rule R\n{\n pipeline\n   A(x = 1)\n | b = B\n | C\n}\n"
      "rule S =\n A\n | B\n"
      "rule T {\n hyper a = 1\n   in [0,\n 1)\n hyper b = 2 }");
  CHECK(parsed.messages().empty());
  CHECK(parsed.module.decls.size() == 3);
  CHECK(parsed.declaration<RuleDecl>(0).pipelines.at(0).stages.size() == 3);
  CHECK(parsed.declaration<RuleDecl>(2).hypers.size() == 2);
}

TEST_CASE("blocks within parentheses end their statements at line ends too") {
  const auto parsed = parse("let x = f(if c then {\n let a = 1\n let b = 2\n a\n} else 3,\n 4)");
  CHECK(parsed.messages().empty());
}
