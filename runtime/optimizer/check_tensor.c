/* What a tensor's descriptor may say in this version; anything else is refused by name. */
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/internal.h"

/* Starts a message "tensor `w` " that the caller ends. */
static talweg_status refuse(const talweg_tensor* tensor, talweg_status status, const char* what,
                            talweg_error* error) {
  talweg_fail(error, status, "tensor ");
  talweg_put_name(error, tensor->name);
  talweg_put(error, " ");
  talweg_put(error, what);
  return status;
}

uint64_t talweg_element_count(const talweg_tensor* tensor) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < tensor->rank; ++i) count *= tensor->shape[i];
  return count;
}

/* Whether the elements of a shape can be numbered. A size of 0 anywhere makes a tensor empty. */
static int is_countable(const talweg_tensor* tensor) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < tensor->rank; ++i)
    if (tensor->shape[i] == 0) return 1;
  for (uint32_t i = 0; i < tensor->rank; ++i) {
    if (count > UINT64_MAX / tensor->shape[i]) return 0;
    count *= tensor->shape[i];
  }
  return 1;
}

static int is_contiguous(const talweg_tensor* tensor) {
  if (!tensor->strides || talweg_element_count(tensor) == 0) return 1;
  uint64_t expected = 1;
  for (uint32_t i = tensor->rank; i-- > 0;) {
    if (tensor->shape[i] != 1 && (uint64_t)tensor->strides[i] != expected) return 0;
    expected *= tensor->shape[i];
  }
  return 1;
}

static talweg_status check_shape(const talweg_tensor* tensor, talweg_error* error) {
  if (tensor->rank > TALWEG_MAX_RANK) {
    refuse(tensor, TALWEG_TOO_LARGE, "has rank ", error);
    talweg_put_count(error, tensor->rank);
    talweg_put(error, "; at most 64 is possible");
    return TALWEG_TOO_LARGE;
  }
  if (tensor->rank > 0 && !tensor->shape)
    return refuse(tensor, TALWEG_BAD_ARGUMENT, "has no shape", error);
  if (!is_countable(tensor))
    return refuse(tensor, TALWEG_TOO_LARGE, "has more elements than can be numbered", error);
  if (!is_contiguous(tensor))
    return refuse(tensor, TALWEG_NOT_SERVED,
                  "is strided; this version serves contiguous, row-major tensors", error);
  return TALWEG_OK;
}

static talweg_status check_storage(const talweg_tensor* tensor, const talweg_image* image,
                                   talweg_error* error) {
  for (uint32_t i = 0; tensor->storage && i < image->stream_count; ++i) {
    const talweg_storage storage = tensor->storage[i];
    if (storage.codec == TALWEG_CODEC_PLAIN && storage.dtype == image->compute_dtype) continue;
    refuse(tensor, TALWEG_NOT_SERVED, "keeps stream ", error);
    talweg_put_count(error, i);
    talweg_put(error, " in ");
    talweg_put(error, storage.codec == TALWEG_CODEC_PLAIN ? "" : "an encoding of ");
    talweg_put(error, talweg_dtype_name(storage.dtype));
    talweg_put(error, "; this image is compiled for plain ");
    talweg_put(error, talweg_dtype_name(image->compute_dtype));
    return TALWEG_NOT_SERVED;
  }
  return TALWEG_OK;
}

/* Without memory a tensor can be measured; talweg_check_apart asks for it. */
static talweg_status check_memory(const talweg_tensor* tensor, uint32_t element_bytes,
                                  talweg_error* error) {
  const uint64_t count = talweg_element_count(tensor);
  const uintptr_t address = (uintptr_t)tensor->param;
  if (count > (uint64_t)PTRDIFF_MAX / element_bytes ||
      count * element_bytes > UINTPTR_MAX - address)
    return refuse(tensor, TALWEG_TOO_LARGE, "is larger than memory can hold", error);
  if (count > 0 && address % element_bytes != 0)
    return refuse(tensor, TALWEG_BAD_ARGUMENT, "is not aligned to the size of an element", error);
  return TALWEG_OK;
}

static void put_shape(const talweg_tensor* tensor, talweg_error* error) {
  talweg_put(error, "[");
  for (uint32_t i = 0; i < tensor->rank; ++i) {
    if (i > 0) talweg_put(error, ", ");
    talweg_put_count(error, tensor->shape[i]);
  }
  talweg_put(error, "]");
}

static talweg_status check_requirements(const talweg_tensor* tensor, const talweg_image* image,
                                        talweg_error* error) {
  if (image->requirement_count == 0 || !image->step.place) return TALWEG_OK;
  talweg_placed placed;
  talweg_place(image, tensor, &placed);
  for (uint32_t i = 0; i < image->requirement_count; ++i) {
    if (placed.requirement_met[i]) continue;
    refuse(tensor, TALWEG_BAD_ARGUMENT, "of shape ", error);
    put_shape(tensor, error);
    talweg_put(error, " does not fit: ");
    talweg_put(error, image->requirements[i]);
    talweg_put(
        error,
        " of every tensor, with or without a gradient; a `when` can give this one another rule");
    return TALWEG_BAD_ARGUMENT;
  }
  return TALWEG_OK;
}

static void put_dimension(const char* before, uint32_t dimension, const char* after,
                          talweg_error* error) {
  talweg_put(error, before);
  talweg_put_count(error, dimension);
  talweg_put(error, after);
}

static talweg_status refuse_split(const talweg_tensor* tensor, talweg_view_fault fault,
                                  talweg_error* error) {
  const int is_pair = tensor->split == TALWEG_SPLIT_PAIR;
  if (fault == TALWEG_VIEW_UNKNOWN_SPLIT)
    return refuse(tensor, TALWEG_BAD_ARGUMENT, "is to be split in a way that there is not", error);
  refuse(tensor, TALWEG_BAD_ARGUMENT, "of shape ", error);
  put_shape(tensor, error);
  if (is_pair) {
    put_dimension(" cannot have its rows in dimension ", tensor->split_at, " and its columns in ",
                  error);
    put_dimension("", tensor->split_to,
                  ": they are two of its dimensions, counted from 0, rows before columns", error);
  } else {
    put_dimension(" cannot be split before dimension ", tensor->split_at,
                  ": that is one of its dimensions, counted from 0, and not the first", error);
  }
  return TALWEG_BAD_ARGUMENT;
}

static talweg_status check_matrices(const talweg_tensor* tensor, uint32_t split,
                                    talweg_error* error) {
  talweg_matrix_view view;
  const talweg_view_fault fault = talweg_view_tensor(split, tensor, &view);
  if (fault == TALWEG_VIEW_FITS) return TALWEG_OK;
  if (fault == TALWEG_VIEW_TOO_MANY_COLS)
    return refuse(tensor, TALWEG_TOO_LARGE,
                  "has more columns than 1073741824, the most that are served", error);
  if (fault == TALWEG_VIEW_TOO_MANY_LINES)
    return refuse(tensor, TALWEG_TOO_LARGE, "has more rows or columns than can be numbered", error);
  return refuse_split(tensor, fault, error);
}

talweg_status talweg_check_tensor(const talweg_optimizer_spec* spec, uint32_t index,
                                  talweg_error* error) {
  const talweg_tensor* tensor = &spec->tensors[index];
  if (!tensor->name || !tensor->name[0]) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "tensor ");
    talweg_put_count(error, index);
    talweg_put(error, " has no name");
    return TALWEG_BAD_ARGUMENT;
  }
  talweg_status status = check_shape(tensor, error);
  if (status != TALWEG_OK) return status;
  if (tensor->device != (spec->device ? TALWEG_DEVICE_CUDA : TALWEG_DEVICE_CPU))
    return refuse(tensor, TALWEG_NOT_SERVED,
                  spec->device ? "is not on a CUDA device, as the optimizer is"
                               : "is not on the CPU, as the optimizer is",
                  error);
  if (tensor->tag_count > 0 && !tensor->tags)
    return refuse(tensor, TALWEG_BAD_ARGUMENT, "has no tags though it counts some", error);
  if (tensor->group >= spec->group_count) {
    refuse(tensor, TALWEG_BAD_ARGUMENT, "is in group ", error);
    talweg_put_count(error, tensor->group);
    talweg_put(error, ", but groups are numbered below ");
    talweg_put_count(error, spec->group_count);
    return TALWEG_BAD_ARGUMENT;
  }
  status = check_storage(tensor, spec->image, error);
  if (status != TALWEG_OK) return status;
  status = check_memory(tensor, talweg_dtype_bytes(spec->image->compute_dtype), error);
  if (status == TALWEG_OK) status = check_matrices(tensor, spec->image->split, error);
  return status != TALWEG_OK ? status : check_requirements(tensor, spec->image, error);
}
