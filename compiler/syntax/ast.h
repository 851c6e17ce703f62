// The syntax tree of one module: what was written, nothing resolved.
//
// Expressions and statements live in vectors of their module and are named by ids, so a tree is
// freed without recursion. Every node has the span of its text.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/base/ids.h"
#include "compiler/base/source.h"

namespace talweg::syntax {

using base::Span;
struct ExprTag;
struct StmtTag;
using ExprId = base::Id<ExprTag>;
using StmtId = base::Id<StmtTag>;

struct Name {
  std::string text;
  Span span;
};

/// `m`, `plateau.scale`, `mine.Clipped`: never empty.
struct Path {
  std::vector<Name> parts;
  Span span;
  [[nodiscard]] std::string text() const;  // joined by dots
};

// ---- Expressions ----

enum class UnaryOp { Neg, Not };
enum class BinaryOp { Add, Sub, Mul, Div, Mod, Pow, MatMul, Lt, Le, Gt, Ge, Eq, Ne, And, Or };

struct NumberLit {
  double value;
  std::string text;
};  // text as written, "1e-3", "10_000"
struct BoolLit {
  bool value;
};
struct TextLit {
  std::string value;
};  // "embedding" in tagged("embedding")
struct NameExpr {
  Path path;
};
struct UnaryExpr {
  UnaryOp op;
  ExprId operand;
};
struct BinaryExpr {
  BinaryOp op;
  ExprId left;
  ExprId right;
};

struct Argument {
  std::optional<Name> name;  // `peak = 1e-3`, or positional
  ExprId value;
};
struct CallExpr {
  Path callee;
  std::vector<Argument> arguments;
};
/// A reduction's rate: `norm(grad) per model` is PerExpr{call, model}.
struct PerExpr {
  ExprId operand;
  Name rate;
};
struct IfExpr {
  ExprId condition;
  ExprId then_value;
  ExprId else_value;
};
/// `{ statements; value }`, an arm of an if or the body of a fn.
struct BlockExpr {
  std::vector<StmtId> statements;
  ExprId value;
};
struct ListExpr {
  std::vector<ExprId> items;
};
/// Stands where the parser recovered; an error was reported. Later phases give it any type,
/// silently.
struct ErrorExpr {};

struct Expr {
  Span span;
  std::variant<ErrorExpr, NumberLit, BoolLit, TextLit, NameExpr, UnaryExpr, BinaryExpr, CallExpr,
               PerExpr, IfExpr, BlockExpr, ListExpr>
      node;
};

// ---- Statements ----

enum class AssignOp { Set, Add, Sub, Mul, Div };

struct LetStmt {
  Name name;
  ExprId value;
  bool is_var;
};
struct AssignStmt {
  Path target;
  AssignOp op;
  ExprId value;
};
struct IfStmt {
  ExprId condition;
  std::vector<StmtId> then_body;
  std::vector<StmtId> else_body;  // `else if` is an IfStmt alone in here
};
/// `for i in 1..5 { }` (both bounds inclusive, constant) or `for x in list { }`.
struct ForStmt {
  Name variable;
  ExprId first;                // of the range, or the list
  std::optional<ExprId> last;  // absent for a list
  std::vector<StmtId> body;
};
struct SkipStmt {
  ExprId condition;
};  // skip if c
struct HoldStmt {
  ExprId condition;
};  // hold if c
struct RegradStmt {};

struct Stmt {
  Span span;
  std::variant<LetStmt, AssignStmt, IfStmt, ForStmt, SkipStmt, HoldStmt, RegradStmt> node;
};

// ---- Declarations ----

struct RangeSyntax {
  bool low_closed;
  ExprId low;
  ExprId high;
  bool high_closed;
  Span span;
};

/// `hyper [const] [model] [int|bool] name = default [in range | in {choice, choice}]`, modifiers in
/// any order.
struct HyperDecl {
  Span span;
  std::string doc;  // text of the /// lines above, without the slashes
  Name name;
  bool is_const = false, is_model = false, is_int = false, is_bool = false;
  ExprId default_value;
  std::optional<RangeSyntax> range;
  std::vector<Name> choices;  // `hyper const mode = raw in {raw, corrected}`
};

/// `state [rate] name [= initial]`; `matrix[rows, rows]` shapes keep their extents in `shape`.
struct StateDecl {
  Span span;
  std::string doc;
  std::optional<Name> rate;
  std::vector<ExprId> shape;
  Name name;
  std::optional<ExprId> initial;
};

struct InputDecl {
  Span span;
  std::string doc;
  std::optional<Name> rate;
  Name name;
};
struct ViewDecl {
  Span span;
  std::string doc;
  Name name;
  ExprId value;
};
/// `matrix (0 | rest)`: the words inside the parentheses, joined by one space.
struct MatrixDecl {
  Span span;
  std::string split;
};
struct RequireDecl {
  Span span;
  ExprId condition;
};

/// One stage of a pipeline: `name = Rule(arguments)`, `Rule`, `mine.Rule(...)`.
struct StageRef {
  Span span;
  std::optional<Name> label;
  Path rule;
  bool has_arguments = false;
  std::vector<Argument> arguments;
};
struct Pipeline {
  Span span;
  std::vector<StageRef> stages;
};
/// `when condition: pipeline`, `otherwise: pipeline` (no condition).
struct WhenArm {
  Span span;
  std::optional<ExprId> condition;
  Pipeline pipeline;
};

struct StepBlock {
  Span span;
  std::vector<StmtId> body;
};

struct RuleDecl {
  Span span;
  std::string doc;
  Name name;
  bool is_alias = false;  // `rule R = A | B`
  std::vector<HyperDecl> hypers;
  std::vector<StateDecl> states;
  std::vector<InputDecl> inputs;
  std::vector<ViewDecl> views;
  std::vector<MatrixDecl> matrices;
  std::vector<RequireDecl> requires_;
  std::vector<StepBlock> steps;   // one at most is right; more are an error of sema
  std::vector<StepBlock> afters;  // likewise
  std::vector<Pipeline> pipelines;
  std::vector<WhenArm> arms;
};

struct Parameter {
  Name name;
  std::optional<ExprId> default_value;
};
struct FnDecl {
  Span span;
  std::string doc;
  Name name;
  std::vector<Parameter> parameters;
  ExprId body;
};
/// `import mine` or `import mine: Clipped, warm`.
struct ImportDecl {
  Span span;
  Path module;
  std::vector<Name> names;
};
/// `kernel name = Rule with { ... }`: parsed, refused by sema until storage types come. `text` is
/// what follows the name, its tokens joined by spaces.
struct KernelDecl {
  Span span;
  Name name;
  std::string text;
};
/// `let name = expr` at top level: a named constant of the module.
struct ConstDecl {
  Span span;
  std::string doc;
  Name name;
  ExprId value;
};

using Decl = std::variant<ImportDecl, FnDecl, RuleDecl, KernelDecl, ConstDecl>;

struct Module {
  base::SourceId source;
  std::vector<Decl> decls;  // in the order written
  std::vector<Expr> exprs;
  std::vector<Stmt> stmts;

  [[nodiscard]] const Expr& operator[](ExprId id) const { return exprs[id.index]; }
  [[nodiscard]] const Stmt& operator[](StmtId id) const { return stmts[id.index]; }
};

}  // namespace talweg::syntax
