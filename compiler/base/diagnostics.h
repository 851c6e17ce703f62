// Diagnostics: what is wrong with the user's program, where, and the way out.
//
// Every kind is a row of one of the tables in kinds/ (number, severity, message with {0} {1} holes,
// long explanation for `talweg explain`). A diagnostic keeps its arguments as text; how it looks is
// decided in diagnostic_render.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source.h"

namespace talweg::base {

enum class Severity : std::uint8_t { Error, Warning };

enum class DiagnosticKind : std::uint16_t {
#define TALWEG_DIAGNOSTIC(name, number, severity, message, explanation) name,
#include "compiler/base/diagnostic_kinds.inc"
#undef TALWEG_DIAGNOSTIC
};

struct DiagnosticInfo {
  DiagnosticKind kind;
  std::string_view name;  // the enumerator, e.g. "UnknownName"
  int number;             // shown as TW0201
  Severity severity;
  std::string_view message;  // fmt holes {0}, {1}, ... are the arguments
  std::string_view
      explanation;  // paragraphs for `talweg explain`, with an example and its correction
};

/// All kinds, in the order of their numbers.
const std::vector<DiagnosticInfo>& diagnostic_table();
const DiagnosticInfo& info(DiagnosticKind kind);
/// "TW0201".
std::string code_text(DiagnosticKind kind);

/// A further place that matters, with a few words on why.
struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  DiagnosticKind kind;
  Span span;                       // the narrowest range that is wrong
  std::string message;             // the kind's message with its holes filled
  std::string primary_label;       // optional words beside the marked range
  std::vector<Label> labels;       // secondary places
  std::vector<std::string> helps;  // what to write instead ("did you mean `beta1`?")
};

/// Adds words and places to a diagnostic just reported:
///   diagnostics.report(DiagnosticKind::UnknownName, span, name).help("did you mean `beta1`?");
class DiagnosticBuilder {
 public:
  explicit DiagnosticBuilder(Diagnostic* diagnostic) : diagnostic_(diagnostic) {}
  DiagnosticBuilder& here(std::string text);              // words at the primary span
  DiagnosticBuilder& label(Span span, std::string text);  // a secondary span
  DiagnosticBuilder& help(std::string text);

 private:
  Diagnostic* diagnostic_;  // null once the cap is reached
};

/// Collects the diagnostics of one compilation. At most `kMaxErrors` errors, and as many
/// warnings, are kept (the rest are counted);
/// an error at a span where the same kind stands already is dropped.
class Diagnostics {
 public:
  static constexpr int kMaxErrors = 20;

  template <class... Args>
  DiagnosticBuilder report(DiagnosticKind kind, Span span, const Args&... args) {
    return add(kind, span, fmt::format(fmt::runtime(info(kind).message), args...));
  }

  [[nodiscard]] bool has_errors() const { return error_count_ > 0; }
  [[nodiscard]] int error_count() const { return error_count_; }
  [[nodiscard]] int dropped() const { return dropped_; }
  /// True once no further error will be kept; long phases may stop early.
  [[nodiscard]] bool full() const { return error_count_ >= kMaxErrors; }
  /// In the order reported, or sorted.
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return diagnostics_; }
  /// Sorts what was reported after the first `count` diagnostics by place, for a phase that walks
  /// its text several times. All of it must be about one source.
  void sort_after(std::size_t count);
  /// Drops warnings about text of `source` that begins before `begin`: it was warned about earlier.
  void forget_warnings_before(SourceId source, std::uint32_t begin);

 private:
  DiagnosticBuilder add(DiagnosticKind kind, Span span, std::string message);
  std::vector<Diagnostic> diagnostics_;
  int error_count_ = 0;
  int warning_count_ = 0;
  int dropped_ = 0;
};

/// The candidate nearest to `name` by edit distance, if near enough to be a likely typo; else
/// empty.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace talweg::base
