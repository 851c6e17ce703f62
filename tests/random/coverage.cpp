#include "tests/random/coverage.h"

#include "compiler/base/check.h"
#include "compiler/builtins/op.h"
#include "compiler/types/rate.h"

namespace talweg::tests {

namespace {

/// What writer.h can write, and what can come up in a run.
constexpr const char* kForms[] = {
    "statement let",
    "statement let of a truth",
    "statement var",
    "statement var of a truth",
    "assign var",
    "assign state element",
    "assign state group",
    "assign state model",
    "assign state tensor",
    "assign state matrix",
    "assign state row",
    "assign state col",
    "assign grad",
    "assign update",
    "assign param",
    "assign =",
    "assign +=",
    "assign -=",
    "assign *=",
    "assign /=",
    "if statement const",
    "if statement model",
    "if statement group",
    "if statement element",
    "if statement tensor",
    "if statement matrix",
    "if statement row",
    "if statement col",
    "if without else",
    "if with else",
    "if with else if",
    "update in both arms",
    "if expression const",
    "if expression model",
    "if expression group",
    "if expression element",
    "if expression tensor",
    "if expression matrix",
    "if expression row",
    "if expression col",
    "if expression of truths",
    "if expression with block",
    "if expression with else if",
    "assignment in an arm's block",
    "for range",
    "for list",
    "for hyper list",
    "for module list",
    "for nothing",
    "for range to a hyper",
    "fn of an expression",
    "fn of a block",
    "fn with default",
    "fn of a truth",
    "call by position",
    "call by name",
    "call without default argument",
    "call in fn",
    "step",
    "after",
    "hyper number",
    "hyper int",
    "hyper bool",
    "hyper model number",
    "hyper model int",
    "hyper model bool",
    "hyper const number",
    "hyper const int",
    "hyper const bool",
    "hyper const choices",
    "hyper const list",
    "hyper default of a constant",
    "choice comparison",
    "state element",
    "state group",
    "state model",
    "state tensor",
    "state matrix",
    "state row",
    "state col",
    "initial constant",
    "initial of hypers",
    "initial param",
    "initial of param and hypers",
    "initial that reduces",
    "initial that reduces, of lines",
    "input element",
    "input model",
    "input tensor",
    "input group",
    "input matrix",
    "input row",
    "input col",
    "given",
    "read given_tensor",
    "read given_group",
    "read given_matrices",
    "read given_rows",
    "read given_cols",
    "read rank or size",
    "read rows or cols",
    "condition of facts",
    "statements for matrices",
    "matrices in an arm",
    "require",
    "require rank",
    "matrix (last two)",
    "matrix (two largest)",
    "matrix (0 | rest)",
    "previous",
    "previous of model",
    "previous of group",
    "previous of tensor",
    "previous of matrix",
    "previous of row",
    "previous of col",
    "previous of element",
    "fn with previous",
    "call of a fn with previous",
    "hyper that follows others",
    "stage of the library",
    "read t",
    "read calls",
    "read update",
    "read param in after",
    "module constant",
    "pipeline in rule",
    "regrad",
    "regrad under a condition",
    "regrad in a loop",
    "two regrads",
    "skip or hold before regrad",
    "skip or hold behind regrad",
    "param comes back behind regrad",
    "old gradient behind regrad",
    "param moves before regrad",
    "SAM",
    "skip",
    "hold",
    "skip or hold under a condition",
    "skip or hold in a loop",
    "skip or hold in after",
    "view",
    "two views",
    "view of a slower value",
    "view of a bound hyper",
    "in a view: state element",
    "in a view: state group",
    "in a view: state model",
    "in a view: state tensor",
    "in a view: state matrix",
    "in a view: state row",
    "in a view: state col",
    "in a view: reduction per model",
    "in a view: reduction per group",
    "in a view: reduction per tensor",
    "in a view: reduction per matrix",
    "in a view: reduction per row",
    "in a view: reduction per col",
    "import of a module",
    "import of names",
    "when rank",
    "when size",
    "when rows or cols",
    "when for matrices",
    "when named",
    "when tagged",
    "when of logic",
    "when of a constant",
    "when of a const hyper",
    "ways in ways",
    "when without otherwise",
    "otherwise",
    "pipeline of ways",
    "pipeline in expression",
    "pipeline as short rule",
    "named stage",
    "argument constant",
    "argument by position",
    "argument bound",
    "argument bound truth",
    "argument reads stage state",
    "rule used twice",
    "clip",
    "min of three",
    "integer power",
    "power one half",
    "pow call",
    "percent",
    "unary minus",
    "literal tiny",
    "literal huge",
    "pi",
    "inf",
    "reduction sum",
    "reduction mean",
    "reduction min",
    "reduction max",
    "reduction norm",
    "reduction dot",
    "reduction count",
    "reduction any",
    "reduction all",
    "reduction per model",
    "reduction per group",
    "reduction per tensor",
    "reduction per matrix",
    "reduction per row",
    "reduction per col",
    "reduction over group",
    "reduction over tensor",
    "reduction over matrix",
    "reduction over row",
    "reduction over col",
    "reduction over element",
    "run: a completed step",
    "run: a skipped step",
    "run: a held call",
    "run: a refused step",
    "run: a refused hyper",
    "run: an absent gradient",
    "run: no gradient at all",
    "run: another gradient",
    "run: an abandoned step",
    "run: a step that begins again",
    "run: an input that is not given",
};

const char* type_word(ir::ValueType type, types::Rate rate) {
  if (type == ir::ValueType::Array) return "of elements";
  if (type == ir::ValueType::Bool) return types::is_array(rate) ? "of element truths" : "of truths";
  return "of scalars";
}

std::string op_feature(builtins::Op op, const char* word) {
  return "op " + std::string(builtins::info(op).name) + " " + word;
}

constexpr const char* kNodes[] = {"to_array",    "div_scalar",  "flush", "given",
                                  "hyper",       "state",       "input", "fact",
                                  "step_number", "call_number", "spread"};

}  // namespace

Coverage::Coverage() {
  for (const char* form : kForms) counts_[form] = 0;
  for (const char* node : kNodes) counts_[std::string("node ") + node] = 0;
  for (const auto rate :
       {types::Rate::Const, types::Rate::Model, types::Rate::Group, types::Rate::Tensor,
        types::Rate::Matrix, types::Rate::Row, types::Rate::Col, types::Rate::Element})
    counts_["rate " + std::string(types::to_text(rate))] = 0;
  for (const builtins::OpInfo& row : builtins::op_table()) {
    using builtins::Signature;
    const bool numbers = row.signature != Signature::Logic;
    if (numbers) counts_[op_feature(row.op, "of elements")] = 0;
    if (numbers) counts_[op_feature(row.op, "of scalars")] = 0;
    if (row.signature == Signature::Logic || row.signature == Signature::Choice)
      for (const char* word : {"of truths", "of element truths"})
        counts_[op_feature(row.op, word)] = 0;
  }
}

void Coverage::add_rule(const std::set<std::string>& features) {
  for (const std::string& feature : features) {
    const auto it = counts_.find(feature);
    TALWEG_CHECK(it != counts_.end(), feature.c_str());
    ++it->second;
  }
}

void Coverage::add(const std::map<std::string, std::uint64_t>& counts) {
  for (const auto& [feature, count] : counts) counts_[feature] += count;
}

std::set<std::string> features_of(const ir::Graph& graph) {
  std::set<std::string> features;
  for (const ir::Node& node : graph.nodes) {
    features.insert("rate " + std::string(types::to_text(node.rate)));
    switch (node.kind) {
      case ir::NodeKind::Apply: {
        const auto last = static_cast<std::size_t>(node.operand_count() - 1);
        const ir::Node& operand = graph[node.operands[last]];
        features.insert(op_feature(node.op, type_word(operand.type, node.rate)));
        break;
      }
      case ir::NodeKind::ToArray:
        features.insert("node to_array");
        break;
      case ir::NodeKind::DivScalar:
        features.insert("node div_scalar");
        break;
      case ir::NodeKind::Flush:
        features.insert("node flush");
        break;
      case ir::NodeKind::Given:
        features.insert("node given");
        break;
      case ir::NodeKind::Hyper:
        features.insert("node hyper");
        break;
      case ir::NodeKind::State:
        features.insert("node state");
        break;
      case ir::NodeKind::Input:
        features.insert("node input");
        break;
      case ir::NodeKind::Fact:
        features.insert("node fact");
        break;
      case ir::NodeKind::Spread:
        features.insert("node spread");
        break;
      case ir::NodeKind::StepNumber:
        features.insert("node step_number");
        break;
      case ir::NodeKind::CallNumber:
        features.insert("node call_number");
        break;
      case ir::NodeKind::Reduce:
      case ir::NodeKind::Constant:
      case ir::NodeKind::Param:
      case ir::NodeKind::Grad:
      case ir::NodeKind::IsNormal:
        break;
    }
  }
  return features;
}

}  // namespace talweg::tests
