/* Compares the gradients of the model with differences of its loss, in double: some elements of
 * every parameter. Ends with 1 if one is off. */
#define REAL double
#include "layers.c"
#include "model.c"

int main(void) {
  enum { SEQUENCES = 2, LENGTH = 5, VOCABULARY = 11, SAMPLES = 12 };
  const config c = {.vocabulary = VOCABULARY,
                    .context = LENGTH,
                    .blocks = 2,
                    .heads = 2,
                    .width = 12,
                    .sequences = SEQUENCES};
  model m;
  if (!model_create(&m, c, 1)) return puts("no memory"), 1;
  int tokens[SEQUENCES * LENGTH], targets[SEQUENCES * LENGTH];
  uint64_t random = 7;
  for (int i = 0; i < SEQUENCES * LENGTH; ++i) {
    tokens[i] = (int)(VOCABULARY * next_random(&random));
    targets[i] = (int)(VOCABULARY * next_random(&random));
  }
  /* Large enough that no gradient is close to 0 throughout. */
  for (int i = 0; i < m.parameter_count; ++i)
    for (size_t k = 0; k < m.parameters[i].count; ++k)
      m.parameters[i].value[k] += 0.3 * next_normal(&random);
  model_forward(&m, tokens, targets, SEQUENCES, LENGTH);
  model_backward(&m, tokens, SEQUENCES, LENGTH);
  double worst = 0;
  for (int i = 0; i < m.parameter_count; ++i) {
    parameter* p = &m.parameters[i];
    double largest = 0;
    for (size_t k = 0; k < p->count; ++k) largest = fmax(largest, fabs(p->gradient[k]));
    for (int s = 0; s < SAMPLES; ++s) {
      real* x = &p->value[(size_t)((double)p->count * next_random(&random))];
      const double before = *x, step = 1e-5;
      *x = before + step;
      const double above = model_forward(&m, tokens, targets, SEQUENCES, LENGTH);
      *x = before - step;
      const double below = model_forward(&m, tokens, targets, SEQUENCES, LENGTH);
      *x = before;
      const double difference = (above - below) / (2 * step);
      const double off = fabs(difference - p->gradient[x - p->value]) / (largest + 1e-3);
      if (off > 1e-6 || largest == 0)
        printf("%s[%d]: gradient %.12g, difference %.12g\n", p->name, (int)(x - p->value),
               p->gradient[x - p->value], difference);
      worst = fmax(worst, largest == 0 ? 1 : off);
    }
  }
  printf("%d parameters, %d elements of each: off by %.1e of the largest at most\n",
         m.parameter_count, SAMPLES, worst);
  model_destroy(&m);
  return worst > 1e-6;
}
