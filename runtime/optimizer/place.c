/* What a rule makes of each tensor, once, where the optimizer is built: its facts, the route it
 * takes, the states it keeps, the inputs its steps may read, the reductions that range over it and
 * whether it is what the rule requires. */
#include <string.h>

#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/pattern.h"

static int has_tag(const talweg_tensor* tensor, const char* tag) {
  for (uint32_t i = 0; i < tensor->tag_count; ++i)
    if (strcmp(tensor->tags[i], tag) == 0) return 1;
  return 0;
}

static double fact_of(const talweg_fact_info* fact, const talweg_tensor* tensor,
                      const talweg_matrix_view* view) {
  switch ((talweg_fact_kind)fact->kind) {
    case TALWEG_FACT_RANK:
      return tensor->rank;
    case TALWEG_FACT_SIZE:
      return (double)talweg_element_count(tensor);
    case TALWEG_FACT_NAMED:
      return talweg_matches(fact->text, tensor->name);
    case TALWEG_FACT_TAGGED:
      return has_tag(tensor, fact->text);
    case TALWEG_FACT_ROWS:
      return (double)view->rows;
    case TALWEG_FACT_COLS:
      return (double)view->cols;
    case TALWEG_FACT_MATRICES:
      return (double)talweg_count_matrices(view);
  }
  return 0;
}

static talweg_placement to_fill(talweg_placed* placed, const double* facts) {
  return (talweg_placement){
      .facts = facts,
      .route = &placed->route,
      .state_present = placed->state_present,
      .input_present = placed->input_present,
      .in_domain = placed->in_domain,
      .requirement_met = placed->requirement_met,
  };
}

void talweg_place(const talweg_image* image, const talweg_tensor* tensor, talweg_placed* placed) {
  placed->route = 0;
  memset(placed->in_domain, 0, image->domain_count);
  talweg_matrix_view view;
  talweg_view_tensor(image->split, tensor, &view);
  for (uint32_t i = 0; i < image->fact_count; ++i)
    placed->facts[i] = fact_of(&image->facts[i], tensor, &view);
  const talweg_placement placement = to_fill(placed, placed->facts);
  image->step.place(image->step.self, &placement);
}

uint32_t talweg_place_beside(const talweg_kernels* kernels, const double* facts, uint8_t* in_domain,
                             uint32_t domain_count) {
  talweg_placed placed;
  if (!kernels->place) return 0;
  placed.route = 0;
  memset(placed.in_domain, 0, domain_count);
  const talweg_placement placement = to_fill(&placed, facts);
  kernels->place(kernels->self, &placement);
  memcpy(in_domain, placed.in_domain, domain_count);
  return placed.route;
}
