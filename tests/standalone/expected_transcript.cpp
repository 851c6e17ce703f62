// What generated libraries must print: the scenario on the interpreter.
//   expected_transcript DTYPE STDLIB RULE_FOLDER OUT NAME=EXPRESSION[@HYPER=VALUE]...
// Writes checkpoints of all optimizers to the folder OUT, as NAME.safetensors.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "compiler/base/diagnostic_render.h"
#include "compiler/driver/compile.h"
#include "runtime/checkpoint/optimizer_state.h"
#include "tests/optimizers.h"
#include "tests/standalone/outcome_name.h"
#include "tests/standalone/scenario.h"

namespace talweg::tests {

namespace {

using Bytes = std::vector<unsigned char>;

[[noreturn]] void give_up(const std::string& message) {
  std::cerr << message << '\n';
  std::exit(1);
}

/// "name=EXPRESSION@lr=0.5": the hypers behind @ are set for group 1 before step 4.
struct Sample {
  explicit Sample(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::size_t at = text.find('@');
    name = text.substr(0, equals);
    expression = text.substr(equals + 1, at == std::string::npos ? at : at - equals - 1);
    if (at == std::string::npos) return;
    const std::string setting = text.substr(at + 1);
    hyper = setting.substr(0, setting.find('='));
    value = std::stod(setting.substr(setting.find('=') + 1));
  }
  std::string name, expression, hyper;
  double value = 0;
};

class Transcript {
 public:
  Transcript(std::shared_ptr<driver::Program> program, Sample sample)
      : program_(std::move(program)),
        sample_(std::move(sample)),
        bytes_(program_->image().compute_dtype == TALWEG_F32 ? 4 : 8),
        params_(make_arrays(0, 0)),
        optimizer_(make_optimizer(program_->image(), tensors(), SCENARIO_GROUPS, 0, program_)) {}

  void print() {
    fmt::print("{}\n", sample_.name);
    for (unsigned step = 1; step <= SCENARIO_STEPS; ++step) {
      if (step == 4 && !sample_.hyper.empty())
        require(optimizer_.set_hyper(sample_.hyper, sample_.value, 1));
      print_step(step);
    }
    for (const std::string& view : optimizer_.views()) print_view(view);
  }
  void save(const std::filesystem::path& folder) {
    require(checkpoint::save_optimizer(folder / (sample_.name + ".safetensors"), optimizer_));
  }

 private:
  template <class Result>
  void require(const Result& result) {
    if (!result) give_up(sample_.name + ": " + result.failure().message);
  }

  /// [tensor], of the numbers of that seed.
  [[nodiscard]] std::vector<Bytes> make_arrays(unsigned use, unsigned step) const {
    std::vector<Bytes> arrays;
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
      arrays.emplace_back(scenario_elements(t) * bytes_ + 8);
      scenario_fill(arrays[t].data(), bytes_, scenario_seed(use, step, t), scenario_elements(t));
    }
    return arrays;
  }

  std::vector<optimizer::Tensor> tensors() {
    std::vector<optimizer::Tensor> result;
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
      const scenario_tensor& of = scenario_tensors[t];
      optimizer::Tensor& to = result.emplace_back();
      to.name = of.name;
      to.shape = {of.shape, of.shape + of.rank};
      to.param = params_[t].data();
      to.group = of.group;
      if (of.tag != nullptr) to.tags = {of.tag};
      to.split = of.split;
    }
    return result;
  }

  void print_step(unsigned step) {
    auto outcome = optimizer::StepOutcome::Regrad;
    for (unsigned again = 0; outcome == optimizer::StepOutcome::Regrad; ++again) {
      const auto gradients = make_arrays(again == 0 ? 1 : 2, step);
      std::vector<const void*> pointers;
      for (unsigned t = 0; t < SCENARIO_TENSORS; ++t)
        pointers.push_back(scenario_has_gradient(t, step) ? gradients[t].data() : nullptr);
      if (again == 0) make_inputs(step);
      const auto result =
          again == 0 ? optimizer_.step(pointers, inputs_) : optimizer_.step(pointers);
      require(result);
      outcome = *result;
      fmt::print("step {} {}\n", step, outcome_name(outcome));
      for (unsigned t = 0; t < SCENARIO_TENSORS; ++t)
        print_array(scenario_tensors[t].name, params_[t].data(), bytes_, scenario_elements(t));
    }
    for (const optimizer::PersistentEntry& entry : optimizer_.persistent())
      print_array(entry.name, entry.data, entry.dtype == TALWEG_F32 ? 4 : 8, count_of(entry));
  }

  void print_view(const std::string& view) {
    std::vector<Bytes> arrays = make_arrays(0, 0);
    std::vector<void*> pointers;
    for (Bytes& array : arrays) pointers.push_back(array.data());
    require(optimizer_.read_view(view, pointers));
    fmt::print("view {}\n", view);
    for (unsigned t = 0; t < SCENARIO_TENSORS; ++t)
      print_array(scenario_tensors[t].name, pointers[t], bytes_, scenario_elements(t));
  }

  void print_array(const std::string& name, const void* data, std::uint32_t bytes,
                   std::uint64_t count) {
    // "heat@1", the state of group 1, is written "heat": the order says which it is.
    const std::size_t at = name.rfind('@');
    const std::string shown = at == std::string::npos || at == 0 ? name : name.substr(0, at);
    fmt::print("{} {:016x}\n", shown, scenario_hash(data, bytes, count));
  }

  /// Input number i of step s and tensor t has the numbers of scenario_seed(16 + i, s, t).
  void make_inputs(unsigned step) {
    inputs_ = {};
    kept_.clear();
    const talweg_image& image = program_->image();
    for (unsigned i = 0; i < image.input_count; ++i) {
      const std::string name = image.inputs[i].name;
      const std::uint8_t rate = image.inputs[i].rate;
      std::vector<double> numbers;
      std::vector<const void*> pointers;
      for (unsigned t = 0; t < SCENARIO_TENSORS; ++t) {
        const std::uint64_t seed = scenario_seed(16 + i, step, t);
        numbers.push_back(scenario_number(seed));
        const std::uint32_t bytes = rate == TALWEG_RATE_MATRIX ? 8 : bytes_;
        kept_.emplace_back(scenario_input_values(t) * bytes);
        scenario_fill(kept_.back().data(), bytes, seed, scenario_input_values(t));
        pointers.push_back(kept_.back().data());
      }
      if (rate == TALWEG_RATE_MODEL) inputs_.model.emplace_back(name, numbers[0]);
      if (rate == TALWEG_RATE_TENSOR) inputs_.tensor.emplace_back(name, numbers);
      if (rate == TALWEG_RATE_ELEMENT) inputs_.element.emplace_back(name, pointers);
      if (rate == TALWEG_RATE_MATRIX) inputs_.matrix.emplace_back(name, pointers);
      if (rate == TALWEG_RATE_ROW) inputs_.row.emplace_back(name, pointers);
      if (rate == TALWEG_RATE_COL) inputs_.col.emplace_back(name, pointers);
      numbers.resize(SCENARIO_GROUPS);
      if (rate == TALWEG_RATE_GROUP) inputs_.group.emplace_back(name, numbers);
    }
  }

  std::shared_ptr<driver::Program> program_;
  Sample sample_;
  std::uint32_t bytes_;
  std::vector<Bytes> params_, kept_;
  optimizer::StepInputs inputs_;
  optimizer::Optimizer optimizer_;
};

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 5) give_up("usage: DTYPE STDLIB RULE_FOLDER OUT NAME=EXPRESSION...");
  const auto compute =
      arguments[0] == "float64" ? types::ComputeType::F64 : types::ComputeType::F32;
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules({.include_dirs = {arguments[2]}, .stdlib_dir = arguments[1]}, sources,
                        diagnostics);
  for (std::size_t i = 4; i < arguments.size(); ++i) {
    Sample sample(arguments[i]);
    const auto rule = driver::analyze_rule(modules, sources, diagnostics, sample.expression);
    if (!rule) give_up(base::render_text(diagnostics, sources, false));
    Transcript transcript(driver::make_interpreter(rule->graph, compute), sample);
    transcript.print();
    transcript.save(arguments[3]);
  }
  return 0;
}

}  // namespace

}  // namespace talweg::tests

int main(int argc, char** argv) { return talweg::tests::run({argv + 1, argv + argc}); }
