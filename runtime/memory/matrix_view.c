/* See matrix_view.h. */
#include "runtime/memory/matrix_view.h"

/* Of sizes; UINT64_MAX where that is too large: an empty tensor may be of any sizes but one. */
static uint64_t product(uint64_t a, uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* Of dimensions [begin, end). */
static uint64_t sizes(const talweg_tensor* tensor, uint32_t begin, uint32_t end) {
  uint64_t result = 1;
  for (uint32_t i = begin; i < end; ++i)
    if (tensor->shape[i] == 0) return 0;
  for (uint32_t i = begin; i < end; ++i) result = product(result, tensor->shape[i]);
  return result;
}

static void split_into_two(const talweg_tensor* tensor, uint32_t at, talweg_matrix_view* view) {
  *view = (talweg_matrix_view){.outer = 1,
                               .rows = sizes(tensor, 0, at),
                               .inner = 1,
                               .cols = sizes(tensor, at, tensor->rank),
                               .last = 1};
}

static void pick_pair(const talweg_tensor* tensor, uint32_t row, uint32_t col,
                      talweg_matrix_view* view) {
  *view = (talweg_matrix_view){.outer = sizes(tensor, 0, row),
                               .rows = tensor->shape[row],
                               .inner = sizes(tensor, row + 1, col),
                               .cols = tensor->shape[col],
                               .last = sizes(tensor, col + 1, tensor->rank)};
}

/* The largest dimension but `other`; of equal ones the last. */
static uint32_t largest_but(const talweg_tensor* tensor, uint32_t other) {
  uint32_t largest = other == 0 ? 1 : 0;
  for (uint32_t i = largest + 1; i < tensor->rank; ++i)
    if (i != other && tensor->shape[i] >= tensor->shape[largest]) largest = i;
  return largest;
}

static void pick_two_largest(const talweg_tensor* tensor, talweg_matrix_view* view) {
  const uint32_t first = largest_but(tensor, UINT32_MAX);
  const uint32_t second = largest_but(tensor, first);
  pick_pair(tensor, first < second ? first : second, first < second ? second : first, view);
}

static talweg_view_fault check_override(const talweg_tensor* tensor) {
  if (tensor->split > TALWEG_SPLIT_PAIR) return TALWEG_VIEW_UNKNOWN_SPLIT;
  if (tensor->split == TALWEG_SPLIT_AT &&
      (tensor->split_at == 0 || tensor->split_at >= tensor->rank))
    return TALWEG_VIEW_BAD_SPLIT_AT;
  if (tensor->split != TALWEG_SPLIT_PAIR) return TALWEG_VIEW_FITS;
  if (tensor->split_at >= tensor->rank) return TALWEG_VIEW_BAD_SPLIT_AT;
  return tensor->split_to <= tensor->split_at || tensor->split_to >= tensor->rank
             ? TALWEG_VIEW_BAD_SPLIT_TO
             : TALWEG_VIEW_FITS;
}

static talweg_view_fault check_sizes(const talweg_matrix_view* view) {
  const uint64_t matrices = talweg_count_matrices(view);
  if (view->cols > TALWEG_MAX_COLS) return TALWEG_VIEW_TOO_MANY_COLS;
  return matrices > TALWEG_MAX_LINES || view->rows > TALWEG_MAX_LINES ||
                 product(matrices, view->rows) > TALWEG_MAX_LINES ||
                 product(matrices, view->cols) > TALWEG_MAX_LINES
             ? TALWEG_VIEW_TOO_MANY_LINES
             : TALWEG_VIEW_FITS;
}

talweg_view_fault talweg_view_tensor(uint32_t split, const talweg_tensor* tensor,
                                     talweg_matrix_view* view) {
  *view = (talweg_matrix_view){0};
  if (split == TALWEG_SPLIT_NONE) return TALWEG_VIEW_FITS;
  const talweg_view_fault fault = check_override(tensor);
  if (fault != TALWEG_VIEW_FITS || tensor->rank < 2) return fault;
  switch (tensor->split == TALWEG_SPLIT_NONE ? split : tensor->split) {
    case TALWEG_SPLIT_FIRST_REST:
      split_into_two(tensor, 1, view);
      break;
    case TALWEG_SPLIT_LAST_TWO:
      pick_pair(tensor, tensor->rank - 2, tensor->rank - 1, view);
      break;
    case TALWEG_SPLIT_TWO_LARGEST:
      pick_two_largest(tensor, view);
      break;
    case TALWEG_SPLIT_AT:
      split_into_two(tensor, tensor->split_at, view);
      break;
    default:
      pick_pair(tensor, tensor->split_at, tensor->split_to, view);
  }
  return check_sizes(view);
}

uint64_t talweg_count_matrices(const talweg_matrix_view* view) {
  return product(product(view->outer, view->inner), view->last);
}

uint64_t talweg_count_blocks(const talweg_matrix_view* view) {
  return view->rows / TALWEG_BLOCK_ROWS + (view->rows % TALWEG_BLOCK_ROWS != 0);
}
