/* A small transformer over characters: two embeddings, blocks of attention and a network of two
 * layers, each behind a normalisation and beside a way around, and a classifier of the next
 * character. */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "layers.h"

enum { MAX_BLOCKS = 8, MAX_PARAMETERS = 5 + 12 * MAX_BLOCKS };

typedef struct config {
  int vocabulary, context; /* characters that there are, and that are looked at */
  int blocks, heads, width;
  int sequences; /* at most so many at once */
} config;

typedef struct parameter {
  char name[32];
  uint64_t shape[2];
  uint32_t rank;
  int decays; /* a matrix that multiplies: weight decay is for those */
  size_t count;
  real *value, *gradient; /* [shape] */
} parameter;

/* What the forward pass of a block leaves for the backward pass. `rows` are sequences * context. */
typedef struct block_memory {
  real *in, *normal1, *moments1; /* [rows][width], [rows][width], [rows][2] */
  real *qkv, *weights, *mixed;   /* [rows][3 width], [sequences][heads][context]^2, [rows][width] */
  real *middle, *normal2, *moments2;
  real *raised, *bent; /* [rows][4 width] */
} block_memory;

typedef struct model {
  config config;
  parameter parameters[MAX_PARAMETERS];
  int parameter_count;
  block_memory blocks[MAX_BLOCKS];
  real *out, *normal, *moments; /* behind the last block */
  real *logits, *d_logits;      /* [rows][vocabulary] */
  real *d_x, *d_y, *d_wide;     /* [rows][width], [rows][width], [rows][4 width] */
  void* memory;
} model;

/* Parameters begin with small random numbers that depend on `seed`. 0 if there is no memory. */
int model_create(model* m, config c, uint64_t seed);
void model_destroy(model* m);

/* Predicts the character behind each of tokens [sequences][length]. Returns the mean loss by
 * targets, which may be null. */
double model_forward(model* m, const int* tokens, const int* targets, int sequences, int length);
/* The gradients of the loss of the last forward pass, which had these arguments. */
void model_backward(model* m, const int* tokens, int sequences, int length);

/* Random numbers, uniform in [0, 1). */
double next_random(uint64_t* state);

#endif
