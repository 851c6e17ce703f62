/* The driver's calls as the rest of talweg makes them: each opens the driver on first use, gives
 * TALWEG_CUDA_OK or what was refused, and then says in `error` (which may be null) which call it
 * was and why. A failed call leaves what it was to give untouched or null.
 *
 * Contexts and streams belong to the caller. Only talweg_cuda_enter() makes another context
 * current, until talweg_cuda_leave(). */
#ifndef TALWEG_DEVICE_CUDA_CALLS_H
#define TALWEG_DEVICE_CUDA_CALLS_H

#include "runtime/device/cuda_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Devices. */
typedef struct talweg_cuda_facts {
  char name[256];
  char uuid[37]; /* 8-4-4-4-12 hexadecimal digits */
  int32_t capability_major, capability_minor;
  int32_t multiprocessors;
  uint64_t memory_bytes;
} talweg_cuda_facts;

/* What the driver serves at most: 12040 is CUDA 12.4. */
int32_t talweg_cuda_driver_version(int32_t* version, talweg_cuda_error* error);
int32_t talweg_cuda_device_count(int32_t* count, talweg_cuda_error* error);
int32_t talweg_cuda_describe(int32_t device, talweg_cuda_facts* facts, talweg_cuda_error* error);

/* Contexts. A device's primary context is the one that CUDA's runtime and PyTorch use; whoever
 * retains it releases it. */
int32_t talweg_cuda_retain_context(int32_t device, talweg_cuda_context* context,
                                   talweg_cuda_error* error);
int32_t talweg_cuda_release_context(int32_t device, talweg_cuda_error* error);
/* Null where this thread has none. */
int32_t talweg_cuda_current_context(talweg_cuda_context* context, talweg_cuda_error* error);
/* The device of the current context. */
int32_t talweg_cuda_current_device(int32_t* device, talweg_cuda_error* error);
/* Makes a context current, and the one from before again. Where what stands between them failed,
 * leave with a null `error`. */
int32_t talweg_cuda_enter(talweg_cuda_context context, talweg_cuda_error* error);
int32_t talweg_cuda_leave(talweg_cuda_context context, talweg_cuda_error* error);
/* Waits for all work of the current context. */
int32_t talweg_cuda_wait_for_context(talweg_cuda_error* error);

/* Memory of the current context's device. */
int32_t talweg_cuda_allocate(talweg_cuda_address* address, uint64_t bytes,
                             talweg_cuda_error* error);
int32_t talweg_cuda_free(talweg_cuda_address address, talweg_cuda_error* error);
int32_t talweg_cuda_memory(uint64_t* free_bytes, uint64_t* all_bytes, talweg_cuda_error* error);
/* Memory of the host that copies can run beside: only such may be changed or read by the device
 * after a copy's call has returned. */
int32_t talweg_cuda_allocate_pinned(void** memory, uint64_t bytes, talweg_cuda_error* error);
int32_t talweg_cuda_free_pinned(void* memory, talweg_cuda_error* error);
/* Which device has allocated the memory at an address; -1: none has, it is the host's. */
int32_t talweg_cuda_device_of(talweg_cuda_address address, int32_t* device,
                              talweg_cuda_error* error);
/* In a stream's order. The host's memory must stay until the stream has been waited for. */
int32_t talweg_cuda_copy_in(talweg_cuda_address to, const void* from, uint64_t bytes,
                            talweg_cuda_stream stream, talweg_cuda_error* error);
int32_t talweg_cuda_copy_out(void* to, talweg_cuda_address from, uint64_t bytes,
                             talweg_cuda_stream stream, talweg_cuda_error* error);
int32_t talweg_cuda_copy_within(talweg_cuda_address to, talweg_cuda_address from, uint64_t bytes,
                                talweg_cuda_stream stream, talweg_cuda_error* error);
/* From memory of the host or of a device to such. */
int32_t talweg_cuda_copy(talweg_cuda_address to, talweg_cuda_address from, uint64_t bytes,
                         talweg_cuda_stream stream, talweg_cuda_error* error);
int32_t talweg_cuda_fill(talweg_cuda_address to, uint8_t byte, uint64_t bytes,
                         talweg_cuda_stream stream, talweg_cuda_error* error);

/* Code. PTX is a text that ends with a 0; what the driver's compiler says of it is in the error. */
int32_t talweg_cuda_load(talweg_cuda_module* module, const char* ptx, talweg_cuda_error* error);
int32_t talweg_cuda_unload(talweg_cuda_module module, talweg_cuda_error* error);
int32_t talweg_cuda_find(talweg_cuda_function* function, talweg_cuda_module module,
                         const char* name, talweg_cuda_error* error);
typedef struct talweg_cuda_usage {
  int32_t registers;    /* of a thread */
  int32_t local_bytes;  /* of a thread: spilled registers, arrays */
  int32_t shared_bytes; /* of a block */
} talweg_cuda_usage;
int32_t talweg_cuda_function_usage(talweg_cuda_function function, talweg_cuda_usage* usage,
                                   talweg_cuda_error* error);
/* Lets launches ask for up to so much dynamic shared memory. */
int32_t talweg_cuda_allow_shared(talweg_cuda_function function, uint32_t bytes,
                                 talweg_cuda_error* error);
/* How many blocks of so many threads fit on a multiprocessor at a time. */
int32_t talweg_cuda_blocks_at_once(talweg_cuda_function function, uint32_t threads,
                                   uint32_t shared_bytes, int32_t* blocks,
                                   talweg_cuda_error* error);
typedef struct talweg_cuda_grid {
  uint32_t blocks, blocks_y; /* along x and y; neither may be 0 */
  uint32_t threads;          /* of a block, along x */
  uint32_t shared_bytes;     /* dynamic ones, of a block */
} talweg_cuda_grid;
/* Runs a kernel whose parameters have 8 bytes each, and are at most 8. */
int32_t talweg_cuda_launch(talweg_cuda_function function, const talweg_cuda_grid* grid,
                           talweg_cuda_stream stream, const uint64_t* parameters,
                           uint32_t parameter_count, talweg_cuda_error* error);

/* Streams and events. A stream that is made here does not wait for the default stream. */
int32_t talweg_cuda_create_stream(talweg_cuda_stream* stream, talweg_cuda_error* error);
int32_t talweg_cuda_destroy_stream(talweg_cuda_stream stream, talweg_cuda_error* error);
int32_t talweg_cuda_wait(talweg_cuda_stream stream, talweg_cuda_error* error);
/* Everything after it in the stream waits for what the event has recorded. */
int32_t talweg_cuda_wait_in_stream(talweg_cuda_stream stream, talweg_cuda_event event,
                                   talweg_cuda_error* error);
/* Whether the stream's calls are being recorded into a graph, even if one of them has failed. */
int32_t talweg_cuda_is_capturing(talweg_cuda_stream stream, int32_t* is_capturing,
                                 talweg_cuda_error* error);
int32_t talweg_cuda_stream_context(talweg_cuda_stream stream, talweg_cuda_context* context,
                                   talweg_cuda_error* error);
int32_t talweg_cuda_create_event(talweg_cuda_event* event, int32_t measures_time,
                                 talweg_cuda_error* error);
int32_t talweg_cuda_destroy_event(talweg_cuda_event event, talweg_cuda_error* error);
int32_t talweg_cuda_record(talweg_cuda_event event, talweg_cuda_stream stream,
                           talweg_cuda_error* error);
int32_t talweg_cuda_wait_for_event(talweg_cuda_event event, talweg_cuda_error* error);
int32_t talweg_cuda_is_reached(talweg_cuda_event event, int32_t* is_reached,
                               talweg_cuda_error* error);
int32_t talweg_cuda_milliseconds(talweg_cuda_event from, talweg_cuda_event to, float* milliseconds,
                                 talweg_cuda_error* error);

#ifdef __cplusplus
}
#endif

#endif
