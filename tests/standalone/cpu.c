/* TALWEG_CPU: which variant runs, and that a wrong one is refused wherever it is read. */
#include "samples.h"
#include "small_model.h"

int main(void) {
  model m;
  samples_optimizer* none = NULL;
  samples_sizes sizes;
  model_init(&m);
  unsetenv("TALWEG_CPU");
  GOOD(samples_adamw_create(&m.spec, &m.optimizer, &error));
  const char* best = samples_cpu(m.optimizer);
  REQUIRE(strlen(best) > 4);
  static const char* const wrong[] = {"nonsense",  "x86-64-v1", "x86-64-v5",
                                      "X86-64-V2", " ",         "riscv64"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    samples_element *p = m.tensors[1].param, *g = m.gradient_table[1];
    samples_element first[20] = {0}, second[20] = {0};
    setenv("TALWEG_CPU", wrong[i], 1);
    REFUSED(&m, SAMPLES_UNSUPPORTED_CPU, wrong[i], samples_adamw_create(&m.spec, &none, &error));
    REFUSED(&m, SAMPLES_UNSUPPORTED_CPU, wrong[i], samples_adamw_measure(&m.spec, &sizes, &error));
    REFUSED(&m, SAMPLES_UNSUPPORTED_CPU, "TALWEG_CPU",
            samples_adamw_step_flat(p, g, first, second, 20, 1, NULL, &error));
    REQUIRE(none == NULL && first[0] == 0);
    /* An optimizer keeps what it was created with. */
    REQUIRE(strcmp(samples_cpu(m.optimizer), best) == 0);
    GOOD(samples_adamw_step(m.optimizer, m.gradient_table, NULL, &error));
  }
  setenv("TALWEG_CPU", "", 1); /* as if it were not there */
  GOOD(samples_adamw_create(&m.spec, &none, &error));
  REQUIRE(strcmp(samples_cpu(none), best) == 0);
  samples_destroy(none);
  setenv("TALWEG_CPU", best, 1);
  GOOD(samples_adamw_create(&m.spec, &none, &error));
  REQUIRE(strcmp(samples_cpu(none), best) == 0);
  samples_destroy(none);
  model_free(&m);
  return 0;
}
