// Every reference case whose rule the library has, on the interpreter and on compiled code, in
// float64 and, where the case has it, in float32. Cases whose rule cannot be written yet stand in
// not_yet_expressible.txt, which may only shrink.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "compiler/base/diagnostic_render.h"
#include "compiler/cli/replay_run.h"

namespace talweg::cli {

namespace {

const std::filesystem::path kFolder = TALWEG_SOURCE_DIR "/tests/reference";

/// As many cases as were not yet expressible when the list began. Lower it with the list.
constexpr std::size_t kMostNotYet = 8;

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "cases"))
    if (entry.path().extension() == ".gz") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::vector<ReplayCase> read_all() {
  std::vector<ReplayCase> cases;
  for (const auto& file : case_files()) {
    auto read = read_case(file.string());
    INFO((read ? std::string() : read.failure().message));
    REQUIRE(read);
    cases.push_back(std::move(*read));
  }
  return cases;
}

const std::vector<ReplayCase>& all_cases() {
  static const std::vector<ReplayCase> cases = read_all();
  return cases;
}

std::set<std::string> not_yet_expressible() {
  std::set<std::string> names;
  std::ifstream file(kFolder / "not_yet_expressible.txt");
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') names.insert(line);
  return names;
}

/// Cases with tensors that their rule refuses by name: SM3 is for ranks up to 2, and the third
/// tensor has rank 3. The first two are replayed.
const std::set<std::string> kUpToRank2 = {"sm3", "sm3_beta", "sm3_hard", "sm3_momentum",
                                          "sm3_optax"};
constexpr std::size_t kFirstTwo[] = {0, 1};

/// The graph of a case's rule; a failed check with the diagnostics if it has errors.
std::optional<driver::FrontEnd> analyzed(const std::string& rule) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules(sema::SearchPath{{}, TALWEG_SOURCE_DIR "/stdlib"}, sources, diagnostics);
  auto front_end = driver::analyze_rule(modules, sources, diagnostics, rule);
  INFO(base::render_text(diagnostics, sources, false));
  CHECK(front_end);
  return front_end;
}

std::string difference_of(const ReplayResult& result) {
  std::string text;
  for (const Worst& worst : result.worst)
    if (worst.error > result.tolerance)
      text += worst.what + " step " + std::to_string(worst.step) + " tensor " +
              std::to_string(worst.tensor) + " element " + std::to_string(worst.element) + ": " +
              std::to_string(worst.error) + "\n";
  return text;
}

/// Checks that the rule refuses the case for its third tensor.
void check_refused(const ReplayCase& reference, const ReplayRun& run) {
  const auto result = replay(reference, run);
  REQUIRE(!result);
  const std::string& message = result.failure().message;
  INFO(message);
  CHECK(message.find("tensor `" + reference.tensors[2].name + "` of shape ") == 0);
  CHECK(message.find(" does not fit: rule `SM3` requires rank <= 2 of every tensor") !=
        std::string::npos);
}

/// True if the case agrees.
bool agrees(const ReplayCase& reference, const CaseRule& rule, const ir::Graph& graph,
            const driver::CompileOptions& options,
            const std::shared_ptr<support::ThreadPool>& pool) {
  const auto program = driver::compile(graph, options);
  if (!program) {
    INFO(program.failure().message);
    CHECK(false);
    return false;
  }
  const ReplayRun run{*program, rule.states, {}, pool};
  const bool is_partial = kUpToRank2.contains(reference.name);
  if (is_partial) check_refused(reference, run);
  const auto result = replay(is_partial ? *only_tensors(reference, kFirstTwo) : reference, run);
  if (!result) {
    INFO(result.failure().message);
    CHECK(false);
    return false;
  }
  INFO(difference_of(*result));
  CHECK(result->compared > 0);
  CHECK(result->agrees());
  return result->agrees();
}

void replay_all(driver::Backend backend, types::ComputeType compute) {
  const auto pool = std::make_shared<support::ThreadPool>(1);
  driver::CompileOptions options;
  options.backend = backend;
  options.compute = compute;
  options.use_cache = false;
  std::size_t passed = 0, expected = 0, not_yet = 0;
  for (const ReplayCase& reference : all_cases()) {
    const auto rule = rule_of_case(reference);
    if (!rule) {
      ++not_yet;
      continue;
    }
    if (compute == types::ComputeType::F32 && !reference.tolerance32) continue;
    ++expected;
    INFO(reference.name << ": " << rule->rule);
    const auto front_end = analyzed(rule->rule);
    if (front_end && agrees(reference, *rule, front_end->graph, options, pool)) ++passed;
  }
  std::cout << passed << " of " << expected << " reference cases passed, "
            << (compute == types::ComputeType::F32 ? "float32" : "float64") << " on the "
            << (backend == driver::Backend::Cpu ? "cpu" : "interpreter") << "; " << not_yet
            << " not yet expressible\n";
  CHECK(passed == expected);
}

}  // namespace

TEST_CASE("the list of cases that cannot be expressed yet is exact, and does not grow") {
  std::set<std::string> without_rule;
  for (const ReplayCase& reference : all_cases())
    if (!rule_of_case(reference)) without_rule.insert(reference.name);
  CHECK(without_rule == not_yet_expressible());
  CHECK(without_rule.size() <= kMostNotYet);
}

TEST_CASE("reference cases agree in float64 on the interpreter") {
  replay_all(driver::Backend::Interpreter, types::ComputeType::F64);
}

TEST_CASE("reference cases agree in float64 on compiled code") {
  replay_all(driver::Backend::Cpu, types::ComputeType::F64);
}

TEST_CASE("reference cases agree in float32 on the interpreter") {
  replay_all(driver::Backend::Interpreter, types::ComputeType::F32);
}

TEST_CASE("reference cases agree in float32 on compiled code") {
  replay_all(driver::Backend::Cpu, types::ComputeType::F32);
}

}  // namespace talweg::cli
