// What is told where there is no device, no room on it, or its driver fails; and that nothing is
// left then.
#include <catch2/catch.hpp>

#include "tests/gpu/fake_driver/fake_cuda.h"
#include "tests/gpu/mirrored_pair.h"

namespace talweg::gpu {
namespace {

using optimizer::Optimizer;

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
                             nullptr, on_device(device, rule.ptx));
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
                                      nullptr, on_device(0, rule.ptx));
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
                        nullptr, on_device(0, rule.ptx));
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
