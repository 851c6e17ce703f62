// Optimizer steps against the traffic twin and a plain C++ loop, in one run, interleaved, as
// ratios.
//
// Read the counters: `vs_twin` is talweg's time over the twin's (1 is the speed of memory),
// `plain_vs_twin` the plain loop's. Absolute times hold on this machine only.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "benchmarks/measure.h"
#include "benchmarks/peers.h"
#include "compiler/driver/compile.h"
#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/thread_pool.h"

namespace talweg::benchmarks {

namespace {

struct Case {
  const char* name;
  const char* rule;
  Kernel twin, plain;
};

constexpr Case kCases[] = {
    {"AdamW", "AdamW", adamw_twin, adamw_plain},
    {"SgdMomentum", "SGD(lr = 1e-3, momentum = 0.9)", momentum_twin, momentum_plain},
    {"Sgd", "SGD(lr = 1e-3)", sgd_twin, sgd_plain},
};

/// Tensors of a model: `count` of `elements` each.
struct Layout {
  std::size_t count, elements;
  [[nodiscard]] std::size_t total() const { return count * elements; }
};

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "benchmark: {}\n", why);
  std::exit(1);
}

std::shared_ptr<driver::Program> compile(const std::string& rule) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules({{}, driver::find_stdlib()}, sources, diagnostics);
  auto front_end = driver::analyze_rule(modules, sources, diagnostics, rule);
  if (!front_end) give_up("the rule '" + rule + "' does not compile");
  auto program = driver::compile(front_end->graph, {});
  if (!program) give_up(program.failure().message);
  return *program;
}

/// One contestant's own arrays: parameters, gradients and two states for every tensor.
struct Memory {
  explicit Memory(const Layout& layout)
      : p(layout.total(), 0.5F),
        g(layout.total(), 1e-2F),
        m(layout.total()),
        v(layout.total(), 1e-4F) {}
  std::vector<float> p, g, m, v;
};

/// A peer kernel over all tensors, split between threads as talweg splits its chunks.
struct PeerRun {
  Kernel kernel;
  Layout layout;
  Memory memory;
  support::ThreadPool* pool;
  double t = 0;

  void step() {
    t += 1;
    const auto part = [](void* self, std::uint32_t index) {
      auto& run = *static_cast<PeerRun*>(self);
      const std::size_t parts = run.pool->threads(), total = run.layout.total(),
                        each = run.layout.elements;
      std::size_t at = total * index / parts;
      const std::size_t end = total * (index + 1) / parts;
      while (at < end) {
        const std::size_t tensor = at / each, offset = tensor * each;
        const std::size_t stop = std::min(end, offset + each);
        const Arrays arrays{run.memory.p.data() + offset, run.memory.g.data() + offset,
                            run.memory.m.data() + offset, run.memory.v.data() + offset};
        run.kernel(arrays, at - offset, stop - offset, run.t);
        at = stop;
      }
    };
    constexpr std::size_t kWorthWaking = 16384;
    if (layout.total() < kWorthWaking || pool->threads() == 1)
      for (std::uint32_t i = 0; i < pool->threads(); ++i) part(this, i);
    else
      pool->run(pool->threads(), part, this);
  }
};

struct TalwegRun {
  Memory memory;
  optimizer::Optimizer optimizer;
  std::vector<const void*> gradients;

  static TalwegRun make(const std::shared_ptr<driver::Program>& program, const Layout& layout,
                        const std::shared_ptr<support::ThreadPool>& pool) {
    Memory memory(layout);
    memory.m = {};
    memory.v = {};
    std::vector<optimizer::Tensor> tensors;
    std::vector<const void*> gradients;
    for (std::size_t i = 0; i < layout.count; ++i) {
      tensors.push_back(
          {fmt::format("t{}", i), {layout.elements}, memory.p.data() + i * layout.elements, 0, {}});
      gradients.push_back(memory.g.data() + i * layout.elements);
    }
    auto made =
        optimizer::Optimizer::create(program->image(), program, std::move(tensors), 1, pool);
    if (!made) give_up(made.failure().message);
    return {std::move(memory), std::move(*made), std::move(gradients)};
  }

  void step() {
    if (auto stepped = optimizer.step(gradients); !stepped) give_up(stepped.failure().message);
  }
};

void run_case(benchmark::State& state, const Case& contest, const Layout& layout,
              std::uint32_t threads) {
  auto pool = std::make_shared<support::ThreadPool>(threads);
  TalwegRun talweg = TalwegRun::make(compile(contest.rule), layout, pool);
  PeerRun twin{contest.twin, layout, Memory(layout), pool.get()};
  PeerRun plain{contest.plain, layout, Memory(layout), pool.get()};
  constexpr int kRounds = 15;
  constexpr double kBlockSeconds = 2e-3;
  for (auto _ : state) {
    const auto medians =
        interleaved_medians({[&] { talweg.step(); }, [&] { twin.step(); }, [&] { plain.step(); }},
                            kRounds, kBlockSeconds);
    state.SetIterationTime(medians[0]);
    const double elements = static_cast<double>(layout.total());
    state.counters["ns_per_param"] = medians[0] / elements * 1e9;
    state.counters["vs_twin"] = medians[0] / medians[1];
    state.counters["plain_vs_twin"] = medians[2] / medians[1];
    state.counters["vs_plain"] = medians[0] / medians[2];
  }
}

void register_all() {
  const std::pair<const char*, Layout> layouts[] = {
      {"1K", {1, 1024}},    {"16K", {1, 16 * 1024}}, {"256K", {1, 256 * 1024}},
      {"4M", {1, 4 << 20}}, {"64M", {1, 64 << 20}},  {"1000x10K", {1000, 10'000}},
  };
  for (const Case& contest : kCases)
    for (const auto& [label, layout] : layouts)
      for (const std::uint32_t threads : {1U, 2U}) {
        const std::string name = fmt::format("{}/{}/threads:{}", contest.name, label, threads);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&contest, layout = layout, threads](benchmark::State& state) {
                                       run_case(state, contest, layout, threads);
                                     })
            ->Iterations(1)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
}

}  // namespace

}  // namespace talweg::benchmarks

int main(int argc, char** argv) {
  talweg::benchmarks::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
