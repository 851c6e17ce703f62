// How near what reductions give comes to the exact sums, and that it is as near as docs/numerics.md
// promises: on values that cancel, of very different magnitudes, and very many.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "tests/codegen/core_run.h"
#include "tests/codegen/line_sums.h"
#include "tests/exact_sum.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

constexpr const char* kRules = R"(
rule Elements {
  state model sum_of_model
  state group sum_of_group
  state tensor sum_of_tensor
  state model dot_of_model
  state model norm_of_model
  step {
    sum_of_model = sum(grad) per model
    sum_of_group = sum(grad) per group
    sum_of_tensor = sum(grad) per tensor
    dot_of_model = dot(grad, param) per model
    norm_of_model = norm(grad) per model
  }
}
)";

/// Additions that a value meets at most on its way through a sequence.
int longest_way(std::uint64_t values) {
  if (values <= 1024) return static_cast<int>((values + 63) / 64) + 6;
  return 22 + longest_way((values + 1023) / 1024);
}

int way_in_tensor(std::uint64_t elements) {
  return longest_way(std::min<std::uint64_t>(elements, 1024)) +
         longest_way(std::min<std::uint64_t>((elements + 1023) / 1024, 16)) +
         longest_way((elements + TALWEG_CHUNK_ELEMENTS - 1) / TALWEG_CHUNK_ELEMENTS);
}

int way_in_column(std::uint64_t rows) { return 64 + longest_way((rows + 63) / 64); }

struct Sums {
  ExactSum exact, magnitude;
  double plain = 0;

  void add(double value) {
    exact.add(value);
    magnitude.add(std::fabs(value));
    plain += value;
  }
  void add_product(double a, double b) {
    exact.add_product(a, b);
    magnitude.add_product(std::fabs(a), std::fabs(b));
    plain += a * b;
  }
  /// In units of 2^-53 of the sum of the magnitudes.
  [[nodiscard]] double error(double sum) const {
    ExactSum difference = exact;
    difference.add(-sum);
    const double all = magnitude.value();
    const double off = std::fabs(difference.value());
    return all == 0 ? (off == 0 ? 0 : INFINITY) : off / all * 0x1p53;
  }
};

/// Value `i` of `count`, in float64; rounded to the compute type then.
using Make = std::function<double(std::uint64_t i, std::uint64_t count)>;

struct Values {
  const char* name;
  bool is_exact;  // every order gives the exact sum
  Make make;
};

double any_magnitude(std::uint64_t seed) {
  return plain_number(2 * seed) * std::pow(10.0, 30 * plain_number(2 * seed + 1));
}

const std::vector<Values> kValues = {
    {"ones", true, [](std::uint64_t, std::uint64_t) { return 1; }},
    {"0.1", false, [](std::uint64_t, std::uint64_t) { return 0.1; }},
    {"below 1", false, [](std::uint64_t i, std::uint64_t) { return std::fabs(plain_number(i)); }},
    {"between -1 and 1", false, [](std::uint64_t i, std::uint64_t) { return plain_number(i); }},
    {"any sign, 1e-30 to 1e30", false,
     [](std::uint64_t i, std::uint64_t) { return any_magnitude(i); }},
    {"1e30, ones, -1e30", false,
     [](std::uint64_t i, std::uint64_t count) {
       return i == 0 ? 1e30 : i == count - 1 ? -1e30 : 1.0;
     }},
    // All but 1e-20 cancels, and what cancels lies far apart.
    {"values and, backwards, their negations", false,
     [](std::uint64_t i, std::uint64_t count) {
       if (i == count / 2) return 1e-20;
       return i < count / 2 ? plain_number(i) : -plain_number(count - 1 - i);
     }},
    {"subnormals", true,
     [](std::uint64_t i, std::uint64_t) { return i % 3 == 0 ? 0x1p-140 : -0x1p-141; }},
};

template <class T>
std::shared_ptr<driver::Program> compile_rule(const char* rule) {
  return compile_for(graph_of_rule(rule, std::string(kRules) + kLineSums),
                     sizeof(T) == 4 ? types::ComputeType::F32 : types::ComputeType::F64, "host");
}

/// Runs one step with gradients that are the values, tensor after tensor.
template <class T>
struct Measured {
  Measured(const std::shared_ptr<driver::Program>& program, const std::vector<Shape>& shapes,
           const Make& make)
      : tensors(tensors_of(shapes)), run(program, tensors, 2, {}) {
    std::uint64_t count = 0, next = 0;
    for (const Shape& shape : shapes) count += elements_of(shape);
    std::vector<const void*> pointers;
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      params.emplace_back(run.param(t), run.param(t) + elements_of(shapes[t]));
      std::vector<T>& values = grads.emplace_back(elements_of(shapes[t]));
      for (T& value : values) value = static_cast<T>(make(next++, count));
      pointers.push_back(values.data());
    }
    run.step(pointers);
  }

  static std::vector<LinedTensor> tensors_of(const std::vector<Shape>& shapes) {
    std::vector<LinedTensor> all;
    for (const Shape& shape : shapes)
      all.push_back({shape, static_cast<std::uint32_t>(all.size() % 2)});
    return all;
  }

  std::vector<LinedTensor> tensors;
  CoreRun<T> run;
  std::vector<std::vector<T>> params, grads;
};

void check(double error, double bound, const std::string& what) {
  INFO(what << ": " << error << " units");
  CHECK(error <= bound);
}

template <class T>
void measure_elements(const std::shared_ptr<driver::Program>& program, const Values& of,
                      const std::vector<Shape>& shapes) {
  const Measured<T> measured(program, shapes, of.make);
  Sums model, groups[2], dot, squares;
  double worst = 0;
  int most = 0;
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    Sums own;
    for (std::size_t i = 0; i < measured.grads[t].size(); ++i) {
      const auto value = static_cast<double>(measured.grads[t][i]);
      own.add(value);
      model.add(value);
      groups[t % 2].add(value);
      dot.add_product(value, static_cast<double>(measured.params[t][i]));
      squares.add_product(value, value);
    }
    const int way = way_in_tensor(elements_of(shapes[t]));
    most = std::max(most, way);
    const double error =
        own.error(*talweg_tensor_state(measured.run.core(), 2, static_cast<std::uint32_t>(t)));
    check(error, of.is_exact ? 0 : way, std::string(of.name) + " per tensor");
    worst = std::max(worst, error);
  }
  most += longest_way(shapes.size());
  const auto scalar = [&](std::uint32_t state, std::uint32_t group) {
    return *talweg_scalar_state(measured.run.core(), state, group);
  };
  const double of_model = model.error(scalar(0, 0));
  check(of_model, of.is_exact ? 0 : most, std::string(of.name) + " per model");
  for (std::uint32_t g = 0; g < 2; ++g)
    check(groups[g].error(scalar(1, g)), of.is_exact ? 0 : most,
          std::string(of.name) + " per group");
  const double of_dot = dot.error(scalar(3, 0));
  // A product below the least normal number is rounded at that, where there is no unit to speak of.
  if (dot.magnitude.value() > 1e-280)
    check(of_dot, most, std::string(of.name) + ", dot product per model");
  // A root halves a relative error, and is rounded once more.
  const double length = scalar(4, 0);
  ExactSum off = squares.exact;
  off.add_product(-length, length);
  const double of_norm = std::fabs(off.value()) / squares.magnitude.value() * 0x1p53 / 2;
  if (squares.magnitude.value() > 1e-280)
    check(of_norm, most / 2.0 + 1.01, std::string(of.name) + ", norm per model");
  fmt::print(
      "{} in {}: model {:.3f}, tensor {:.3f}, dot {:.3f}, norm {:.3f}; one after another "
      "{:.3f}\n",
      of.name, sizeof(T) == 4 ? "float32" : "float64", of_model, worst, of_dot, of_norm,
      model.error(model.plain));
}

/// Rows, columns and matrices, in float64: in float32 what is kept of rows and columns is rounded.
void measure_lines(const std::shared_ptr<driver::Program>& program, const Values& of,
                   std::uint64_t rows, std::uint64_t cols) {
  const Measured<double> measured(program, {{rows, cols}}, of.make);
  std::vector<Sums> of_rows(rows), of_cols(cols);
  Sums all;
  for (std::uint64_t r = 0; r < rows; ++r)
    for (std::uint64_t c = 0; c < cols; ++c) {
      const double value = measured.grads[0][r * cols + c];
      of_rows[r].add(value);
      of_cols[c].add(value);
      all.add(value);
    }
  const auto values_of = [&](std::uint32_t state) {
    talweg_state_array array{};
    REQUIRE(talweg_array_state(measured.run.core(), state, 0, &array) != 0);
    return static_cast<const double*>(array.data);
  };
  const double* const rows_are = values_of(0);
  const double* const cols_are = values_of(1);
  double worst_row = 0, worst_col = 0;
  for (std::uint64_t r = 0; r < rows; ++r)
    worst_row = std::max(worst_row, of_rows[r].error(rows_are[r]));
  for (std::uint64_t c = 0; c < cols; ++c)
    worst_col = std::max(worst_col, of_cols[c].error(cols_are[c]));
  const double of_matrix = all.error(*values_of(2));
  const int way = longest_way(cols);
  check(worst_row, of.is_exact ? 0 : way, std::string(of.name) + " per row");
  check(worst_col, of.is_exact ? 0 : way_in_column(rows), std::string(of.name) + " per column");
  check(of_matrix, of.is_exact ? 0 : way + longest_way(rows), std::string(of.name) + " per matrix");
  fmt::print("{}, {} x {}: row {:.3f}, column {:.3f}, matrix {:.3f}\n", of.name, rows, cols,
             worst_row, worst_col, of_matrix);
}

}  // namespace

TEST_CASE("the exact sums of this test are exact") {
  Sums sums;
  for (const double value : {1e300, 1.0, 1e-300, -1e300, 5e-324, -1.0, 3e-308}) sums.add(value);
  CHECK(sums.exact.value() == 1e-300 + 3e-308 + 5e-324);
  ExactSum products;
  products.add_product(1 + 0x1p-52, 1 + 0x1p-52);  // 1 + 2^-51 + 2^-104
  products.add(-1);
  products.add(-0x1p-51);
  CHECK(products.value() == 0x1p-104);
  products.add(-0x1p-104);
  CHECK(products.value() == 0);
  products.add_product(-1e-200, 1e-200);
  products.add_product(1e200, -1e200);
  products.add_product(1e200, 1e200);
  CHECK(products.value() == 0);  // below what float64 holds
  products.add_product(1e-200, 1e-200);
  products.add(-0.1);
  CHECK(products.value() == -0.1);
}

TEST_CASE("sums of elements are as near to the exact ones as the page on numerics says") {
  const std::uint64_t size = sample_size(1 << 19);
  const std::vector<Shape> shapes = {{size + 17}, {5}, {1030, size / 1000 + 1}, {}, {size / 2}};
  const auto float32 = compile_rule<float>("m.Elements");
  const auto float64 = compile_rule<double>("m.Elements");
  for (const Values& of : kValues) {
    measure_elements<float>(float32, of, shapes);
    measure_elements<double>(float64, of, shapes);
  }
}

TEST_CASE("2^25 ones are 2^25, in float32 too") {
  const std::uint64_t count = sample_size(1 << 25);
  const std::vector<float> ones(count, 1);
  CoreRun<float> run(compile_rule<float>("m.Elements"), {{{count}}}, 1, {});
  run.step({ones.data()});
  const auto expected = static_cast<double>(count);
  CHECK(*talweg_scalar_state(run.core(), 0, 0) == expected);
  CHECK(*talweg_scalar_state(run.core(), 1, 0) == expected);
  CHECK(*talweg_tensor_state(run.core(), 2, 0) == expected);
  CHECK(*talweg_scalar_state(run.core(), 4, 0) == std::sqrt(expected));
}

TEST_CASE("sums of rows, columns and matrices are as near") {
  const auto program = compile_rule<double>("m.Lines");
  for (const Values& of : kValues) {
    measure_lines(program, of, 1030, sample_size(700));
    measure_lines(program, of, 3, sample_size(100'000));
    measure_lines(program, of, sample_size(100'000), 3);
  }
}

}  // namespace talweg::tests
