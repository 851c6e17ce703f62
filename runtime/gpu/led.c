/* Why the host must lead through a step, or why a step cannot be captured. */
#include "runtime/gpu/internal.h"
#include "runtime/optimizer/message.h"

static int begins(talweg_optimizer* core, uint32_t state) {
  const talweg_state_info* info = &core->image->states[state];
  if (!talweg_begins_late(info)) return 0;
  for (uint32_t t = 0; t < core->spec.tensor_count; ++t) {
    const double* begun = talweg_state_begun(core, state, t);
    if (begun && *begun == 0 && (core->takes_part[t] || talweg_is_scalar_rate(info->rate)))
      return 1;
  }
  return 0;
}

/* The first phase behind which the rule may ask for another gradient. */
static uint32_t first_asking(const talweg_kernels* step) {
  uint32_t phase = 0;
  while (phase < step->phase_count && !step->phases[phase].says_regrad) ++phase;
  return phase;
}

talweg_gpu_reason talweg_gpu_why_always_led(const talweg_gpu* gpu) {
  const talweg_image* image = gpu->core->image;
  const uint32_t asking = first_asking(&image->step);
  /* A step that is refused there puts back what it has moved. */
  for (uint32_t h = 0; h < image->hyper_count; ++h)
    if (image->hypers[h].bound && image->hypers[h].bound_phase > asking)
      return (talweg_gpu_reason){"hyper ", image->hypers[h].name,
                                 " is computed behind the gradient that the rule asks for"};
  return (talweg_gpu_reason){0};
}

talweg_gpu_reason talweg_gpu_why_led(talweg_gpu* gpu) {
  talweg_optimizer* core = gpu->core;
  const talweg_gpu_reason always = talweg_gpu_why_always_led(gpu);
  if (always.text) return always;
  for (uint32_t s = 0; s < core->image->state_count; ++s)
    if (begins(core, s))
      return (talweg_gpu_reason){"state ", core->image->states[s].name,
                                 " gets its initial value in this step; make one such step before"};
  return (talweg_gpu_reason){0};
}

talweg_status talweg_gpu_refuse_capture(const talweg_gpu_reason* why, talweg_error* error) {
  talweg_fail(error, TALWEG_NOT_SERVED, "this step cannot be captured: ");
  talweg_put(error, why->text);
  if (why->name) talweg_put_name(error, why->name);
  if (why->rest) talweg_put(error, why->rest);
  return TALWEG_NOT_SERVED;
}

/* Whether the host must look at what the rule says, to know if the step waits. */
static int asks_sometimes(const talweg_kernels* step) {
  for (uint32_t p = 0; p < step->phase_count; ++p)
    if (step->phases[p].says_regrad == 1) return 1;
  return 0;
}

talweg_status talweg_gpu_check_captured_rule(const talweg_gpu* gpu, talweg_error* error) {
  const talweg_image* image = gpu->core->image;
  talweg_gpu_reason why = talweg_gpu_why_always_led(gpu);
  if (asks_sometimes(&image->step))
    why = (talweg_gpu_reason){"rule ", image->name,
                              " asks for another gradient in some of its steps only"};
  return why.text ? talweg_gpu_refuse_capture(&why, error) : TALWEG_OK;
}

talweg_status talweg_gpu_check_capture(const talweg_gpu* gpu, uint32_t parts, talweg_error* error) {
  const talweg_optimizer* core = gpu->core;
  talweg_gpu_reason why = {0};
  if (parts & TALWEG_GPU_HYPERS)
    why.text = "hypers were set since the last step; send them to the device before";
  else if (parts & TALWEG_GPU_SCALARS)
    why.text =
        "the device has not got the states that were set, or that the last step has left, which "
        "the host led through; make one more step before, or send hypers";
  for (uint32_t i = 0; !why.text && i < core->image->input_count; ++i) {
    const uint32_t rate = core->image->inputs[i].rate;
    if (rate != TALWEG_RATE_ELEMENT && !talweg_is_row_or_col(rate) && core->given[i] &&
        !gpu->sources[i].numbers)
      why =
          (talweg_gpu_reason){"input ", core->image->inputs[i].name, " is a number of the host's"};
  }
  return why.text ? talweg_gpu_refuse_capture(&why, error) : TALWEG_OK;
}
