// All targets, and the choice of one; see target.h.
#include <algorithm>
#include <vector>

#include "compiler/targets/aarch64.h"
#include "compiler/targets/nvptx.h"
#include "compiler/targets/target.h"
#include "compiler/targets/wasm.h"
#include "compiler/targets/x86.h"

namespace talweg::targets {

std::span<const Target* const> all_targets() {
  static const std::vector<const Target*> all = [] {
    std::vector<const Target*> targets;
    for (const auto family : {nvptx_targets(), wasm_targets(), aarch64_targets(), x86_targets()})
      targets.insert(targets.end(), family.begin(), family.end());
    return targets;
  }();
  return all;
}

const Target* find_target(std::string_view name) {
  const auto targets = all_targets();
  const auto found = std::ranges::find(targets, name, &Target::name);
  return found == targets.end() ? nullptr : *found;
}

const Target* host_target() {
  const auto targets = all_targets();
  for (auto target = targets.rbegin(); target != targets.rend(); ++target)
    if ((*target)->runs_here()) return *target;
  return nullptr;
}

}  // namespace talweg::targets
