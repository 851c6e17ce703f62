/* A rule that asks for second gradients: what may be called while it waits, and how that ends. */
#include "samples.h"
#include "small_model.h"

static samples_outcome step(model* m) {
  samples_outcome outcome = SAMPLES_HELD;
  GOOD(samples_sam_step(m->optimizer, m->gradient_table, &outcome, &error));
  return outcome;
}

/* Two calls: with the gradients of `number`, then with those of the point the rule went to. */
static void whole_step(model* m, unsigned number) {
  model_gradients(m, number);
  REQUIRE(step(m) == SAMPLES_REGRAD);
  REQUIRE(samples_is_waiting(m->optimizer));
  model_gradients(m, 100 + number);
  REQUIRE(step(m) == SAMPLES_COMPLETED);
  REQUIRE(!samples_is_waiting(m->optimizer));
}

static void refused_meanwhile(model* m) {
  samples_optimizer* o = m->optimizer;
  samples_state state = {0};
  static char buffer[1 << 14];
  double value = 7;
  samples_sam_hypers hypers;
  const char* words = "waits for another gradient";
  REFUSED(m, SAMPLES_WAITING, words, samples_set_hyper(o, "lr", 0, 0.5, &error));
  REFUSED(m, SAMPLES_WAITING, words, samples_reset(o, &error));
  REFUSED(m, SAMPLES_WAITING, words, samples_save(o, buffer, sizeof buffer, &error));
  REFUSED(m, SAMPLES_WAITING, words, samples_load(o, buffer, sizeof buffer, &error));
  REFUSED(m, SAMPLES_WAITING, words, samples_find_state(o, "m", 0, &state, &error));
  REQUIRE(state.data == NULL && samples_next_state(o, &state) == 0);
  GOOD(samples_get_hyper(o, "lr", 0, &value, &error)); /* hypers may be read */
  GOOD(samples_sam_get_hypers(o, 0, &hypers, &error));
  REFUSED(m, SAMPLES_WAITING, words, samples_sam_set_hypers(o, 0, &hypers, &error));
  REQUIRE(value == 0.001 && hypers.lr == value && hypers.rho == 0.5);
  /* Gradients that are refused leave it waiting. */
  samples_element* table[MODEL_TENSORS];
  memcpy(table, m->gradient_table, sizeof table);
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "no gradients", samples_sam_step(o, NULL, NULL, &error));
  table[0] = m->tensors[0].param;
  REFUSED(m, SAMPLES_OVERLAP, "`w0`", samples_sam_step(o, table, NULL, &error));
  table[0] = m->gradient_table[0];
  table[1] = m->tensors[0].param;
  REFUSED(m, SAMPLES_OVERLAP, "tensor `w1` shares memory with tensor `w0`",
          samples_sam_step(o, table, NULL, &error));
  table[1] = m->gradient_table[1];
  table[0] = NULL; /* it had one in the first call */
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "`w0`", samples_sam_step(o, table, NULL, &error));
}

/* The same views, though the rule has one and waits. */
static void refused_views(model* m) {
  samples_element* table[MODEL_TENSORS] = {0};
  char memory[4096];
  samples_outcome outcome;
  model_gradients(m, 1);
  GOOD(samples_samviews_step(m->optimizer, m->gradient_table, &outcome, &error));
  REQUIRE(outcome == SAMPLES_REGRAD && samples_swap_bytes(m->optimizer) <= sizeof memory);
  REFUSED(m, SAMPLES_WAITING, "waits", samples_read_view(m->optimizer, "averaged", table, &error));
  REFUSED(m, SAMPLES_WAITING, "waits", samples_swap_in(m->optimizer, "averaged", memory, &error));
}

int main(void) {
  model m, plain, views;
  model_init(&m);
  model_init(&plain);
  model_init(&views);
  GOOD(samples_sam_create(&m.spec, &m.optimizer, &error));
  GOOD(samples_sam_create(&plain.spec, &plain.optimizer, &error));
  for (unsigned number = 1; number < 4; ++number) {
    /* Begun and abandoned: as if it had not been. */
    model_gradients(&m, number);
    const uint64_t before = model_hash(&m);
    REQUIRE(step(&m) == SAMPLES_REGRAD);
    refused_meanwhile(&m);
    REQUIRE(memcmp(m.params[0].data, plain.params[0].data, m.params[0].bytes) != 0);
    samples_abandon(m.optimizer);
    REQUIRE(!samples_is_waiting(m.optimizer) && model_hash(&m) == before);
    samples_abandon(m.optimizer); /* does nothing */
    REQUIRE(samples_calls(m.optimizer) == number - 1);
    /* Refused calls in the middle change nothing of what comes out. */
    model_gradients(&m, number);
    REQUIRE(step(&m) == SAMPLES_REGRAD);
    refused_meanwhile(&m);
    model_gradients(&m, 100 + number);
    REQUIRE(step(&m) == SAMPLES_COMPLETED);
    whole_step(&plain, number);
    REQUIRE(model_hash(&m) == model_hash(&plain));
    REQUIRE(samples_steps(m.optimizer) == number && samples_calls(m.optimizer) == number);
  }
  /* Destroying abandons. */
  model_gradients(&m, 4);
  REQUIRE(step(&m) == SAMPLES_REGRAD);
  samples_destroy(m.optimizer);
  m.optimizer = NULL;
  for (unsigned t = 0; t < MODEL_TENSORS; ++t)
    REQUIRE(memcmp(m.params[t].data, plain.params[t].data, m.params[t].bytes) == 0);
  GOOD(samples_samviews_create(&views.spec, &views.optimizer, &error));
  refused_views(&views);
  model_free(&m);
  model_free(&plain);
  model_free(&views);
  return 0;
}
