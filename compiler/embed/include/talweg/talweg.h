/* talweg in your program: compiles optimizers written in the talweg language and runs them.
 *
 *     const talweg_rule* rule;
 *     talweg_report* report;
 *     if (talweg_compile("ClipByGlobalNorm(1) | AdamW", NULL, &rule, &report, NULL))
 *       return fputs(talweg_report_text(report), stderr), 1;
 *     talweg_tensor tensor = {0};
 *     tensor.name = "weights";
 *     tensor.shape = shape;
 *     tensor.rank = 2;
 *     tensor.param = weights;
 *     talweg_spec spec = {0};
 *     spec.interface_version = TALWEG_INTERFACE;
 *     spec.tensors = &tensor;
 *     spec.tensor_count = 1;
 *     talweg_optimizer* optimizer;
 *     if (talweg_create(rule, &spec, &optimizer, &error)) return puts(error.message), 1;
 *     talweg_rule_destroy(rule);
 *     ... talweg_step(optimizer, gradients, NULL, NULL, &error) ...
 *     talweg_destroy(optimizer);
 *
 * An optimizer has the interface of the libraries that `talweg build` makes, and the same bits.
 * C99; talweg/talweg.hpp covers it for C++. Link libtalweg. */
#ifndef TALWEG_TALWEG_H
#define TALWEG_TALWEG_H

#include "talweg/interface.h"

#ifdef __cplusplus
extern "C" {
#endif

/* BEGIN */
/* ---- Compiling rules ---- */

/* Further ways for talweg_compile to end. */
#ifdef __cplusplus
#define TALWEG_BAD_RULE static_cast<talweg_status>(17)
#define TALWEG_SYSTEM static_cast<talweg_status>(18)
#else
#define TALWEG_BAD_RULE ((talweg_status)17) /* the rule has errors; see its report */
#define TALWEG_SYSTEM ((talweg_status)18)   /* a file or memory for code was not to be had */
#endif

typedef enum talweg_backend {
  TALWEG_MACHINE_CODE = 0,
  TALWEG_INTERPRETER = 1, /* the definition of a rule, step by step: the same bits, slowly */
} talweg_backend;

/* How a rule is compiled. Begin with {0}: what is 0 is as said. */
typedef struct talweg_options {
  uint32_t interface_version; /* TALWEG_INTERFACE */
  uint32_t element_bytes;     /* of parameters; 4: float, 8: double; 0 means 4 */
  const char* text;           /* rules of yours that the expression may name; null: none */
  const char* text_name;      /* what messages call the text; null: "text" */
  const char* file;           /* or a file of them; null: none */
  const char* const* folders; /* [folder_count] where modules are looked for */
  uint32_t folder_count;
  uint32_t backend;         /* of enum talweg_backend */
  const char* cpu;          /* "x86-64-v3"; null: what TALWEG_CPU says, or this processor */
  const char* cache_folder; /* for compiled code; null: as for the command talweg */
  uint32_t no_cache;        /* 1: compile afresh, and keep nothing on disk */
  uint32_t reserved;
} talweg_options;

/* What the compiler has to say of a rule: errors, warnings. */
typedef struct talweg_report talweg_report;

/* Compiles a rule or a pipeline of rules, such as "ClipByGlobalNorm(1) | AdamW". The expression may
 * be null where the text or file declares one rule only. `options` may be null; so may `report`,
 * which else is set to null where there is nothing to say, and to be destroyed where there is.
 *
 * Functions may be called from several threads at once: compilations then wait for each other, all
 * else does not. A rule may have any number of optimizers, on any threads. */
talweg_status talweg_compile(const char* expression, const talweg_options* options,
                             const talweg_rule** rule, talweg_report** report, talweg_error* error);

/* As text for people: each message with its place, the line, marks below it and a way out. */
const char* talweg_report_text(const talweg_report* report);
/* One JSON object a message a line: code, severity, message, file, line, column, helps, ... */
const char* talweg_report_json(const talweg_report* report);
void talweg_report_destroy(talweg_report* report);

/* Ends the caller's hold on a rule that was compiled. What its optimizers need lives as long as
 * they. Null does nothing. */
void talweg_rule_destroy(const talweg_rule* rule);

/* How a step of a compiled rule runs, for people: passes over memory, bytes, states; and as JSON.
 * Null for rules of other libraries. */
const char* talweg_rule_plan(const talweg_rule* rule);
const char* talweg_rule_plan_json(const talweg_rule* rule);

/* ---- Optimizers of compiled rules ---- */

/* Rules of other libraries, and their optimizers, are refused: their own functions are for them,
 * which rule->functions lists. */

/* Checks a spec and says how much memory its optimizer takes. Parameters may be null. */
talweg_status talweg_measure(const talweg_rule* rule, const talweg_spec* spec, talweg_sizes* sizes,
                             talweg_error* error);

/* Makes an optimizer in memory from malloc. Hypers have their defaults. */
talweg_status talweg_create(const talweg_rule* rule, const talweg_spec* spec,
                            talweg_optimizer** optimizer, talweg_error* error);

/* The same in memory of the caller, of the sizes and alignments measured; it is to be destroyed all
 * the same. */
talweg_status talweg_create_in(const talweg_rule* rule, const talweg_spec* spec,
                               void* control_memory, void* state_memory,
                               talweg_optimizer** optimizer, talweg_error* error);

/* Makes an optimizer on a GPU. cuda may be null: the current context, its default stream. The
 * rule's kernels are compiled when they are first asked for on a GPU of their kind. */
talweg_status talweg_cuda_create(const talweg_rule* rule, const talweg_spec* spec,
                                 const talweg_cuda* cuda, talweg_optimizer** optimizer,
                                 talweg_error* error);

/* One step of all tensors; allocates nothing. gradients [tensor] have the sizes of their parameters
 * and are only read; null: the tensor is left out. inputs [input] point to what the rule reads
 * beside gradients, in the order of talweg_rule_input: numbers of the model and of groups and
 * tensors as arrays of double, others as one array a tensor; null: not given. inputs and outcome
 * may be null. */
talweg_status talweg_step(talweg_optimizer* optimizer, talweg_element* const* gradients,
                          const void* const* inputs, talweg_outcome* outcome, talweg_error* error);
/* END */

#ifdef __cplusplus
}
#endif

#endif
