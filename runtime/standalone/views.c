/* Views by name. */
#include "runtime/standalone/internal.h"

static talweg_lib_status find_view(const talweg_lib_optimizer* optimizer, const char* name,
                                   uint32_t* view, talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  const talweg_image* image = optimizer->image;
  return talweg_lib_find("view", image->views, sizeof *image->views, image->view_count, name, view,
                         error);
}

talweg_lib_status talweg_lib_read_view(talweg_lib_optimizer* optimizer, const char* name,
                                       talweg_lib_element* const* destinations,
                                       talweg_lib_error* error) {
  uint32_t view;
  const talweg_lib_status found = find_view(optimizer, name, &view, error);
  if (found != TALWEG_LIB_OK) return found;
  if (!destinations) return fail_null(error, "the array of destinations");
  return from_core(talweg_read_view(optimizer->core, view, destinations, core_error(error)));
}

talweg_lib_status talweg_lib_swap_in(talweg_lib_optimizer* optimizer, const char* name,
                                     void* memory, talweg_lib_error* error) {
  uint32_t view;
  const talweg_lib_status found = find_view(optimizer, name, &view, error);
  if (found != TALWEG_LIB_OK) return found;
  return from_core(talweg_swap_in(optimizer->core, view, memory, core_error(error)));
}

uint64_t talweg_lib_swap_bytes(const talweg_lib_optimizer* optimizer) {
  return is_own(optimizer) ? talweg_swap_bytes(optimizer->core) : 0;
}

talweg_lib_status talweg_lib_swap_out(talweg_lib_optimizer* optimizer, talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  return from_core(talweg_swap_out(optimizer->core, core_error(error)));
}
