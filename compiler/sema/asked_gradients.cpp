// What a gradient goes into is found backwards: from what a step leaves behind to what that was
// computed from, statement by statement, arms of an `if` one beside the other.
#include "compiler/sema/asked_gradients.h"

#include <unordered_map>
#include <utility>

#include "compiler/sema/load_walk.h"

namespace talweg::sema {

namespace {

/// What a statement may set, and whether `update` is loaded, by number.
class Things {
 public:
  explicit Things(const TypedRule& rule)
      : first_local_(kFirstState + rule.states.size()), count_(first_local_ + rule.locals.size()) {}

  static constexpr std::size_t kParam = 0, kGrad = 1, kUpdate = 2, kLoadedUpdate = 3;
  using Set = std::vector<bool>;

  [[nodiscard]] Set none() const { return Set(count_); }
  [[nodiscard]] std::optional<std::size_t> of(Symbol symbol) const {
    switch (symbol.kind) {
      case SymbolKind::Param:
        return kParam;
      case SymbolKind::Grad:
        return kGrad;
      case SymbolKind::Update:
        return kUpdate;
      case SymbolKind::State:
        return state(symbol.index);
      case SymbolKind::Local:
        return first_local_ + symbol.index;
      default:
        return std::nullopt;
    }
  }
  [[nodiscard]] static std::size_t state(std::size_t index) { return kFirstState + index; }

 private:
  static constexpr std::size_t kFirstState = 4;
  std::size_t first_local_, count_;
};

using Set = Things::Set;

void add(Set& set, const Set& more) {
  for (std::size_t i = 0; i < set.size(); ++i) set[i] = set[i] || more[i];
}

/// Forwards: which regrads there are, and where `update` was assigned before.
class Places {
 public:
  explicit Places(const TypedRule& rule) {
    for (stage_ = 0; stage_ < rule.stages.size(); ++stage_) {
      serves_all_ = !rule.stages[stage_].condition;
      walk(rule.stages[stage_].step);
    }
  }

  std::vector<AskedGradient> asked;
  std::unordered_map<const TypedStmt*, std::size_t> number_of;  // into asked
  /// Of a regrad, or an assignment to `grad`: every way to it has assigned `update`.
  std::unordered_map<const TypedStmt*, bool> has_update;

 private:
  void walk(const std::vector<TypedStmt>& statements) {
    for (const TypedStmt& statement : statements) walk(statement);
  }

  void walk(const TypedStmt& statement) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      if (assign->target.kind == SymbolKind::Grad) has_update[&statement] = is_certain_;
      if (assign->target.kind != SymbolKind::Update) return;
      is_certain_ = is_certain_ || serves_all_;
      update_ = AskedGradient::Place{stage_, statement.span};
    } else if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      const bool was_certain = is_certain_;
      ++ifs_;
      walk(branch->then_body);
      const bool then_is_certain = std::exchange(is_certain_, was_certain);
      walk(branch->else_body);
      is_certain_ = is_certain_ && then_is_certain;
      --ifs_;
    } else if (std::holds_alternative<TypedRegrad>(statement.node)) {
      has_update[&statement] = is_certain_;
      number_of[&statement] = asked.size();
      asked.push_back({{stage_, statement.span}, ifs_ > 0, update_, false});
    }
  }

  std::size_t stage_ = 0;
  bool serves_all_ = true;
  int ifs_ = 0;
  bool is_certain_ = false;
  std::optional<AskedGradient::Place> update_;
};

class Uses {
 public:
  Uses(const TypedRule& rule, Places& places, bool is_complete)
      : rule_(rule), things_(rule), places_(places), kept_(things_.none()) {
    kept_[Things::kParam] = true;
    for (const TypedView& view : rule.views) {
      add_loads(view.value, kept_);
      for (const TypedBinding& binding : view.bindings) add_loads(binding.value, kept_);
    }
    for (std::size_t i = 0; i < rule.states.size(); ++i)
      if (!types::is_array(rule.states[i].rate) || is_of_mere_states(rule.states[i]))
        kept_[Things::state(i)] = true;
    leaves_gradient_ = !is_complete && !places.asked.back().update;
  }

  /// Steps follow each other: what one reads of a state is what the one before must leave.
  void run() {
    constexpr int kMostRounds = 8;  // chains of more states are taken for used
    for (int round = 0;; ++round) {
      if (round == kMostRounds)
        for (std::size_t i = 0; i < rule_.states.size(); ++i) kept_[Things::state(i)] = true;
      const Set before = kept_;
      const Set first = one_step();
      for (std::size_t i = 0; i < rule_.states.size(); ++i)
        if (first[Things::state(i)]) kept_[Things::state(i)] = true;
      if (kept_ == before) return;
    }
  }

 private:
  /// A stage that assigns neither `param` nor `grad` nor `update` is there for its states.
  [[nodiscard]] bool is_of_mere_states(const TypedState& state) const {
    for (const TypedStage& stage : rule_.stages)
      if (stage.label == state.stage) return !changes(stage.step) && !changes(stage.after);
    return true;
  }

  static bool changes(const std::vector<TypedStmt>& statements) {
    for (const TypedStmt& statement : statements) {
      if (const auto* assign = std::get_if<TypedAssign>(&statement.node))
        if (assign->target.kind != SymbolKind::State && assign->target.kind != SymbolKind::Local)
          return true;
      if (const auto* branch = std::get_if<TypedIf>(&statement.node))
        if (changes(branch->then_body) || changes(branch->else_body)) return true;
    }
    return false;
  }

  void add_loads(TypedExprId id, Set& set) const {
    LoadWalk(rule_, [&](const TypedExpr&, std::optional<Symbol> symbol) {
      const auto thing = symbol ? things_.of(*symbol) : std::nullopt;
      if (thing) set[*thing] = true;
      if (thing == Things::kUpdate) set[Things::kLoadedUpdate] = true;
    }).walk(id);
  }

  /// What the beginning of a step is read for.
  Set one_step() {
    for (AskedGradient& asked : places_.asked) asked.is_used = false;
    Set wanted = kept_;
    for (auto stage = rule_.stages.rbegin(); stage != rule_.stages.rend(); ++stage)
      back(stage->after, !stage->condition, wanted);
    if (rule_.subtracts_update) wanted[Things::kUpdate] = true;
    if (leaves_gradient_) wanted[Things::kGrad] = true;
    for (auto stage = rule_.stages.rbegin(); stage != rule_.stages.rend(); ++stage) {
      back(stage->step, !stage->condition, wanted);
      for (const TypedBinding& binding : stage->bindings) add_loads(binding.value, wanted);
    }
    return wanted;
  }

  /// From what is wanted behind statements to what is wanted before them; true if they are of use.
  bool back(const std::vector<TypedStmt>& statements, bool serves_all, Set& wanted) {
    bool is_of_use = false;
    for (auto statement = statements.rbegin(); statement != statements.rend(); ++statement)
      if (back(*statement, serves_all, wanted)) is_of_use = true;
    return is_of_use;
  }

  bool back(const TypedStmt& statement, bool serves_all, Set& wanted) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      const std::size_t target = *things_.of(assign->target);
      if (!(target == Things::kGrad ? gradient_is_wanted(statement, wanted) : wanted[target]))
        return false;
      if (serves_all || assign->target.kind == SymbolKind::Local) wanted[target] = false;
      if (serves_all && target == Things::kUpdate) wanted[Things::kLoadedUpdate] = false;
      add_loads(assign->value, wanted);
      return true;
    }
    if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      Set otherwise = wanted;
      const bool then_is_of_use = back(branch->then_body, serves_all, wanted);
      const bool else_is_of_use = back(branch->else_body, serves_all, otherwise);
      add(wanted, otherwise);
      if (then_is_of_use || else_is_of_use) add_loads(branch->condition, wanted);
      return then_is_of_use || else_is_of_use;
    }
    if (const auto* exit = std::get_if<TypedExit>(&statement.node)) {
      add(wanted, kept_);  // what was assigned so far is what such a call leaves
      add_loads(exit->condition, wanted);
      return true;
    }
    places_.asked[places_.number_of.at(&statement)].is_used = gradient_is_wanted(statement, wanted);
    wanted[Things::kGrad] = false;
    wanted[Things::kParam] = true;
    return true;
  }

  /// `update` reads as `grad` until it is assigned.
  [[nodiscard]] bool gradient_is_wanted(const TypedStmt& statement, const Set& wanted) const {
    if (wanted[Things::kGrad]) return true;
    const auto has_update = places_.has_update.find(&statement);
    return wanted[Things::kLoadedUpdate] && has_update != places_.has_update.end() &&
           !has_update->second;
  }

  const TypedRule& rule_;
  Things things_;
  Places& places_;
  Set kept_;  // of one step for what comes behind it
  bool leaves_gradient_ = false;
};

/// Forwards: what comes from a gradient that was asked for, or from the first one too.
class Origins {
 public:
  Origins(const TypedRule& rule, bool from_first)
      : rule_(rule), things_(rule), is_new_(things_.none()) {
    is_new_[Things::kGrad] = from_first;
  }

  void walk(const std::vector<TypedStmt>& statements) {
    for (const TypedStmt& statement : statements) walk(statement);
  }
  [[nodiscard]] bool gradient_is_new() const { return is_new_[Things::kGrad]; }
  [[nodiscard]] bool param_is_new() const { return is_new_[Things::kParam]; }

 private:
  void walk(const TypedStmt& statement) {
    if (const auto* assign = std::get_if<TypedAssign>(&statement.node)) {
      bool is_new = false;
      LoadWalk(rule_, [&](const TypedExpr&, std::optional<Symbol> symbol) {
        const auto thing = symbol ? things_.of(*symbol) : std::nullopt;
        is_new = is_new || (thing && is_new_[*thing]);
      }).walk(assign->value);
      is_new_[*things_.of(assign->target)] = is_new;
    } else if (const auto* branch = std::get_if<TypedIf>(&statement.node)) {
      const Set before = is_new_;
      walk(branch->then_body);
      Set then_is_new = std::exchange(is_new_, before);
      walk(branch->else_body);
      add(is_new_, then_is_new);
    } else if (std::holds_alternative<TypedRegrad>(statement.node)) {
      is_new_[Things::kGrad] = true;
    }
  }

  const TypedRule& rule_;
  Things things_;
  Set is_new_;
};

}  // namespace

std::vector<AskedGradient> asked_gradients(const TypedRule& rule, bool is_complete) {
  Places places(rule);
  if (places.asked.empty()) return {};
  Uses(rule, places, is_complete).run();
  return std::move(places.asked);
}

bool leaves_asked_gradient(const TypedRule& rule, std::size_t first, std::size_t end) {
  Origins origins(rule, false);
  for (std::size_t i = first; i < end; ++i) origins.walk(rule.stages[i].step);
  return origins.gradient_is_new();
}

bool moves_by_gradient(const TypedRule& rule) {
  Origins origins(rule, true);
  for (const TypedStage& stage : rule.stages) origins.walk(stage.step);
  return origins.param_is_new();
}

}  // namespace talweg::sema
