// Optimizer steps against the traffic twin, a hand-written kernel, a plain C++ loop and PyTorch, in
// one run, interleaved, as ratios.
//
// Read the counters: `vs_twin` is talweg's time over the twin's (1 is the speed of memory),
// `hand_vs_twin`, `plain_vs_twin` and `torch_VERSION_vs_twin` those of the peers that are there.
// Absolute times hold on this machine only. A table of all ratios follows the last benchmark.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "benchmarks/agree.h"
#include "benchmarks/contest.h"
#include "benchmarks/hand_kernels.h"
#include "benchmarks/measure.h"
#include "benchmarks/options.h"
#include "benchmarks/torch_peer.h"

namespace talweg::benchmarks {

namespace {

/// One line of the table: nanoseconds of a step.
struct Row {
  std::string what;
  double parameters = 0;
  double talweg = 0, twin = 0, plain = 0;
  std::optional<double> hand;
  std::vector<std::optional<double>> torches;
};
std::vector<Row> table;

void set_counters(benchmark::State& state, const Row& row, const Torches& torches) {
  state.SetIterationTime(row.talweg * 1e-9);
  state.counters["ns_per_param"] = row.talweg / row.parameters;
  state.counters["vs_twin"] = row.talweg / row.twin;
  state.counters["plain_vs_twin"] = row.plain / row.twin;
  if (row.hand) state.counters["hand_vs_twin"] = *row.hand / row.twin;
  for (std::size_t i = 0; i < torches.size(); ++i)
    if (row.torches[i])
      state.counters["torch_" + torches[i]->version() + "_vs_twin"] = *row.torches[i] / row.twin;
}

void run_case(benchmark::State& state, const Case& contest, const Layout& layout,
              std::uint32_t threads, const Options& options, const Torches& torches) {
  const auto pool = std::make_shared<support::ThreadPool>(threads);
  const Memory memory(layout.total());
  TalwegRun talweg(contest.rule, layout, memory, pool);
  const Kernel hand_written = hand_kernel(contest.name);
  PeerRun twin{contest.twin, nullptr, layout, memory, pool.get()};
  PeerRun hand{hand_written, contest.prepare, layout, memory, pool.get()};
  PeerRun plain{contest.plain, contest.prepare, layout, memory, pool.get()};
  std::vector<Subject> subjects = {
      timed([&] { talweg.step(); }), timed([&] { twin.step(); }), timed([&] { plain.step(); }),
      hand_written != nullptr ? timed([&] { hand.step(); }) : [](int) { return std::nullopt; }};
  for (const auto& torch : torches) {
    torch->begin(contest.name, threads, layout.sizes);
    subjects.push_back([&torch](int repeats) { return torch->steps(repeats); });
  }
  for (auto _ : state) {
    auto medians = interleaved_medians(
        subjects, {.most_rounds = options.rounds, .seconds = options.cell_seconds});
    for (auto& seconds : medians)
      if (seconds) *seconds *= 1e9;
    Row row{fmt::format("{} | {} | {}", contest.name, layout.name, threads),
            static_cast<double>(layout.total()),
            *medians[0],
            *medians[1],
            *medians[2],
            medians[3],
            {medians.begin() + 4, medians.end()}};
    set_counters(state, row, torches);
    table.push_back(std::move(row));
  }
  for (const auto& torch : torches) torch->end();
}

std::string ratio_text(double ratio) {
  if (ratio < 10) return fmt::format("{:.2f}", ratio);
  return ratio < 100 ? fmt::format("{:.1f}", ratio) : fmt::format("{:.0f}", ratio);
}

void print_table(const Torches& torches) {
  if (table.empty()) return;
  fmt::print(
      "\n| rule | parameters | threads | twin, ns a parameter | talweg | hand | plain loop |");
  for (const auto& torch : torches) fmt::print(" PyTorch {} |", torch->version());
  fmt::print("\n|---|---|---|---|---|---|---|");
  for (std::size_t i = 0; i < torches.size(); ++i) fmt::print("---|");
  fmt::print("\n");
  for (const Row& row : table) {
    const auto print_ratio = [&](const std::optional<double>& time) {
      fmt::print(" {} |", time ? ratio_text(*time / row.twin) : "");
    };
    fmt::print("| {} | {:.3f} |", row.what, row.twin / row.parameters);
    print_ratio(row.talweg);
    print_ratio(row.hand);
    print_ratio(row.plain);
    for (const auto& time : row.torches) print_ratio(time);
    fmt::print("\n");
  }
}

// ---- What a call costs ----

struct CallCase {
  const char* name;
  const char* rule;
  const char* hand;  // the kernel's rule
  Prepare prepare;
};
constexpr CallCase kCallCases[] = {
    {"SGD", "SGD", "Sgd", nullptr},
    {"SGD with momentum", "SGD(momentum = 0.9)", "SgdMomentum", nullptr},
    {"AdamW without bias correction", "AdamW(bias_correction = false)", "AdamW", nullptr},
    {"AdamW", "AdamW", "AdamW", prepare_adam},
};

struct CallRow {
  std::string name;
  std::vector<double> talweg;  // 16 elements, 1K
  std::vector<std::optional<double>> hand;
};
std::vector<CallRow> call_table;

void run_call(benchmark::State& state, const CallCase& call, const Options& options) {
  const auto pool = std::make_shared<support::ThreadPool>(1);
  for (auto _ : state) {
    CallRow row{call.name, {}, {}};
    for (const std::size_t elements : {16, 1024}) {
      const Layout layout{"call", {elements}};
      const Memory memory(elements);
      TalwegRun talweg(call.rule, layout, memory, pool);
      const Kernel kernel = hand_kernel(call.hand);
      PeerRun hand{kernel, call.prepare, layout, memory, pool.get()};
      auto medians = interleaved_medians(
          {timed([&] { talweg.step(); }),
           kernel != nullptr ? timed([&] { hand.step(); }) : [](int) { return std::nullopt; }},
          {.most_rounds = options.rounds, .seconds = options.cell_seconds});
      for (auto& seconds : medians)
        if (seconds) *seconds *= 1e9;
      row.talweg.push_back(*medians[0]);
      row.hand.push_back(medians[1]);
      state.counters[fmt::format("talweg_{}_ns", elements)] = *medians[0];
      if (medians[1]) state.counters[fmt::format("hand_{}_ns", elements)] = *medians[1];
    }
    state.SetIterationTime(row.talweg[0] * 1e-9);
    call_table.push_back(std::move(row));
  }
}

void print_call_table() {
  if (call_table.empty()) return;
  fmt::print("\n| a call, ns | 16 parameters | hand | 1K | hand |\n|---|---|---|---|---|\n");
  for (const CallRow& row : call_table) {
    fmt::print("| {} |", row.name);
    for (std::size_t i = 0; i < row.talweg.size(); ++i)
      fmt::print(" {:.0f} | {} |", row.talweg[i],
                 row.hand[i] ? fmt::format("{:.0f}", *row.hand[i]) : "");
    fmt::print("\n");
  }
}

void register_all(const Options& options, const Torches& torches) {
  for (const Case& contest : cases())
    for (const Layout& layout : layouts())
      for (const std::uint32_t threads : {1U, 2U})
        register_one(fmt::format("{}/{}/threads:{}", contest.name, layout.name, threads),
                     [&contest, &layout, threads, &options, &torches](benchmark::State& state) {
                       run_case(state, contest, layout, threads, options, torches);
                     });
  for (const CallCase& call : kCallCases)
    register_one(fmt::format("call/{}", call.rule),
                 [&](benchmark::State& state) { run_call(state, call, options); });
}

}  // namespace

void run(int argc, char** argv) {
  const Options options = take_options(argc, argv);
  const Torches torches = start_torches();
  for (const Case& contest : cases()) check_agreement(contest, torches);
  if (options.check) return;
  register_all(options, torches);
  run_registered(options, argc, argv);
  if (!options.tables) return;
  print_table(torches);
  print_call_table();
}

}  // namespace talweg::benchmarks

int main(int argc, char** argv) { talweg::benchmarks::run(argc, argv); }
