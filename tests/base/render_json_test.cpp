// Diagnostics as JSON lines.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compiler/base/diagnostic_render.h"

using namespace talweg::base;

TEST_CASE("one object a line, with everything in it") {
  Sources sources;
  const SourceId id = sources.add("a\"b.tw", "let β = \xff\nx\n");
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, {id, 4, 6}, "β\n\"")
      .here("here")
      .label({id, 11, 12}, "there")
      .help("do this");
  diagnostics.report(DiagnosticKind::InvalidUtf8, {id, 9, 10});
  std::istringstream lines(render_json(diagnostics, sources));
  std::string line;
  REQUIRE(std::getline(lines, line));
  const auto object = nlohmann::json::parse(line);
  CHECK(object["code"] == "TW0201");
  CHECK(object["severity"] == "error");
  CHECK(object["message"] == "`β\n\"` is not defined here");
  CHECK(object["file"] == "a\"b.tw");
  CHECK((object["line"] == 1 && object["column"] == 5));
  CHECK((object["end_line"] == 1 && object["end_column"] == 6));
  CHECK(object["label"] == "here");
  REQUIRE(object["labels"].size() == 1);
  CHECK((object["labels"][0]["line"] == 2 && object["labels"][0]["column"] == 1));
  CHECK(object["labels"][0]["text"] == "there");
  CHECK(object["helps"] == nlohmann::json::array({"do this"}));
  REQUIRE(std::getline(lines, line));
  CHECK(nlohmann::json::parse(line)["code"] == "TW0101");
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("names that are not UTF-8 still give valid JSON") {
  Sources sources;
  const SourceId id = sources.add("caf\xe9.tw", "x");
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, {id, 0, 1}, "\xe9");
  CHECK(nlohmann::json::accept(render_json(diagnostics, sources)));
}

TEST_CASE("a diagnostic without a place has no file") {
  Sources sources;
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, {}, "x");
  CHECK(nlohmann::json::parse(render_json(diagnostics, sources))["file"].is_null());
}
