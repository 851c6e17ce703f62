// Who runs the parts of a step, in which order, and in which process, changes no bit: for rules
// with reductions of every rate, and steps that wait, over tensors that are cut between parts.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "runtime/support/thread_pool.h"
#include "tests/codegen/core_run.h"
#include "tests/codegen/lined_rules.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/reducing_rules.h"

namespace talweg::tests {

namespace {

using Task = void (*)(void*, std::uint32_t);

constexpr std::uint32_t kMostParts = 16;

/// Runs parts in some order, and counts how often there was more than one.
struct Order {
  enum class Kind : std::uint8_t { Forward, Backward, Shuffled } kind = Kind::Forward;
  std::uint64_t seed = 1;
  std::uint32_t split_runs = 0;

  static void run(void* context, std::uint32_t count, Task task, void* argument) {
    auto& order = *static_cast<Order*>(context);
    if (count > 1) ++order.split_runs;
    std::vector<std::uint32_t> parts(count);
    std::iota(parts.begin(), parts.end(), 0U);
    if (order.kind == Kind::Backward) std::reverse(parts.begin(), parts.end());
    Random random(order.seed++);
    for (std::uint32_t i = count; order.kind == Kind::Shuffled && i > 1; --i)
      std::swap(parts[i - 1], parts[random.below(i)]);
    for (const std::uint32_t part : parts) task(argument, part);
  }
};

/// Runs each part in a process of its own, all at once. What they write is shared.
struct Processes {
  std::uint32_t started = 0;

  static void run(void* context, std::uint32_t count, Task task, void* argument) {
    auto& processes = *static_cast<Processes*>(context);
    std::vector<pid_t> children;
    for (std::uint32_t part = 0; part < count; ++part) {
      const pid_t child = fork();
      if (child == 0) {
        task(argument, part);
        _exit(0);
      }
      REQUIRE(child > 0);
      children.push_back(child);
      ++processes.started;
    }
    for (const pid_t child : children) {
      int status = -1;
      REQUIRE(waitpid(child, &status, 0) == child);
      REQUIRE(status == 0);
    }
  }
};

/// Elements that are reduced per tensor, group and model; to tensors and groups first, too.
constexpr const char* kElements = R"(
rule Rates {
  hyper lr = 0.1 in [0, inf)
  state m
  state tensor seen
  state tensor longest
  state group total
  state model best = inf
  step {
    let length = norm(grad) per tensor
    let most = max(abs(grad)) per group
    let inner = dot(grad, param) per tensor
    let typical = mean(length) per model
    let spread = max(sum(grad) per group) per model
    seen += if any(grad > 0.999) per tensor then 1 else 0
    longest = max(longest, length)
    total += sum(length * inner) per group
    best = min(best, spread + typical + (min(param) per model))
    m = 0.9 * m + grad / (1 + length)
    update = lr * (m * most + (norm(m) per model) * inner / (1 + (count(grad > 0) per tensor)))
  }
}
)";

struct Case {
  const char* rule;
  std::string module;
  std::vector<LinedTensor> tensors;
};

/// Small ones, empty ones, and some that are cut: chunks and row blocks of one tensor go to many
/// parts. One is absent in the second step.
std::vector<Case> cases() {
  std::vector<LinedTensor> flat =
      lined_tensors({{100'001}, {3}, {0}, {16'384 * 9 + 1}, {}, {16'384}, {40'000}});
  std::vector<LinedTensor> matrices =
      lined_tensors({{700, 211}, {3, 5}, {0, 4}, {130, 1030}, {2, 300, 67}, {20'001, 3}});
  const std::vector<LinedTensor> few =
      lined_tensors({{40'001}, {0}, {3}, {16'384}, {}, {16'384 * 2 + 1}});
  flat[6].absent_in_step = matrices[3].absent_in_step = 2;
  return {{"m.Rates", kElements, flat},
          {"m.ClipByGlobalNorm | m.Lamb", kReducingRules, flat},
          {"SAM | AdamW", "", few},
          {"LookSAM(k = 2) | AdamW", "", few},
          {"m.Upward", lined_rules("last two"), matrices},
          {"m.Chain", lined_rules("0 | rest"), matrices},
          {"m.Factored", lined_rules("two largest"), matrices},
          {"m.Every", lined_rules("last two"), matrices}};
}

template <class T>
std::vector<Outcome> history(const std::shared_ptr<driver::Program>& program, const Case& of,
                             const Schedule& schedule) {
  CoreRun<T> run(program, of.tensors, 2, schedule);
  Gradients<T> gradients(of.tensors);
  std::vector<Outcome> all;
  for (std::uint32_t step = 1; step <= 3; ++step) {
    whole_step(run, gradients, step);
    all.push_back(run.everything());
  }
  return all;
}

void require_same(const std::vector<Outcome>& expected, const std::vector<Outcome>& actual,
                  const std::string& what) {
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const std::string difference = first_difference(expected[step], actual[step]);
    if (!difference.empty()) FAIL(fmt::format("{}, step {}: {}", what, step + 1, difference));
  }
}

template <class T>
void require_any_schedule(const Case& of, types::ComputeType compute) {
  const auto program = compile_for(graph_of_rule(of.rule, of.module), compute, "host");
  const std::vector<Outcome> alone = history<T>(program, of, {});
  for (std::uint32_t parts = 1; parts <= kMostParts; ++parts) {
    const auto named = [&](const char* how) {
      return fmt::format("{}, {}, {} parts {}", of.rule, to_text(compute), parts, how);
    };
    support::ThreadPool pool(parts);
    require_same(alone, history<T>(program, of, {support::ThreadPool::function(), &pool, parts}),
                 named("on threads"));
    const Order::Kind kind = parts % 2 == 0 ? Order::Kind::Backward : Order::Kind::Shuffled;
    Order order{kind, parts};
    require_same(alone, history<T>(program, of, {Order::run, &order, parts}),
                 named(parts % 2 == 0 ? "backwards" : "in any order"));
    CHECK((order.split_runs > 0) == (parts > 1));
  }
}

}  // namespace

TEST_CASE("1 to 16 threads, and parts in any order, leave the same bits") {
  for (const Case& of : cases()) {
    require_any_schedule<float>(of, types::ComputeType::F32);
    if (of.tensors[0].shape.size() == 1) require_any_schedule<double>(of, types::ComputeType::F64);
  }
}

TEST_CASE("parts that run in processes of their own leave the same bits") {
  for (const Case& of : cases()) {
    const auto program =
        compile_for(graph_of_rule(of.rule, of.module), types::ComputeType::F32, "host");
    const std::vector<Outcome> alone = history<float>(program, of, {});
    for (const std::uint32_t parts : {2U, 3U, 7U}) {
      Processes processes;
      require_same(alone, history<float>(program, of, {Processes::run, &processes, parts}),
                   fmt::format("{}, {} processes", of.rule, parts));
      CHECK(processes.started >= 3 * parts);
    }
  }
}

}  // namespace talweg::tests
