// What may make an optimizer; everything else is refused by name.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

#include "runtime/optimizer/step.h"
#include "tests/runtime/fake_rule.h"

namespace talweg::tests {
namespace {

/// A spec that is right, for a test to spoil.
struct Spec {
  FakeRule<float> rule;
  std::vector<float> memory = std::vector<float>(64);
  std::uint64_t shape[2] = {2, 3};
  std::vector<talweg_tensor> tensors;
  talweg_optimizer_spec spec{};

  Spec() {
    talweg_tensor tensor{};
    tensor.name = "a";
    tensor.shape = shape;
    tensor.rank = 2;
    tensor.param = memory.data();
    tensors.push_back(tensor);
    tensor.name = "b";
    tensor.param = memory.data() + 6;
    tensors.push_back(tensor);
    spec.image = &rule.image;
    spec.tensors = tensors.data();
    spec.tensor_count = 2;
    spec.group_count = 1;
    spec.thread_count = 1;
  }

  /// Tries both ways; measure does not look at memory shared between tensors.
  std::pair<talweg_status, std::string> create() const {
    talweg_error error{};
    talweg_optimizer_sizes sizes{};
    talweg_status status = talweg_measure(&spec, &sizes, &error);
    if (status != TALWEG_OK) return {status, error.message};
    void* control = std::aligned_alloc(4096, (sizes.control_bytes + 4095) / 4096 * 4096);
    void* state = std::aligned_alloc(4096, (sizes.state_bytes + 4095) / 4096 * 4096);
    std::memset(control, 0xA5, sizes.control_bytes);
    std::memset(state, 0xA5, sizes.state_bytes);
    talweg_optimizer* optimizer = nullptr;
    status = talweg_create(&spec, control, state, &optimizer, &error);
    std::free(control);
    std::free(state);
    return {status, error.message};
  }

  void check(talweg_status expected, const std::string& words) const {
    const auto [status, message] = create();
    INFO(message);
    CHECK(status == expected);
    CHECK(message.find(words) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("a right spec is taken") {
  Spec spec;
  spec.check(TALWEG_OK, "");
  const std::int64_t strides[2] = {3, 1};
  spec.tensors[0].strides = strides;
  const talweg_storage storage[7] = {{TALWEG_F32, 0}, {TALWEG_F32, 0}, {TALWEG_F32, 0},
                                     {TALWEG_F32, 0}, {TALWEG_F32, 0}, {TALWEG_F32, 0},
                                     {TALWEG_F32, 0}};
  spec.tensors[0].storage = storage;
  const char* const tags[1] = {"embedding"};
  spec.tensors[0].tags = tags;
  spec.tensors[0].tag_count = 1;
  spec.check(TALWEG_OK, "");
  // Strides of dimensions of one element never matter.
  spec.shape[0] = 1;
  const std::int64_t odd[2] = {-77, 1};
  spec.tensors[0].strides = odd;
  spec.check(TALWEG_OK, "");
}

TEST_CASE("images that cannot be stepped are refused") {
  {
    Spec spec;
    spec.rule.image.abi_version = 2;
    spec.check(TALWEG_BAD_IMAGE, "the image is of ABI version 2, but this runtime steps version 1");
  }
  {
    Spec spec;
    spec.rule.image.compute_dtype = TALWEG_BF16;
    spec.check(TALWEG_NOT_SERVED, "the image computes in bfloat16");
  }
  {
    Spec spec;
    spec.rule.states[kM].rate = TALWEG_RATE_ELEMENT + 1;
    spec.check(TALWEG_NOT_SERVED, "state `m` has a rate");
  }
  {
    Spec spec;
    spec.rule.states[kM].dtype = TALWEG_F64;
    spec.check(TALWEG_NOT_SERVED, "state `m` is not kept in the compute type");
  }
  {
    Spec spec;
    spec.rule.states[kM].stream = 7;
    spec.check(TALWEG_BAD_IMAGE, "the image of rule `Fake` has a state without a stream");
  }
  {
    Spec spec;
    spec.rule.inputs[kLoss].rate = 8;
    spec.check(TALWEG_NOT_SERVED, "input `loss` has a rate");
  }
  {
    Spec spec;
    spec.rule.image.initial_states = nullptr;
    spec.check(TALWEG_BAD_IMAGE, "no function for its initial values");
  }
  {
    Spec spec;
    spec.rule.image.step.phase_count = 0;
    spec.check(TALWEG_BAD_IMAGE, "has no phase");
  }
  {
    Spec spec;
    spec.rule.image.step.end_phase = 1;
    spec.check(TALWEG_BAD_IMAGE, "ends its step in a phase that it does not have");
  }
  {
    Spec spec;
    spec.rule.hypers[kScale].bound_phase = 1;
    spec.check(TALWEG_BAD_IMAGE, "binds a hyper in a phase that it does not have");
  }
  {
    Spec spec;
    spec.rule.image.scratch_count = 1;  // the last stream is an input's
    spec.check(TALWEG_BAD_IMAGE, "has an input without a stream");
    spec.rule.image.scratch_count = 6;
    spec.check(TALWEG_BAD_IMAGE, "has too few streams");
  }
  {
    Spec spec;
    spec.spec.image = nullptr;
    spec.check(TALWEG_BAD_ARGUMENT, "the image is null");
  }
}

TEST_CASE("tensors that cannot be served are refused by name") {
  const auto spoil = [](talweg_status status, const char* words, auto change) {
    Spec spec;
    change(spec, spec.tensors[1]);
    spec.check(status, words);
  };
  spoil(TALWEG_BAD_ARGUMENT, "tensor 1 has no name", [](Spec&, talweg_tensor& t) { t.name = ""; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor 1 has no name",
        [](Spec&, talweg_tensor& t) { t.name = nullptr; });
  spoil(TALWEG_BAD_ARGUMENT, "two tensors are named `a`",
        [](Spec&, talweg_tensor& t) { t.name = "a"; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor `b` has no shape",
        [](Spec&, talweg_tensor& t) { t.shape = nullptr; });
  spoil(TALWEG_TOO_LARGE, "tensor `b` has rank 65", [](Spec&, talweg_tensor& t) { t.rank = 65; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor `b` has no memory",
        [](Spec&, talweg_tensor& t) { t.param = nullptr; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor `b` is not aligned",
        [](Spec&, talweg_tensor& t) { t.param = static_cast<char*>(t.param) + 1; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor `b` is in group 1, but groups are numbered below 1",
        [](Spec&, talweg_tensor& t) { t.group = 1; });
  spoil(TALWEG_NOT_SERVED, "tensor `b` is not on the CPU",
        [](Spec&, talweg_tensor& t) { t.device = TALWEG_DEVICE_CUDA; });
  spoil(TALWEG_BAD_ARGUMENT, "tensor `b` has no tags",
        [](Spec&, talweg_tensor& t) { t.tag_count = 1; });
  static const std::int64_t kTransposed[2] = {1, 2};
  spoil(TALWEG_NOT_SERVED, "tensor `b` is strided",
        [](Spec&, talweg_tensor& t) { t.strides = kTransposed; });
  static const talweg_storage kStorage[7] = {{TALWEG_F32, 0}, {TALWEG_BF16, 0}};
  spoil(TALWEG_NOT_SERVED, "tensor `b` keeps stream 1 in bfloat16",
        [](Spec&, talweg_tensor& t) { t.storage = kStorage; });
  static const talweg_storage kBlocks[7] = {{TALWEG_F32, TALWEG_CODEC_BLOCK8}};
  spoil(TALWEG_NOT_SERVED, "tensor `b` keeps stream 0 in an encoding of float32",
        [](Spec&, talweg_tensor& t) { t.storage = kBlocks; });
}

TEST_CASE("sizes are never wrapped") {
  Spec spec;
  static const std::uint64_t kProductWraps[2] = {std::uint64_t{1} << 33, std::uint64_t{1} << 31};
  spec.tensors[1].shape = kProductWraps;
  spec.check(TALWEG_TOO_LARGE, "tensor `b` has more elements than can be numbered");
  static const std::uint64_t kBytesWrap[2] = {std::uint64_t{1} << 31, (std::uint64_t{1} << 31) + 1};
  spec.tensors[1].shape = kBytesWrap;
  spec.check(TALWEG_TOO_LARGE, "tensor `b` is larger than memory can hold");
  static const std::uint64_t kManyChunks[2] = {std::uint64_t{1} << 30, std::uint64_t{1} << 16};
  spec.tensors[1].shape = kManyChunks;
  spec.check(TALWEG_TOO_LARGE, "");
  // Parameters that would end past the last address.
  static const std::uint64_t kPastEnd[2] = {std::uint64_t{1} << 30, std::uint64_t{1} << 30};
  spec.tensors[1].shape = kPastEnd;
  spec.tensors[1].param = reinterpret_cast<void*>(UINTPTR_MAX - 3);
  spec.check(TALWEG_TOO_LARGE, "tensor `b` is larger than memory can hold");
}

TEST_CASE("parameters that share memory are refused") {
  Spec spec;
  spec.tensors[1].param = spec.memory.data() + 5;
  spec.check(TALWEG_OVERLAP, "tensors `a` and `b` share memory");
  spec.tensors[1].param = spec.memory.data();
  spec.check(TALWEG_OVERLAP, "share memory");
  std::swap(spec.tensors[0], spec.tensors[1]);
  spec.tensors[0].param = spec.memory.data() + 3;
  spec.check(TALWEG_OVERLAP, "tensors `a` and `b` share memory");
  // A tensor without elements shares nothing.
  static const std::uint64_t kEmpty[2] = {0, 3};
  spec.tensors[0].shape = kEmpty;
  spec.check(TALWEG_OK, "");
}

TEST_CASE("one overlap among many tensors is found") {
  Spec spec;
  constexpr std::size_t kTensors = 5000;
  spec.memory.resize(kTensors * 6);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kTensors; ++i)
    names.push_back("w" + std::to_string(i * 7919 % kTensors));
  spec.tensors.assign(kTensors, spec.tensors[0]);
  for (std::size_t i = 0; i < kTensors; ++i) {
    spec.tensors[i].name = names[i].c_str();
    spec.tensors[i].param = spec.memory.data() + (i * 3571 % kTensors) * 6;
  }
  spec.spec.tensors = spec.tensors.data();
  spec.spec.tensor_count = kTensors;
  spec.check(TALWEG_OK, "");
  spec.tensors[1234].param = static_cast<float*>(spec.tensors[1234].param) + 1;
  spec.check(TALWEG_OVERLAP, "share memory");
  spec.tensors[1234] = spec.tensors[0];
  spec.tensors[1234].param = spec.memory.data();
  spec.check(TALWEG_BAD_ARGUMENT, "two tensors are named `w0`");
}

TEST_CASE("counts and memory of a spec are checked") {
  Spec spec;
  spec.spec.group_count = 0;
  spec.check(TALWEG_BAD_ARGUMENT, "groups");
  spec.spec.group_count = 1;
  spec.spec.thread_count = 0;
  spec.check(TALWEG_BAD_ARGUMENT, "threads");
  spec.spec.thread_count = 1025;
  spec.check(TALWEG_BAD_ARGUMENT, "threads");
  spec.spec.thread_count = 1024;
  spec.check(TALWEG_OK, "");
  spec.spec.tensors = nullptr;
  spec.check(TALWEG_BAD_ARGUMENT, "the tensors are null");
  spec.spec.tensors = spec.tensors.data();

  talweg_optimizer* optimizer = nullptr;
  talweg_error error{};
  CHECK(talweg_create(&spec.spec, nullptr, nullptr, &optimizer, &error) == TALWEG_BAD_ARGUMENT);
  talweg_optimizer_sizes sizes{};
  REQUIRE(talweg_measure(&spec.spec, &sizes, nullptr) == TALWEG_OK);
  alignas(64) static unsigned char memory[1 << 20];
  REQUIRE(sizes.control_bytes < sizeof memory - 1);
  CHECK(talweg_create(&spec.spec, memory + 1, nullptr, &optimizer, &error) == TALWEG_BAD_ARGUMENT);
  CHECK(std::string(error.message).find("control memory") != std::string::npos);
  CHECK(talweg_create(&spec.spec, memory, nullptr, &optimizer, &error) == TALWEG_BAD_ARGUMENT);
  CHECK(std::string(error.message).find("state memory") != std::string::npos);
}

TEST_CASE(
    "descriptors may go once the optimizer is made, and nothing past the measured size is "
    "touched") {
  auto spec = std::make_unique<Spec>();
  talweg_optimizer_sizes sizes{};
  REQUIRE(talweg_measure(&spec->spec, &sizes, nullptr) == TALWEG_OK);
  const auto rounded = [](std::size_t bytes) { return (bytes + 4096 + 4095) / 4096 * 4096; };
  auto* control =
      static_cast<unsigned char*>(std::aligned_alloc(4096, rounded(sizes.control_bytes)));
  auto* state = static_cast<unsigned char*>(std::aligned_alloc(4096, rounded(sizes.state_bytes)));
  std::memset(control, 0xA5, rounded(sizes.control_bytes));
  std::memset(state, 0xA5, rounded(sizes.state_bytes));
  talweg_optimizer* optimizer = nullptr;
  REQUIRE(talweg_create(&spec->spec, control, state, &optimizer, nullptr) == TALWEG_OK);
  std::memset(static_cast<void*>(spec->tensors.data()), 0xFF, 2 * sizeof(talweg_tensor));
  std::memset(&spec->spec, 0xFF, sizeof spec->spec);
  spec->shape[0] = 0;

  const float grad[6] = {1, 2, 3, 4, 5, 6};
  const void* gradients[2] = {grad, nullptr};
  talweg_step_inputs inputs{};
  inputs.gradients = gradients;
  REQUIRE(talweg_step(optimizer, &inputs, nullptr, nullptr) == TALWEG_OK);
  CHECK(spec->memory[5] == -3);
  gradients[0] = spec->memory.data();
  talweg_error error{};
  CHECK(talweg_step(optimizer, &inputs, nullptr, &error) == TALWEG_OVERLAP);
  CHECK(std::string(error.message).find("tensor `a`") != std::string::npos);
  for (std::size_t i = sizes.control_bytes; i < rounded(sizes.control_bytes); ++i)
    if (control[i] != 0xA5) FAIL("wrote past the control memory");
  for (std::size_t i = sizes.state_bytes; i < rounded(sizes.state_bytes); ++i)
    if (state[i] != 0xA5) FAIL("wrote past the state memory");
  std::free(control);
  std::free(state);
}

TEST_CASE("the C++ cover passes refusals on") {
  FakeRule<float> rule;
  FakeModel<float> model({3, 3});
  auto tensors = model.tensors();
  tensors[1].param = model.params[0].data() + 2;
  auto made = optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, nullptr);
  REQUIRE_FALSE(made.ok());
  CHECK(made.failure().message == "tensors `w0` and `w1` share memory");
  CHECK(made.failure().kind == support::FailureKind::Usage);

  tensors = model.tensors();
  tensors[1].shape = {std::uint64_t{1} << 45};
  made = optimizer::Optimizer::create(rule.image, nullptr, tensors, 1, nullptr);
  REQUIRE_FALSE(made.ok());
  CHECK(made.failure().kind == support::FailureKind::Io);
}

TEST_CASE("what keeps an image alive is held and released") {
  FakeRule<float> rule;
  FakeModel<float> model({3});
  auto token = std::make_shared<int>(0);
  {
    auto made = optimizer::Optimizer::create(rule.image, token, model.tensors(), 1, nullptr);
    REQUIRE(made.ok());
    optimizer::Optimizer moved = *std::move(made);
    CHECK(token.use_count() == 2);
    CHECK(moved.step(model.gradients()).ok());
  }
  CHECK(token.use_count() == 1);
}

}  // namespace talweg::tests
