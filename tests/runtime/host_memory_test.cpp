// Memory for states.
#include "runtime/device/host_memory.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <utility>

namespace talweg::device {

TEST_CASE("host memory is zeroed, aligned and writable to its last byte") {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{20} << 20}) {
    const auto block = HostBlock::allocate(bytes);
    REQUIRE(block);
    auto* const data = static_cast<unsigned char*>(block->data());
    CHECK(reinterpret_cast<std::uintptr_t>(data) % 4096 == 0);
    if (bytes > 1 << 20) CHECK(reinterpret_cast<std::uintptr_t>(data) % (2 << 20) == 0);
    CHECK(data[0] == 0);
    CHECK(data[bytes - 1] == 0);
    data[bytes - 1] = 1;
  }
}

TEST_CASE("an empty block has no memory; one that cannot be had is no block") {
  REQUIRE(HostBlock::allocate(0));
  CHECK(HostBlock::allocate(0)->data() == nullptr);
  CHECK_FALSE(HostBlock::allocate(PTRDIFF_MAX));
  CHECK_FALSE(HostBlock::allocate(SIZE_MAX));
  CHECK_FALSE(HostBlock::allocate(std::size_t{1} << 60));
}

TEST_CASE("blocks move") {
  auto first = *HostBlock::allocate(100);
  void* const data = first.data();
  HostBlock second = std::move(first);
  CHECK(second.data() == data);
  HostBlock third;
  third = std::move(second);
  CHECK(third.data() == data);
}

}  // namespace talweg::device
