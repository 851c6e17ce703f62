/* Values of hypers: set by the user, or bound by the rule; checked against kind and range either
 * way. */
#include "runtime/memory/dtype.h"
#include "runtime/optimizer/hyper_range.h"
#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/work.h"

static void put_hyper(const talweg_image* image, uint32_t hyper, talweg_error* error) {
  talweg_put(error, "hyper ");
  talweg_put_name(error, image->hypers[hyper].name);
  talweg_put(error, " of rule ");
  talweg_put_name(error, image->name);
}

static void put_range(const talweg_hyper_info* hyper, talweg_error* error) {
  talweg_put(error, hyper->low_closed ? "[" : "(");
  talweg_put_number(error, hyper->low);
  talweg_put(error, ", ");
  talweg_put_number(error, hyper->high);
  talweg_put(error, hyper->high_closed ? "]" : ")");
}

static talweg_status refuse_value(const talweg_image* image, uint32_t hyper, const char* what,
                                  double value, talweg_error* error) {
  talweg_fail(error, TALWEG_OUT_OF_RANGE, "");
  put_hyper(image, hyper, error);
  talweg_put(error, " must be ");
  talweg_put(error, what);
  talweg_put(error, ", not ");
  talweg_put_number(error, value);
  return TALWEG_OUT_OF_RANGE;
}

static talweg_status refuse_range(const talweg_image* image, uint32_t hyper, double value,
                                  double rounded, talweg_error* error) {
  const talweg_hyper_info* info = &image->hypers[hyper];
  talweg_fail(error, TALWEG_OUT_OF_RANGE, "");
  put_hyper(image, hyper, error);
  talweg_put(error, " must be in ");
  put_range(info, error);
  talweg_put(error, talweg_is_in_range(info, value) ? "; " : ", not ");
  talweg_put_number(error, value);
  if (talweg_is_in_range(info, value)) {
    talweg_put(error, " becomes ");
    talweg_put_number(error, rounded);
    talweg_put(error, " in ");
    talweg_put(error, talweg_dtype_name(image->compute_dtype));
  }
  return TALWEG_OUT_OF_RANGE;
}

talweg_status talweg_check_hyper_value(const talweg_image* image, uint32_t hyper, double value,
                                       talweg_error* error) {
  const talweg_hyper_info* info = &image->hypers[hyper];
  if (value != value) return refuse_value(image, hyper, "a number", value, error);
  if (info->kind == TALWEG_HYPER_BOOL && value != 0 && value != 1)
    return refuse_value(image, hyper, "true or false (1 or 0)", value, error);
  if (info->kind == TALWEG_HYPER_INT && !talweg_is_integer(value))
    return refuse_value(image, hyper, "an integer", value, error);
  const double rounded = talweg_rounded_hyper(info, value, image->compute_dtype == TALWEG_F32);
  if (!talweg_is_in_range(info, value) || !talweg_is_in_range(info, rounded))
    return refuse_range(image, hyper, value, rounded, error);
  return TALWEG_OK;
}

static talweg_status check_indices(const talweg_optimizer* optimizer, uint32_t hyper,
                                   uint32_t group, talweg_error* error) {
  if (hyper >= optimizer->image->hyper_count) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no hyper of number ");
    talweg_put_count(error, hyper);
    return TALWEG_BAD_ARGUMENT;
  }
  if (group >= optimizer->spec.group_count) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "there is no group ");
    talweg_put_count(error, group);
    talweg_put(error, "; groups are numbered below ");
    talweg_put_count(error, optimizer->spec.group_count);
    return TALWEG_BAD_ARGUMENT;
  }
  return TALWEG_OK;
}

talweg_status talweg_check_hyper(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                                 double value, talweg_error* error) {
  const talweg_image* image = optimizer->image;
  const int is_for_all = group == TALWEG_ALL_GROUPS;
  const talweg_status status = check_indices(optimizer, hyper, is_for_all ? 0 : group, error);
  if (status != TALWEG_OK) return status;
  if (image->hypers[hyper].bound && !image->hypers[hyper].follows) {
    talweg_fail(error, TALWEG_BOUND, "");
    put_hyper(image, hyper, error);
    talweg_put(error, " is computed by the rule in each step and cannot be set");
    return TALWEG_BOUND;
  }
  if (image->hypers[hyper].rate == TALWEG_RATE_MODEL && !is_for_all &&
      optimizer->spec.group_count > 1) {
    talweg_fail(error, TALWEG_BAD_ARGUMENT, "");
    put_hyper(image, hyper, error);
    talweg_put(error, " is one for the whole model and cannot be set for one group");
    return TALWEG_BAD_ARGUMENT;
  }
  if (!(image->hypers[hyper].follows && value != value)) {
    const talweg_status checked = talweg_check_hyper_value(image, hyper, value, error);
    if (checked != TALWEG_OK) return checked;
  }
  return talweg_refuse_waiting(optimizer, "a hyper is set", error);
}

talweg_status talweg_set_hyper(talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                               double value, talweg_error* error) {
  const talweg_status checked = talweg_check_hyper(optimizer, hyper, group, value, error);
  if (checked != TALWEG_OK) return checked;
  const int is_for_all = group == TALWEG_ALL_GROUPS;
  const uint32_t begin = is_for_all ? 0 : group;
  const uint32_t end = is_for_all ? optimizer->spec.group_count : group + 1;
  for (uint32_t g = begin; g < end; ++g)
    optimizer->hypers[(size_t)g * optimizer->image->hyper_count + hyper] = value;
  return TALWEG_OK;
}

double talweg_hyper_as_set(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group) {
  return optimizer->hypers[(size_t)group * optimizer->image->hyper_count + hyper];
}

talweg_status talweg_get_hyper(const talweg_optimizer* optimizer, uint32_t hyper, uint32_t group,
                               double* value, talweg_error* error) {
  const talweg_image* image = optimizer->image;
  const talweg_status status = check_indices(optimizer, hyper, group, error);
  if (status != TALWEG_OK) return status;
  const talweg_hyper_info* info = &image->hypers[hyper];
  double now = talweg_hyper_as_set(optimizer, hyper, group);
  if (info->bound && !(info->follows && now == now)) {
    const size_t row = info->rate == TALWEG_RATE_MODEL ? MODEL_ROW : (size_t)group + 1;
    const talweg_status settled = talweg_settle(optimizer, error);
    if (settled != TALWEG_OK) return settled;
    now = optimizer->last_bound[row * image->hyper_count + hyper];
  }
  if (now == now) {
    *value = now;
    return TALWEG_OK;
  }
  talweg_fail(error, TALWEG_NOT_YET, "");
  put_hyper(image, hyper, error);
  talweg_put(error, " is computed by the rule and has no value before a step");
  return TALWEG_NOT_YET;
}
