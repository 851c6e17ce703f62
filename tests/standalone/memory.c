/* What a library allocates: twice in a creation, nothing after; and what it does where there is no
 * memory. Linked with --wrap=malloc and --wrap=free. */
#include "samples.h"
#include "small_model.h"

static unsigned allocations, releases, fails_at;

void* __real_malloc(size_t bytes);
void __real_free(void* memory);
void* __wrap_malloc(size_t bytes);
void __wrap_free(void* memory);

void* __wrap_malloc(size_t bytes) {
  if (++allocations == fails_at) {
    releases += 1; /* there will be none */
    return NULL;
  }
  return __real_malloc(bytes);
}

void __wrap_free(void* memory) {
  if (memory) ++releases;
  __real_free(memory);
}

static void count_from_here(unsigned failing) {
  allocations = releases = 0;
  fails_at = failing;
}

static void use(model* m, void* buffer, uint64_t bytes, void* memory, samples_element** outs) {
  samples_optimizer* o = m->optimizer;
  samples_averaged_hypers hypers;
  samples_state state = {0};
  double value;
  samples_element p[9] = {0}, g[9] = {0}, first[9] = {0}, second[9] = {0};
  GOOD(samples_averaged_step(o, m->gradient_table, NULL, &error));
  GOOD(samples_set_hyper(o, "beta1", 0, 0.5, &error));
  GOOD(samples_get_hyper(o, "beta1", 0, &value, &error));
  GOOD(samples_averaged_get_hypers(o, 0, &hypers, &error));
  GOOD(samples_averaged_set_hypers(o, 0, &hypers, &error));
  while (samples_next_state(o, &state)) REQUIRE(state.name);
  GOOD(samples_find_state(o, "m", 1, &state, &error));
  GOOD(samples_save(o, buffer, bytes, &error));
  GOOD(samples_load(o, buffer, bytes, &error));
  GOOD(samples_read_view(o, "averaged", outs, &error));
  GOOD(samples_swap_in(o, "averaged", memory, &error));
  GOOD(samples_swap_out(o, &error));
  GOOD(samples_reset(o, &error));
  GOOD(samples_adamw_step_flat(p, g, first, second, 9, 1, NULL, &error));
  REQUIRE(samples_set_hyper(o, "nothing", 0, 1, &error) == SAMPLES_UNKNOWN_NAME);
}

int main(void) {
  model m;
  guarded outs[MODEL_TENSORS];
  samples_element* table[MODEL_TENSORS];
  model_init(&m);
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) {
    outs[t] = guarded_make(m.params[t].bytes, ELEMENT);
    table[t] = (samples_element*)outs[t].data;
  }
  for (unsigned failing = 1; failing <= 2; ++failing) {
    count_from_here(failing);
    REFUSED(&m, SAMPLES_NO_MEMORY, "not enough memory",
            samples_averaged_create(&m.spec, &m.optimizer, &error));
    REQUIRE(m.optimizer == NULL && allocations == releases);
    count_from_here(failing);
    REQUIRE(samples_averaged_create(&m.spec, &m.optimizer, NULL) == SAMPLES_NO_MEMORY);
    REQUIRE(allocations == releases);
  }
  count_from_here(1);
  REQUIRE(samples_pool_create(3) == NULL && allocations == releases);
  count_from_here(0);
  GOOD(samples_averaged_create(&m.spec, &m.optimizer, &error));
  REQUIRE(allocations == 2 && releases == 0);
  const uint64_t bytes = samples_saved_bytes(m.optimizer);
  guarded buffer = guarded_make((size_t)bytes, 8);
  guarded memory = guarded_make((size_t)samples_swap_bytes(m.optimizer), ELEMENT);
  count_from_here(0);
  for (int i = 0; i < 3; ++i) use(&m, buffer.data, bytes, memory.data, table);
  REQUIRE(allocations == 0 && releases == 0);
  samples_destroy(m.optimizer);
  REQUIRE(allocations == 0 && releases == 2);
  /* In memory of ours nothing is allocated at all. */
  samples_sizes sizes;
  GOOD(samples_averaged_measure(&m.spec, &sizes, &error));
  guarded control = guarded_make((size_t)sizes.control_bytes, (size_t)sizes.control_alignment);
  guarded states = guarded_make((size_t)sizes.state_bytes, (size_t)sizes.state_alignment);
  count_from_here(0);
  GOOD(samples_averaged_create_in(&m.spec, control.data, states.data, &m.optimizer, &error));
  use(&m, buffer.data, bytes, memory.data, table);
  samples_destroy(m.optimizer);
  m.optimizer = NULL;
  REQUIRE(allocations == 0 && releases == 0);
  guarded_free(&control, "control memory");
  guarded_free(&states, "state memory");
  guarded_free(&buffer, "saved states");
  guarded_free(&memory, "swapped parameters");
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) guarded_free(&outs[t], "view");
  model_free(&m);
  return 0;
}
