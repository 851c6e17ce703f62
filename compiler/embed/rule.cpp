// See rule.h.
#include "compiler/embed/rule.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "compiler/embed/interface.h"
#include "compiler/embed/optimizers.h"
#include "compiler/passes/pass.h"
#include "compiler/plan/plan_text.h"
#include "compiler/standalone/manifest.h"
#include "runtime/optimizer/message.h"

namespace talweg::embed {

namespace {

/// The rules that live, by their code: optimizers of other libraries have some, too, of which
/// nothing but its address may be looked at.
struct Known {
  std::mutex mutex;
  std::unordered_map<const talweg_lib_rule*, const Rule*> rules;
};

/// Never destroyed: optimizers may end after main.
Known& known() {
  static Known& all = *new Known;
  return all;
}

/// What a generated library says of its rules, without what only such have: names in C.
std::string describe(const ir::Graph& graph, const plan::Plan& plan) {
  const standalone::Library library{"talweg", TALWEG_VERSION, {{"", "", &graph, &plan}}};
  auto json = nlohmann::ordered_json::parse(standalone::manifest_text(library));
  json.erase("name");
  for (auto& rule : json["rules"]) {
    for (const char* name : {"prefix", "class", "flat_step"}) rule.erase(name);
    for (const char* list : {"hypers", "inputs"})
      for (auto& entry : rule[list]) entry.erase("field");
  }
  return json.dump(2) + "\n";
}

}  // namespace

Rule::Rule(const ir::Graph& graph, types::ComputeType compute,
           std::shared_ptr<driver::Program> program)
    : talweg_lib_table{},
      program_(std::move(program)),
      plan_(plan::make_plan(passes::run_passes(graph), compute)),
      description_(describe(graph, plan_)),
      fields_(standalone::settable_hypers(program_->image())) {
  const talweg_image& image = program_->image();
  variant_.cpu = image.isa;
  variant_.image = &image;
  code_.variants = &variant_;
  code_.variant_count = 1;
  code_.fields = fields_.data();
  code_.field_count = static_cast<std::uint32_t>(fields_.size());
  interface_version = TALWEG_LIB_INTERFACE;
  element_bytes = compute == types::ComputeType::F64 ? 8 : 4;
  name = image.name;
  description = description_.c_str();
  functions = &talweg_embed_functions;
  code = &code_;
  Known& all = known();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.rules.emplace(&code_, this);
}

Rule::~Rule() {
  Known& all = known();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.rules.erase(&code_);
}

const Rule* Rule::find(const talweg_lib_table* table) {
  if (table == nullptr || table->functions != &talweg_embed_functions) return nullptr;
  return static_cast<const Rule*>(table);
}

const Rule* Rule::of_code(const talweg_lib_rule* code) {
  Known& all = known();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.rules.find(code);
  return found == all.rules.end() ? nullptr : found->second;
}

void Rule::release(const Rule* rule) {
  if (rule->holders_.fetch_sub(1) == 1) delete rule;
}

void Rule::describe_plan() const {
  std::call_once(is_described_, [this] {
    const plan::Description words = plan::describe(plan_);
    plan_text_ = plan::plan_text(words, nullptr, false);
    plan_json_ = plan::plan_json(words, nullptr).dump() + "\n";
  });
}

const std::string& Rule::plan_text() const {
  describe_plan();
  return plan_text_;
}

const std::string& Rule::plan_json() const {
  describe_plan();
  return plan_json_;
}

talweg_lib_status fail(talweg_lib_error* error, talweg_lib_status status, const std::string& text) {
  talweg_fail(reinterpret_cast<talweg_error*>(error), static_cast<talweg_status>(status),
              text.c_str());
  return status;
}

}  // namespace talweg::embed
