// Printing: the same tree has one text, and that text has the same tree.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/syntax/parsing.h"

using namespace talweg;
using test::parse;

namespace {

/// The printed text of `text`, after checking that it prints as itself.
std::string canonical(const std::string& text) {
  const auto first = parse(text);
  INFO(text);
  REQUIRE(first.messages().empty());
  const std::string once = syntax::print(first.module);
  const auto second = parse(once);
  INFO(once);
  REQUIRE(second.messages().empty());
  CHECK(syntax::print(second.module) == once);
  return once;
}

std::string canonical_value(const std::string& value) {
  const std::string text = canonical("let x = " + value);
  return text.substr(8, text.size() - 9);
}

}  // namespace

TEST_CASE("parentheses are printed where they are needed") {
  CHECK(canonical_value("((a)) + (b * c)") == "a + b * c");
  CHECK(canonical_value("a - (b - c)") == "a - (b - c)");
  CHECK(canonical_value("(a - b) - c") == "a - b - c");
  CHECK(canonical_value("(a^b)^c") == "(a^b)^c");
  CHECK(canonical_value("a^(b^c)") == "a^b^c");
  CHECK(canonical_value("(-a)^2") == "(-a)^2");
  CHECK(canonical_value("2^(-a)") == "2^-a");
  CHECK(canonical_value("-(a * b)") == "-(a * b)");
  CHECK(canonical_value("(-a) * b") == "-a * b");
  CHECK(canonical_value("(not a) == b") == "(not a) == b");
  CHECK(canonical_value("not (a == b)") == "not a == b");
  CHECK(canonical_value("(a < b) == c") == "(a < b) == c");
  CHECK(canonical_value("(a + b) per row") == "(a + b) per row");
  CHECK(canonical_value("(if a then b else c) + 1") == "(if a then b else c) + 1");
  CHECK(canonical_value("1 + (if a then b else c)") == "1 + (if a then b else c)");
  CHECK(canonical_value(
            "if (if a then b else c) then (if d then e else f) else if g then h else i") ==
        "if (if a then b else c) then (if d then e else f) else if g then h else i");
  CHECK(canonical_value("- -a") == "--a");
}

TEST_CASE("every form prints as itself") {
  CHECK(canonical("import a.b:C,d") == "import a.b: C, d\n");
  CHECK(canonical("kernel k = A|B(x=1) with{param:bf16\nstate m:q8}") ==
        "kernel k = A | B ( x = 1 ) with { param : bf16 ; state m : q8 }\n");
  CHECK(canonical("fn f(x,y=2)=x*y") == "fn f(x, y = 2) = x * y\n");
  CHECK(canonical("fn f(x) = { let y = x; y }") == "fn f(x) {\n  let y = x\n  y\n}\n");
  CHECK(canonical("rule A=B(1)|c=D") == "rule A = B(1) | c = D\n");
  CHECK(canonical("rule A{}") == "rule A {\n}\n");
  CHECK(canonical("rule A { when rank==2: B | C\n otherwise: D() }") ==
        "rule A {\n  when rank == 2: B | C\n  otherwise: D()\n}\n");
  CHECK(canonical("rule A { step { for i in 1..n+1 { x*=2 }\n for i in [1,2] { }\n regrad } }") ==
        "rule A {\n  step {\n    for i in 1..n + 1 {\n      x *= 2\n    }\n    for i in [1, 2] "
        "{}\n    regrad\n  }\n}\n");
}

TEST_CASE("a rule is printed declarations first") {
  CHECK(canonical("/// Doc.\nrule A { step { if a { skip if b } else if c { hold if d } else { var "
                  "e = 1 } }\n"
                  "after { regrad; m /= 2 }\n view w = m\n input model l\n state m\n hyper bool "
                  "const b = true\n"
                  "require rank<=2\n matrix ( last two )\n}") ==
        "/// Doc.\n"
        "rule A {\n"
        "  matrix (last two)\n"
        "  require rank <= 2\n"
        "  hyper const bool b = true\n"
        "  state m\n"
        "  input model l\n"
        "  step {\n"
        "    if a {\n"
        "      skip if b\n"
        "    } else if c {\n"
        "      hold if d\n"
        "    } else {\n"
        "      var e = 1\n"
        "    }\n"
        "  }\n"
        "  after {\n"
        "    regrad\n"
        "    m /= 2\n"
        "  }\n"
        "  view w = m\n"
        "}\n");
}

TEST_CASE("the rules of the standard library print as themselves") {
  const std::filesystem::path folder = TALWEG_SOURCE_DIR "/stdlib";
  if (!std::filesystem::exists(folder)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".tw") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    canonical({std::istreambuf_iterator<char>(in), {}});
  }
}
