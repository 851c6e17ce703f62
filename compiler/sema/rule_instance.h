// One use of a rule in a pipeline: its declarations with what this use makes of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/sema/modules.h"
#include "compiler/sema/typed_rule.h"

namespace talweg::sema {

struct HyperMember {
  const syntax::HyperDecl* decl = nullptr;
  std::uint32_t index = 0;  // into TypedRule::hypers
  /// The default (of a const hyper: the value); unknown after an error, or while it is not
  /// computed.
  Value value;
  bool is_computed = false;
  bool is_bound = false;
  bool is_used = false;
};

struct StateMember {
  const syntax::StateDecl* decl = nullptr;
  std::uint32_t index = 0;  // into TypedRule::states
  bool is_read = false;
  bool is_assigned = false;
};

struct InputMember {
  const syntax::InputDecl* decl = nullptr;
  std::uint32_t index = 0;  // into TypedRule::inputs
  bool is_read = false;
};

struct Member {
  enum class Sort : std::uint8_t { Hyper, State, Input, View } sort = Sort::Hyper;
  std::uint32_t index = 0;  // into the instance's list of that sort
  Span span;                // of the name where it is declared
};

/// A stage as the stages after it see it.
struct StageInScope {
  std::string label;
  Span span;
  bool is_named = false;
  std::uint32_t first_state = 0, end_state = 0;  // of TypedRule::states
};

struct RuleInstance {
  LoadedModule* module = nullptr;
  const syntax::RuleDecl* decl = nullptr;
  std::string label;                     // empty for the outermost rule of a pipeline
  std::optional<TypedExprId> condition;  // of the arms around it
  std::vector<HyperMember> hypers;
  std::vector<StateMember> states;
  std::vector<InputMember> inputs;
  std::map<std::string, Member, std::less<>> members;
  std::vector<syntax::Name> stage_names;  // given in its pipeline: `name = Rule(...)`
  std::vector<StageInScope> stages;       // of its pipeline, those before the one at hand
  bool changes_something = false;         // assigns param, grad, update or a state
  bool mentions_matrices = false;         // rows, columns or matrices
  std::optional<base::Span> matrix_use;   // the first place that is kept
  struct Exit {
    ExitKind kind = ExitKind::Skip;
    base::Span span;
  };
  std::optional<Exit> exit;          // the first `skip` or `hold` of its blocks
  std::optional<base::Span> regrad;  // the first of its step

  [[nodiscard]] std::vector<std::string> member_names() const {
    std::vector<std::string> names;
    for (const auto& [name, member] : members) names.push_back(name);
    return names;
  }
};

}  // namespace talweg::sema
