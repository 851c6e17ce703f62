/* In place of cuda.c, in libraries without code for GPUs. */
#include "runtime/standalone/internal.h"

talweg_lib_status talweg_lib_cuda_create(const talweg_lib_rule* rule, const talweg_lib_spec* spec,
                                         const talweg_lib_cuda* cuda,
                                         talweg_lib_optimizer** optimizer,
                                         talweg_lib_error* error) {
  (void)rule, (void)spec, (void)cuda, (void)optimizer;
  return fail(error, TALWEG_LIB_NOT_SERVED,
              "the library has no code for GPUs; talweg build --target nvptx makes one that has");
}

static talweg_lib_status refuse(const talweg_lib_optimizer* optimizer, talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  return fail(error, TALWEG_LIB_BAD_ARGUMENT, "the optimizer is not on a GPU");
}

talweg_lib_status talweg_lib_cuda_set_stream(talweg_lib_optimizer* optimizer,
                                             struct CUstream_st* stream, talweg_lib_error* error) {
  (void)stream;
  return refuse(optimizer, error);
}

talweg_lib_status talweg_lib_cuda_send_hypers(talweg_lib_optimizer* optimizer,
                                              talweg_lib_error* error) {
  return refuse(optimizer, error);
}

talweg_lib_status talweg_lib_cuda_set_scaling(talweg_lib_optimizer* optimizer,
                                              const float* found_inf, const float* gradient_scale,
                                              talweg_lib_error* error) {
  (void)found_inf, (void)gradient_scale;
  return refuse(optimizer, error);
}

talweg_lib_status talweg_lib_cuda_set_input(talweg_lib_optimizer* optimizer, const char* input,
                                            const void* numbers, uint32_t bytes_each,
                                            talweg_lib_error* error) {
  (void)input, (void)numbers, (void)bytes_each;
  return refuse(optimizer, error);
}

talweg_lib_status talweg_lib_cuda_wait(talweg_lib_optimizer* optimizer, talweg_lib_outcome* outcome,
                                       talweg_lib_error* error) {
  (void)outcome;
  return refuse(optimizer, error);
}
