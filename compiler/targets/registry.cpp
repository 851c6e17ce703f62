// All targets, and the choice of one; see target.h.
#include <algorithm>

#include "compiler/targets/target.h"
#include "compiler/targets/x86.h"

namespace talweg::targets {

std::span<const Target* const> all_targets() { return x86_targets(); }

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
