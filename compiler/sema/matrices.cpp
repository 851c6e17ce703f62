// Tensors as matrices: where their rows and columns can be used, and how a pipeline splits them.
#include <fmt/format.h>

#include "compiler/sema/pipeline_checker.h"

namespace talweg::sema {

using base::DiagnosticKind;

namespace {

std::string_view words_of(Rate rate) {
  if (rate == Rate::Matrix) return "a value per matrix";
  return rate == Rate::Row ? "a value per row" : "a value per column";
}

std::string_view fix_at(Place place) {
  switch (place) {
    case Place::Argument:
      return "write `require rank >= 2` in this rule, whose stage the argument is given to";
    case Place::When:
      return "ask for the rank first: `rank >= 2 and ...`";
    case Place::Require:
      return "write `require rank >= 2` before it";
    case Place::View:
    case Place::Initial:
      return "write `if rank >= 2 then ... else ...` around it, or `require rank >= 2` in the rule";
    default:
      return "write `if rank >= 2 { ... }` around it, or `require rank >= 2` in the rule";
  }
}

}  // namespace

/// The ranks that are left where a condition holds, or does not; none after an error in it.
LowRanks Checker::ranks_under(LowRanks ranks, const Value& condition, bool holds) const {
  if (!condition.known) ranks.clear();
  if (condition.is_scalar() && condition.id.valid()) ranks.exclude(builder_, condition.id, holds);
  return ranks;
}

/// True where tensors have rows, columns and matrices.
bool Checker::has_matrices(bool is_fact) {
  const Frame& frame = origin();
  return low_ranks_.is_empty() || (is_fact && operand_ranks_.is_empty()) ||
         frame.place == Place::Function;  // checked by itself: who calls it is not known
}

void Checker::note_matrix_use(Span span) {
  RuleInstance* rule = origin().rule;
  if (!rule) return;
  rule->mentions_matrices = true;
  if (discarding_ == 0 && !rule->matrix_use) rule->matrix_use = span;
}

/// What stands here is wrong; said once for a statement.
std::optional<base::DiagnosticBuilder> Checker::report_no_matrix(Span span, std::string_view what) {
  reporter_.fail();
  if (open_statement_ && open_statement_ == reported_statement_) return std::nullopt;
  reported_statement_ = open_statement_;
  return reporter_.report(DiagnosticKind::OutsideMatrices, span, what);
}

/// True if a value of this rate may stand here; else reports.
bool Checker::expect_matrices(Span span, Rate rate, const decltype(TypedExpr::node)* node) {
  if (!types::is_of_matrices(rate)) return true;
  note_matrix_use(span);
  if (has_matrices(false)) return true;
  auto report = report_no_matrix(span, words_of(rate));
  if (!report) return false;
  const auto* load = node ? std::get_if<LoadNode>(node) : nullptr;
  const bool is_local = load && load->symbol.kind == SymbolKind::Local;
  if (is_local)
    report->label(builder_.rule.locals[load->symbol.index].span,
                  fmt::format("`{}` is declared here", symbol_name(builder_.rule, load->symbol)));
  if (is_local || (node && std::holds_alternative<ChooseNode>(*node)))
    report->help(
        "what leaves a branch under `rank >= 2` has a value for every tensor: use this one within "
        "the branch, with something per element (`grad * rsqrt(r)`)");
  else
    report->help(std::string(fix_at(origin().place)));
  return false;
}

/// `rows` or `cols`.
Value Checker::extent(types::FactKind kind, Span span) {
  note_matrix_use(span);
  if (has_matrices(true)) return load_fact({kind, {}}, span);
  const std::string name = fmt::format("`{}`", types::to_text(kind));
  if (auto report = report_no_matrix(span, name)) report->help(std::string(fix_at(origin().place)));
  return unknown(span);
}

// ---- The split of a pipeline ----

void PipelineChecker::check_splits(const syntax::RuleDecl& decl) {
  for (std::size_t i = 0; i < decl.matrices.size(); ++i) {
    const syntax::MatrixDecl& matrix = decl.matrices[i];
    if (i > 0)
      reporter_.report(DiagnosticKind::RepeatedBlock, matrix.span, decl.name.text, "matrix")
          .label(decl.matrices[0].span, "the first one");
    if (types::split_from_text(matrix.split)) continue;
    std::vector<std::string> texts;
    for (const types::Split split : types::kSplits)
      texts.push_back(fmt::format("`matrix ({})`", types::to_text(split)));
    reporter_.report(DiagnosticKind::BadSplit, matrix.span, matrix.split)
        .help(fmt::format("write one of {}", fmt::join(texts, ", ")));
  }
}

/// Rows and columns of all stages are those of one split.
void PipelineChecker::note_split(const RuleInstance& instance) {
  if (!instance.matrix_use) return;
  const auto& declared = instance.decl->matrices;
  const auto split = declared.empty() ? std::optional(types::Split::FirstRest)
                                      : types::split_from_text(declared.front().split);
  if (!split) return;  // it was said
  const SplitUse here{*split, declared.empty() ? *instance.matrix_use : declared.front().span,
                      instance.decl->name.text, !declared.empty()};
  if (!split_) {
    split_ = here;
    builder_.rule.split = *split;
    return;
  }
  if (split_->split == *split) return;
  auto report =
      reporter_.report(DiagnosticKind::SplitsDiffer, here.span, here.rule,
                       types::to_text(here.split), split_->rule, types::to_text(split_->split));
  for (const SplitUse& use : {here, *split_})
    report.label(use.span, use.is_declared
                               ? fmt::format("declared by `{}`", use.rule)
                               : fmt::format("used by `{}`, which declares none", use.rule));
  report.help("one pipeline has one split in this version: declare the same one in both rules");
}

}  // namespace talweg::sema
