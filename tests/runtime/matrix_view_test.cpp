// Tensors as matrices: every element of many shapes against index arithmetic, and the tables of
// rows, columns and row blocks.
#include "runtime/memory/matrix_view.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "runtime/memory/line_tables.h"

namespace {

using Shape = std::vector<std::uint64_t>;
using Dimensions = std::vector<std::size_t>;

struct Split {
  talweg_split kind = TALWEG_SPLIT_NONE;
  std::uint32_t at = 0, to = 0;
};

talweg_view_fault view_of(talweg_split rule, const Shape& shape, Split split,
                          talweg_matrix_view& view) {
  talweg_tensor tensor{};
  tensor.shape = shape.data();
  tensor.rank = static_cast<std::uint32_t>(shape.size());
  tensor.split = split.kind;
  tensor.split_at = split.at;
  tensor.split_to = split.to;
  return talweg_view_tensor(rule, &tensor, &view);
}

talweg_matrix_view view_of(talweg_split rule, const Shape& shape, Split split = {}) {
  talweg_matrix_view view;
  REQUIRE(view_of(rule, shape, split, view) == TALWEG_VIEW_FITS);
  return view;
}

/// The number that the indices of some dimensions make.
std::uint64_t number(const Shape& shape, const Shape& index, const Dimensions& dimensions) {
  std::uint64_t result = 0;
  for (const std::size_t d : dimensions) result = result * shape[d] + index[d];
  return result;
}

Dimensions range(std::size_t begin, std::size_t end) {
  Dimensions result(end - begin);
  std::iota(result.begin(), result.end(), begin);
  return result;
}

/// Whether a view says of each element which row, column and matrix it is in.
bool is_right(const talweg_matrix_view& view, const Shape& shape, const Dimensions& rows,
              const Dimensions& cols) {
  Dimensions others;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (std::find(rows.begin(), rows.end(), d) == rows.end() &&
        std::find(cols.begin(), cols.end(), d) == cols.end())
      others.push_back(d);
  std::uint64_t seen = 0;
  for (std::uint64_t o = 0; o < view.outer; ++o)
    for (std::uint64_t r = 0; r < view.rows; ++r)
      for (std::uint64_t i = 0; i < view.inner; ++i)
        for (std::uint64_t c = 0; c < view.cols; ++c)
          for (std::uint64_t l = 0; l < view.last; ++l) {
            const std::uint64_t element =
                (((o * view.rows + r) * view.inner + i) * view.cols + c) * view.last + l;
            if (element != seen++) return false;
            Shape index(shape.size());
            std::uint64_t left = element;
            for (std::size_t d = shape.size(); d-- > 0; left /= shape[d])
              index[d] = left % shape[d];
            if (number(shape, index, rows) != r || number(shape, index, cols) != c ||
                number(shape, index, others) != (o * view.inner + i) * view.last + l)
              return false;
          }
  return seen == std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

/// All shapes of a rank with sizes 1 to 4 (of rank 5: to 3).
std::vector<Shape> shapes_of(std::size_t rank) {
  const std::uint64_t largest = rank < 5 ? 4 : 3;
  std::vector<Shape> shapes{Shape(rank, 1)};
  for (;;) {
    Shape next = shapes.back();
    std::size_t d = 0;
    while (d < rank && next[d] == largest) next[d++] = 1;
    if (d == rank) return shapes;
    ++next[d];
    shapes.push_back(next);
  }
}

Dimensions two_largest(const Shape& shape) {
  Dimensions order = range(0, shape.size());
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shape[a] != shape[b] ? shape[a] > shape[b] : a > b;
  });
  return {std::min(order[0], order[1]), std::max(order[0], order[1])};
}

}  // namespace

TEST_CASE("every element is in the row, column and matrix that its indices say") {
  std::size_t wrong = 0;
  for (std::size_t rank = 2; rank <= 5; ++rank)
    for (const Shape& shape : shapes_of(rank)) {
      const auto check = [&](const talweg_matrix_view& view, const Dimensions& rows,
                             const Dimensions& cols) {
        wrong += is_right(view, shape, rows, cols) ? 0 : 1;
      };
      check(view_of(TALWEG_SPLIT_FIRST_REST, shape), {0}, range(1, rank));
      check(view_of(TALWEG_SPLIT_LAST_TWO, shape), {rank - 2}, {rank - 1});
      const Dimensions largest = two_largest(shape);
      check(view_of(TALWEG_SPLIT_TWO_LARGEST, shape), {largest[0]}, {largest[1]});
      check(view_of(TALWEG_SPLIT_FIRST_REST, shape, {TALWEG_SPLIT_TWO_LARGEST}), {largest[0]},
            {largest[1]});
      for (std::uint32_t at = 1; at < rank; ++at)
        check(view_of(TALWEG_SPLIT_LAST_TWO, shape, {TALWEG_SPLIT_AT, at}), range(0, at),
              range(at, rank));
      for (std::uint32_t row = 0; row < rank; ++row)
        for (std::uint32_t col = row + 1; col < rank; ++col)
          check(view_of(TALWEG_SPLIT_LAST_TWO, shape, {TALWEG_SPLIT_PAIR, row, col}), {row}, {col});
    }
  CHECK(wrong == 0);
}

TEST_CASE("of equally large dimensions the later ones are rows and columns") {
  const auto sizes = [](const Shape& shape) {
    const talweg_matrix_view view = view_of(TALWEG_SPLIT_TWO_LARGEST, shape);
    return Shape{view.outer, view.rows, view.inner, view.cols, view.last};
  };
  CHECK(sizes({7, 7, 7}) == Shape{7, 7, 1, 7, 1});
  CHECK(sizes({9, 7, 7}) == Shape{1, 9, 7, 7, 1});
  CHECK(sizes({64, 32, 3, 3}) == Shape{1, 64, 1, 32, 9});
  CHECK(sizes({3, 3, 32, 64}) == Shape{9, 32, 1, 64, 1});
}

TEST_CASE("a tensor of less than two dimensions has no matrices, nor has one of a rule without") {
  for (const talweg_split split :
       {TALWEG_SPLIT_FIRST_REST, TALWEG_SPLIT_LAST_TWO, TALWEG_SPLIT_TWO_LARGEST})
    for (const Shape& shape : {Shape{}, Shape{5}}) {
      const talweg_matrix_view view = view_of(split, shape, {TALWEG_SPLIT_LAST_TWO});
      CHECK(view.outer + view.rows + view.inner + view.cols + view.last == 0);
    }
  talweg_matrix_view view = view_of(TALWEG_SPLIT_NONE, {2, 3}, {TALWEG_SPLIT_PAIR, 8, 9});
  CHECK(talweg_count_matrices(&view) == 0);
  CHECK(talweg_count_blocks(&view) == 0);
}

TEST_CASE("splits that cannot be, and sizes that are too large") {
  talweg_matrix_view view;
  const auto fault = [&](const Shape& shape, Split split = {}) {
    return view_of(TALWEG_SPLIT_LAST_TWO, shape, split, view);
  };
  CHECK(fault({2, 3}, {static_cast<talweg_split>(6)}) == TALWEG_VIEW_UNKNOWN_SPLIT);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_AT, 0}) == TALWEG_VIEW_BAD_SPLIT_AT);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_AT, 2}) == TALWEG_VIEW_BAD_SPLIT_AT);
  CHECK(fault({2}, {TALWEG_SPLIT_AT, 1}) == TALWEG_VIEW_BAD_SPLIT_AT);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_PAIR, 2, 3}) == TALWEG_VIEW_BAD_SPLIT_AT);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_PAIR, 1, 0}) == TALWEG_VIEW_BAD_SPLIT_TO);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_PAIR, 1, 1}) == TALWEG_VIEW_BAD_SPLIT_TO);
  CHECK(fault({2, 3}, {TALWEG_SPLIT_PAIR, 0, 2}) == TALWEG_VIEW_BAD_SPLIT_TO);
  const std::uint64_t huge = std::uint64_t{1} << 63;
  CHECK(fault({2, std::uint64_t{1} << 30}) == TALWEG_VIEW_FITS);
  CHECK(fault({2, (std::uint64_t{1} << 30) + 1}) == TALWEG_VIEW_TOO_MANY_COLS);
  CHECK(fault({huge, 1, 1}) == TALWEG_VIEW_TOO_MANY_LINES);
  CHECK(fault({1, std::uint64_t{1} << 40, 1}) == TALWEG_VIEW_TOO_MANY_LINES);
  // Empty tensors may have any sizes.
  CHECK(fault({huge, huge, 4, 0}) == TALWEG_VIEW_TOO_MANY_LINES);
  CHECK(fault({huge, huge, 0, 0}) == TALWEG_VIEW_TOO_MANY_LINES);
  CHECK(fault({huge, 0, huge, huge, 3, 4}) == TALWEG_VIEW_FITS);
  CHECK(talweg_count_matrices(&view) == 0);
}

TEST_CASE("the tables of lines tile every matrix, numbered through") {
  const std::vector<Shape> shapes{{5, 3},       {},     {2, 70, 3}, {9},
                                  {128, 40000}, {0, 7}, {3, 0},     {4, 64}};
  std::vector<talweg_matrix_view> views;
  talweg_line_counts counts{};
  for (const Shape& shape : shapes) {
    views.push_back(view_of(TALWEG_SPLIT_LAST_TWO, shape));
    REQUIRE(talweg_number_lines(&views.back(), &counts) == 1);
  }
  CHECK(counts.matrices == 7);
  CHECK(counts.rows == 5 + 140 + 128 + 0 + 3 + 4);
  CHECK(counts.cols == 3 + 6 + 40000 + 7 + 0 + 64);
  CHECK(counts.row_blocks == 1 + 2 * 2 + 2 + 0 + 1 + 1);
  CHECK(counts.block_cols == 3 + 4 * 3 + 2 * 40000 + 0 + 0 + 64);
  std::vector<talweg_line_chunk> matrices(counts.matrix_chunks), rows(counts.row_chunks),
      cols(counts.col_chunks), blocks(counts.row_blocks);
  talweg_line_tables tables{matrices.data(), rows.data(), cols.data(), blocks.data()};
  for (std::uint32_t t = 0; t < shapes.size(); ++t) talweg_fill_lines(&views[t], t, &tables);
  CHECK(tables.matrix_chunks == matrices.data() + matrices.size());
  CHECK(tables.row_chunks == rows.data() + rows.size());
  CHECK(tables.col_chunks == cols.data() + cols.size());
  CHECK(tables.row_blocks == blocks.data() + blocks.size());

  // Each line once, in order, of the matrix and tensor that have it.
  const auto check = [&](const std::vector<talweg_line_chunk>& chunks, std::uint32_t most,
                         std::uint64_t talweg_matrix_view::*first,
                         std::uint64_t talweg_matrix_view::*size) {
    std::uint64_t next = 0;
    for (const talweg_line_chunk& chunk : chunks) {
      const talweg_matrix_view& view = views[chunk.tensor_index];
      const std::uint64_t matrix = chunk.matrix - view.first_matrix;
      const std::uint64_t in_matrix = chunk.first - view.*first - matrix * (view.*size);
      CHECK(chunk.first == next);
      CHECK(chunk.matrix >= view.first_matrix);
      CHECK(matrix < talweg_count_matrices(&view));
      CHECK(in_matrix % most == 0);
      CHECK(chunk.count == std::min<std::uint64_t>(most, view.*size - in_matrix));
      next += chunk.count;
    }
    return next;
  };
  using View = talweg_matrix_view;
  CHECK(check(rows, 16384, &View::first_row, &View::rows) == counts.rows);
  CHECK(check(blocks, TALWEG_BLOCK_ROWS, &View::first_row, &View::rows) == counts.rows);
  CHECK(check(cols, 16384, &View::first_col, &View::cols) == counts.cols);
  REQUIRE(matrices.size() == 6);  // of the tensors that have some
  CHECK(matrices[1].first == 1);
  CHECK(matrices[1].matrix == 1);
  CHECK(matrices[1].count == 2);
  CHECK(matrices[1].tensor_index == 2);
  for (const talweg_matrix_view& view : views)
    if (talweg_count_blocks(&view) > 0) CHECK(blocks[view.first_block].first == view.first_row);
}

TEST_CASE("more matrices than a chunk can count, and more lines than can be numbered") {
  talweg_matrix_view many{};
  many.outer = (std::uint64_t{1} << 33) + 5;
  many.inner = many.last = 1;
  many.rows = many.cols = 0;
  talweg_line_counts counts{};
  REQUIRE(talweg_number_lines(&many, &counts) == 1);
  CHECK(counts.matrix_chunks == 3);
  many.outer = TALWEG_MAX_LINES;
  CHECK(talweg_number_lines(&many, &counts) == 0);
  talweg_matrix_view tall{};
  tall.outer = tall.inner = tall.last = tall.cols = 1;
  tall.rows = std::uint64_t{1} << 38;  // 2^32 blocks
  counts = {};
  CHECK(talweg_number_lines(&tall, &counts) == 0);
}
