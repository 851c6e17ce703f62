// How long a rule takes from its text to kernels that can be called, and where the time goes.
//
// Everything is measured in fresh processes, as a command sees it: `cold` without the disk cache,
// `cached` with the object of an earlier process, `again` a second compilation in a process that
// has compiled before. Then a whole `talweg train` of one step.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "benchmarks/child.h"
#include "benchmarks/compile_stages.h"
#include "benchmarks/measure.h"
#include "benchmarks/options.h"

namespace talweg::benchmarks {

namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* rule;
};

constexpr Case kCases[] = {
    {"Sgd", "SGD"},
    {"AdamW", "AdamW"},
    // The largest of some fifteen pipelines that were tried, by instructions.
    {"Largest",
     "ZeroNans | ClipValue | L2Decay(0.01) | Grokfast | ScheduleFreeRAdam(lr = "
     "cosine_restarts(t, peak = 1e-3, first = 100)) | Lookahead | Ema | ReduceOnPlateau"},
};
Options options;

fs::path own_path() { return fs::read_symlink("/proc/self/exe"); }

/// Values by name, as children print them.
using Values = std::map<std::string, std::vector<double>>;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "benchmark: {}\n", why);
  std::exit(1);
}

ChildRun run_or_give_up(const std::vector<std::string>& words) {
  auto run = run_child(words);
  if (!run) give_up("this failed: " + fmt::format("{}", fmt::join(words, " ")));
  return std::move(*run);
}

/// A folder of its own for the length of a measurement.
class CacheFolder {
 public:
  CacheFolder() {
    std::string name = (fs::temp_directory_path() / "talweg-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) give_up("no temporary folder can be made");
    path_ = name;
  }
  ~CacheFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void add_lines(const std::string& prefix, const std::string& output, Values& values) {
  std::istringstream lines(output);
  std::string name;
  for (double value = 0; lines >> name >> value;) values[prefix + name].push_back(value);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// All rounds of a case, cold, cached and by stage in turn.
Values measure(const Case& contest) {
  const std::string self = own_path().string();
  const CacheFolder cache;
  const std::vector<std::string> cold = {self, "--latency", contest.rule, ""};
  const std::vector<std::string> cached = {self, "--latency", contest.rule, cache.path().string()};
  std::vector<std::string> stages = {self, "--stages", contest.rule};
  for (const std::string& file : lines_of(run_or_give_up({self, "--modules", contest.rule}).output))
    stages.push_back(file);
  run_or_give_up(cached);  // fills the cache
  Values values;
  for (int round = 0; round < options.rounds; ++round) {
    add_lines("cold_", run_or_give_up(cold).output, values);
    add_lines("cached_", run_or_give_up(cached).output, values);
    add_lines("stage_", run_or_give_up(stages).output, values);
  }
  return values;
}

struct Row {
  std::string name;
  std::map<std::string, double> medians;
};
std::vector<Row> table;
std::vector<Row> train_table;

void run_case(benchmark::State& state, const Case& contest) {
  for (auto _ : state) {
    Row row{contest.name, {}};
    for (auto& [name, times] : measure(contest)) row.medians[name] = median(std::move(times));
    state.SetIterationTime(row.medians["cold_ready"]);
    for (const auto& [name, value] : row.medians) state.counters[name] = value;
    table.push_back(std::move(row));
  }
}

/// Process start to the end of a run with one step of a test function, with and without the cache.
void run_train(benchmark::State& state, const Case& contest) {
  const std::string talweg = (own_path().parent_path() / "talweg").string();
  const CacheFolder cache;
  ::setenv("TALWEG_CACHE_DIR", cache.path().c_str(), 1);
  const std::vector<std::string> cached = {talweg,        "train",   "--rule",
                                           contest.rule,  "--model", "function:rosenbrock",
                                           "--max-steps", "1",       "--quiet"};
  std::vector<std::string> cold = cached;
  cold.emplace_back("--no-cache");
  for (auto _ : state) {
    run_or_give_up(cached);
    std::vector<double> cold_times, cached_times;
    for (int round = 0; round < options.rounds; ++round) {
      cold_times.push_back(run_or_give_up(cold).seconds);
      cached_times.push_back(run_or_give_up(cached).seconds);
    }
    Row row{contest.name,
            {{"cold", median(std::move(cold_times))}, {"cached", median(std::move(cached_times))}}};
    state.SetIterationTime(row.medians["cold"]);
    for (const auto& [name, value] : row.medians) state.counters[name] = value;
    train_table.push_back(std::move(row));
  }
  ::unsetenv("TALWEG_CACHE_DIR");
}

void register_all() {
  for (const Case& contest : kCases) {
    benchmark::RegisterBenchmark(fmt::format("compile/{}", contest.name).c_str(),
                                 [&contest](benchmark::State& state) { run_case(state, contest); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
    if (contest.name != std::string_view("Largest"))  // its plateau needs a validation loss
      benchmark::RegisterBenchmark(
          fmt::format("train/{}", contest.name).c_str(),
          [&contest](benchmark::State& state) { run_train(state, contest); })
          ->Iterations(1)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
  }
}

void print_tables() {
  const auto ms = [](const Row& row, const char* name) { return row.medians.at(name) * 1e3; };
  if (!table.empty()) {
    fmt::print(
        "\n| rule | cold, ms | from the cache, ms | again, ms | peak memory, MB | object, KB |\n"
        "|---|---|---|---|---|---|\n");
    for (const Row& row : table)
      fmt::print("| {} | {:.1f} | {:.2f} | {:.1f} | {:.1f} | {:.1f} |\n", row.name,
                 ms(row, "cold_ready"), ms(row, "cached_ready"), ms(row, "cold_again"),
                 row.medians.at("cold_bytes") * 1e-6, row.medians.at("stage_object") * 1e-3);
    constexpr const char* kStages[] = {"parse", "check",  "graph",    "passes", "plan",
                                       "emit",  "verify", "generate", "link"};
    fmt::print("\n| stage, ms |");
    for (const char* stage : kStages) fmt::print(" {} |", stage);
    fmt::print("\n|---|");
    for (std::size_t i = 0; i < std::size(kStages); ++i) fmt::print("---|");
    fmt::print("\n");
    for (const Row& row : table) {
      fmt::print("| {} |", row.name);
      for (const char* stage : kStages)
        fmt::print(" {:.2f} |", ms(row, ("stage_" + std::string(stage)).c_str()));
      fmt::print("\n");
    }
  }
  if (train_table.empty()) return;
  fmt::print("\n| talweg train, one step | cold, ms | from the cache, ms |\n|---|---|---|\n");
  for (const Row& row : train_table)
    fmt::print("| {} | {:.1f} | {:.1f} |\n", row.name, ms(row, "cold"), ms(row, "cached"));
}

/// What a child is asked for; false if this is no child.
bool run_as_child(const std::vector<std::string>& words) {
  if (words.size() < 3) return false;
  if (words[1] == "--latency" && words.size() == 4) {
    print_latency(words[2], words[3]);
    return true;
  }
  if (words[1] == "--stages") {
    print_stages(words[2], {words.begin() + 3, words.end()});
    return true;
  }
  if (words[1] == "--modules") {
    print_modules(words[2]);
    return true;
  }
  return false;
}

}  // namespace

void run(int argc, char** argv) {
  if (run_as_child({argv, argv + argc})) return;
  options = take_options(argc, argv);
  if (options.check) return;  // of peers, which there are none of
  register_all();
  run_registered(options, argc, argv);
  if (options.tables) print_tables();
}

}  // namespace talweg::benchmarks

int main(int argc, char** argv) { talweg::benchmarks::run(argc, argv); }
