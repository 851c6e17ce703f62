#include "compiler/cli/optimizer_factory.h"

#include <utility>

namespace talweg::cli {

support::Result<optimizer::Optimizer> make_optimizer(
    const std::shared_ptr<driver::Program>& program, const std::vector<std::string>& settings,
    std::vector<optimizer::Tensor> tensors, std::uint32_t groups,
    std::shared_ptr<support::ThreadPool> pool, const optimizer::MakeCore& make_core) {
  auto made = optimizer::Optimizer::create(program->image(), program, std::move(tensors), groups,
                                           std::move(pool), make_core);
  if (!made) return made;
  for (const std::string& text : settings) {
    const auto setting = parse_setting(text);
    if (!setting) return setting.failure();
    if (auto set = made->set_hyper(setting->name, setting->value, setting->group); !set)
      return set.failure();
  }
  return made;
}

}  // namespace talweg::cli
