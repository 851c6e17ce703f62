// ANTLR's parser over prepared tokens. Only for sources that include ANTLR.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "TalwegParser.h"
#include "compiler/syntax/error_strategy.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

/// Text to tokens fit for the parser, or nothing after an error that forbids parsing.
std::optional<TokenList> prepare(const Input& input);

/// Our tokens as ANTLR's, in the same order. Start and stop are our byte offsets, stop being one
/// past the end.
std::vector<std::unique_ptr<antlr4::Token>> antlr_tokens(const TokenList& list);

/// A parser that is ready to run any rule of the grammar. It owns the contexts it gives.
class ParserRun {
 public:
  ParserRun(const Input& input, const TokenList& list)
      : source_(antlr_tokens(list)), stream_(&source_), parser_(&stream_), messages_(input, list) {
    parser_.removeErrorListeners();
  }

  template <class Context>
  Context* parse(Context* (TalwegParser::*rule)()) {
    auto* prediction = parser_.getInterpreter<antlr4::atn::ParserATNSimulator>();
    prediction->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    parser_.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
    try {
      return (parser_.*rule)();
    } catch (const antlr4::ParseCancellationException&) {
      stream_.seek(0);
      parser_.reset();
    }
    prediction->setPredictionMode(antlr4::atn::PredictionMode::LL);
    parser_.setErrorHandler(std::make_shared<ErrorStrategy>(messages_));
    return (parser_.*rule)();
  }

  [[nodiscard]] const ParserMessages& messages() const { return messages_; }

 private:
  antlr4::ListTokenSource source_;
  antlr4::CommonTokenStream stream_;
  TalwegParser parser_;
  ParserMessages messages_;
};

}  // namespace talweg::syntax
