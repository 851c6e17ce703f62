/* The phases of a step, in order: what they reduce, functions of model and groups, of tensors, of
 * matrices, rows and columns, a pass over lines, then a pass.
 *
 * Until the phase that says how the call ends, and until all hypers that the rule computes are
 * checked, nothing of the image stores what persists. What the runtime itself writes before, the
 * initial values of states that the first pass may read, is taken back where a later phase refuses.
 */
#include "runtime/optimizer/internal.h"

typedef struct phase_run {
  talweg_optimizer* optimizer;
  const talweg_phase* phase;
  int begins;      /* element states get their initial values before what reads elements next */
  int lines_began; /* those of rows and columns have got them */
} phase_run;

static void run_chunks(void* argument, uint32_t begin, uint32_t end) {
  const phase_run* run = argument;
  talweg_optimizer* optimizer = run->optimizer;
  if (run->begins) talweg_begin_chunks(optimizer, begin, end);
  run->phase->pass(optimizer->image->step.self, &optimizer->pass_args, begin, end);
}

static void begin_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_begin_chunks(argument, begin, end);
}

static void clear_chunks(void* argument, uint32_t begin, uint32_t end) {
  talweg_clear_chunks(argument, begin, end, 0);
}

static void clear_skipped_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = argument;
  talweg_clear_chunks(argument, begin, end, optimizer->kept);
}

static int keeps_some(const talweg_optimizer* optimizer) {
  for (uint32_t s = 0; s < optimizer->image->state_count; ++s)
    if (optimizer->kept[s]) return 1;
  return 0;
}

static int keeps_element_state(const talweg_optimizer* optimizer) {
  const talweg_image* image = optimizer->image;
  for (uint32_t s = 0; s < image->state_count; ++s)
    if (image->states[s].rate == TALWEG_RATE_ELEMENT && optimizer->kept[s]) return 1;
  return 0;
}

/* A skipped call runs only the passes that some of what it keeps depends on. */
static int has_work(const talweg_optimizer* optimizer, uint32_t phase) {
  if (!optimizer->image->step.phases[phase].pass) return 0;
  return optimizer->outcome != TALWEG_SKIPPED || keeps_element_state(optimizer) ||
         talweg_reads_chunks_after(&optimizer->image->step, phase);
}

static void run_lines(phase_run* run, uint32_t phase) {
  talweg_optimizer* optimizer = run->optimizer;
  if (!run->phase->lines || (optimizer->outcome == TALWEG_SKIPPED &&
                             !talweg_reads_lines_after(&optimizer->image->step, phase)))
    return;
  if (run->begins) talweg_for_chunks(optimizer, begin_chunks, optimizer);
  run->begins = 0;
  talweg_run_lines(optimizer, run->phase);
}

static void begin_lines(phase_run* run) {
  if (run->optimizer->begins_some && !run->lines_began) talweg_begin_lines(run->optimizer);
  run->lines_began = 1;
}

static talweg_status run_phases(phase_run* run, talweg_error* error) {
  talweg_optimizer* optimizer = run->optimizer;
  const talweg_kernels* step = &optimizer->image->step;
  for (uint32_t phase = 0; phase < step->phase_count; ++phase) {
    run->phase = &step->phases[phase];
    talweg_status status = talweg_run_scalars(optimizer, phase, error);
    if (status == TALWEG_OK && phase == 0) status = talweg_check_inputs(optimizer, error);
    if (status != TALWEG_OK) return status;
    if (phase == step->end_phase && optimizer->outcome == TALWEG_SKIPPED && !keeps_some(optimizer))
      return TALWEG_OK;
    if (run->phase->tensor_scalars)
      talweg_run_tensors(optimizer, step, run->phase->tensor_scalars, &optimizer->pass_args);
    if (optimizer->image->split != TALWEG_SPLIT_NONE) {
      begin_lines(run);
      talweg_run_line_functions(optimizer, step, run->phase, &optimizer->pass_args);
      run_lines(run, phase);
    }
    if (!has_work(optimizer, phase)) continue;
    talweg_for_chunks(optimizer, run_chunks, run);
    run->begins = 0;
  }
  return TALWEG_OK;
}

/* What began in a call that does not keep it. */
static void clear(phase_run* run, talweg_status status) {
  talweg_optimizer* optimizer = run->optimizer;
  const int is_refused = status != TALWEG_OK;
  if (!optimizer->begins_some || (!is_refused && optimizer->outcome != TALWEG_SKIPPED)) return;
  if (!run->begins)
    talweg_for_chunks(optimizer, is_refused ? clear_chunks : clear_skipped_chunks, optimizer);
  if (run->lines_began) talweg_clear_lines(optimizer, is_refused ? 0 : optimizer->kept);
}

talweg_status talweg_run_phases(talweg_optimizer* optimizer, talweg_error* error) {
  phase_run run = {.optimizer = optimizer, .begins = optimizer->begins_some};
  talweg_begin_scalars(optimizer);
  const talweg_status status = run_phases(&run, error);
  clear(&run, status);
  return status;
}
