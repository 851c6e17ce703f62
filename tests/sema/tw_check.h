// Checking rules from their text, for tests.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace talweg::test {

/// One session of the checker: modules are added as text, results are read as text.
class Session {
 public:
  explicit Session(sema::SearchPath path = {});

  /// Adds a module from its text.
  void add(const std::string& name, const std::string& text, std::filesystem::path file = {});
  bool check(const std::string& name);
  std::optional<sema::TypedRule> resolve(const std::string& pipeline, const std::string& from = {});
  std::optional<double> constant(const std::string& expression, const std::string& from = {});

  /// Codes of all diagnostics in order, "TW0201 TW0705"; empty if there are none.
  [[nodiscard]] std::string codes() const;
  /// Everything reported, as a person sees it.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const base::Diagnostics& diagnostics() const { return diagnostics_; }
  /// Forgets what was reported.
  void forget() { diagnostics_ = base::Diagnostics(); }

 private:
  base::Sources sources_;
  base::Diagnostics diagnostics_;
  sema::Modules modules_;
};

/// The typed rule of a pipeline over a module's text, printed; or what was reported instead.
std::string typed(const std::string& module, const std::string& pipeline);
/// The codes that checking a module's text gives.
std::string codes_of(const std::string& module);
/// A rule `R` around the statements of a step, with hypers lr and bool flag, and states m and v;
/// checked.
std::string codes_of_step(const std::string& statements);

}  // namespace talweg::test
