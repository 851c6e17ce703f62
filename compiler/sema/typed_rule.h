// The typed rule: one whole pipeline with every name resolved and every rate known.
//
// Modules, imports, functions, loops and stage arguments are gone: functions are inlined (as a
// Block that binds their parameters to locals), loops are unrolled, pipelines are a flat list of
// stages. What remains is straight statements, `if`s, and expressions over symbols. Contraction is
// decided from these trees when the graph is built, so an inlined call, a local and a product stay
// apart here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/base/ids.h"
#include "compiler/base/source.h"
#include "compiler/builtins/op.h"
#include "compiler/builtins/reduction.h"
#include "compiler/types/fact.h"
#include "compiler/types/interval.h"
#include "compiler/types/rate.h"
#include "compiler/types/split.h"

namespace talweg::sema {

using base::Span;
using types::Rate;
struct TypedExprTag;
struct LocalTag;
using TypedExprId = base::Id<TypedExprTag>;

enum class Kind : std::uint8_t { Number, Bool };

struct Type {
  Kind kind = Kind::Number;
  Rate rate = Rate::Const;
  bool operator==(const Type&) const = default;
};

// ---- Symbols ----

enum class SymbolKind : std::uint8_t {
  Param,  // index unused; the value at this point of the rule (in `after`: the new point)
  Grad,
  Update,
  T,      // step number, model rate
  Calls,  // number of calls, model rate
  Hyper,  // index into TypedRule::hypers
  State,  // index into TypedRule::states
  Input,  // index into TypedRule::inputs
  Given,  // given(input): model-rate bool; index into inputs
  Fact,   // of the tensor (`rank`, `size`, `rows`, `cols`; in a `when` also names and tags): index
          // into TypedRule::facts, tensor rate
  Local,  // index into TypedRule::locals
};
struct Symbol {
  SymbolKind kind = SymbolKind::Param;
  std::uint32_t index = 0;
  bool operator==(const Symbol&) const = default;
};

// ---- Expressions ----

struct TypedStmt;

struct ConstantNode {
  double value;
};  // a bool constant is 0 or 1
/// A local whose rate is Const is never loaded: its value stands there as a ConstantNode.
struct LoadNode {
  Symbol symbol;
};
/// One operation; operands in the order of the Op's definition. Op::Fma never appears: contraction
/// comes later. Op::Pow with a constant exponent is still Pow here.
struct ApplyNode {
  builtins::Op op;
  std::vector<TypedExprId> operands;
};
/// `if` as an expression (also min/max-free selections); both arms have the type of the whole.
struct ChooseNode {
  TypedExprId condition;
  TypedExprId then_value;
  TypedExprId else_value;
};
/// `sum(x) per model`: over the index values of rate `over`, which is that of the operands
/// together, of the tensors that run the stage and have a gradient. The rate of the whole is the
/// one asked for, and slower than `over`; no condition around it is faster than that.
struct ReduceNode {
  builtins::Reduction function;
  Rate over = Rate::Element;
  std::vector<TypedExprId> operands;  // none of them need be as fast as `over` by itself
};
/// Statements, then a value: a block arm or an inlined function.
struct BlockNode {
  std::vector<TypedStmt> statements;
  TypedExprId value;
};

struct TypedExpr {
  Type type;
  Span span;
  std::variant<ConstantNode, LoadNode, ApplyNode, ChooseNode, ReduceNode, BlockNode> node;
};

// ---- Statements ----

/// Sets a symbol (param, grad, update, state or local). `let` and `var` are the first assignment of
/// a local. `x += e` has become x = x + (e), one expression.
struct TypedAssign {
  Symbol target;
  TypedExprId value;
};
struct TypedIf {
  TypedExprId condition;
  std::vector<TypedStmt> then_body;
  std::vector<TypedStmt> else_body;
};

/// `skip if c` or `hold if c`; the condition has rate Model or slower, and so have all around it.
enum class ExitKind : std::uint8_t { Skip, Hold };
struct TypedExit {
  ExitKind kind = ExitKind::Skip;
  TypedExprId condition;
};
std::string_view to_text(ExitKind kind);  // "skip", "hold"

/// `regrad`: the call returns with `param` as it stands here, and the step goes on with the
/// gradient that the caller computes there: `grad`, from here on. Every condition around it has
/// rate Model or slower; it stands in the step of a stage without a condition of its own.
struct TypedRegrad {};

struct TypedStmt {
  Span span;
  std::variant<TypedAssign, TypedIf, TypedExit, TypedRegrad> node;
};

// ---- Declarations ----

enum class HyperKind : std::uint8_t { Number, Int, Bool };

struct TypedHyper {
  std::string name;         // within its stage: "lr"
  std::string stage;        // the stage's label, "adamw"; empty for a hyper of the outermost rule
  std::string public_name;  // what a user sets: "lr" where that is unambiguous, else "adamw.lr"
  std::string doc;
  Span span;
  Span value_span;  // of its default, or of the argument that stands in place of it
  Span range_span;  // empty where none was written
  HyperKind kind = HyperKind::Number;
  Rate rate =
      Rate::Group;  // Const (`hyper const`: gone from the rule, kept here for docs), Model or Group
  double default_value = 0;  // bool: 0 or 1. For Const: the value compiled in
  types::Interval range;
  /// Bound to an expression by the pipeline: not settable; evaluated where its stage's step begins.
  bool bound = false;
  /// Its default is an expression of other hypers, whose value it has in each step until it is set;
  /// default_value is what that is where all have their defaults, 0 where a bound one is among
  /// them.
  bool follows = false;
  std::vector<std::string>
      choices;               // of a const hyper `in {raw, corrected}`; default_value is the index
  std::vector<double> list;  // of a const hyper that is a list
};

struct TypedState {
  std::string name;  // within its stage
  std::string stage;
  std::string public_name;  // "m", or "adamw.m" where ambiguous
  std::string doc;
  Span span;
  Rate rate = Rate::Element;             // of Matrix, Row and Col: for tensors of rank 2 and more
  std::optional<TypedExprId> initial;    // absent: 0. Of hypers, `param`, facts and reductions
  Span initial_span;                     // where it was written
  std::optional<TypedExprId> condition;  // of its stage: tensors that keep it
  /// It is what `previous` reads: a call that is held or skipped leaves it as it was.
  bool is_previous = false;
};

/// An input of the same name and rate is one input for all stages that declare it.
struct TypedInput {
  std::string name;
  std::string stage;  // the first that declares it
  std::string public_name;
  std::string doc;
  Span span;
  Rate rate = Rate::Element;  // Model, Group, Tensor or Element
  /// Of the stages that declare it; a stage without a condition leaves an empty entry.
  std::vector<std::optional<TypedExprId>> conditions;
};

struct TypedLocal {
  std::string name;
  Span span;
};

/// A hyper bound by the pipeline, `AdamW(lr = cosine(t, ...))`, or one that follows others until it
/// is set. Evaluated in order, where the stage begins.
struct TypedBinding {
  std::uint32_t hyper = 0;
  TypedExprId value;
};

/// What can be read out in place of the parameters. In its value `t` is the number of completed
/// steps.
struct TypedView {
  std::string name;  // within its stage
  std::string stage;
  std::string public_name;  // "averaged", or "ema.averaged" where ambiguous
  std::string doc;
  Span span;
  Span value_span;
  /// Bound hypers that the value reads, those that others need first. Of hypers, constants and `t`.
  std::vector<TypedBinding> bindings;
  TypedExprId value;  // a number of any rate
  /// Of its stage: on other tensors the view is `param`.
  std::optional<TypedExprId> condition;
};

/// `require rank <= 2`: a bool over facts and constants that must hold for every tensor that runs
/// the stage.
struct TypedRequirement {
  Span span;
  std::string text;  // as it is written: "rank <= 2"
  std::string rule;  // that asks for it
  TypedExprId condition;
  std::optional<TypedExprId> stage_condition;
};

struct TypedStage {
  std::string label;  // unique in the pipeline: "adamw", "clip", or as given by `name = Rule`
  std::string rule;   // "AdamW"
  std::string doc;
  std::vector<TypedBinding> bindings;
  std::vector<TypedStmt> step;
  std::vector<TypedStmt> after;
  /// The tensors that run it: a bool over facts and constants. Absent: all.
  std::optional<TypedExprId> condition;
};

struct TypedRule {
  std::string name;  // of the outermost rule, or the text of the pipeline
  std::string doc;
  std::vector<TypedHyper> hypers;
  std::vector<TypedState> states;
  std::vector<TypedInput> inputs;
  std::vector<TypedView> views;
  std::vector<TypedLocal> locals;
  std::vector<types::Fact> facts;
  std::vector<TypedRequirement> requirements;
  std::vector<TypedStage> stages;
  std::vector<TypedExpr> exprs;
  /// How tensors are seen as matrices; absent where no stage uses matrices, rows or columns. Values
  /// of these rates, and the facts Rows and Cols, stand only where conditions imply rank >= 2.
  std::optional<types::Split> split;
  /// True if some stage assigns `update`: then param -= update once after all steps. Else nothing
  /// is subtracted.
  bool subtracts_update = false;

  [[nodiscard]] const TypedExpr& operator[](TypedExprId id) const { return exprs[id.index]; }
};

/// The rule as text, every expression with its rate (`talweg dump --stage typed`).
std::string print(const TypedRule& rule);

}  // namespace talweg::sema
