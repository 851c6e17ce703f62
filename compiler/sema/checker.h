// Checks expressions and statements where they stand, and appends what they mean to a typed rule.
//
// One walk does everything: names are resolved, kinds and rates computed, functions inlined, loops
// unrolled. A function is therefore checked once for every call, with the rates of that call; work
// is counted and capped. Expressions live in one syntax tree at a time: the frame's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/sema/flow.h"
#include "compiler/sema/low_ranks.h"
#include "compiler/sema/modules.h"
#include "compiler/sema/rule_builder.h"
#include "compiler/sema/rule_instance.h"
#include "compiler/sema/value.h"
#include "compiler/types/limits.h"

namespace talweg::sema {

/// Where an expression stands: it decides which names of a rule it may read.
enum class Place : std::uint8_t {
  Step,
  After,
  Function,  // parameters and constants only
  Initial,   // of a state: hypers, `param`, facts of the tensor
  Constant,  // ranges, defaults of const hypers, constants of a module
  Default,   // of a hyper: hypers declared before it
  View,      // hypers, states, `param`, `t`
  Argument,  // of a stage: hypers of the rule around, t, calls, inputs, states of earlier stages
  When,      // facts of the tensor, const hypers, constants
  Require,   // the same
};
/// True where an expression is decided when the optimizer is built.
constexpr bool is_decided_early(Place place) {
  return place == Place::When || place == Place::Require;
}
/// "a view": where an expression stands, in messages.
std::string_view words_of(Place place);

/// Limits that keep every program cheap to check. Work is counted in syntax nodes walked.
struct CheckLimits {
  static constexpr std::uint32_t kMaxRuleWork = 200'000;  // for one rule or function, all inlined
  static constexpr std::uint32_t kMaxTotalWork =
      1'500'000;                                           // for one check of a module or pipeline
  static constexpr std::uint32_t kMaxStatements = 20'000;  // after loops are unrolled
  static constexpr double kMaxIterations = 10'000;         // of one loop
  static constexpr std::uint32_t kMaxDepth = 400;          // of expressions, calls and blocks
  static constexpr std::uint32_t kMaxTypedDepth = 1'000;   // of a typed expression
  static constexpr std::size_t kMaxStages = 64;
  static constexpr std::uint32_t kMaxRegrads = 8;  // that one step may come by
  static constexpr std::uint32_t kMaxWrittenRegrads = types::kMaxWrittenRegrads;
};

/// A local name of a frame.
struct LocalName {
  enum class Sort : std::uint8_t { Let, Var, Parameter, LoopVariable } sort = Sort::Let;
  Value value;              // of all but a Var
  Span span = {};           // of the name where it is declared
  std::uint32_t var = 0;    // of a Var: its place in the Flow
  std::uint32_t local = 0;  // into TypedRule::locals, where the value is not constant
};

/// Text being checked: its module, the names around it.
struct Frame {
  LoadedModule* module = nullptr;
  Place place = Place::Constant;
  RuleInstance* rule = nullptr;
  const syntax::FnDecl* function = nullptr;
  bool is_watched = false;   // warnings are given: the text is checked for its own sake
  bool at_defaults = false;  // Constant: hypers have their defaults; unknown where they have none
  const Frame* caller = nullptr;  // of a function that is inlined
  std::vector<std::map<std::string, LocalName, std::less<>>> scopes = {{}};
};

class Checker {
 public:
  Checker(Modules::Impl& modules, RuleBuilder& builder)
      : modules_(modules), reporter_(modules.reporter), builder_(builder) {}

  /// A rule or function begins: its share of work is fresh. `watch`: with warnings.
  void begin_unit(std::string words, Span span);
  [[nodiscard]] std::uint32_t total_work() const { return total_work_; }
  void add_earlier_work(std::uint32_t work) { total_work_ = work; }

  /// The value of an expression in `frame`; a scalar, a list, or not known after an error.
  Value value_in(Frame& frame, syntax::ExprId id);
  /// A constant in `frame`, or nothing known. `what` names it in errors ("a default").
  Value constant_in(Frame& frame, syntax::ExprId id, std::string_view what);
  /// A `step` or `after` block.
  void block_in(Frame& frame, const syntax::StepBlock& block, std::vector<TypedStmt>& out);
  /// The body of a function, of whose parameters nothing is known.
  void function_alone(LoadedModule& module, const syntax::FnDecl& fn);
  /// The value of a module's `let`.
  Value module_constant(const Found& found, const syntax::ConstDecl& decl, Span use);

  /// True if it has that kind; else reports (not for values that are not known).
  bool expect_kind(const Value& value, Kind kind, std::string_view what);
  bool expect_constant(const Value& value, std::string_view what);
  /// Adds the operand that differs too often, and its rate.
  void blame(base::DiagnosticBuilder& report, TypedExprId value, Rate place);
  /// Adds how the operand that differs from group to group becomes one for all groups.
  void suggest_model_rate(base::DiagnosticBuilder& report, TypedExprId value);
  /// Adds the reductions that would do where `value` is to be one per `place`.
  void suggest_reduction(base::DiagnosticBuilder& report, TypedExprId value, Rate place);

  /// The arguments of a call in the order of `parameters`, null where one is not given; nothing
  /// after an error. `callee` is "function `f`" or "rule `R`", `parameter` "parameter" or "hyper".
  struct CallSite {
    std::string callee;
    std::string_view parameter;
    Span span;
  };
  std::optional<std::vector<const syntax::Argument*>> match_arguments(
      Frame& frame, const CallSite& site, const std::vector<std::string>& parameters,
      const std::vector<syntax::Argument>& arguments);

  /// The choice of a const hyper with choices that an expression names, without reporting.
  std::optional<std::size_t> choice_named(Frame& frame, syntax::ExprId id,
                                          const syntax::HyperDecl& decl);

  void report_unknown_choice(Span span, const syntax::HyperDecl& decl);

  /// Warns about locals that nothing reads and assignments that are lost, since the last time.
  void warn_of_unused();

  /// The ranks below 2 of tensors that run the stage at hand, by `when` and `require`.
  [[nodiscard]] const LowRanks& low_ranks() const { return low_ranks_; }
  void set_low_ranks(const LowRanks& ranks) { low_ranks_ = ranks; }
  [[nodiscard]] LowRanks ranks_under(LowRanks ranks, const Value& condition, bool holds) const;

  /// States and locals that are read in code that was dropped: another setting may keep it.
  [[nodiscard]] const std::vector<Symbol>& dropped_reads() const { return dropped_reads_; }

 private:
  using Statements = std::vector<syntax::StmtId>;
  [[nodiscard]] const syntax::Module& tree() const { return *frame_->module->tree; }
  template <class Work>
  auto with_frame(Frame& frame, Work work);

  // checker.cpp: limits, and walking without keeping
  bool spend(Span span);
  /// Counts work that is done at once, so that lists of thousands of names cannot be searched at
  /// will.
  void charge(std::size_t names) { unit_work_ += static_cast<std::uint32_t>(names / 16); }
  void stop_at_limit(Span span);
  Value emit(Type type, Span span, decltype(TypedExpr::node) node, std::optional<double> constant);
  void discard(const std::function<void()>& work);
  /// Walks what other constants would leave out: for warnings, it may not happen.
  template <class Work>
  auto maybe(Work work);

  // names_in_rules.cpp
  Value name(Span span, const syntax::Path& path);
  std::optional<Value> rule_member(std::string_view name, Span span);
  std::optional<Value> language_name(std::string_view name, Span span);
  Value read_local(const LocalName& local, Span span);
  Value local_value(const LocalName& local, Span span);
  std::optional<Value> later_hyper(std::string_view name, Span span);
  Value read_hyper(HyperMember& hyper, Span span);
  Value load(Symbol symbol, Type type, Span span);
  std::optional<Value> stage_name(const syntax::Path& path);
  Value stage_state(const StageInScope& stage, const syntax::Path& path);
  [[nodiscard]] const StageInScope* stage_with_state(std::string_view name) const;
  Value not_available(std::string_view name, Span span);
  Value unknown_name(const syntax::Path& path, Span span);
  LocalName* find_local(std::string_view name);
  std::vector<std::string> names_in_reach();
  HyperMember* choice_hyper(const syntax::Path& path);
  bool is_free(const syntax::Name& name);
  LocalName& declare(const syntax::Name& name, LocalName local);

  // expressions.cpp
  Value expression(syntax::ExprId id);
  Value node(Span span, const syntax::ErrorExpr&) { return unknown(span); }
  Value node(Span span, const syntax::NumberLit& n);
  Value node(Span span, const syntax::BoolLit& n);
  Value node(Span span, const syntax::TextLit& n);
  Value node(Span span, const syntax::NameExpr& n) { return name(span, n.path); }
  Value node(Span span, const syntax::UnaryExpr& n);
  Value node(Span span, const syntax::CallExpr& n);
  Value node(Span span, const syntax::IfExpr& n);
  Value node(Span span, const syntax::BlockExpr& n);
  Value node(Span span, const syntax::ListExpr& n);
  Value binary_chain(syntax::ExprId id);
  Value binary(Span span, syntax::BinaryOp op, const Value& left, const Value& right);
  std::optional<Value> choice_comparison(Span span, const syntax::BinaryExpr& n);
  Value apply(builtins::Op op, Span span, const std::vector<Value>& operands);
  Value constant_if(Span span, const syntax::IfExpr& n, bool taken);
  Value arm(syntax::ExprId id, std::vector<TypedStmt>& statements);
  Value block_value(Span span, std::vector<TypedStmt> statements, const Value& value);
  bool same_kind(Span span, const Value& then_value, const Value& else_value);
  static Value unknown(Span span) { return {false, {}, {}, std::nullopt, nullptr, span}; }

  // reductions.cpp
  Value node(Span span, const syntax::PerExpr& n);
  [[nodiscard]] std::optional<builtins::Reduction> reduction_of(const syntax::PerExpr& n) const;
  Value no_reduction(Span span, const syntax::PerExpr& n);
  std::optional<std::vector<Value>> reduction_operands(const syntax::CallExpr& call,
                                                       builtins::Reduction function,
                                                       const syntax::Name& rate);
  std::optional<Rate> reduction_rate(const syntax::Name& name);
  bool may_reduce_here(Span span);
  bool is_faster(Span span, Rate over, Rate target);
  Value reduction_without_rate(Span span, const syntax::CallExpr& call);
  [[nodiscard]] const Frame& origin() const;
  [[nodiscard]] std::optional<std::string> short_text(Span span) const;

  // matrices.cpp
  bool has_matrices(bool is_fact);
  void note_matrix_use(Span span);
  std::optional<base::DiagnosticBuilder> report_no_matrix(Span span, std::string_view what);
  bool expect_matrices(Span span, Rate rate, const decltype(TypedExpr::node)* node = nullptr);
  Value extent(types::FactKind kind, Span span);

  // previous.cpp
  Value previous_call(Span span, const syntax::CallExpr& call);
  std::string previous_name(const syntax::CallExpr& call, const std::string& stage);

  // calls.cpp
  Value builtin_call(Span span, const syntax::CallExpr& call, std::string_view name);
  Value operation_call(Span span, builtins::Op op, const syntax::CallExpr& call);
  Value clip_call(Span span, const syntax::CallExpr& call);
  Value given_call(Span span, const syntax::CallExpr& call);
  Value fact_call(Span span, const syntax::CallExpr& call, types::FactKind kind);
  Value load_fact(types::Fact fact, Span span);
  Value later_call(Span span, std::string_view name);
  bool is_language_function(std::string_view name);
  std::optional<std::vector<Value>> positional(const syntax::CallExpr& call, std::size_t least,
                                               std::size_t most);
  Value inline_call(Span span, const syntax::CallExpr& call, const Found& found,
                    const syntax::FnDecl& fn);
  bool lacks_arguments(const syntax::CallExpr& call, const syntax::FnDecl& fn,
                       const std::vector<const syntax::Argument*>& arguments);
  void bind_parameter(Frame& frame, const syntax::Parameter& parameter, const Value& value,
                      std::vector<TypedStmt>& statements);
  void check_arguments_only(const std::vector<syntax::Argument>& arguments);
  [[nodiscard]] Span span_of(const syntax::Argument& argument) const;
  std::optional<std::size_t> place_of(const CallSite& site,
                                      const std::vector<std::string>& parameters,
                                      const syntax::Argument& argument);
  Value unknown_function(const syntax::Path& path);
  void report_recursion(const syntax::FnDecl& fn, Span span);

  // statements.cpp
  void statements(const Statements& body);
  void scoped(const Statements& body);
  void statement(syntax::StmtId id);
  void node(Span span, const syntax::LetStmt& s);
  void node(Span span, const syntax::AssignStmt& s);
  void node(Span span, const syntax::IfStmt& s);
  void node(Span span, const syntax::ForStmt& s);
  struct Target;
  [[nodiscard]] bool assigns_itself(const syntax::AssignStmt& s) const;
  std::optional<Target> target_of(const syntax::Path& path);
  std::optional<Target> language_target(std::string_view name, Span span);
  void report_unknown_target(const syntax::Path& path);
  void store(const Target& target, const Value& value, Span span);
  bool fits_target(const Target& target, const Value& value);
  Value read_target(const Target& target, Span span);
  void note_write(Symbol symbol, UnreadWrites::Write write);
  std::optional<std::vector<Value>> loop_values(const syntax::ForStmt& s);
  std::optional<double> loop_bound(syntax::ExprId id);
  void put(Span span, decltype(TypedStmt::node) node);

  // guards.cpp
  /// True if every condition around is the same for the whole model; else says so of `what`.
  bool is_decided_for_model(Span span, std::string_view what);
  bool guards_allow(Span span, Rate target);

  // exits.cpp
  void node(Span span, const syntax::SkipStmt& s) { exit(span, ExitKind::Skip, s.condition); }
  void node(Span span, const syntax::HoldStmt& s) { exit(span, ExitKind::Hold, s.condition); }
  void exit(Span span, ExitKind kind, syntax::ExprId condition);
  bool may_exit_here(Span span, ExitKind kind);
  bool fits_exit(Span span, ExitKind kind, const Value& condition);
  bool names_nothing(syntax::ExprId id) const;
  void warn_of_constant_exit(Span span, ExitKind kind, bool condition);

  // regrads.cpp
  void node(Span span, const syntax::RegradStmt& s);
  bool may_regrad_here(Span span);
  bool counts_regrad(Span span);

  Modules::Impl& modules_;
  Reporter& reporter_;
  RuleBuilder& builder_;
  Frame* frame_ = nullptr;
  std::vector<TypedStmt>* out_ = nullptr;  // where statements go
  Flow flow_;

  /// Conditions around the statement at hand that are not constant.
  struct Guard {
    Rate rate = Rate::Const;
    Span span;
    std::optional<TypedExprId> condition;  // none after an error
  };
  std::vector<Guard> guards_;
  LowRanks low_ranks_;      // under the guards and conditions around
  LowRanks operand_ranks_;  // where the operands of `and` and `or` to the left leave it open
  const syntax::Stmt* open_statement_ = nullptr;      // the innermost
  const syntax::Stmt* reported_statement_ = nullptr;  // that uses matrices where there are none
  std::vector<const syntax::FnDecl*> calls_;          // being inlined, outermost first
  std::map<std::pair<std::string, std::string>, int> previous_names_;  // by stage and name
  int discarding_ = 0;
  int open_expressions_ = 0;  // around what is being walked

  std::string unit_words_;  // "rule `AdamW`"
  Span unit_span_;
  std::uint32_t unit_work_ = 0, total_work_ = 0, statement_count_ = 0, depth_ = 0;
  std::uint32_t regrads_of_step_ = 0;  // of the step that comes by the most so far
  std::uint32_t written_regrads_ = 0;  // loops unrolled

  struct LetUse {
    std::string name;
    Span span;
    bool is_read = false;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, LetUse> lets_;  // by source and start
  void note_local_read(Span declared);
  std::vector<Symbol> dropped_reads_;
  void note_dropped_read(Symbol symbol);
};

template <class Work>
auto Checker::maybe(Work work) {
  struct Arm {
    UnreadWrites& unread;
    UnreadWrites::Start start;
    ~Arm() { unread.join(unread.leave_arm(start), {}); }
  } arm{flow_.unread, flow_.unread.enter_arm()};
  return work();
}

template <class Work>
auto Checker::with_frame(Frame& frame, Work work) {
  Frame* outer = std::exchange(frame_, &frame);
  struct Restore {
    Frame*& place;
    Frame* value;
    ~Restore() { place = value; }
  } restore{frame_, outer};
  return work();
}

}  // namespace talweg::sema
