#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "compiler/base/check.h"
#include "compiler/ir/text.h"

namespace talweg::ir {

namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\r')
      result += "\\r";
    else if (byte < 0x20 || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  return result + '"';
}

std::string name_text(std::string_view name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), is_bare);
  return bare ? std::string(name) : quoted(name);
}

/// "0x1.8p+1": every bit, whatever the locale.
std::string hex_text(double value) {
  if (!std::isfinite(value)) return types::number_text(value);
  std::array<char, 40> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), std::fabs(value), std::chars_format::hex).ptr;
  return fmt::format("{}0x{}", std::signbit(value) ? "-" : "",
                     std::string_view(digits.data(), end));
}

std::string_view kind_text(HyperInfo::Kind kind) {
  switch (kind) {
    case HyperInfo::Kind::Number:
      return "number";
    case HyperInfo::Kind::Int:
      return "int";
    case HyperInfo::Kind::Bool:
      return "bool";
  }
  TALWEG_UNREACHABLE("a hyper of an unknown kind");
}

std::string_view type_text(ValueType type) {
  switch (type) {
    case ValueType::Scalar:
      return "scalar";
    case ValueType::Array:
      return "array";
    case ValueType::Bool:
      return "bool";
  }
  TALWEG_UNREACHABLE("a value of an unknown type");
}

/// "rank", "named \"*.bias\"".
std::string fact_text(const types::Fact& fact) {
  const std::string word = types::to_text(fact.kind);
  return types::is_truth(fact.kind) ? word + " " + quoted(fact.text) : word;
}

/// The word of a node and what it names, without operands: "mul", "state m", "constant 0x1p+0".
std::string head_text(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case NodeKind::Constant:
      if (node.type == ValueType::Bool) return node.value != 0 ? "constant true" : "constant false";
      return "constant " + hex_text(node.value);
    case NodeKind::Param:
      return "param";
    case NodeKind::Grad:
      return node.index == 0 ? "grad" : fmt::format("grad {}", node.index);
    case NodeKind::State:
      return "state " + name_text(graph.states[node.index].name);
    case NodeKind::Input:
      return "input " + name_text(graph.inputs[node.index].name);
    case NodeKind::Given:
      return "given " + name_text(graph.inputs[node.index].name);
    case NodeKind::Hyper:
      return "hyper " + name_text(graph.hypers[node.index].name);
    case NodeKind::StepNumber:
      return "step_number";
    case NodeKind::CallNumber:
      return "call_number";
    case NodeKind::Fact:
      return fmt::format("fact {}", node.index);
    case NodeKind::Apply:
      return std::string(builtins::info(node.op).name);
    case NodeKind::ToArray:
      return "to_array";
    case NodeKind::DivScalar:
      return "div_scalar";
    case NodeKind::IsNormal:
      return "is_normal";
    case NodeKind::Flush:
      return "flush";
    case NodeKind::Spread:
      return "spread";
    case NodeKind::Reduce:
      return fmt::format("reduce {} {}", builtins::info(node.fold).name, to_text(node.over));
  }
  TALWEG_UNREACHABLE("a node of an unknown kind");
}

std::string doc_text(const std::string& doc) {
  return doc.empty() ? std::string() : " doc " + quoted(doc);
}

void print_tables(const Graph& graph, std::string& text) {
  const auto out = std::back_inserter(text);
  for (const HyperInfo& hyper : graph.hypers) {
    fmt::format_to(out, "hyper {}: {} {} = {} in {}{}, {}{}", name_text(hyper.name),
                   kind_text(hyper.kind), to_text(hyper.rate), hex_text(hyper.default_value),
                   hyper.range.low_closed ? '[' : '(', hex_text(hyper.range.low),
                   hex_text(hyper.range.high), hyper.range.high_closed ? ']' : ')');
    if (hyper.bound.valid()) fmt::format_to(out, " bound %{}", hyper.bound.index);
    if (hyper.follows) text += " until set";
    if (hyper.unless.valid()) fmt::format_to(out, " unless %{}", hyper.unless.index);
    fmt::format_to(out, "{}\n", doc_text(hyper.doc));
  }
  for (const StateInfo& state : graph.states) {
    fmt::format_to(out, "state {}: {}", name_text(state.name), to_text(state.rate));
    if (state.initial.valid()) fmt::format_to(out, " = %{}", state.initial.index);
    if (state.kept.valid()) fmt::format_to(out, " kept %{}", state.kept.index);
    if (state.present.valid()) fmt::format_to(out, " present %{}", state.present.index);
    fmt::format_to(out, "{}\n", doc_text(state.doc));
  }
  for (const InputInfo& input : graph.inputs) {
    fmt::format_to(out, "input {}: {}", name_text(input.name), to_text(input.rate));
    if (input.present.valid()) fmt::format_to(out, " present %{}", input.present.index);
    fmt::format_to(out, "{}\n", doc_text(input.doc));
  }
  if (graph.split) fmt::format_to(out, "split {}\n", quoted(types::to_text(*graph.split)));
  for (const types::Fact& fact : graph.facts) fmt::format_to(out, "fact {}\n", fact_text(fact));
  for (const ViewInfo& view : graph.views)
    fmt::format_to(out, "view {}: %{}{}\n", name_text(view.name), view.value.index,
                   doc_text(view.doc));
  for (const Requirement& requirement : graph.requirements)
    fmt::format_to(out, "require %{} {}\n", requirement.condition.index, quoted(requirement.text));
}

}  // namespace

std::string print_node(const Graph& graph, NodeId id, std::span<const NodeId> alias) {
  const Node& node = graph[id];
  std::string text = fmt::format("%{} = {}", id.index, head_text(graph, node));
  for (int i = 0; i < node.operand_count(); ++i) {
    const NodeId operand = node.operands[static_cast<std::size_t>(i)];
    text += fmt::format(" %{}", alias.empty() ? operand.index : alias[operand.index].index);
  }
  text += fmt::format(": {} {}", type_text(node.type), to_text(node.rate));
  if (node.kind == NodeKind::Constant && node.type == ValueType::Scalar)
    text += fmt::format("  // {}", types::number_text(node.value));
  if (node.kind == NodeKind::Fact) text += "  // " + fact_text(graph.facts[node.index]);
  return text;
}

std::string print(const Graph& graph) {
  std::string text = "graph " + quoted(graph.name) + "\n";
  if (!graph.doc.empty()) text += "doc " + quoted(graph.doc) + "\n";
  print_tables(graph, text);
  for (std::uint32_t id = 0; id < graph.nodes.size(); ++id)
    text += print_node(graph, NodeId(id)) + '\n';
  for (const Store& store : graph.stores) {
    text += "store ";
    text += store.target == StoreTarget::Param
                ? "param"
                : "state " + name_text(graph.states[store.index].name);
    text += fmt::format(" %{}\n", store.value.index);
  }
  for (const Regrad& regrad : graph.regrads)
    text += fmt::format("regrad %{} %{} %{}\n", regrad.condition.index, regrad.param.index,
                        regrad.gradient.index);
  if (graph.skipped.valid()) text += fmt::format("skipped %{}\n", graph.skipped.index);
  if (graph.held.valid()) text += fmt::format("held %{}\n", graph.held.index);
  return text + "end\n";
}

}  // namespace talweg::ir
