// Text to syntax tree. ANTLR stays behind this header.
#pragma once

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/syntax/ast.h"

namespace talweg::syntax {

/// Limits checked before the parser runs; beyond them a diagnostic is reported and an empty module
/// given.
struct Limits {
  static constexpr int kMaxNesting =
      256;  // brackets, unary operators, ifs, powers within each other
  static constexpr int kMaxTreeDepth = 1000;  // of the tree that later phases walk recursively
  static constexpr std::size_t kMaxTokens = 200'000;
  static constexpr std::size_t kMaxTextBytes = 2u << 20;
  static constexpr std::size_t kMaxNameBytes = 256;
  static constexpr std::size_t kMaxNumberBytes = 512;
};

/// Parses a module (a .tw file). Reports every error it can recover from; what is returned can
/// always be walked (ErrorExpr stands where an expression was wrong).
Module parse_module(base::SourceId source, const base::Sources& sources,
                    base::Diagnostics& diagnostics);

/// Parses a pipeline alone, as in --rule 'Clip(1) | AdamW(lr = 0.1)'. The module holds one RuleDecl
/// with `is_alias`, named "rule".
Module parse_pipeline(base::SourceId source, const base::Sources& sources,
                      base::Diagnostics& diagnostics);

/// Parses one line (or several) of the REPL: declarations, or a statement list, or one expression.
/// `complete` is false when more lines are needed (an open bracket or block).
struct ReplInput {
  Module module;                     // declarations, if the text is declarations
  std::optional<ExprId> expression;  // if the text is one expression
  bool complete = true;
};
ReplInput parse_repl(base::SourceId source, const base::Sources& sources,
                     base::Diagnostics& diagnostics);

}  // namespace talweg::syntax
