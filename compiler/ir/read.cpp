// The reader of the text form. One pass over the bytes, no recursion; the first error ends it.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>

#include "compiler/ir/text.h"
#include "compiler/ir/token.h"
#include "compiler/ir/verify.h"

namespace talweg::ir {

namespace {

using Kind = Token::Kind;

/// The nodes that are written by a word of their own; operations are found by their names.
constexpr std::pair<std::string_view, NodeKind> kNodeWords[] = {
    {"constant", NodeKind::Constant},
    {"param", NodeKind::Param},
    {"grad", NodeKind::Grad},
    {"state", NodeKind::State},
    {"input", NodeKind::Input},
    {"given", NodeKind::Given},
    {"hyper", NodeKind::Hyper},
    {"step_number", NodeKind::StepNumber},
    {"call_number", NodeKind::CallNumber},
    {"fact", NodeKind::Fact},
    {"to_array", NodeKind::ToArray},
    {"div_scalar", NodeKind::DivScalar},
    {"is_normal", NodeKind::IsNormal},
    {"flush", NodeKind::Flush},
    {"spread", NodeKind::Spread},
    {"reduce", NodeKind::Reduce},
};
constexpr std::pair<std::string_view, types::FactKind> kFactWords[] = {
    {"rank", types::FactKind::Rank},        {"size", types::FactKind::Size},
    {"named", types::FactKind::Named},      {"tagged", types::FactKind::Tagged},
    {"rows", types::FactKind::Rows},        {"cols", types::FactKind::Cols},
    {"matrices", types::FactKind::Matrices}};
constexpr std::pair<std::string_view, ValueType> kTypeWords[] = {
    {"scalar", ValueType::Scalar}, {"array", ValueType::Array}, {"bool", ValueType::Bool}};
constexpr std::pair<std::string_view, HyperInfo::Kind> kHyperWords[] = {
    {"number", HyperInfo::Kind::Number},
    {"int", HyperInfo::Kind::Int},
    {"bool", HyperInfo::Kind::Bool}};

template <class Rows>
auto find_row(const Rows& rows, std::string_view word) {
  using Value = decltype(rows[0].second);
  for (const auto& [name, value] : rows)
    if (name == word) return std::optional<Value>(value);
  return std::optional<Value>();
}

class Reader {
 public:
  explicit Reader(std::string_view text) : lexer_(text) { advance(); }

  std::variant<Graph, ReadError> run() && {
    if (!read_graph_text()) return lexer_.error_at(error_offset_, std::move(message_));
    const std::vector<Fault> faults = find_faults(graph_);
    if (faults.empty()) return std::move(graph_);
    const Fault& fault = faults.front();
    const std::size_t offset = fault.node.valid() ? node_offsets_[fault.node.index] : 0;
    return lexer_.error_at(offset, fault.message);
  }

 private:
  using Names = std::unordered_map<std::string, std::uint32_t>;

  // ---- Tokens. A function that returns bool has failed, and said why, if it returns false. ----

  void advance() { token_ = lexer_.next(); }

  bool fail(std::string message) {
    error_offset_ = token_.offset;
    message_ = token_.kind == Kind::Wrong ? token_.text : std::move(message);
    return false;
  }

  [[nodiscard]] bool at_word(std::string_view word) const { return here() == word; }

  /// The word that stands here; empty if it is no word.
  [[nodiscard]] std::string_view here() const {
    return token_.kind == Kind::Word ? std::string_view(token_.text) : std::string_view();
  }

  bool take_word(std::string_view word) {
    if (!at_word(word)) return fail(fmt::format("expected `{}`", word));
    advance();
    return true;
  }

  bool take_mark(char mark) {
    if (token_.kind != Kind::Mark || token_.text[0] != mark)
      return fail(fmt::format("expected `{}`", mark));
    advance();
    return true;
  }

  bool take_string(std::string& out) {
    if (token_.kind != Kind::String) return fail("expected a text in quotes");
    out = std::move(token_.text);
    advance();
    return true;
  }

  bool take_name(std::string& out) {
    if (token_.kind != Kind::String && token_.kind != Kind::Word) return fail("expected a name");
    out = std::move(token_.text);
    advance();
    return true;
  }

  /// A number is a word: "0x1.8p+1", "-3", "1e-3", "inf".
  bool take_number(double& out) {
    if (token_.kind != Kind::Word) return fail("expected a number");
    std::string_view digits = token_.text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const bool hex = digits.starts_with("0x");
    if (hex) digits.remove_prefix(2);
    const char* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, out,
                                        hex ? std::chars_format::hex : std::chars_format::general);
    if (result.ec != std::errc() || result.ptr != end || digits.starts_with('-'))
      return fail("expected a number that a float64 can hold");
    if (negative) out = -out;
    advance();
    return true;
  }

  bool take_node_id(NodeId& out) {
    if (token_.kind != Kind::NodeName) return fail("expected a node like `%3`");
    const char* end = token_.text.data() + token_.text.size();
    const auto result = std::from_chars(token_.text.data(), end, out.index);
    if (result.ec != std::errc() || result.ptr != end || !out.valid())
      return fail("this node number is too large");
    advance();
    return true;
  }

  bool take_rate(Rate& out) {
    const auto rate = types::rate_from_text(here());
    if (!rate)
      return fail("expected a rate: const, model, group, tensor, matrix, row, col or element");
    out = *rate;
    advance();
    return true;
  }

  bool take_optional_doc(std::string& out) {
    if (!at_word("doc")) return true;
    advance();
    return take_string(out);
  }

  bool take_optional_node(std::string_view word, NodeId& out) {
    if (!at_word(word)) return true;
    advance();
    return take_node_id(out);
  }

  /// The index of a table's entry, by its name.
  bool take_reference(const Names& names, std::string_view what, std::uint32_t& out) {
    const Token name = token_;
    if (name.kind != Kind::String && name.kind != Kind::Word) return fail("expected a name");
    const auto found = names.find(name.text);
    if (found == names.end()) return fail(fmt::format("there is no {} of this name", what));
    out = found->second;
    advance();
    return true;
  }

  // ---- The parts of a graph ----

  bool read_graph_text() {
    if (!take_word("graph") || !take_string(graph_.name) || !take_optional_doc(graph_.doc))
      return false;
    while (at_word("hyper"))
      if (!read_hyper()) return false;
    while (at_word("state"))
      if (!read_state()) return false;
    while (at_word("input"))
      if (!read_input()) return false;
    if (at_word("split") && !read_split()) return false;
    while (at_word("fact"))
      if (!read_fact()) return false;
    while (at_word("view"))
      if (!read_view()) return false;
    while (at_word("require"))
      if (!read_requirement()) return false;
    while (token_.kind == Kind::NodeName)
      if (!read_node()) return false;
    while (at_word("store"))
      if (!read_store()) return false;
    while (at_word("regrad"))
      if (!read_regrad()) return false;
    if (!take_optional_node("skipped", graph_.skipped) || !take_optional_node("held", graph_.held))
      return false;
    if (!at_word("end"))
      return fail(
          "expected a hyper, state, input, fact, view, `require`, node, store, `regrad`, "
          "`skipped`, "
          "`held` or `end`, in this order");
    advance();
    return token_.kind == Kind::End || fail("expected nothing after `end`");
  }

  /// The name of a new entry of a table.
  template <class Table>
  bool take_new_name(Table& table, Names& names) {
    advance();
    const Token place = token_;
    auto& entry = table.emplace_back();
    if (!take_name(entry.name)) return false;
    const bool is_new =
        names.emplace(entry.name, static_cast<std::uint32_t>(table.size() - 1)).second;
    if (is_new) return take_mark(':');
    token_ = place;
    return fail("this name is taken already");
  }

  bool read_hyper() {
    if (!take_new_name(graph_.hypers, hyper_names_)) return false;
    HyperInfo& hyper = graph_.hypers.back();
    const auto kind = find_row(kHyperWords, here());
    if (!kind) return fail("expected number, int or bool");
    hyper.kind = *kind;
    advance();
    if (!take_rate(hyper.rate) || !take_mark('=') || !take_number(hyper.default_value) ||
        !take_word("in") || !read_range(hyper.range))
      return false;
    if (!take_optional_node("bound", hyper.bound)) return false;
    hyper.follows = token_.kind == Kind::Word && token_.text == "until";
    if (hyper.follows) {
      advance();
      if (!take_word("set")) return false;
    }
    return take_optional_node("unless", hyper.unless) && take_optional_doc(hyper.doc);
  }

  bool read_range(types::Interval& range) {
    range.low_closed = token_.kind == Kind::Mark && token_.text == "[";
    if (!take_mark(range.low_closed ? '[' : '(') || !take_number(range.low) || !take_mark(',') ||
        !take_number(range.high))
      return false;
    range.high_closed = token_.kind == Kind::Mark && token_.text == "]";
    return take_mark(range.high_closed ? ']' : ')');
  }

  bool read_state() {
    if (!take_new_name(graph_.states, state_names_)) return false;
    StateInfo& state = graph_.states.back();
    if (!take_rate(state.rate)) return false;
    if (token_.kind == Kind::Mark && token_.text == "=") {
      advance();
      if (!take_node_id(state.initial)) return false;
    }
    return take_optional_node("kept", state.kept) && take_optional_node("present", state.present) &&
           take_optional_doc(state.doc);
  }

  bool read_fact() {
    advance();
    const auto kind = find_row(kFactWords, here());
    if (!kind) return fail("expected rank, size, named or tagged");
    advance();
    types::Fact& fact = graph_.facts.emplace_back();
    fact.kind = *kind;
    return !types::is_truth(*kind) || take_string(fact.text);
  }

  /// A whole number below `count`.
  bool take_index(std::size_t count, std::string_view what, std::uint32_t& out) {
    const Token place = token_;
    double index = 0;
    if (!take_number(index)) return false;
    if (index >= 0 && index < static_cast<double>(count) && index == std::trunc(index)) {
      out = static_cast<std::uint32_t>(index);
      return true;
    }
    token_ = place;
    return fail(fmt::format("expected one of the {} {}, counted from 0", count, what));
  }

  bool read_input() {
    if (!take_new_name(graph_.inputs, input_names_)) return false;
    InputInfo& input = graph_.inputs.back();
    return take_rate(input.rate) && take_optional_node("present", input.present) &&
           take_optional_doc(input.doc);
  }

  bool read_view() {
    if (!take_new_name(graph_.views, view_names_)) return false;
    ViewInfo& view = graph_.views.back();
    return take_node_id(view.value) && take_optional_doc(view.doc);
  }

  bool read_split() {
    advance();
    const Token place = token_;
    std::string text;
    if (!take_string(text)) return false;
    graph_.split = types::split_from_text(text);
    if (graph_.split) return true;
    token_ = place;
    return fail("expected \"0 | rest\", \"last two\" or \"two largest\"");
  }

  bool read_requirement() {
    advance();
    Requirement& requirement = graph_.requirements.emplace_back();
    return take_node_id(requirement.condition) && take_string(requirement.text);
  }

  bool read_node() {
    const std::size_t offset = token_.offset;
    if (token_.text != std::to_string(graph_.nodes.size()))
      return fail(fmt::format("expected %{}: nodes count up from %0", graph_.nodes.size()));
    advance();
    Node node;
    if (!take_mark('=') || !read_head(node)) return false;
    for (int i = 0; i < node.operand_count(); ++i)
      if (!take_node_id(node.operands[static_cast<std::size_t>(i)])) return false;
    if (!take_mark(':')) return false;
    const auto type = find_row(kTypeWords, here());
    if (!type) return fail("expected scalar, array or bool");
    node.type = *type;
    advance();
    if (!take_rate(node.rate)) return false;
    node_offsets_.push_back(offset);
    graph_.add(node);
    return true;
  }

  bool read_head(Node& node) {
    if (const auto kind = find_row(kNodeWords, here())) {
      node.kind = *kind;
    } else if (const auto op = builtins::op_from_name(here())) {
      node.kind = NodeKind::Apply;
      node.op = *op;
    } else {
      return fail("expected what the node is: an operation, or a word like `param`");
    }
    advance();
    if (node.kind == NodeKind::Constant) return read_constant(node);
    if (node.kind == NodeKind::State) return take_reference(state_names_, "state", node.index);
    if (node.kind == NodeKind::Input || node.kind == NodeKind::Given)
      return take_reference(input_names_, "input", node.index);
    if (node.kind == NodeKind::Hyper) return take_reference(hyper_names_, "hyper", node.index);
    if (node.kind == NodeKind::Fact) return take_index(graph_.facts.size(), "facts", node.index);
    // Which regrads there are, stands below.
    if (node.kind == NodeKind::Grad && token_.kind == Kind::Word)
      return take_index(kMaxGradients, "gradients", node.index);
    if (node.kind == NodeKind::Reduce) return read_reduction(node);
    return true;
  }

  bool read_reduction(Node& node) {
    const auto fold = builtins::fold_from_name(here());
    if (!fold) return fail("expected sum, dot, min, max or count");
    node.fold = *fold;
    advance();
    return take_rate(node.over);
  }

  bool read_constant(Node& node) {
    if (!at_word("true") && !at_word("false")) return take_number(node.value);
    node.value = at_word("true") ? 1 : 0;
    advance();
    return true;
  }

  bool read_regrad() {
    advance();
    Regrad& regrad = graph_.regrads.emplace_back();
    return take_node_id(regrad.condition) && take_node_id(regrad.param) &&
           take_node_id(regrad.gradient);
  }

  bool read_store() {
    advance();
    Store store;
    if (at_word("param")) {
      advance();
    } else {
      store.target = StoreTarget::State;
      if (!take_word("state") || !take_reference(state_names_, "state", store.index)) return false;
    }
    if (!take_node_id(store.value)) return false;
    graph_.stores.push_back(store);
    return true;
  }

  Lexer lexer_;
  Token token_;
  Graph graph_;
  Names hyper_names_, state_names_, input_names_, view_names_;
  std::vector<std::size_t> node_offsets_;
  std::size_t error_offset_ = 0;
  std::string message_;
};

}  // namespace

std::variant<Graph, ReadError> read_graph(std::string_view text) { return Reader(text).run(); }

}  // namespace talweg::ir
