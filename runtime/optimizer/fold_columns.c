/* Many sequences at once, as columns of a table. A few columns are folded together, row by row, so
 * that memory is read in the order it lies in: each has its 64 lanes, as in fold.c. */
#include <string.h>

#include "runtime/optimizer/fold.h"

/* Columns folded together: their lanes are 8 KiB. */
#define PANEL 16u

typedef struct panel {
  uint32_t fold;
  const double* values;
  uint64_t stride;
  uint32_t width; /* columns, up to PANEL */
} panel;

/* Values [first, first + count) of each column, as a sequence of blocks of `unit` values; at most
 * TALWEG_FOLD_BLOCK of them. */
static void fold_units(const panel* of, uint64_t first, uint64_t count, uint64_t unit,
                       double* results) {
  double lanes[TALWEG_FOLD_LANES * PANEL];
  double block[PANEL];
  const uint32_t columns = of->width;
  const uint64_t units = count / unit + (count % unit != 0);
  uint32_t width = units < TALWEG_FOLD_LANES ? (uint32_t)units : TALWEG_FOLD_LANES;
  for (uint32_t i = 0; i < (width > 0 ? width : 1) * columns; ++i)
    lanes[i] = talweg_fold_start(of->fold); /* of no value, too */
  for (uint64_t i = 0; i < units; ++i) {
    const uint64_t begin = first + i * unit;
    const double* values = of->values + begin * of->stride;
    if (unit > 1) {
      const uint64_t left = first + count - begin;
      fold_units(of, begin, left < unit ? left : unit, unit / TALWEG_FOLD_BLOCK, block);
      values = block;
    }
    talweg_join_lanes(of->fold, lanes + i % TALWEG_FOLD_LANES * columns, values, columns);
  }
  for (uint32_t half = TALWEG_FOLD_LANES / 2; half > 0; half /= 2) {
    if (width <= half) continue;
    talweg_join_lanes(of->fold, lanes, lanes + half * columns, (width - half) * columns);
    width = half;
  }
  memcpy(results, lanes, columns * sizeof(double));
}

void talweg_fold_columns(uint32_t fold, const double* values, uint64_t count, uint64_t stride,
                         uint64_t column_count, double* results) {
  uint64_t unit = 1;
  while (count / unit + (count % unit != 0) > TALWEG_FOLD_BLOCK) unit *= TALWEG_FOLD_BLOCK;
  for (uint64_t c = 0; c < column_count; c += PANEL) {
    const uint64_t left = column_count - c;
    const panel columns = {.fold = fold,
                           .values = values + c,
                           .stride = stride,
                           .width = left < PANEL ? (uint32_t)left : PANEL};
    fold_units(&columns, 0, count, unit, results + c);
  }
}
