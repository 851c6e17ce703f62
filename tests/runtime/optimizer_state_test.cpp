// A saved and resumed run is the uninterrupted one, bit for bit.
#include "runtime/checkpoint/optimizer_state.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

#include "runtime/support/file_io.h"
#include "tests/runtime/lined_model.h"
#include "tests/runtime/moving_rule.h"

namespace talweg::tests {
namespace {

struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("talweg-state-" + std::to_string(::getpid()));
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path); }
};

/// Steps [begin, end); the second tensor joins at step 3, when its states begin.
template <class T>
void run_steps(optimizer::Optimizer& optimizer, const FakeModel<T>& model, int begin, int end) {
  for (int step = begin; step < end; ++step) {
    auto gradients = model.gradients();
    if (step < 3) gradients[1] = nullptr;
    REQUIRE(optimizer.step(gradients, {{{"loss", 1.0 + step}}, {}}).ok());
  }
}

}  // namespace

TEMPLATE_TEST_CASE("resumed equals uninterrupted", "", float, double) {
  using T = TestType;
  const std::vector<std::size_t> sizes{100, 20000, 0, 3};
  const std::vector<std::uint32_t> groups{0, 1, 1, 0};
  FakeRule<T> rule;
  FakeModel<T> whole(sizes);
  auto uninterrupted = make_optimizer(rule, whole, groups, 2);
  run_steps(uninterrupted, whole, 1, 8);

  for (int stop = 0; stop < 7; ++stop) {
    TemporaryFile file;
    FakeModel<T> model(sizes);
    auto first = make_optimizer(rule, model, groups, 2);
    run_steps(first, model, 1, 1 + stop);
    REQUIRE(checkpoint::save_optimizer(file.path, first, {{"seed", "7"}}).ok());
    auto second = make_optimizer(rule, model, groups, 2);
    REQUIRE(checkpoint::load_optimizer(file.path, second).ok());
    CHECK(second.steps_completed() == static_cast<std::uint64_t>(stop));
    CHECK(snapshot(second, model) == snapshot(first, model));
    run_steps(second, model, 1 + stop, 8);
    CHECK(snapshot(second, model) == snapshot(uninterrupted, whole));
    const auto read = checkpoint::Safetensors::read(file.path);
    CHECK(read->metadata().at("rule") == "Fake");
    CHECK(read->metadata().at("seed") == "7");
  }
}

TEMPLATE_TEST_CASE("a run with states of lines resumes, too", "", float, double) {
  using T = TestType;
  LinedRule<T> rule;
  LinedModel<T> whole;
  const auto run = [](optimizer::Optimizer& optimizer, const LinedModel<T>& model, int begin,
                      int end) {
    for (int step = begin; step < end; ++step) {
      auto gradients = model.gradients();
      if (step < 2) gradients[4] = gradients[5] = nullptr;
      REQUIRE(optimizer.step(gradients).ok());
    }
  };
  auto uninterrupted = make_lined(rule, whole);
  run(uninterrupted, whole, 0, 4);
  for (int stop = 0; stop < 4; ++stop) {
    TemporaryFile file;
    LinedModel<T> model;
    auto first = make_lined(rule, model);
    run(first, model, 0, stop);
    REQUIRE(checkpoint::save_optimizer(file.path, first, {}).ok());
    auto second = make_lined(rule, model);
    REQUIRE(checkpoint::load_optimizer(file.path, second).ok());
    CHECK((snapshot<T>(second, model) == snapshot<T>(first, model)));
    run(second, model, stop, 4);
    CHECK((snapshot<T>(second, model) == snapshot<T>(uninterrupted, whole)));
  }
}

TEST_CASE("persistent data is one named, typed list") {
  FakeRule<float> rule;
  FakeModel<float> model({2, 0});
  auto optimizer = make_optimizer(rule, model, {0, 1}, 2);
  std::vector<std::string> names;
  for (const auto& entry : optimizer.persistent()) {
    names.push_back(entry.name);
    CHECK((entry.data == nullptr) == (!entry.shape.empty() && entry.shape[0] == 0));
  }
  CHECK(names == std::vector<std::string>{"t", "calls", "m/w0", "m/w1", "start/w0", "start/w1",
                                          "floor/w0", "floor/w1", "one/w0", "one/w1", "total",
                                          "mu@0", "mu@1", "@begun/start/w0", "@begun/start/w1",
                                          "@begun/floor/w0", "@begun/floor/w1", "@begun/mu"});
}

TEST_CASE("a rule whose states start from constants keeps nothing about beginnings") {
  FakeRule<float> rule;
  rule.states[kStart].initial = TALWEG_INITIAL_ZERO;
  rule.states[kFloor].initial = TALWEG_INITIAL_CONSTANT;
  rule.states[kMu].initial = TALWEG_INITIAL_CONSTANT;
  FakeModel<float> model({2});
  auto optimizer = make_optimizer(rule, model);
  for (const auto& entry : optimizer.persistent())
    CHECK(entry.name.find("@begun") == std::string::npos);
}

TEST_CASE("a file that does not fit changes nothing") {
  TemporaryFile file;
  FakeRule<float> rule;
  FakeModel<float> model({3, 3});
  auto saved = make_optimizer(rule, model);
  run_steps(saved, model, 1, 4);
  REQUIRE(checkpoint::save_optimizer(file.path, saved).ok());

  const auto refuse = [&](optimizer::Optimizer& optimizer, const FakeModel<float>& its_model,
                          const std::string& words) {
    const std::string before = snapshot(optimizer, its_model);
    const auto status = checkpoint::load_optimizer(file.path, optimizer);
    REQUIRE_FALSE(status.ok());
    INFO(status.failure().message);
    CHECK(status.failure().kind == support::FailureKind::Io);
    CHECK(status.failure().message.find(words) != std::string::npos);
    CHECK(snapshot(optimizer, its_model) == before);
  };
  FakeModel<float> larger({3, 4});
  auto other_shape = make_optimizer(rule, larger);
  refuse(other_shape, larger, "`m/w1` is F32 [3], not F32 [4]");
  FakeModel<float> more({3, 3, 3});
  auto other_count = make_optimizer(rule, more);
  refuse(other_count, more,
         "missing (6): `m/w2`, `start/w2`, `floor/w2`, `one/w2`, `@begun/start/w2`");
  FakeModel<float> fewer({3});
  auto fewer_tensors = make_optimizer(rule, fewer);
  refuse(fewer_tensors, fewer, "unexpected (6): `@begun/floor/w1`, `@begun/start/w1`");

  // The right tensors, but a count that no run can have.
  auto twin = make_optimizer(rule, model);
  for (const double count : {-1.0, 0.5, 1e300, std::nan("")}) {
    for (auto& entry : saved.persistent())
      if (entry.name == "t") *static_cast<double*>(entry.data) = count;
    REQUIRE(checkpoint::save_optimizer(file.path, saved).ok());
    refuse(twin, model, "has a value of `t` that cannot be");
  }
  for (auto& entry : saved.persistent()) {
    if (entry.name == "t") *static_cast<double*>(entry.data) = 3;
    if (entry.name == "@begun/mu") *static_cast<double*>(entry.data) = 0.5;
  }
  REQUIRE(checkpoint::save_optimizer(file.path, saved).ok());
  refuse(twin, model, "has a value of `@begun/mu` that cannot be");
  REQUIRE(support::write_file_atomically(file.path, "not a checkpoint").ok());
  refuse(twin, model, "is not a safetensors file");
}

TEST_CASE("an optimizer is neither saved nor loaded while a view is swapped in") {
  const TemporaryFile file;
  FakeRule<float> rule;
  const auto same = [](void*, const talweg_pass_args*, std::uint32_t, std::uint32_t) {};
  const talweg_phase phase{nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                           nullptr, same,    0,       0,       0};
  talweg_view_info view{};
  view.name = "same";
  view.kernels.phases = &phase;
  view.kernels.phase_count = 1;
  view.kernels.origin_stream = UINT32_MAX;
  rule.image.views = &view;
  rule.image.view_count = 1;
  FakeModel<float> model({3});
  auto optimizer = make_optimizer(rule, model);
  REQUIRE(checkpoint::save_optimizer(file.path, optimizer).ok());
  REQUIRE(optimizer.swap_in("same"));
  const auto message = [](const auto& status) {
    return status ? "no failure" : status.failure().message;
  };
  const std::string words =
      "view `same` is swapped in for the parameters: swap it out before its optimizer is ";
  CHECK(message(checkpoint::save_optimizer(file.path, optimizer)) == words + "saved");
  CHECK(message(checkpoint::load_optimizer(file.path, optimizer)) == words + "loaded");
  REQUIRE(optimizer.swap_out());
  CHECK(checkpoint::load_optimizer(file.path, optimizer).ok());
}

TEST_CASE("an optimizer is neither saved nor loaded while a step waits") {
  const TemporaryFile file;
  MovingRule rule;
  FakeModel<double> model({3});
  auto optimizer = make_moving(rule, model);
  REQUIRE(checkpoint::save_optimizer(file.path, optimizer).ok());
  REQUIRE(*optimizer.step(model.gradients()) == optimizer::StepOutcome::Regrad);
  const auto message = [](const auto& status) {
    return status ? "no failure" : status.failure().message;
  };
  const std::string words =
      "a step of rule `Moving` waits for another gradient: give it that, or abandon it, before its "
      "optimizer is ";
  CHECK(message(checkpoint::save_optimizer(file.path, optimizer)) == words + "saved");
  CHECK(message(checkpoint::load_optimizer(file.path, optimizer)) == words + "loaded");
  CHECK(optimizer.is_waiting());
  optimizer.abandon();
  CHECK(checkpoint::load_optimizer(file.path, optimizer).ok());
}

}  // namespace talweg::tests
