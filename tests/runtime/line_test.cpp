// Values of matrices, rows and columns: a rule written by hand against the same arithmetic done
// here, element by element through a view and in the order that the definition of reductions says.
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>

#include "runtime/memory/matrix_view.h"
#include "tests/runtime/lined_model.h"

namespace talweg::tests {
namespace {

double fold(talweg_fold how, const std::vector<double>& values) {
  return talweg_fold_sequence(how, values.data(), values.size());
}

/// What one tensor's lines leave in the first step, matrix by matrix.
struct Lines {
  std::vector<std::vector<double>> squares_of_rows, peaks_of_rows, squares_of_cols;

  template <class T>
  Lines(const talweg_matrix_view& view, const std::vector<T>& params, const std::vector<T>& grads) {
    for (std::size_t m = 0; m < talweg_count_matrices(&view); ++m) {
      std::vector<double> row_squares, peaks, col_squares;
      std::vector<std::vector<double>> blocks_of_cols(view.cols);
      for (std::size_t r = 0; r < view.rows; ++r) {
        std::vector<double> squares, sizes;
        for (std::size_t c = 0; c < view.cols; ++c) {
          const std::size_t e = LinedRule<T>::element(view, m, r, c);
          const double grad = grads[e];
          squares.push_back(grad * grad + params[e]);
          sizes.push_back(std::fabs(grad));
          if (r % TALWEG_BLOCK_ROWS == 0) blocks_of_cols[c].push_back(0);
          blocks_of_cols[c].back() += squares.back();
        }
        row_squares.push_back(fold(TALWEG_FOLD_SUM, squares));
        peaks.push_back(fold(TALWEG_FOLD_MAX, sizes));
      }
      for (const auto& blocks : blocks_of_cols)
        col_squares.push_back(fold(TALWEG_FOLD_SUM, blocks));
      squares_of_rows.push_back(row_squares);
      peaks_of_rows.push_back(peaks);
      squares_of_cols.push_back(col_squares);
    }
  }
};

/// Of each matrix, then of the tensor.
double fold_tensor(talweg_fold how, const std::vector<std::vector<double>>& matrices,
                   const std::function<double(double)>& change = {}) {
  std::vector<double> values;
  for (std::vector<double> lines : matrices) {
    for (double& value : lines) value = change ? change(value) : value;
    values.push_back(fold(how, lines));
  }
  return fold(how, values);
}

template <class T>
std::size_t count_wrong_params(const LinedModel<T>& before, const LinedModel<T>& after,
                               std::size_t t, const talweg_matrix_view& view, const Lines& lines,
                               T lr, T r) {
  std::size_t wrong = 0;
  std::vector<double> slots;
  for (const auto& rows : lines.squares_of_rows) slots.push_back(fold(TALWEG_FOLD_SUM, rows));
  for (std::size_t e = 0; e < before.params[t].size(); ++e) {
    T change = before.grads[t][e];
    if (view.rows > 0) {
      const auto at = LinedRule<T>::place_of(view, e);
      change += static_cast<T>(lines.squares_of_rows[at.matrix][at.row]) + r;
      change += static_cast<T>(lines.squares_of_cols[at.matrix][at.col]) + T{2};
      change += static_cast<T>(slots[at.matrix]);
    }
    wrong += after.params[t][e] != before.params[t][e] - lr * change;
  }
  return wrong;
}

}  // namespace

TEMPLATE_TEST_CASE("lines are reduced, read and applied as defined", "", float, double) {
  using T = TestType;
  using Rule = LinedRule<T>;
  const auto split =
      GENERATE(TALWEG_SPLIT_LAST_TWO, TALWEG_SPLIT_FIRST_REST, TALWEG_SPLIT_TWO_LARGEST);
  const auto missing = GENERATE(std::vector<std::size_t>{}, std::vector<std::size_t>{2, 5, 7});
  Rule rule(split);
  LinedModel<T> model;
  const LinedModel<T> before = model;
  auto optimizer = make_lined(rule, model);
  REQUIRE(optimizer.set_hyper("lr", 0.25, 1));
  auto gradients = model.gradients();
  for (const std::size_t t : missing) gradients[t] = nullptr;
  REQUIRE(optimizer.step(gradients));

  std::vector<talweg_matrix_view> views = model.views(split);
  std::vector<double> groups_squares[2], groups_values[2], solid_squares, solid_cols, doubled;
  for (std::size_t t = 0; t < views.size(); ++t) {
    INFO("tensor " << t);
    const talweg_matrix_view& view = views[t];
    CHECK(rule.facts_of_tensors[t] ==
          std::array{static_cast<double>(view.rows), static_cast<double>(view.cols),
                     static_cast<double>(talweg_count_matrices(&view))});
    if (gradients[t] == nullptr) {
      CHECK(model.params[t] == before.params[t]);
      for (auto* values : {groups_squares, groups_values})
        for (int g = 0; g < 2; ++g) values[g].push_back(0);
      for (auto* values : {&solid_squares, &solid_cols, &doubled}) values->push_back(0);
      continue;
    }
    const Lines lines(view, before.params[t], before.grads[t]);
    const std::uint32_t group = LinedModel<T>::group_of(t);
    const double lr = group == 1 ? 0.25 : 0.5;
    CHECK(count_wrong_params(before, model, t, view, lines, static_cast<T>(lr),
                             static_cast<T>(lr)) == 0);
    const bool is_solid = !LinedModel<T>::is_bias(t);

    const double squares = fold_tensor(TALWEG_FOLD_SUM, lines.squares_of_rows);
    for (std::uint32_t g = 0; g < 2; ++g) {
      groups_squares[g].push_back(g == group ? squares : 0);
      groups_values[g].push_back(g == group ? fold_tensor(TALWEG_FOLD_SUM, lines.squares_of_rows,
                                                          [](double value) { return value + 1; })
                                            : 0);
    }
    solid_squares.push_back(is_solid ? squares : 0);
    solid_cols.push_back(is_solid ? fold_tensor(TALWEG_FOLD_SUM, lines.squares_of_cols) : 0);
    std::vector<double> slots;
    for (const auto& rows : lines.squares_of_rows) slots.push_back(2 * fold(TALWEG_FOLD_SUM, rows));
    doubled.push_back(fold(TALWEG_FOLD_SUM, slots));
    const auto& seen = rule.seen_by_tensors[t];
    CHECK(seen[Rule::kTensorSquares] == squares);
    CHECK(seen[Rule::kTensorOfMatrices] == fold(TALWEG_FOLD_MIN, slots));
    const auto triple = [](double value) { return 3 * value; };
    CHECK(seen[Rule::kTensorOfColValues] ==
          (is_solid ? fold_tensor(TALWEG_FOLD_MAX, lines.squares_of_cols, triple) : -Rule::kInf));

    std::size_t wrong = 0;
    for (std::size_t m = 0; m < slots.size(); ++m) {
      const auto& its = rule.seen_by_matrices[view.first_matrix + m];
      wrong += its[Rule::kMatrixSquares] != fold(TALWEG_FOLD_SUM, lines.squares_of_rows[m]);
      wrong += its[Rule::kMatrixPeak] !=
               (is_solid ? fold(TALWEG_FOLD_MAX, lines.peaks_of_rows[m]) : -Rule::kInf);
      wrong += its[Rule::kMatrixOfCols] != fold(TALWEG_FOLD_SUM, lines.squares_of_cols[m]);
      std::vector<double> tripled = lines.squares_of_cols[m];
      for (double& value : tripled) value *= 3;
      wrong += its[Rule::kMatrixOfColValues] != fold(TALWEG_FOLD_SUM, tripled);
    }
    CHECK(wrong == 0);
  }

  REQUIRE(rule.seen_by_groups.size() == 4);  // two groups in each of two phases
  for (std::size_t g = 0; g < 2; ++g) {
    // A group folds its own tensors.
    const auto own = [&](const std::vector<double>& values) {
      std::vector<double> members;
      for (std::size_t t = 0; t < values.size(); ++t)
        if (LinedModel<T>::group_of(t) == g) members.push_back(values[t]);
      return fold(TALWEG_FOLD_SUM, members);
    };
    CHECK(rule.seen_by_groups[g][Rule::kGroupSquares] == own(groups_squares[g]));
    CHECK(rule.seen_by_groups[2 + g][Rule::kGroupOfRowValues] == own(groups_values[g]));
  }
  CHECK(rule.seen_by_model[Rule::kSolidSquares] == fold(TALWEG_FOLD_SUM, solid_squares));
  CHECK(rule.seen_by_model[Rule::kModelOfCols] == fold(TALWEG_FOLD_SUM, solid_cols));
  CHECK(rule.seen_by_model[Rule::kModelOfMatrices] == fold(TALWEG_FOLD_SUM, doubled));
}

TEST_CASE("columns add up the rows of each block, and the blocks as a sequence") {
  using Rule = LinedRule<double>;
  const std::uint64_t rows = GENERATE(1U, 63U, 64U, 65U, 4096U, 65537U);
  const std::uint64_t cols = GENERATE(1U, 3U, 17U);
  Rule rule;
  FakeModel<double> model({rows * cols});
  auto tensors = model.tensors();
  tensors[0].shape = {rows, cols};
  const std::vector<double> before = model.params[0];
  auto optimizer = make_optimizer(rule.image, tensors, 1, 2);
  REQUIRE(optimizer.step(model.gradients()));
  talweg_matrix_view view{};
  view.outer = view.inner = view.last = 1;
  view.rows = rows;
  view.cols = cols;
  const Lines lines(view, before, model.grads[0]);
  CHECK(rule.seen_by_matrices[0][Rule::kMatrixOfCols] ==
        fold(TALWEG_FOLD_SUM, lines.squares_of_cols[0]));
  const std::vector<double> state = persistent_numbers(optimizer, "c/w0");
  REQUIRE(state.size() == cols);
  for (std::size_t c = 0; c < cols; ++c) CHECK(state[c] == 2 + (lines.squares_of_cols[0][c] + 2));
}

TEMPLATE_TEST_CASE("the number of threads changes no bit of a line", "", float, double) {
  using T = TestType;
  std::string expected;
  for (std::uint32_t threads = 0; threads <= 4; ++threads) {
    LinedRule<T> rule(TALWEG_SPLIT_TWO_LARGEST);
    LinedModel<T> model;
    auto optimizer = make_lined(rule, model, threads);
    auto gradients = model.gradients();
    for (int step = 0; step < 3; ++step) {
      gradients[5] = step == 1 ? nullptr : model.grads[5].data();
      REQUIRE(optimizer.step(gradients));
    }
    std::string bits = snapshot(optimizer, model);
    for (const auto* rows : {&rule.seen_by_groups, &rule.seen_by_tensors, &rule.seen_by_matrices})
      bits.append(reinterpret_cast<const char*>(rows->data()), rows->size() * sizeof rows->front());
    if (expected.empty()) expected = bits;
    CHECK((bits == expected));  // too long to be shown
  }
}

}  // namespace talweg::tests
