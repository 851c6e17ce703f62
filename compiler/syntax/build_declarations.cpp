#include "compiler/syntax/tree_builder.h"

namespace talweg::syntax {

void TreeBuilder::module(TalwegParser::ModuleContext* context) {
  for (TalwegParser::DeclarationContext* item : context->declaration()) declaration(item);
}

void TreeBuilder::declaration(TalwegParser::DeclarationContext* context) {
  if (context->importDecl() != nullptr) import_decl(context->importDecl());
  if (context->constDecl() != nullptr) const_decl(context->constDecl());
  if (context->fnDecl() != nullptr) fn_decl(context->fnDecl());
  if (context->kernelDecl() != nullptr) kernel_decl(context->kernelDecl());
  if (context->ruleDecl() != nullptr) rule_decl(context->ruleDecl());
}

void TreeBuilder::import_decl(TalwegParser::ImportDeclContext* context) {
  if (context->path() == nullptr || context->path()->exception) return;
  ImportDecl import{span(context), path(context->path()), {}};
  for (antlr4::tree::TerminalNode* node : context->NAME()) import.names.push_back(*name(node));
  module_.decls.emplace_back(std::move(import));
}

void TreeBuilder::const_decl(TalwegParser::ConstDeclContext* context) {
  const auto declared = name(context->NAME());
  if (!declared) return;
  module_.decls.emplace_back(
      ConstDecl{span(context), doc(context), *declared, expression(context->expression())});
}

void TreeBuilder::fn_decl(TalwegParser::FnDeclContext* context) {
  const auto declared = name(context->NAME());
  if (!declared) return;
  FnDecl fn{span(context), doc(context), *declared, {}, ExprId()};
  for (TalwegParser::ParameterContext* parameter : context->parameter()) {
    const auto parameter_name = name(parameter->NAME());
    if (!parameter_name) continue;
    Parameter result{*parameter_name, std::nullopt};
    if (parameter->ASSIGN() != nullptr) result.default_value = expression(parameter->expression());
    fn.parameters.push_back(std::move(result));
  }
  if (context->arm() != nullptr)
    fn.body = arm(context->arm());
  else if (context->block() != nullptr)
    fn.body = value_block(context->block());
  else
    fn.body = error(span(context));
  module_.decls.emplace_back(std::move(fn));
}

void TreeBuilder::kernel_decl(TalwegParser::KernelDeclContext* context) {
  const auto declared = name(context->NAME());
  if (!declared || context->exception) return;
  const std::size_t after_name = context->NAME()->getSymbol()->getTokenIndex() + 1;
  module_.decls.emplace_back(
      KernelDecl{span(context), *declared, joined(after_name, context->stop->getTokenIndex() + 1)});
}

void TreeBuilder::lone_pipeline(TalwegParser::LonePipelineContext* context) {
  RuleDecl rule;
  rule.span = span(context);
  rule.name = {"rule", {input_.id, rule.span.begin, rule.span.begin}};
  rule.is_alias = true;
  if (context->pipeline() != nullptr) rule.pipelines.push_back(pipeline(context->pipeline()));
  module_.decls.emplace_back(std::move(rule));
}

}  // namespace talweg::syntax
