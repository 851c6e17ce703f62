/* An optimizer whose parameters, gradients and states lie in the memory of an NVIDIA GPU. It is an
 * ordinary talweg_optimizer: every function of runtime/optimizer/step.h is for it, and results are
 * those of the host, bit for bit. C11.
 *
 * Work goes into a stream of the caller's, and gradients must be there in the order of that stream.
 * Most steps are a row of launches that waits for nothing and asks nothing of the host; all that
 * differs from step to step is read from the device's memory, so that a stream's capture of such a
 * step can be replayed as a graph. Others are led by the host, which waits for the device between
 * their parts:
 *   - steps in which a state gets its initial value that comes from param or hypers: the first of a
 *     tensor, and the first after a reset or after states were loaded;
 *   - all steps of rules that compute a hyper behind a gradient that they ask for.
 * Where a rule asks for another gradient in some of its steps only, the host waits to hear of it.
 * While a stream is being captured these are refused: TALWEG_NOT_SERVED. So are captured steps with
 * inputs that are numbers of the host's (see talweg_gpu_set_input), and a capture that begins
 * before the device has got what talweg_gpu_send_hypers() sends. Of a step that asks for another
 * gradient both calls are captured, into one graph or two. A graph's steps have the gradients and
 * inputs of elements, rows and columns that they were captured with, wherever those of other steps
 * lie; at most 4 different such places.
 *
 * Functions that read states or counters (and views) wait for the stream. What a rule computes in a
 * step and may not (a hyper out of its range), and an input that a step reads and was not given, is
 * found by the device: the step changes nothing, nor does any after it, and a later call says it.
 */
#ifndef TALWEG_GPU_OPTIMIZER_H
#define TALWEG_GPU_OPTIMIZER_H

#include "runtime/device/cuda_driver.h"
#include "runtime/optimizer/step.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct talweg_gpu_spec {
  /* Tensors are of TALWEG_DEVICE_CUDA, their parameters addresses of the device. The image is that
   * of any host's code of the same plan: of its functions only those that place tensors are called.
   * Not looked at: parallel_for and what follows. */
  talweg_optimizer_spec optimizer;
  const char* ptx; /* of the rule's kernels and those of runtime/gpu/device, for this device */
  talweg_cuda_context context; /* null: the current one */
  talweg_cuda_stream stream;   /* until talweg_gpu_set_stream(); null: the default stream */
  /* Memory of the device for states, of the size that talweg_measure() says and aligned to
   * TALWEG_STATE_ALIGNMENT, which is the caller's; 0: allocated. */
  talweg_cuda_address state_memory;
} talweg_gpu_spec;

/* Where this fails, nothing is left of it. */
talweg_status talweg_gpu_create(const talweg_gpu_spec* spec, talweg_optimizer** optimizer,
                                talweg_error* error);
/* Waits for the stream first. A view that is swapped in is swapped out, a step that waits for a
 * gradient abandoned. Null does nothing. */
void talweg_gpu_destroy(talweg_optimizer* optimizer);

/* Of the optimizer's context. Work that is still in the stream from before comes first. A stream
 * must exist until another one was set, or the optimizer is destroyed. */
talweg_status talweg_gpu_set_stream(talweg_optimizer* optimizer, talweg_cuda_stream stream,
                                    talweg_error* error);

/* Hypers and scalar states that were set reach the device with the next step, and so does what a
 * step that the host led, a reset or loading has left. For graphs, whose steps bring none of it:
 * puts it into the stream now. To be called before a replay that comes after any of these. */
talweg_status talweg_gpu_send_hypers(talweg_optimizer* optimizer, talweg_error* error);

/* Numbers in the device's memory that a step looks at in the order of the stream, and a replayed
 * graph as they are then; 0: there is none. `found_inf`, a float32 that is not 0: the step is left
 * out and counts as no call. `gradient_scale`, a float32: every gradient is divided by it before
 * the step, in place, as PyTorch's GradScaler does: multiplied by the float32 of 1 / scale. */
talweg_status talweg_gpu_set_scaling(talweg_optimizer* optimizer, talweg_cuda_address found_inf,
                                     talweg_cuda_address gradient_scale, talweg_error* error);

/* Numbers in the device's memory in place of an input of the model (one), of groups or tensors (one
 * each): all steps from now on read them, in the order of the stream, and a replayed graph as they
 * are then; what steps are given for this input is not looked at. `is_float`: each is a float32,
 * else a float64. 0: there are none, and what steps are given counts again. Refused
 * (TALWEG_BAD_ARGUMENT): an input of another rate, one that does not exist, an address that is not
 * aligned to its numbers. While a step waits for another gradient: TALWEG_WAITING. */
talweg_status talweg_gpu_set_input(talweg_optimizer* optimizer, uint32_t input,
                                   talweg_cuda_address numbers, int is_float, talweg_error* error);

/* Waits for all steps, and says how the last call ended, or what was refused. `outcome` may be
 * null. */
talweg_status talweg_gpu_wait(talweg_optimizer* optimizer, talweg_outcome* outcome,
                              talweg_error* error);

/* Whether this is the optimizer of a device; its context; its device's number. */
int talweg_is_on_gpu(const talweg_optimizer* optimizer);

#ifdef __cplusplus
}
#endif

#endif
