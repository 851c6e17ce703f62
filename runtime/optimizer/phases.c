/* The phases of a step, in order: what they reduce, functions of model and groups, of tensors, of
 * matrices, rows and columns, a pass over lines, then a pass.
 *
 * A phase that waits only for its own tensor, or for matrices, rows and columns of it, runs right
 * behind the one before, tensor by tensor (spans.c).
 *
 * Until the phase that says how the call ends, and until all hypers that the rule computes are
 * checked, nothing of the image stores what persists. What the runtime itself writes before, the
 * initial values of states that the first pass may read, is taken back where a later phase refuses.
 *
 * Only param may be stored before, where the step returns for a gradient there. What it was is in
 * scratch from then on, and a later phase that refuses puts it back. */
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

typedef struct phase_run {
  talweg_optimizer* optimizer;
  const talweg_phase* phase;
} phase_run;

static void run_chunks(void* argument, uint32_t begin, uint32_t end) {
  const phase_run* run = argument;
  talweg_optimizer* optimizer = run->optimizer;
  if (optimizer->progress.begins) talweg_begin_chunks(optimizer, begin, end);
  talweg_call_pass(optimizer, optimizer->image->step.self, run->phase->pass, &optimizer->pass_args,
                   begin, end);
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

/* Whether the step has waited for another gradient, or may from this phase on: that it is skipped
 * may be known before it asks. Then passes keep where it began and move param, and later ones put
 * it back, whatever else a skipped call keeps. */
static int moves(const talweg_optimizer* optimizer, uint32_t phase) {
  const talweg_kernels* step = &optimizer->image->step;
  if (optimizer->progress.has_waited || optimizer->progress.regrad) return 1;
  while (++phase < step->phase_count)
    if (step->phases[phase].says_regrad) return 1;
  return 0;
}

/* A skipped call does no more than what it keeps needs. How the call ends means nothing before it
 * is known. */
static int is_skipped(const talweg_optimizer* optimizer, uint32_t phase) {
  return phase >= optimizer->image->step.end_phase && optimizer->outcome == TALWEG_SKIPPED &&
         !moves(optimizer, phase);
}

static int has_work(const talweg_optimizer* optimizer, uint32_t phase) {
  if (!optimizer->image->step.phases[phase].pass) return 0;
  return !is_skipped(optimizer, phase) || keeps_element_state(optimizer) ||
         talweg_reads_chunks_after(&optimizer->image->step, phase);
}

static void run_lines(phase_run* run, uint32_t phase) {
  talweg_optimizer* optimizer = run->optimizer;
  if (!run->phase->lines ||
      (is_skipped(optimizer, phase) && !talweg_reads_lines_after(&optimizer->image->step, phase)))
    return;
  if (optimizer->progress.begins) talweg_for_chunks(optimizer, begin_chunks, optimizer);
  optimizer->progress.begins = 0;
  talweg_run_lines(optimizer, &optimizer->image->step, run->phase, &optimizer->pass_args);
}

static void begin_lines(talweg_optimizer* optimizer) {
  if (optimizer->image->split == TALWEG_SPLIT_NONE) return;
  if (optimizer->begins_some && !optimizer->progress.lines_began) talweg_begin_lines(optimizer);
  optimizer->progress.lines_began = 1;
}

/* All of a phase behind its functions of model and groups. */
static void run_tables(phase_run* run, uint32_t phase) {
  talweg_optimizer* optimizer = run->optimizer;
  if (run->phase->tensor_scalars)
    talweg_run_tensors(optimizer, &optimizer->image->step, run->phase->tensor_scalars,
                       &optimizer->pass_args);
  begin_lines(optimizer);
  if (optimizer->image->split != TALWEG_SPLIT_NONE) {
    talweg_run_line_functions(optimizer, &optimizer->image->step, run->phase,
                              &optimizer->pass_args);
    run_lines(run, phase);
  }
  if (!has_work(optimizer, phase)) return;
  talweg_for_chunks(optimizer, run_chunks, run);
  optimizer->progress.begins = 0;
}

/* From the phase where the step is to go on to its end, or to where it waits. */
static talweg_status run_phases(talweg_optimizer* optimizer, talweg_error* error) {
  const talweg_kernels* step = &optimizer->image->step;
  talweg_progress* progress = &optimizer->progress;
  uint32_t phase = progress->next_phase;
  progress->next_phase = 0;
  for (; phase < step->phase_count; ++phase) {
    phase_run run = {.optimizer = optimizer, .phase = &step->phases[phase]};
    optimizer->pass_args.phase = phase;
    talweg_status status = talweg_run_scalars(optimizer, phase, error);
    if (status == TALWEG_OK && phase == 0) status = talweg_check_inputs(optimizer, error);
    if (status != TALWEG_OK) return status;
    if (is_skipped(optimizer, phase) && !keeps_some(optimizer)) return TALWEG_OK;
    const uint32_t span_end = talweg_span_from(optimizer, phase);
    if (span_end > phase) {
      begin_lines(optimizer);
      talweg_run_span(optimizer, phase, span_end);
      phase = span_end - 1;
      continue;
    }
    run_tables(&run, phase);
    if (!progress->regrad) continue;
    progress->has_waited = 1;
    progress->next_phase = phase + 1;
    return TALWEG_OK;
  }
  return TALWEG_OK;
}

/* What began in a call that does not keep it. */
static void clear(talweg_optimizer* optimizer, int is_refused) {
  const talweg_progress* progress = &optimizer->progress;
  if (!optimizer->begins_some || (!is_refused && optimizer->outcome != TALWEG_SKIPPED)) return;
  if (!progress->begins || progress->has_made)
    talweg_for_chunks(optimizer, is_refused ? clear_chunks : clear_skipped_chunks, optimizer);
  if (progress->lines_began || progress->has_made)
    talweg_clear_lines(optimizer, is_refused ? 0 : optimizer->kept);
}

static void put_back_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_optimizer* optimizer = argument;
  talweg_chunk_run run;
  for (uint32_t i = begin; i < end; i = run.chunk_end) {
    run = talweg_run_of(optimizer, i, end);
    if (!optimizer->takes_part[run.tensor]) continue;
    void* const* streams =
        optimizer->pointers + (size_t)run.tensor * optimizer->image->stream_count;
    const unsigned char* origin = streams[optimizer->image->step.origin_stream];
    talweg_begin_copy(optimizer, (unsigned char*)streams[TALWEG_STREAM_PARAM] + run.offset,
                      origin + run.offset, run.bytes);
  }
}

void talweg_take_back(talweg_optimizer* optimizer) {
  if (optimizer->progress.has_waited && optimizer->image->step.origin_stream != UINT32_MAX) {
    talweg_for_chunks(optimizer, put_back_chunks, optimizer);
    talweg_finish_copies(optimizer);
  }
  clear(optimizer, 1);
}

talweg_status talweg_run_phases(talweg_optimizer* optimizer, talweg_error* error) {
  if (!talweg_is_waiting(optimizer)) {
    optimizer->progress = (talweg_progress){.begins = optimizer->begins_some};
    talweg_begin_scalars(optimizer, 1);
  }
  const talweg_status status = run_phases(optimizer, error);
  if (status != TALWEG_OK)
    talweg_take_back(optimizer);
  else if (!talweg_is_waiting(optimizer))
    clear(optimizer, 0);
  return status;
}
