// What a child of the compile benchmark measures, and prints a line each: "name seconds".
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace talweg::benchmarks {

/// Text to callable kernels as users have it: by the driver, with the disk cache in `cache`, or
/// none where that is empty. Lines "ready", "again" (a second time in the same process, the rule
/// read anew) and "bytes" (greatest memory of the process).
void print_latency(const std::string& rule, const std::filesystem::path& cache);

/// The stages of the same one by one, without a cache. `modules` are the files that the rule is
/// found in: they are parsed first, so that parsing stands apart.
void print_stages(const std::string& rule, const std::vector<std::string>& modules);

/// The module files that the rule is found in, a line each.
void print_modules(const std::string& rule);

}  // namespace talweg::benchmarks
