// Memory handed to a call must share none with any parameter or with the optimizer's own: found
// among many tensors in one array, whatever their order, and however often the memory changes.
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "runtime/memory/state_layout.h"
#include "runtime/optimizer/step.h"
#include "tests/runtime/fake_rule.h"

namespace talweg::tests {
namespace {

constexpr std::size_t kTensors = 61;

struct Range {
  const unsigned char* begin;
  std::size_t bytes;
  [[nodiscard]] bool shares(const Range& other) const {
    return bytes > 0 && other.bytes > 0 && begin < other.begin + other.bytes &&
           other.begin < begin + bytes;
  }
};

/// Tensors in one array, some next to each other, some with gaps, in no order, some of them empty;
/// and the optimizer's memory behind them in the same block.
class Block {
 public:
  FakeRule<float> rule;
  std::vector<std::string> names;
  std::vector<std::uint64_t> shapes;
  std::vector<talweg_tensor> tensors{kTensors};
  std::vector<Range> params;
  Range control{}, states{};
  float* elements = nullptr;
  std::size_t element_count = 0;

  explicit Block(std::mt19937& random) {
    std::vector<std::size_t> order(kTensors), gaps;
    for (std::size_t t = 0; t < kTensors; ++t) {
      order[t] = t;
      names.push_back("w" + std::to_string(t));
      shapes.push_back(t % 10 == 3 ? 0 : 1 + random() % 40);
      gaps.push_back(random() % 2 * (random() % 30));
      element_count += shapes[t] + gaps[t];
    }
    std::shuffle(order.begin(), order.end(), random);
    talweg_optimizer_spec spec{};
    for (std::size_t t = 0; t < kTensors; ++t) {
      tensors[t].name = names[t].c_str();
      tensors[t].shape = &shapes[t];
      tensors[t].rank = 1;
    }
    spec.image = &rule.image;
    spec.tensors = tensors.data();
    spec.tensor_count = kTensors;
    spec.group_count = spec.thread_count = 1;
    talweg_optimizer_sizes sizes{};
    REQUIRE(talweg_measure(&spec, &sizes, nullptr) == TALWEG_OK);
    const auto rounded = [](std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; };
    const std::size_t front = rounded(element_count * sizeof(float));
    const std::size_t middle = rounded(sizes.control_bytes);
    all_.resize(front + middle + sizes.state_bytes + 2 * 4096);
    auto* base =
        reinterpret_cast<unsigned char*>(rounded(reinterpret_cast<std::uintptr_t>(all_.data())));
    elements = reinterpret_cast<float*>(base);
    control = {base + front, sizes.control_bytes};
    states = {base + front + middle, sizes.state_bytes};
    std::size_t at = 0;
    params.resize(kTensors);
    for (const std::size_t t : order) {
      tensors[t].param = elements + at;
      params[t] = {base + at * sizeof(float), shapes[t] * sizeof(float)};
      at += shapes[t] + gaps[t];
    }
    talweg_error error{};
    INFO(error.message);
    REQUIRE(talweg_create(&spec, base + front, base + front + middle, &optimizer, &error) ==
            TALWEG_OK);
  }

  [[nodiscard]] Range range(std::size_t tensor, const void* memory) const {
    return {static_cast<const unsigned char*>(memory), params[tensor].bytes};
  }
  [[nodiscard]] bool is_apart(std::size_t tensor, const void* memory) const {
    const Range given = range(tensor, memory);
    for (const Range& param : params)
      if (given.shares(param)) return false;
    return !given.shares(states) && !given.shares(control);
  }
  /// Anywhere in the block where the tensor's elements fit.
  [[nodiscard]] float* anywhere(std::mt19937& random, std::size_t tensor) const {
    const std::size_t end = static_cast<std::size_t>(
        reinterpret_cast<float*>(const_cast<unsigned char*>(states.begin) + states.bytes) -
        elements);
    const std::size_t near = random() % 3 == 0 ? end : element_count;
    return elements + random() % (near - std::min<std::size_t>(near - 1, shapes[tensor]));
  }

  talweg_optimizer* optimizer = nullptr;

 private:
  std::vector<unsigned char> all_;
};

talweg_status step_with(const Block& block, const std::vector<const void*>& gradients,
                        talweg_error& error) {
  talweg_step_inputs inputs{};
  inputs.gradients = gradients.data();
  return talweg_step(block.optimizer, &inputs, nullptr, &error);
}

}  // namespace

TEST_CASE(
    "a gradient that shares memory with any parameter, state or the control memory is found") {
  std::mt19937 random(20261122);
  std::size_t refused = 0, taken = 0;
  for (int model = 0; model < 20; ++model) {
    const Block block(random);
    std::vector<float> apart(40);
    std::vector<const void*> gradients(kTensors, apart.data());
    talweg_error error{};
    for (int trial = 0; trial < 300; ++trial) {
      const std::size_t tensor = random() % kTensors;
      const void* before = gradients[tensor];
      gradients[tensor] = block.anywhere(random, tensor);
      const bool is_apart = block.is_apart(tensor, gradients[tensor]);
      const talweg_status status = step_with(block, gradients, error);
      INFO(error.message);
      REQUIRE(status == (is_apart ? TALWEG_OK : TALWEG_OVERLAP));
      // Asked again it is found again, though it is the same memory as before.
      REQUIRE(step_with(block, gradients, error) == status);
      is_apart ? ++taken : ++refused;
      if (is_apart && trial % 3 != 0) continue;
      gradients[tensor] = before;
      REQUIRE(step_with(block, gradients, error) == TALWEG_OK);
    }
  }
  CHECK(refused > 1000);
  CHECK(taken > 1000);
}

TEST_CASE("messages say with what memory is shared") {
  std::mt19937 random(5);
  const Block block(random);
  std::vector<const void*> gradients(kTensors, nullptr);
  talweg_error error{};
  const auto refuses = [&](const void* memory, const std::string& words) {
    gradients[7] = memory;
    CHECK(step_with(block, gradients, error) == TALWEG_OVERLAP);
    CHECK(error.message == "the gradient of tensor `w7` shares memory with " + words);
  };
  refuses(block.tensors[7].param, "its parameter");
  refuses(block.states.begin, "states");
  refuses(block.states.begin + block.states.bytes - 4, "states");
  refuses(block.control.begin, "the control memory");
  refuses(talweg_scalar_state(block.optimizer, kTotal, 0), "the control memory");
  for (std::size_t t = 0; t < kTensors; ++t)
    if (t != 7 && block.shapes[t] >= block.shapes[7])
      refuses(block.tensors[t].param, "tensor `" + block.names[t] + "`");
  gradients[7] = reinterpret_cast<const void*>(UINTPTR_MAX - 3);
  CHECK(step_with(block, gradients, error) == TALWEG_TOO_LARGE);
}

TEST_CASE("an input of elements must be apart from other tensors' parameters and from states") {
  std::mt19937 random(9);
  Block block(random);
  block.rule.reads_hessian = true;
  std::vector<float> apart(40);
  const std::vector<const void*> gradients(kTensors, apart.data());
  std::vector<const void*> hessian(kTensors, apart.data());
  const void* const* of_inputs[kInputCount] = {};
  of_inputs[kHessian] = hessian.data();
  talweg_step_inputs inputs{};
  inputs.gradients = gradients.data();
  inputs.element_inputs = of_inputs;
  talweg_error error{};
  std::size_t refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    hessian[7] = block.anywhere(random, 7);
    const bool is_apart = block.is_apart(7, hessian[7]);
    CHECK(talweg_step(block.optimizer, &inputs, nullptr, &error) ==
          (is_apart ? TALWEG_OK : TALWEG_OVERLAP));
    refused += is_apart ? 0 : 1;
  }
  CHECK(refused > 100);
  CHECK(std::string(error.message).find("input `hessian` of tensor `w7`") == 0);
}

TEST_CASE("a parameter that stood in for what was not given is refused when it is given") {
  std::mt19937 random(3);
  Block block(random);
  block.rule.image.uses_gradient = 0;
  const void* const* of_inputs[kInputCount] = {};
  talweg_step_inputs inputs{};
  inputs.element_inputs = of_inputs;
  REQUIRE(talweg_step(block.optimizer, &inputs, nullptr, nullptr) == TALWEG_OK);
  std::vector<float> apart(40);
  std::vector<const void*> own(kTensors, nullptr);
  own[7] = block.tensors[7].param;
  inputs.gradients = own.data();
  talweg_error error{};
  CHECK(talweg_step(block.optimizer, &inputs, nullptr, &error) == TALWEG_OVERLAP);
  CHECK(std::string(error.message).find("the gradient of tensor `w7`") == 0);
  const std::vector<const void*> gradients(kTensors, apart.data());
  inputs.gradients = gradients.data();
  REQUIRE(talweg_step(block.optimizer, &inputs, nullptr, &error) == TALWEG_OK);
  of_inputs[kHessian] = own.data();
  CHECK(talweg_step(block.optimizer, &inputs, nullptr, &error) == TALWEG_OVERLAP);
  CHECK(std::string(error.message).find("input `hessian` of tensor `w7`") == 0);
}

}  // namespace talweg::tests
