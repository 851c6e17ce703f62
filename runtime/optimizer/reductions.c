/* What a reduction folds: the results of chunks, or of lines (line_reductions.c), within their
 * tensor, then those of tensors, in the order of the tensors' indices, or of groups. Tensors that
 * take no part, or that are not in the reduction's domain, are gaps: so are those of other groups.
 * The fold itself is in fold.c. */
#include "runtime/optimizer/fold.h"
#include "runtime/optimizer/internal.h"

int talweg_ranges_over(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                       uint32_t tensor) {
  const size_t domains = optimizer->image->domain_count;
  return optimizer->takes_part[tensor] &&
         (info->domain == UINT32_MAX ||
          optimizer->running_domains[tensor * domains + info->domain]);
}

static int is_from_lines(const talweg_reduction_info* info) {
  return info->source == TALWEG_FROM_MATRICES || info->source == TALWEG_FROM_ROWS ||
         info->source == TALWEG_FROM_COLS;
}

static double fold_chunks(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                          uint32_t tensor) {
  if (info->counts) return (double)optimizer->element_counts[tensor];
  const uint32_t first = optimizer->first_chunks[tensor];
  const double* partials =
      optimizer->chunk_partials + (size_t)info->partial * optimizer->chunk_count;
  const uint32_t count = optimizer->first_chunks[tensor + 1] - first;
  /* Most tensors of most models have one. */
  if (count == 1) return talweg_fold_one(info->fold, partials[first]);
  return talweg_fold_sequence(info->fold, partials + first, count);
}

/* The value of a tensor, or what it contributes to those of a group or the model. */
static double value_of_tensor(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                              uint32_t tensor) {
  if (info->source == TALWEG_FROM_CHUNKS) return fold_chunks(optimizer, info, tensor);
  if (is_from_lines(info)) return talweg_fold_lines(optimizer, info, tensor);
  if (info->counts) return 1;
  return optimizer->tensor_partials[(size_t)info->partial * optimizer->spec.tensor_count + tensor];
}

/* Over some tensors, `members` (null: all), their indices ascending. */
static double fold_tensors(const talweg_optimizer* optimizer, const talweg_reduction_info* info,
                           const uint32_t* members, uint32_t count) {
  talweg_folding folding;
  talweg_begin_fold(&folding, info->fold);
  double run[TALWEG_FOLD_LANES]; /* values of tensors one behind the other */
  uint32_t length = 0, next = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t tensor = members ? members[i] : i;
    if (!talweg_ranges_over(optimizer, info, tensor)) continue;
    if (tensor != next || length == TALWEG_FOLD_LANES) {
      talweg_fold_values(&folding, run, length);
      talweg_fold_gap(&folding, tensor - next);
      length = 0;
    }
    run[length++] = value_of_tensor(optimizer, info, tensor);
    next = tensor + 1;
  }
  talweg_fold_values(&folding, run, length);
  return talweg_end_fold(&folding);
}

static double fold_groups(talweg_optimizer* optimizer, const talweg_reduction_info* info) {
  const uint32_t groups = optimizer->spec.group_count;
  const size_t columns = optimizer->running->group_partial_count;
  uint8_t* takes_part = optimizer->group_takes_part;
  for (uint32_t g = 0; g < groups; ++g) takes_part[g] = 0;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    if (talweg_ranges_over(optimizer, info, t)) takes_part[optimizer->tensor_groups[t]] = 1;
  talweg_folding folding;
  talweg_begin_fold(&folding, info->fold);
  for (uint32_t g = 0; g < groups; ++g) {
    if (!takes_part[g])
      talweg_fold_gap(&folding, 1);
    else
      talweg_fold_value(&folding,
                        info->counts ? 1 : optimizer->group_partials[g * columns + info->partial]);
  }
  return talweg_end_fold(&folding);
}

static void reduce_to_tensors(talweg_optimizer* optimizer, uint32_t reduction, uint32_t begin,
                              uint32_t end) {
  const talweg_kernels* kernels = optimizer->running;
  const talweg_reduction_info* info = &kernels->reductions[reduction];
  for (size_t t = begin; t < end; ++t)
    if (optimizer->takes_part[t])
      optimizer->tensor_reduced[t * kernels->reduction_count + reduction] =
          talweg_ranges_over(optimizer, info, (uint32_t)t)
              ? value_of_tensor(optimizer, info, (uint32_t)t)
              : talweg_fold_start(info->fold);
}

static void reduce_to_groups(talweg_optimizer* optimizer, uint32_t reduction) {
  const talweg_kernels* kernels = optimizer->running;
  for (size_t g = 0; g < optimizer->spec.group_count; ++g) {
    const uint32_t first = optimizer->group_begins[g];
    optimizer->reduced[(g + 1) * kernels->reduction_count + reduction] =
        fold_tensors(optimizer, &kernels->reductions[reduction], optimizer->group_tensors + first,
                     optimizer->group_begins[g + 1] - first);
  }
}

static void reduce_to_model(talweg_optimizer* optimizer, uint32_t reduction) {
  const talweg_kernels* kernels = optimizer->running;
  const talweg_reduction_info* info = &kernels->reductions[reduction];
  const double value = info->source == TALWEG_FROM_GROUPS
                           ? fold_groups(optimizer, info)
                           : fold_tensors(optimizer, info, 0, optimizer->spec.tensor_count);
  for (size_t row = 0; row < optimizer->row_count; ++row)
    optimizer->reduced[row * kernels->reduction_count + reduction] = value;
}

void talweg_fold_reductions(talweg_optimizer* optimizer, uint32_t phase) {
  const talweg_kernels* kernels = optimizer->running;
  const talweg_scope all = {.reach = TALWEG_ALL_TENSORS};
  if (kernels->block_partial_count > 0) talweg_fold_blocks(optimizer, &all, phase);
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    if (kernels->reductions[r].phase != phase) continue;
    switch (kernels->reductions[r].rate) {
      case TALWEG_RATE_ROW:
      case TALWEG_RATE_COL:
        break; /* it is there already */
      case TALWEG_RATE_MATRIX:
        talweg_reduce_to_matrices(optimizer, r, 0, optimizer->spec.tensor_count);
        break;
      case TALWEG_RATE_TENSOR:
        reduce_to_tensors(optimizer, r, 0, optimizer->spec.tensor_count);
        break;
      case TALWEG_RATE_GROUP:
        reduce_to_groups(optimizer, r);
        break;
      default:
        reduce_to_model(optimizer, r);
    }
  }
}

typedef struct fold_run {
  talweg_optimizer* optimizer;
  uint32_t phase;
} fold_run;

static void fold_some(void* argument, uint32_t begin, uint32_t end) {
  const fold_run* run = argument;
  const talweg_kernels* kernels = run->optimizer->running;
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    if (kernels->reductions[r].phase != run->phase) continue;
    if (kernels->reductions[r].rate == TALWEG_RATE_MATRIX)
      talweg_reduce_to_matrices(run->optimizer, r, begin, end);
    else if (kernels->reductions[r].rate == TALWEG_RATE_TENSOR)
      reduce_to_tensors(run->optimizer, r, begin, end);
  }
}

void talweg_fold_scope(talweg_optimizer* optimizer, const talweg_scope* scope, uint32_t phase) {
  fold_run run = {.optimizer = optimizer, .phase = phase};
  if (optimizer->running->block_partial_count > 0) talweg_fold_blocks(optimizer, scope, phase);
  talweg_for_tensors(optimizer, scope, fold_some, &run);
}

int talweg_reads_chunks_after(const talweg_kernels* kernels, uint32_t phase) {
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    const talweg_reduction_info* info = &kernels->reductions[r];
    if (info->source == TALWEG_FROM_CHUNKS && !info->counts && info->phase > phase) return 1;
  }
  return 0;
}

int talweg_reads_lines_after(const talweg_kernels* kernels, uint32_t phase) {
  for (uint32_t r = 0; r < kernels->reduction_count; ++r) {
    const talweg_reduction_info* info = &kernels->reductions[r];
    if ((info->source == TALWEG_FROM_ROWS || info->source == TALWEG_FROM_COLS) &&
        info->phase > phase)
      return 1;
  }
  return 0;
}
