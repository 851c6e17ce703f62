// The canonical printer, whose parts are print.cpp and print_*.cpp.
#pragma once

#include <string>

#include "compiler/syntax/ast.h"

namespace talweg::syntax {

/// Two spaces an indentation, one statement a line, no parenthesis that precedence makes needless.
class Printer {
 public:
  explicit Printer(const Module& module) : module_(module) {}

  void declaration(const Decl& decl);
  void expression(ExprId id, int least = 0);
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void operator_expression(const Expr& expr);
  void node(const Expr& expr);
  void block_value(const BlockExpr& block);
  void arguments(const std::vector<Argument>& arguments);
  void list(const std::vector<ExprId>& items);
  void text(std::string_view text) { out_ += text; }

  void statements(const std::vector<StmtId>& body);
  void block(const std::vector<StmtId>& body);
  void statement(const Stmt& stmt);
  void if_statement(const IfStmt& branch);

  void rule(const RuleDecl& rule);
  void hyper(const HyperDecl& hyper);
  void state(const StateDecl& state);
  void input(const InputDecl& input);
  void view(const ViewDecl& view);
  void stages(const RuleDecl& rule);
  void labelled_block(std::string_view label, const StepBlock& item);
  void function(const FnDecl& fn);
  void pipeline(const Pipeline& pipeline);
  void doc(const std::string& doc);
  void line();  // a new, indented line

  const Module& module_;
  std::string out_;
  int indent_ = 0;
};

}  // namespace talweg::syntax
