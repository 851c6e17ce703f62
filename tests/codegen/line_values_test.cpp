// What rules with matrices, rows and columns compute, against plain C++ in double: so that the
// interpreter and compiled code cannot be wrong together. Their states persist, are saved, loaded
// and reset, and are kept where a step is skipped.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>

#include "runtime/checkpoint/optimizer_state.h"
#include "tests/codegen/lined_reference.h"
#include "tests/codegen/lined_rules.h"
#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

using optimizer::StepOutcome;
using types::ComputeType;

/// A tensor, and which of its dimensions make rows and which columns.
struct Case {
  LinedTensor tensor;
  std::vector<std::size_t> row_dimensions, col_dimensions;
};

struct SplitCases {
  const char* split;
  std::vector<Case> cases;
};

const std::vector<SplitCases> kCases = {
    {"0 | rest",
     {{{{3, 5}}, {0}, {1}},
      {{{1, 1}, 1}, {0}, {1}},
      {{{4, 3, 2}}, {0}, {1, 2}},
      {{{70, 4, 3, 2}, 1}, {0}, {1, 2, 3}},
      {{{65, 1030}}, {0}, {1}},
      {{{4, 3, 5}, 1, 0, TALWEG_SPLIT_AT, 2}, {0, 1}, {2}},
      {{{4, 3, 5, 2}, 0, 0, TALWEG_SPLIT_PAIR, 0, 2}, {0}, {2}},
      {{{2, 3, 4}, 0, 0, TALWEG_SPLIT_PAIR, 1, 2}, {1}, {2}}}},
    {"last two",
     {{{{3, 5}}, {0}, {1}},
      {{{4, 3, 2}, 1}, {1}, {2}},
      {{{2, 3, 65, 9}}, {2}, {3}},
      {{{4, 3, 5}, 1, 0, TALWEG_SPLIT_AT, 1}, {0}, {1, 2}},
      {{{6, 70, 2}, 0, 0, TALWEG_SPLIT_PAIR, 0, 1}, {0}, {1}}}},
    {"two largest",
     {{{{10, 3, 20, 2}}, {0}, {2}},
      {{{3, 3, 3}, 1}, {1}, {2}},
      {{{9, 2, 4}}, {0}, {2}},
      {{{2, 9, 4}, 1}, {1}, {2}},
      {{{66, 67, 3}}, {0}, {1}},
      {{{4, 5, 6, 7}, 0, 0, TALWEG_SPLIT_AT, 3}, {0, 1, 2}, {3}}}}};

std::vector<LinedTensor> tensors_of(const std::vector<Case>& cases) {
  std::vector<LinedTensor> tensors;
  for (const Case& one : cases) tensors.push_back(one.tensor);
  return tensors;
}

/// The rule on the interpreter and on the widest target, in float32 and float64.
void on_targets(const std::string& rule, const std::string& split,
                const std::function<void(const std::shared_ptr<driver::Program>&)>& in_f32,
                const std::function<void(const std::shared_ptr<driver::Program>&)>& in_f64) {
  const ir::Graph graph = graph_of_rule("m." + rule, lined_rules(split));
  for (const auto compute : {ComputeType::F32, ComputeType::F64})
    for (const std::string& isa : {std::string(), isas_here().back()}) {
      INFO(rule << ", " << split << ", " << to_text(compute) << " on " << isa);
      (compute == ComputeType::F32 ? in_f32 : in_f64)(isa.empty()
                                                          ? driver::make_interpreter(graph, compute)
                                                          : compile_for(graph, compute, isa));
    }
}

template <class Check>
void on_targets(const std::string& rule, const std::string& split, Check check) {
  on_targets(
      rule, split, [&](const auto& program) { check(program, float{}); },
      [&](const auto& program) { check(program, double{}); });
}

template <class T>
void check_near(const Outcome& actual, const Values& expected, const std::string& what) {
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-13;
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(std::abs(actual[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i]))))
      FAIL(fmt::format("{}, value {}: expected {}, got {}", what, i, expected[i], actual[i]));
}

template <class T>
Values as_values(const std::vector<T>& numbers) {
  return {numbers.begin(), numbers.end()};
}

template <class T>
void check_every(const std::shared_ptr<driver::Program>& program, const std::vector<Case>& cases) {
  LinedRun<T> run(program, tensors_of(cases), 2);
  std::vector<Kept> rows(cases.size()), cols(cases.size()), matrices(cases.size());
  for (int step = 0; step < 3; ++step) {
    const auto before = run.params;
    REQUIRE(run.step() == StepOutcome::Completed);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Lines lines(cases[i].tensor.shape, cases[i].row_dimensions, cases[i].col_dimensions);
      const Values grad = as_values(run.grads[i]), param = as_values(before[i]);
      rows[i].take(lines.by_row(grad), lines.by_row(param));
      cols[i].take(lines.by_col(grad), lines.by_col(param));
      matrices[i].take(lines.by_matrix(grad), lines.by_matrix(param));
      for (const auto& [line, kept] :
           {std::pair{"row", &rows[i]}, {"col", &cols[i]}, {"matrix", &matrices[i]}})
        for (const auto& [name, values] : kept->values) {
          const std::string entry = fmt::format("{}_{}/w{}", line, name, i);
          check_near<T>(run.persistent(entry), values, entry);
        }
      Values after = param;
      for (std::size_t e = 0; e < after.size(); ++e)
        after[e] -= 0.1 * (grad[e] +
                           0.01 * rows[i].values["sum"][lines.row_of(e)] *
                               cols[i].values["mean"][lines.col_of(e)] -
                           matrices[i].values["norm"][lines.matrix_of(e)] /
                               static_cast<double>(lines.rows() + lines.cols()));
      check_near<T>(as_values(run.params[i]), after, fmt::format("w{}", i));
    }
  }
}

/// Where `lines` is null the tensor is a vector or one number.
struct Adafactor {
  Values across, down, v;

  /// The update.
  Values step(const Lines* lines, const Values& grad) {
    Values u = grad, square = grad;
    for (double& x : square) x = x * x + 1e-30;
    if (lines == nullptr) {
      average(v, square);
      for (std::size_t e = 0; e < u.size(); ++e) u[e] /= std::sqrt(v[e]);
    } else {
      average(across, means(lines->by_row(square)));
      average(down, means(lines->by_col(square)));
      const Values typical = means(lines->rows_by_matrix(across));
      for (std::size_t e = 0; e < u.size(); ++e)
        u[e] /= std::sqrt(across[lines->row_of(e)] / typical[lines->matrix_of(e)]) *
                std::sqrt(down[lines->col_of(e)]);
    }
    double squares = 0;
    for (const double x : u) squares += x * x;
    const double length = std::sqrt(squares / static_cast<double>(u.size()));
    for (double& x : u) x *= 0.01 / std::max(1.0, length);
    return u;
  }

 private:
  static void average(Values& kept, const Values& values) {
    kept.resize(values.size());
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = 0.75 * kept[i] + 0.25 * values[i];
  }
};

template <class T>
void check_factored(const std::shared_ptr<driver::Program>& program, std::vector<Case> cases) {
  cases.push_back({{{37}, 1}, {}, {}});
  cases.push_back({{{}, 0}, {}, {}});
  cases[0].tensor.absent_in_step = 2;
  LinedRun<T> run(program, tensors_of(cases), 3);
  std::vector<Adafactor> kept(cases.size());
  for (std::uint32_t step = 1; step <= 3; ++step) {
    const auto before = run.params;
    REQUIRE(run.step() == StepOutcome::Completed);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Values after = as_values(before[i]);
      if (cases[i].tensor.absent_in_step != step) {
        const bool has_lines = !cases[i].row_dimensions.empty();
        const Lines lines(cases[i].tensor.shape, cases[i].row_dimensions, cases[i].col_dimensions);
        const Values update = kept[i].step(has_lines ? &lines : nullptr, as_values(run.grads[i]));
        for (std::size_t e = 0; e < after.size(); ++e) after[e] -= update[e];
      }
      check_near<T>(as_values(run.params[i]), after, fmt::format("w{} in step {}", i, step));
    }
  }
}

/// After one step: what rule Upward keeps of rows, columns and matrices.
template <class T>
void check_upward(const std::shared_ptr<driver::Program>& program, std::vector<Case> cases) {
  cases[0].tensor.absent_in_step = 1;  // takes part in nothing
  LinedRun<T> run(program, tensors_of(cases), 2);
  REQUIRE(run.step() == StepOutcome::Completed);
  Values rows_of_group[2], cols_of_group[2], matrices_of_group[2], all_rows, all_cols;
  const auto add = [](Values& to, const Values& values) {
    to.insert(to.end(), values.begin(), values.end());
  };
  for (std::size_t i = 1; i < cases.size(); ++i) {
    const LinedTensor& tensor = cases[i].tensor;
    const Lines lines(tensor.shape, cases[i].row_dimensions, cases[i].col_dimensions);
    if (lines.cols() == 1) continue;  // a `when` gives it another rule
    Values size = as_values(run.grads[i]), square = size;
    for (double& x : square) x *= x;
    for (double& x : size) x = std::abs(x);
    const Values r = means(lines.by_row(square)), c = largest(lines.by_col(size));
    const Values m = norms(lines.by_matrix(size));
    const auto near = [&](const char* state, const Values& expected) {
      const std::string name = fmt::format("{}/w{}", state, i);
      check_near<T>(run.persistent(name), expected, name);
    };
    near("m_row", means(lines.rows_by_matrix(r)));
    near("m_col", smallest(lines.cols_by_matrix(c)));
    const Parts rows = lines.rows_by_matrix(r);
    Values dots, any;
    for (std::size_t k = 0; k < m.size(); ++k) {
      double dot = 0;
      for (const double x : rows[k]) dot += x * (x / (1 + m[k]));
      dots.push_back(dot);
      any.push_back(largest(lines.cols_by_matrix(c))[k] > 0.99 ? 1 : 0);
    }
    near("m_dot", dots);
    near("m_any", any);
    near("t_row", norms({r}));
    near("t_col",
         {static_cast<double>(std::ranges::count_if(c, [](double x) { return x > 0.5; }))});
    near("t_mat", {sum(m)});
    bool all = true;
    for (std::size_t row = 0; row < r.size(); ++row) all = all && r[row] < m[row / lines.rows()];
    near("t_all", {all ? 1.0 : 0.0});
    add(rows_of_group[tensor.group], r);
    for (const double x : c)
      cols_of_group[tensor.group].push_back(x * static_cast<double>(lines.rows()));
    add(matrices_of_group[tensor.group], m);
    add(all_rows, r);
    add(all_cols, c);
  }
  Values all_matrices = matrices_of_group[0];
  add(all_matrices, matrices_of_group[1]);
  const auto scalar = [&](const std::string& name, double expected) {
    check_near<T>(run.persistent(name), {expected}, name);
  };
  for (const std::uint32_t group : {0u, 1u}) {
    const std::string at = "@" + std::to_string(group);
    scalar("g_row" + at, sum(rows_of_group[group]));
    scalar("g_col" + at, largest({cols_of_group[group]})[0]);
    scalar("g_mat" + at, means({matrices_of_group[group]})[0]);
    scalar("g_any" + at, largest({rows_of_group[group]})[0] > 1 ? 1 : 0);
  }
  scalar("a_row", 0.5 + means({all_rows})[0]);
  scalar("a_col", norms({all_cols})[0]);
  scalar("a_mat", std::max(1.0, largest({all_matrices})[0]));
  double both = 0;
  for (const double x : all_cols) both += x * (x + 1);
  scalar("both", both);
}

/// What rule Supplied keeps for a tensor.
struct Supplied {
  Values across, down, whole;
  double most = 0;

  /// The update before it is made smaller.
  Values step(const Lines& lines, const Values& grad, const Values& r, const Values& c,
              const Values& m, const Values& bonus) {
    const std::size_t matrices = m.size();
    across.resize(r.size(), 1);
    down.resize(c.size());
    whole.resize(matrices);
    Values product = r;
    for (std::size_t i = 0; i < r.size(); ++i) {
      across[i] = 0.5 * across[i] + r[i];
      product[i] = r[i] * across[i];
    }
    for (std::size_t i = 0; i < c.size(); ++i) {
      const double of_matrix = m[i / lines.cols()];
      down[i] += c[i] * of_matrix;
      most = std::max(most, c[i] + of_matrix);
    }
    const Values of_grad = means(lines.by_matrix(grad)),
                 of_rows = means(lines.rows_by_matrix(product));
    for (std::size_t i = 0; i < matrices; ++i)
      whole[i] = 0.5 * whole[i] + m[i] * of_grad[i] + of_rows[i];
    Values u = grad;
    for (std::size_t e = 0; e < u.size(); ++e) {
      const std::size_t row = lines.row_of(e), col = lines.col_of(e), k = lines.matrix_of(e);
      const double extra = bonus.empty() ? 0.25 : bonus[row];
      u[e] = grad[e] * (r[row] + extra) * across[row] + c[col] * down[col] - m[k] * whole[k];
    }
    return u;
  }
};

template <class T>
void check_supplied(const std::shared_ptr<driver::Program>& program, std::vector<Case> cases) {
  cases[0].tensor.absent_in_step = 2;
  LinedRun<T> run(program, tensors_of(cases), 3);
  std::vector<Supplied> kept(cases.size());
  for (std::uint32_t step = 1; step <= 4; ++step) {
    const auto before = run.params;
    REQUIRE(run.step() == StepOutcome::Completed);
    REQUIRE(run.given.contains("bonus") == (step % 2 == 1));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Values after = as_values(before[i]);
      const auto of = [&](const char* name) { return run.given.at(name)[i]; };
      const Lines lines(cases[i].tensor.shape, cases[i].row_dimensions, cases[i].col_dimensions);
      if (cases[i].tensor.absent_in_step != step) {
        const Values u = kept[i].step(lines, as_values(run.grads[i]), of("r"), of("c"), of("m"),
                                      step % 2 == 1 ? of("bonus") : Values());
        for (std::size_t e = 0; e < after.size(); ++e) after[e] -= 0.1 * u[e] / (1 + kept[i].most);
      }
      const std::string tensor = fmt::format("w{}", i);
      check_near<T>(as_values(run.params[i]), after, fmt::format("{} in step {}", tensor, step));
      check_near<T>(run.persistent("across/" + tensor), kept[i].across, "across/" + tensor);
      check_near<T>(run.persistent("down/" + tensor), kept[i].down, "down/" + tensor);
      check_near<T>(run.persistent("whole/" + tensor), kept[i].whole, "whole/" + tensor);
      check_near<T>(run.persistent("most/" + tensor), {kept[i].most}, "most/" + tensor);
    }
  }
}

/// All that persists, without the parameters.
template <class T>
Outcome states_of(LinedRun<T>& run) {
  const Outcome all = run.everything();
  std::size_t params = 0;
  for (const auto& param : run.params) params += param.size();
  return {all.begin() + static_cast<std::ptrdiff_t>(params), all.end()};
}

struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("talweg-lines-" + std::to_string(::getpid()));
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("reductions to rows, columns and matrices are what plain C++ computes") {
  for (const SplitCases& of : kCases)
    on_targets("Every", of.split, [&](const auto& program, auto number) {
      check_every<decltype(number)>(program, of.cases);
    });
}

TEST_CASE("an update from rows and columns is what plain C++ computes") {
  for (const SplitCases& of : kCases)
    on_targets("Factored", of.split, [&](const auto& program, auto number) {
      check_factored<decltype(number)>(program, of.cases);
    });
}

TEST_CASE("reductions of values of rows, columns and matrices are what plain C++ computes") {
  for (const SplitCases& of : kCases)
    on_targets("Mixed", of.split, [&](const auto& program, auto number) {
      check_upward<decltype(number)>(program, of.cases);
    });
}

TEST_CASE(
    "what is made of values given for rows, columns and matrices is what plain C++ computes") {
  for (const SplitCases& of : kCases)
    on_targets("Supplied", of.split, [&](const auto& program, auto number) {
      check_supplied<decltype(number)>(program, of.cases);
    });
}

TEST_CASE("a run saved and loaded between steps goes on as one that was not") {
  const std::vector<LinedTensor> tensors = tensors_of(kCases[1].cases);
  for (const char* rule : {"Every", "Mixed", "Factored"})
    on_targets(rule, kCases[1].split, [&](const auto& program, auto number) {
      LinedRun<decltype(number)> whole(program, tensors, 2), first(program, tensors, 1),
          second(program, tensors, 3), fresh(program, tensors, 1);
      for (auto* run : {&whole, &first, &second})
        for (int step = 0; step < 2; ++step) (void)run->step();
      REQUIRE(second.optimizer->reset());
      CHECK(first_difference(states_of(fresh), states_of(second)).empty());
      CHECK_FALSE(first_difference(states_of(first), states_of(second)).empty());
      const TemporaryFile file;
      REQUIRE(checkpoint::save_optimizer(file.path, *first.optimizer));
      REQUIRE(checkpoint::load_optimizer(file.path, *second.optimizer));
      CHECK(first_difference(first.everything(), second.everything()).empty());
      (void)whole.step();
      (void)second.step();
      CHECK(first_difference(whole.everything(), second.everything()).empty());
    });
}

TEST_CASE("a step that a row skips keeps what rows, columns and matrices have, to the bit") {
  on_targets("Guarded", "last two", [&](const auto& program, auto number) {
    LinedRun<decltype(number)> run(program, tensors_of(kCases[1].cases), 2);
    REQUIRE(run.optimizer->set_hyper("limit", 1e6));
    REQUIRE(run.step() == StepOutcome::Completed);
    const auto params = run.params;
    const auto kept = [&] {
      Outcome all;
      for (const char* state : {"before", "down", "mean_length"})
        for (std::size_t i = 0; i < params.size(); ++i) {
          const Outcome values = run.persistent(fmt::format("{}/w{}", state, i));
          all.insert(all.end(), values.begin(), values.end());
        }
      return all;
    };
    const Outcome before = kept(), tries = run.persistent("tries/w0");
    REQUIRE(run.optimizer->set_hyper("limit", 1e-6));
    REQUIRE(run.step() == StepOutcome::Skipped);
    CHECK(run.params == params);
    CHECK(first_difference(before, kept()).empty());
    CHECK_FALSE(first_difference(tries, run.persistent("tries/w0")).empty());
    REQUIRE(run.optimizer->set_hyper("limit", 1e6));
    REQUIRE(run.step() == StepOutcome::Completed);
    CHECK_FALSE(first_difference(before, kept()).empty());
  });
}

}  // namespace talweg::tests
