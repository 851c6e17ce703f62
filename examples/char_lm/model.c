/* See model.h. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parameters by their places in the table: those of a block begin at BLOCK(b). */
enum { TOKENS, POSITIONS, GAIN, BIAS, HEAD, FIRST_BLOCK };
enum { GAIN1, BIAS1, QKV, QKV_BIAS, JOIN, JOIN_BIAS };
enum { GAIN2 = 6, BIAS2, RAISE, RAISE_BIAS, LOWER, LOWER_BIAS, BLOCK_PARAMETERS };
#define BLOCK(b) (FIRST_BLOCK + (b)*BLOCK_PARAMETERS)

double next_random(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (double)(*state >> 11) / 9007199254740992.0;
}

static double next_normal(uint64_t* state) {
  const double length = sqrt(-2 * log(1 - next_random(state)));
  return length * cos(6.283185307179586 * next_random(state));
}

static void declare(model* m, const char* name, int rows, int columns, int decays) {
  parameter* p = &m->parameters[m->parameter_count++];
  snprintf(p->name, sizeof p->name, "%s", name);
  p->rank = columns > 0 ? 2 : 1;
  p->shape[0] = (uint64_t)rows;
  p->shape[1] = (uint64_t)columns;
  p->count = (size_t)rows * (size_t)(columns > 0 ? columns : 1);
  p->decays = decays;
}

static void declare_all(model* m) {
  static const char* const names[] = {"norm1.gain",   "norm1.bias", "qkv.weight",   "qkv.bias",
                                      "join.weight",  "join.bias",  "norm2.gain",   "norm2.bias",
                                      "raise.weight", "raise.bias", "lower.weight", "lower.bias"};
  const int d = m->config.width;
  const int rows[] = {d, d, d, 3 * d, d, d, d, d, d, 4 * d, 4 * d, d};
  const int columns[] = {0, 0, 3 * d, 0, d, 0, 0, 0, 4 * d, 0, d, 0};
  declare(m, "tokens", m->config.vocabulary, d, 0);
  declare(m, "positions", m->config.context, d, 0);
  declare(m, "norm.gain", d, 0, 0);
  declare(m, "norm.bias", d, 0, 0);
  declare(m, "head.weight", d, m->config.vocabulary, 1);
  for (int b = 0; b < m->config.blocks; ++b)
    for (int i = 0; i < BLOCK_PARAMETERS; ++i) {
      char name[32];
      snprintf(name, sizeof name, "block%d.%s", b, names[i]);
      declare(m, name, rows[i], columns[i], columns[i] > 0);
    }
}

/* Hands out the next `count` numbers; with no memory yet it only counts. */
static real* take(real* memory, size_t* used, size_t count) {
  real* taken = memory ? memory + *used : 0;
  *used += count;
  return taken;
}

static size_t place_all(model* m, real* memory) {
  const config* c = &m->config;
  const size_t rows = (size_t)c->sequences * c->context, d = c->width;
  size_t used = 0;
  for (int i = 0; i < m->parameter_count; ++i) {
    m->parameters[i].value = take(memory, &used, m->parameters[i].count);
    m->parameters[i].gradient = take(memory, &used, m->parameters[i].count);
  }
  for (int b = 0; b < c->blocks; ++b) {
    block_memory* k = &m->blocks[b];
    k->in = take(memory, &used, rows * d);
    k->normal1 = take(memory, &used, rows * d);
    k->moments1 = take(memory, &used, rows * 2);
    k->qkv = take(memory, &used, rows * 3 * d);
    k->weights = take(memory, &used, rows * c->heads * c->context);
    k->mixed = take(memory, &used, rows * d);
    k->middle = take(memory, &used, rows * d);
    k->normal2 = take(memory, &used, rows * d);
    k->moments2 = take(memory, &used, rows * 2);
    k->raised = take(memory, &used, rows * 4 * d);
    k->bent = take(memory, &used, rows * 4 * d);
  }
  m->out = take(memory, &used, rows * d);
  m->normal = take(memory, &used, rows * d);
  m->moments = take(memory, &used, rows * 2);
  m->logits = take(memory, &used, rows * c->vocabulary);
  m->d_logits = take(memory, &used, rows * c->vocabulary);
  m->d_x = take(memory, &used, rows * d);
  m->d_y = take(memory, &used, rows * d);
  m->d_wide = take(memory, &used, rows * 4 * d);
  return used;
}

int model_create(model* m, config c, uint64_t seed) {
  memset(m, 0, sizeof *m);
  if (c.blocks > MAX_BLOCKS || c.width % c.heads != 0) return 0;
  m->config = c;
  declare_all(m);
  m->memory = calloc(place_all(m, 0), sizeof(real));
  if (!m->memory) return 0;
  place_all(m, m->memory);
  uint64_t state = 0x9e3779b97f4a7c15u + seed;
  for (int i = 0; i < m->parameter_count; ++i) {
    parameter* p = &m->parameters[i];
    const int is_gain = strstr(p->name, "gain") != 0;
    for (size_t k = 0; k < p->count; ++k)
      p->value[k] = (real)(p->rank == 2 ? 0.08 * next_normal(&state) : is_gain);
  }
  return 1;
}

void model_destroy(model* m) { free(m->memory); }

static const real* value(const model* m, int place) { return m->parameters[place].value; }
static real* gradient(const model* m, int place) { return m->parameters[place].gradient; }

static void add(real* out, const real* a, const real* b, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

/* From k->in to `out`. */
static void block_forward(model* m, int b, real* out, int sequences, int length) {
  block_memory* k = &m->blocks[b];
  const int d = m->config.width, rows = sequences * length, at = BLOCK(b);
  const size_t count = (size_t)rows * d;
  normalise(k->normal1, k->moments1, k->in, value(m, at + GAIN1), value(m, at + BIAS1), rows, d);
  linear(k->qkv, k->normal1, value(m, at + QKV), value(m, at + QKV_BIAS), rows, d, 3 * d);
  attend(k->mixed, k->weights, k->qkv, sequences, length, m->config.heads, d);
  linear(k->middle, k->mixed, value(m, at + JOIN), value(m, at + JOIN_BIAS), rows, d, d);
  add(k->middle, k->middle, k->in, count);
  normalise(k->normal2, k->moments2, k->middle, value(m, at + GAIN2), value(m, at + BIAS2), rows,
            d);
  linear(k->raised, k->normal2, value(m, at + RAISE), value(m, at + RAISE_BIAS), rows, d, 4 * d);
  gelu(k->bent, k->raised, rows * 4 * d);
  linear(out, k->bent, value(m, at + LOWER), value(m, at + LOWER_BIAS), rows, 4 * d, d);
  add(out, out, k->middle, count);
}

/* m->d_x is the gradient by what the block gave, then by what it was given. */
static void block_backward(model* m, int b, int sequences, int length) {
  block_memory* k = &m->blocks[b];
  const int d = m->config.width, rows = sequences * length, at = BLOCK(b);
  const size_t count = (size_t)rows * d;
  real *d_bent = m->d_wide, *d_raised = k->bent; /* what was bent is of no more use then */
  memset(d_bent, 0, 4 * count * sizeof(real));
  linear_backward(d_bent, gradient(m, at + LOWER), gradient(m, at + LOWER_BIAS), m->d_x, k->bent,
                  value(m, at + LOWER), rows, 4 * d, d);
  memset(d_raised, 0, 4 * count * sizeof(real));
  gelu_backward(d_raised, d_bent, k->raised, rows * 4 * d);
  memset(m->d_y, 0, count * sizeof(real));
  linear_backward(m->d_y, gradient(m, at + RAISE), gradient(m, at + RAISE_BIAS), d_raised,
                  k->normal2, value(m, at + RAISE), rows, d, 4 * d);
  normalise_backward(m->d_x, gradient(m, at + GAIN2), gradient(m, at + BIAS2), m->d_y, k->moments2,
                     k->middle, value(m, at + GAIN2), rows, d);
  memset(m->d_y, 0, count * sizeof(real));
  linear_backward(m->d_y, gradient(m, at + JOIN), gradient(m, at + JOIN_BIAS), m->d_x, k->mixed,
                  value(m, at + JOIN), rows, d, d);
  real* d_qkv = m->d_wide;
  memset(d_qkv, 0, 3 * count * sizeof(real));
  attend_backward(d_qkv, m->d_y, k->weights, k->qkv, sequences, length, m->config.heads, d);
  memset(m->d_y, 0, count * sizeof(real));
  linear_backward(m->d_y, gradient(m, at + QKV), gradient(m, at + QKV_BIAS), d_qkv, k->normal1,
                  value(m, at + QKV), rows, d, 3 * d);
  normalise_backward(m->d_x, gradient(m, at + GAIN1), gradient(m, at + BIAS1), m->d_y, k->moments1,
                     k->in, value(m, at + GAIN1), rows, d);
}

double model_forward(model* m, const int* tokens, const int* targets, int sequences, int length) {
  const config* c = &m->config;
  const int d = c->width, rows = sequences * length;
  for (int r = 0; r < rows; ++r)
    add(m->blocks[0].in + (size_t)r * d, value(m, TOKENS) + tokens[r] * d,
        value(m, POSITIONS) + r % length * d, d);
  for (int b = 0; b < c->blocks; ++b)
    block_forward(m, b, b + 1 < c->blocks ? m->blocks[b + 1].in : m->out, sequences, length);
  normalise(m->normal, m->moments, m->out, value(m, GAIN), value(m, BIAS), rows, d);
  linear(m->logits, m->normal, value(m, HEAD), 0, rows, d, c->vocabulary);
  return targets ? cross_entropy(m->d_logits, m->logits, targets, rows, c->vocabulary) : 0;
}

void model_backward(model* m, const int* tokens, int sequences, int length) {
  const config* c = &m->config;
  const int d = c->width, rows = sequences * length;
  const size_t count = (size_t)rows * d;
  for (int i = 0; i < m->parameter_count; ++i)
    memset(m->parameters[i].gradient, 0, m->parameters[i].count * sizeof(real));
  memset(m->d_x, 0, count * sizeof(real));
  memset(m->d_y, 0, count * sizeof(real));
  linear_backward(m->d_y, gradient(m, HEAD), 0, m->d_logits, m->normal, value(m, HEAD), rows, d,
                  c->vocabulary);
  normalise_backward(m->d_x, gradient(m, GAIN), gradient(m, BIAS), m->d_y, m->moments, m->out,
                     value(m, GAIN), rows, d);
  for (int b = c->blocks - 1; b >= 0; --b) block_backward(m, b, sequences, length);
  for (int r = 0; r < rows; ++r) {
    real* token = gradient(m, TOKENS) + tokens[r] * d;
    real* position = gradient(m, POSITIONS) + r % length * d;
    add(token, token, m->d_x + (size_t)r * d, d);
    add(position, position, m->d_x + (size_t)r * d, d);
  }
}
