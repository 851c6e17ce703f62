// Options of our own beside Google Benchmark's.
#pragma once

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

/// Runs what was registered under the arguments left, on stdout unless only tables are wanted.
void run_registered(const Options& options, int argc, char** argv);

}  // namespace talweg::benchmarks
