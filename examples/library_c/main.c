/* Trains a classifier of wines with a library made by talweg, on threads of its own.
 *
 *     train_wine FILE THREADS
 *
 * FILE is examples/data/wine.csv. Prints the loss, what share of wines that were not trained on is
 * recognised, and a hash of all parameters, which is the same for any number of threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "adamw.h"
#include "network.h"

enum { MAX_ROWS = 200, FEATURES = 13, CLASSES = 3, BATCH = 32, EPOCHS = 20 };

typedef struct wines {
  float features[MAX_ROWS][FEATURES];
  int classes[MAX_ROWS];
  uint64_t rows;
} wines;

/* 13 numbers and the class a line, behind one line of names. */
static int read_wines(wines* w, const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) return 0;
  char line[1024];
  int is_good = fgets(line, sizeof line, file) != 0;
  while (is_good && w->rows < MAX_ROWS && fgets(line, sizeof line, file)) {
    char* rest = line;
    for (int f = 0; f < FEATURES && is_good; ++f) {
      w->features[w->rows][f] = strtof(rest, &rest);
      is_good = *rest == ',';
      rest += is_good;
    }
    w->classes[w->rows] = is_good ? atoi(rest) - 1 : -1;
    is_good &= w->classes[w->rows] >= 0 && w->classes[w->rows] < CLASSES;
    ++w->rows;
  }
  fclose(file);
  return is_good && w->rows > BATCH;
}

/* Every feature gets mean 0 and deviation 1. */
static void standardise(wines* w) {
  for (int f = 0; f < FEATURES; ++f) {
    double sum = 0, squares = 0;
    for (uint64_t r = 0; r < w->rows; ++r) sum += w->features[r][f];
    const double mean = sum / (double)w->rows;
    for (uint64_t r = 0; r < w->rows; ++r) squares += pow(w->features[r][f] - mean, 2);
    const double deviation = sqrt(squares / (double)w->rows);
    for (uint64_t r = 0; r < w->rows; ++r)
      w->features[r][f] = (float)((w->features[r][f] - mean) / deviation);
  }
}

/* The file is sorted by class, so it is mixed; every fifth wine is kept apart for a test. */
static void divide(const wines* all, wines* train, wines* test) {
  const uint64_t stride = 59; /* has no factor in common with the number of rows */
  for (uint64_t i = 0; i < all->rows; ++i) {
    const uint64_t from = i * stride % all->rows;
    wines* to = i % 5 == 0 ? test : train;
    for (int f = 0; f < FEATURES; ++f) to->features[to->rows][f] = all->features[from][f];
    to->classes[to->rows++] = all->classes[from];
  }
}

/* An optimizer of all parameters: weights are group 0, biases group 1, which is not decayed. Its
 * loops run on the same threads as the network's. */
static adamw_status make_optimizer(network* n, uint32_t threads, adamw_optimizer** optimizer,
                                   adamw_error* error) {
  static const char* const names[LAYERS][2] = {
      {"1.weight", "1.bias"}, {"2.weight", "2.bias"}, {"3.weight", "3.bias"}};
  uint64_t shapes[LAYERS][2];
  adamw_tensor tensors[2 * LAYERS] = {{0}};
  for (int k = 0; k < LAYERS; ++k) {
    adamw_tensor *weight = &tensors[2 * k], *bias = &tensors[2 * k + 1];
    shapes[k][0] = n->layers[k].outputs;
    shapes[k][1] = n->layers[k].inputs;
    weight->name = names[k][0];
    bias->name = names[k][1];
    weight->shape = bias->shape = shapes[k];
    weight->rank = 2;
    bias->rank = 1;
    weight->param = n->layers[k].weight;
    bias->param = n->layers[k].bias;
    bias->group = 1;
  }
  adamw_spec spec = {0};
  spec.interface_version = ADAMW_INTERFACE;
  spec.tensors = tensors;
  spec.tensor_count = 2 * LAYERS;
  spec.group_count = 2;
  spec.thread_count = threads;
  spec.parallel_for = pool_run;
  spec.parallel_context = n->threads;
  adamw_status status = adamw_create(&spec, optimizer, error);
  adamw_hypers hypers = adamw_defaults();
  hypers.weight_decay = 0.1;
  if (!status) status = adamw_set_hypers(*optimizer, 0, &hypers, error);
  hypers.weight_decay = 0;
  if (!status) status = adamw_set_hypers(*optimizer, 1, &hypers, error);
  return status;
}

static double share_recognised(network* n, const wines* w) {
  uint64_t right = 0;
  for (uint64_t begin = 0; begin < w->rows; begin += MAX_BATCH) {
    const uint64_t rows = w->rows - begin < MAX_BATCH ? w->rows - begin : MAX_BATCH;
    const float* scores = network_forward(n, w->features[begin], rows);
    for (uint64_t r = 0; r < rows; ++r) {
      int best = 0;
      for (int c = 1; c < CLASSES; ++c)
        if (scores[r * CLASSES + c] > scores[r * CLASSES + best]) best = c;
      right += best == w->classes[begin + r];
    }
  }
  return (double)right / (double)w->rows;
}

static adamw_status train(network* n, const wines* w, adamw_optimizer* optimizer,
                          adamw_error* error) {
  adamw_element* gradients[2 * LAYERS];
  for (int k = 0; k < LAYERS; ++k) {
    gradients[2 * k] = n->layers[k].d_weight;
    gradients[2 * k + 1] = n->layers[k].d_bias;
  }
  for (int epoch = 1; epoch <= EPOCHS; ++epoch) {
    double loss = 0;
    uint64_t batches = 0;
    for (uint64_t begin = 0; begin + BATCH <= w->rows; begin += BATCH, ++batches) {
      network_forward(n, w->features[begin], BATCH);
      loss += network_backward(n, w->features[begin], &w->classes[begin], BATCH);
      const adamw_status status = adamw_step(optimizer, gradients, NULL, error);
      if (status) return status;
    }
    if (epoch % 5 == 0 || epoch == 1)
      printf("epoch %d, loss %.6f\n", epoch, loss / (double)batches);
  }
  return ADAMW_OK;
}

/* FNV-1a of all parameters: the same number means the same bits. */
static uint64_t hash_parameters(const network* n) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int k = 0; k < LAYERS; ++k) {
    const layer* l = &n->layers[k];
    const unsigned char* bytes = (const unsigned char*)l->weight;
    for (uint64_t i = 0; i < l->inputs * l->outputs * sizeof(float); ++i)
      hash = (hash ^ bytes[i]) * 0x100000001b3u;
    bytes = (const unsigned char*)l->bias;
    for (uint64_t i = 0; i < l->outputs * sizeof(float); ++i)
      hash = (hash ^ bytes[i]) * 0x100000001b3u;
  }
  return hash;
}

int main(int argc, char** argv) {
  static wines all, kept, apart;
  const uint64_t widths[LAYERS + 1] = {FEATURES, 256, 256, CLASSES};
  const int threads = argc == 3 ? atoi(argv[2]) : 0;
  if (threads < 1) return fputs("usage: train_wine FILE THREADS\n", stderr), 2;
  if (!read_wines(&all, argv[1])) return fprintf(stderr, "cannot read %s\n", argv[1]), 1;
  standardise(&all);
  divide(&all, &kept, &apart);
  network n = {0};
  pool* pool = pool_create((uint32_t)threads);
  adamw_optimizer* optimizer = NULL;
  adamw_error error = {ADAMW_NO_MEMORY, "there is not enough memory"};
  int ended = 1;
  if (pool && network_create(&n, widths, pool) &&
      !make_optimizer(&n, (uint32_t)threads, &optimizer, &error) &&
      !train(&n, &kept, optimizer, &error)) {
    printf("recognised %.1f%% of %d other wines\n", 100 * share_recognised(&n, &apart),
           (int)apart.rows);
    printf("parameters %016llx on %s\n", (unsigned long long)hash_parameters(&n),
           adamw_cpu(optimizer));
    ended = 0;
  } else {
    fprintf(stderr, "%s\n", error.message);
  }
  adamw_destroy(optimizer);
  network_destroy(&n);
  pool_destroy(pool);
  return ended;
}
