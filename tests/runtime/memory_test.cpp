// Chunk tables, places of states and types.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "runtime/memory/chunk_table.h"
#include "runtime/memory/dtype.h"
#include "runtime/memory/state_layout.h"

namespace {

std::vector<talweg_chunk> chunks_of(const std::vector<std::uint64_t>& sizes) {
  std::uint32_t count = 0;
  for (const std::uint64_t size : sizes) REQUIRE(talweg_count_chunks(size, &count) == 1);
  std::vector<talweg_chunk> chunks(count);
  talweg_chunk* next = chunks.data();
  for (std::uint32_t i = 0; i < sizes.size(); ++i) next = talweg_fill_chunks(sizes[i], i, next);
  REQUIRE(next == chunks.data() + count);
  return chunks;
}

}  // namespace

TEST_CASE("chunks tile each tensor") {
  const std::vector<std::uint64_t> sizes{0, 1, 16383, 16384, 16385, 0, 3 * 16384, 100000};
  std::vector<std::uint64_t> seen(sizes.size());
  std::uint32_t tensor = 0;
  for (const talweg_chunk& chunk : chunks_of(sizes)) {
    CHECK(chunk.tensor_index >= tensor);
    tensor = chunk.tensor_index;
    CHECK(chunk.first_element == seen[tensor]);
    CHECK(chunk.first_element % TALWEG_CHUNK_ELEMENTS == 0);
    CHECK(chunk.element_count >= 1);
    CHECK(chunk.element_count <= TALWEG_CHUNK_ELEMENTS);
    seen[tensor] += chunk.element_count;
    if (seen[tensor] < sizes[tensor]) CHECK(chunk.element_count == TALWEG_CHUNK_ELEMENTS);
  }
  CHECK(seen == sizes);
}

TEST_CASE("more chunks than can be numbered are refused, not wrapped") {
  constexpr std::uint64_t kMost = std::uint64_t{UINT32_MAX - 1} * TALWEG_CHUNK_ELEMENTS;
  std::uint32_t count = 0;
  CHECK(talweg_count_chunks(kMost, &count) == 1);
  CHECK(count == UINT32_MAX - 1);
  CHECK(talweg_count_chunks(1, &count) == 0);
  CHECK(count == UINT32_MAX - 1);
  count = 0;
  CHECK(talweg_count_chunks(kMost + 1, &count) == 0);
  CHECK(talweg_count_chunks(std::numeric_limits<std::uint64_t>::max(), &count) == 0);
  CHECK(count == 0);
}

TEST_CASE("states are apart, aligned and staggered") {
  const std::vector<std::uint64_t> sizes{1, 0, 16384, 3, 40000, 7, 16383};
  talweg_state_layout layout{};
  layout.element_bytes = 4;
  std::set<std::uint64_t> distances{0};
  std::uint64_t end = 0;
  for (std::uint32_t state = 0; state < 5; ++state) {
    talweg_begin_region(&layout);
    std::uint64_t region = 0;
    for (std::size_t i = state % 2; i < sizes.size(); ++i) {  // not all keep every state
      std::uint64_t offset = 0;
      REQUIRE(talweg_place_tensor(&layout, sizes[i], &offset) == 1);
      if (i == state % 2) region = offset;
      CHECK(offset % 64 == 0);
      CHECK(offset >= end);
      if (sizes[i] >= 16384) CHECK((offset - region) % 4096 == 0);
      if (sizes[i] > 0) end = offset + sizes[i] * 4;
      CHECK((sizes[i] == 0 || layout.block_bytes == end));
    }
    CHECK(distances.insert(region % 4096).second);
  }
}

TEST_CASE("no state or no element needs no memory") {
  talweg_state_layout layout{};
  layout.element_bytes = 8;
  CHECK(layout.block_bytes == 0);
  std::uint64_t offset = 0;
  for (int state = 0; state < 3; ++state) {
    talweg_begin_region(&layout);
    REQUIRE(talweg_place_tensor(&layout, 0, &offset) == 1);
  }
  CHECK(layout.block_bytes == 0);
}

TEST_CASE("states past what can be addressed are refused") {
  const std::uint64_t huge = std::uint64_t{1} << 60;
  std::uint64_t offset = 0;
  talweg_state_layout layout{};
  layout.element_bytes = 8;
  talweg_begin_region(&layout);
  CHECK(talweg_place_tensor(&layout, huge, &offset) == 0);
  CHECK(talweg_place_tensor(&layout, UINT64_MAX, &offset) == 0);
  CHECK(talweg_place_tensor(&layout, huge / 2, &offset) == 1);
  CHECK(talweg_place_tensor(&layout, huge / 2, &offset) == 0);
  talweg_begin_region(&layout);
  CHECK(talweg_place_tensor(&layout, huge / 2, &offset) == 0);
}

TEST_CASE("types have sizes and names") {
  CHECK(talweg_dtype_bytes(TALWEG_F32) == 4);
  CHECK(talweg_dtype_bytes(TALWEG_F64) == 8);
  CHECK(talweg_dtype_bytes(TALWEG_BF16) == 2);
  CHECK(talweg_dtype_bytes(TALWEG_F16) == 2);
  CHECK(talweg_dtype_is_served(TALWEG_F32) == 1);
  CHECK(talweg_dtype_is_served(TALWEG_BF16) == 0);
  for (const std::uint32_t unknown : {0U, 5U, UINT32_MAX}) {
    CHECK(talweg_dtype_bytes(unknown) == 0);
    CHECK(std::string(talweg_dtype_name(unknown)) == "unknown");
    CHECK(talweg_dtype_is_served(unknown) == 0);
  }
}
