// What talweg says of texts that do not parse.
#include <catch2/catch.hpp>

#include "compiler/base/diagnostic_render.h"
#include "compiler/syntax/parse.h"
#include "tests/diagnostics/golden.h"

using namespace talweg;

namespace {

const std::filesystem::path kFolder = TALWEG_SOURCE_DIR "/tests/diagnostics/syntax";

/// What is said of a text too large to keep in the repository.
bool generated_matches(const std::string& name, std::string text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const base::SourceId id = sources.add(name + ".tw", std::move(text));
  static_cast<void>(syntax::parse_module(id, sources, diagnostics));
  return test::matches_golden(kFolder / "generated" / (name + ".expected"),
                              base::render_text(diagnostics, sources, false));
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += part;
  return result;
}

}  // namespace

TEST_CASE("messages about wrong syntax") {
  const int wrong =
      test::compare_goldens(kFolder, [](const std::filesystem::path& file, base::Sources& sources,
                                        base::Diagnostics& diagnostics) {
        const base::SourceId id = sources.add(file.filename().string(), test::read_file(file));
        static_cast<void>(syntax::parse_module(id, sources, diagnostics));
      });
  CHECK(wrong == 0);
}

TEST_CASE("messages about texts beyond a limit") {
  using syntax::Limits;
  CHECK(generated_matches("source_too_large", repeated("\n", Limits::kMaxTextBytes + 1)));
  CHECK(generated_matches("too_many_tokens", repeated("a\n", Limits::kMaxTokens + 1)));
  CHECK(generated_matches("nested_too_deeply_parentheses", "let x = " + repeated("(", 300)));
  CHECK(generated_matches("nested_too_deeply_signs", "let x = " + repeated("- ", 300) + "1"));
  CHECK(generated_matches("name_too_long", "let " + repeated("a", 300) + " = 1"));
  CHECK(generated_matches("number_too_long", "let x = 0." + repeated("1", 600)));
  CHECK(generated_matches("text_too_long", "let x = \"" + repeated("a", 300) + "\""));
  CHECK(generated_matches("expression_too_long", "let x = 1" + repeated(" + 1", 1001)));
}
