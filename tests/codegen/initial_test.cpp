// Initial values computed from `param`: every target and any number of threads makes the
// interpreter's bits, for each tensor when its states begin, and from what `param` was then.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

constexpr const char* kRules = R"(
rule Starts {
  hyper gain = 0.5 in (0, 1]
  hyper bool copies = false
  input model loss
  state plain = param
  state slow = gain * param + 1 / 3
  state root = sqrt(abs(param)) / gain
  state tiny = 1e-30 * param
  state choice = if copies then param else gain^2
  state same = if gain > 0 then param else param
  state late = 2 * param
  step {
    late += 1
    skip if loss > 5
    plain += 0
    slow = slow + grad
    root += grad
    choice += 0
    same += 0
    param -= 0.25 * slow + 0 * (root + tiny + choice + late)
  }
  view shifted = slow + late
}
)";

template <class T>
struct Run {
  std::vector<std::vector<T>> params, grads;
  optimizer::Optimizer optimizer;

  static Run make(const ir::Graph& graph, const std::string& isa, std::uint32_t threads,
                  const std::vector<std::size_t>& sizes) {
    constexpr auto kCompute = sizeof(T) == 4 ? ComputeType::F32 : ComputeType::F64;
    const auto program =
        isa.empty() ? driver::make_interpreter(graph, kCompute) : compile_for(graph, kCompute, isa);
    std::vector<std::vector<T>> params, grads;
    std::vector<optimizer::Tensor> tensors;
    Random random(7);
    for (const std::size_t size : sizes)
      for (auto* list : {&params, &grads})
        for (T& value : list->emplace_back(size))
          value = static_cast<T>(random.array_number(kCompute));
    for (std::size_t i = 0; i < sizes.size(); ++i)
      tensors.push_back({"w" + std::to_string(i),
                         {sizes[i]},
                         params[i].data(),
                         static_cast<std::uint32_t>(i % 2),
                         {}});
    auto optimizer = make_optimizer(program->image(), std::move(tensors), 2, threads, program);
    return {std::move(params), std::move(grads), std::move(optimizer)};
  }

  /// The tensor `absent` has no gradient.
  void step(double loss, std::size_t absent) {
    std::vector<const void*> pointers;
    for (const auto& grad : grads) pointers.push_back(grad.data());
    pointers[absent] = nullptr;
    const auto stepped = optimizer.step(pointers, {.model = {{"loss", loss}}, .element = {}});
    if (!stepped) FAIL(stepped.failure().message);
  }

  /// The parameters, every state of every tensor, and the view, in order.
  std::vector<T> everything() {
    std::vector<T> all;
    auto views = params;
    std::vector<void*> outs;
    for (std::size_t i = 0; i < params.size(); ++i) {
      all.insert(all.end(), params[i].begin(), params[i].end());
      for (const char* name : {"plain", "slow", "root", "tiny", "choice", "same", "late"}) {
        const auto state = optimizer.state(name, static_cast<std::uint32_t>(i));
        const auto* start = state ? static_cast<const T*>(*state) : nullptr;
        REQUIRE((start != nullptr || params[i].empty()));
        all.insert(all.end(), start, start + params[i].size());
      }
      outs.push_back(views[i].data());
    }
    const auto status = optimizer.read_view("shifted", outs);
    if (!status) FAIL(status.failure().message);
    for (const auto& view : views) all.insert(all.end(), view.begin(), view.end());
    return all;
  }
};

/// Any NaN is like another.
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] != a[i] && b[i] != b[i]) && std::memcmp(&a[i], &b[i], sizeof(T)) != 0) return false;
  return true;
}

/// After a view read before any step, a skipped call, and steps in which tensors have no gradient.
template <class T>
std::vector<std::vector<T>> history(const ir::Graph& graph, const std::string& isa,
                                    std::uint32_t threads) {
  auto run = Run<T>::make(graph, isa, threads, {3, 40'000, 0, 16'391});
  std::vector<std::vector<T>> all{run.everything()};
  for (auto [loss, absent] : {std::pair{9.0, 0}, {1.0, 1}, {9.0, 2}, {1.0, 3}, {1.0, 2}}) {
    run.step(loss, static_cast<std::size_t>(absent));
    REQUIRE(run.optimizer.set_hyper("gain", 0.75));
    all.push_back(run.everything());
  }
  return all;
}

template <class T>
void check_targets(const std::string& rule) {
  const ir::Graph graph = graph_of_rule(rule, kRules);
  const auto expected = history<T>(graph, {}, 1);
  for (const std::string& isa : isas_here())
    for (const std::uint32_t threads : {1, 3}) {
      const auto actual = history<T>(graph, isa, threads);
      for (std::size_t call = 0; call < expected.size(); ++call) {
        INFO(rule << " on " << isa << ", " << threads << " threads, after call " << call);
        REQUIRE(same(actual[call], expected[call]));
      }
    }
}

}  // namespace

TEST_CASE("initial values computed from param have the same bits on every target") {
  check_targets<float>("m.Starts");
  check_targets<double>("m.Starts");
}

TEST_CASE("an initial value is one expression of hypers and param, rounded and flushed") {
  const ir::Graph graph = graph_of_rule("m.Starts", kRules);
  for (const std::string& isa : {std::string(), isas_here().back()}) {
    auto run = Run<float>::make(graph, isa, 1, {3});
    run.params[0] = {4, -1e-10F, 9};
    run.grads[0] = {0, 0, 0};
    const void* const gradients[] = {run.grads[0].data()};
    REQUIRE(run.optimizer.set_hyper("gain", 0.25));
    REQUIRE(run.optimizer.step(gradients, {.model = {{"loss", 0}}, .element = {}}));
    const auto state = [&](const char* name) {
      const auto* start = static_cast<const float*>(*run.optimizer.state(name, 0));
      return std::vector<float>{start, start + 3};
    };
    const float third = static_cast<float>(1.0 / 3);
    CHECK(state("plain") == std::vector<float>{4, -1e-10F, 9});
    CHECK(state("slow") == std::vector<float>{1 + third, third, 9 * 0.25F + third});
    CHECK(state("tiny")[1] == 0);
    CHECK(std::signbit(state("tiny")[1]));
    CHECK(state("tiny")[2] == 1e-30F * 9);
    CHECK(state("choice") == std::vector<float>{0.0625F, 0.0625F, 0.0625F});
    CHECK(state("late") == std::vector<float>{9, 1, 19});
  }
}

}  // namespace talweg::tests
