// Puts the steps of the front end together: token passes, ANTLR's parser, the tree builder.
//
// The parser runs first in ANTLR's fast mode (SLL prediction) and gives up at the first mistake;
// only then it runs again in the full mode, with messages.
#include "compiler/syntax/parse.h"

#include "compiler/syntax/parser_run.h"
#include "compiler/syntax/tree_builder.h"

namespace talweg::syntax {

namespace {

std::size_t antlr_type(TokenKind kind) {
  switch (kind) {
#define TALWEG_TOKEN(grammar_name, name, text, flags) \
  case TokenKind::name:                               \
    return TalwegParser::grammar_name;
#include "compiler/syntax/tokens.inc"
#undef TALWEG_TOKEN
    case TokenKind::End:
      return antlr4::Token::EOF;
  }
  return antlr4::Token::EOF;
}

}  // namespace

std::vector<std::unique_ptr<antlr4::Token>> antlr_tokens(const TokenList& list) {
  std::vector<std::unique_ptr<antlr4::Token>> result;
  result.reserve(list.tokens.size());
  for (const Token& token : list.tokens) {
    auto made = std::make_unique<antlr4::CommonToken>(antlr_type(token.kind));
    made->setStartIndex(token.begin);
    made->setStopIndex(token.end);
    made->setLine(token.line);
    result.push_back(std::move(made));
  }
  return result;
}

std::optional<TokenList> prepare(const Input& input) {
  if (!check_text(input)) return std::nullopt;
  std::optional<TokenList> list = lex(input);
  if (!list || !balance_brackets(input, *list) || input.diagnostics.full()) return std::nullopt;
  lay_out(*list);
  if (!check_nesting(input, *list)) return std::nullopt;
  return list;
}

namespace {

/// Sorts what one parse reports by place when it ends: its steps each walk the whole text.
class SortedReports {
 public:
  explicit SortedReports(base::Diagnostics& diagnostics)
      : diagnostics_(diagnostics), before_(diagnostics.all().size()) {}
  ~SortedReports() { diagnostics_.sort_after(before_); }
  SortedReports(const SortedReports&) = delete;
  SortedReports& operator=(const SortedReports&) = delete;

 private:
  base::Diagnostics& diagnostics_;
  std::size_t before_;
};

Module empty_module(base::SourceId source) {
  Module module;
  module.source = source;
  return module;
}

void parse_declarations(const Input& input, const TokenList& list, Module& module) {
  ParserRun run(input, list);
  auto* context = run.parse(&TalwegParser::module);
  TreeBuilder(input, list, run.messages(), module).module(context);
}

}  // namespace

Module parse_module(base::SourceId source, const base::Sources& sources,
                    base::Diagnostics& diagnostics) {
  Module module = empty_module(source);
  const Input input{source, sources, diagnostics};
  const SortedReports sorted(diagnostics);
  if (const auto list = prepare(input)) parse_declarations(input, *list, module);
  return module;
}

Module parse_pipeline(base::SourceId source, const base::Sources& sources,
                      base::Diagnostics& diagnostics) {
  Module module = empty_module(source);
  const Input input{source, sources, diagnostics};
  const SortedReports sorted(diagnostics);
  const auto list = prepare(input);
  if (!list) return module;
  ParserRun run(input, *list);
  auto* context = run.parse(&TalwegParser::lonePipeline);
  TreeBuilder(input, *list, run.messages(), module).lone_pipeline(context);
  return module;
}

ReplInput parse_repl(base::SourceId source, const base::Sources& sources,
                     base::Diagnostics& diagnostics) {
  ReplInput result{empty_module(source), std::nullopt, true};
  const Input input{source, sources, diagnostics};
  const SortedReports sorted(diagnostics);
  base::Diagnostics first_look;
  const Input quiet{source, sources, first_look};
  if (check_text(quiet)) {
    const auto raw = lex(quiet);
    if (raw && !first_look.has_errors() && needs_more(*raw)) {
      result.complete = false;
      return result;
    }
  }
  const auto list = prepare(input);
  if (!list) return result;
  const TokenKind first = list->tokens.front().kind;
  if (first == TokenKind::End || first == TokenKind::Let || has(first, kDeclares)) {
    parse_declarations(input, *list, result.module);
    return result;
  }
  ParserRun run(input, *list);
  auto* context = run.parse(&TalwegParser::loneExpression);
  TreeBuilder builder(input, *list, run.messages(), result.module);
  const ExprId value = builder.expression(context->expression());
  if (!diagnostics.has_errors()) result.expression = value;
  return result;
}

}  // namespace talweg::syntax
