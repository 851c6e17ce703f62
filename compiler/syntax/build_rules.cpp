#include <algorithm>

#include "compiler/syntax/tree_builder.h"

namespace talweg::syntax {

using base::DiagnosticKind;

namespace {

const std::vector<std::string> kHyperKinds = {"const", "model", "int", "bool"};

bool is_hyper_kind(const std::string& word) {
  return std::ranges::find(kHyperKinds, word) != kHyperKinds.end();
}

}  // namespace

void TreeBuilder::rule_decl(TalwegParser::RuleDeclContext* context) {
  const auto declared = name(context->NAME());
  if (!declared) return;
  RuleDecl rule;
  rule.span = span(context);
  rule.doc = doc(context);
  rule.name = *declared;
  if (context->pipeline() != nullptr) {
    rule.is_alias = true;
    rule.pipelines.push_back(pipeline(context->pipeline()));
  } else if (context->ruleBody() != nullptr) {
    for (TalwegParser::RuleItemContext* item : context->ruleBody()->ruleItem())
      rule_item(item, rule);
  }
  module_.decls.emplace_back(std::move(rule));
}

void TreeBuilder::rule_item(TalwegParser::RuleItemContext* context, RuleDecl& rule) {
  if (auto* item = context->hyperDecl())
    if (auto hyper = hyper_decl(item)) rule.hypers.push_back(std::move(*hyper));
  if (auto* item = context->stateDecl())
    if (auto state = state_decl(item)) rule.states.push_back(std::move(*state));
  if (auto* item = context->inputDecl())
    if (auto input = input_decl(item)) rule.inputs.push_back(std::move(*input));
  if (auto* item = context->viewDecl())
    if (const auto declared = name(item->NAME()))
      rule.views.push_back({span(item), doc(item), *declared, expression(item->expression())});
  if (auto* item = context->matrixDecl()) rule.matrices.push_back(matrix_decl(item));
  if (auto* item = context->requireDecl())
    rule.requires_.push_back({span(item), expression(item->expression())});
  if (auto* item = context->stepBlock()) rule.steps.push_back({span(item), body(item->block())});
  if (auto* item = context->afterBlock()) rule.afters.push_back({span(item), body(item->block())});
  if (auto* item = context->pipelineDecl())
    if (item->pipeline() != nullptr) rule.pipelines.push_back(pipeline(item->pipeline()));
  if (auto* item = context->whenArm()) rule.arms.push_back(when_arm(item));
}

std::optional<HyperDecl> TreeBuilder::hyper_decl(TalwegParser::HyperDeclContext* context) {
  std::vector<Name> words;
  for (TalwegParser::WordContext* word : context->word())
    if (const auto text = name(word)) words.push_back(*text);
  if (words.empty()) return std::nullopt;
  HyperDecl hyper;
  hyper.span = span(context);
  hyper.doc = doc(context);
  hyper.name = words.back();
  words.pop_back();
  for (const Name& word : words) hyper_kind(word, hyper);
  if (context->expression() != nullptr) {
    hyper.default_value = expression(context->expression());
  } else {
    if (!reported(context))
      input_.diagnostics.report(DiagnosticKind::MissingDefault, hyper.name.span, hyper.name.text)
          .help(is_hyper_kind(hyper.name.text)
                    ? fmt::format("`{0}` is a kind of hyper; its name stands behind it: `hyper "
                                  "{0} my_hyper = {1}`",
                                  hyper.name.text, hyper.name.text == "bool" ? "true" : "1")
                    : fmt::format("write `hyper {} = 0.1`, say", hyper.name.text));
    hyper.default_value = error(hyper.name.span);
  }
  if (auto* limits = context->range()) hyper.range = range(limits);
  if (auto* choices = context->choices())
    for (antlr4::tree::TerminalNode* choice : choices->NAME())
      hyper.choices.push_back(*name(choice));
  return hyper;
}

void TreeBuilder::hyper_kind(const Name& word, HyperDecl& hyper) {
  const auto set = [&](bool& flag) {
    if (flag)
      input_.diagnostics.report(DiagnosticKind::ClashingKinds, word.span,
                                fmt::format("`{}` is said twice", word.text));
    flag = true;
  };
  if (word.text == "const") return set(hyper.is_const);
  if (word.text == "model") return set(hyper.is_model);
  if (word.text == "int" || word.text == "bool") {
    set(word.text == "int" ? hyper.is_int : hyper.is_bool);
    if (hyper.is_int && hyper.is_bool)
      input_.diagnostics.report(DiagnosticKind::ClashingKinds, word.span,
                                "a hyper cannot be both `int` and `bool`");
    return;
  }
  auto built = input_.diagnostics.report(DiagnosticKind::UnknownHyperKind, word.span, word.text);
  const std::string near = base::nearest_name(word.text, kHyperKinds);
  if (!near.empty()) built.help(fmt::format("did you mean `{}`?", near));
}

std::optional<StateDecl> TreeBuilder::state_decl(TalwegParser::StateDeclContext* context) {
  std::vector<Name> words;
  for (TalwegParser::WordContext* word : context->word())
    if (const auto text = name(word)) words.push_back(*text);
  if (words.empty()) return std::nullopt;
  StateDecl state;
  state.span = span(context);
  state.doc = doc(context);
  state.name = words.back();
  if (words.size() > 1) state.rate = words.front();
  if (auto* shape = context->shape())
    for (TalwegParser::ExpressionContext* extent : shape->expression())
      state.shape.push_back(expression(extent));
  if (context->expression() != nullptr) state.initial = expression(context->expression());
  return state;
}

std::optional<InputDecl> TreeBuilder::input_decl(TalwegParser::InputDeclContext* context) {
  std::vector<Name> words;
  for (TalwegParser::WordContext* word : context->word())
    if (const auto text = name(word)) words.push_back(*text);
  if (words.empty()) return std::nullopt;
  InputDecl input{span(context), doc(context), std::nullopt, words.back()};
  if (words.size() > 1) input.rate = words.front();
  return input;
}

std::optional<RangeSyntax> TreeBuilder::range(TalwegParser::RangeContext* context) {
  if (context->exception || context->expression().size() != 2) return std::nullopt;
  return RangeSyntax{context->LBRACKET() != nullptr, expression(context->expression(0)),
                     expression(context->expression(1)), context->RBRACKET() != nullptr,
                     span(context)};
}

MatrixDecl TreeBuilder::matrix_decl(TalwegParser::MatrixDeclContext* context) {
  MatrixDecl result{span(context), {}};
  if (context->LPAREN() != nullptr && context->RPAREN() != nullptr)
    result.split = joined(context->LPAREN()->getSymbol()->getTokenIndex() + 1,
                          context->RPAREN()->getSymbol()->getTokenIndex());
  return result;
}

WhenArm TreeBuilder::when_arm(TalwegParser::WhenArmContext* context) {
  WhenArm arm{span(context), std::nullopt, {}};
  if (context->WHEN() != nullptr) arm.condition = expression(context->expression());
  if (context->pipeline() != nullptr) arm.pipeline = pipeline(context->pipeline());
  return arm;
}

Pipeline TreeBuilder::pipeline(TalwegParser::PipelineContext* context) {
  Pipeline result{span(context), {}};
  for (TalwegParser::StageContext* item : context->stage())
    if (auto ref = stage(item)) result.stages.push_back(std::move(*ref));
  return result;
}

std::optional<StageRef> TreeBuilder::stage(TalwegParser::StageContext* context) {
  if (context->path() == nullptr || context->path()->exception) return std::nullopt;
  StageRef ref{span(context), name(context->NAME()), path(context->path()), false, {}};
  if (context->arguments() != nullptr) {
    ref.has_arguments = true;
    ref.arguments = arguments(context->arguments());
  }
  return ref;
}

}  // namespace talweg::syntax
