// How marks are drawn under source lines.
#include <catch2/catch.hpp>

#include "compiler/base/diagnostic_render.h"

using namespace talweg::base;

namespace {

/// What is drawn of `text` with a primary mark on [begin, end): without the message, the place and
/// the closing lines.
std::string drawn(const std::string& text, std::uint32_t begin, std::uint32_t end,
                  const std::vector<Label>& labels = {}, const std::string& words = {}) {
  Sources sources;
  const SourceId id = sources.add("t", text);
  Diagnostics diagnostics;
  auto built = diagnostics.report(DiagnosticKind::UnmatchedBracket, {id, begin, end}, ")");
  built.here(words);
  for (const Label& label : labels) built.label({id, label.span.begin, label.span.end}, label.text);
  const std::string all = render_text(diagnostics, sources, false);
  const std::size_t first = all.find("|\n") + 2;
  return all.substr(first, all.find("\n\n", first) + 1 - first);
}

Label label(std::uint32_t begin, std::uint32_t end, std::string text) {
  return {{SourceId(0), begin, end}, std::move(text)};
}

}  // namespace

TEST_CASE("a mark stands under its text") {
  CHECK(drawn("let x = 1", 4, 5) ==
        "1 | let x = 1\n"
        "  |     ^\n");
  CHECK(drawn("let x = 1", 4, 9, {}, "all this") ==
        "1 | let x = 1\n"
        "  |     ^^^^^ all this\n");
}

TEST_CASE("an empty span and the end of the text are one column") {
  CHECK(drawn("let x", 5, 5) ==
        "1 | let x\n"
        "  |      ^\n");
  CHECK(drawn("", 0, 0) ==
        "1 |\n"
        "  | ^\n");
}

TEST_CASE("secondary marks share the row, their words stand below") {
  CHECK(drawn("m = a + b", 8, 9, {label(0, 1, "kept per tensor")}, "varies per element") ==
        "1 | m = a + b\n"
        "  | -       ^ varies per element\n"
        "  | kept per tensor\n");
  CHECK(drawn("m = a + b", 0, 1, {label(4, 5, "one"), label(8, 9, "two")}, "three") ==
        "1 | m = a + b\n"
        "  | ^   -   - two\n"
        "  | |   one\n"
        "  | three\n");
}

TEST_CASE("marks that overlap get rows of their own") {
  CHECK(drawn("f(a + b)", 2, 7, {label(0, 8, "in this call")}, "here") ==
        "1 | f(a + b)\n"
        "  |   ^^^^^ here\n"
        "  | -------- in this call\n");
}

TEST_CASE("marks on other lines are drawn in order of lines") {
  CHECK(drawn("a\nb\nc\nd\n", 6, 7, {label(0, 1, "first"), label(2, 3, "second")}) ==
        "1 | a\n"
        "  | - first\n"
        "2 | b\n"
        "  | - second\n"
        " ...\n"
        "4 | d\n"
        "  | ^\n");
}

TEST_CASE("a mark over several lines is drawn on the first and the last") {
  CHECK(drawn("x = f(\n  1,\n  2,\n  3)\ny", 4, 21, {}, "this call") ==
        "1 | x = f(\n"
        "  |     ^^\n"
        " ...\n"
        "4 |   3)\n"
        "  |   ^^ this call\n");
  CHECK(drawn("ab\ncd", 1, 3) ==
        "1 | ab\n"
        "  |  ^\n");
}

TEST_CASE("tabs become spaces and every code point is one column") {
  CHECK(drawn("\tlet x", 5, 6) ==
        "1 |     let x\n"
        "  |         ^\n");
  CHECK(drawn("β₁ = 学 + x", 14, 15) ==
        "1 | β₁ = 学 + x\n"
        "  |          ^\n");
}

TEST_CASE("nothing in a source reaches the terminal as a command") {
  const std::string text = drawn("a \x1b[31m\xe2\x80\xae\xc2\x9b b\x7f\xff", 2, 3);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\xe2\x80\xae") == std::string::npos);
  CHECK(text.find("\xc2\x9b") == std::string::npos);
  CHECK(text.find('\x7f') == std::string::npos);
  CHECK(text.find('\xff') == std::string::npos);
}

TEST_CASE("long lines are cut around the mark") {
  const std::string line = std::string(500, 'a') + "X" + std::string(500, 'b');
  const std::string text = drawn(line, 500, 501);
  CHECK(text.size() < 300);
  CHECK(text.find("...aaa") != std::string::npos);
  CHECK(text.find("bbb...") != std::string::npos);
  const std::size_t row = text.find('\n') + 1;
  CHECK(text.find('X') == text.find('^') - row);
}

TEST_CASE("a second mark far off on a long line gets its own cut") {
  const std::string text = drawn(std::string(1000, 'a') + "X" + std::string(1000, 'b'), 1000, 1001,
                                 {label(0, 2, "start")});
  CHECK(text.find("start") != std::string::npos);
  CHECK(text.find("X") != std::string::npos);
}

TEST_CASE("a megabyte on one line is drawn as fast as any") {
  CHECK(drawn(std::string(1'000'000, 'x'), 10, 999'990).size() < 400);
}

TEST_CASE("helps, further sources, counts and the hint") {
  Sources sources;
  const SourceId first = sources.add("a.tw", "use x\n");
  const SourceId second = sources.add("b.tw", "\n\n\n\n\n\n\n\n\nlet x = 1\n");
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, {first, 4, 5}, "x")
      .label({second, 13, 14}, "declared here")
      .help("import it\nor not");
  for (std::uint32_t i = 0; i < 20; ++i)
    diagnostics.report(DiagnosticKind::UnmatchedBracket, {first, i % 6, 6 + i}, ")");
  const std::string text = render_text(diagnostics, sources, false);
  CHECK(
      text.starts_with("error[TW0201]: `x` is not defined here\n"
                       "  --> a.tw:1:5\n"
                       "   |\n"
                       " 1 | use x\n"
                       "   |     ^\n"
                       "  ::: b.tw:10:5\n"
                       "   |\n"
                       "10 | let x = 1\n"
                       "   |     - declared here\n"
                       "   = help: import it\n"
                       "           or not\n\n"));
  CHECK(text.find("1 more not shown.\n") != std::string::npos);
  CHECK(text.ends_with("For more, run `talweg explain TW0201` (or TW0110).\n"));
}

TEST_CASE("no diagnostics, no text; colour only when asked for") {
  Sources sources;
  const SourceId id = sources.add("t", "x");
  Diagnostics diagnostics;
  CHECK(render_text(diagnostics, sources, true).empty());
  diagnostics.report(DiagnosticKind::UnknownName, {id, 0, 1}, "x");
  CHECK(render_text(diagnostics, sources, false).find('\x1b') == std::string::npos);
  CHECK(render_text(diagnostics, sources, true).find("\x1b[1;31merror") == 0);
}

TEST_CASE("a diagnostic without a place has its message alone") {
  Sources sources;
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, {}, "x").help("look");
  CHECK(render_text(diagnostics, sources, false).find("is not defined here\n  = help: look") !=
        std::string::npos);
}
