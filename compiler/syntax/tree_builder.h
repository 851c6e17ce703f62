// From ANTLR's parse tree to ours. Only for sources that include ANTLR.
//
// Where the parser had to skip something, contexts miss children: every such place becomes an
// ErrorExpr or is left out, in silence, since the parser has reported it. What the grammar lets
// through although the language does not (see grammar/Talweg.g4) is reported here.
#pragma once

#include "TalwegParser.h"
#include "compiler/syntax/ast.h"
#include "compiler/syntax/parser_messages.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

class TreeBuilder {
 public:
  TreeBuilder(const Input& input, const TokenList& list, const ParserMessages& messages,
              Module& module)
      : input_(input), list_(list), messages_(messages), module_(module) {}

  void module(TalwegParser::ModuleContext* context);
  void lone_pipeline(TalwegParser::LonePipelineContext* context);
  ExprId expression(TalwegParser::ExpressionContext* context);

 private:
  using Context = antlr4::ParserRuleContext;

  // declarations (build_declarations.cpp, build_rules.cpp)
  void declaration(TalwegParser::DeclarationContext* context);
  void import_decl(TalwegParser::ImportDeclContext* context);
  void const_decl(TalwegParser::ConstDeclContext* context);
  void fn_decl(TalwegParser::FnDeclContext* context);
  void kernel_decl(TalwegParser::KernelDeclContext* context);
  void rule_decl(TalwegParser::RuleDeclContext* context);
  void rule_item(TalwegParser::RuleItemContext* context, RuleDecl& rule);
  std::optional<HyperDecl> hyper_decl(TalwegParser::HyperDeclContext* context);
  void hyper_kind(const Name& word, HyperDecl& hyper);
  std::optional<StateDecl> state_decl(TalwegParser::StateDeclContext* context);
  std::optional<InputDecl> input_decl(TalwegParser::InputDeclContext* context);
  std::optional<RangeSyntax> range(TalwegParser::RangeContext* context);
  MatrixDecl matrix_decl(TalwegParser::MatrixDeclContext* context);
  WhenArm when_arm(TalwegParser::WhenArmContext* context);
  Pipeline pipeline(TalwegParser::PipelineContext* context);
  std::optional<StageRef> stage(TalwegParser::StageContext* context);

  // statements (build_statements.cpp)
  std::vector<StmtId> body(TalwegParser::BlockContext* context);
  ExprId value_block(TalwegParser::BlockContext* context);
  std::optional<StmtId> statement(TalwegParser::ItemContext* context);
  std::optional<StmtId> let_stmt(TalwegParser::LetItemContext* context);
  std::optional<StmtId> for_stmt(TalwegParser::ForItemContext* context);
  std::optional<StmtId> stop_stmt(TalwegParser::StopItemContext* context);
  std::optional<StmtId> assign_stmt(TalwegParser::ValueItemContext* context);
  StmtId if_stmt(TalwegParser::IfItemContext* context);
  StmtId else_if(TalwegParser::ElseIfContext* context);
  void unused_value(TalwegParser::ExpressionContext* context);

  // expressions (build_expressions.cpp)
  ExprId primary(TalwegParser::PrimaryContext* context);
  ExprId number(antlr4::Token* token);
  ExprId prefix(TalwegParser::ExpressionContext* context);
  ExprId per_chain(TalwegParser::ExpressionContext* context);
  ExprId binary_chain(TalwegParser::ExpressionContext* context);
  ExprId if_expression(TalwegParser::ExpressionContext* context);
  ExprId arm(TalwegParser::ArmContext* context);
  std::vector<Argument> arguments(TalwegParser::ArgumentsContext* context);
  void check_chain(const BinaryExpr& comparison, antlr4::Token* second);

  // nodes
  ExprId add(Span span, decltype(Expr::node) node, std::initializer_list<ExprId> children = {});
  ExprId add_with_depth(Span span, decltype(Expr::node) node, int depth);
  StmtId add_stmt(Span span, decltype(Stmt::node) node, std::initializer_list<ExprId> exprs,
                  std::initializer_list<const std::vector<StmtId>*> bodies = {});
  ExprId error(Span span);
  [[nodiscard]] int depth_of(const std::vector<StmtId>& body) const;

  // text
  [[nodiscard]] Span span(const antlr4::Token* token) const;
  [[nodiscard]] Span span(const Context* context) const;
  [[nodiscard]] Name name(const antlr4::Token* token) const;
  [[nodiscard]] std::optional<Name> name(antlr4::tree::TerminalNode* node) const;
  [[nodiscard]] std::optional<Name> name(TalwegParser::WordContext* context) const;
  [[nodiscard]] Path path(TalwegParser::PathContext* context) const;
  /// True if the parser has said something about the statement that the context begins in.
  [[nodiscard]] bool reported(const Context* context) const {
    return context->exception || messages_.spoke_about(context->start->getTokenIndex());
  }
  [[nodiscard]] std::string doc(const Context* context) const;
  /// Tokens [first, last) of the list, joined by spaces.
  [[nodiscard]] std::string joined(std::size_t first, std::size_t last) const;

  const Input& input_;
  const TokenList& list_;
  const ParserMessages& messages_;
  Module& module_;
  std::vector<int> expr_depths_, stmt_depths_;  // of the trees below each node
};

}  // namespace talweg::syntax
