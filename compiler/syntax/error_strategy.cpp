#include "compiler/syntax/error_strategy.h"

namespace talweg::syntax {

namespace {

using antlr4::ParserRuleContext;

Place place_of(std::size_t rule) {
  switch (rule) {
    case TalwegParser::RuleModule:
      return Place::Module;
    case TalwegParser::RuleRuleBody:
      return Place::RuleBody;
    case TalwegParser::RuleBlock:
      return Place::Block;
    case TalwegParser::RuleImportDecl:
      return Place::Import;
    case TalwegParser::RuleFnDecl:
      return Place::Function;
    case TalwegParser::RuleRuleDecl:
      return Place::Rule;
    case TalwegParser::RuleHyperDecl:
      return Place::Hyper;
    case TalwegParser::RuleStateDecl:
      return Place::State;
    case TalwegParser::RuleInputDecl:
      return Place::Input;
    case TalwegParser::RuleRange:
      return Place::Range;
    case TalwegParser::RulePipeline:
      return Place::Pipeline;
    case TalwegParser::RuleWhenArm:
      return Place::When;
    case TalwegParser::RuleLoneExpression:
      return Place::LoneExpression;
  }
  return Place::Other;
}

/// The place around the parser: the innermost context that has a name among places.
Place place_around(ParserRuleContext* context) {
  for (; context != nullptr; context = dynamic_cast<ParserRuleContext*>(context->parent)) {
    if (context->getRuleIndex() == TalwegParser::RuleRuleItem) return Place::RuleBody;
    if (const Place place = place_of(context->getRuleIndex()); place != Place::Other) return place;
  }
  return Place::Module;
}

bool is_list(std::size_t rule) {
  return rule == TalwegParser::RuleModule || rule == TalwegParser::RuleRuleBody ||
         rule == TalwegParser::RuleBlock;
}

TokenKind kind_of(std::ptrdiff_t type) {
  switch (type) {
#define TALWEG_TOKEN(grammar_name, name, text, flags) \
  case TalwegParser::grammar_name:                    \
    return TokenKind::name;
#include "compiler/syntax/tokens.inc"
#undef TALWEG_TOKEN
  }
  return TokenKind::End;
}

}  // namespace

void ErrorStrategy::report_here(antlr4::Parser* parser, const antlr4::misc::IntervalSet& expected) {
  Misfit misfit{parser->getCurrentToken()->getTokenIndex(), place_around(parser->getContext()), {}};
  const auto add = [&](const antlr4::misc::IntervalSet& types) {
    for (const ssize_t type : types.toList())
      if (type != static_cast<ssize_t>(antlr4::Token::EPSILON))
        misfit.expected.insert(kind_of(type));
  };
  add(expected);
  if (passed_at_ == parser->getTokenStream()->index())
    for (const auto& [state, context] : passed_)
      add(parser->getInterpreter<antlr4::atn::ParserATNSimulator>()->atn.getExpectedTokens(
          state, context));
  messages_.report(misfit);
}

void ErrorStrategy::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  report_here(parser, error.getExpectedTokens());
}

void ErrorStrategy::recover(antlr4::Parser* parser, std::exception_ptr /*error*/) { skip(parser); }

antlr4::Token* ErrorStrategy::recoverInline(antlr4::Parser* parser) {
  throw antlr4::InputMismatchException(parser);
}

void ErrorStrategy::sync(antlr4::Parser* parser) {
  const std::size_t index = parser->getTokenStream()->index();
  if (index != passed_at_) passed_.clear();
  passed_at_ = index;
  passed_.emplace_back(parser->getState(), parser->getContext());
  if (!is_list(parser->getContext()->getRuleIndex())) return;
  const antlr4::atn::ATN& atn = parser->getInterpreter<antlr4::atn::ParserATNSimulator>()->atn;
  const antlr4::misc::IntervalSet& expected = atn.nextTokens(atn.states[parser->getState()]);
  const std::size_t next = parser->getTokenStream()->LA(1);
  if (expected.contains(static_cast<ssize_t>(next)) ||
      expected.contains(static_cast<ssize_t>(antlr4::Token::EPSILON)))
    return;
  if (!inErrorRecoveryMode(parser)) {
    beginErrorCondition(parser);
    report_here(parser, parser->getExpectedTokens());
  }
  skip(parser);
}

void ErrorStrategy::skip(antlr4::Parser* parser) {
  int depth = 0;
  auto* context = parser->getContext();
  for (; context != nullptr; context = dynamic_cast<ParserRuleContext*>(context->parent)) {
    if (!is_list(context->getRuleIndex()) || context->start == nullptr) continue;
    if (context->getRuleIndex() == TalwegParser::RuleModule) break;
    if (context->start->getType() != TalwegParser::LBRACE) continue;  // failed before its `{`
    depth = messages_.depth(context->start->getTokenIndex()) + 1;
    break;
  }
  auto* stream = parser->getTokenStream();
  const std::size_t stop = messages_.resume_at(stream->index(), depth);
  while (stream->index() < stop) stream->consume();
}

}  // namespace talweg::syntax
