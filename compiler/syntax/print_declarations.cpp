#include "compiler/syntax/printer.h"

namespace talweg::syntax {

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
  for (const MatrixDecl& matrix : rule.matrices) {
    line();
    text("matrix (" + matrix.split + ")");
  }
  for (const RequireDecl& need : rule.requires_) {
    line();
    text("require ");
    expression(need.condition);
  }
  for (const HyperDecl& item : rule.hypers) hyper(item);
  for (const StateDecl& item : rule.states) state(item);
  for (const InputDecl& item : rule.inputs) input(item);
  stages(rule);
  for (const StepBlock& item : rule.steps) labelled_block("step ", item);
  for (const StepBlock& item : rule.afters) labelled_block("after ", item);
  for (const ViewDecl& item : rule.views) view(item);
  --indent_;
  line();
  text("}");
}

void Printer::stages(const RuleDecl& rule) {
  for (const Pipeline& item : rule.pipelines) {
    line();
    text("pipeline ");
    pipeline(item);
  }
  for (const WhenArm& arm : rule.arms) {
    line();
    text(arm.condition ? "when " : "otherwise");
    if (arm.condition) expression(*arm.condition);
    text(": ");
    pipeline(arm.pipeline);
  }
}

void Printer::labelled_block(std::string_view label, const StepBlock& item) {
  line();
  text(label);
  block(item.body);
}

void Printer::input(const InputDecl& input) {
  doc(input.doc);
  line();
  text("input " + (input.rate ? input.rate->text + " " : std::string()) + input.name.text);
}

void Printer::view(const ViewDecl& view) {
  doc(view.doc);
  line();
  text("view " + view.name.text + " = ");
  expression(view.value);
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

}  // namespace talweg::syntax
