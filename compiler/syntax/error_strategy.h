// How the parser goes on after a mistake. Only for sources that include ANTLR.
#pragma once

#include "TalwegParser.h"
#include "compiler/syntax/parser_messages.h"

namespace talweg::syntax {

/// Reports through ParserMessages, then skips to the end of the statement: to the next separator of
/// the list that the mistake stands in, or to that list's closing brace. Never guesses at missing
/// tokens.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  explicit ErrorStrategy(ParserMessages& messages) : messages_(messages) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override;
  void recover(antlr4::Parser* parser, std::exception_ptr error) override;
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void sync(antlr4::Parser* parser) override;

 private:
  void report_here(antlr4::Parser* parser, const antlr4::misc::IntervalSet& expected);
  void skip(antlr4::Parser* parser);

  ParserMessages& messages_;
  /// Places in the grammar that the parser has passed at the current token: what could have stood
  /// there is expected too.
  std::vector<std::pair<std::size_t, antlr4::ParserRuleContext*>> passed_;
  std::size_t passed_at_ = 0;
};

}  // namespace talweg::syntax
