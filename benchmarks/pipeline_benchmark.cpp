// Rules of several passes over memory, and many tensors, against AdamW's traffic twin, in one run,
// interleaved, as ratios.
//
// `vs_twin` is talweg's time over that of a kernel that only moves AdamW's 28 bytes a parameter;
// `per_byte` is the same for each byte that the plan moves (1 is the speed of memory). For a
// pipeline that others run as separate passes, `separate_vs_twin` is what tuned passes of ours
// take, one after the other, `torch_VERSION_single_vs_twin` and `..._foreach_vs_twin` what PyTorch
// takes for the same, tensor by tensor or with one call for all of them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "benchmarks/contest.h"
#include "benchmarks/measure.h"
#include "benchmarks/options.h"
#include "benchmarks/torch_peer.h"

namespace talweg::benchmarks {

namespace {

constexpr double kTwinBytes = 28;

struct Pipeline {
  const char* name;
  const char* rule;
  /// The same work as rules that run one after the other; empty: nobody does it apart.
  std::vector<const char*> separate;
  std::vector<const char*> torch;  // by the names of torch_peer.py
  /// It is for matrices, for which it moves so many bytes a parameter (`talweg plan`).
  double matrix_bytes = 0;
  bool is_one_pass = false;  // is also run on one_pass_layouts()
};

const std::vector<Pipeline>& pipelines() {
  static const std::vector<Pipeline> all = {
      {"AdamW", "AdamW", {}, {}, 0, true},
      {"clip, AdamW", "ClipByGlobalNorm | AdamW", {}, {}},
      // A norm; then a pass that scales (reads and writes one array); AdamW; an average.
      {"clip, AdamW, Ema",
       "ClipByGlobalNorm | AdamW | Ema",
       {"GradientNorm", "GradientDescent", "AdamW", "Ema"},
       {"ClipAdamWEma.single", "ClipAdamWEma.foreach"}},
      {"LAMB", "LAMB", {}, {}},
      {"norms logged", "GradientNorm | AdamW", {}, {}},
      {"cautious", "AdamW | Cautious", {}, {}},
      {"Adafactor", "Adafactor", {}, {}, 24},
  };
  return all;
}

const std::vector<Layout>& pipeline_layouts() {
  static const std::vector<Layout> all = {
      {"256K", {256 << 10}},
      {"4M", {4 << 20}},
      {"64M", {64 << 20}},
      {"1000x10K", std::vector<std::size_t>(1000, 10'000)},
      {"100000x16", std::vector<std::size_t>(100'000, 16)},
      {"4096x4096", {4096 * 4096}, 4096},
      {"100 of 1024x256", std::vector<std::size_t>(100, 1024 * 256), 256},
      {"1000 of 100x100", std::vector<std::size_t>(1000, 10'000), 100},
  };
  return all;
}

/// The ends of what one pass is for; at the large end a rule with its twin takes 6 GB.
const std::vector<Layout>& one_pass_layouts() {
  static const std::vector<Layout> all = {
      {"1K", {1 << 10}}, {"16K", {16 << 10}}, {"256M", {256 << 20}}};
  return all;
}

struct Row {
  std::string what;
  double parameters = 0, talweg = 0, twin = 0, bytes = 0;
  std::optional<double> separate;
  std::vector<std::pair<std::string, double>> torches;  // PyTorch's version and way
};
std::vector<Row> table;

/// PyTorch in its own processes, one for each way, so that both hold their tensors at once.
struct TorchRun {
  std::string name;
  std::unique_ptr<TorchPeer> peer;
};

std::vector<TorchRun> begin_torches(const Pipeline& pipeline, const Layout& layout,
                                    std::uint32_t threads) {
  std::vector<TorchRun> runs;
  for (const std::string rule : pipeline.torch)
    for (std::unique_ptr<TorchPeer>& peer : start_torches())
      if (peer->begin(rule, threads, layout.sizes))
        runs.push_back({peer->version() + " " + rule.substr(rule.find('.') + 1), std::move(peer)});
  return runs;
}

double planned_bytes(const std::string& rule) {
  const auto program = compile(rule);
  const talweg_kernels& step = program->image().step;
  double bytes = 0;
  for (std::uint32_t i = 0; i < step.phase_count; ++i)
    bytes += step.phases[i].read_bytes_per_element + step.phases[i].written_bytes_per_element;
  return bytes;
}

void run_pipeline(benchmark::State& state, const Pipeline& pipeline, const Layout& layout,
                  std::uint32_t threads, const Options& options) {
  const auto pool = std::make_shared<support::ThreadPool>(threads);
  const Memory memory(layout.total());
  TalwegRun talweg(pipeline.rule, layout, memory, pool);
  PeerRun twin{twin_of_three, nullptr, layout, memory, pool.get()};
  std::vector<std::unique_ptr<TalwegRun>> parts;
  for (const char* rule : pipeline.separate)
    parts.push_back(std::make_unique<TalwegRun>(rule, layout, memory, pool));
  const auto step_parts = [&] {
    for (const auto& part : parts) part->step();
  };
  std::vector<Subject> subjects = {
      timed([&] { talweg.step(); }), timed([&] { twin.step(); }),
      parts.empty() ? [](int) { return std::nullopt; } : timed(step_parts)};
  const std::vector<TorchRun> torches = begin_torches(pipeline, layout, threads);
  for (const TorchRun& torch : torches)
    subjects.push_back([&torch](int repeats) { return torch.peer->steps(repeats); });
  for (auto _ : state) {
    auto medians = interleaved_medians(
        subjects, {.most_rounds = options.rounds, .seconds = options.cell_seconds});
    Row row{fmt::format("{} | {} | {}", pipeline.name, layout.name, threads),
            static_cast<double>(layout.total()),
            *medians[0] * 1e9,
            *medians[1] * 1e9,
            pipeline.matrix_bytes > 0 ? pipeline.matrix_bytes : planned_bytes(pipeline.rule),
            {},
            {}};
    for (std::size_t i = 0; i < torches.size(); ++i) {
      if (!medians[3 + i]) continue;
      row.torches.emplace_back(torches[i].name, *medians[3 + i] * 1e9);
      state.counters["torch " + torches[i].name + "_vs_twin"] =
          row.torches.back().second / row.twin;
    }
    if (medians[2]) row.separate = *medians[2] * 1e9;
    state.SetIterationTime(*medians[0]);
    state.counters["vs_twin"] = row.talweg / row.twin;
    state.counters["per_byte"] = row.talweg / row.twin * kTwinBytes / row.bytes;
    if (row.separate) state.counters["separate_vs_twin"] = *row.separate / row.twin;
    table.push_back(std::move(row));
  }
}

void print_table() {
  fmt::print(
      "\n| rule | parameters | threads | twin, ns a parameter | bytes | talweg | for each byte | "
      "separate passes | PyTorch |\n|---|---|---|---|---|---|---|---|---|\n");
  for (const Row& row : table) {
    std::string torches;
    for (const auto& [name, nanoseconds] : row.torches)
      torches +=
          fmt::format("{}{}: {:.2f}", torches.empty() ? "" : ", ", name, nanoseconds / row.twin);
    fmt::print("| {} | {:.3f} | {} | {:.2f} | {:.2f} | {} | {} |\n", row.what,
               row.twin / row.parameters, row.bytes, row.talweg / row.twin,
               row.talweg / row.twin * kTwinBytes / row.bytes,
               row.separate ? fmt::format("{:.2f}", *row.separate / row.twin) : "", torches);
  }
}

}  // namespace

void run(int argc, char** argv) {
  const Options options = take_options(argc, argv);
  const auto add = [&](const Pipeline& pipeline, const Layout& layout) {
    for (const std::uint32_t threads : {1U, 2U})
      register_one(fmt::format("{}/{}/threads:{}", pipeline.name, layout.name, threads),
                   [&pipeline, &layout, threads, &options](benchmark::State& state) {
                     run_pipeline(state, pipeline, layout, threads, options);
                   });
  };
  for (const Pipeline& pipeline : pipelines()) {
    for (const Layout& layout : pipeline_layouts())
      if ((layout.columns > 0) == (pipeline.matrix_bytes > 0)) add(pipeline, layout);
    for (const Layout& layout : one_pass_layouts())
      if (pipeline.is_one_pass) add(pipeline, layout);
  }
  run_registered(options, argc, argv);
  if (options.tables && !table.empty()) print_table();
}

}  // namespace talweg::benchmarks

int main(int argc, char** argv) { talweg::benchmarks::run(argc, argv); }
