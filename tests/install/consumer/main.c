/* One step with each library; what it prints says which rules they were built of. */
#include <stdio.h>

#include "mine.h"
#include "stages.h"

int main(void) {
  float p[3] = {1, 2, 3};
  const float g[3] = {0.25f, 0.5f, 1};
  mine_error error;
  if (mine_step_flat(p, g, 3, 1, NULL, &error) != MINE_OK) {
    puts(error.message);
    return 1;
  }
  printf("mine %g %g %g\n", (double)p[0], (double)p[1], (double)p[2]);
  double q[1] = {0}, m[1] = {0}, v[1] = {0};
  const double h[1] = {4};
  stages_error why;
  if (stages_adamw_step_flat(q, h, m, v, 1, 1, NULL, &why) != STAGES_OK) {
    puts(why.message);
    return 1;
  }
  printf("stages %s %zu\n", stages_version(), sizeof(stages_element));
  return 0;
}
