// Collecting diagnostics, and guessing at what was meant.
#include "compiler/base/diagnostics.h"

#include <catch2/catch.hpp>

using namespace talweg::base;

namespace {

Span at(std::uint32_t begin) { return {SourceId(0), begin, begin + 1}; }

}  // namespace

TEST_CASE("a kind's message has its holes filled") {
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnknownName, at(3), "mu")
      .here("here")
      .label(at(1), "there")
      .help("do");
  REQUIRE(diagnostics.all().size() == 1);
  const Diagnostic& diagnostic = diagnostics.all()[0];
  CHECK(diagnostic.message.find("`mu`") != std::string::npos);
  CHECK(diagnostic.primary_label == "here");
  CHECK((diagnostic.labels.size() == 1 && diagnostic.labels[0].text == "there"));
  CHECK(diagnostic.helps == std::vector<std::string>{"do"});
  CHECK(code_text(diagnostic.kind) == "TW0201");
}

TEST_CASE("twenty errors are kept, the rest counted") {
  Diagnostics diagnostics;
  for (std::uint32_t i = 0; i < 50; ++i) {
    CHECK(diagnostics.full() == (i >= 20));
    diagnostics.report(DiagnosticKind::UnmatchedBracket, at(i), ")").help("still safe to call");
  }
  CHECK(diagnostics.all().size() == 20);
  CHECK(diagnostics.error_count() == 50);
  CHECK(diagnostics.dropped() == 30);
}

TEST_CASE("one kind at one place is reported once") {
  Diagnostics diagnostics;
  diagnostics.report(DiagnosticKind::UnmatchedBracket, at(1), ")");
  diagnostics.report(DiagnosticKind::UnmatchedBracket, at(1), ")").help("dropped with it");
  diagnostics.report(DiagnosticKind::UnknownName, at(1), "x");
  diagnostics.report(DiagnosticKind::UnmatchedBracket, at(2), ")");
  CHECK(diagnostics.all().size() == 3);
  CHECK(diagnostics.error_count() == 3);
  CHECK(diagnostics.all()[0].helps.empty());
}

TEST_CASE("sorting by place leaves what came before alone") {
  Diagnostics diagnostics;
  for (const std::uint32_t begin : {9u, 5u, 3u, 4u})
    diagnostics.report(DiagnosticKind::UnmatchedBracket, at(begin), ")");
  diagnostics.sort_after(1);
  std::vector<std::uint32_t> order;
  for (const Diagnostic& diagnostic : diagnostics.all()) order.push_back(diagnostic.span.begin);
  CHECK(order == std::vector<std::uint32_t>{9, 3, 4, 5});
}

TEST_CASE("the nearest name is guessed only when near") {
  const std::vector<std::string> names = {"beta1", "beta2", "learning_rate", "eps", "m"};
  CHECK(nearest_name("beat1", names) == "beta1");
  CHECK(nearest_name("bta2", names) == "beta2");
  CHECK(nearest_name("learnign_rat", names) == "learning_rate");
  CHECK(nearest_name("esp", names) == "eps");
  CHECK(nearest_name("n", names) == "m");
  CHECK(nearest_name("momentum", names).empty());
  CHECK(nearest_name("eps", {"eps"}).empty());
  CHECK(nearest_name("x", {}).empty());
  CHECK(nearest_name(std::string(100'000, 'a'), {std::string(100'000, 'b')}).empty());
}
