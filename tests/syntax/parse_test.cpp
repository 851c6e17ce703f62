// Precedence, and what of a text ends up where in its tree.
#include <catch2/catch.hpp>

#include "tests/syntax/parsing.h"

using namespace talweg;
using namespace talweg::syntax;
using test::parse;
using test::tree;

TEST_CASE("operators bind as in mathematics") {
  CHECK(tree("a + b * c") == "(+ a (* b c))");
  CHECK(tree("(a + b) * c") == "(* (+ a b) c)");
  CHECK(tree("a - b - c") == "(- (- a b) c)");
  CHECK(tree("a / b / c * d") == "(* (/ (/ a b) c) d)");
  CHECK(tree("a % b @ c") == "(@ (% a b) c)");
  CHECK(tree("a < b + c") == "(< a (+ b c))");
  CHECK(tree("a == b and c != d or e") == "(or (and (== a b) (!= c d)) e)");
  CHECK(tree("not a == b") == "(not (== a b))");
  CHECK(tree("not a and not b") == "(and (not a) (not b))");
}

TEST_CASE("powers go to the right and bind tighter than a sign") {
  CHECK(tree("a^b^c") == "(^ a (^ b c))");
  CHECK(tree("-a^2") == "(- (^ a 2))");
  CHECK(tree("2^-3") == "(^ 2 (- 3))");
  CHECK(tree("2^-3^2") == "(^ 2 (- (^ 3 2)))");
  CHECK(tree("2^-3 * 4") == "(* (^ 2 (- 3)) 4)");
  CHECK(tree("-a * -b") == "(* (- a) (- b))");
  CHECK(tree("(-a)^2") == "(^ (- a) 2)");
  CHECK(tree("- -a") == "(- (- a))");
  CHECK(tree("1 - beta1^t") == "(- 1 (^ beta1 t))");
}

TEST_CASE("per binds tighter than any operator") {
  CHECK(tree("norm(a) per tensor / norm(b) per model") ==
        "(/ (per tensor (call norm a)) (per model (call norm b)))");
  CHECK(tree("-sum(a) per row^2") == "(- (^ (per row (call sum a)) 2))");
  CHECK(tree("mean(x) per matrix") == "(per matrix (call mean x))");
}

TEST_CASE("an if reaches as far as it can") {
  CHECK(tree("if a then b else c + d") == "(if a b (+ c d))");
  CHECK(tree("1 + if a then b else c * 2") == "(+ 1 (if a b (* c 2)))");
  CHECK(tree("(if a then b else c) + d") == "(+ (if a b c) d)");
  CHECK(tree("if a then b else if c then d else e") == "(if a b (if c d e))");
  CHECK(tree("if a then if b then c else d else e") == "(if a (if b c d) e)");
  CHECK(tree("if if a then b else c then d else e") == "(if (if a b c) d e)");
  CHECK(tree("if a then { let q = 1; q } else { b }") == "(if a {1 q} {0 b})");
}

TEST_CASE("values that are no operations") {
  CHECK(tree("10_000") == "10_000");
  CHECK(tree("1e-3") == "1e-3");
  CHECK(tree("[1, -2, x]") == "[ 1 (- 2) x ]");
  CHECK(tree("[]") == "[ ]");
  CHECK(tree("f()") == "(call f)");
  CHECK(tree("m.f(1, peak = 2)") == "(call m.f 1 peak:2)");
  CHECK(tree("tagged(\"embedding\")") == "(call tagged \"embedding\")");
  CHECK(tree("plateau.scale * true") == "(* plateau.scale true)");
  CHECK(tree("plateau.state") != "plateau.state");  // `state` is a word of the language
}

TEST_CASE("numbers have the value of their text") {
  const auto parsed = parse("let a = 10_000.5e-1\nlet b = 4.9e-324\nlet c = 0.1");
  REQUIRE_FALSE(parsed.diagnostics.has_errors());
  const auto value = [&](std::size_t i) {
    return std::get<NumberLit>(parsed.module[parsed.declaration<ConstDecl>(i).value].node).value;
  };
  CHECK(value(0) == 1000.05);
  CHECK(value(1) == 4.9e-324);
  CHECK(value(2) == 0.1);
}

TEST_CASE("names may be of any alphabet") {
  CHECK(tree("β1 * θ̂ - v₂") == "(- (* β1 θ̂) v₂)");
  CHECK(tree("学習率") == "学習率");
}

TEST_CASE("the parts of a hyper") {
  const auto parsed = parse(
      "rule R {\n"
      "  /// How fast.\n"
      "  hyper model lr = 1e-3 in (0, inf)\n"
      "  hyper const int k = 5\n"
      "  hyper bool model const b = true\n"
      "  hyper const mode = raw in {raw, corrected}\n"
      "  hyper model = 1\n"
      "}");
  REQUIRE_FALSE(parsed.diagnostics.has_errors());
  const auto& hypers = parsed.declaration<RuleDecl>(0).hypers;
  REQUIRE(hypers.size() == 5);
  CHECK(hypers[0].name.text == "lr");
  CHECK(hypers[0].doc == "How fast.");
  CHECK((hypers[0].is_model && !hypers[0].is_const && !hypers[0].is_int));
  REQUIRE(hypers[0].range);
  CHECK((!hypers[0].range->low_closed && !hypers[0].range->high_closed));
  CHECK((hypers[1].is_const && hypers[1].is_int && !hypers[1].is_model));
  CHECK((hypers[2].is_bool && hypers[2].is_model && hypers[2].is_const));
  REQUIRE(hypers[3].choices.size() == 2);
  CHECK(hypers[3].choices[1].text == "corrected");
  CHECK((hypers[4].name.text == "model" && !hypers[4].is_model));
}

TEST_CASE("states and inputs have a rate in front of their name") {
  const auto parsed = parse(
      "rule R {\n"
      "  state m\n  state model best = inf\n  state matrix[rows, rows] l\n  state matrix q\n"
      "  input hessian\n  input model loss\n"
      "}");
  REQUIRE_FALSE(parsed.diagnostics.has_errors());
  const auto& rule = parsed.declaration<RuleDecl>(0);
  REQUIRE(rule.states.size() == 4);
  CHECK((!rule.states[0].rate && !rule.states[0].initial));
  CHECK((rule.states[1].rate->text == "model" && rule.states[1].initial));
  CHECK((rule.states[2].shape.size() == 2 && rule.states[2].name.text == "l"));
  CHECK((rule.states[3].rate->text == "matrix" && rule.states[3].shape.empty()));
  CHECK((!rule.inputs[0].rate && rule.inputs[1].rate->text == "model"));
}

TEST_CASE("documentation belongs to the declaration right below it") {
  const auto parsed = parse(
      "/// About the file.\n"
      "\n"
      "/// First.\n"
      "///\n"
      "///  Indented.\n"
      "rule R {\n"
      "  hyper a = 1  /// not of b\n"
      "  hyper b = 2\n"
      "  // plain\n"
      "  state m\n"
      "}\n"
      "/// Of f.\n"
      "fn f(x) = x\n");
  REQUIRE_FALSE(parsed.diagnostics.has_errors());
  const auto& rule = parsed.declaration<RuleDecl>(0);
  CHECK(rule.doc == "First.\n\n Indented.");
  CHECK(rule.hypers[1].doc.empty());
  CHECK(rule.states[0].doc.empty());
  CHECK(parsed.declaration<FnDecl>(1).doc == "Of f.");
}

TEST_CASE("else if is an if alone in the else") {
  const auto parsed =
      parse("rule R { step { if a { x = 1 } else if b { x = 2 } else { x = 3 } } }");
  REQUIRE_FALSE(parsed.diagnostics.has_errors());
  const auto& body = parsed.declaration<RuleDecl>(0).steps.at(0).body;
  const auto& outer = std::get<IfStmt>(parsed.module[body.at(0)].node);
  REQUIRE(outer.else_body.size() == 1);
  const auto& inner = std::get<IfStmt>(parsed.module[outer.else_body[0]].node);
  CHECK((inner.then_body.size() == 1 && inner.else_body.size() == 1));
}

TEST_CASE("spans cover the text of their node") {
  const auto parsed = parse("let α = (1 + β) * f(2)");
  const auto& product = parsed.module[parsed.declaration<ConstDecl>(0).value];
  CHECK(parsed.sources.text(product.span) == "(1 + β) * f(2)");
  const auto& call = parsed.module[std::get<BinaryExpr>(product.node).right];
  CHECK(parsed.sources.text(call.span) == "f(2)");
}

TEST_CASE("a pipeline alone is a rule named rule") {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const auto id = sources.add("--rule", "Clip(1) | p = mine.Adam(lr = 0.1)\n | Ema");
  const Module module = parse_pipeline(id, sources, diagnostics);
  REQUIRE_FALSE(diagnostics.has_errors());
  const auto& rule = std::get<RuleDecl>(module.decls.at(0));
  CHECK((rule.is_alias && rule.name.text == "rule"));
  const auto& stages = rule.pipelines.at(0).stages;
  REQUIRE(stages.size() == 3);
  CHECK((stages[1].label->text == "p" && stages[1].rule.text() == "mine.Adam"));
  CHECK((stages[0].has_arguments && !stages[2].has_arguments));
}

TEST_CASE("an empty file is an empty module") {
  for (const char* text : {"", "\n\n", "  // nothing\n", "\xEF\xBB\xBF", ";;\n;"}) {
    const auto parsed = parse(text);
    CHECK_FALSE(parsed.diagnostics.has_errors());
    CHECK(parsed.module.decls.empty());
  }
}
