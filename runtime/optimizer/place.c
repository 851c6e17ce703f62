/* What a rule makes of each tensor, once, where the optimizer is built: its facts, the route it
 * takes, the states it keeps and the inputs its steps may read. */
#include <string.h>

#include "runtime/optimizer/internal.h"
#include "runtime/optimizer/pattern.h"

static int has_tag(const talweg_tensor* tensor, const char* tag) {
  for (uint32_t i = 0; i < tensor->tag_count; ++i)
    if (strcmp(tensor->tags[i], tag) == 0) return 1;
  return 0;
}

static double fact_of(const talweg_fact_info* fact, const talweg_tensor* tensor) {
  switch ((talweg_fact_kind)fact->kind) {
    case TALWEG_FACT_RANK:
      return tensor->rank;
    case TALWEG_FACT_SIZE:
      return (double)talweg_element_count(tensor);
    case TALWEG_FACT_NAMED:
      return talweg_matches(fact->text, tensor->name);
    case TALWEG_FACT_TAGGED:
      return has_tag(tensor, fact->text);
  }
  return 0;
}

void talweg_place(const talweg_image* image, const talweg_tensor* tensor, talweg_placed* placed) {
  placed->route = 0;
  if (!image->place) {
    memset(placed->state_present, 1, sizeof placed->state_present);
    memset(placed->input_present, 1, sizeof placed->input_present);
    return;
  }
  for (uint32_t i = 0; i < image->fact_count; ++i)
    placed->facts[i] = fact_of(&image->facts[i], tensor);
  const talweg_placement placement = {
      .facts = placed->facts,
      .route = &placed->route,
      .state_present = placed->state_present,
      .input_present = placed->input_present,
  };
  image->place(image->self, &placement);
}
