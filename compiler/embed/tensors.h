/* What talweg.torch asks of this library beside talweg/talweg.h. Not for users: it goes with the
 * Python package of the same version. */
#ifndef TALWEG_EMBED_TENSORS_H
#define TALWEG_EMBED_TENSORS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor as DLPack 1 describes it. */
typedef struct talweg_embed_dl_tensor {
  void* data; /* null where there are no elements, so that the address is 0 as torch has it */
  int32_t device;
  int32_t device_id;
  int32_t rank;
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
  const int64_t* shape;
  const int64_t* strides;
  uint64_t byte_offset;
} talweg_embed_dl_tensor;

/* Functions of the Python that calls, by address, for this library is linked with none. */
typedef struct talweg_embed_python {
  void* (*get_attribute)(void* object, void* name);          /* PyObject_GetAttr */
  void* (*get_item)(void* list, ptrdiff_t index);            /* PyList_GetItem */
  int (*set_item)(void* list, ptrdiff_t index, void* value); /* PyList_SetItem */
  /* dltensor_from_py_object_no_sync of DLPack's exchange interface */
  int (*describe)(void* tensor, talweg_embed_dl_tensor* description);
  void* none; /* Py_None, which is no tensor and must not be described */
} talweg_embed_python;

/* What parameters are, and their gradients have to be: contiguous, on a device (of DLPack's kinds,
 * 1 is the CPU), floats of `bits` bits; the first of the `sizes` are those of the first parameter,
 * which has ranks[0]. */
typedef struct talweg_embed_parameters {
  uint64_t count;
  const uint32_t* ranks;
  const int64_t* sizes;
  uint32_t bits;
  int32_t device;
  int32_t device_id;
} talweg_embed_parameters;

typedef enum talweg_embed_gradients {
  TALWEG_EMBED_GRADIENTS_FAILED = -1, /* with an exception of Python */
  TALWEG_EMBED_GRADIENTS_UNFIT = 0,   /* one, or a parameter, is None or not as it has to be */
  TALWEG_EMBED_GRADIENTS_AS_BEFORE = 1,
  TALWEG_EMBED_GRADIENTS_ELSEWHERE = 2,
} talweg_embed_gradients;

/* Reads the attribute `name` of each parameter of a list into another list of as many entries,
 * which has all of them unless it failed, and finds where they are. `before` is what `addresses`
 * was in the call before; parameters themselves are looked at only where a gradient is elsewhere.
 * For callers that hold Python's lock. */
talweg_embed_gradients talweg_embed_read_gradients(const talweg_embed_python* python,
                                                   const talweg_embed_parameters* expected,
                                                   void* parameters, void* name, void* gradients,
                                                   const uint64_t* before, uint64_t* addresses);

/* 1 if these objects are the first of a list, and are tensors at these addresses; 0 if not, -1 with
 * an exception of Python. For the same callers. */
int talweg_embed_are_at(const talweg_embed_python* python, void* const* objects,
                        const uint64_t* addresses, uint64_t count, void* list);

#ifdef __cplusplus
}
#endif

#endif
