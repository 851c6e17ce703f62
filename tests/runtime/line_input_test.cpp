// Inputs of matrices, rows and columns: given, missing, not needed, of wrong shape.
#include <catch2/catch.hpp>

#include "tests/runtime/fake_rule.h"

namespace talweg::tests {
namespace {

/// Each state becomes what is given: a = r of rows, b = c of columns, k = m of matrices. Tensors
/// whose name ends in "bias" read nothing.
template <class T>
struct SuppliedRule : HandWritten<SuppliedRule<T>> {
  using Base = HandWritten<SuppliedRule<T>>;
  using Base::image;
  static constexpr std::uint8_t kDtype = kDtypeOf<T>;
  static constexpr std::size_t kCount = 3;  // of states and of inputs

  bool reads = true;

  talweg_state_info states[kCount] = {
      {"a", "", 0, UINT32_MAX, TALWEG_RATE_ROW, kDtype, TALWEG_INITIAL_ZERO, 1},
      {"b", "", 0, UINT32_MAX, TALWEG_RATE_COL, kDtype, TALWEG_INITIAL_ZERO, 1},
      {"k", "", 0, UINT32_MAX, TALWEG_RATE_MATRIX, TALWEG_F64, TALWEG_INITIAL_ZERO, 1}};
  talweg_input_info inputs[kCount] = {{"r", "", UINT32_MAX, TALWEG_RATE_ROW, {}},
                                      {"c", "", UINT32_MAX, TALWEG_RATE_COL, {}},
                                      {"m", "", UINT32_MAX, TALWEG_RATE_MATRIX, {}}};
  talweg_fact_info facts[1] = {{"*bias", TALWEG_FACT_NAMED, {}}};
  talweg_phase phase = {model,   nullptr, nullptr, matrices, lines<0>, lines<1>,
                        nullptr, nullptr, 0,       0,        0};

  SuppliedRule() : Base("Supplied", kDtype, 2) {
    this->set_states(states);
    this->set_inputs(inputs);
    this->set_facts(facts);
    this->set_phase(phase);
    image.split = TALWEG_SPLIT_LAST_TWO;
    image.step.place = place;
  }

 private:
  static void place(void*, const talweg_placement* placement) {
    Base::keep_all_states(placement, kCount);
    std::fill_n(placement->input_present, kCount,
                static_cast<std::uint8_t>(placement->facts[0] == 0));
  }

  static void model(void* self, const talweg_scalar_args* args) {
    if (!Base::of(self).reads) std::fill_n(args->needed, kCount, std::uint8_t{0});
  }

  template <std::size_t kIndex>
  static void lines(void*, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
    const T* from = static_cast<const T*>(args->line_inputs[kIndex]);
    T* to = static_cast<T*>(args->line_states[kIndex]);
    for_lines(args, kIndex == 0 ? args->row_chunks : args->col_chunks, 2, begin, end,
              [&](std::size_t line, std::size_t) { to[line] = from[line]; });
  }

  static void matrices(void*, const talweg_pass_args* args, std::uint32_t begin,
                       std::uint32_t end) {
    for_lines(args, args->matrix_chunks, 2, begin, end, [&](std::size_t m, std::size_t) {
      args->new_matrix_states[m * kCount + 2] = args->matrix_inputs[m * kCount + 2];
    });
  }
};

const std::vector<std::vector<std::uint64_t>> kShapes = {{3, 4}, {7}, {2, 2, 3}, {2, 2}, {0, 5}};
constexpr std::size_t kVector = 1, kMatrices = 2, kBias = 3, kEmpty = 4;

template <class T>
struct Run {
  SuppliedRule<T> rule;
  FakeModel<T> model{{12, 7, 12, 4, 0}};
  std::vector<T> rows, cols;
  std::vector<double> matrices;
  T no_elements = 0;
  optimizer::Optimizer optimizer;

  Run() : rows(20), cols(20), matrices(20), optimizer(make()) { draw(1); }

  /// New values, from `first` up.
  void draw(int first) {
    for (int i = 0; i < 20; ++i) {
      const auto place = static_cast<std::size_t>(i);
      rows[place] = static_cast<T>(first + i);
      cols[place] = static_cast<T>(first + i) / 2;
      matrices[place] = (first + i) / 3.0;
    }
  }

  std::vector<const void*> gradients() {
    std::vector<const void*> result = model.gradients();
    result[kEmpty] = &no_elements;
    return result;
  }

  /// Tensors begin at different values; the vector has none.
  template <class Number>
  static std::vector<const void*> arrays(const std::vector<Number>& from) {
    return {&from[0], nullptr, &from[4], &from[9], &from[11]};
  }
  optimizer::StepInputs inputs() const {
    optimizer::StepInputs all;
    all.row = {{"r", arrays(rows)}};
    all.col = {{"c", arrays(cols)}};
    all.matrix = {{"m", arrays(matrices)}};
    return all;
  }

  std::vector<double> values(const std::string& name) {
    return persistent_numbers(optimizer, name);
  }

 private:
  optimizer::Optimizer make() {
    std::vector<optimizer::Tensor> tensors = model.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].shape = kShapes[i];
    tensors[kBias].name = "bias";
    return make_optimizer(rule.image, std::move(tensors));
  }
};

using Values = std::vector<double>;

}  // namespace

TEMPLATE_TEST_CASE("what is given for rows, columns and matrices is read where it belongs", "",
                   float, double) {
  Run<TestType> run;
  REQUIRE(run.optimizer.step(run.gradients(), run.inputs()).ok());
  CHECK(run.values("a/w0") == Values{1, 2, 3});
  CHECK(run.values("b/w0") == Values{0.5, 1, 1.5, 2});
  CHECK(run.values("k/w0") == Values{1 / 3.0});
  CHECK(run.values("a/w2") == Values{5, 6, 7, 8});
  CHECK(run.values("b/w2") == Values{2.5, 3, 3.5, 4, 4.5, 5});
  CHECK(run.values("k/w2") == Values{5 / 3.0, 6 / 3.0});
  CHECK(run.values("b/w4") == Values{6, 6.5, 7, 7.5, 8});
  // It reads nothing, so what is given for it does not matter.
  CHECK(run.values("a/bias") == Values{0, 0});
  CHECK(run.values("k/bias") == Values{0});

  // The values of the next step, of tensors that take part.
  run.draw(100);
  auto gradients = run.gradients();
  gradients[0] = nullptr;
  auto inputs = run.inputs();
  for (auto* given : {&inputs.row, &inputs.col, &inputs.matrix})
    given->front().second[0] = given->front().second[kBias] = nullptr;
  REQUIRE(run.optimizer.step(gradients, inputs).ok());
  CHECK(run.values("a/w0") == Values{1, 2, 3});
  CHECK(run.values("k/w0") == Values{1 / 3.0});
  CHECK(run.values("a/w2") == Values{104, 105, 106, 107});
  CHECK(run.values("k/w2") == Values{104 / 3.0, 105 / 3.0});
}

TEST_CASE("an input of rows, columns or matrices that a step reads must be given for each tensor") {
  Run<float> run;
  const std::string before = snapshot(run.optimizer, run.model);
  const auto refusal = [&](const optimizer::StepInputs& inputs) {
    const std::string message = failure(run.optimizer.step(run.gradients(), inputs));
    CHECK(snapshot(run.optimizer, run.model) == before);
    return message;
  };
  const std::string reads = "step 1 of rule `Supplied` reads input ";
  const std::string missing = ", which was not given for tensor ";
  CHECK(refusal({}) == reads + "`r`" + missing + "`w0`");
  auto inputs = run.inputs();
  inputs.col.clear();
  CHECK(refusal(inputs) == reads + "`c`" + missing + "`w0`");
  inputs = run.inputs();
  inputs.matrix[0].second[kMatrices] = nullptr;
  CHECK(refusal(inputs) == reads + "`m`" + missing + "`w2`");
  inputs = run.inputs();
  inputs.col[0].second[kEmpty] = nullptr;
  CHECK(refusal(inputs) == reads + "`c`" + missing + "`w4`");
  // It has no rows.
  inputs = run.inputs();
  inputs.row[0].second[kEmpty] = nullptr;
  CHECK(inputs.row[0].second[kVector] == nullptr);

  CHECK(*run.optimizer.missing_inputs() == std::vector<std::string>{"r", "c", "m"});
  CHECK(run.optimizer.missing_inputs(inputs)->empty());
  CHECK(snapshot(run.optimizer, run.model) == before);
  CHECK(run.optimizer.step(run.gradients(), inputs).ok());
}

TEST_CASE("an input of rows, columns or matrices that no step reads may be missing, and is 0") {
  Run<double> run;
  REQUIRE(run.optimizer.step(run.gradients(), run.inputs()).ok());
  run.rule.reads = false;
  CHECK(run.optimizer.missing_inputs()->empty());
  auto inputs = run.inputs();
  inputs.row.clear();
  inputs.matrix[0].second[kMatrices] = nullptr;
  REQUIRE(run.optimizer.step(run.gradients(), inputs).ok());
  CHECK(run.values("a/w0") == Values{0, 0, 0});
  CHECK(run.values("b/w0") == Values{0.5, 1, 1.5, 2});
  CHECK(run.values("k/w0") == Values{1 / 3.0});
  CHECK(run.values("k/w2") == Values{0, 0});
}

TEST_CASE("wrong inputs of rows, columns and matrices are refused") {
  Run<double> run;
  const auto refusal = [&](const auto& change) {
    auto inputs = run.inputs();
    change(inputs);
    return failure(run.optimizer.step(run.gradients(), inputs));
  };
  CHECK(refusal([](auto& inputs) { inputs.row[0].second.pop_back(); }) ==
        "input `r` has 4 arrays for 5 tensors");
  CHECK(refusal([](auto& inputs) { inputs.row.swap(inputs.col); }) ==
        "rule `Supplied` has no row input `c`");
  CHECK(refusal([](auto& inputs) { inputs.matrix[0].first = "elsewhere"; }) ==
        "rule `Supplied` has no matrix input `elsewhere` (it has `r`, `c`, `m`)");
  CHECK(refusal([](auto& inputs) { inputs.element = inputs.col; }) ==
        "rule `Supplied` has no element input `c`");
  for (const char* name : {"r", "m"})
    CHECK(refusal([&](auto& inputs) {
            auto& given = *name == 'r' ? inputs.row[0] : inputs.matrix[0];
            const auto*& first = given.second[kMatrices];
            first = static_cast<const char*>(first) + 4;
          }) ==
          std::string("input `") + name + "` of tensor `w2` is not aligned to the size of a value");

  SuppliedRule<double> rule;
  rule.image.split = TALWEG_SPLIT_NONE;
  rule.image.state_count = 0;
  FakeModel<double> model({3});
  CHECK(refusal_of(rule.image, model.tensors()) ==
        "the image of rule `Supplied` takes inputs of matrices, but has none");
}

}  // namespace talweg::tests
