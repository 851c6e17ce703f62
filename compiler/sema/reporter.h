// Reports diagnostics and remembers whether the work at hand failed.
//
// The collection of diagnostics drops repeated errors and caps their number, and a session keeps
// one collection for many checks, so its count cannot tell whether this check failed.
#pragma once

#include <optional>
#include <string>
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
    return report;
  }

  /// Reports from now on come from the body of a function that is called here.
  void set_call_site(std::optional<base::Span> span) { call_site_ = span; }

  /// A new check begins.
  void begin() { failed_ = stopped_ = false; }
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
};

}  // namespace talweg::sema
