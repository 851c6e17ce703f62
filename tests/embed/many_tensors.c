/* Ten thousand small tensors of different sizes, some empty, some without a gradient: rules of a
 * built library, on the calling thread, with its pool, with that of libtalweg and with a loop that
 * runs tasks backwards, leave what the same rules leave that libtalweg compiles, and what the
 * interpreter leaves. Ends with 1 where one bit differs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talweg/talweg.h>

#include "many.h"

#ifndef TENSOR_COUNT
#define TENSOR_COUNT 10000
#endif
enum { TENSORS = TENSOR_COUNT, GROUPS = 3, STEPS = 2, NAME_BYTES = 8 };

static void fail(const char* where, const char* what) {
  fprintf(stderr, "%s: %s\n", where, what);
  exit(1);
}

static uint32_t next_random(uint32_t* seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

/* The model: all parameters one after the other, as programs lay them out. */
static talweg_tensor tensors[TENSORS];
static uint64_t shapes[TENSORS][2];
static char names[TENSORS][NAME_BYTES];
static size_t first[TENSORS + 1];
static float *param, *gradient;

/* Sizes from 0 to some 40, a third of the tensors matrices; a few are longer than a vector is. */
static void lay_out(void) {
  uint32_t seed = 1;
  for (int i = 0; i < TENSORS; ++i) {
    shapes[i][0] = next_random(&seed) % 7;
    shapes[i][1] = next_random(&seed) % 7;
    tensors[i].rank = 1 + (i % 3 == 0);
    if (tensors[i].rank == 1) shapes[i][0] *= shapes[i][1] == 6 ? 7 : 1;
    if (i % 997 == 0) shapes[i][0] = 300;
    sprintf(names[i], "t%d", i);
    tensors[i].name = names[i];
    tensors[i].shape = shapes[i];
    tensors[i].group = (uint32_t)i % GROUPS;
    first[i + 1] = first[i] + shapes[i][0] * (tensors[i].rank == 2 ? shapes[i][1] : 1);
  }
  param = malloc(first[TENSORS] * sizeof *param);
  gradient = malloc(first[TENSORS] * sizeof *gradient);
  if (!param || !gradient) fail("the model", "no memory");
  for (int i = 0; i < TENSORS; ++i) tensors[i].param = param + first[i];
}

static void fill(float* values, uint32_t seed) {
  for (size_t i = 0; i < first[TENSORS]; ++i)
    values[i] = (float)((int32_t)next_random(&seed) - (1 << 23)) / (1 << 20);
}

/* All that a run leaves, as bytes. */
typedef struct result {
  float* params;
  unsigned char* saved;
  uint64_t saved_bytes;
} result;

static void backwards(void* context, uint32_t task_count,
                      void (*task)(void* argument, uint32_t index), void* argument) {
  (void)context;
  while (task_count > 0) task(argument, --task_count);
}

static result run(const char* where, const talweg_rule* rule, uint32_t tasks,
                  talweg_parallel_for loop, void* pool) {
  const talweg_functions* functions = rule->functions;
  talweg_error error;
  talweg_spec spec = {0};
  spec.interface_version = TALWEG_INTERFACE;
  spec.tensors = tensors;
  spec.tensor_count = TENSORS;
  spec.group_count = GROUPS;
  spec.thread_count = tasks;
  spec.parallel_for = loop;
  spec.parallel_context = pool;
  talweg_optimizer* optimizer = NULL;
  fill(param, 2);
  if (functions->create(rule, &spec, &optimizer, &error)) fail(where, error.message);
  if (functions->set_hyper(optimizer, "lr", 1, 0.25, &error)) fail(where, error.message);
  static void* gradients[TENSORS];
  for (uint32_t step = 1; step <= STEPS; ++step) {
    fill(gradient, 100 + step);
    for (uint32_t i = 0; i < TENSORS; ++i)
      gradients[i] = (i + step) % 11 == 0 ? NULL : gradient + first[i];
    if (functions->step(optimizer, gradients, NULL, NULL, &error)) fail(where, error.message);
  }
  result left = {malloc(first[TENSORS] * sizeof *param), NULL, functions->saved_bytes(optimizer)};
  left.saved = malloc(left.saved_bytes);
  if (!left.params || !left.saved) fail(where, "no memory");
  memcpy(left.params, param, first[TENSORS] * sizeof *param);
  if (functions->save(optimizer, left.saved, left.saved_bytes, &error)) fail(where, error.message);
  functions->destroy(optimizer);
  return left;
}

static void release(result* of) {
  free(of->params);
  free(of->saved);
}

static void same(const char* where, result got, const result* wanted) {
  for (int i = 0; i < TENSORS; ++i)
    if (memcmp(got.params + first[i], wanted->params + first[i],
               (first[i + 1] - first[i]) * sizeof *param) != 0) {
      fprintf(stderr, "%s: %s differs\n", where, names[i]);
      exit(1);
    }
  if (got.saved_bytes != wanted->saved_bytes ||
      memcmp(got.saved, wanted->saved, got.saved_bytes) != 0)
    fail(where, "states differ");
  release(&got);
}

static result compiled(const char* where, const char* expression, uint32_t backend,
                       talweg_pool* pool) {
  talweg_options options = {0};
  options.interface_version = TALWEG_INTERFACE;
  options.backend = backend;
  const talweg_rule* rule = NULL;
  talweg_error error;
  if (talweg_compile(expression, &options, &rule, NULL, &error)) fail(where, error.message);
  const result left = run(where, rule, 4, talweg_pool_run, pool);
  talweg_rule_destroy(rule);
  return left;
}

static void check(const talweg_rule* built, const char* expression, many_pool* pool,
                  talweg_pool* other_pool) {
  result wanted = compiled("interpreter", expression, TALWEG_INTERPRETER, other_pool);
  same("compiled", compiled("compiled", expression, TALWEG_MACHINE_CODE, other_pool), &wanted);
  same("built, one thread", run("built, one thread", built, 1, NULL, NULL), &wanted);
  same("built, its pool", run("built, its pool", built, 3, many_pool_run, pool), &wanted);
  same("built, libtalweg's pool",
       run("built, libtalweg's pool", built, 64, talweg_pool_run, other_pool), &wanted);
  same("built, backwards", run("built, backwards", built, 7, backwards, NULL), &wanted);
  fill(param, 2);
  size_t changed = 0;
  for (size_t i = 0; i < first[TENSORS]; ++i) changed += param[i] != wanted.params[i];
  if (changed < first[TENSORS] / 2) fail(expression, "most parameters are as they were");
  printf("%s: %zu elements, %llu bytes saved\n", expression, first[TENSORS],
         (unsigned long long)wanted.saved_bytes);
  release(&wanted);
}

int main(int count, char** expressions) {
  const talweg_rule* rules[] = {many_elements_rule(), many_norms_rule(), many_lines_rule()};
  many_pool* pool = many_pool_create(3);
  talweg_pool* other_pool = talweg_pool_create(4);
  if (!pool || !other_pool) fail("pools", "no memory");
  if (count != 4) fail("usage", "the expressions of three rules are needed");
  lay_out();
  for (int i = 0; i < 3; ++i) check(rules[i], expressions[i + 1], pool, other_pool);
  many_pool_destroy(pool);
  talweg_pool_destroy(other_pool);
  free(param);
  free(gradient);
  return 0;
}
