// The registry of diagnostics: every kind has a golden text somewhere in tests/diagnostics, a
// number of its own, and an explanation with an example.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "compiler/base/diagnostics.h"
#include "tests/diagnostics/golden.h"

using namespace talweg;

namespace {

/// The codes ("TW0101") that appear in any expectation.
std::set<std::string> shown_codes() {
  std::set<std::string> codes;
  const std::filesystem::path folder = TALWEG_SOURCE_DIR "/tests/diagnostics";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".expected") continue;
    const std::string text = test::read_file(entry.path());
    for (std::size_t at = text.find("[TW"); at != std::string::npos; at = text.find("[TW", at + 1))
      codes.insert(text.substr(at + 1, 6));
  }
  return codes;
}

}  // namespace

TEST_CASE("every kind of diagnostic has a golden test") {
  const std::set<std::string> codes = shown_codes();
  for (const base::DiagnosticInfo& row : base::diagnostic_table()) {
    INFO(row.name);
    CHECK(codes.contains(base::code_text(row.kind)));
  }
}

TEST_CASE("numbers of diagnostics rise through the table") {
  int before = 0;
  for (const base::DiagnosticInfo& row : base::diagnostic_table()) {
    INFO(row.name);
    CHECK(row.number > before);
    before = row.number;
  }
}

TEST_CASE("every explanation says more than the message") {
  for (const base::DiagnosticInfo& row : base::diagnostic_table()) {
    INFO(row.name);
    CHECK(row.explanation.size() > row.message.size());
  }
}
