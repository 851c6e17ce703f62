/* What would be many passes over all parameters in Python. */
#include "compiler/embed/tensors.h"

enum { FLOAT = 2 }; /* kDLFloat */

static uint64_t address_of(const talweg_embed_dl_tensor* tensor) {
  return (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset;
}

static int is_fit(const talweg_embed_dl_tensor* tensor, const int64_t* sizes, uint32_t rank,
                  const talweg_embed_parameters* expected) {
  if (tensor->device != expected->device || tensor->device_id != expected->device_id ||
      tensor->code != FLOAT || tensor->bits != expected->bits || tensor->lanes != 1 ||
      tensor->rank != (int32_t)rank) {
    return 0;
  }
  int64_t count = 1;
  int is_contiguous = 1;
  for (uint32_t d = rank; d-- > 0;) {
    const int64_t size = tensor->shape[d];
    if (size != sizes[d]) {
      return 0;
    }
    /* Strides of dimensions of size 1 mean nothing. */
    is_contiguous &= size == 1 || tensor->strides == NULL || tensor->strides[d] == count;
    count *= size;
  }
  return is_contiguous || count == 0;
}

static talweg_embed_gradients look_at_parameters(const talweg_embed_python* python,
                                                 const talweg_embed_parameters* expected,
                                                 void* parameters) {
  const int64_t* sizes = expected->sizes;
  for (uint64_t i = 0; i < expected->count; ++i) {
    talweg_embed_dl_tensor found;
    void* parameter = python->get_item(parameters, (ptrdiff_t)i);
    if (parameter == NULL || python->describe(parameter, &found) != 0) {
      return TALWEG_EMBED_GRADIENTS_FAILED;
    }
    if (!is_fit(&found, sizes, expected->ranks[i], expected)) {
      return TALWEG_EMBED_GRADIENTS_UNFIT;
    }
    sizes += expected->ranks[i];
  }
  return TALWEG_EMBED_GRADIENTS_ELSEWHERE;
}

talweg_embed_gradients talweg_embed_read_gradients(const talweg_embed_python* python,
                                                   const talweg_embed_parameters* expected,
                                                   void* parameters, void* name, void* gradients,
                                                   const uint64_t* before, uint64_t* addresses) {
  talweg_embed_gradients outcome = TALWEG_EMBED_GRADIENTS_AS_BEFORE;
  const int64_t* sizes = expected->sizes;
  for (uint64_t i = 0; i < expected->count; ++i) {
    const ptrdiff_t index = (ptrdiff_t)i;
    void* parameter = python->get_item(parameters, index);
    void* gradient = parameter == NULL ? NULL : python->get_attribute(parameter, name);
    /* The list owns it from here on, also where there is no such place in it. */
    if (gradient == NULL || python->set_item(gradients, index, gradient) != 0) {
      return TALWEG_EMBED_GRADIENTS_FAILED;
    }
    talweg_embed_dl_tensor found;
    if (gradient == python->none) {
      outcome = TALWEG_EMBED_GRADIENTS_UNFIT;
    } else if (outcome != TALWEG_EMBED_GRADIENTS_UNFIT) {
      if (python->describe(gradient, &found) != 0) {
        return TALWEG_EMBED_GRADIENTS_FAILED;
      }
      addresses[i] = address_of(&found);
      if (!is_fit(&found, sizes, expected->ranks[i], expected)) {
        outcome = TALWEG_EMBED_GRADIENTS_UNFIT;
      } else if (addresses[i] != before[i]) {
        outcome = TALWEG_EMBED_GRADIENTS_ELSEWHERE;
      }
    }
    sizes += expected->ranks[i];
  }
  return outcome == TALWEG_EMBED_GRADIENTS_ELSEWHERE
             ? look_at_parameters(python, expected, parameters)
             : outcome;
}

int talweg_embed_are_at(const talweg_embed_python* python, void* const* objects,
                        const uint64_t* addresses, uint64_t count, void* list) {
  for (uint64_t i = 0; i < count; ++i) {
    void* object = python->get_item(list, (ptrdiff_t)i);
    if (object == NULL) {
      return -1;
    }
    if (object != objects[i]) {
      return 0;
    }
    talweg_embed_dl_tensor found;
    if (python->describe(object, &found) != 0) {
      return -1;
    }
    if (address_of(&found) != addresses[i]) {
      return 0;
    }
  }
  return 1;
}
