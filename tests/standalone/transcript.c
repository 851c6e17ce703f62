/* The scenario on the rules of a generated library; prints what expected_transcript prints.
 *   transcript TASKS [pool] [FOLDER]
 * TASKS 0: memory from malloc, everything on this thread. Else each pass is split into so many
 * tasks, and all memory is ours. The tasks run on the library's pool, or each on a thread of its
 * own, started in another order each time. States are saved to FOLDER in the end.
 * Ends with 77 where this processor lacks the instruction set that TALWEG_CPU names. */
#include <pthread.h>

#include "guarded.h"
#include "samples.h"
#include "scenario.h"

typedef struct sample {
  const char* name;
  const char* rates; /* of its inputs, in the order of their struct: "model element" as "me" */
  const char* view;  /* or "" */
  const char* hyper; /* set to `value` for group 1 before step 4; or "" */
  double value;
  samples_status (*measure)(const samples_spec*, samples_sizes*, samples_error*);
  samples_status (*create)(const samples_spec*, samples_optimizer**, samples_error*);
  samples_status (*create_in)(const samples_spec*, void*, void*, samples_optimizer**,
                              samples_error*);
  samples_status (*step)(samples_optimizer*, samples_element* const*, const void*, samples_outcome*,
                         samples_error*);
} sample;

/* A step with inputs is given their struct; other steps take none. */
#define WITH_INPUTS(name, rates, view, hyper, value)                                           \
  static samples_status step_##name(samples_optimizer* optimizer,                              \
                                    samples_element* const* gradients, const void* inputs,     \
                                    samples_outcome* outcome, samples_error* error) {          \
    return samples_##name##_step(optimizer, gradients, (const samples_##name##_inputs*)inputs, \
                                 outcome, error);                                              \
  }
#define WITHOUT_INPUTS(name, view, hyper, value)                                           \
  static samples_status step_##name(samples_optimizer* optimizer,                          \
                                    samples_element* const* gradients, const void* inputs, \
                                    samples_outcome* outcome, samples_error* error) {      \
    (void)inputs;                                                                          \
    return samples_##name##_step(optimizer, gradients, outcome, error);                    \
  }
#include "samples.inc"
#undef WITH_INPUTS
#undef WITHOUT_INPUTS

#define WITH_INPUTS(name, rates, view, hyper, value) \
  {#name,                                            \
   rates,                                            \
   view,                                             \
   hyper,                                            \
   value,                                            \
   samples_##name##_measure,                         \
   samples_##name##_create,                          \
   samples_##name##_create_in,                       \
   step_##name},
#define WITHOUT_INPUTS(name, view, hyper, value) WITH_INPUTS(name, "", view, hyper, value)
static const sample samples[] = {
#include "samples.inc"
};

enum { ELEMENT = sizeof(samples_element), MOST_INPUTS = 8 };

static const char* current = "";

static void require(samples_status status, const samples_error* error) {
  if (status == SAMPLES_UNSUPPORTED_CPU) {
    fprintf(stderr, "skipped: %s\n", error->message);
    exit(77);
  }
  if (status == SAMPLES_OK) return;
  fprintf(stderr, "%s: %s: %s\n", current, samples_status_text(status), error->message);
  exit(1);
}

/* ---- Threads ---- */

typedef struct one_task {
  void (*task)(void*, uint32_t);
  void* argument;
  uint32_t index;
} one_task;

static void* run_task(void* given) {
  const one_task* task = given;
  task->task(task->argument, task->index);
  return NULL;
}

static void in_some_order(void* context, uint32_t task_count, void (*task)(void*, uint32_t),
                          void* argument) {
  unsigned* calls = context;
  pthread_t threads[16];
  one_task tasks[16];
  const uint32_t first = ++*calls % task_count;
  for (uint32_t i = 0; i < task_count; ++i) {
    tasks[i].task = task;
    tasks[i].argument = argument;
    tasks[i].index =
        *calls % 2 ? (first + i) % task_count : task_count - 1 - (first + i) % task_count;
    if (pthread_create(&threads[i], NULL, run_task, &tasks[i]) != 0) abort();
  }
  for (uint32_t i = 0; i < task_count; ++i) pthread_join(threads[i], NULL);
}

/* ---- What a run has ---- */

typedef struct run {
  const sample* of;
  samples_optimizer* optimizer;
  guarded params[SCENARIO_TENSORS], gradients[SCENARIO_TENSORS];
  guarded inputs[MOST_INPUTS][SCENARIO_TENSORS];
  guarded control, states;
  int is_ours; /* control and states are the run's own memory */
  unsigned calls;
  samples_pool* pool; /* or null */
} run;

static void print_array(const char* before, const char* name, const char* of, const void* data,
                        uint32_t bytes, uint64_t count) {
  printf("%s%s%s%s %016llx\n", before, name, of ? "/" : "", of ? of : "",
         (unsigned long long)scenario_hash(data, bytes, count));
}

static void print_arrays(const guarded* arrays) {
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t)
    print_array("", scenario_tensors[t].name, NULL, arrays[t].data, ELEMENT, scenario_elements(t));
}

static void create(run* r, uint32_t tasks) {
  samples_tensor tensors[SCENARIO_TENSORS];
  samples_spec spec;
  samples_error error;
  memset(tensors, 0, sizeof tensors);
  memset(&spec, 0, sizeof spec);
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
    const scenario_tensor* of = &scenario_tensors[t];
    tensors[t].name = of->name;
    tensors[t].shape = of->shape;
    tensors[t].rank = of->rank;
    tensors[t].group = of->group;
    tensors[t].split = of->split;
    tensors[t].tags = &of->tag;
    tensors[t].tag_count = of->tag ? 1 : 0;
    tensors[t].param = (samples_element*)r->params[t].data;
  }
  spec.interface_version = SAMPLES_INTERFACE;
  spec.tensor_count = SCENARIO_TENSORS;
  spec.tensors = tensors;
  spec.group_count = SCENARIO_GROUPS;
  if (tasks == 0) {
    require(r->of->create(&spec, &r->optimizer, &error), &error);
    return;
  }
  spec.thread_count = tasks;
  spec.parallel_for = in_some_order;
  spec.parallel_context = &r->calls;
  if (r->pool) {
    spec.parallel_for = samples_pool_run;
    spec.parallel_context = r->pool;
  }
  samples_sizes sizes;
  require(r->of->measure(&spec, &sizes, &error), &error);
  r->control = guarded_make((size_t)sizes.control_bytes, (size_t)sizes.control_alignment);
  r->states = guarded_make((size_t)sizes.state_bytes, (size_t)sizes.state_alignment);
  memset(r->control.data, 0x5a, r->control.bytes);
  memset(r->states.data, 0x5a, r->states.bytes);
  r->is_ours = 1;
  require(r->of->create_in(&spec, r->control.data, r->states.data, &r->optimizer, &error), &error);
}

/* ---- A step ---- */

/* Fills the inputs of a step; `table` is their struct: pointers to a number, to numbers, or to
 * pointers. */
static void make_inputs(run* r, unsigned step, const void** table,
                        const void* (*pointers)[SCENARIO_TENSORS],
                        double (*numbers)[SCENARIO_TENSORS]) {
  for (unsigned i = 0; r->of->rates[i]; ++i) {
    const char rate = r->of->rates[i];
    const uint32_t bytes = rate == 'x' ? 8 : ELEMENT;
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
      const uint64_t seed = scenario_seed(16 + i, step, t);
      numbers[i][t] = scenario_number(seed);
      r->inputs[i][t] = guarded_make((size_t)scenario_input_values(t) * bytes, bytes);
      scenario_fill(r->inputs[i][t].data, bytes, seed, scenario_input_values(t));
      pointers[i][t] = r->inputs[i][t].data;
    }
    table[i] = strchr("mgt", rate) ? (const void*)numbers[i] : (const void*)pointers[i];
  }
}

static void free_inputs(run* r) {
  for (unsigned i = 0; r->of->rates[i]; ++i)
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) guarded_free(&r->inputs[i][t], "input");
}

static void print_states(samples_optimizer* optimizer) {
  samples_state state;
  memset(&state, 0, sizeof state);
  while (samples_next_state(optimizer, &state))
    print_array(state.kind == 2 ? "@begun/" : "", state.name, state.tensor, state.data,
                state.element_bytes, state.elements);
}

static const char* outcome_name(samples_outcome outcome) {
  static const char* const names[] = {"completed", "held", "skipped", "regrad"};
  return names[outcome];
}

static samples_outcome call_step(run* r, unsigned step, unsigned again, const void* const* inputs) {
  samples_element* gradients[SCENARIO_TENSORS];
  samples_outcome outcome = SAMPLES_COMPLETED;
  samples_error error;
  uint64_t before[SCENARIO_TENSORS];
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
    guarded* gradient = &r->gradients[t];
    *gradient = guarded_make((size_t)scenario_elements(t) * ELEMENT, ELEMENT);
    scenario_fill(gradient->data, ELEMENT, scenario_seed(again ? 2 : 1, step, t),
                  scenario_elements(t));
    before[t] = scenario_hash(gradient->data, ELEMENT, scenario_elements(t));
    gradients[t] = scenario_has_gradient(t, step) ? (samples_element*)gradient->data : NULL;
  }
  require(r->of->step(r->optimizer, gradients, inputs, &outcome, &error), &error);
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
    guarded_check(&r->params[t], "parameter");
    if (before[t] != scenario_hash(r->gradients[t].data, ELEMENT, scenario_elements(t))) abort();
    guarded_free(&r->gradients[t], "gradient");
  }
  printf("step %u %s\n", step, outcome_name(outcome));
  print_arrays(r->params);
  return outcome;
}

static void take_step(run* r, unsigned step) {
  const void* table[MOST_INPUTS];
  const void* pointers[MOST_INPUTS][SCENARIO_TENSORS];
  double numbers[MOST_INPUTS][SCENARIO_TENSORS];
  samples_error error;
  if (step == 4 && *r->of->hyper)
    require(samples_set_hyper(r->optimizer, r->of->hyper, 1, r->of->value, &error), &error);
  make_inputs(r, step, table, pointers, numbers);
  /* A step that waits goes on with the inputs that it began with. */
  for (unsigned again = 0; call_step(r, step, again, again ? NULL : table) == SAMPLES_REGRAD;
       ++again)
    if (!samples_is_waiting(r->optimizer)) abort();
  free_inputs(r);
  print_states(r->optimizer);
}

/* A view that is read is the same as one that is swapped in; swapping back changes nothing. */
static void show_view(run* r) {
  samples_element* to[SCENARIO_TENSORS];
  guarded views[SCENARIO_TENSORS];
  uint64_t params[SCENARIO_TENSORS];
  samples_error error;
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
    views[t] = guarded_make(r->params[t].bytes, ELEMENT);
    to[t] = (samples_element*)views[t].data;
    params[t] = scenario_hash(r->params[t].data, ELEMENT, scenario_elements(t));
  }
  require(samples_read_view(r->optimizer, r->of->view, to, &error), &error);
  printf("view %s\n", r->of->view);
  print_arrays(views);
  guarded memory = guarded_make((size_t)samples_swap_bytes(r->optimizer), 16);
  require(samples_swap_in(r->optimizer, r->of->view, memory.data, &error), &error);
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t)
    if (memcmp(views[t].data, r->params[t].data, views[t].bytes) != 0) abort();
  require(samples_swap_out(r->optimizer, &error), &error);
  guarded_free(&memory, "memory of swapped parameters");
  for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
    if (params[t] != scenario_hash(r->params[t].data, ELEMENT, scenario_elements(t))) abort();
    guarded_free(&views[t], "view");
  }
}

static void save(run* r, const char* folder) {
  char path[4096];
  samples_error error;
  const uint64_t bytes = samples_saved_bytes(r->optimizer);
  guarded buffer = guarded_make((size_t)bytes, 1);
  require(samples_save(r->optimizer, buffer.data, bytes, &error), &error);
  snprintf(path, sizeof path, "%s/%s.safetensors", folder, r->of->name);
  FILE* file = fopen(path, "wb");
  if (!file || fwrite(buffer.data, 1, buffer.bytes, file) != buffer.bytes || fclose(file)) abort();
  guarded_free(&buffer, "saved states");
}

int main(int argc, char** argv) {
  const uint32_t tasks = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
  const int is_pool = argc > 2 && strcmp(argv[2], "pool") == 0;
  const char* folder = argc > 2 + is_pool ? argv[2 + is_pool] : NULL;
  samples_pool* pool = is_pool ? samples_pool_create(tasks) : NULL;
  if (is_pool && samples_pool_threads(pool) != tasks) abort();
  for (size_t i = 0; i < sizeof samples / sizeof *samples; ++i) {
    run r;
    memset(&r, 0, sizeof r);
    r.of = &samples[i];
    r.pool = pool;
    current = r.of->name;
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
      r.params[t] = guarded_make((size_t)scenario_elements(t) * ELEMENT, ELEMENT);
      scenario_fill(r.params[t].data, ELEMENT, scenario_seed(0, 0, t), scenario_elements(t));
    }
    create(&r, tasks);
    const char* forced = getenv("TALWEG_CPU");
    if (forced && *forced && strcmp(forced, samples_cpu(r.optimizer)) != 0) abort();
    if (i == 0) fprintf(stderr, "runs on %s\n", samples_cpu(r.optimizer));
    printf("%s\n", r.of->name);
    for (unsigned step = 1; step <= SCENARIO_STEPS; ++step) take_step(&r, step);
    if (*r.of->view) show_view(&r);
    if (folder) save(&r, folder);
    samples_destroy(r.optimizer);
    if (r.is_ours) guarded_free(&r.control, "control memory");
    if (r.is_ours) guarded_free(&r.states, "state memory");
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) guarded_free(&r.params[t], "parameter");
  }
  samples_pool_destroy(pool);
  return 0;
}
