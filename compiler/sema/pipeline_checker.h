// Makes the typed rule of a whole pipeline: every rule that is used becomes a stage, rules that are
// pipelines themselves are flattened, arguments become defaults or bindings.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/sema/asked_gradients.h"
#include "compiler/sema/checker.h"

namespace talweg::sema {

class PipelineChecker {
 public:
  /// `total_work` is carried over from the checks before this one.
  PipelineChecker(Modules::Impl& modules, std::uint32_t total_work);

  /// A rule that is used alone, with its defaults. `watch`: warnings are given about its text.
  std::optional<TypedRule> rule_alone(LoadedModule& module, const syntax::RuleDecl& decl,
                                      bool watch);
  /// A pipeline as it stands in a command: `scope` is the module of its text, `decl` the rule it
  /// holds.
  std::optional<TypedRule> pipeline(LoadedModule& scope, const syntax::RuleDecl& decl);
  [[nodiscard]] std::uint32_t total_work() const { return checker_.total_work(); }

 private:
  /// A rule's use: where it stands and what it is given there.
  struct Use {
    const syntax::StageRef* stage = nullptr;  // null: no arguments
    RuleInstance* around = nullptr;           // whose names the arguments may use
    std::string label;
    bool watch = false;
  };

  // pipelines.cpp
  RuleInstance* use(LoadedModule& module, const syntax::RuleDecl& decl, const Use& use);
  void stages(RuleInstance& instance, const syntax::Pipeline& pipeline);
  void stage(RuleInstance& around, const syntax::StageRef& ref, const std::string& label);
  std::vector<std::string> stage_labels(RuleInstance& instance, const syntax::Pipeline& pipeline);
  std::string unique_label(const std::string& wanted);
  const syntax::RuleDecl* find_rule(LoadedModule& from, const syntax::Path& path, Found& found);
  bool enters_itself(const syntax::RuleDecl& decl, const Use& use);
  void blocks(RuleInstance& instance, bool watch);
  std::string before_the_choice(const RuleInstance& instance) const;
  void refuse_exit_in_arm(const RuleInstance& instance, Span stage);

  // new_gradients.cpp
  void refuse_regrad_in_arm(const RuleInstance& instance, Span stage);
  /// What one entry of a pipeline became: entries of TypedRule::stages.
  struct StageRange {
    const syntax::StageRef* ref = nullptr;
    std::size_t first = 0, end = 0;
  };
  using Parts = std::vector<StageRange>;  // of a pipeline as it is written, in order
  void warn_of_gradients();
  void warn_of_unused(const AskedGradient& asked);
  void warn_of_lost(const Parts& parts, const std::vector<AskedGradient>& asked);
  bool is_first_warning_at(Span span);
  static const StageRange* part_of(const Parts& parts, std::size_t stage);
  std::optional<TypedRule> finish();

  // when.cpp
  void arms(RuleInstance& instance);
  bool check_arms(const syntax::RuleDecl& decl);
  Value arm_condition(RuleInstance& instance, const syntax::WhenArm& arm);
  void requirements(RuleInstance& instance);
  Value both(const Value& a, const Value& b, Span span);
  Value negated(const Value& a);

  // matrices.cpp
  void check_splits(const syntax::RuleDecl& decl);
  void note_split(const RuleInstance& instance);

  // rule_structure.cpp
  void check_structure(const syntax::RuleDecl& decl);
  void warn(const RuleInstance& instance);
  void warn_of_states(const RuleInstance& instance);

  // members.cpp
  void declare_members(RuleInstance& instance, const Use& use);
  void note_given(const RuleInstance& instance, std::size_t index, const Use& use,
                  const syntax::Argument& argument);
  /// `has_rate`: a rate stands before the name.
  void add_member(RuleInstance& instance, const syntax::Name& name, Member::Sort sort,
                  std::size_t index, bool has_rate);
  void add_state(RuleInstance& instance, const syntax::StateDecl& decl);
  Rate state_rate(const syntax::StateDecl& decl);
  void initial_values(RuleInstance& instance);
  void set_initial(RuleInstance& instance, const StateMember& member);
  void add_input(RuleInstance& instance, const syntax::InputDecl& decl);
  Rate input_rate(const syntax::InputDecl& decl);

  // hypers.cpp
  void add_hyper(RuleInstance& instance, const syntax::HyperDecl& decl, const Use& use,
                 const syntax::Argument* argument);
  TypedHyper typed_hyper(const RuleInstance& instance, const syntax::HyperDecl& decl);
  void set_range(RuleInstance& instance, const syntax::HyperDecl& decl, TypedHyper& hyper);
  void take_argument(RuleInstance& instance, std::size_t index, const Use& use,
                     const syntax::Argument& argument);
  /// `is_value`: nothing else gives the hyper its value.
  void take_default(RuleInstance& instance, std::size_t index, bool is_value);
  void follow(HyperMember& hyper, const Value& value);
  bool fits_hyper(const HyperMember& hyper, const Value& value);
  void take_choice(RuleInstance& instance, std::size_t index, Frame& frame, syntax::ExprId id);
  void take_constant(HyperMember& hyper, const Value& value);
  void bind(HyperMember& hyper, const Value& value);

  // views.cpp
  void add_views(RuleInstance& instance, bool watch);
  void bind_hypers_of(TypedView& view);
  /// A hyper that the pipeline binds, as views see it.
  struct BoundHyper {
    TypedExprId value;
    bool is_examined = false;
    std::vector<std::uint32_t> needs;  // bound hypers that it reads, in order; itself last
    struct OfStep {
      Span span;
      std::string name;
    };
    std::optional<OfStep> of_step;  // what it reads that only a step has
  };
  const BoundHyper& examine(std::uint32_t hyper);

  Span span_in(const LoadedModule& module, syntax::ExprId id) const;

  Modules::Impl& modules_;
  Reporter& reporter_;
  RuleBuilder builder_;
  Checker checker_;
  std::vector<std::unique_ptr<RuleInstance>> instances_;
  std::vector<const syntax::RuleDecl*> open_rules_;  // being used, outermost first
  bool watches_ = false;                             // warnings are given about the outermost
  bool is_complete_ = false;                         // it runs as it stands, no stage of another
  std::vector<Parts> pipelines_;  // that are warned about; the outermost is the last
  std::set<std::pair<std::uint32_t, std::uint32_t>> warned_at_;  // source and start: of gradients
  std::set<std::string> labels_;
  std::map<std::pair<std::string, Rate>, std::uint32_t> inputs_;  // into TypedRule::inputs
  std::vector<TypedBinding> bindings_;  // of rules around the next stage, evaluated where it begins
  std::map<std::uint32_t, BoundHyper> bound_hypers_;  // by index into TypedRule::hypers
  std::size_t use_count_ = 0;
  /// The rule that says first how the pipeline splits its tensors.
  struct SplitUse {
    types::Split split = types::Split::FirstRest;
    Span span;  // of the declaration; where there is none, of what uses it
    std::string rule;
    bool is_declared = false;
  };
  std::optional<SplitUse> split_;
  Value condition_;            // of the arms around the stage at hand; unknown: none
  std::size_t way_count_ = 1;  // of tensors through the pipeline
};

}  // namespace talweg::sema
