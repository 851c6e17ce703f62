// Optimizers of the host's tensors whose steps run on a device: beside ones that run on the host,
// all that users see of both is the same. The device is the pretended one.
#include "runtime/gpu/mirrored.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "compiler/driver/device_code.h"
#include "runtime/checkpoint/optimizer_state.h"
#include "runtime/support/file_io.h"
#include "tests/gpu/fake_driver/fake_cuda.h"
#include "tests/ir/compile_text.h"
#include "tests/optimizers.h"

namespace talweg::gpu {
namespace {

using optimizer::Optimizer;
using optimizer::StepOutcome;

/// A rule for both.
struct Rule {
  std::shared_ptr<driver::Program> program;
  std::shared_ptr<DeviceCode> code = std::make_shared<DeviceCode>();
};

/// Reads inputs of all rates.
constexpr const char* kInputs = R"(
rule Inputs {
  matrix (last two)
  input model a
  input group b
  input tensor c
  input matrix d
  input row e
  input col f
  input g
  step { update = 0.01 * (a + b + c) * grad + (if rank >= 2 then d * e * f else g) }
}
)";

const Rule& compiled(const std::string& text, types::ComputeType compute) {
  static std::map<std::pair<std::string, types::ComputeType>, Rule> rules;
  Rule& rule = rules[{text, compute}];
  if (rule.program != nullptr) return rule;
  const ir::Graph graph = tests::graph_of_rule(text, kInputs);
  driver::CompileOptions options;
  options.compute = compute;
  options.use_cache = false;
  rule.code->ptx = *driver::compile_device_code(graph, options, "nvptx-sm80");
  rule.code->architecture = 80;
  rule.program = *driver::compile(graph, options);
  return rule;
}

/// A driver of which nothing is used yet.
void start_driver(int devices = 1) {
  ::setenv("TALWEG_CUDA_DRIVER", FAKE_CUDA, 1);
  fake_cuda_reset(devices);
}

std::string what_is_left() {
  std::string left;
  for (const char* what : {"allocations", "pinned", "modules", "streams", "events", "contexts"})
    if (const std::size_t count = fake_cuda_count(what); count > 0)
      left += std::to_string(count) + " " + what + " ";
  return left;
}

/// Tensors, their gradients and an optimizer.
template <class Scalar>
struct Side {
  std::vector<std::vector<Scalar>> params, gradients, inputs;
  std::unique_ptr<Optimizer> optimizer;

  Side(const Rule& rule, const optimizer::MakeCore& make_core) {
    const std::vector<std::vector<std::uint64_t>> shapes = {{5, 9}, {300}, {}, {0, 3}};
    std::vector<optimizer::Tensor> tensors;
    params.resize(shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      std::size_t count = 1;
      for (const std::uint64_t extent : shapes[i]) count *= extent;
      for (std::size_t k = 0; k < count; ++k)
        params[i].push_back(static_cast<Scalar>(0.3) * static_cast<Scalar>(k % 7 + i) - 1);
      params[i].reserve(1);
      tensors.push_back({"t" + std::to_string(i), shapes[i], params[i].data(), 0, {}});
    }
    gradients = inputs = params;
    for (auto* arrays : {&gradients, &inputs})
      for (auto& array : *arrays) array.reserve(1);
    auto made = Optimizer::create(rule.program->image(), rule.program, std::move(tensors), 1,
                                  nullptr, make_core);
    INFO((made ? std::string() : made.failure().message));
    REQUIRE(made);
    optimizer = std::make_unique<Optimizer>(std::move(*made));
  }

  /// A gradient that depends on the parameters, so that each step sees what the last one left.
  /// `left_out`: a tensor without one.
  support::Result<StepOutcome> step(std::uint64_t number, std::size_t left_out = 99) {
    std::vector<const void*> pointers, input_pointers;
    for (std::size_t i = 0; i < params.size(); ++i) {
      for (std::size_t k = 0; k < params[i].size(); ++k) {
        gradients[i][k] = params[i][k] * static_cast<Scalar>(number + 1) +
                          static_cast<Scalar>(k % 3) - static_cast<Scalar>(0.5);
        inputs[i][k] = static_cast<Scalar>(k % 5) / 4;
      }
      pointers.push_back(i == left_out ? nullptr : gradients[i].data());
      input_pointers.push_back(inputs[i].data());
    }
    return optimizer->step(pointers, inputs_of(number, input_pointers));
  }

  /// All that the rule has; those of rows and columns are some elements, of matrices `one`.
  optimizer::StepInputs inputs_of(std::uint64_t number, const std::vector<const void*>& elements) {
    optimizer::StepInputs given;
    const talweg_image& image = optimizer->image();
    const double value = 1.5 / static_cast<double>(number);
    for (std::uint32_t i = 0; i < image.input_count; ++i) {
      const char* name = image.inputs[i].name;
      const auto rate = static_cast<talweg_rate>(image.inputs[i].rate);
      if (rate == TALWEG_RATE_ELEMENT) given.element.emplace_back(name, elements);
      if (rate == TALWEG_RATE_ROW) given.row.emplace_back(name, elements);
      if (rate == TALWEG_RATE_COL) given.col.emplace_back(name, elements);
      if (rate == TALWEG_RATE_MATRIX)
        given.matrix.emplace_back(name, std::vector<const void*>(elements.size(), &one));
      if (rate == TALWEG_RATE_MODEL) given.model.emplace_back(name, value);
      if (rate == TALWEG_RATE_GROUP) given.group.emplace_back(name, std::vector{value + 1});
      if (rate == TALWEG_RATE_TENSOR)
        given.tensor.emplace_back(name, std::vector(elements.size(), value + 2));
    }
    return given;
  }
  double one = 1.25;
};

template <class Scalar>
struct Pair {
  Side<Scalar> host, device;

  explicit Pair(const std::string& text)
      : Pair(compiled(text,
                      sizeof(Scalar) == 4 ? types::ComputeType::F32 : types::ComputeType::F64)) {}
  explicit Pair(const Rule& rule) : host(rule, {}), device(rule, on_device(0, rule.code)) {}

  void step(std::uint64_t number, std::size_t left_out = 99) {
    INFO("step " << number);
    const auto here = host.step(number, left_out), there = device.step(number, left_out);
    INFO(tests::failure(there));
    REQUIRE(here);
    REQUIRE(there);
    CHECK(*here == *there);
    check_params();
  }
  void steps(std::uint64_t count) {
    for (std::uint64_t number = 1; number <= count; ++number) {
      step(number, number == 3 ? 1 : 99);
      while (host.optimizer->is_waiting()) step(number, number == 3 ? 1 : 99);
    }
  }
  void check_params() {
    for (std::size_t i = 0; i < host.params.size(); ++i) {
      INFO("tensor " << i);
      CHECK(std::memcmp(host.params[i].data(), device.params[i].data(),
                        host.params[i].size() * sizeof(Scalar)) == 0);
    }
  }
  void check_states() {
    CHECK(host.optimizer->calls() == device.optimizer->calls());
    CHECK(host.optimizer->steps_completed() == device.optimizer->steps_completed());
    const auto here = host.optimizer->persistent(), there = device.optimizer->persistent();
    REQUIRE(here.size() == there.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
      INFO(here[i].name);
      CHECK(here[i].name == there[i].name);
      CHECK(tests::numbers_of(here[i]) == tests::numbers_of(there[i]));
    }
  }
};

TEST_CASE("steps on a device leave the host's parameters and states") {
  start_driver();
  const std::string rule =
      GENERATE(as<std::string>{}, "SGD(momentum = 0.9)", "ClipByGlobalNorm(1) | AdamW | Ema",
               "Adafactor", "LAMB", "SAM | AdamW", "Sophia",
               "AdamW(lr = cosine(t, peak = 1e-3, total = 9))", "AccumulateGradient(k = 2) | SGD",
               "m.Inputs", "ReduceOnPlateau(watch = training) | ScheduleFreeAdamW");
  INFO(rule);
  {
    Pair<float> pair(rule);
    pair.steps(5);
    pair.check_states();
    CHECK(pair.device.optimizer->state_bytes() == pair.host.optimizer->state_bytes());
  }
  CHECK(what_is_left().empty());
}

TEST_CASE("float64 too") {
  start_driver();
  Pair<double> pair("ClipByGlobalNorm(1) | AdamW");
  pair.steps(3);
  pair.check_states();
}

TEST_CASE("what the host writes between steps counts") {
  start_driver();
  Pair<float> pair("AdamW | Ema");
  pair.steps(2);
  for (auto* side : {&pair.host, &pair.device}) {
    side->params[1][7] = 3;
    int found = 0;
    for (const auto& entry : side->optimizer->persistent()) {
      if (entry.name == "m/t1") static_cast<float*>(entry.data)[7] = -2, ++found;
      if (entry.name == "t") *static_cast<double*>(entry.data) = 40, ++found;
    }
    REQUIRE(found == 2);
  }
  pair.step(3);
  pair.check_states();
  CHECK(pair.device.optimizer->steps_completed() == 41);
  const auto here = pair.host.optimizer->state("m", 1),
             there = pair.device.optimizer->state("m", 1);
  REQUIRE(here);
  REQUIRE(there);
  CHECK(*here != *there);
  CHECK(static_cast<const float*>(*here)[7] == static_cast<const float*>(*there)[7]);
  REQUIRE(pair.host.optimizer->reset());
  REQUIRE(pair.device.optimizer->reset());
  pair.check_states();
  pair.step(1);
  pair.check_states();
}

TEST_CASE("what is saved of a device is what is saved of the host, and is loaded by both") {
  start_driver();
  std::string folder = (std::filesystem::temp_directory_path() / "talweg-mirrored-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::filesystem::path here = folder + "/host", there = folder + "/device";
  {
    Pair<float> pair("Adafactor | Ema");
    pair.steps(3);
    REQUIRE(checkpoint::save_optimizer(here, *pair.host.optimizer, {}));
    REQUIRE(checkpoint::save_optimizer(there, *pair.device.optimizer, {}));
    CHECK(*support::read_file(here, 1 << 20) == *support::read_file(there, 1 << 20));
  }
  Pair<float> pair("Adafactor | Ema");
  pair.step(1);
  REQUIRE(checkpoint::load_optimizer(there, *pair.host.optimizer));
  REQUIRE(checkpoint::load_optimizer(here, *pair.device.optimizer));
  pair.check_states();
  pair.steps(2);
  pair.check_states();
  CHECK(pair.device.optimizer->steps_completed() == 5);
  std::filesystem::remove_all(folder);
}

TEST_CASE("hypers that are set count from the next step") {
  start_driver();
  Pair<float> pair("SGD(momentum = 0.9)");
  pair.step(1);
  for (auto* side : {&pair.host, &pair.device}) REQUIRE(side->optimizer->set_hyper("lr", 0.5));
  pair.step(2);
  pair.check_states();
  CHECK(tests::failure(pair.device.optimizer->set_hyper("lr", -1)) ==
        tests::failure(pair.host.optimizer->set_hyper("lr", -1)));
}

TEST_CASE("a step that the rule's own values refuse") {
  start_driver();
  Pair<float> pair("SGD(lr = 2.5 - t)");
  pair.steps(2);
  for (int i = 0; i < 2; ++i) {
    const auto here = pair.host.step(3), there = pair.device.step(3);
    REQUIRE_FALSE(here);
    REQUIRE_FALSE(there);
    CHECK(here.failure().message == there.failure().message);
    CHECK(there.failure().kind == support::FailureKind::Numeric);
    pair.check_params();
    pair.check_states();
  }
}

TEST_CASE("views are read out and swapped in") {
  start_driver();
  Pair<float> pair("AdamW | Ema(decay = 0.5)");
  pair.steps(2);
  std::vector<float> here(300), there(300);
  REQUIRE(pair.host.optimizer->read_view("averaged", 1, here.data()));
  REQUIRE(pair.device.optimizer->read_view("averaged", 1, there.data()));
  CHECK(here == there);
  pair.check_params();
  const auto before = pair.device.params;
  REQUIRE(pair.host.optimizer->swap_in("averaged"));
  REQUIRE(pair.device.optimizer->swap_in("averaged"));
  pair.check_params();
  CHECK(pair.device.params != before);
  CHECK(tests::failure(pair.device.step(3)) == tests::failure(pair.host.step(3)));
  CHECK(tests::failure(pair.device.optimizer->swap_in("averaged")) ==
        tests::failure(pair.host.optimizer->swap_in("averaged")));
  pair.check_params();
  pair.device.params[1][0] = 77;  // is lost
  REQUIRE(pair.device.optimizer->swap_out());
  REQUIRE(pair.host.optimizer->swap_out());
  CHECK(pair.device.params == before);
  pair.step(3);
  CHECK(tests::failure(
            pair.device.optimizer->read_view("averaged", 1, pair.device.params[1].data())) ==
        "the memory for a view of tensor `t1` shares memory with the parameters of tensor `t1`");
}

TEST_CASE("an optimizer that ends puts the parameters back") {
  start_driver();
  SECTION("a view is swapped in") {
    Pair<float> pair("AdamW | Ema(decay = 0.5)");
    pair.steps(2);
    const auto before = pair.device.params;
    REQUIRE(pair.device.optimizer->swap_in("averaged"));
    CHECK(pair.device.params != before);
    pair.device.optimizer.reset();
    CHECK(pair.device.params == before);
  }
  SECTION("a step waits for a gradient") {
    Pair<float> pair("SAM | SGD");
    pair.steps(1);
    const auto before = pair.device.params;
    REQUIRE(*pair.device.step(2) == StepOutcome::Regrad);
    CHECK(pair.device.params != before);
    SECTION("and is abandoned") {
      pair.device.optimizer->abandon();
      CHECK(pair.device.params == before);
      pair.step(2);
      pair.step(2);
      pair.check_states();
    }
    SECTION("and the optimizer ends") {
      pair.device.optimizer.reset();
      CHECK(pair.device.params == before);
    }
  }
  CHECK(what_is_left().empty());
}

TEST_CASE("there is a device, and room on it") {
  start_driver(2);
  CHECK(find_device(1)->name == "Pretended GPU 1");
  CHECK(find_device(1)->capability == 90);
  CHECK(tests::failure(find_device(2)) == "there is no device cuda:2: there is cuda:0 to cuda:1");
  fake_cuda_set_device(0, "Small", 9, 0, 4, 6000);
  const Rule& rule = compiled("AdamW", types::ComputeType::F32);
  float values[1000] = {};
  const auto make = [&](std::int32_t device) {
    return Optimizer::create(rule.program->image(), rule.program, {{"w", {1000}, values, 0, {}}}, 1,
                             nullptr, on_device(device, rule.code));
  };
  const auto made = make(0);
  REQUIRE_FALSE(made);
  CHECK(made.failure().kind == support::FailureKind::Io);
  CHECK(made.failure().message ==
        "cuda:0 has no memory for 4096 bytes of gradients (cuMemAlloc_v2(4096 bytes): "
        "CUDA_ERROR_OUT_OF_MEMORY (out of memory))");
  CHECK(what_is_left().empty());
  CHECK(make(1));
  CHECK(what_is_left().empty());
}

TEST_CASE("tensors that share memory are refused") {
  start_driver();
  const Rule& rule = compiled("AdamW", types::ComputeType::F32);
  float values[10] = {};
  const auto made = Optimizer::create(rule.program->image(), rule.program,
                                      {{"a", {6}, values, 0, {}}, {"b", {6}, values + 4, 0, {}}}, 1,
                                      nullptr, on_device(0, rule.code));
  CHECK(tests::failure(made) == "the parameters of tensors `a` and `b` share memory");
}

/// Whether a line of the driver's log is a call that releases something, or comes before or after
/// one: who releases has nobody to tell.
bool is_of_release(const std::string& line) {
  for (const char* part : {"Free", "Destroy", "Unload", "Release", "CtxPush", "CtxPop"})
    if (line.find(part) != std::string::npos) return true;
  return false;
}

/// All that can be asked of an optimizer on a device, until something fails: what is told.
std::string use_all(const Rule& rule, std::size_t& calls) {
  std::vector<float> values(40, 1), gradient(40, 1), view(40);
  const void* const gradients[] = {gradient.data()};
  auto made =
      Optimizer::create(rule.program->image(), rule.program, {{"w", {40}, values.data(), 0, {}}}, 1,
                        nullptr, on_device(0, rule.code));
  std::string told = tests::failure(made);
  const auto and_then = [&](const auto& use) {
    if (made && told == "no failure") told = tests::failure(use());
    calls = fake_cuda_log_lines();
  };
  and_then([&] { return made->step(gradients); });
  and_then([&] { return made->step(gradients); });
  and_then([&] { return made->read_view("averaged", 0, view.data()); });
  and_then([&] { return made->swap_in("averaged"); });
  and_then([&] { return made->swap_out(); });
  and_then([&] { return made->fetch_states(); });
  return told;
}

TEST_CASE("whatever call fails, it is told and nothing is left") {
  const Rule& rule = compiled("AdamW | Ema", types::ComputeType::F32);
  int told_failures = 0;
  for (int n = 1;; ++n) {
    start_driver();
    fake_cuda_fail(nullptr, n, TALWEG_CUDA_OUT_OF_MEMORY);
    std::size_t calls = 0;
    const std::string told = use_all(rule, calls);
    if (fake_cuda_failure_is_due() != 0) break;
    const std::string line = fake_cuda_log_line(static_cast<std::size_t>(n - 1));
    INFO("call " << n << ": " << line << "; told: " << told);
    if (is_of_release(line) || static_cast<std::size_t>(n) > calls) continue;
    CHECK(told.find("CUDA_ERROR_OUT_OF_MEMORY") != std::string::npos);
    CHECK(what_is_left().empty());
    ++told_failures;
  }
  CHECK(told_failures > 40);
}

}  // namespace
}  // namespace talweg::gpu
