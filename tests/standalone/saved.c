/* States as one buffer: they go on where they were, and nothing else is taken for them. With an
 * argument, writes such a buffer there, for readers of safetensors. */
#include <math.h>

#include "samples.h"
#include "small_model.h"

typedef samples_status (*creation)(const samples_spec*, samples_optimizer**, samples_error*);

typedef samples_status (*stepping)(samples_optimizer*, samples_element* const*, samples_outcome*,
                                   samples_error*);

static void step(model* m, unsigned number, stepping of) {
  model_gradients(m, number);
  GOOD(of(m->optimizer, m->gradient_table, NULL, &error));
}

static guarded save(model* m) {
  const uint64_t size = samples_saved_bytes(m->optimizer);
  guarded buffer = guarded_make((size_t)size, 1); /* at an odd address */
  GOOD(samples_save(m->optimizer, buffer.data, size, &error));
  guarded_check(&buffer, "saved states");
  return buffer;
}

/* Saves in the middle, goes on in a new optimizer, and compares with one that never stopped. */
static void goes_on(creation create, stepping of) {
  model m, straight;
  model_init(&m);
  model_init(&straight);
  GOOD(create(&m.spec, &m.optimizer, &error));
  GOOD(create(&straight.spec, &straight.optimizer, &error));
  for (unsigned number = 1; number <= 7; ++number) {
    guarded buffer = save(&m);
    samples_destroy(m.optimizer);
    GOOD(create(&m.spec, &m.optimizer, &error));
    GOOD(samples_load(m.optimizer, buffer.data, buffer.bytes, &error));
    guarded again = save(&m); /* what was loaded is saved alike */
    REQUIRE(again.bytes == buffer.bytes && memcmp(again.data, buffer.data, buffer.bytes) == 0);
    step(&m, number, of);
    step(&straight, number, of);
    REQUIRE(model_hash(&m) == model_hash(&straight));
    guarded_free(&buffer, "saved states");
    guarded_free(&again, "saved states");
  }
  /* A reset is the beginning, but for parameters. */
  samples_destroy(m.optimizer);
  GOOD(create(&m.spec, &m.optimizer, &error));
  const uint64_t fresh = model_hash(&m);
  step(&m, 1, of);
  for (unsigned t = 0; t < MODEL_TENSORS; ++t)
    memcpy(m.params[t].data, straight.params[t].data, m.params[t].bytes);
  GOOD(samples_reset(m.optimizer, &error));
  model_gradients(&m, 7);
  REQUIRE(model_hash(&m) == fresh && samples_calls(m.optimizer) == 0);
  model_free(&m);
  model_free(&straight);
}

/* The least random numbers will do. */
static uint32_t next_random(uint32_t* seed) { return *seed = *seed * 1664525u + 1013904223u; }

/* Buffers that are damaged in one to four bytes of the header, cut off, or too long. */
static void damaged(model* m) {
  guarded good = save(m);
  guarded bad = guarded_make(good.bytes + 8, 1);
  uint64_t header;
  uint32_t seed = 1;
  memcpy(&header, good.data, sizeof header);
  REQUIRE(header > 100 && header < good.bytes);
#define LOAD(size) samples_load(m->optimizer, bad.data, size, &error)
  for (int i = 0; i < 4000; ++i) {
    memcpy(bad.data, good.data, good.bytes);
    for (uint32_t k = next_random(&seed) >> 8 & 3;; --k) {
      const size_t at = (next_random(&seed) >> 8) % (size_t)(header + 8);
      bad.data[at] = (unsigned char)(bad.data[at] + 1 + (next_random(&seed) >> 8) % 255);
      if (k == 0) break;
    }
    if (memcmp(bad.data, good.data, good.bytes) == 0) continue;
    REFUSED(m, SAMPLES_BAD_DATA, "other tensors or of another rule", LOAD(good.bytes));
  }
  memcpy(bad.data, good.data, good.bytes);
  for (uint64_t size = 0; size < good.bytes; size += 1 + size / 7)
    REFUSED(m, SAMPLES_BAD_DATA, "bytes; the states of this optimizer take", LOAD(size));
  REFUSED(m, SAMPLES_BAD_DATA, "bytes; the states", LOAD(good.bytes + 1));
  /* Counters come first; none is negative, broken, too large or no number. */
  const double counters[] = {-1, 0.5, 9007199254740994.0, (double)INFINITY, (double)NAN};
  for (int which = 0; which < 2; ++which)
    for (size_t i = 0; i < sizeof counters / sizeof *counters; ++i) {
      memcpy(bad.data, good.data, good.bytes);
      memcpy(bad.data + 8 + header + 8 * which, &counters[i], 8);
      REFUSED(m, SAMPLES_BAD_DATA, "a counter that cannot be", LOAD(good.bytes));
    }
  REFUSED(m, SAMPLES_BAD_ARGUMENT, "bytes; the states of this optimizer take",
          samples_save(m->optimizer, bad.data, good.bytes - 1, &error));
  guarded_free(&good, "saved states");
  guarded_free(&bad, "damaged states");
}

/* States of another rule, of other shapes, names and groups. */
static void foreign(model* m) {
  model other;
  model_init(&other);
  const uint64_t turned[2] = {5, 4};
  guarded buffer;
#define FOREIGN(create)                                                   \
  GOOD(create(&other.spec, &other.optimizer, &error));                    \
  buffer = save(&other);                                                  \
  REFUSED(m, SAMPLES_BAD_DATA, "states",                                  \
          samples_load(m->optimizer, buffer.data, buffer.bytes, &error)); \
  guarded_free(&buffer, "foreign states");                                \
  samples_destroy(other.optimizer);                                       \
  other.optimizer = NULL
  FOREIGN(samples_adamw_create);
  FOREIGN(samples_rates_create);
  other.tensors[1].shape = turned;
  FOREIGN(samples_averaged_create);
  other.tensors[1].shape = model_shapes[1];
  other.tensors[1].name = "x1";
  FOREIGN(samples_averaged_create);
  other.tensors[1].name = "w1\"],{\\\n";
  FOREIGN(samples_averaged_create);
  model_free(&other);
}

static void write_file(const model* m, const char* path) {
  guarded buffer = save((model*)m);
  FILE* file = fopen(path, "wb");
  REQUIRE(file && fwrite(buffer.data, 1, buffer.bytes, file) == buffer.bytes && !fclose(file));
  guarded_free(&buffer, "saved states");
}

int main(int argc, char** argv) {
  model m;
  goes_on(samples_averaged_create, samples_averaged_step);
  goes_on(samples_adafactor_create, samples_adafactor_step);
  goes_on(samples_kinds_create, samples_kinds_step);
  goes_on(samples_routes_create, samples_routes_step);
  goes_on(samples_halved_create, samples_halved_step);
  model_init(&m);
  GOOD(samples_averaged_create(&m.spec, &m.optimizer, &error));
  step(&m, 1, samples_averaged_step);
  step(&m, 2, samples_averaged_step);
  damaged(&m);
  foreign(&m);
  if (argc > 1) write_file(&m, argv[1]);
  model_free(&m);
  return 0;
}
