#include "tests/random/choices.h"

#include <algorithm>
#include <numeric>

namespace talweg::tests {

std::uint64_t counter_random(std::uint64_t stream, std::uint64_t n) {
  std::uint64_t z = (stream + 1) * 0x9e3779b97f4a7c15;
  for (const std::uint64_t word : {n, stream}) {
    z += 0x9e3779b97f4a7c15 * (word + 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
  }
  return z;
}

std::uint32_t Choices::below(std::uint32_t count) {
  std::uint32_t choice = 0;
  if (!is_replay_)
    choice = static_cast<std::uint32_t>(counter_random(seed_, taken_.size()) % count);
  else if (taken_.size() < replayed_.size())
    choice = std::min(replayed_[taken_.size()], count - 1);
  taken_.push_back(choice);
  return choice;
}

std::size_t Choices::weighted(std::initializer_list<std::uint32_t> weights) {
  std::uint32_t left = below(std::accumulate(weights.begin(), weights.end(), std::uint32_t{0}));
  std::size_t index = 0;
  for (const std::uint32_t weight : weights) {
    if (left < weight) break;
    left -= weight;
    ++index;
  }
  return index;
}

}  // namespace talweg::tests
