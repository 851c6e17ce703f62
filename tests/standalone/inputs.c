/* Inputs of a rule: those that are missing, and where they may be left out. */
#include "samples.h"
#include "small_model.h"

#define STEP(m, inputs) \
  samples_rates_step((m)->optimizer, (m)->gradient_table, inputs, NULL, &error)

int main(void) {
  model m;
  model_init(&m);
  GOOD(samples_rates_create(&m.spec, &m.optimizer, &error));
  const double loss = 2, boost[2] = {1, 2}, factor[3] = {0.5, 0.25, 1};
  double sharp_1[1] = {0.5};
  double* sharp[MODEL_TENSORS] = {NULL, sharp_1, sharp_1};
  samples_element many[40] = {1, 2, 3, 4, 5};
  samples_element* arrays[MODEL_TENSORS] = {many, many, many};
  samples_element* of_matrices[MODEL_TENSORS] = {NULL, many, many}; /* w0 has no rows */
  const samples_rates_inputs all = {&loss, boost, factor, sharp, of_matrices, of_matrices, arrays};
  samples_rates_inputs some;
#define WITHOUT(input) \
  some = all;          \
  some.input = NULL;   \
  REFUSED(&m, SAMPLES_MISSING_INPUT, "`" #input "`", STEP(&m, &some))
  for (int step = 0; step < 3; ++step) {
    REFUSED(&m, SAMPLES_MISSING_INPUT, "input", STEP(&m, NULL));
    WITHOUT(loss);
    WITHOUT(boost);
    WITHOUT(factor);
    WITHOUT(sharp);
    WITHOUT(seen);
    WITHOUT(wide);
    WITHOUT(noise);
    samples_element* holes[MODEL_TENSORS] = {many, NULL, many};
    some = all;
    some.noise = holes;
    REFUSED(&m, SAMPLES_MISSING_INPUT, "`noise`", STEP(&m, &some));
    holes[1] = (samples_element*)((char*)many + 1);
    REFUSED(&m, SAMPLES_BAD_ARGUMENT, "`w1` is not aligned", STEP(&m, &some));
    holes[1] = m.tensors[1].param;
    REFUSED(&m, SAMPLES_OVERLAP, "`w1` shares memory", STEP(&m, &some));
    holes[1] = m.tensors[0].param;
    REFUSED(&m, SAMPLES_OVERLAP, "`w1` shares memory with tensor `w0`", STEP(&m, &some));
    GOOD(STEP(&m, &all));
  }
  REQUIRE(samples_steps(m.optimizer) == 3);
  /* A tensor without gradient needs none of them. */
  samples_element* only[MODEL_TENSORS] = {m.gradient_table[0], NULL, NULL};
  some = all;
  some.sharp = NULL;
  some.seen = some.wide = NULL;
  GOOD(samples_rates_step(m.optimizer, only, &some, NULL, &error));
  model_free(&m);
  return 0;
}
