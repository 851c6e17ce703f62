// Machines without AVX-512: one argument at a time (float32_check.cpp).
#include "compiler/base/check.h"
#include "tests/elementary/lanes.h"

namespace talweg::builtins::tests {

bool has_lanes() { return false; }

void compute_lanes(Op, const float*, const float*, std::size_t, float*, double*, double*) {
  TALWEG_UNREACHABLE("there are no lanes here");
}

}  // namespace talweg::builtins::tests
