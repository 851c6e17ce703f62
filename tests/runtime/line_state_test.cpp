// States of matrices, rows and columns: who keeps them, when they begin, and what becomes of them
// where a call is skipped, refused or undone.
#include <catch2/catch.hpp>
#include <cstring>
#include <map>

#include "tests/runtime/lined_model.h"

namespace talweg::tests {
namespace {

using Rule = LinedRule<double>;
using Model = LinedModel<double>;
using Shape = std::vector<std::uint64_t>;

std::map<std::string, optimizer::PersistentEntry> entries_of(optimizer::Optimizer& optimizer) {
  std::map<std::string, optimizer::PersistentEntry> entries;
  for (const auto& entry : optimizer.persistent()) entries.emplace(entry.name, entry);
  return entries;
}

/// Value i of a state.
double value(optimizer::Optimizer& optimizer, const std::string& name, std::size_t i = 0) {
  return static_cast<const double*>(entries_of(optimizer).at(name).data)[i];
}

/// grad * grad + m of a row of w2, of shape [5, 3].
double squares_of_row(const Model& model, const Model& begun, std::size_t row) {
  std::array<double, 3> squares{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double grad = model.grads[2][3 * row + c];
    squares[c] = grad * grad + begun.params[2][3 * row + c];
  }
  return talweg_fold_sequence(TALWEG_FOLD_SUM, squares.data(), 3);
}

/// All but the count of calls, which comes second, after `t`. Too long to be shown where it
/// differs.
std::string without_calls(optimizer::Optimizer& optimizer, const Model& model) {
  std::string bits = snapshot<double>(optimizer, model);
  return bits.erase(8, 8);
}

}  // namespace

TEST_CASE("the list of persistent data has the states of lines, in the shape of their tensor") {
  LinedRule<float> rule;
  LinedModel<float> model;
  auto optimizer = make_lined(rule, model);
  const auto entries = entries_of(optimizer);
  const auto check = [&](const std::string& name, const Shape& shape, talweg_dtype dtype) {
    INFO(name);
    REQUIRE(entries.count(name) == 1);
    const auto& entry = entries.at(name);
    CHECK(entry.shape == shape);
    CHECK(entry.dtype == dtype);
    CHECK((entry.data == nullptr) == (std::count(shape.begin(), shape.end(), 0U) > 0));
  };
  check("r/w2", {5}, TALWEG_F32);
  check("c/w2", {3}, TALWEG_F32);
  check("h/w2", {}, TALWEG_F64);
  check("r/w3.bias", {12}, TALWEG_F32);  // split before dimension 2
  check("c/w3.bias", {5}, TALWEG_F32);
  check("r/w4", {6, 2}, TALWEG_F32);  // rows are dimension 0, columns dimension 2
  check("c/w4", {6, 70}, TALWEG_F32);
  check("k/w4", {6}, TALWEG_F64);
  check("z/w4", {6, 2}, TALWEG_F32);
  check("r/w8", {0}, TALWEG_F32);
  check("c/w8", {4}, TALWEG_F32);
  check("r/w9", {3, 0}, TALWEG_F32);
  check("c/w9", {3, 2}, TALWEG_F32);
  check("c/w10", {4, 6}, TALWEG_F32);
  check("@begun/r/w4", {}, TALWEG_F64);
  check("@begun/h/w4", {}, TALWEG_F64);
  for (const char* name : {"r/w0", "c/w1", "h/w1", "z/w3.bias", "z/w7.bias", "@begun/r/w0",
                           "@begun/c/w2", "@begun/z/w2"}) {
    INFO(name);
    CHECK(entries.count(name) == 0);
  }
}

TEST_CASE("a state of lines begins when its tensor first takes part, from its group's hypers") {
  Rule rule;
  Model model;
  const Model before = model;
  auto optimizer = make_lined(rule, model);
  auto gradients = model.gradients();
  gradients[2] = gradients[4] = nullptr;
  REQUIRE(optimizer.step(gradients));
  CHECK(value(optimizer, "r/w2", 4) == 0);
  CHECK(value(optimizer, "h/w4", 5) == 0);
  CHECK(value(optimizer, "c/w2") == 2);
  CHECK(value(optimizer, "k/w4", 5) == 3);
  CHECK(value(optimizer, "@begun/r/w2") == 0);
  CHECK(value(optimizer, "@begun/r/w5") == 1);
  REQUIRE(optimizer.set_hyper("lr", 8, 0));
  REQUIRE(optimizer.step(model.gradients()));
  for (std::size_t row = 0; row < 5; ++row) {
    const double squares = squares_of_row(model, before, row);
    CHECK(value(optimizer, "r/w2", row) == 8.0 / 2 + (squares + 8));
    CHECK(value(optimizer, "z/w2", row) == 1);
  }
  for (std::size_t m = 0; m < 6; ++m) {
    const std::size_t number = model.views(TALWEG_SPLIT_LAST_TWO)[4].first_matrix + m;
    CHECK(value(optimizer, "h/w4", m) == 8 + rule.seen_by_matrices[number][Rule::kMatrixPeak]);
    CHECK(value(optimizer, "k/w4", m) ==
          3 + rule.seen_by_matrices[number][Rule::kMatrixOfColValues]);
  }
  const double r = value(optimizer, "r/w2", 3);
  REQUIRE(optimizer.set_hyper("lr", 100));
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(value(optimizer, "r/w2", 3) == r / 2 + (squares_of_row(model, before, 3) + r));

  REQUIRE(optimizer.reset());
  Model other;
  auto fresh = make_lined(rule, other);
  CHECK((snapshot<double>(optimizer, other) == snapshot<double>(fresh, other)));
}

TEST_CASE("a skipped call keeps those states of lines that it says") {
  const std::uint32_t threads = GENERATE(0U, 3U);
  Rule rule;
  Model model;
  const Model before = model;
  auto optimizer = make_lined(rule, model, threads);
  const std::string fresh = without_calls(optimizer, model);
  rule.outcome = TALWEG_SKIPPED;
  REQUIRE(optimizer.step(model.gradients()));
  CHECK((without_calls(optimizer, model) == fresh));

  rule.keeps[Rule::kR] = true;
  REQUIRE(optimizer.step(model.gradients()));
  const double r = 0.25 + (squares_of_row(model, before, 1) + 0.5);
  CHECK(value(optimizer, "r/w2", 1) == r);
  CHECK(value(optimizer, "@begun/r/w2") == 1);
  CHECK(value(optimizer, "c/w2", 1) == 2);
  CHECK(value(optimizer, "z/w2", 1) == 0);
  CHECK(value(optimizer, "h/w2") == 0);
  CHECK(value(optimizer, "@begun/h/w2") == 0);

  rule.keeps = {};
  rule.keeps[Rule::kH] = true;
  const std::string without_h = without_calls(optimizer, model);
  REQUIRE(optimizer.step(model.gradients()));
  CHECK(value(optimizer, "r/w2", 1) == r);
  const std::size_t number = model.views(TALWEG_SPLIT_LAST_TWO)[2].first_matrix;
  CHECK(value(optimizer, "h/w2") == 0.5 + rule.seen_by_matrices[number][Rule::kMatrixPeak]);
  CHECK(value(optimizer, "k/w2") == 3);
  CHECK((without_calls(optimizer, model) != without_h));
  CHECK(model.params == before.params);
  CHECK(optimizer.steps_completed() == 0);
  CHECK(optimizer.calls() == 3);
}

TEST_CASE("a step refused after lines have begun leaves every bit") {
  const std::uint32_t threads = GENERATE(0U, 3U);
  Rule rule;
  rule.hypers[Rule::kNorm].high = 1;
  Model model;
  auto optimizer = make_lined(rule, model, threads);
  const std::string fresh = snapshot<double>(optimizer, model);
  CHECK(failure(optimizer.step(model.gradients())).find("hyper `norm` of rule `Lined` must be") ==
        0);
  CHECK((snapshot<double>(optimizer, model) == fresh));
  // What the pass over lines reads has begun, in phase 0, and was taken back.
  rule.hypers[Rule::kNorm].high = Rule::kInf;
  Model other;
  auto expected = make_lined(rule, other, threads);
  REQUIRE(expected.step(other.gradients()));
  REQUIRE(optimizer.step(model.gradients()));
  rule.hypers[Rule::kNorm].high = 1;
  CHECK_FALSE(optimizer.step(model.gradients()));
  CHECK((snapshot<double>(optimizer, model) == snapshot<double>(expected, other)));
}

TEST_CASE("a view sees states of lines, as they would begin") {
  Rule rule;
  talweg_phase phase{};
  // More slots than the step has.
  phase.row_scalars = [](void*, const talweg_pass_args* args, std::uint32_t begin,
                         std::uint32_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const talweg_line_chunk& chunk = args->row_chunks[i];
      if (args->pointers[std::size_t{chunk.tensor_index} * Rule::kStreams + 1] == nullptr) continue;
      for (std::size_t line = chunk.first; line < chunk.first + chunk.count; ++line)
        args->row_slots[4 * args->row_count + line].f64 =
            static_cast<const double*>(args->line_states[Rule::kR])[line] +
            args->matrix_states[chunk.matrix * Rule::kStateCount + Rule::kH];
    }
  };
  phase.pass = [](void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const talweg_chunk& chunk = args->chunks[i];
      const talweg_matrix_view& view = args->views[chunk.tensor_index];
      void* const* streams = args->pointers + std::size_t{chunk.tensor_index} * Rule::kStreams;
      if (streams[1] == nullptr || view.rows == 0) continue;
      for (std::size_t e = chunk.first_element; e < chunk.first_element + chunk.element_count;
           ++e) {
        const auto at = Rule::place_of(view, e);
        static_cast<double*>(streams[0])[e] =
            args->row_slots[4 * args->row_count + view.first_row + at.matrix * view.rows + at.row]
                .f64;
      }
    }
  };
  talweg_view_info info{};
  info.name = "rows";
  info.kernels.phases = &phase;
  info.kernels.phase_count = 1;
  info.kernels.origin_stream = UINT32_MAX;
  info.kernels.row_slot_count = 5;
  rule.image.views = &info;
  rule.image.view_count = 1;
  Model model;
  auto optimizer = make_lined(rule, model, 3);
  REQUIRE(optimizer.set_hyper("lr", 0.125, 1));
  auto gradients = model.gradients();
  gradients[5] = nullptr;
  REQUIRE(optimizer.step(gradients));
  const std::string before = snapshot<double>(optimizer, model);
  std::vector<double> out(model.params[5].size());
  REQUIRE(optimizer.read_view("rows", 5, out.data()));
  CHECK(out == std::vector<double>(out.size(), 0.25));
  REQUIRE(optimizer.read_view("rows", 2, out.data()));
  for (std::size_t e = 0; e < 15; ++e)
    CHECK(out[e] == value(optimizer, "r/w2", e / 3) + value(optimizer, "h/w2"));
  REQUIRE(optimizer.read_view("rows", 1, out.data()));
  CHECK(out[6] == model.params[1][6]);
  CHECK((snapshot<double>(optimizer, model) == before));
}

}  // namespace talweg::tests
