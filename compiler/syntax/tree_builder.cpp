// Nodes, spans and names: what the other build_*.cpp files share.
#include "compiler/syntax/tree_builder.h"

#include <algorithm>

#include "compiler/base/check.h"
#include "compiler/syntax/parse.h"

namespace talweg::syntax {

using base::DiagnosticKind;

ExprId TreeBuilder::add_with_depth(Span span, decltype(Expr::node) node, int depth) {
  if (depth > Limits::kMaxTreeDepth) {
    input_.diagnostics.report(DiagnosticKind::ExpressionTooLong, span, Limits::kMaxTreeDepth)
        .help("give parts of it names with `let`");
    node = ErrorExpr{};
    depth = 1;
  }
  module_.exprs.push_back({span, std::move(node)});
  expr_depths_.push_back(depth);
  return ExprId(static_cast<std::uint32_t>(module_.exprs.size() - 1));
}

ExprId TreeBuilder::add(Span span, decltype(Expr::node) node,
                        std::initializer_list<ExprId> children) {
  int depth = 0;
  for (const ExprId child : children) depth = std::max(depth, expr_depths_[child.index]);
  return add_with_depth(span, std::move(node), depth + 1);
}

int TreeBuilder::depth_of(const std::vector<StmtId>& body) const {
  int depth = 0;
  for (const StmtId stmt : body) depth = std::max(depth, stmt_depths_[stmt.index]);
  return depth;
}

StmtId TreeBuilder::add_stmt(Span span, decltype(Stmt::node) node,
                             std::initializer_list<ExprId> exprs,
                             std::initializer_list<const std::vector<StmtId>*> bodies) {
  int depth = 0;
  for (const ExprId expr : exprs) depth = std::max(depth, expr_depths_[expr.index]);
  for (const std::vector<StmtId>* body : bodies) depth = std::max(depth, depth_of(*body));
  module_.stmts.push_back({span, std::move(node)});
  stmt_depths_.push_back(depth + 1);
  return StmtId(static_cast<std::uint32_t>(module_.stmts.size() - 1));
}

ExprId TreeBuilder::error(Span span) {
  TALWEG_CHECK(input_.diagnostics.has_errors(), "a tree with an error that was not reported");
  return add(span, ErrorExpr{});
}

Span TreeBuilder::span(const antlr4::Token* token) const {
  if (token == nullptr) return {input_.id, 0, 0};
  return {input_.id, static_cast<std::uint32_t>(token->getStartIndex()),
          static_cast<std::uint32_t>(token->getStopIndex())};
}

Span TreeBuilder::span(const Context* context) const {
  if (context == nullptr || context->start == nullptr) return {input_.id, 0, 0};
  const Span first = span(context->start);
  if (context->stop == nullptr || context->stop->getStartIndex() < context->start->getStartIndex())
    return first;
  return {input_.id, first.begin, span(context->stop).end};
}

Name TreeBuilder::name(const antlr4::Token* token) const {
  const Span place = span(token);
  return {std::string(input_.sources.text(place)), place};
}

std::optional<Name> TreeBuilder::name(antlr4::tree::TerminalNode* node) const {
  if (node == nullptr) return std::nullopt;
  return name(node->getSymbol());
}

std::optional<Name> TreeBuilder::name(TalwegParser::WordContext* context) const {
  if (context == nullptr || context->exception) return std::nullopt;
  return name(context->start);
}

Path TreeBuilder::path(TalwegParser::PathContext* context) const {
  Path result;
  result.span = span(context);
  result.parts.push_back(name(context->start));
  for (TalwegParser::WordContext* word : context->word())
    if (const auto part = name(word)) result.parts.push_back(*part);
  return result;
}

std::string TreeBuilder::doc(const Context* context) const {
  const auto found = list_.docs.find(span(context->start).begin);
  return found == list_.docs.end() ? std::string() : found->second;
}

std::string TreeBuilder::joined(std::size_t first, std::size_t last) const {
  std::string result;
  for (std::size_t i = first; i < last; ++i) {
    const Token& token = list_.tokens[i];
    const bool separator = token.kind == TokenKind::Separator;
    if (token.begin == token.end && !separator) continue;
    if (!result.empty()) result += ' ';
    result += separator ? ";" : input_.text(token);
  }
  return result;
}

}  // namespace talweg::syntax
