/* One row a type. */
#include "runtime/memory/dtype.h"

typedef struct dtype_row {
  char name[12]; /* in place: the table needs no relocation */
  uint32_t bytes;
  int is_served;
} dtype_row;

static const dtype_row kRows[] = {
    [TALWEG_F32] = {"float32", 4, 1},
    [TALWEG_F64] = {"float64", 8, 1},
    [TALWEG_BF16] = {"bfloat16", 2, 0},
    [TALWEG_F16] = {"float16", 2, 0},
};

static const dtype_row* find_row(uint32_t dtype) {
  return dtype < sizeof kRows / sizeof kRows[0] && kRows[dtype].bytes ? &kRows[dtype] : 0;
}

uint32_t talweg_dtype_bytes(uint32_t dtype) {
  const dtype_row* row = find_row(dtype);
  return row ? row->bytes : 0;
}

const char* talweg_dtype_name(uint32_t dtype) {
  const dtype_row* row = find_row(dtype);
  return row ? row->name : "unknown";
}

int talweg_dtype_is_served(uint32_t dtype) {
  const dtype_row* row = find_row(dtype);
  return row ? row->is_served : 0;
}
