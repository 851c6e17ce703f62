/* The layers of a transformer, forward and backward, on row-major arrays. A backward function adds
 * to the gradients that it computes; `d_x` is the gradient of the loss by `x`. */
#ifndef LAYERS_H
#define LAYERS_H

/* The check of gradients compiles all this for double. */
#ifndef REAL
#define REAL float
#endif
typedef REAL real;

/* out [rows][outputs] = in [rows][inputs] * weight [inputs][outputs] + bias [outputs]; bias may be
 * null. */
void linear(real* out, const real* in, const real* weight, const real* bias, int rows, int inputs,
            int outputs);
void linear_backward(real* d_in, real* d_weight, real* d_bias, const real* d_out, const real* in,
                     const real* weight, int rows, int inputs, int outputs);

/* Every row gets mean 0 and deviation 1, then gain and bias. `moments` [rows][2] is kept for the
 * way back. */
void normalise(real* out, real* moments, const real* in, const real* gain, const real* bias,
               int rows, int width);
void normalise_backward(real* d_in, real* d_gain, real* d_bias, const real* d_out,
                        const real* moments, const real* in, const real* gain, int rows, int width);

/* Causal attention: qkv [sequences * length][3 * width] to out [sequences * length][width].
 * `weights` [sequences][heads][length][length] is kept for the way back. */
void attend(real* out, real* weights, const real* qkv, int sequences, int length, int heads,
            int width);
void attend_backward(real* d_qkv, const real* d_out, const real* weights, const real* qkv,
                     int sequences, int length, int heads, int width);

/* The smooth step of GELU, by its approximation with tanh. */
void gelu(real* out, const real* in, int count);
void gelu_backward(real* d_in, const real* d_out, const real* in, int count);

/* The mean over rows of -log(softmax(logits)[target]). d_logits may be null, else it is written. */
double cross_entropy(real* d_logits, const real* logits, const int* targets, int rows, int classes);

#endif
