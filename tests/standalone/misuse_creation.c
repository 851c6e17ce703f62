/* What can be wrong where an optimizer is created. */
#include "samples.h"
#include "small_model.h"

/* All three functions that take a spec refuse it, and say so. */
static void refused_spec(model* m, samples_status status, const char* words) {
  samples_sizes sizes;
  samples_optimizer* none = (samples_optimizer*)&sizes;
  memset(&sizes, 0x11, sizeof sizes);
  const samples_sizes before = sizes;
  _Alignas(64) static unsigned char memory[1 << 14];
  REFUSED(m, status, words, samples_averaged_measure(&m->spec, &sizes, &error));
  REQUIRE(memcmp(&before, &sizes, sizeof sizes) == 0);
  REFUSED(m, status, words, samples_averaged_create(&m->spec, &none, &error));
  REFUSED(m, status, words,
          samples_averaged_create_in(&m->spec, memory, memory + sizeof memory / 2, &none, &error));
  REQUIRE(none == (samples_optimizer*)&sizes);
  REQUIRE(samples_averaged_create(&m->spec, &none, NULL) == status);
}

static void null_arguments(model* m) {
  samples_sizes sizes;
  samples_optimizer* made = NULL;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the spec is null", samples_sgd_measure(NULL, &sizes, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the spec is null", samples_sgd_create(NULL, &made, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the spec is null",
          samples_sgd_create_in(NULL, m, m, &made, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the place for the sizes is null",
          samples_sgd_measure(&m->spec, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the place for the optimizer is null",
          samples_sgd_create(&m->spec, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the place for the optimizer is null",
          samples_sgd_create_in(&m->spec, m, m, NULL, &error));
  REQUIRE(made == NULL);
}

static void wrong_specs(model* m) {
  const samples_spec good = m->spec;
  m->spec.interface_version = SAMPLES_INTERFACE + 1;
  refused_spec(m, SAMPLES_NEWER_INTERFACE, "interface version 2; this library has version 1");
  m->spec.interface_version = 0;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "interface_version");
  m->spec = good;
  m->spec.tensors = NULL;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "the tensors are null");
  m->spec = good;
  m->spec.group_count = UINT32_MAX;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "4294967294 groups");
  m->spec = good;
  m->spec.thread_count = 1025;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "1 to 1024 threads");
  m->spec = good;
  m->spec.group_count = 1; /* w1 is in the second one */
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` is in group 1");
  m->spec = good;
}

static void wrong_tensors(model* m) {
  samples_tensor* w = &m->tensors[1];
  const samples_tensor good = *w;
  const uint64_t huge[4] = {UINT64_MAX, 2, 3, 4}, large[2] = {UINT64_C(1) << 40, 1 << 22};
  const uint64_t many[1] = {UINT64_C(1) << 61};
  const int64_t strides[2] = {1, 4}, plain[2] = {5, 1};
  static uint64_t dimensions[65];
  const struct {
    const uint64_t* shape;
    uint32_t rank;
    const char* message;
  } too_large[] = {{huge, 2, "tensor `w1` has more elements than can be numbered"},
                   {huge, 4, "tensor `w1` has more elements than can be numbered"},
                   {large, 2, "tensor `w1` is larger than memory can hold"},
                   {many, 1, "tensor `w1` is larger than memory can hold"},
                   {dimensions, 65, "tensor `w1` has rank 65"},
                   {dimensions, UINT32_MAX, "tensor `w1` has rank 4294967295"}};
  const char* const no_names[] = {NULL, ""};
  for (int i = 0; i < 2; ++i) {
    w->name = no_names[i];
    refused_spec(m, SAMPLES_BAD_ARGUMENT, "tensor 1 has no name");
  }
  w->name = "w0";
  samples_optimizer* made = NULL;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "two tensors are named `w0`",
          samples_averaged_create(&m->spec, &made, &error));
  *w = good;
  w->shape = NULL;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` has no shape");
  *w = good;
  for (size_t i = 0; i < sizeof too_large / sizeof *too_large; ++i) {
    w->shape = too_large[i].shape;
    w->rank = too_large[i].rank;
    refused_spec(m, SAMPLES_TOO_LARGE, too_large[i].message);
  }
  *w = good;
  w->strides = strides;
  refused_spec(m, SAMPLES_NOT_SERVED, "tensor `w1` is strided");
  w->strides = plain;
  GOOD(samples_averaged_create(&m->spec, &made, &error));
  samples_destroy(made);
  *w = good;
  w->tag_count = 1;
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` has no tags");
  *w = good;
  w->device = 1;
  refused_spec(m, SAMPLES_NOT_SERVED, "tensor `w1` is not on the CPU");
  *w = good;
  w->split = 17; /* looked at by rules with rows and columns only */
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` is to be split in a way that there is not",
          samples_adafactor_create(&m->spec, &made, &error));
  w->split = 4;
  w->split_at = 2;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "cannot be split before dimension 2",
          samples_adafactor_create(&m->spec, &made, &error));
  *w = good;
  w->param = (samples_element*)((char*)good.param + 1);
  refused_spec(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` is not aligned");
  *w = good;
}

static void overlap(model* m) {
  const samples_tensor good = m->tensors[1];
  samples_optimizer* made = NULL;
  m->tensors[1].param = m->tensors[0].param + 36; /* its last element */
  REFUSED(m, SAMPLES_OVERLAP, "tensors `w0` and `w1`",
          samples_averaged_create(&m->spec, &made, &error));
  m->tensors[1].param = m->tensors[0].param;
  REFUSED(m, SAMPLES_OVERLAP, "share memory", samples_averaged_create(&m->spec, &made, &error));
  m->tensors[1].param = NULL;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` has no memory",
          samples_averaged_create(&m->spec, &made, &error));
  samples_sizes sizes; /* which needs no parameters */
  GOOD(samples_averaged_measure(&m->spec, &sizes, &error));
  m->tensors[1] = good;
  REQUIRE(made == NULL);
}

/* Memory that is handed in. */
static void own_memory(model* m) {
  samples_sizes sizes;
  samples_optimizer* made = NULL;
  GOOD(samples_averaged_measure(&m->spec, &sizes, &error));
  REQUIRE(sizes.state_bytes >= (37 + 20) * 3 * ELEMENT);
  const size_t alignment = (size_t)sizes.state_alignment > (size_t)sizes.control_alignment
                               ? (size_t)sizes.state_alignment
                               : (size_t)sizes.control_alignment;
  guarded control = guarded_make((size_t)sizes.control_bytes, alignment);
  guarded states = guarded_make((size_t)sizes.state_bytes, alignment);
#define CREATE_IN(control_memory, state_memory) \
  samples_averaged_create_in(&m->spec, control_memory, state_memory, &made, &error)
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the control memory is null", CREATE_IN(NULL, states.data));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the state memory is null", CREATE_IN(control.data, NULL));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "not aligned", CREATE_IN(control.data + 8, states.data));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "not aligned", CREATE_IN(control.data, states.data + 8));
  REFUSED(m, SAMPLES_OVERLAP, "the control memory", CREATE_IN(control.data, control.data));
  REFUSED(m, SAMPLES_OVERLAP, "the control memory",
          CREATE_IN(control.data, control.data + alignment));
  REFUSED(m, SAMPLES_OVERLAP, "the control memory",
          CREATE_IN(states.data + (sizes.state_bytes - 1) / 64 * 64, states.data));
  REFUSED(m, SAMPLES_TOO_LARGE, "the state memory goes past the end of memory",
          CREATE_IN(control.data, (void*)(UINTPTR_MAX - alignment + 1)));
  REFUSED(m, SAMPLES_TOO_LARGE, "the control memory goes past the end of memory",
          CREATE_IN((void*)(UINTPTR_MAX - alignment + 1), states.data));
  const samples_tensor good = m->tensors[1];
  m->tensors[1].param = (samples_element*)(states.data + 64);
  REFUSED(m, SAMPLES_OVERLAP, "the state memory shares memory with tensor `w1`",
          CREATE_IN(control.data, states.data));
  m->tensors[1].param = (samples_element*)(control.data + control.bytes - ELEMENT);
  REFUSED(m, SAMPLES_OVERLAP, "the control memory shares memory with tensor `w1`",
          CREATE_IN(control.data, states.data));
  m->tensors[1] = good;
  REQUIRE(made == NULL);
  GOOD(CREATE_IN(control.data, states.data));
  samples_destroy(made);
  guarded_free(&control, "control memory");
  guarded_free(&states, "state memory");
}

/* Nothing to do is no mistake. */
static void empty_models(model* m) {
  samples_optimizer* made = NULL;
  samples_spec spec = {0};
  samples_outcome outcome = SAMPLES_HELD;
  spec.interface_version = SAMPLES_INTERFACE;
  GOOD(samples_averaged_create(&spec, &made, &error));
  GOOD(samples_averaged_step(made, NULL, &outcome, &error));
  REQUIRE(outcome == SAMPLES_COMPLETED && samples_steps(made) == 1);
  GOOD(samples_swap_in(made, "averaged", NULL, &error));
  GOOD(samples_swap_out(made, &error));
  samples_destroy(made);
  spec.tensors = &m->tensors[2];
  spec.tensor_count = 1;
  GOOD(samples_averaged_create(&spec, &made, &error));
  GOOD(samples_averaged_step(made, &m->gradient_table[2], NULL, NULL));
  samples_destroy(made);
}

int main(void) {
  model m;
  model_init(&m);
  null_arguments(&m);
  wrong_specs(&m);
  wrong_tensors(&m);
  overlap(&m);
  own_memory(&m);
  empty_models(&m);
  GOOD(samples_averaged_create(&m.spec, &m.optimizer, &error)); /* nothing was wrong with it */
  GOOD(samples_averaged_step(m.optimizer, m.gradient_table, NULL, &error));
  model_free(&m);
  return 0;
}
