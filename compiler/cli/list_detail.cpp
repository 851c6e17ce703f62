#include "compiler/cli/list_detail.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "compiler/base/text_table.h"
#include "compiler/syntax/print.h"

namespace talweg::cli {

namespace {

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

void add_rows(TextPage& page, std::string_view heading, const base::TextTable& table) {
  if (table.empty()) return;
  page.heading(heading);
  page.raw(table.text(2, kListWidth));
}

std::string where_text(const std::string& condition) {
  return condition.empty() ? std::string() : "where " + condition;
}

void add_rule(TextPage& page, const RuleFacts& facts) {
  base::TextTable hypers, fixed, states, inputs, views;
  for (const HyperRow& row : facts.hypers)
    hypers.add({row.name, row.value, row.limits, row.kind}, row.doc);
  for (const HyperRow& row : facts.fixed)
    fixed.add({row.name, (row.is_bound ? "bound to " : "fixed to ") + row.value}, row.doc);
  for (const StateRow& row : facts.states)
    states.add({row.name, row.rate, "from " + row.initial, where_text(row.where),
                row.exists ? "" : "(not by default)"},
               row.doc);
  for (const InputRow& row : facts.inputs) inputs.add({row.name, row.rate}, row.doc);
  for (const ViewRow& row : facts.views)
    views.add({row.name, row.value, where_text(row.where)}, row.doc);
  add_rows(page, "Hypers", hypers);
  add_rows(page, "Hypers of its stages that cannot be set", fixed);
  add_rows(page, "States", states);
  add_rows(page, "Inputs", inputs);
  add_rows(page, "Views", views);
  page.heading("Memory");
  std::string memory = fmt::format("  {}{} bytes of state a parameter in float32, {} in float64",
                                   facts.depends_on_tensor ? "up to " : "", facts.bytes_float32,
                                   facts.bytes_float64);
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

std::string detail_text(const ListEntry& entry, const RuleFacts* facts, bool color) {
  TextPage page(color);
  const std::string title = entry.fn != nullptr ? signature(entry) : entry.name;
  page.raw(color ? fmt::format("\x1b[1m{}\x1b[0m\n", title) : title + "\n");
  page.raw(entry.file.empty() ? fmt::format("{}\n", sort_text(entry.sort))
                              : fmt::format("{}, {}:{}\n", sort_text(entry.sort),
                                            entry.file.string(), entry.line));
  if (!entry.doc.empty()) page.raw("\n" + base::wrapped_doc(entry.doc, 2, kListWidth));
  if (facts != nullptr) add_rule(page, *facts);
  return page.take();
}

nlohmann::json summary_json(const ListEntry& entry) {
  nlohmann::json result = {
      {"name", entry.name}, {"sort", sort_text(entry.sort)}, {"summary", entry.summary()}};
  if (entry.file.empty()) return result;
  result["file"] = entry.file.string();
  result["line"] = entry.line;
  return result;
}

nlohmann::json detail_json(const ListEntry& entry, const RuleFacts* facts) {
  nlohmann::json result = summary_json(entry);
  result["documentation"] = entry.doc;
  if (const std::string source = entry.labelled("Source"); !source.empty())
    result["source"] = source;
  if (facts == nullptr) {
    result["parameters"] = nlohmann::json::array();
    for (const syntax::Parameter& parameter : entry.fn->parameters) {
      nlohmann::json item = {{"name", parameter.name.text}};
      if (parameter.default_value)
        item["default"] = syntax::print(*entry.module, *parameter.default_value);
      result["parameters"].push_back(item);
    }
    return result;
  }
  for (const char* list : {"hypers", "fixed_hypers", "states", "inputs", "views"})
    result[list] = nlohmann::json::array();
  for (const HyperRow& row : facts->hypers)
    result["hypers"].push_back(with_doc(
        {{"name", row.name}, {"default", row.value}, {"limits", row.limits}, {"kind", row.kind}},
        row.doc));
  for (const HyperRow& row : facts->fixed)
    result["fixed_hypers"].push_back(with_doc(
        {{"name", row.name}, {"kind", row.kind}, {row.is_bound ? "bound_to" : "value", row.value}},
        row.doc));
  for (const StateRow& row : facts->states)
    result["states"].push_back(with_doc({{"name", row.name},
                                         {"rate", row.rate},
                                         {"initial", row.initial},
                                         {"where", row.where},
                                         {"by_default", row.exists}},
                                        row.doc));
  for (const InputRow& row : facts->inputs)
    result["inputs"].push_back(with_doc({{"name", row.name}, {"rate", row.rate}}, row.doc));
  for (const ViewRow& row : facts->views)
    result["views"].push_back(
        with_doc({{"name", row.name}, {"value", row.value}, {"where", row.where}}, row.doc));
  result["state_bytes_per_parameter_float32"] = facts->bytes_float32;
  result["state_bytes_per_parameter_float64"] = facts->bytes_float64;
  result["state_depends_on_tensor"] = facts->depends_on_tensor;
  return result;
}

}  // namespace talweg::cli
