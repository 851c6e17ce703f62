/* How a caller describes a parameter tensor to an optimizer. C11. Says more than is served today
 * (strides, storage), so that descriptors need not change; what is not served is refused
 * by name. */
#ifndef TALWEG_TENSOR_H
#define TALWEG_TENSOR_H

#include "runtime/abi/talweg_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum talweg_device {
  TALWEG_DEVICE_CPU = 0,
  TALWEG_DEVICE_CUDA = 1,
} talweg_device;

typedef enum talweg_codec {
  TALWEG_CODEC_PLAIN = 0,
  TALWEG_CODEC_STOCHASTIC = 1, /* stochastic rounding on store; known, not served yet */
  TALWEG_CODEC_BLOCK8 = 2,     /* 8-bit blocks with a scale each; known, not served yet */
} talweg_codec;

/* What a stream occupies in memory. */
typedef struct talweg_storage {
  uint8_t dtype; /* talweg_dtype */
  uint8_t codec; /* talweg_codec */
} talweg_storage;

typedef struct talweg_tensor {
  const char* name;        /* not empty; no other tensor of the optimizer has it */
  const uint64_t* shape;   /* [rank] */
  const int64_t* strides;  /* [rank], elements; null: row-major and contiguous */
  const char* const* tags; /* [tag_count] */
  const talweg_storage*
      storage;   /* [stream_count of the image]; null: all plain, of the compute type */
  void* param;   /* null only for a tensor without elements */
  uint32_t rank; /* 0: one element; at most TALWEG_MAX_RANK */
  uint32_t tag_count;
  uint32_t group;
  uint32_t device; /* talweg_device */
  uint32_t split;  /* talweg_split, where it is not to be the rule's */
  uint32_t split_at, split_to;
} talweg_tensor;

#define TALWEG_MAX_RANK 64u

#ifdef __cplusplus
}
#endif

#endif
