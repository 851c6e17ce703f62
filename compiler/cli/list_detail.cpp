#include "compiler/cli/list_detail.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "compiler/cli/text_table.h"
#include "compiler/syntax/print.h"

namespace talweg::cli {

namespace {

constexpr int kFloat32Bytes = 4;

struct HyperRow {
  std::string name;
  std::string value;
  std::string limits;  // a range or the choices
  std::string kind;    // "const int"
  std::string doc;
};
struct StateRow {
  std::string name;
  std::string rate;
  std::string initial;
  bool exists = true;  // with the const hypers as they are by default
  std::string doc;
};

/// Everything there is to say about a rule, gathered once for both forms of output.
struct RuleFacts {
  std::vector<HyperRow> hypers;
  std::vector<StateRow> states;
  std::vector<StateRow> inputs;        // name and rate
  std::vector<StateRow> views;         // name and value
  int state_bytes = 0;                 // a parameter, in float32
  bool depends_on_tensor = false;      // state_bytes is the most there can be
  std::map<std::string, int> scalars;  // numbers kept, by rate
};

std::string joined_kind(std::initializer_list<std::pair<bool, std::string_view>> words) {
  std::string result;
  for (const auto& [is_so, word] : words)
    if (is_so) result.append(result.empty() ? "" : " ").append(word);
  return result;
}

std::string choices_text(const std::vector<std::string>& choices) {
  return choices.empty() ? std::string() : fmt::format("{{{}}}", fmt::join(choices, ", "));
}

/// As it was declared; a hyper of a pipeline's stage as the pipeline leaves it.
HyperRow hyper_row(const syntax::Module& module, const syntax::HyperDecl& decl) {
  HyperRow row{decl.name.text, syntax::print(module, decl.default_value), "",
               joined_kind({{decl.is_const, "const"},
                            {decl.is_model, "model"},
                            {decl.is_int, "int"},
                            {decl.is_bool, "bool"}}),
               decl.doc};
  std::vector<std::string> choices;
  for (const syntax::Name& choice : decl.choices) choices.push_back(choice.text);
  row.limits = choices_text(choices);
  if (decl.range)
    row.limits = fmt::format(
        "{}{}, {}{}", decl.range->low_closed ? '[' : '(', syntax::print(module, decl.range->low),
        syntax::print(module, decl.range->high), decl.range->high_closed ? ']' : ')');
  return row;
}

HyperRow hyper_row(const sema::TypedHyper& hyper) {
  HyperRow row{hyper.public_name, types::number_text(hyper.default_value), "",
               joined_kind({{hyper.rate == types::Rate::Const, "const"},
                            {hyper.rate == types::Rate::Model, "model"},
                            {hyper.kind == sema::HyperKind::Int, "int"},
                            {hyper.kind == sema::HyperKind::Bool, "bool"}}),
               hyper.doc};
  if (hyper.kind == sema::HyperKind::Bool) {
    row.value = hyper.default_value != 0 ? "true" : "false";
  } else if (!hyper.choices.empty()) {
    row.value = hyper.choices.at(static_cast<std::size_t>(hyper.default_value));
    row.limits = choices_text(hyper.choices);
  } else if (hyper.range != types::Interval{}) {
    row.limits = types::to_text(hyper.range);
  }
  return row;
}

RuleFacts facts_of(const ListEntry& entry, const sema::TypedRule& rule) {
  RuleFacts facts;
  const syntax::RuleDecl& decl = *entry.rule;
  const syntax::Module& module = *entry.module;
  const bool is_pipeline = !decl.pipelines.empty() || !decl.arms.empty();
  for (const syntax::HyperDecl& hyper : decl.hypers)
    facts.hypers.push_back(hyper_row(module, hyper));
  for (const sema::TypedHyper& hyper : rule.hypers)
    if (is_pipeline && !hyper.bound && !hyper.stage.empty())
      facts.hypers.push_back(hyper_row(hyper));
  for (const syntax::StateDecl& state : decl.states) {
    const bool exists =
        std::any_of(rule.states.begin(), rule.states.end(),
                    [&](const sema::TypedState& kept) { return kept.name == state.name.text; });
    facts.states.push_back({state.name.text, state.rate ? state.rate->text : "element",
                            state.initial ? syntax::print(module, *state.initial) : "0", exists,
                            state.doc});
  }
  for (const sema::TypedState& state : rule.states) {
    facts.depends_on_tensor = facts.depends_on_tensor || state.condition.has_value();
    if (state.rate == types::Rate::Element)
      facts.state_bytes += kFloat32Bytes;
    else
      ++facts.scalars[std::string(types::to_text(state.rate))];
    if (is_pipeline)
      facts.states.push_back(
          {state.public_name, std::string(types::to_text(state.rate)), "", true, state.doc});
  }
  for (const sema::TypedInput& input : rule.inputs)
    facts.inputs.push_back(
        {input.public_name, std::string(types::to_text(input.rate)), "", true, input.doc});
  for (const syntax::ViewDecl& view : decl.views)
    facts.views.push_back({view.name.text, syntax::print(module, view.value), "", true, view.doc});
  return facts;
}

std::string signature(const ListEntry& entry) {
  std::string parameters;
  for (const syntax::Parameter& parameter : entry.fn->parameters) {
    if (!parameters.empty()) parameters += ", ";
    parameters += parameter.name.text;
    if (parameter.default_value)
      parameters += " = " + syntax::print(*entry.module, *parameter.default_value);
  }
  return fmt::format("{}({})", entry.name, parameters);
}

class TextPage {
 public:
  explicit TextPage(bool color) : color_(color) {}

  void heading(std::string_view text) {
    out_ += color_ ? fmt::format("\n\x1b[1m{}\x1b[0m\n", text) : fmt::format("\n{}\n", text);
  }
  void raw(std::string_view text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  bool color_;
  std::string out_;
};

void add_rows(TextPage& page, std::string_view heading, const TextTable& table) {
  if (table.empty()) return;
  page.heading(heading);
  page.raw(table.text(2, kListWidth));
}

void add_rule(TextPage& page, const RuleFacts& facts) {
  TextTable hypers, states, inputs, views;
  for (const HyperRow& row : facts.hypers)
    hypers.add({row.name, row.value, row.limits, row.kind}, row.doc);
  for (const StateRow& row : facts.states)
    states.add({row.name, row.rate, row.initial.empty() ? "" : "from " + row.initial,
                row.exists ? "" : "(not by default)"},
               row.doc);
  for (const StateRow& row : facts.inputs) inputs.add({row.name, row.rate}, row.doc);
  for (const StateRow& row : facts.views) views.add({row.name, row.rate}, row.doc);
  add_rows(page, "Hypers", hypers);
  add_rows(page, "States", states);
  add_rows(page, "Inputs", inputs);
  add_rows(page, "Views", views);
  page.heading("Memory");
  std::string memory = fmt::format("  {}{} bytes of state a parameter in float32",
                                   facts.depends_on_tensor ? "up to " : "", facts.state_bytes);
  for (const auto& [rate, count] : facts.scalars)
    memory += fmt::format(", {} number{} a {}", count, count == 1 ? "" : "s", rate);
  page.raw(memory + ", by default\n");
}

nlohmann::json with_doc(nlohmann::json object, const std::string& doc) {
  if (!doc.empty()) object["documentation"] = doc;
  return object;
}

}  // namespace

std::string_view sort_text(EntrySort sort) {
  switch (sort) {
    case EntrySort::Rule:
      return "rule";
    case EntrySort::Stage:
      return "stage";
    case EntrySort::Schedule:
      return "schedule";
    case EntrySort::Function:
      return "function";
  }
  return {};
}

std::string detail_text(const ListEntry& entry, const sema::TypedRule* rule, bool color) {
  TextPage page(color);
  const std::string title = entry.fn != nullptr ? signature(entry) : entry.name;
  page.raw(color ? fmt::format("\x1b[1m{}\x1b[0m\n", title) : title + "\n");
  page.raw(fmt::format("{}, {}:{}\n", sort_text(entry.sort), entry.file.string(), entry.line));
  if (!entry.doc.empty()) page.raw("\n" + wrapped_doc(entry.doc, 2, kListWidth));
  if (rule != nullptr) add_rule(page, facts_of(entry, *rule));
  return page.take();
}

nlohmann::json summary_json(const ListEntry& entry) {
  return {{"name", entry.name},
          {"sort", sort_text(entry.sort)},
          {"summary", entry.summary()},
          {"file", entry.file.string()},
          {"line", entry.line}};
}

nlohmann::json detail_json(const ListEntry& entry, const sema::TypedRule* rule) {
  nlohmann::json result = summary_json(entry);
  result["documentation"] = entry.doc;
  if (const std::string source = entry.labelled("Source"); !source.empty())
    result["source"] = source;
  if (entry.fn != nullptr) {
    result["parameters"] = nlohmann::json::array();
    for (const syntax::Parameter& parameter : entry.fn->parameters) {
      nlohmann::json item = {{"name", parameter.name.text}};
      if (parameter.default_value)
        item["default"] = syntax::print(*entry.module, *parameter.default_value);
      result["parameters"].push_back(item);
    }
    return result;
  }
  const RuleFacts facts = facts_of(entry, *rule);
  for (const char* list : {"hypers", "states", "inputs", "views"})
    result[list] = nlohmann::json::array();
  for (const HyperRow& row : facts.hypers)
    result["hypers"].push_back(with_doc(
        {{"name", row.name}, {"default", row.value}, {"limits", row.limits}, {"kind", row.kind}},
        row.doc));
  for (const StateRow& row : facts.states)
    result["states"].push_back(with_doc({{"name", row.name},
                                         {"rate", row.rate},
                                         {"initial", row.initial},
                                         {"by_default", row.exists}},
                                        row.doc));
  for (const StateRow& row : facts.inputs)
    result["inputs"].push_back(with_doc({{"name", row.name}, {"rate", row.rate}}, row.doc));
  for (const StateRow& row : facts.views)
    result["views"].push_back(with_doc({{"name", row.name}, {"value", row.rate}}, row.doc));
  result["state_bytes_per_parameter_float32"] = facts.state_bytes;
  result["state_depends_on_tensor"] = facts.depends_on_tensor;
  return result;
}

}  // namespace talweg::cli
