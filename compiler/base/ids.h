// Typed 32-bit ids: indices into a vector owned by somebody else. An id of one kind cannot be used
// where another is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace talweg::base {

/// An index into the vector of things named by `Tag`. Default: no thing.
template <class Tag>
struct Id {
  static constexpr std::uint32_t kNone = 0xffffffffu;
  std::uint32_t index = kNone;

  constexpr Id() = default;
  constexpr explicit Id(std::uint32_t i) : index(i) {}
  [[nodiscard]] constexpr bool valid() const { return index != kNone; }
  constexpr auto operator<=>(const Id&) const = default;
};

}  // namespace talweg::base

template <class Tag>
struct std::hash<talweg::base::Id<Tag>> {
  std::size_t operator()(talweg::base::Id<Tag> id) const noexcept {
    return std::hash<std::uint32_t>{}(id.index);
  }
};
