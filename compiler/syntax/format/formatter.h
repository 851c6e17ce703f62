// From ANTLR's parse tree, which holds every token, to a document. Only for sources that include
// ANTLR.
//
// Every token is taken to the document once and in order, with its comments; what a formatted text
// may differ in is blanks, line breaks, `;`, and the `=` between a function's parameters and a
// block. Line breaks of the author are kept where they group: empty lines, a block of one statement
// that stands on one line, the stages of a pipeline, the arms of an `if`, a function's `=`.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "TalwegParser.h"
#include "compiler/syntax/format/comments.h"
#include "compiler/syntax/format/document.h"

namespace talweg::syntax {

class Formatter {
 public:
  Formatter(const Input& input, const TokenList& list, const Comments& comments,
            Documents& documents)
      : input_(input), list_(list), comments_(comments), docs_(documents) {
    led_.resize(list.tokens.size());
  }

  DocId module(TalwegParser::ModuleContext* context);

 private:
  using Context = antlr4::ParserRuleContext;
  using Terminal = antlr4::tree::TerminalNode;
  using Expression = TalwegParser::ExpressionContext;

  /// The widest name and value of the declarations whose `=` and `in` share their columns; of arms
  /// the widest condition, and the widths of pipelines.
  struct Columns {
    int name = 0;
    int value = 0;
  };
  /// The if, else-if and else of one statement, of whichever contexts.
  struct Branch {
    Terminal* keyword;
    Expression* condition;
    TalwegParser::BlockContext* body;
  };
  struct Choice {
    DocId doc;
    DocId below;              // the same behind a line break that decides for its arms too
    bool broken = false;      // over several lines, an arm each
    bool has_blocks = false;  // whose lines stand within braces
  };

  // tokens (formatter.cpp)
  static std::size_t index(Terminal* node) { return node->getSymbol()->getTokenIndex(); }
  static std::size_t first(const Context* context) { return context->start->getTokenIndex(); }
  [[nodiscard]] bool begins_line(std::size_t token) const { return comments_.before[token].breaks; }
  [[nodiscard]] bool on_one_line(const Context* context) const;
  DocId token(std::size_t index);
  DocId token(Terminal* node) { return token(index(node)); }
  /// The comments and the brief of a token that is left out.
  DocId left_out(Terminal* node);
  /// A new line for what begins with this token, below its own comments. `blank` asks for an empty
  /// line at least, nothing for none.
  void lead(std::size_t token, bool first_in_block, bool wants_blank, Docs& out);
  /// `{`, lines of their own, the comments before `}`, and `}`.
  DocId braced(DocId open, Docs lines, std::size_t close);
  DocId text(std::string_view words) { return docs_.text(words); }
  DocId all(std::initializer_list<DocId> parts) { return docs_.sequence(parts); }
  DocId words(const std::vector<TalwegParser::WordContext*>& words);
  /// Items between brackets, or without, each but the last with its comma.
  DocId listed(Terminal* open, const Docs& items, const std::vector<Terminal*>& commas,
               Terminal* close);
  [[nodiscard]] bool begins_with_comment(DocId id) const;

  // declarations (declarations.cpp)
  DocId declaration(TalwegParser::DeclarationContext* context);
  DocId function(TalwegParser::FnDeclContext* context);
  DocId import(TalwegParser::ImportDeclContext* context);
  DocId kernel(TalwegParser::KernelDeclContext* context);
  DocId anything(TalwegParser::AnythingContext* context);
  DocId rule(TalwegParser::RuleDeclContext* context);
  DocId rule_body(TalwegParser::RuleBodyContext* context);
  DocId rule_item(TalwegParser::RuleItemContext* context, const Columns& columns);
  DocId hyper(TalwegParser::HyperDeclContext* context, const Columns& columns);
  DocId state(TalwegParser::StateDeclContext* context, const Columns& columns);
  DocId state_head(TalwegParser::StateDeclContext* context);
  DocId matrix(TalwegParser::MatrixDeclContext* context);
  DocId when_arm(TalwegParser::WhenArmContext* context, const Columns& columns);
  DocId when_head(TalwegParser::WhenArmContext* context);
  void share_arm_column(std::vector<Columns>::iterator first, std::vector<Columns>::iterator last);
  DocId range(TalwegParser::RangeContext* context);
  DocId choices(TalwegParser::ChoicesContext* context);
  /// The stages, with the space or line break before the first.
  DocId pipeline(TalwegParser::PipelineContext* context);
  /// True if the author gave each stage a line.
  [[nodiscard]] bool is_broken(TalwegParser::PipelineContext* context) const;
  DocId stage(TalwegParser::StageContext* context);
  std::vector<Columns> column_runs(const std::vector<TalwegParser::RuleItemContext*>& items);
  Columns widths(TalwegParser::RuleItemContext* item);
  DocId padding(DocId before, int wanted);

  // statements (statements.cpp)
  DocId item(TalwegParser::ItemContext* context);
  DocId if_statement(TalwegParser::IfItemContext* context);
  DocId block(TalwegParser::BlockContext* context, bool may_stay_on_line);
  DocId condition(Expression* context) { return docs_.indent(kContinuation, expression(context)); }
  /// `= value` of a statement, with the space or line break between.
  DocId assigned(Terminal* sign, Expression* value);
  DocId assigned(std::size_t sign, Expression* value);
  /// An `if` that gives a value, on this line or all of it on the next.
  DocId moved_choice(Expression* value);
  [[nodiscard]] bool stays_on_line(TalwegParser::BlockContext* context) const;

  // expressions (expressions.cpp)
  DocId expression(Expression* context);
  DocId chain(Expression* context);
  Choice choice(Expression* context);
  /// The value of an arm, with the space or line break before it.
  DocId arm(TalwegParser::ArmContext* context);
  DocId primary(TalwegParser::PrimaryContext* context);
  DocId path(TalwegParser::PathContext* context);
  DocId arguments(TalwegParser::ArgumentsContext* context);
  /// What stands within brackets of either sort, where lines may break at any operator.
  template <class Function>
  auto within(bool parentheses, const Function& build) {
    const bool outer = in_parentheses_;
    in_parentheses_ = parentheses;
    auto result = build();
    in_parentheses_ = outer;
    return result;
  }

  static constexpr int kIndent = 2;
  static constexpr int kContinuation = 4;

  const Input& input_;
  const TokenList& list_;
  const Comments& comments_;
  Documents& docs_;
  std::vector<bool> led_;  // tokens whose own comments stand in the document already
  bool in_parentheses_ = false;
};

}  // namespace talweg::syntax
