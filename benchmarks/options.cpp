#include "benchmarks/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace talweg::benchmarks {

namespace {

/// The number after `name`, if the argument begins with it.
bool take_number(std::string_view argument, std::string_view name, double& number) {
  if (!argument.starts_with(name)) return false;
  const char* text = argument.data() + name.size();
  char* end = nullptr;
  number = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(number > 0)) {
    fmt::print(stderr, "benchmark: {} takes a number above 0\n", name);
    std::exit(2);
  }
  return true;
}

/// Says on stderr what has been measured.
class Progress final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) fmt::print(stderr, "{}\n", run.benchmark_name());
  }
};

}  // namespace

Options take_options(int& argc, char** argv) {
  Options options;
  double rounds = options.rounds;
  const auto is_ours = [&](char* word) {
    const std::string_view argument = word;
    if (argument.starts_with("--benchmark_format") && argument != "--benchmark_format=console")
      options.tables = false;
    if (argument == "--markdown") return options.markdown = true;
    if (argument == "--check") return options.check = true;
    return take_number(argument, "--rounds=", rounds) ||
           take_number(argument, "--cell-seconds=", options.cell_seconds);
  };
  char** const end = std::remove_if(argv + 1, argv + argc, is_ours);
  argc = static_cast<int>(end - argv);
  options.rounds = std::max(1, static_cast<int>(rounds));
  return options;
}

void register_one(const std::string& name, std::function<void(benchmark::State&)> run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void run_registered(const Options& options, int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) std::exit(2);
  Progress progress;
  if (options.markdown)
    benchmark::RunSpecifiedBenchmarks(&progress);
  else
    benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace talweg::benchmarks
