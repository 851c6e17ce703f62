// See optimizers.h.
#include "compiler/embed/optimizers.h"

#include <new>

#include "compiler/embed/interface.h"
#include "compiler/embed/rule.h"
#include "compiler/targets/nvptx.h"

namespace {

using talweg::embed::Rule;

/// The rule, if it is one of ours; else the error says why not.
const Rule* ours(const talweg_lib_table* table, talweg_lib_error* error) {
  const Rule* rule = Rule::find(table);
  if (rule == nullptr)
    talweg::embed::fail(error, TALWEG_LIB_BAD_ARGUMENT,
                        table == nullptr ? "the rule is null"
                                         : "the rule is of another library, whose own functions "
                                           "are for it: rule->functions");
  return rule;
}

/// Null for rules of others, and where there is no memory.
const char* text_of(const talweg_lib_table* table, const std::string& (Rule::*text)() const) {
  const Rule* rule = Rule::find(table);
  if (rule == nullptr) return nullptr;
  try {
    return (rule->*text)().c_str();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(const talweg_lib_table* table) { talweg_embed_rule_destroy(table); }

}  // namespace

extern "C" {

talweg_lib_status talweg_embed_measure(const talweg_lib_table* rule, const talweg_lib_spec* spec,
                                       talweg_lib_sizes* sizes, talweg_lib_error* error) {
  return ours(rule, error) == nullptr ? TALWEG_LIB_BAD_ARGUMENT
                                      : talweg_lib_table_measure(rule, spec, sizes, error);
}

talweg_lib_status talweg_embed_create(const talweg_lib_table* table, const talweg_lib_spec* spec,
                                      talweg_lib_optimizer** optimizer, talweg_lib_error* error) {
  const Rule* rule = ours(table, error);
  if (rule == nullptr) return TALWEG_LIB_BAD_ARGUMENT;
  const talweg_lib_status status = talweg_lib_table_create(table, spec, optimizer, error);
  if (status == TALWEG_LIB_OK) rule->hold();
  return status;
}

talweg_lib_status talweg_embed_create_in(const talweg_lib_table* table, const talweg_lib_spec* spec,
                                         void* control_memory, void* state_memory,
                                         talweg_lib_optimizer** optimizer,
                                         talweg_lib_error* error) {
  const Rule* rule = ours(table, error);
  if (rule == nullptr) return TALWEG_LIB_BAD_ARGUMENT;
  const talweg_lib_status status =
      talweg_lib_table_create_in(table, spec, control_memory, state_memory, optimizer, error);
  if (status == TALWEG_LIB_OK) rule->hold();
  return status;
}

talweg_lib_status talweg_embed_cuda_create(const talweg_lib_table* table,
                                           const talweg_lib_spec* spec, const talweg_lib_cuda* cuda,
                                           talweg_lib_optimizer** optimizer,
                                           talweg_lib_error* error) {
  const Rule* rule = ours(table, error);
  if (rule == nullptr) return TALWEG_LIB_BAD_ARGUMENT;
  const talweg_lib_status status =
      talweg_lib_table_cuda_create(table, spec, cuda, optimizer, error);
  if (status == TALWEG_LIB_OK) rule->hold();
  return status;
}

talweg_lib_status talweg_embed_step(talweg_lib_optimizer* optimizer,
                                    talweg_lib_element* const* gradients, const void* const* inputs,
                                    talweg_lib_outcome* outcome, talweg_lib_error* error) {
  return talweg_lib_step_any(optimizer, gradients, inputs, outcome, error);
}

void talweg_embed_destroy(talweg_lib_optimizer* optimizer) {
  if (optimizer == nullptr) return;
  const Rule* rule = Rule::of_code(talweg_embed_code_of(optimizer));
  if (rule == nullptr) return;    // of another library, whose memory is not ours
  talweg_lib_destroy(optimizer);  // which may run code of the rule
  Rule::release(rule);
}

talweg_lib_status talweg_embed_choose_gpu(const talweg_lib_rule* code, uint32_t architecture,
                                          const talweg_lib_gpu_code** gpu, uint32_t* oldest,
                                          talweg_lib_error* error) {
  namespace targets = talweg::targets;
  talweg_lib_status status = TALWEG_LIB_OK;
  *gpu = nullptr;
  try {
    *oldest = targets::gpu_architecture(*targets::nvptx_targets().front());
    if (const targets::Target* target = targets::find_gpu_target(architecture))
      *gpu = Rule::of_code(code)->gpu_code(*target, &status, error);
    return status;
  } catch (const std::bad_alloc&) {
    return talweg::embed::fail(error, TALWEG_LIB_NO_MEMORY,
                               "there is not enough memory to compile the rule");
  } catch (const std::exception& failure) {
    return talweg::embed::fail(error, TALWEG_EMBED_SYSTEM, failure.what());
  }
}

void talweg_embed_rule_destroy(const talweg_lib_table* table) {
  if (const Rule* rule = Rule::find(table)) Rule::release(rule);
}

const char* talweg_embed_rule_plan(const talweg_lib_table* table) {
  return text_of(table, &Rule::plan_text);
}

const char* talweg_embed_rule_plan_json(const talweg_lib_table* table) {
  return text_of(table, &Rule::plan_json);
}

extern const talweg_lib_functions talweg_embed_functions = [] {
  talweg_lib_functions functions = talweg_lib_built_functions;
  functions.measure = talweg_embed_measure;
  functions.create = talweg_embed_create;
  functions.create_in = talweg_embed_create_in;
  functions.cuda_create = talweg_embed_cuda_create;
  functions.destroy = talweg_embed_destroy;
  functions.release = release;
  return functions;
}();

/* What names.c says of the library itself. */
extern const char talweg_lib_release[] = TALWEG_VERSION;
extern const char talweg_lib_description[] =
    "{\"talweg\": \"" TALWEG_VERSION "\", \"interface\": 1, \"rules\": []}\n";

}  // extern "C"
