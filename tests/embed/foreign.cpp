// talweg_destroy of libtalweg leaves an optimizer of a built library as it is.
#include <adamw.h>

#include <cstdio>
#include <talweg/talweg.hpp>

int main() {
  const talweg_rule* rule = adamw_rule();
  const std::uint64_t shape[] = {5};
  float w[5] = {}, gradient[5] = {1, 1, 1, 1, 1};
  void* gradients[] = {gradient};
  talweg_tensor tensor{};
  tensor.name = "w";
  tensor.shape = shape;
  tensor.rank = 1;
  tensor.param = w;
  talweg_spec spec{};
  spec.interface_version = TALWEG_INTERFACE;
  spec.tensors = &tensor;
  spec.tensor_count = 1;
  talweg_optimizer* optimizer = nullptr;
  if (rule->functions->create(rule, &spec, &optimizer, nullptr) != TALWEG_OK) return 1;
  for (int i = 0; i < 2; ++i) {
    talweg_destroy(optimizer);
    if (rule->functions->step(optimizer, gradients, nullptr, nullptr, nullptr) != TALWEG_OK)
      return 1;
  }
  std::printf("%d steps\n", static_cast<int>(rule->functions->steps(optimizer)));
  rule->functions->destroy(optimizer);
}
