/* See layers.h. Inner loops go over consecutive elements, so that a compiler can use vectors. */
#include "layers.h"

#include <math.h>

/* Eight sums side by side: a single one would have to wait for each addition. */
static real dot(const real* a, const real* b, int count) {
  real sums[8] = {0};
  int i = 0;
  for (; i + 8 <= count; i += 8)
    for (int k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  for (int k = 0; i < count; ++i, ++k) sums[k] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static void add_scaled(real* to, real factor, const real* from, int count) {
  for (int i = 0; i < count; ++i) to[i] += factor * from[i];
}

void linear(real* out, const real* in, const real* weight, const real* bias, int rows, int inputs,
            int outputs) {
  for (int r = 0; r < rows; ++r) {
    real* row = out + r * outputs;
    for (int o = 0; o < outputs; ++o) row[o] = bias ? bias[o] : 0;
    for (int i = 0; i < inputs; ++i)
      add_scaled(row, in[r * inputs + i], weight + i * outputs, outputs);
  }
}

void linear_backward(real* d_in, real* d_weight, real* d_bias, const real* d_out, const real* in,
                     const real* weight, int rows, int inputs, int outputs) {
  for (int r = 0; r < rows; ++r) {
    const real* d_row = d_out + r * outputs;
    if (d_bias) add_scaled(d_bias, 1, d_row, outputs);
    for (int i = 0; i < inputs; ++i) {
      d_in[r * inputs + i] += dot(d_row, weight + i * outputs, outputs);
      add_scaled(d_weight + i * outputs, in[r * inputs + i], d_row, outputs);
    }
  }
}

void normalise(real* out, real* moments, const real* in, const real* gain, const real* bias,
               int rows, int width) {
  for (int r = 0; r < rows; ++r) {
    const real* x = in + r * width;
    real mean = 0, variance = 0;
    for (int i = 0; i < width; ++i) mean += x[i];
    mean /= width;
    for (int i = 0; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
    const real scale = 1 / (real)sqrt(variance / width + 1e-5);
    for (int i = 0; i < width; ++i) out[r * width + i] = (x[i] - mean) * scale * gain[i] + bias[i];
    moments[2 * r] = mean;
    moments[2 * r + 1] = scale;
  }
}

void normalise_backward(real* d_in, real* d_gain, real* d_bias, const real* d_out,
                        const real* moments, const real* in, const real* gain, int rows,
                        int width) {
  for (int r = 0; r < rows; ++r) {
    const real *x = in + r * width, *d_y = d_out + r * width;
    const real mean = moments[2 * r], scale = moments[2 * r + 1];
    /* The gradient by the normalised row, freed of what mean and deviation take up. */
    real total = 0, along = 0;
    for (int i = 0; i < width; ++i) {
      const real normal = (x[i] - mean) * scale;
      d_gain[i] += d_y[i] * normal;
      d_bias[i] += d_y[i];
      total += d_y[i] * gain[i];
      along += d_y[i] * gain[i] * normal;
    }
    for (int i = 0; i < width; ++i) {
      const real normal = (x[i] - mean) * scale;
      d_in[r * width + i] += scale * (d_y[i] * gain[i] - total / width - normal * along / width);
    }
  }
}

/* Scores to weights that sum to 1. */
static void softmax(real* scores, int count) {
  real largest = scores[0], sum = 0;
  for (int i = 1; i < count; ++i) largest = scores[i] > largest ? scores[i] : largest;
  for (int i = 0; i < count; ++i) sum += scores[i] = (real)exp(scores[i] - largest);
  for (int i = 0; i < count; ++i) scores[i] /= sum;
}

/* One head in one sequence: its part of `qkv`, whose rows are queries, keys and values side by
 * side. */
typedef struct {
  int row, column; /* where its part of the output begins */
  const real *q, *k, *v;
} head;

static head find_head(const real* qkv, int index, int length, int heads, int width) {
  head found;
  found.row = index / heads * length;
  found.column = index % heads * (width / heads);
  found.q = qkv + found.row * 3 * width + found.column;
  found.k = found.q + width;
  found.v = found.q + 2 * width;
  return found;
}

void attend(real* out, real* weights, const real* qkv, int sequences, int length, int heads,
            int width) {
  const int size = width / heads, stride = 3 * width;
  const real scale = 1 / (real)sqrt(size);
  for (int sh = 0; sh < sequences * heads; ++sh) {
    const head at = find_head(qkv, sh, length, heads, width);
    for (int t = 0; t < length; ++t) {
      real* w = weights + (sh * length + t) * length;
      real* mixed = out + (at.row + t) * width + at.column;
      for (int s = 0; s <= t; ++s) w[s] = scale * dot(at.q + t * stride, at.k + s * stride, size);
      softmax(w, t + 1);
      for (int i = 0; i < size; ++i) mixed[i] = 0;
      for (int s = 0; s <= t; ++s) add_scaled(mixed, w[s], at.v + s * stride, size);
    }
  }
}

void attend_backward(real* d_qkv, const real* d_out, const real* weights, const real* qkv,
                     int sequences, int length, int heads, int width) {
  const int size = width / heads, stride = 3 * width;
  const real scale = 1 / (real)sqrt(size);
  for (int sh = 0; sh < sequences * heads; ++sh) {
    const head at = find_head(qkv, sh, length, heads, width);
    real* d_q = d_qkv + (at.q - qkv);
    real *d_k = d_q + width, *d_v = d_q + 2 * width;
    for (int t = 0; t < length; ++t) {
      const real* w = weights + (sh * length + t) * length;
      const real* d_mixed = d_out + (at.row + t) * width + at.column;
      real mean = 0; /* of the weights' gradients, by the weights */
      for (int s = 0; s <= t; ++s) mean += w[s] * dot(d_mixed, at.v + s * stride, size);
      for (int s = 0; s <= t; ++s) {
        const real d_score = scale * w[s] * (dot(d_mixed, at.v + s * stride, size) - mean);
        add_scaled(d_v + s * stride, w[s], d_mixed, size);
        add_scaled(d_q + t * stride, d_score, at.k + s * stride, size);
        add_scaled(d_k + s * stride, d_score, at.q + t * stride, size);
      }
    }
  }
}

static const double kGeluScale = 0.7978845608028654; /* sqrt(2 / pi) */
static const double kGeluCube = 0.044715;

void gelu(real* out, const real* in, int count) {
  for (int i = 0; i < count; ++i) {
    const double x = in[i];
    out[i] = (real)(0.5 * x * (1 + tanh(kGeluScale * (x + kGeluCube * x * x * x))));
  }
}

void gelu_backward(real* d_in, const real* d_out, const real* in, int count) {
  for (int i = 0; i < count; ++i) {
    const double x = in[i];
    const double bent = tanh(kGeluScale * (x + kGeluCube * x * x * x));
    const double slope = kGeluScale * (1 + 3 * kGeluCube * x * x) * (1 - bent * bent);
    d_in[i] += (real)(d_out[i] * (0.5 * (1 + bent) + 0.5 * x * slope));
  }
}

double cross_entropy(real* d_logits, const real* logits, const int* targets, int rows,
                     int classes) {
  double loss = 0;
  for (int r = 0; r < rows; ++r) {
    const real* row = logits + r * classes;
    double largest = row[0], sum = 0;
    for (int c = 1; c < classes; ++c) largest = row[c] > largest ? row[c] : largest;
    for (int c = 0; c < classes; ++c) sum += exp(row[c] - largest);
    loss += log(sum) + largest - row[targets[r]];
    for (int c = 0; d_logits && c < classes; ++c)
      d_logits[r * classes + c] = (real)((exp(row[c] - largest) / sum - (c == targets[r])) / rows);
  }
  return loss / rows;
}
