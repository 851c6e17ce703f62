/* Inputs of matrices, rows and columns. What a caller gives for each tensor is copied into one
 * table over the matrices, rows or columns of all tensors, where functions read it like states of
 * these rates. Tensors that take part and are given nothing have zeros there. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

/* Of an input in a tensor. */
static uint64_t line_count(const talweg_optimizer* optimizer, uint32_t input, uint32_t tensor) {
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const uint32_t rate = optimizer->image->inputs[input].rate;
  const uint64_t matrices = talweg_count_matrices(view);
  if (rate == TALWEG_RATE_ROW) return matrices * view->rows;
  return rate == TALWEG_RATE_COL ? matrices * view->cols : matrices;
}

/* A tensor's values of rows or columns lie together. */
static void copy_lines(talweg_optimizer* optimizer, uint32_t input, uint32_t tensor,
                       const void* values) {
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const int is_row = optimizer->image->inputs[input].rate == TALWEG_RATE_ROW;
  const uint64_t first = is_row ? view->first_row : view->first_col;
  const uint64_t count = line_count(optimizer, input, tensor);
  unsigned char* all = optimizer->lines.inputs[input];
  talweg_put_lines(optimizer, all + (size_t)first * optimizer->element_bytes, values,
                   (size_t)count * optimizer->element_bytes);
}

static void copy_matrices(talweg_optimizer* optimizer, uint32_t input, uint32_t tensor,
                          const double* values) {
  const size_t columns = optimizer->image->input_count;
  const talweg_matrix_view* view = &optimizer->lines.views[tensor];
  const uint64_t matrices = line_count(optimizer, input, tensor);
  double* entries = optimizer->lines.matrix_inputs + (size_t)view->first_matrix * columns + input;
  for (size_t m = 0; m < matrices; ++m) entries[m * columns] = values ? values[m] : 0;
}

static uint8_t* given_entry(const talweg_optimizer* optimizer, uint32_t input, uint32_t tensor) {
  return &optimizer->lines.input_given[(size_t)tensor * optimizer->image->input_count + input];
}

static talweg_status refuse_place(const talweg_optimizer* optimizer, uint32_t input,
                                  uint32_t tensor, talweg_error* error) {
  talweg_fail(error, TALWEG_BAD_ARGUMENT, "input ");
  talweg_put_name(error, optimizer->image->inputs[input].name);
  talweg_put(error, " of tensor ");
  talweg_put_name(error, optimizer->tensors[tensor].name);
  talweg_put(error, " is not aligned to the size of a value");
  return TALWEG_BAD_ARGUMENT;
}

static talweg_status bind_tensor(talweg_optimizer* optimizer, uint32_t input, uint32_t tensor,
                                 const void* values, talweg_error* error) {
  const int is_matrix = optimizer->image->inputs[input].rate == TALWEG_RATE_MATRIX;
  const size_t value_bytes = is_matrix ? sizeof(double) : optimizer->element_bytes;
  if ((uintptr_t)values % value_bytes != 0) return refuse_place(optimizer, input, tensor, error);
  *given_entry(optimizer, input, tensor) = values != 0 || line_count(optimizer, input, tensor) == 0;
  if (is_matrix)
    copy_matrices(optimizer, input, tensor, values);
  else
    copy_lines(optimizer, input, tensor, values);
  return TALWEG_OK;
}

talweg_status talweg_bind_line_inputs(talweg_optimizer* optimizer, const talweg_step_inputs* inputs,
                                      talweg_error* error) {
  const talweg_image* image = optimizer->image;
  for (uint32_t i = 0; i < image->input_count; ++i) {
    if (!talweg_is_line_rate(image->inputs[i].rate)) continue;
    const void* const* given = inputs->line_inputs ? inputs->line_inputs[i] : 0;
    for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t) {
      if (!optimizer->takes_part[t]) continue;
      const int is_present = optimizer->input_present[(size_t)t * image->input_count + i];
      const talweg_status status =
          bind_tensor(optimizer, i, t, given && is_present ? given[t] : 0, error);
      if (status != TALWEG_OK) return status;
    }
  }
  return TALWEG_OK;
}

int talweg_has_line_input(const talweg_optimizer* optimizer, uint32_t input, uint32_t tensor) {
  return *given_entry(optimizer, input, tensor);
}
