#include "compiler/base/diagnostics.h"

#include <algorithm>
#include <numeric>

#include "compiler/base/check.h"

namespace talweg::base {

const std::vector<DiagnosticInfo>& diagnostic_table() {
  static const std::vector<DiagnosticInfo> table = {
#define TALWEG_DIAGNOSTIC(name, number, severity, message, explanation) \
  {DiagnosticKind::name, #name, number, Severity::severity, message, explanation},
#include "compiler/base/diagnostic_kinds.inc"
#undef TALWEG_DIAGNOSTIC
  };
  return table;
}

const DiagnosticInfo& info(DiagnosticKind kind) {
  return diagnostic_table()[static_cast<std::size_t>(kind)];
}

std::string code_text(DiagnosticKind kind) { return fmt::format("TW{:04}", info(kind).number); }

DiagnosticBuilder& DiagnosticBuilder::here(std::string text) {
  if (diagnostic_) diagnostic_->primary_label = std::move(text);
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::label(Span span, std::string text) {
  if (diagnostic_) diagnostic_->labels.push_back({span, std::move(text)});
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::help(std::string text) {
  if (diagnostic_) diagnostic_->helps.push_back(std::move(text));
  return *this;
}

DiagnosticBuilder Diagnostics::add(DiagnosticKind kind, Span span, std::string message) {
  const bool is_error = info(kind).severity == Severity::Error;
  for (const Diagnostic& other : diagnostics_)
    if (other.kind == kind && other.span.source == span.source && other.span.begin == span.begin &&
        other.span.end == span.end)
      return DiagnosticBuilder(nullptr);
  int& count = is_error ? error_count_ : warning_count_;
  if (++count > kMaxErrors) {
    ++dropped_;
    return DiagnosticBuilder(nullptr);
  }
  diagnostics_.push_back({kind, span, std::move(message), {}, {}, {}});
  return DiagnosticBuilder(&diagnostics_.back());
}

void Diagnostics::forget_warnings_before(SourceId source, std::uint32_t begin) {
  warning_count_ -= static_cast<int>(std::erase_if(diagnostics_, [&](const Diagnostic& d) {
    return info(d.kind).severity == Severity::Warning && d.span.source == source &&
           d.span.begin < begin;
  }));
}

void Diagnostics::sort_after(std::size_t count) {
  std::stable_sort(diagnostics_.begin() + static_cast<std::ptrdiff_t>(count), diagnostics_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::pair(a.span.begin, a.span.end) <
                            std::pair(b.span.begin, b.span.end);
                   });
}

namespace {

/// Edit distance with swaps of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool is_same_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestName = 64;
  if (name.size() > kLongestName) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName || candidate == name) continue;
    // Letters that differ in case alone are the least of mistakes.
    const std::size_t distance =
        is_same_but_for_case(name, candidate) ? 0 : edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace talweg::base
