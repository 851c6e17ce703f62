// Random rules (tests/random), stepped by the optimizer of a device beside that of the host.
// TALWEG_EXAMPLES="100 300": examples 100 to 399 in place of the first few.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "tests/gpu/model_pair.h"
#include "tests/gpu/streams.h"
#include "tests/random/check_rule.h"
#include "tests/sample_size.h"

namespace talweg::gpu {

namespace {

/// What the front end makes of an example; nothing where it is refused, which another test tells.
std::optional<ir::Graph> graph_of(const tests::Example& example) {
  std::optional<ir::Graph> graph;
  tests::CheckOptions options;
  options.isas = {"nvptx-sm90"};
  options.compile = [&](const ir::Graph& made, types::ComputeType, const std::string&) {
    graph = made;
    return support::Result<std::shared_ptr<driver::Program>>(
        support::Failure{support::FailureKind::Program, "not compiled here"});
  };
  tests::check_example(example, options);
  return graph;
}

class RandomSteps {
 public:
  RandomSteps(const tests::Setting& setting, std::uint64_t n, const PairRule& rule,
              std::vector<PairTensor> tensors)
      : choices_(n + 77),
        setting_(setting),
        image_(rule.host->image()),
        tensor_count_(tensors.size()),
        pair_(rule, std::move(tensors), setting.groups, static_cast<std::uint32_t>(n)) {
    if (choices_.chance(50))
      REQUIRE(talweg_gpu_set_stream(pair_.device, stream_.handle, nullptr) == TALWEG_OK);
    pair_.place_numbers(choices_.chance(50));
  }

  void run() {
    pair_.require_same();
    for (std::uint32_t i = 0; i < 2 + setting_.steps; ++i) {
      INFO("step " << i);
      set_hypers();
      step();
      pair_.require_same();
      if (choices_.chance(40)) replay();
      if (choices_.chance(30)) swap();
      if (choices_.chance(10)) reset();
    }
  }

 private:
  void set_hypers() {
    for (std::uint32_t h = 0; h < image_.hyper_count; ++h)
      for (std::uint32_t g = 0; g < setting_.groups; ++g) {
        if (!choices_.chance(25)) continue;
        const double value = choices_.chance(50) ? choices_.below(3) : 0.125 * choices_.below(40);
        const std::uint32_t group =
            image_.hypers[h].rate == TALWEG_RATE_MODEL ? TALWEG_ALL_GROUPS : g;
        REQUIRE(talweg_set_hyper(pair_.host, h, group, value, nullptr) ==
                talweg_set_hyper(pair_.device, h, group, value, nullptr));
      }
  }

  void step() {
    std::vector<std::size_t> absent;
    for (std::size_t t = 0; t < tensor_count_; ++t)
      if (choices_.chance(15)) absent.push_back(t);
    const bool gives_inputs = choices_.chance(80), abandons = choices_.chance(30);
    while (pair_.step(absent, gives_inputs) == TALWEG_REGRAD && talweg_is_waiting(pair_.host)) {
      pair_.require_same();
      if (!abandons) continue;
      talweg_abandon(pair_.host);
      talweg_abandon(pair_.device);
      return;
    }
  }

  /// Where the step can be captured, some replays. All gradients that a step asks for are the same.
  void replay() {
    REQUIRE(talweg_gpu_set_stream(pair_.device, stream_.handle, nullptr) == TALWEG_OK);
    REQUIRE(talweg_gpu_send_hypers(pair_.device, nullptr) == TALWEG_OK);
    talweg_error error{}, expected{};
    talweg_status status = TALWEG_OK;
    const Graph graph(stream_, [&] {
      do status = pair_.step_device(true, &error);
      while (status == TALWEG_OK && talweg_is_waiting(pair_.device) != 0);
    });
    INFO(error.message << " " << fake_cuda_fault());
    if (status != TALWEG_OK) {
      REQUIRE(status == TALWEG_NOT_SERVED);
      return;
    }
    for (int i = 0; i < 2; ++i) {
      pair_.draw_gradients();
      pair_.draw_numbers();
      talweg_outcome outcome{}, expected_outcome{};
      do status = pair_.step_host(&expected_outcome, &expected);
      while (status == TALWEG_OK && expected_outcome == TALWEG_REGRAD);
      graph.launch(stream_);
      REQUIRE(talweg_gpu_wait(pair_.device, &outcome, &error) == status);
      if (status == TALWEG_OK) REQUIRE(outcome == expected_outcome);
      if (status != TALWEG_OK) REQUIRE(std::string(error.message) == expected.message);
      pair_.require_same();
    }
  }

  void swap() {
    if (image_.view_count == 0) return;
    const std::uint32_t view = choices_.below(image_.view_count);
    std::string here(talweg_swap_bytes(pair_.host) + 1, '\0');
    DeviceBytes there(talweg_swap_bytes(pair_.device));
    talweg_error error{}, expected{};
    const talweg_status status = talweg_swap_in(pair_.host, view, here.data(), &expected);
    REQUIRE(talweg_swap_in(pair_.device, view, reinterpret_cast<void*>(there.address), &error) ==
            status);
    REQUIRE(std::string(error.message) == expected.message);
    pair_.require_same();
    REQUIRE(talweg_swap_out(pair_.host, nullptr) == talweg_swap_out(pair_.device, nullptr));
    pair_.require_same();
  }

  void reset() {
    REQUIRE(talweg_reset(pair_.host, nullptr) == TALWEG_OK);
    REQUIRE(talweg_reset(pair_.device, nullptr) == TALWEG_OK);
  }

  tests::Choices choices_;
  const tests::Setting& setting_;
  const talweg_image& image_;
  std::size_t tensor_count_;
  Stream stream_;
  ModelPair pair_;
};

/// Whether it could be made.
bool run_example(std::uint64_t n) {
  tests::Choices choices = tests::choices_of_example(n);
  tests::Example example = tests::draw_example(choices);
  const auto graph = graph_of(example);
  if (!graph || example.setting.is_large) return false;
  INFO("example " << n << "\n" << describe(example));
  std::vector<PairTensor> tensors;
  for (const tests::RandomTensor& tensor : example.setting.tensors) {
    const auto shape =
        tensor.shape.empty() ? std::vector<std::uint64_t>{tensor.elements} : tensor.shape;
    tensors.push_back({shape, tensor.group, {tensors.size() % 2 == 0 ? "even" : "odd"}});
  }
  DriverSession session;
  const PairRule rule(*graph, example.setting.compute);
  if (!rule.takes(tensors)) return false;
  RandomSteps(example.setting, n, rule, std::move(tensors)).run();
  return true;
}

}  // namespace

TEST_CASE("random rules on a device") {
  auto count = static_cast<unsigned>(tests::sample_size(60));
  unsigned first = 0, made = 0;
  if (const char* given = std::getenv("TALWEG_EXAMPLES"))
    REQUIRE(std::sscanf(given, "%u %u", &first, &count) == 2);
  for (unsigned n = first; n < first + count; ++n) made += run_example(n) ? 1 : 0;
  INFO(made << " of " << count);
  CHECK(made > count / 2);
}

}  // namespace talweg::gpu
