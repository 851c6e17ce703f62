// Options of our own beside Google Benchmark's.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

namespace talweg::benchmarks {

struct Options {
  bool markdown = false;    // --markdown: the tables on stdout and nothing else
  bool check = false;       // --check: that peers agree, no times
  bool tables = true;       // off where stdout is for machines (--benchmark_format)
  int rounds = 15;          // --rounds=N: of a cell, at most
  double cell_seconds = 3;  // --cell-seconds=X: after which a cell begins no further round
};

/// Takes ours out of the arguments and leaves the rest.
Options take_options(int& argc, char** argv);

/// A benchmark that measures once, by a clock of its own.
void register_one(const std::string& name, std::function<void(benchmark::State&)> run);

/// Runs what was registered under the arguments left, on stdout unless only tables are wanted.
void run_registered(const Options& options, int argc, char** argv);

}  // namespace talweg::benchmarks
