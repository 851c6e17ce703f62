/* A small training run that the interpreter (expected_transcript.cpp, C++) and generated libraries
 * (transcript.c, C99) go through alike: tensors of many shapes in two groups, gradients and inputs
 * made from counters, and how what happened is put down. */
#ifndef TALWEG_TESTS_STANDALONE_SCENARIO_H
#define TALWEG_TESTS_STANDALONE_SCENARIO_H

#include <stdint.h>
#include <string.h>

enum { SCENARIO_STEPS = 6, SCENARIO_TENSORS = 8, SCENARIO_GROUPS = 2 };

typedef struct scenario_tensor {
  const char* name;
  uint64_t shape[4];
  uint32_t rank, group, split;
  const char* tag;         /* or null */
  unsigned steps_gradient; /* bit s: has a gradient in step s, from 1 */
} scenario_tensor;

static const scenario_tensor scenario_tensors[SCENARIO_TENSORS] = {
    {"embed.weight", {40, 7}, 2, 0, 0, "embedding", ~0u},
    {"w", {33, 65}, 2, 1, 0, 0, ~0u},
    {"w.bias", {129}, 1, 0, 0, 0, ~(1u << 3)},
    {"scalar", {0}, 0, 1, 0, 0, ~0u},
    {"empty", {0, 4}, 2, 0, 0, 0, ~0u},
    {"conv", {3, 5, 4, 2}, 4, 1, 2, 0, ~0u},
    {"long", {40001}, 1, 0, 0, 0, ~0u}, /* three chunks */
    {"frozen", {5}, 1, 1, 0, 0, 0},
};

static inline uint64_t scenario_elements(unsigned tensor) {
  const scenario_tensor* of = &scenario_tensors[tensor];
  uint64_t count = 1;
  for (uint32_t i = 0; i < of->rank; ++i) count *= of->shape[i];
  return count;
}

/* Of an input: more than enough, also for a matrix without elements that has columns. */
static inline uint64_t scenario_input_values(unsigned tensor) {
  return scenario_elements(tensor) + 8;
}

static inline int scenario_has_gradient(unsigned tensor, unsigned step) {
  return (scenario_tensors[tensor].steps_gradient >> step & 1) != 0;
}

/* Some number: most are near 1, some are large, small or 0; some too small for a normal float32. */
static inline double scenario_number(uint64_t seed) {
  uint64_t z = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const double fraction = ((double)(z >> 40) - 8388608.0) / 8388608.0; /* 2^23 */
  switch (z & 31) {
    case 0:
      return 0;
    case 1:
      return fraction * 512;
    case 2:
      return fraction * 1e-6;
    case 3:
      return fraction * 1e-40;
    default:
      return fraction;
  }
}

/* What the values of an array are made from; `use` 0: parameters, 1: gradients, 2: the gradients
 * that a waiting step is given, from 16: inputs. */
static inline uint64_t scenario_seed(unsigned use, unsigned step, unsigned tensor) {
  return ((uint64_t)use << 40 | (uint64_t)step << 32 | tensor) << 20;
}

/* Element `i` as the array of that seed has it, in float32 or float64. */
static inline void scenario_store(void* array, uint32_t bytes, uint64_t seed, uint64_t i) {
  const double number = scenario_number(seed + i);
  if (bytes == 4)
    ((float*)array)[i] = (float)number;
  else
    ((double*)array)[i] = number;
}

static inline void scenario_fill(void* array, uint32_t bytes, uint64_t seed, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) scenario_store(array, bytes, seed, i);
}

/* FNV-1a over the bytes; any NaN is like another. */
static inline uint64_t scenario_hash(const void* array, uint32_t bytes, uint64_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    if (bytes == 4) {
      uint32_t narrow;
      memcpy(&narrow, (const char*)array + 4 * i, 4);
      bits = (narrow & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : narrow;
    } else {
      memcpy(&bits, (const char*)array + 8 * i, 8);
      if ((bits & ~(UINT64_C(1) << 63)) > UINT64_C(0x7ff0000000000000))
        bits = UINT64_C(0x7ff8) << 48;
    }
    for (uint32_t byte = 0; byte < bytes; ++byte)
      hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3u;
  }
  return hash;
}

#endif
