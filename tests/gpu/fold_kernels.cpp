// Prints the kernels that fold partial results as PTX, for the target that is named.
#include <cstdio>

#include "compiler/targets/target.h"
#include "tests/gpu/fold_device.h"

int main(int count, char** arguments) {
  if (count != 2 || talweg::targets::find_target(arguments[1]) == nullptr) {
    std::fputs("usage: fold_kernels TARGET, such as nvptx-sm90\n", stderr);
    return 2;
  }
  std::fputs(talweg::gpu::fold_kernels_text(arguments[1]).c_str(), stdout);
  return 0;
}
