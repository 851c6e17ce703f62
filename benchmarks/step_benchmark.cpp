// Optimizer steps against the traffic twin, a plain C++ loop and PyTorch, in one run, interleaved,
// as ratios.
//
// Read the counters: `vs_twin` is talweg's time over the twin's (1 is the speed of memory),
// `plain_vs_twin` the plain loop's, `torch_vs_twin` PyTorch's where it is there. Absolute times
// hold on this machine only. A table of all ratios follows the last benchmark.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <vector>

#include "benchmarks/measure.h"
#include "benchmarks/peers.h"
#include "benchmarks/torch_peer.h"
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
    {"AdamW", "AdamW", twin_of_three, adamw_plain},
    {"Adam", "Adam", twin_of_three, adam_plain},
    {"RAdam", "RAdam", twin_of_three, radam_plain},
    {"RMSprop", "RMSprop", twin_of_two, rmsprop_plain},
    {"Lion", "Lion", twin_of_two, lion_plain},
    {"SgdMomentum", "SGD(lr = 1e-3, momentum = 0.9)", twin_of_two, momentum_plain},
    {"Sgd", "SGD(lr = 1e-3)", twin_of_one, sgd_plain},
};

/// The elements of each tensor of a model.
struct Layout {
  const char* name;
  std::vector<std::size_t> sizes;
  [[nodiscard]] std::size_t total() const {
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  }
};

/// GPT-2 small, 148 tensors of 124 million parameters (Radford et al. 2019).
std::vector<std::size_t> gpt2_small() {
  constexpr std::size_t kWidth = 768, kWords = 50257, kPositions = 1024, kLayers = 12;
  std::vector<std::size_t> sizes = {kWords * kWidth, kPositions * kWidth};
  for (std::size_t layer = 0; layer < kLayers; ++layer)
    for (const std::size_t size :
         {kWidth, kWidth, 3 * kWidth * kWidth, 3 * kWidth, kWidth * kWidth, kWidth, kWidth, kWidth,
          4 * kWidth * kWidth, 4 * kWidth, 4 * kWidth * kWidth, kWidth})
      sizes.push_back(size);
  sizes.insert(sizes.end(), {kWidth, kWidth});
  return sizes;
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"1K", {1024}},          {"16K", {16 * 1024}},
      {"256K", {256 * 1024}},  {"4M", {4 << 20}},
      {"64M", {64 << 20}},     {"1000x10K", std::vector<std::size_t>(1000, 10'000)},
      {"GPT-2", gpt2_small()},
  };
  return all;
}

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
  const Layout& layout;
  Memory memory;
  support::ThreadPool* pool;
  double t = 0;

  /// Elements [begin, end) of all tensors laid end to end.
  void run(std::size_t begin, std::size_t end) {
    std::size_t offset = 0;
    for (const std::size_t size : layout.sizes) {
      const std::size_t first = std::max(begin, offset), last = std::min(end, offset + size);
      const Arrays arrays{memory.p.data() + offset, memory.g.data() + offset,
                          memory.m.data() + offset, memory.v.data() + offset};
      if (first < last) kernel(arrays, first - offset, last - offset, t);
      offset += size;
    }
  }

  void step() {
    t += 1;
    const auto part = [](void* self, std::uint32_t index) {
      auto& peer = *static_cast<PeerRun*>(self);
      const std::size_t parts = peer.pool->threads(), total = peer.layout.total();
      peer.run(total * index / parts, total * (index + 1) / parts);
    };
    constexpr std::size_t kWorthWaking = 16384;
    if (layout.total() < kWorthWaking || pool->threads() == 1)
      run(0, layout.total());
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
    std::size_t offset = 0;
    for (const std::size_t size : layout.sizes) {
      tensors.push_back(
          {fmt::format("t{}", tensors.size()), {size}, memory.p.data() + offset, 0, {}});
      gradients.push_back(memory.g.data() + offset);
      offset += size;
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

/// One line of the table: times over the twin's.
struct Ratios {
  std::string what;
  double nanoseconds = 0;  // a parameter
  double talweg = 0, plain = 0;
  std::optional<double> torch;
};
std::vector<Ratios> table;
std::string torch_version;

void run_case(benchmark::State& state, const Case& contest, const Layout& layout,
              std::uint32_t threads) {
  auto pool = std::make_shared<support::ThreadPool>(threads);
  TalwegRun talweg = TalwegRun::make(compile(contest.rule), layout, pool);
  PeerRun twin{contest.twin, layout, Memory(layout), pool.get()};
  PeerRun plain{contest.plain, layout, Memory(layout), pool.get()};
  const auto torch = TorchPeer::start(contest.name, threads, layout.sizes);
  if (torch) torch_version = torch->kind().substr(0, torch->kind().find(' '));
  constexpr int kRounds = 15;
  constexpr double kBlockSeconds = 2e-3;
  for (auto _ : state) {
    const auto medians = interleaved_medians(
        {timed([&] { talweg.step(); }), timed([&] { twin.step(); }), timed([&] { plain.step(); }),
         [&](int repeats) { return torch ? torch->steps(repeats) : std::nullopt; }},
        kRounds, kBlockSeconds);
    const double ours = *medians[0], twins = *medians[1], plains = *medians[2];
    state.SetIterationTime(ours);
    Ratios ratios{fmt::format("{} {} {}", contest.name, layout.name, threads),
                  ours / static_cast<double>(layout.total()) * 1e9, ours / twins, plains / twins,
                  std::nullopt};
    if (medians[3]) ratios.torch = *medians[3] / twins;
    state.counters["ns_per_param"] = ratios.nanoseconds;
    state.counters["vs_twin"] = ratios.talweg;
    state.counters["plain_vs_twin"] = ratios.plain;
    if (ratios.torch) state.counters["torch_vs_twin"] = *ratios.torch;
    state.counters["vs_plain"] = ours / plains;
    table.push_back(std::move(ratios));
  }
}

void register_all() {
  for (const Case& contest : kCases)
    for (const Layout& layout : layouts())
      for (const std::uint32_t threads : {1U, 2U})
        benchmark::RegisterBenchmark(
            fmt::format("{}/{}/threads:{}", contest.name, layout.name, threads).c_str(),
            [&contest, &layout, threads](benchmark::State& state) {
              run_case(state, contest, layout, threads);
            })
            ->Iterations(1)
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
}

void print_table() {
  if (table.empty()) return;
  fmt::print(
      "\n| rule, parameters, threads | ns a parameter | talweg | plain loop | PyTorch{}{} |\n",
      torch_version.empty() ? "" : " ", torch_version);
  fmt::print("|---|---|---|---|---|\n");
  for (const Ratios& row : table)
    fmt::print("| {} | {:.3f} | {:.2f} | {:.2f} | {} |\n", row.what, row.nanoseconds, row.talweg,
               row.plain, row.torch ? fmt::format("{:.2f}", *row.torch) : "");
  fmt::print("\nRatios are medians over the traffic twin in the same run.\n");
}

}  // namespace

void run(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) std::exit(2);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  print_table();
}

}  // namespace talweg::benchmarks

int main(int argc, char** argv) { talweg::benchmarks::run(argc, argv); }
