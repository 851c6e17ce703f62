/* A classifier of three layers with ReLU between them. Loops over rows of a matrix are tasks of a
 * pool, cut so that every number is computed by one task: the bits do not depend on threads. */
#ifndef NETWORK_H
#define NETWORK_H

#include "pool.h"

enum { LAYERS = 3, MAX_BATCH = 64 };

typedef struct layer {
  uint64_t inputs, outputs;
  float *weight, *bias;     /* [outputs][inputs], [outputs] */
  float *d_weight, *d_bias; /* gradients of the loss */
  float *out, *d_out;       /* [MAX_BATCH][outputs] */
} layer;

typedef struct network {
  layer layers[LAYERS];
  pool* threads;
} network;

/* `widths` [LAYERS + 1]. 0 if there is no memory. */
int network_create(network* n, const uint64_t* widths, pool* threads);
void network_destroy(network* n);

/* Scores [rows][classes] of samples [rows][features], in the last layer's `out`. */
const float* network_forward(network* n, const float* samples, uint64_t rows);
/* The mean loss of scores, and its gradients by all parameters. */
double network_backward(network* n, const float* samples, const int* classes, uint64_t rows);

#endif
