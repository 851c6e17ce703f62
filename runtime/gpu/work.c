/* What an optimizer asks of its device where the host leads: one thing at a time, done when it
 * returns. */
#include <string.h>

#include "runtime/abi/talweg_gpu_abi.h"
#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

int talweg_gpu_did(talweg_gpu* gpu, int32_t result, const talweg_cuda_error* error) {
  if (result == TALWEG_CUDA_OK) return 1;
  if (gpu->failure.code == TALWEG_CUDA_OK) gpu->failure = *error;
  return 0;
}

int talweg_gpu_enter(talweg_gpu* gpu) {
  talweg_cuda_error error;
  return talweg_gpu_did(gpu, talweg_cuda_enter(gpu->context, &error), &error);
}

void talweg_gpu_leave(talweg_gpu* gpu) {
  talweg_cuda_error error;
  talweg_gpu_did(gpu, talweg_cuda_leave(gpu->context, &error), &error);
}

int talweg_gpu_wait_for_stream(talweg_gpu* gpu) {
  talweg_cuda_error error;
  if (!talweg_gpu_did(gpu, talweg_cuda_wait(gpu->stream, &error), &error)) return 0;
  gpu->is_busy = 0;
  return 1;
}

talweg_status talweg_gpu_put_failure(const talweg_cuda_error* failure, talweg_error* error) {
  return talweg_fail(error, TALWEG_DEVICE_FAILED, failure->message);
}

static talweg_status tell_failure(void* context, talweg_error* error) {
  talweg_gpu* gpu = context;
  if (gpu->failure.code == TALWEG_CUDA_OK) return TALWEG_OK;
  talweg_gpu_put_failure(&gpu->failure, error);
  if (gpu->is_broken && gpu->core)
    talweg_put(error,
               "; parameters and states may be between two steps: restore them and make the "
               "optimizer anew");
  else if (error)
    gpu->failure.code = TALWEG_CUDA_OK;
  return TALWEG_DEVICE_FAILED;
}

/* What fails from here on leaves a step, or what else was asked, in its middle. */
static int begin_work(talweg_gpu* gpu) {
  if (gpu->failure.code != TALWEG_CUDA_OK) return 0;
  if (talweg_gpu_enter(gpu)) return 1;
  gpu->is_broken = 1;
  return 0;
}

static void end_work(talweg_gpu* gpu) {
  talweg_gpu_leave(gpu);
  if (gpu->failure.code != TALWEG_CUDA_OK) gpu->is_broken = 1;
}

/* Tables of lines have one line a chunk, so that each is a thread's. */
static void show_lines(talweg_gpu* gpu, uint32_t lines, uint64_t* end) {
  talweg_pass_args* args = &gpu->front->args;
  const talweg_line_counts* counts = &gpu->core->lines.counts;
  args->matrix_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.matrices;
  args->row_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.rows;
  args->col_chunks = (const talweg_line_chunk*)(uintptr_t)gpu->places.cols;
  *end = lines == TALWEG_GPU_MATRICES ? counts->matrices
         : lines == TALWEG_GPU_ROWS   ? counts->rows
                                      : counts->cols;
}

static void run(void* context, talweg_work work, talweg_handle function, const void* args,
                uint32_t begin, uint32_t end) {
  talweg_gpu* gpu = context;
  if (begin == end || !begin_work(gpu)) return;
  const uint32_t kernel = (uint32_t)((uintptr_t)function - 1);
  talweg_gpu_launch launch = {
      .kernel = kernel,
      .blocks_y = 1,
      .threads = TALWEG_GPU_SMALL_BLOCK,
      .parameter_count = 5,
      .parameters = {(uintptr_t)args, begin, end, 0, (uintptr_t)&gpu->front->no_stop}};
  if (work != TALWEG_WORK_ROW) {
    gpu->front->args = *(const talweg_pass_args*)args;
    launch.parameters[0] = (uintptr_t)&gpu->front->args;
  }
  if (work == TALWEG_WORK_LINES)
    show_lines(gpu, gpu->functions[kernel].lines, &launch.parameters[2]);
  launch.blocks = talweg_gpu_blocks_for(launch.parameters[2] - begin);
  if (work == TALWEG_WORK_BLOCKS || work == TALWEG_WORK_CHUNKS) {
    launch.threads = TALWEG_GPU_THREADS;
    launch.blocks = end - begin;
  }
  if (work == TALWEG_WORK_CHUNKS) {
    launch.blocks = gpu->places.unit_count;
    launch.parameters[2] = gpu->places.unit_count;
    launch.parameters[3] = gpu->places.units;
  }
  talweg_cuda_error error;
  if (talweg_gpu_did(gpu, talweg_gpu_launch_one(gpu, &launch, &error), &error))
    talweg_gpu_wait_for_stream(gpu);
  end_work(gpu);
}

static int put_copy(talweg_gpu* gpu, void* to, const void* from, uint64_t bytes) {
  talweg_cuda_error error;
  gpu->is_busy = 1;
  return talweg_gpu_did(
      gpu, talweg_cuda_copy((uintptr_t)to, (uintptr_t)from, bytes, gpu->stream, &error), &error);
}

static void copy(void* context, void* to, const void* from, uint64_t bytes) {
  talweg_gpu* gpu = context;
  if (bytes == 0 || !begin_work(gpu)) return;
  if (put_copy(gpu, to, from, bytes)) talweg_gpu_wait_for_stream(gpu);
  end_work(gpu);
}

static void begin_copy(void* context, void* to, const void* from, uint64_t bytes) {
  talweg_gpu* gpu = context;
  if (bytes == 0 || !begin_work(gpu)) return;
  put_copy(gpu, to, from, bytes);
  end_work(gpu);
}

/* Also behind one that failed: those before it may still read and write the caller's memory. */
static void finish_copies(void* context) {
  talweg_gpu* gpu = context;
  if (gpu->is_busy && talweg_gpu_enter(gpu)) {
    talweg_gpu_wait_for_stream(gpu);
    talweg_gpu_leave(gpu);
  }
  if (gpu->failure.code != TALWEG_CUDA_OK) gpu->is_broken = 1;
}

static void fill(void* context, void* start, uint64_t count, uint32_t dtype, double value) {
  talweg_gpu* gpu = context;
  talweg_cuda_error error;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (count == 0 || !begin_work(gpu)) return;
  const uint64_t bytes = count * (dtype == TALWEG_F32 ? sizeof(float) : sizeof(double));
  const talweg_gpu_launch launch = {
      .kernel = TALWEG_GPU_FILL,
      .blocks = talweg_gpu_blocks_for(count),
      .blocks_y = 1,
      .threads = TALWEG_GPU_SMALL_BLOCK,
      .parameter_count = 4,
      .parameters = {(uintptr_t)start, count, bits, dtype == TALWEG_F32}};
  const int32_t result = bits == 0
                             ? talweg_cuda_fill((uintptr_t)start, 0, bytes, gpu->stream, &error)
                             : talweg_gpu_launch_one(gpu, &launch, &error);
  if (talweg_gpu_did(gpu, result, &error)) talweg_gpu_wait_for_stream(gpu);
  end_work(gpu);
}

const talweg_device_calls talweg_gpu_calls = {
    .run = run,
    .copy = copy,
    .begin_copy = begin_copy,
    .finish_copies = finish_copies,
    .fill = fill,
    .put = talweg_gpu_put_lines,
    .inputs = talweg_gpu_take_inputs,
    .step = talweg_gpu_step_by_itself,
    .settle = talweg_gpu_settle,
    .failure = tell_failure,
};
