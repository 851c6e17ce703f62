/* Streams and events. */
#include "runtime/device/cuda_begin.h"

int32_t talweg_cuda_create_stream(talweg_cuda_stream* stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *stream = NULL;
  return talweg_cuda_check(error, driver->cuStreamCreate(stream, TALWEG_CUDA_STREAM_NON_BLOCKING),
                           "cuStreamCreate");
}

int32_t talweg_cuda_destroy_stream(talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuStreamDestroy_v2(stream), "cuStreamDestroy_v2");
}

int32_t talweg_cuda_wait(talweg_cuda_stream stream, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuStreamSynchronize(stream), "cuStreamSynchronize");
}

int32_t talweg_cuda_wait_in_stream(talweg_cuda_stream stream, talweg_cuda_event event,
                                   talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent");
}

int32_t talweg_cuda_is_capturing(talweg_cuda_stream stream, int32_t* is_capturing,
                                 talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  int status = TALWEG_CUDA_CAPTURE_NONE;
  const int32_t result = driver->cuStreamIsCapturing(stream, &status);
  *is_capturing = status != TALWEG_CUDA_CAPTURE_NONE;
  return talweg_cuda_check(error, result, "cuStreamIsCapturing");
}

int32_t talweg_cuda_stream_context(talweg_cuda_stream stream, talweg_cuda_context* context,
                                   talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *context = NULL;
  return talweg_cuda_check(error, driver->cuStreamGetCtx(stream, context), "cuStreamGetCtx");
}

int32_t talweg_cuda_create_event(talweg_cuda_event* event, int32_t measures_time,
                                 talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  *event = NULL;
  return talweg_cuda_check(
      error, driver->cuEventCreate(event, measures_time ? 0 : TALWEG_CUDA_EVENT_DISABLE_TIMING),
      "cuEventCreate");
}

int32_t talweg_cuda_destroy_event(talweg_cuda_event event, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuEventDestroy_v2(event), "cuEventDestroy_v2");
}

int32_t talweg_cuda_record(talweg_cuda_event event, talweg_cuda_stream stream,
                           talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuEventRecord(event, stream), "cuEventRecord");
}

int32_t talweg_cuda_wait_for_event(talweg_cuda_event event, talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuEventSynchronize(event), "cuEventSynchronize");
}

int32_t talweg_cuda_is_reached(talweg_cuda_event event, int32_t* is_reached,
                               talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  const int32_t result = driver->cuEventQuery(event);
  *is_reached = result == 0;
  return talweg_cuda_check(error, result == TALWEG_CUDA_NOT_READY ? 0 : result, "cuEventQuery");
}

int32_t talweg_cuda_milliseconds(talweg_cuda_event from, talweg_cuda_event to, float* milliseconds,
                                 talweg_cuda_error* error) {
  TALWEG_CUDA_BEGIN(driver, error);
  return talweg_cuda_check(error, driver->cuEventElapsedTime(milliseconds, from, to),
                           "cuEventElapsedTime");
}
