// The canonical layout: what `talweg fmt` makes of a text.
#include "compiler/syntax/format.h"

#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;

namespace {

/// `text` formatted, after checking that formatting it again changes nothing; messages on errors.
std::string formatted(const std::string& text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const auto once = syntax::format(sources.add("test.tw", text), sources, diagnostics);
  if (!once) return base::render_text(diagnostics, sources, false);
  const auto twice = syntax::format(sources.add("test.tw", *once), sources, diagnostics);
  REQUIRE(twice);
  CHECK(*twice == *once);
  return *once;
}

/// The lines of a step block of a rule, without their indentation in it.
std::string formatted_step(const std::string& lines) {
  const std::string text = formatted("rule A {\nstep {\n" + lines + "\n}\n}\n");
  constexpr std::string_view kHead = "rule A {\n  step {\n";
  constexpr std::string_view kFoot = "  }\n}\n";
  REQUIRE(text.starts_with(kHead));
  REQUIRE(text.ends_with(kFoot));
  std::string result;
  for (std::size_t at = kHead.size(); at < text.size() - kFoot.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    const std::string line = text.substr(at, end - at);
    result += line.starts_with("    ") ? line.substr(4) : line;
    at = end;
  }
  return result;
}

}  // namespace

TEST_CASE("spaces, separators and empty lines have one form") {
  CHECK(formatted("").empty());
  CHECK(formatted("\n\n").empty());
  CHECK(formatted("\xEF\xBB\xBFlet a=1\r\n\r\n\r\nlet b=2") == "let a = 1\n\nlet b = 2\n");
  CHECK(formatted("let a = 1_0;let b=[ 1,2.50 ]") == "let a = 1_0\nlet b = [1, 2.50]\n");
  CHECK(formatted("import  a.b :C ,d") == "import a.b: C, d\n");
  CHECK(formatted("rule A{};rule B=C(1)|d=E") == "rule A {}\n\nrule B = C(1) | d = E\n");
  CHECK(formatted("rule A {\n\n\n  state m\n\n\n  state n\n\n}") ==
        "rule A {\n  state m\n\n  state n\n}\n");
  CHECK(formatted("fn f(x,y=2)=-x ^ 2*(y)-not a") == "fn f(x, y = 2) = -x^2 * (y) - not a\n");
  CHECK(
      formatted("rule A { matrix(0|rest , x)\nstate matrix [rows,2 ] l=0\nrequire rank<=2 }") ==
      "rule A {\n  matrix (0 | rest, x)\n  state matrix[rows, 2] l = 0\n  require rank <= 2\n}\n");
  CHECK(formatted("kernel k=A|B(x=1)with{param:bf16\nstate m:q8 {a , b}}") ==
        "kernel k = A | B(x = 1) with {\n  param: bf16\n  state m: q8 {\n    a, b\n  }\n}\n");
}

TEST_CASE("what is declared keeps its order") {
  CHECK(formatted("rule A { step { regrad }\nview w=m\nhyper int const a=1\nstate m }\nlet z=1") ==
        "rule A {\n  step { regrad }\n  view w = m\n  hyper int const a = 1\n  state m\n}\n\n"
        "let z = 1\n");
}

TEST_CASE("hypers that stand together share the columns of = and in") {
  CHECK(formatted("rule A {\nhyper lr = 0.1 in [0,inf)\n/// Why.\nhyper const beta=0.999 in (0,1)\n"
                  "hyper mode=raw in {raw,other}\n\nhyper bool long_name = true\nstate a=1\n"
                  "state model bc=2\nstate d\nstate e_long=3\n}") ==
        "rule A {\n"
        "  hyper lr         = 0.1   in [0, inf)\n"
        "  /// Why.\n"
        "  hyper const beta = 0.999 in (0, 1)\n"
        "  hyper mode       = raw in {raw, other}\n"
        "\n"
        "  hyper bool long_name = true\n"
        "  state a        = 1\n"
        "  state model bc = 2\n"
        "  state d\n"
        "  state e_long = 3\n"
        "}\n");
}

TEST_CASE("a block of one statement stays on its line if the author put it there") {
  CHECK(formatted("rule A { step{a=1}\nafter {\nb = 2 } }") ==
        "rule A {\n  step { a = 1 }\n  after {\n    b = 2\n  }\n}\n");
  CHECK(formatted_step("if a{b=1}else{b=2}") == "if a { b = 1 } else { b = 2 }\n");
  CHECK(formatted_step("if a{b=1}else{\nb=2}") == "if a {\n  b = 1\n} else {\n  b = 2\n}\n");
  CHECK(formatted_step("if a{b=1;c=2}else if d {e=1}") ==
        "if a {\n  b = 1\n  c = 2\n} else if d {\n  e = 1\n}\n");
  CHECK(formatted_step("for i in 1 .. 3{x+=i}") == "for i in 1..3 { x += i }\n");
  CHECK(formatted("fn f(x) = { x }\nfn g(x) { let y = x; y }") ==
        "fn f(x) { x }\n\nfn g(x) {\n  let y = x\n  y\n}\n");
}

TEST_CASE("comments stay where they are") {
  CHECK(formatted("// a\n\n// b   \nlet x = 1 // c\n  // d\n") ==
        "// a\n\n// b\nlet x = 1  // c\n// d\n");
  CHECK(formatted("let x = 1 ; // a\n/// of y\nlet yy = 2 /// b") ==
        "let x = 1  // a\n/// of y\nlet yy = 2  /// b\n");
  CHECK(formatted("rule A { // a\n// b\n\nstate m // c\n\n// d\n}") ==
        "rule A {  // a\n  // b\n\n  state m  // c\n\n  // d\n}\n");
  CHECK(formatted("rule A { // a\n}") == "rule A {  // a\n}\n");
  CHECK(formatted_step("x = a + // b\n// c\nd // e\n* f(1, // g\n2)") ==
        "x = a +  // b\n    // c\n    d  // e\n      * f(1,  // g\n          2)\n");
  CHECK(formatted_step("if a {\n} // b\n// c\nelse {\n// d\n}") ==
        "if a {}  // b\n// c\nelse {\n  // d\n}\n");
  CHECK(formatted("fn f(x) // a\n= // b\n{ x }") == "fn f(x)  // a\n// b\n{ x }\n");
}

TEST_CASE("documentation stays with its declaration, and only with it") {
  CHECK(formatted("/// a\n\nlet x = 1\n/// b\nlet y = 2") ==
        "/// a\n\nlet x = 1\n/// b\nlet y = 2\n");
  // The `;` between keeps the text from being documentation.
  CHECK(formatted("rule A {\nstate m\n/// a\n;state n\n}") ==
        "rule A {\n  state m\n  /// a\n\n  state n\n}\n");
}

TEST_CASE("long pipelines have a line for each stage") {
  const std::string one = "rule R = A(1) | B(2)\n";
  CHECK(formatted(one) == one);
  CHECK(formatted("rule R = A(1)\n| B(2)") == "rule R =\n    A(1)\n  | B(2)\n");
  CHECK(formatted("rule R { pipeline\nA | x = B }") ==
        "rule R {\n  pipeline\n      A\n    | x = B\n}\n");
  CHECK(formatted("rule R {\nwhen rank==2: A\n| B\notherwise: C }") ==
        "rule R {\n  when rank == 2:\n      A\n    | B\n  otherwise: C\n}\n");
  const std::string long_argument(40, 'a');
  CHECK(formatted("rule R = A(" + long_argument + ") | B(" + long_argument + ") | C(d = 1)") ==
        "rule R =\n    A(" + long_argument + ")\n  | B(" + long_argument + ")\n  | C(d = 1)\n");
}

TEST_CASE("the rules of arms that stand together begin in one column") {
  CHECK(formatted("rule R {\nwhen rank == 2 and a: A(1) // b\n// c\nwhen rank==1: B|C\n\n"
                  "when rank==3:\nA\nwhen rank==30:\nA|B\notherwise: C }") ==
        "rule R {\n"
        "  when rank == 2 and a: A(1)  // b\n"
        "  // c\n"
        "  when rank == 1:       B | C\n"
        "\n"
        "  when rank == 3: A\n"
        "  when rank == 30:\n      A\n    | B\n"
        "  otherwise:      C\n"
        "}\n");
}

TEST_CASE("an arm that is broken for its length has no share in the column of the others") {
  const std::string once = formatted(
      "rule R {\n"
      "when rank == 2 or rank == 0: R1 | R1(h2 = (false) and (is_finite(t)), h3 = clip(t + 0 * t, "
      "0.125, 0.5))\n"
      "when rank == 1: stage4 = R1(h3 = clip(given_number + 0 * t, 0.125, 0.5)) | stage5 = R1\n"
      "otherwise: R1\n"
      "}");
  INFO(once);
  CHECK(once.find("  otherwise:      R1\n") != std::string::npos);
  CHECK(formatted(once) == once);
}

TEST_CASE("a list below a comment has one indentation") {
  CHECK(formatted("let m = [ // a\n1, // b\n2]") ==
        "let m = [  // a\n        1,  // b\n        2]\n");
  CHECK(formatted("rule R = A( // a\nx=1, // b\ny=2)") ==
        "rule R = A(  // a\n    x = 1,  // b\n    y = 2)\n");
}

TEST_CASE("a stage below a comment behind its sign is indented") {
  CHECK(formatted("rule R =\nA // a\n| // b\nB // c\n| C") ==
        "rule R =\n    A  // a\n  |  // b\n    B  // c\n  | C\n");
}

TEST_CASE("long values are broken where the language lets a line go on") {
  const std::string a(30, 'a');
  const std::string b(30, 'b');
  CHECK(formatted_step("x = " + a + " * " + b + " + " + a + " * " + b) ==
        "x = " + a + " * " + b + "\n    + " + a + " * " + b + "\n");
  // A line that begins with a minus would be one of its own.
  CHECK(formatted_step("x = " + a + " * " + b + " - " + a + " * " + b) ==
        "x = " + a + " * " + b + " -\n    " + a + " * " + b + "\n");
  CHECK(formatted_step("x = (" + a + " * " + b + " - " + a + " * " + b + ")") ==
        "x = (" + a + " * " + b + "\n     - " + a + " * " + b + ")\n");
  CHECK(formatted_step("x = f(" + a + ", " + b + ", " + a + ")") ==
        "x = f(" + a + ", " + b + ",\n      " + a + ")\n");
  CHECK(formatted_step("if " + a + " and " + b + " and not " + a + " { x = 1\n}") ==
        "if " + a + " and " + b + "\n    and not " + a + " {\n  x = 1\n}\n");
}

TEST_CASE("an if that gives a value has a line for each arm, or one for all") {
  CHECK(formatted_step("x = if a then b else c") == "x = if a then b else c\n");
  CHECK(formatted_step("x = if a then b else if c then d\nelse e") ==
        "x =\n  if a then b\n  else if c then d\n  else e\n");
  CHECK(formatted_step("x = 2 * (if a then b\nelse c)") ==
        "x = 2 * (if a then b\n         else c)\n");
  CHECK(formatted_step("x = if a then { let b = 1; b } else { 2 }") ==
        "x = if a then {\n  let b = 1\n  b\n} else {\n  2\n}\n");
  CHECK(formatted("fn f(x)=\nif a then b else c") == "fn f(x) =\n  if a then b else c\n");
  const std::string a(37, 'a');
  CHECK(formatted_step("let x = if " + a + " then " + a + " else b") ==
        "let x =\n  if " + a + " then " + a + " else b\n");
  CHECK(formatted_step("let x = if " + a + " then f(" + a + ", " + a + ") else b") ==
        "let x =\n  if " + a + " then\n    f(" + a + ", " + a + ")\n  else b\n");
}

TEST_CASE("a text with errors is not formatted") {
  CHECK(formatted("rule A { step { x = } }").find("error[TW") == 0);
  CHECK(formatted("let x = f(1, // a\r2)").find("carriage return") != std::string::npos);
}
