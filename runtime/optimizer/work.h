/* How the optimizer runs functions of its image and moves elements: right here, or by its device.
 * With TALWEG_HOST_ONLY there are no devices, and nothing of them is compiled. */
#ifndef TALWEG_OPTIMIZER_WORK_H
#define TALWEG_OPTIMIZER_WORK_H

#include <string.h>

#include "runtime/optimizer/device.h"
#include "runtime/optimizer/internal.h"

static inline const talweg_device_calls* talweg_device_of(const talweg_optimizer* optimizer) {
#ifdef TALWEG_HOST_ONLY
  (void)optimizer;
  return 0;
#else
  return optimizer->spec.device;
#endif
}

static inline void talweg_call_row(const talweg_optimizer* optimizer, void* self,
                                   talweg_scalar_function function,
                                   const talweg_scalar_args* args) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device)
    device->run(optimizer->spec.device_context, TALWEG_WORK_ROW, (talweg_handle)function, args, 0,
                1);
  else
    function(self, args);
}

static inline void talweg_call_tensors(const talweg_optimizer* optimizer, void* self,
                                       talweg_tensor_function function,
                                       const talweg_pass_args* args, uint32_t begin, uint32_t end) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device)
    device->run(optimizer->spec.device_context, TALWEG_WORK_TENSORS, (talweg_handle)function, args,
                begin, end);
  else
    function(self, args, begin, end);
}

/* `work`: TALWEG_WORK_LINES or TALWEG_WORK_BLOCKS. */
static inline void talweg_call_lines(const talweg_optimizer* optimizer, void* self,
                                     talweg_work work, talweg_line_function function,
                                     const talweg_pass_args* args, uint32_t begin, uint32_t end) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device)
    device->run(optimizer->spec.device_context, work, (talweg_handle)function, args, begin, end);
  else
    function(self, args, begin, end);
}

static inline void talweg_call_pass(const talweg_optimizer* optimizer, void* self,
                                    talweg_pass_function function, const talweg_pass_args* args,
                                    uint32_t begin, uint32_t end) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device)
    device->run(optimizer->spec.device_context, TALWEG_WORK_CHUNKS, (talweg_handle)function, args,
                begin, end);
  else
    function(self, args, begin, end);
}

static inline void talweg_copy_elements(const talweg_optimizer* optimizer, void* to,
                                        const void* from, size_t bytes) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (bytes == 0) return;
  if (device)
    device->copy(optimizer->spec.device_context, to, from, bytes);
  else
    memcpy(to, from, bytes);
}

/* The same for many: they are done after talweg_finish_copies, which is to follow whatever fails.
 */
static inline void talweg_begin_copy(const talweg_optimizer* optimizer, void* to, const void* from,
                                     size_t bytes) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (bytes == 0) return;
  if (device)
    device->begin_copy(optimizer->spec.device_context, to, from, bytes);
  else
    memcpy(to, from, bytes);
}

static inline void talweg_finish_copies(const talweg_optimizer* optimizer) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device) device->finish_copies(optimizer->spec.device_context);
}

/* With a value, in the image's compute type. */
static inline void talweg_fill_elements(const talweg_optimizer* optimizer, void* start,
                                        uint64_t element_count, double value) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  const uint32_t dtype = optimizer->image->compute_dtype;
  if (element_count == 0) return;
  if (device)
    device->fill(optimizer->spec.device_context, start, element_count, dtype, value);
  else
    talweg_fill(start, element_count, dtype, value);
}

/* Into a table of lines that functions of the image read; null: zeros. */
static inline void talweg_put_lines(const talweg_optimizer* optimizer, void* to, const void* from,
                                    size_t bytes) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (bytes == 0) return;
  if (device)
    device->put(optimizer->spec.device_context, to, from, bytes);
  else if (from)
    memcpy(to, from, bytes);
  else
    memset(to, 0, bytes);
}

/* Inputs that the device has are there, though the step was not given them. */
static inline void talweg_take_inputs(const talweg_optimizer* optimizer) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (device) device->inputs(optimizer->spec.device_context);
}

/* Before persistent data, or what the last step left, is read or written. */
static inline talweg_status talweg_settle(const talweg_optimizer* optimizer, talweg_error* error) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (!device) return TALWEG_OK;
  return device->settle(optimizer->spec.device_context, (talweg_optimizer*)optimizer, error);
}

/* What has gone wrong in the calls above; else `status`. */
static inline talweg_status talweg_or_failure(const talweg_optimizer* optimizer,
                                              talweg_status status, talweg_error* error) {
  const talweg_device_calls* device = talweg_device_of(optimizer);
  if (!device) return status;
  const talweg_status failure = device->failure(optimizer->spec.device_context, error);
  return failure != TALWEG_OK ? failure : status;
}

/* Where a block of chunks ends that is copied, then computed while it is still in a core's own
 * cache. A device has none such, and goes over all chunks at once. */
static inline uint32_t talweg_block_end(const talweg_optimizer* optimizer, uint32_t begin,
                                        uint32_t end) {
  const uint32_t chunks = 4;
  return talweg_device_of(optimizer) || end - begin < chunks ? end : begin + chunks;
}

/* Elements of a tensor: some of its chunks that follow one another. */
typedef struct talweg_chunk_run {
  uint32_t tensor, chunk_end;
  size_t offset, bytes; /* in each of its streams */
  uint64_t element_count;
} talweg_chunk_run;

/* What chunks [begin, end) have of the tensor of the first of them. */
static inline talweg_chunk_run talweg_run_of(const talweg_optimizer* optimizer, uint32_t begin,
                                             uint32_t end) {
  const talweg_chunk* first = &optimizer->chunks[begin];
  talweg_chunk_run run = {.tensor = first->tensor_index, .chunk_end = end};
  if (run.chunk_end > optimizer->first_chunks[run.tensor + 1])
    run.chunk_end = optimizer->first_chunks[run.tensor + 1];
  const talweg_chunk* last = &optimizer->chunks[run.chunk_end - 1];
  run.element_count = last->first_element + last->element_count - first->first_element;
  run.offset = (size_t)first->first_element * optimizer->element_bytes;
  run.bytes = (size_t)run.element_count * optimizer->element_bytes;
  return run;
}

#endif
