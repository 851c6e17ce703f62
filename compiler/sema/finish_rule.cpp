// The last work on a typed rule: what is never mentioned goes, and names for the outside are given.
#include <map>

#include "compiler/sema/rule_builder.h"

namespace talweg::sema {

namespace {

constexpr std::uint32_t kDropped = 0xffffffffu;

/// Removes the items that are not kept; gives the new index of each.
template <class Item>
std::vector<std::uint32_t> compact(std::vector<Item>& items, const std::vector<bool>& keep) {
  std::vector<std::uint32_t> moved(items.size(), kDropped);
  std::vector<Item> kept;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!keep[i]) continue;
    moved[i] = static_cast<std::uint32_t>(kept.size());
    kept.push_back(std::move(items[i]));
  }
  items = std::move(kept);
  return moved;
}

class Renumbering {
 public:
  Renumbering(std::vector<std::uint32_t> states, std::vector<std::uint32_t> inputs)
      : states_(std::move(states)), inputs_(std::move(inputs)) {}

  void apply(Symbol& symbol) const {
    if (symbol.kind == SymbolKind::State) symbol.index = states_[symbol.index];
    if (symbol.kind == SymbolKind::Input || symbol.kind == SymbolKind::Given)
      symbol.index = inputs_[symbol.index];
  }

  void apply(std::vector<TypedStmt>& statements) const {
    for (TypedStmt& statement : statements) {
      if (auto* assign = std::get_if<TypedAssign>(&statement.node)) apply(assign->target);
      if (auto* branch = std::get_if<TypedIf>(&statement.node)) {
        apply(branch->then_body);
        apply(branch->else_body);
      }
    }
  }

 private:
  std::vector<std::uint32_t> states_;
  std::vector<std::uint32_t> inputs_;
};

}  // namespace

void drop_unmentioned(RuleBuilder& builder) {
  TypedRule& rule = builder.rule;
  const Renumbering renumbering(compact(rule.states, builder.state_is_kept),
                                compact(rule.inputs, builder.input_is_kept));
  for (TypedExpr& expr : rule.exprs) {
    if (auto* load = std::get_if<LoadNode>(&expr.node)) renumbering.apply(load->symbol);
    if (auto* block = std::get_if<BlockNode>(&expr.node)) renumbering.apply(block->statements);
  }
  for (TypedStage& stage : rule.stages) {
    renumbering.apply(stage.step);
    renumbering.apply(stage.after);
  }
}

void set_public_names(TypedRule& rule) {
  std::map<std::string, int> settings;
  std::map<std::string, int> inputs;
  std::map<std::string, int> views;
  for (const TypedHyper& hyper : rule.hypers) ++settings[hyper.name];
  for (const TypedState& state : rule.states) ++settings[state.name];
  for (const TypedInput& input : rule.inputs) ++inputs[input.name];
  for (const TypedView& view : rule.views) ++views[view.name];
  const auto give = [](auto& item, const std::map<std::string, int>& uses) {
    const bool is_plain = item.stage.empty() || uses.at(item.name) == 1;
    item.public_name = is_plain ? item.name : item.stage + "." + item.name;
  };
  for (TypedHyper& hyper : rule.hypers) give(hyper, settings);
  for (TypedState& state : rule.states) give(state, settings);
  for (TypedInput& input : rule.inputs) give(input, inputs);
  for (TypedView& view : rule.views) give(view, views);
}

}  // namespace talweg::sema
