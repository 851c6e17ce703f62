#include "compiler/syntax/print.h"

#include <array>

#include "compiler/syntax/printer.h"

namespace talweg::syntax {

void Printer::line() {
  if (!out_.empty()) out_ += '\n';
  out_.append(2 * static_cast<std::size_t>(indent_), ' ');
}

void Printer::doc(const std::string& doc) {
  if (doc.empty()) return;
  std::size_t begin = 0;
  while (begin <= doc.size()) {
    const std::size_t end = std::min(doc.find('\n', begin), doc.size());
    line();
    text(end > begin ? "/// " + doc.substr(begin, end - begin) : "///");
    begin = end + 1;
  }
}

void Printer::statements(const std::vector<StmtId>& body) {
  for (const StmtId id : body) {
    line();
    statement(module_[id]);
  }
}

void Printer::block(const std::vector<StmtId>& body) {
  text("{");
  if (!body.empty()) {
    ++indent_;
    statements(body);
    --indent_;
    line();
  }
  text("}");
}

void Printer::if_statement(const IfStmt& branch) {
  text("if ");
  expression(branch.condition, 1);
  text(" ");
  block(branch.then_body);
  if (branch.else_body.empty()) return;
  text(" else ");
  const auto* next = std::get_if<IfStmt>(&module_[branch.else_body.front()].node);
  if (branch.else_body.size() == 1 && next != nullptr)
    if_statement(*next);
  else
    block(branch.else_body);
}

void Printer::statement(const Stmt& stmt) {
  constexpr std::array<std::string_view, 5> kSigns = {" = ", " += ", " -= ", " *= ", " /= "};
  if (const auto* let = std::get_if<LetStmt>(&stmt.node)) {
    text((let->is_var ? "var " : "let ") + let->name.text + " = ");
    expression(let->value);
  } else if (const auto* assign = std::get_if<AssignStmt>(&stmt.node)) {
    text(assign->target.text());
    text(kSigns[static_cast<std::size_t>(assign->op)]);
    expression(assign->value);
  } else if (const auto* branch = std::get_if<IfStmt>(&stmt.node)) {
    if_statement(*branch);
  } else if (const auto* loop = std::get_if<ForStmt>(&stmt.node)) {
    text("for " + loop->variable.text + " in ");
    expression(loop->first);
    if (loop->last) {
      text("..");
      expression(*loop->last);
    }
    text(" ");
    block(loop->body);
  } else if (const auto* skip = std::get_if<SkipStmt>(&stmt.node)) {
    text("skip if ");
    expression(skip->condition);
  } else if (const auto* hold = std::get_if<HoldStmt>(&stmt.node)) {
    text("hold if ");
    expression(hold->condition);
  } else {
    text("regrad");
  }
}

std::string print(const Module& module) {
  std::string result;
  for (const Decl& decl : module.decls) {
    Printer printer(module);
    printer.declaration(decl);
    if (!result.empty()) result += '\n';
    result += printer.take() + '\n';
  }
  return result;
}

std::string print(const Module& module, ExprId expression) {
  Printer printer(module);
  printer.expression(expression);
  return printer.take();
}

}  // namespace talweg::syntax
