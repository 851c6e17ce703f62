#include "tests/codegen/lined_reference.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace talweg::tests {

namespace {

template <class Reduce>
Values each(const Parts& parts, Reduce reduce) {
  Values result;
  for (const Values& part : parts) result.push_back(reduce(part));
  return result;
}

}  // namespace

double sum(const Values& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
Values means(const Parts& parts) {
  return each(parts, [](const Values& x) { return sum(x) / static_cast<double>(x.size()); });
}
Values norms(const Parts& parts) {
  return each(parts, [](const Values& x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
  });
}
Values smallest(const Parts& parts) {
  return each(parts, [](const Values& x) { return *std::ranges::min_element(x); });
}
Values largest(const Parts& parts) {
  return each(parts, [](const Values& x) { return *std::ranges::max_element(x); });
}

Lines::Lines(const Shape& shape, const std::vector<std::size_t>& row_dimensions,
             const std::vector<std::size_t>& col_dimensions) {
  std::size_t count = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    count *= shape[d];
    const bool is_row = std::ranges::count(row_dimensions, d) > 0;
    const bool is_col = std::ranges::count(col_dimensions, d) > 0;
    (is_row ? rows_ : is_col ? cols_ : matrices_) *= shape[d];
  }
  Shape index(shape.size(), 0);
  for (std::size_t element = 0; element < count; ++element) {
    std::size_t row = 0, col = 0, matrix = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const bool is_row = std::ranges::count(row_dimensions, d) > 0;
      const bool is_col = std::ranges::count(col_dimensions, d) > 0;
      std::size_t& number = is_row ? row : is_col ? col : matrix;
      number = number * shape[d] + index[d];
    }
    row_.push_back(row);
    col_.push_back(col);
    matrix_.push_back(matrix);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

std::size_t Lines::row_of(std::size_t element) const {
  return matrix_[element] * rows_ + row_[element];
}
std::size_t Lines::col_of(std::size_t element) const {
  return matrix_[element] * cols_ + col_[element];
}

Parts Lines::by_row(const Values& elements) const {
  Parts parts(matrices_ * rows_);
  for (std::size_t e = 0; e < elements.size(); ++e) parts[row_of(e)].push_back(elements[e]);
  return parts;
}
Parts Lines::by_col(const Values& elements) const {
  Parts parts(matrices_ * cols_);
  for (std::size_t e = 0; e < elements.size(); ++e) parts[col_of(e)].push_back(elements[e]);
  return parts;
}
Parts Lines::by_matrix(const Values& elements) const {
  Parts parts(matrices_);
  for (std::size_t e = 0; e < elements.size(); ++e) parts[matrix_[e]].push_back(elements[e]);
  return parts;
}
Parts Lines::rows_by_matrix(const Values& rows) const {
  Parts parts(matrices_);
  for (std::size_t i = 0; i < rows.size(); ++i) parts[i / rows_].push_back(rows[i]);
  return parts;
}
Parts Lines::cols_by_matrix(const Values& cols) const {
  Parts parts(matrices_);
  for (std::size_t i = 0; i < cols.size(); ++i) parts[i / cols_].push_back(cols[i]);
  return parts;
}

void Kept::take(const Parts& grads, const Parts& params) {
  const auto update = [&](const char* name, double start, const auto& next) {
    Values& kept = values[name];
    kept.resize(grads.size(), start);
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = next(kept[i], grads[i], params[i]);
  };
  const auto dot = [](const Values& g, const Values& p) {
    return std::inner_product(g.begin(), g.end(), p.begin(), 0.0);
  };
  const auto count_above = [](const Values& g, double limit) {
    return std::ranges::count_if(g, [&](double x) { return x > limit; });
  };
  const auto is_below = [](double x) { return x < 0.9; };
  using V = Values;
  update("sum", 0, [](double s, const V& g, const V&) { return 0.5 * s + sum(g); });
  update("mean", 0, [&](double s, const V& g, const V& p) {
    return s / 4 + dot(g, p) / static_cast<double>(g.size());
  });
  update("min", 9, [](double s, const V& g, const V&) { return std::min(s, smallest({g})[0]); });
  update("max", 0, [](double s, const V& g, const V&) { return (s - 1) / 2 + largest({g})[0]; });
  update("count", 0, [&](double s, const V& g, const V&) {
    return s + static_cast<double>(count_above(g, 0));
  });
  update("any", 0,
         [&](double s, const V& g, const V&) { return 2 * s + (count_above(g, 0.9) > 0 ? 1 : 0); });
  update("all", 0, [&](double s, const V& g, const V&) {
    return 2 * s + (std::ranges::all_of(g, is_below) ? 1 : 0);
  });
  update("norm", 0, [](double s, const V& g, const V&) { return std::max(s, norms({g})[0]); });
  update("dot", 0, [&](double s, const V& g, const V& p) { return s - dot(g, p); });
}

}  // namespace talweg::tests
