// Views of states of rows, columns and matrices, and of what they reduce to these: every target and
// any number of threads reads the interpreter's bits, in every split and of tensors of every rank;
// what they are, in numbers; and that reading them changes nothing.
#include <map>

#include "runtime/memory/matrix_view.h"
#include "tests/codegen/view_model.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

/// `SPLIT` stands for how the rules split tensors.
constexpr const char* kText = R"(
rule Within {
  hyper share = 0.5 in [0, inf)
  SPLIT
  state row r
  state col c = 0.25
  state matrix x = 2
  state row late = share / 3
  state col down = 1 + share
  state matrix begun = share
  state tensor seen = share
  state m = 2 * param
  step {
    m = 0.9 * m + grad
    if rank >= 2 {
      r = 0.9 * r + (mean(grad^2) per row)
      c = max(c, max(abs(grad)) per col)
      x += norm(grad) per matrix
      late = 0.5 * late + (sum(m) per row)
      down = down - (min(m) per col)
      begun = begun * 0.5 + x
    }
    seen += norm(m) per tensor
    update = 0.1 * m
  }
  view by_row = if rank >= 2 then param * r - late else param
  view by_col = if rank >= 2 then param + c / (1 + abs(down)) else m
  view factored = if rank >= 2 then param * rsqrt((0.01 + r) / (0.01 + mean(r) per matrix)) * rsqrt(0.01 + c) else param * t
  view by_matrix = if rank >= 2 then param * x - begun else param * share
  view even = if rank >= 2 then param * r / (0.01 + norm(param * c) per row) + (max(m - late) per col) else seen * param
  view chosen = if rank >= 2 then { if x > 8 then param * late else if r > c then param - begun else m } else param
  view of_lines = param * (if rank >= 2 then (max(r) per tensor) + (sum(c * x) per tensor) else seen)
  view deep = if rank >= 2 then param * (sum(norm(param * r + down) per row) per matrix) + (if any(m > late) per col then begun else x) else param
  view counted = if rank >= 2 then param + (count(r > c) per row) * rows - (dot(m, late) per col) / cols else param
}
rule Always {
  hyper share = 0.25 in [0, inf)
  SPLIT
  require rank >= 2
  state row r = share
  state col c
  state matrix x
  step {
    r = 0.5 * r + (max(grad) per row)
    c += mean(param) per col
    x = x * share + (sum(c) per matrix)
    update = 0.1 * grad
  }
  view rows_alone = r
  view cols_alone = c
  view matrices_alone = x
  view lengths = norm(param) per row
  view together = param * (sum(r) per model) / (1 + abs(mean(x) per group)) - (max(c) per tensor)
  view outer = r * c
  view shared = param * (count(r > share) per model) + (sum(max(c) per matrix) per group)
}
rule Plain = SGD(lr = 0.1)
rule Arms {
  when rank == 2: Always | Within
  when named("w2"): SGD(lr = 0.1) | Within
  when rank > 2: Always
  otherwise: SGD
}
)";

constexpr const char* kSplits[] = {"", "matrix (last two)", "matrix (two largest)"};

std::string rules_in(const std::string& split) {
  std::string text = kText;
  for (std::size_t at = 0; (at = text.find("SPLIT", at)) != std::string::npos;)
    text.replace(at, 5, split);
  return text;
}

/// Of every rank; without elements, of one row, of one column, in several blocks and chunks. The
/// last never begins.
const std::vector<Shape> kSmall = {{3, 5}, {17},    {2, 4, 7},    {0, 4},    {30, 3},   {},
                                   {1, 9}, {65, 2}, {2, 3, 4, 5}, {3, 0, 2}, {5, 6, 3}, {9, 4}};
/// The first is large enough for several threads.
const std::vector<Shape> kShapes = {{140, 240},   {17},    {2, 4, 70}, {0, 4},     {1, 2100}, {},
                                    {2, 3, 4, 5}, {70, 1}, {3, 0, 2},  {5, 66, 3}, {9, 4}};
const std::vector<Shape> kMatrices = {{2, 130, 130}, {3, 5}, {0, 4}, {2, 3, 4, 5}, {9, 4}};

template <class T>
Model<T> finite(const std::vector<Shape>& shapes) {
  Model<T> model(shapes);
  model.make_finite();
  return model;
}

}  // namespace

TEMPLATE_TEST_CASE("every target and any number of threads reads the same rows and columns", "",
                   float, double) {
  const bool is_double = sizeof(TestType) == 8;
  for (const char* split : kSplits) {
    const std::string rules = rules_in(split);
    const ir::Graph within = graph_of_rule("m.Within", rules),
                    always = graph_of_rule("m.Always", rules);
    // Large ones in each split, in one type; in a sample of the tests in one split.
    const bool may_be_large = sample_part() == 1 || split == kSplits[0];
    if (may_be_large && is_double == (split == kSplits[1]))
      require_same_views(finite<TestType>(kShapes), within);
    else
      require_same_views(finite<TestType>(kSmall), within, {1});
    if (may_be_large && is_double == (split == kSplits[2]))
      require_same_views(finite<TestType>(kMatrices), always, {1, 3, 16});
  }
  require_same_views(finite<TestType>(kSmall), graph_of_rule("m.Arms", rules_in(kSplits[1])), {1});
}

TEMPLATE_TEST_CASE("views of rows and columns follow NaN and infinities", "", float, double) {
  require_same_views(Model<TestType>(kSmall), graph_of_rule("m.Within", rules_in(kSplits[2])), {1});
}

TEMPLATE_TEST_CASE("views of tensors that are split otherwise than the rule says", "", float,
                   double) {
  auto model = finite<TestType>(kSmall);
  model.splits[2] = {TALWEG_SPLIT_PAIR, 0, 2};
  model.splits[8] = {TALWEG_SPLIT_AT, 2, 0};
  model.splits[10] = {TALWEG_SPLIT_PAIR, 0, 1};
  require_same_views(model, graph_of_rule("m.Within", rules_in(kSplits[1])), {1});
}

namespace {

constexpr const char* kSums = R"(
rule Sums {
  hyper start = 2
  SPLIT
  require rank >= 2
  state row r = start
  state col c = start
  state matrix x = start
  step {
    r += sum(grad) per row
    c += sum(grad) per col
    x += sum(grad) per matrix
  }
  view in_row = 100 * param + r
  view in_col = 100 * param + c
  view in_matrix = 100 * param + x
  view now = param * (sum(param) per row) + (sum(param * r) per col) - (sum(r) per matrix)
}
)";

/// What the views of `Sums` are by plain loops, where `begun` once the tensor had a gradient.
struct Expected {
  std::vector<double> in_row, in_col, in_matrix, now;
};

Expected expect_sums(const Shape& shape, talweg_split split, const std::vector<double>& param,
                     const std::vector<double>& grad, bool begun) {
  talweg_tensor tensor{};
  tensor.shape = shape.data();
  tensor.rank = static_cast<std::uint32_t>(shape.size());
  talweg_matrix_view view{};
  REQUIRE(talweg_view_tensor(split, &tensor, &view) == TALWEG_VIEW_FITS);
  std::map<std::size_t, double> r, c, x, param_r, weighted_c, sum_r;
  const auto each = [&](auto visit) {
    std::size_t e = 0;
    for (std::size_t o = 0; o < view.outer; ++o)
      for (std::size_t row = 0; row < view.rows; ++row)
        for (std::size_t i = 0; i < view.inner; ++i)
          for (std::size_t col = 0; col < view.cols; ++col)
            for (std::size_t l = 0; l < view.last; ++l) {
              const std::size_t matrix = (o * view.inner + i) * view.last + l;
              visit(e++, matrix, matrix * view.rows + row, matrix * view.cols + col);
            }
    REQUIRE(e == param.size());
  };
  each([&](std::size_t, std::size_t matrix, std::size_t row, std::size_t col) {
    r[row] = c[col] = x[matrix] = 2;
  });
  if (begun)
    each([&](std::size_t e, std::size_t matrix, std::size_t row, std::size_t col) {
      r[row] += grad[e];
      c[col] += grad[e];
      x[matrix] += grad[e];
    });
  each([&](std::size_t e, std::size_t matrix, std::size_t row, std::size_t col) {
    param_r[row] += param[e];
    weighted_c[col] += param[e] * r[row];
    if (col % view.cols == 0) sum_r[matrix] += r[row];
  });
  Expected expected;
  each([&](std::size_t e, std::size_t matrix, std::size_t row, std::size_t col) {
    expected.in_row.push_back(100 * param[e] + r[row]);
    expected.in_col.push_back(100 * param[e] + c[col]);
    expected.in_matrix.push_back(100 * param[e] + x[matrix]);
    expected.now.push_back(param[e] * param_r[row] + weighted_c[col] - sum_r[matrix]);
  });
  return expected;
}

}  // namespace

TEST_CASE("views of rows, columns and matrices are the numbers that they say") {
  const talweg_split kinds[] = {TALWEG_SPLIT_FIRST_REST, TALWEG_SPLIT_LAST_TWO,
                                TALWEG_SPLIT_TWO_LARGEST};
  for (const std::string& isa : isas_here())
    for (std::size_t k = 0; k < 3; ++k) {
      std::string text = kSums;
      text.replace(text.find("SPLIT"), 5, kSplits[k]);
      const auto program = compile_for(graph_of_rule("m.Sums", text), ComputeType::F64, isa);
      // Small whole numbers: sums are exact in any order.
      Model<double> model({Shape{3, 5}, {4, 2, 70}, {2, 3, 1, 4}, {65, 3}});
      for (std::size_t i = 0; i < model.params.size(); ++i)
        for (std::size_t e = 0; e < model.params[i].size(); ++e) {
          model.params[i][e] = static_cast<double>((e * 7 + i) % 11) - 4;
          model.grads[i][e] = static_cast<double>((e * 5 + i) % 13) - 6;
        }
      auto optimizer = model.optimizer(program, 2);
      for (const bool stepped : {false, true}) {
        if (stepped) REQUIRE(model.step(optimizer));
        const auto in_row = model.read(optimizer, "in_row"),
                   in_col = model.read(optimizer, "in_col"),
                   in_matrix = model.read(optimizer, "in_matrix"),
                   now = model.read(optimizer, "now");
        for (std::size_t i = 0; i < model.params.size(); ++i) {
          INFO(isa << ", " << kSplits[k] << ", tensor " << i << (stepped ? ", stepped" : ""));
          const bool begun = stepped && i + 1 < model.params.size();  // the last has no gradient
          const Expected expected =
              expect_sums(model.shapes[i], kinds[k], model.params[i], model.grads[i], begun);
          CHECK(in_row[i] == expected.in_row);
          CHECK(in_col[i] == expected.in_col);
          CHECK(in_matrix[i] == expected.in_matrix);
          CHECK(now[i] == expected.now);
        }
      }
    }
}

TEST_CASE("a view of rows and columns read for one tensor touches no other") {
  for (const std::string& isa : isas_here()) {
    const auto program =
        compile_for(graph_of_rule("m.Within", rules_in(kSplits[1])), ComputeType::F32, isa);
    auto model = finite<float>(kSmall);
    auto optimizer = model.optimizer(program, 3);
    for (int step = 0; step < 2; ++step) {
      const auto before = model.params;
      const std::string kept = persistent_bytes(optimizer);
      for (const std::string& view : optimizer.views()) {
        const auto all = model.read(optimizer, view);
        for (const std::size_t tensor : {1u, 2u, 4u, 11u}) {
          INFO(isa << ", " << view << " of tensor " << tensor << " before step " << step);
          std::vector<float> alone(all[tensor].size());
          REQUIRE(optimizer.read_view(view, tensor, alone.data()));
          CHECK(same_bits<float>({alone}, {all[tensor]}));
        }
        CHECK(same_bits(model.params, before));
        CHECK((persistent_bytes(optimizer) == kept));
      }
      REQUIRE(model.step(optimizer));
    }
  }
}

TEST_CASE("steps go on as if no view had looked at rows and columns") {
  for (const char* split : kSplits)
    for (const char* rule : {"m.Within", "m.Arms"})
      require_same_steps(finite<float>(kSmall), graph_of_rule(rule, rules_in(split)));
}

}  // namespace talweg::tests
