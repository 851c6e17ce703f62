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

// ---- Statements ----

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

// ---- Declarations ----

void Printer::pipeline(const Pipeline& pipeline) {
  for (std::size_t i = 0; i < pipeline.stages.size(); ++i) {
    const StageRef& stage = pipeline.stages[i];
    if (i > 0) text(" | ");
    if (stage.label) text(stage.label->text + " = ");
    text(stage.rule.text());
    if (stage.has_arguments) arguments(stage.arguments);
  }
}

void Printer::hyper(const HyperDecl& hyper) {
  doc(hyper.doc);
  line();
  text("hyper ");
  if (hyper.is_const) text("const ");
  if (hyper.is_model) text("model ");
  if (hyper.is_int) text("int ");
  if (hyper.is_bool) text("bool ");
  text(hyper.name.text + " = ");
  expression(hyper.default_value);
  if (hyper.range) {
    text(hyper.range->low_closed ? " in [" : " in (");
    expression(hyper.range->low);
    text(", ");
    expression(hyper.range->high);
    text(hyper.range->high_closed ? "]" : ")");
  }
  for (std::size_t i = 0; i < hyper.choices.size(); ++i)
    text((i == 0 ? " in {" : ", ") + hyper.choices[i].text);
  if (!hyper.choices.empty()) text("}");
}

void Printer::state(const StateDecl& state) {
  doc(state.doc);
  line();
  text("state ");
  if (state.rate) text(state.rate->text);
  if (!state.shape.empty()) {
    text("[");
    list(state.shape);
    text("]");
  }
  if (state.rate) text(" ");
  text(state.name.text);
  if (!state.initial) return;
  text(" = ");
  expression(*state.initial);
}

void Printer::rule(const RuleDecl& rule) {
  doc(rule.doc);
  line();
  text("rule " + rule.name.text);
  if (rule.is_alias) {
    text(" = ");
    for (const Pipeline& alias : rule.pipelines) pipeline(alias);
    return;
  }
  text(" {");
  ++indent_;
  for (const MatrixDecl& matrix : rule.matrices) line(), text("matrix (" + matrix.split + ")");
  for (const RequireDecl& need : rule.requires_)
    line(), text("require "), expression(need.condition);
  for (const HyperDecl& item : rule.hypers) hyper(item);
  for (const StateDecl& item : rule.states) state(item);
  for (const InputDecl& input : rule.inputs) {
    doc(input.doc);
    line();
    text("input " + (input.rate ? input.rate->text + " " : std::string()) + input.name.text);
  }
  for (const Pipeline& item : rule.pipelines) line(), text("pipeline "), pipeline(item);
  for (const WhenArm& arm : rule.arms) {
    line();
    text(arm.condition ? "when " : "otherwise");
    if (arm.condition) expression(*arm.condition);
    text(": ");
    pipeline(arm.pipeline);
  }
  for (const StepBlock& step : rule.steps) line(), text("step "), block(step.body);
  for (const StepBlock& after : rule.afters) line(), text("after "), block(after.body);
  for (const ViewDecl& view : rule.views) {
    doc(view.doc);
    line();
    text("view " + view.name.text + " = ");
    expression(view.value);
  }
  --indent_;
  line();
  text("}");
}

void Printer::function(const FnDecl& fn) {
  doc(fn.doc);
  line();
  text("fn " + fn.name.text + "(");
  for (std::size_t i = 0; i < fn.parameters.size(); ++i) {
    if (i > 0) text(", ");
    text(fn.parameters[i].name.text);
    if (!fn.parameters[i].default_value) continue;
    text(" = ");
    expression(*fn.parameters[i].default_value);
  }
  text(std::holds_alternative<BlockExpr>(module_[fn.body].node) ? ") " : ") = ");
  expression(fn.body);
}

void Printer::declaration(const Decl& decl) {
  if (const auto* import = std::get_if<ImportDecl>(&decl)) {
    line();
    text("import " + import->module.text());
    for (std::size_t i = 0; i < import->names.size(); ++i)
      text((i == 0 ? ": " : ", ") + import->names[i].text);
  } else if (const auto* fn = std::get_if<FnDecl>(&decl)) {
    function(*fn);
  } else if (const auto* declared = std::get_if<RuleDecl>(&decl)) {
    rule(*declared);
  } else if (const auto* kernel = std::get_if<KernelDecl>(&decl)) {
    line();
    text("kernel " + kernel->name.text + " " + kernel->text);
  } else if (const auto* constant = std::get_if<ConstDecl>(&decl)) {
    doc(constant->doc);
    line();
    text("let " + constant->name.text + " = ");
    expression(constant->value);
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
