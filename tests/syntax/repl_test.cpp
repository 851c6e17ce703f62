// What the REPL does with a line.
#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;
using namespace talweg::syntax;

namespace {

struct Line {
  base::Sources sources;
  base::Diagnostics diagnostics;
  ReplInput input;
};

Line read(const std::string& text) {
  Line line;
  const base::SourceId id = line.sources.add("repl", text);
  line.input = parse_repl(id, line.sources, line.diagnostics);
  return line;
}

}  // namespace

TEST_CASE("declarations, values, and neither") {
  CHECK(read("rule A { state m }").input.module.decls.size() == 1);
  CHECK(read("let a = 1; fn f(x) = x").input.module.decls.size() == 2);
  const Line value = read("1 + f(2)");
  REQUIRE(value.input.expression);
  CHECK(print(value.input.module, *value.input.expression) == "1 + f(2)");
  const Line nothing = read("  // only a comment");
  CHECK(
      (nothing.input.complete && !nothing.input.expression && nothing.input.module.decls.empty()));
  CHECK_FALSE(nothing.diagnostics.has_errors());
}

TEST_CASE("an open bracket or operator asks for more lines, silently") {
  for (const char* text :
       {"rule A {", "f(1,", "let x =", "1 +", "rule A {\n step {\n }", "if a then"}) {
    const Line line = read(text);
    INFO(text);
    CHECK_FALSE(line.input.complete);
    CHECK_FALSE(line.diagnostics.has_errors());
  }
}

TEST_CASE("what is wrong is said at once") {
  for (const char* text : {"1 2", ")", "rule 3 { }", "\xff", "let x = 1e999"}) {
    const Line line = read(text);
    INFO(text);
    CHECK(line.input.complete);
    CHECK(line.diagnostics.has_errors());
    CHECK_FALSE(line.input.expression);
  }
}
