/* What can be wrong with calls of an optimizer. */
#include <math.h>

#include "samples.h"
#include "small_model.h"

#define STEP(m, gradients) samples_averaged_step((m)->optimizer, gradients, NULL, &error)

static void null_arguments(model* m) {
  double value = 7;
  samples_averaged_hypers hypers = samples_averaged_defaults();
  samples_state state = {0};
  char byte = 0;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_averaged_step(NULL, m->gradient_table, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null", samples_reset(NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_set_hyper(NULL, "lr", 0, 1, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_get_hyper(NULL, "lr", 0, &value, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_averaged_set_hypers(NULL, 0, &hypers, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_averaged_get_hypers(NULL, 0, &hypers, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_read_view(NULL, "averaged", m->gradient_table, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_swap_in(NULL, "averaged", &byte, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null", samples_swap_out(NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null",
          samples_find_state(NULL, "m", 0, &state, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null", samples_save(NULL, &byte, 1, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is null", samples_load(NULL, &byte, 1, &error));
  REQUIRE(samples_next_state(NULL, &state) == 0 && samples_next_state(m->optimizer, NULL) == 0);
  REQUIRE(samples_steps(NULL) == 0 && samples_calls(NULL) == 0 && samples_saved_bytes(NULL) == 0);
  REQUIRE(samples_swap_bytes(NULL) == 0 && samples_is_waiting(NULL) == 0);
  REQUIRE(strcmp(samples_cpu(NULL), "") == 0);
  samples_abandon(NULL);
  samples_destroy(NULL);

  samples_optimizer* o = m->optimizer;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the name is null", samples_set_hyper(o, NULL, 0, 1, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the name is null",
          samples_get_hyper(o, NULL, 0, &value, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the place for the value is null",
          samples_get_hyper(o, "eps", 0, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the struct of hypers is null",
          samples_averaged_set_hypers(o, 0, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the struct of hypers is null",
          samples_averaged_get_hypers(o, 0, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the name is null",
          samples_read_view(o, NULL, m->gradient_table, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the array of destinations is null",
          samples_read_view(o, "averaged", NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "no memory to keep the parameters in",
          samples_swap_in(o, "averaged", NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the name is null",
          samples_find_state(o, NULL, 0, &state, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the place for the state is null",
          samples_find_state(o, "m", 0, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the buffer is null", samples_save(o, NULL, 1 << 20, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the buffer is null", samples_load(o, NULL, 1 << 20, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "no gradients were given", STEP(m, NULL));
  REQUIRE(value == 7 && state.data == NULL);
  REQUIRE(samples_set_hyper(o, NULL, 0, 1, NULL) == SAMPLES_BAD_ARGUMENT);
  REQUIRE(samples_averaged_step(o, NULL, NULL, NULL) == SAMPLES_BAD_ARGUMENT);
}

static void wrong_gradients(model* m) {
  samples_element* table[MODEL_TENSORS];
  memcpy(table, m->gradient_table, sizeof table);
  table[1] = (samples_element*)((char*)m->gradient_table[1] + 1);
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the gradient of tensor `w1` is not aligned", STEP(m, table));
  table[1] = (samples_element*)m->params[1].data;
  REFUSED(m, SAMPLES_OVERLAP, "the gradient of tensor `w1` shares memory", STEP(m, table));
  table[1] = (samples_element*)m->params[1].data + 19;
  REFUSED(m, SAMPLES_OVERLAP, "the gradient of tensor `w1` shares memory", STEP(m, table));
  table[1] = (samples_element*)m->params[0].data + 36;
  REFUSED(m, SAMPLES_OVERLAP, "the gradient of tensor `w1` shares memory with tensor `w0`",
          STEP(m, table));
  samples_state state;
  GOOD(samples_find_state(m->optimizer, "v", 0, &state, &error));
  table[1] = state.data;
  REFUSED(m, SAMPLES_OVERLAP, "the gradient of tensor `w1` shares memory with states",
          STEP(m, table));
}

static void wrong_hypers(model* m) {
  samples_optimizer* o = m->optimizer;
  double value = 7;
#define SET(name, group, number) samples_set_hyper(o, name, group, number, &error)
  REFUSED(m, SAMPLES_UNKNOWN_NAME, "there is no hyper `learning_rate`; the rule has",
          SET("learning_rate", 0, 1));
  REFUSED(m, SAMPLES_UNKNOWN_NAME, "there is no hyper ``", SET("", 0, 1));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `beta1`", SET("beta1", 0, 1));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `beta1`", SET("beta1", 0, -1e-300));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `beta1`", SET("beta1", SAMPLES_ALL_GROUPS, NAN));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `eps`", SET("eps", 0, INFINITY));
  REFUSED(m, SAMPLES_BOUND, "hyper `lr`", SET("lr", 0, 0.5));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "group", SET("beta1", 2, 0.5));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "group", samples_get_hyper(o, "beta1", 2, &value, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "group",
          samples_get_hyper(o, "beta1", SAMPLES_ALL_GROUPS, &value, &error));
  REFUSED(m, SAMPLES_NOT_YET, "hyper `lr`", samples_get_hyper(o, "lr", 0, &value, &error));
  REQUIRE(value == 7);
  /* All, or none. */
  samples_averaged_hypers hypers, now;
  GOOD(samples_averaged_get_hypers(o, 1, &hypers, &error));
  hypers.beta1 = 0.5;
  hypers.decay = 1;
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `decay`",
          samples_averaged_set_hypers(o, 1, &hypers, &error));
  GOOD(samples_averaged_get_hypers(o, 1, &now, &error));
  REQUIRE(now.beta1 == 0.9 && now.decay == 0.5);
  hypers.decay = 0.5;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "group", samples_averaged_set_hypers(o, 2, &hypers, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "group", samples_averaged_get_hypers(o, 2, &now, &error));
  GOOD(samples_averaged_set_hypers(o, 1, &hypers, &error));
  GOOD(samples_get_hyper(o, "beta1", 1, &value, &error));
  REQUIRE(value == 0.5);
  GOOD(samples_get_hyper(o, "beta1", 0, &value, &error));
  REQUIRE(value == 0.9);
}

static void kinds_of_hypers(model* m) {
  samples_optimizer* o = NULL;
  GOOD(samples_kinds_create(&m->spec, &o, &error));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `every`", SET("every", 0, 1.5));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `every`", SET("every", 0, 11));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `nesterov`", SET("nesterov", 0, 2));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `rest`", SET("rest", SAMPLES_ALL_GROUPS, 0));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "hyper `budget`", SET("budget", 1, 50));
  samples_kinds_hypers hypers = samples_kinds_defaults();
  hypers.budget = 50;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "hyper `budget`",
          samples_kinds_set_hypers(o, 1, &hypers, &error));
  GOOD(samples_kinds_set_hypers(o, SAMPLES_ALL_GROUPS, &hypers, &error));
  hypers.lr = 0.75; /* a group's: that of the model stays as it is */
  GOOD(samples_kinds_set_hypers(o, 1, &hypers, &error));
  GOOD(samples_kinds_get_hypers(o, 1, &hypers, &error));
  REQUIRE(hypers.budget == 50 && hypers.lr == 0.75 && hypers.every == 2 && hypers.nesterov == 0);
  samples_destroy(o);
  /* One that follows another: NaN says so. */
  GOOD(samples_follows_create(&m->spec, &o, &error));
  samples_follows_hypers follows;
  GOOD(samples_follows_get_hypers(o, 0, &follows, &error));
  REQUIRE(follows.lr == 0.05 && isnan(follows.lr2));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `lr2`", SET("lr2", 0, 2));
  GOOD(SET("lr2", 0, 0.25));
  GOOD(SET("lr2", 0, NAN));
  REFUSED(m, SAMPLES_OUT_OF_RANGE, "hyper `lr`", SET("lr", 0, NAN));
  /* Also one of the model: what a step computes for it is not what was set. */
  follows = samples_follows_defaults();
  follows.lr = 0.5;
  GOOD(samples_follows_set_hypers(o, 0, &follows, &error));
  samples_element* none[MODEL_TENSORS] = {0};
  GOOD(samples_follows_step(o, none, NULL, &error));
  GOOD(samples_follows_get_hypers(o, 0, &follows, &error));
  REQUIRE(follows.lr == 0.5 && isnan(follows.lr2) && isnan(follows.double_));
  double computed = 0;
  GOOD(samples_get_hyper(o, "double", 0, &computed, &error));
  REQUIRE(computed == 4);
  GOOD(samples_follows_set_hypers(o, 1, &follows, &error));
  follows.double_ = 5;
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "hyper `double`",
          samples_follows_set_hypers(o, 1, &follows, &error));
  samples_destroy(o);
}

static void one_rule_is_not_another(model* m) {
  samples_sgd_hypers hypers = samples_sgd_defaults();
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is of rule",
          samples_sgd_step(m->optimizer, m->gradient_table, NULL, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is of rule",
          samples_sgd_set_hypers(m->optimizer, 0, &hypers, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "the optimizer is of rule",
          samples_sgd_get_hypers(m->optimizer, 0, &hypers, &error));
}

static void views(model* m) {
  samples_optimizer* o = m->optimizer;
  guarded memory = guarded_make((size_t)samples_swap_bytes(o), ELEMENT);
  guarded outs[MODEL_TENSORS];
  samples_element* table[MODEL_TENSORS];
  samples_averaged_hypers hypers = samples_averaged_defaults();
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) {
    outs[t] = guarded_make(m->params[t].bytes, ELEMENT);
    table[t] = (samples_element*)outs[t].data;
  }
  REFUSED(m, SAMPLES_UNKNOWN_NAME, "there is no view `mean`; the rule has averaged",
          samples_read_view(o, "mean", table, &error));
  REFUSED(m, SAMPLES_UNKNOWN_NAME, "there is no view `mean`",
          samples_swap_in(o, "mean", memory.data, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "no view", samples_swap_out(o, &error));
  table[1] = m->tensors[1].param;
  REFUSED(m, SAMPLES_OVERLAP, "tensor `w1`", samples_read_view(o, "averaged", table, &error));
  table[1] = m->tensors[0].param + 36;
  REFUSED(m, SAMPLES_OVERLAP, "the memory for a view of tensor `w1` shares memory with tensor `w0`",
          samples_read_view(o, "averaged", table, &error));
  samples_state state;
  GOOD(samples_find_state(o, "average", 1, &state, &error));
  table[1] = state.data;
  REFUSED(m, SAMPLES_OVERLAP, "the memory for a view of tensor `w1` shares memory with states",
          samples_read_view(o, "averaged", table, &error));
  table[1] = (samples_element*)(outs[1].data + 1);
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "tensor `w1` is not aligned",
          samples_read_view(o, "averaged", table, &error));
  table[1] = NULL; /* not of this one */
  GOOD(samples_read_view(o, "averaged", table, &error));
  REFUSED(m, SAMPLES_OVERLAP, "tensor `w0`",
          samples_swap_in(o, "averaged", m->params[0].data + 8, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "not aligned",
          samples_swap_in(o, "averaged", memory.data + 1, &error));
  GOOD(samples_find_state(o, "m", 0, &state, &error));
  REFUSED(m, SAMPLES_OVERLAP, "shares memory with states",
          samples_swap_in(o, "averaged", state.data, &error));
  REFUSED(m, SAMPLES_TOO_LARGE, "past the end of memory",
          samples_swap_in(o, "averaged", (void*)(UINTPTR_MAX - 7), &error));
  const uint64_t before = model_hash(m);
  GOOD(samples_swap_in(o, "averaged", memory.data, &error));
  REFUSED(m, SAMPLES_SWAPPED_IN, "view `averaged` is swapped in", STEP(m, m->gradient_table));
  REFUSED(m, SAMPLES_SWAPPED_IN, "view `averaged` is swapped in", samples_reset(o, &error));
  REFUSED(m, SAMPLES_SWAPPED_IN, "view `averaged` is swapped in",
          samples_swap_in(o, "averaged", memory.data, &error));
  REFUSED(m, SAMPLES_SWAPPED_IN, "view `averaged` is swapped in",
          samples_read_view(o, "averaged", table, &error));
  REFUSED(m, SAMPLES_SWAPPED_IN, "swap it out before", samples_save(o, &hypers, 8, &error));
  REFUSED(m, SAMPLES_SWAPPED_IN, "swap it out before", samples_load(o, &hypers, 8, &error));
  GOOD(samples_swap_out(o, &error));
  REQUIRE(model_hash(m) == before);
  GOOD(samples_swap_in(o, "averaged", memory.data, &error));
  m->optimizer = NULL;
  samples_destroy(o); /* puts the parameters back */
  for (unsigned t = 0; t < MODEL_TENSORS; ++t) guarded_free(&outs[t], "view");
  guarded_free(&memory, "swapped parameters");
}

static void states(model* m) {
  samples_optimizer* o = m->optimizer;
  samples_state state = {0};
  REFUSED(m, SAMPLES_UNKNOWN_NAME, "there is no state `velocity`; the rule has m, v, average",
          samples_find_state(o, "velocity", 0, &state, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "state `m` has no entry 3",
          samples_find_state(o, "m", 3, &state, &error));
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "state `m` has no entry 4294967295",
          samples_find_state(o, "m", UINT32_MAX, &state, &error));
  GOOD(samples_find_state(o, "v", 1, &state, &error));
  REQUIRE(strcmp(state.name, "v") == 0 && strcmp(state.tensor, "w1") == 0 && state.rank == 2);
  REQUIRE(state.shape[0] == 4 && state.shape[1] == 5 && state.elements == 20);
  REQUIRE(state.element_bytes == ELEMENT && state.data != NULL);
  GOOD(samples_find_state(o, "v", 2, &state, &error));
  REQUIRE(state.elements == 0 && state.data == NULL);
}

int main(void) {
  model m, untouched;
  model_init(&m);
  model_init(&untouched);
  GOOD(samples_averaged_create(&m.spec, &m.optimizer, &error));
  GOOD(samples_averaged_create(&untouched.spec, &untouched.optimizer, &error));
  null_arguments(&m);
  wrong_gradients(&m);
  wrong_hypers(&m);
  GOOD(samples_set_hyper(untouched.optimizer, "beta1", 1, 0.5, &error));
  kinds_of_hypers(&m);
  one_rule_is_not_another(&m);
  states(&m);
  for (unsigned step = 1; step < 4; ++step) {
    model_gradients(&m, step);
    model_gradients(&untouched, step);
    GOOD(STEP(&m, m.gradient_table));
    GOOD(STEP(&untouched, untouched.gradient_table));
    REQUIRE(model_hash(&m) == model_hash(&untouched));
    null_arguments(&m);
    wrong_gradients(&m);
  }
  views(&m);
  REQUIRE(memcmp(m.params[0].data, untouched.params[0].data, m.params[0].bytes) == 0);
  REQUIRE(strcmp(samples_status_text(SAMPLES_OK), "OK") == 0);
  REQUIRE(strcmp(samples_status_text(SAMPLES_BAD_DATA), "BAD_DATA") == 0);
  REQUIRE(strcmp(samples_status_text((samples_status)1000), "unknown status") == 0);
  REQUIRE(strcmp(samples_status_text((samples_status)-1), "unknown status") == 0);
  REQUIRE(samples_interface_version() == SAMPLES_INTERFACE);
  model_free(&m);
  model_free(&untouched);
  return 0;
}
