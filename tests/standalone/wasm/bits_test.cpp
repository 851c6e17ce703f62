// Libraries for wasm32, run by node through the JavaScript that lies beside them, leave the bits
// that talweg leaves itself.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "compiler/driver/compile.h"
#include "compiler/passes/pass.h"
#include "compiler/standalone/write_package.h"
#include "runtime/optimizer/optimizer.hpp"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/optimizers.h"
#include "tests/sample_size.h"
#include "tests/standalone/outcome_name.h"
#include "tests/standalone/wasm/node.h"
#include "tests/standalone/wasm/numbers.h"

namespace talweg::tests {

namespace {

using Json = nlohmann::ordered_json;
using Shapes = std::vector<std::vector<std::uint64_t>>;

template <class T>
std::string hex(const T* data, std::uint64_t count) {
  std::string text;
  const auto* bytes = reinterpret_cast<const unsigned char*>(data);
  for (std::uint64_t i = 0; i < count * sizeof(T); ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

/// Steps of a rule in this process; bits.mjs makes the same.
template <class T>
class Run {
 public:
  Run(const std::shared_ptr<driver::Program>& program, const Shapes& shapes)
      : image_(program->image()) {
    std::vector<optimizer::Tensor> tensors;
    for (const auto& shape : shapes) {
      if (image_.requirement_count > 0 && shape.size() != 2)
        continue;  // which all are content with
      std::uint64_t count = 1;
      for (const std::uint64_t size : shape) count *= size;
      const auto t = static_cast<std::uint32_t>(tensors.size());
      fill(params_.emplace_back(count), stream_of(0, 0, t));
      optimizer::Tensor tensor;
      tensor.name = fmt::format("w{}", t);
      tensor.shape = shape;
      tensor.param = params_.back().data();
      tensor.group = t % 2;
      absent_.push_back(t % 4 == 1 ? 2 : 0);
      described_.push_back({{"name", tensor.name},
                            {"shape", shape},
                            {"group", tensor.group},
                            {"absent", absent_.back()}});
      tensors.push_back(std::move(tensor));
    }
    optimizer_ = std::make_unique<optimizer::Optimizer>(
        make_optimizer(image_, std::move(tensors), 2, 0, program));
  }

  /// A case of cases.json, without what it is called.
  Json steps(std::uint32_t count) {
    Json outcomes = Json::array();
    for (std::uint32_t number = 1; number <= count; ++number) outcomes.push_back(step(number));
    Json result{{"steps", count},
                {"tensors", described_},
                {"outcomes", outcomes},
                {"views", Json::object()}};
    for (std::size_t t = 0; t < params_.size(); ++t)
      result["params"][fmt::format("w{}", t)] = hex(params_[t].data(), params_[t].size());
    for (const optimizer::PersistentEntry& entry : optimizer_->persistent())
      result["states"][entry.name] =
          hex(static_cast<const char*>(entry.data),
              count_of(entry) * (entry.dtype == TALWEG_F32 ? sizeof(float) : sizeof(double)));
    for (std::uint32_t view = 0; view < image_.view_count; ++view)
      result["views"][image_.views[view].name] = read_view(image_.views[view].name);
    return result;
  }

 private:
  static void fill(std::vector<T>& numbers, std::uint32_t stream) {
    for (std::uint32_t i = 0; i < numbers.size(); ++i) make_number(stream, i, numbers[i]);
  }

  Json read_view(const std::string& name) const {
    std::vector<std::vector<T>> values = params_;
    Json result;
    for (std::size_t t = 0; t < values.size(); ++t) {
      REQUIRE(optimizer_->read_view(name, t, values[t].data()).ok());
      result[fmt::format("w{}", t)] = hex(values[t].data(), values[t].size());
    }
    return result;
  }

  /// How it ended, in a word.
  std::string step(std::uint32_t number) {
    optimizer::StepOutcome outcome{};
    optimizer::StepInputs inputs;
    do {
      ++call_;
      const std::vector<const void*> gradients = draw(1, number);
      if (outcome != optimizer::StepOutcome::Regrad) inputs = draw_inputs();
      const auto stepped = optimizer_->step(gradients, inputs);
      if (!stepped) {
        INFO(stepped.failure().message);
        REQUIRE(stepped.failure().kind == support::FailureKind::Numeric);
        return "refused";  // a hyper that the rule computes is out of its range
      }
      outcome = *stepped;
    } while (outcome == optimizer::StepOutcome::Regrad);
    return outcome_name(outcome);
  }

  /// Arrays for all tensors but those that are absent in a step; they live as long as this.
  std::vector<const void*> draw(std::uint32_t kind, std::uint32_t number) {
    auto& arrays = drawn_[kind];
    arrays.resize(params_.size());
    std::vector<const void*> pointers;
    for (std::uint32_t t = 0; t < params_.size(); ++t) {
      arrays[t].reserve(1);  // a tensor without elements has a gradient too
      arrays[t].resize(params_[t].size());
      fill(arrays[t], stream_of(call_, kind, t));
      pointers.push_back(number != 0 && absent_[t] == number ? nullptr : arrays[t].data());
    }
    return pointers;
  }

  [[nodiscard]] double input_number(std::uint32_t input, std::uint32_t index) const {
    double number = 0;
    make_number(stream_of(call_, 2 + input, index), 0, number);
    return 1 + std::abs(number);
  }

  optimizer::StepInputs draw_inputs() {
    optimizer::StepInputs inputs;
    for (std::uint32_t i = 0; i < image_.input_count; ++i) {
      const talweg_input_info& input = image_.inputs[i];
      if (input.rate == TALWEG_RATE_MODEL) {
        inputs.model.emplace_back(input.name, input_number(i, 0));
      } else if (input.rate == TALWEG_RATE_GROUP) {
        inputs.group.emplace_back(input.name, std::vector{input_number(i, 0), input_number(i, 1)});
      } else if (input.rate == TALWEG_RATE_TENSOR) {
        auto& numbers = inputs.tensor.emplace_back(input.name, params_.size()).second;
        for (std::uint32_t t = 0; t < numbers.size(); ++t) numbers[t] = input_number(i, t);
      } else {
        REQUIRE(input.rate == TALWEG_RATE_ELEMENT);
        inputs.element.emplace_back(input.name, draw(2 + i, 0));
      }
    }
    return inputs;
  }

  const talweg_image& image_;
  std::vector<std::vector<T>> params_;
  std::vector<std::uint32_t> absent_;
  std::map<std::uint32_t, std::vector<std::vector<T>>> drawn_;
  Json described_ = Json::array();
  std::unique_ptr<optimizer::Optimizer> optimizer_;
  std::uint32_t call_ = 0;
};

class Cases {
 public:
  explicit Cases(const std::string& name) : folder_(name) {}

  void add(const std::string& rule, types::ComputeType compute, const Shapes& shapes,
           std::uint32_t steps, driver::Backend backend) {
    add(rule, graph_of_rule(rule), compute, shapes, steps, backend);
  }

  void add(const std::string& rule, const ir::Graph& graph, types::ComputeType compute,
           const Shapes& shapes, std::uint32_t steps, driver::Backend backend) {
    INFO(rule);
    driver::CompileOptions options;
    options.compute = compute;
    options.backend = backend;
    options.use_cache = false;
    const auto program = driver::compile(graph, options);
    REQUIRE(program.ok());
    Json made = compute == types::ComputeType::F32 ? Run<float>(*program, shapes).steps(steps)
                                                   : Run<double>(*program, shapes).steps(steps);
    const std::string name = fmt::format("case{}", cases_.size());
    build(graph, compute, name);
    for (const Json& outcome : made["outcomes"]) {
      ++steps_;
      if (outcome == "refused") ++refused_steps_;
    }
    made["rule"] = rule;
    made["name"] = name;
    cases_.push_back(std::move(made));
  }

  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] std::size_t refused_steps() const { return refused_steps_; }
  [[nodiscard]] bool agree() const {
    folder_.write("cases.json", cases_.dump());
    return run_node("bits.mjs", folder_.path());
  }

 private:
  void build(const ir::Graph& graph, types::ComputeType compute, const std::string& name) const {
    const plan::Plan plan = plan::make_plan(passes::run_passes(graph), compute);
    const standalone::Library library{name, "test", {{name, "Rule", &graph, &plan}}};
    const auto written = standalone::write_package(library, {standalone::find_platform("wasm32")},
                                                   {false, true}, folder_.path());
    if (!written) FAIL(written.failure().message);
  }

  TestFolder folder_;
  Json cases_ = Json::array();
  std::size_t steps_ = 0, refused_steps_ = 0;
};

}  // namespace

TEST_CASE("hundreds of steps leave the same bits in WebAssembly") {
  need_node();
  Cases cases("steps");
  const Shapes shapes = {{40, 500}, {257}, {1}, {0, 4}, {3, 5, 7}};
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64})
    for (const char* rule : {"AdamW", "LAMB", "ClipByGlobalNorm | AdamW | Ema"})
      cases.add(rule, compute, shapes, 300, driver::Backend::Cpu);
  CHECK(cases.agree());
}

TEST_CASE("every rule of the library leaves the interpreter's bits in WebAssembly") {
  need_node();
  const std::vector<std::string> rules = library_rules();
  REQUIRE(rules.size() > 20);
  Cases cases("rules");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!is_in_sample(i)) continue;
    const auto compute = i % 4 == 3 ? types::ComputeType::F64 : types::ComputeType::F32;
    cases.add(rules[i], compute, {{7, 9}, {131}, {1}, {2, 3, 4}}, 4, driver::Backend::Interpreter);
  }
  CHECK(cases.agree());
}

TEST_CASE("random graphs leave the interpreter's bits in WebAssembly") {
  need_node();
  Cases cases("graphs");
  for (std::uint64_t seed = 900; seed < 900 + sample_size(40); ++seed) {
    const auto compute = seed % 2 == 0 ? types::ComputeType::F32 : types::ComputeType::F64;
    cases.add(fmt::format("seed {}", seed), random_graph(seed, 120, seed % 3), compute,
              {{7, 9}, {131}, {1}}, 3, driver::Backend::Interpreter);
  }
  CHECK(cases.agree());
  CHECK(cases.refused_steps() < cases.steps() / 2);
}

}  // namespace talweg::tests
