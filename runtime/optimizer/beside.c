/* What is computed over tensors beside the step, by kernels of its own: a view, an initial value.
 * Both use what a step makes anew (slots, partial results, scratch rows), but a table of streams of
 * their own, so a step that is about to begin finds its own as they were bound.
 *
 * No gradient is read: an address in its place says which tensors take part. */
#include <string.h>

#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

/* Which way each tensor takes through the passes, and which reductions range over it. */
static void place_tensors(talweg_optimizer* optimizer, const talweg_kernels* kernels) {
  const size_t facts = optimizer->image->fact_count;
  const uint32_t domains = optimizer->image->domain_count;
  for (uint32_t t = 0; t < optimizer->spec.tensor_count; ++t)
    optimizer->beside_routes[t] =
        talweg_place_beside(kernels, optimizer->tensor_facts + t * facts,
                            optimizer->beside_domains + (size_t)t * domains, domains);
}

void talweg_begin_beside(talweg_beside* run, talweg_optimizer* optimizer,
                         const talweg_kernels* kernels) {
  *run = (talweg_beside){.optimizer = optimizer,
                         .kernels = kernels,
                         .args = optimizer->pass_args,
                         .outer = optimizer->running,
                         .outer_domains = optimizer->running_domains};
  run->args.pointers = optimizer->beside_pointers;
  run->args.tensor_routes = optimizer->beside_routes;
  place_tensors(optimizer, kernels);
  optimizer->running = kernels;
  optimizer->running_domains = optimizer->beside_domains;
}

void talweg_end_beside(talweg_beside* run) {
  talweg_forget_parts(run->optimizer);
  run->optimizer->running = run->outer;
  run->optimizer->running_domains = run->outer_domains;
}

void talweg_show_beside(talweg_optimizer* optimizer, uint32_t tensor, void* param, int takes_part) {
  const talweg_image* image = optimizer->image;
  const size_t row = (size_t)tensor * image->stream_count;
  void** streams = optimizer->beside_pointers + row;
  void* const own = optimizer->tensors[tensor].param;
  memcpy(streams, optimizer->pointers + row, image->stream_count * sizeof *streams);
  optimizer->takes_part[tensor] = (uint8_t)takes_part;
  streams[TALWEG_STREAM_PARAM] = param;
  streams[TALWEG_STREAM_GRAD] = !takes_part ? 0 : own ? own : (void*)streams;
  for (uint32_t i = 0; i < image->input_count; ++i)
    if (image->inputs[i].rate == TALWEG_RATE_ELEMENT) streams[image->inputs[i].stream] = 0;
}

static void run_chunks(void* argument, uint32_t begin, uint32_t end) {
  const talweg_beside* run = argument;
  talweg_call_pass(run->optimizer, run->kernels->self, run->phase->pass, &run->args, begin, end);
}

static void run_scalars(talweg_beside* run, uint32_t phase) {
  run->phase = &run->kernels->phases[phase];
  run->args.phase = phase;
  talweg_run_scalars_beside(run->optimizer, phase);
}

void talweg_run_tables_beside(talweg_beside* run) {
  talweg_optimizer* optimizer = run->optimizer;
  if (run->phase->tensor_scalars)
    talweg_run_tensors(optimizer, run->kernels, run->phase->tensor_scalars, &run->args);
  talweg_run_line_functions(optimizer, run->kernels, run->phase, &run->args);
  talweg_run_lines(optimizer, run->kernels, run->phase, &run->args);
}

void talweg_run_phases_beside(talweg_beside* run) {
  const uint32_t last = run->kernels->phase_count - 1;
  for (uint32_t phase = 0; phase < last; ++phase) {
    run_scalars(run, phase);
    talweg_run_tables_beside(run);
    if (run->phase->pass) talweg_for_chunks(run->optimizer, run_chunks, run);
  }
  run_scalars(run, last);
}
