// See rule.h.
#include "compiler/embed/rule.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "compiler/driver/device_code.h"
#include "compiler/embed/interface.h"
#include "compiler/embed/optimizers.h"
#include "compiler/passes/pass.h"
#include "compiler/plan/plan_text.h"
#include "compiler/standalone/manifest.h"
#include "compiler/targets/nvptx.h"
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

std::mutex& compiler_mutex() {
  static std::mutex mutex;
  return mutex;
}

Rule::Rule(const ir::Graph& graph, driver::CompileOptions options,
           std::shared_ptr<driver::Program> program)
    : talweg_lib_table{},
      graph_(graph),
      options_(std::move(options)),
      program_(std::move(program)),
      plan_(plan::make_plan(passes::run_passes(graph), options_.compute)),
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
  element_bytes = options_.compute == types::ComputeType::F64 ? 8 : 4;
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

const talweg_lib_gpu_code* Rule::gpu_code(const targets::Target& target, talweg_lib_status* status,
                                          talweg_lib_error* error) const {
  const auto refuse = [&](talweg_lib_status why, const std::string& text) {
    *status = fail(error, why, text);
    return nullptr;
  };
  if (options_.backend == driver::Backend::Interpreter)
    return refuse(TALWEG_LIB_NOT_SERVED, "the interpreter runs no rules on a GPU");
  const std::lock_guard lock(compiler_mutex());
  const std::uint32_t key = targets::gpu_architecture(target);
  if (const auto known = gpu_codes_.find(key); known != gpu_codes_.end())
    return &known->second.code;
  auto ptx = driver::compile_device_code(graph_, options_, std::string(target.name()));
  if (!ptx) return refuse(TALWEG_EMBED_SYSTEM, ptx.failure().message);
  GpuCode& made = gpu_codes_[key];
  made.isa = target.name();
  made.ptx = std::move(*ptx);
  made.code = {made.isa.c_str(), made.ptx.c_str(), key, 0};
  return &made.code;
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
