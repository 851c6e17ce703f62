// Reports diagnostics and remembers whether the work at hand failed.
//
// The collection of diagnostics drops repeated errors and caps their number, and a session keeps
// one collection for many checks, so its count cannot tell whether this check failed.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/diagnostics.h"

namespace talweg::sema {

class Reporter {
 public:
  explicit Reporter(base::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  template <class... Args>
  base::DiagnosticBuilder report(base::DiagnosticKind kind, base::Span span, const Args&... args) {
    if (base::info(kind).severity == base::Severity::Error) failed_ = true;
    base::DiagnosticBuilder report = diagnostics_.report(kind, span, args...);
    if (call_site_) report.label(*call_site_, "in this call");
    for (const base::Label& given : given_) report.label(given.span, given.text);
    return report;
  }

  /// Reports from now on come from the body of a function that is called here.
  void set_call_site(std::optional<base::Span> span) { call_site_ = span; }

  /// Reports from now on come from a rule that was given this constant; until `forget_given`.
  void add_given(base::Label given) { given_.push_back(std::move(given)); }
  [[nodiscard]] std::size_t given_count() const { return given_.size(); }
  /// Forgets all but the first `count`.
  void forget_given(std::size_t count) {
    given_.erase(given_.begin() + static_cast<std::ptrdiff_t>(count), given_.end());
  }

  /// A new check begins.
  void begin() {
    failed_ = stopped_ = false;
    given_.clear();
  }
  void fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_; }

  /// A limit was met: the rest of this check is not worth doing.
  void stop() { failed_ = stopped_ = true; }
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// True while suggestions are worth computing: the error they belong to will be kept.
  [[nodiscard]] bool keeps_more() const {
    return diagnostics_.error_count() <= base::Diagnostics::kMaxErrors;
  }
  base::Diagnostics& diagnostics() { return diagnostics_; }

 private:
  base::Diagnostics& diagnostics_;
  bool failed_ = false;
  bool stopped_ = false;
  std::optional<base::Span> call_site_;
  std::vector<base::Label> given_;  // of the rules that are open, outermost first
};

}  // namespace talweg::sema
