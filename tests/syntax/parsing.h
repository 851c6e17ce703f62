// Shortcuts of the tests of compiler/syntax: text in, tree and messages out.
#pragma once

#include <string>

#include "compiler/base/diagnostic_render.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/print.h"

namespace talweg::test {

struct Parsed {
  base::Sources sources;
  base::Diagnostics diagnostics;
  syntax::Module module;

  [[nodiscard]] std::string messages() const {
    return base::render_text(diagnostics, sources, false);
  }
  /// How many diagnostics are of this kind.
  [[nodiscard]] int count(base::DiagnosticKind kind) const {
    int result = 0;
    for (const base::Diagnostic& diagnostic : diagnostics.all())
      if (diagnostic.kind == kind) ++result;
    return result;
  }
  template <class Declaration>
  [[nodiscard]] const Declaration& declaration(std::size_t index) const {
    return std::get<Declaration>(module.decls.at(index));
  }
};

inline Parsed parse(std::string text) {
  Parsed result;
  const base::SourceId id = result.sources.add("test.tw", std::move(text));
  result.module = syntax::parse_module(id, result.sources, result.diagnostics);
  return result;
}

/// The tree of an expression as text that shows every operation: "(+ a (* b c))"; messages if there
/// are any.
std::string tree(const std::string& expression);

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string result;
  result.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) result += part;
  return result;
}

}  // namespace talweg::test
