// Optimizers of the host's tensors whose steps run on a device, beside ones that run on the host.
// The device is the pretended one.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/checkpoint/optimizer_state.h"
#include "runtime/support/file_io.h"
#include "tests/gpu/mirrored_pair.h"

namespace talweg::gpu {
namespace {

using optimizer::StepOutcome;

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

TEST_CASE("a step that is refused behind another gradient puts the parameters back") {
  start_driver();
  Pair<float> pair("SAM | SkipNonFinite | GradientDescent(lr = 2.5 - t)");
  pair.steps(2);
  const auto before = pair.host.params;
  pair.step(3);
  REQUIRE(pair.host.optimizer->is_waiting());
  const auto here = pair.host.step(3), there = pair.device.step(3);
  REQUIRE_FALSE(here);
  REQUIRE_FALSE(there);
  CHECK(here.failure().message == there.failure().message);
  CHECK(pair.host.params == before);
  pair.check_params();
  pair.check_states();
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
}  // namespace
}  // namespace talweg::gpu
