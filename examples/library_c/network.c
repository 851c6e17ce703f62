/* See network.h. */
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A part of a loop over the outputs or inputs of a layer. */
enum { LINES = 32 };

typedef struct loop {
  const layer* l;
  const float* in; /* [rows][inputs] */
  float* d_in;     /* the same, or null */
  uint64_t rows;
  int is_last; /* without ReLU */
} loop;

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint32_t parts(uint64_t lines) { return (uint32_t)((lines + LINES - 1) / LINES); }

/* Outputs LINES * part and on, of all rows. */
static void compute_outputs(void* argument, uint32_t part) {
  const loop* work = argument;
  const layer* l = work->l;
  for (uint64_t o = LINES * (uint64_t)part; o < smaller(l->outputs, LINES * (part + 1ull)); ++o)
    for (uint64_t r = 0; r < work->rows; ++r) {
      float sum = l->bias[o];
      for (uint64_t i = 0; i < l->inputs; ++i)
        sum += l->weight[o * l->inputs + i] * work->in[r * l->inputs + i];
      l->out[r * l->outputs + o] = work->is_last || sum > 0 ? sum : 0;
    }
}

/* Gradients of the weights and biases of outputs LINES * part and on. */
static void compute_weight_gradients(void* argument, uint32_t part) {
  const loop* work = argument;
  const layer* l = work->l;
  for (uint64_t o = LINES * (uint64_t)part; o < smaller(l->outputs, LINES * (part + 1ull)); ++o) {
    float* d_row = l->d_weight + o * l->inputs;
    memset(d_row, 0, l->inputs * sizeof(float));
    l->d_bias[o] = 0;
    for (uint64_t r = 0; r < work->rows; ++r) {
      const float d = l->d_out[r * l->outputs + o];
      l->d_bias[o] += d;
      for (uint64_t i = 0; i < l->inputs; ++i) d_row[i] += d * work->in[r * l->inputs + i];
    }
  }
}

/* Gradients by inputs LINES * part and on, which are 0 where ReLU cut off. */
static void compute_input_gradients(void* argument, uint32_t part) {
  const loop* work = argument;
  const layer* l = work->l;
  const uint64_t begin = LINES * (uint64_t)part, end = smaller(l->inputs, begin + LINES);
  for (uint64_t r = 0; r < work->rows; ++r) {
    float* d_in = work->d_in + r * l->inputs;
    for (uint64_t i = begin; i < end; ++i) d_in[i] = 0;
    for (uint64_t o = 0; o < l->outputs; ++o) {
      const float d = l->d_out[r * l->outputs + o];
      for (uint64_t i = begin; i < end; ++i) d_in[i] += d * l->weight[o * l->inputs + i];
    }
    for (uint64_t i = begin; i < end; ++i)
      if (!(work->in[r * l->inputs + i] > 0)) d_in[i] = 0;
  }
}

const float* network_forward(network* n, const float* samples, uint64_t rows) {
  const float* in = samples;
  for (int k = 0; k < LAYERS; ++k) {
    loop work = {.l = &n->layers[k], .in = in, .rows = rows, .is_last = k == LAYERS - 1};
    pool_run(n->threads, parts(work.l->outputs), compute_outputs, &work);
    in = work.l->out;
  }
  return in;
}

/* Softmax and its cross entropy: writes the gradient by the scores of the last layer. */
static double compute_loss(layer* last, const int* classes, uint64_t rows) {
  double loss = 0;
  for (uint64_t r = 0; r < rows; ++r) {
    const float* scores = last->out + r * last->outputs;
    double largest = scores[0], sum = 0;
    for (uint64_t c = 1; c < last->outputs; ++c) largest = fmax(largest, scores[c]);
    for (uint64_t c = 0; c < last->outputs; ++c) sum += exp(scores[c] - largest);
    loss += log(sum) + largest - scores[classes[r]];
    for (uint64_t c = 0; c < last->outputs; ++c)
      last->d_out[r * last->outputs + c] =
          (float)((exp(scores[c] - largest) / sum - ((int)c == classes[r])) / (double)rows);
  }
  return loss / (double)rows;
}

double network_backward(network* n, const float* samples, const int* classes, uint64_t rows) {
  const double loss = compute_loss(&n->layers[LAYERS - 1], classes, rows);
  for (int k = LAYERS - 1; k >= 0; --k) {
    loop work = {.l = &n->layers[k], .rows = rows};
    work.in = k > 0 ? n->layers[k - 1].out : samples;
    work.d_in = k > 0 ? n->layers[k - 1].d_out : 0;
    pool_run(n->threads, parts(work.l->outputs), compute_weight_gradients, &work);
    if (k > 0) pool_run(n->threads, parts(work.l->inputs), compute_input_gradients, &work);
  }
  return loss;
}

/* Uniform in [-1, 1), always the same sequence. */
static float next_random(uint32_t* state) {
  *state = *state * 1664525u + 1013904223u;
  return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

int network_create(network* n, const uint64_t* widths, pool* threads) {
  uint32_t random = 1;
  n->threads = threads;
  for (int k = 0; k < LAYERS; ++k) {
    layer* l = &n->layers[k];
    l->inputs = widths[k];
    l->outputs = widths[k + 1];
    const uint64_t count = l->inputs * l->outputs;
    l->weight = malloc((2 * count + 2 * (1 + MAX_BATCH) * l->outputs) * sizeof(float));
    if (!l->weight) return 0;
    l->d_weight = l->weight + count;
    l->bias = l->d_weight + count;
    l->d_bias = l->bias + l->outputs;
    l->out = l->d_bias + l->outputs;
    l->d_out = l->out + MAX_BATCH * l->outputs;
    const float scale = sqrtf(6.0f / (float)l->inputs);
    for (uint64_t i = 0; i < count; ++i) l->weight[i] = scale * next_random(&random);
    memset(l->bias, 0, l->outputs * sizeof(float));
  }
  return 1;
}

void network_destroy(network* n) {
  for (int k = 0; k < LAYERS; ++k) free(n->layers[k].weight);
}
