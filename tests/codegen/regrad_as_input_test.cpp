// A rule that waits for new gradients is the same rule given them from the beginning, as inputs:
// what the step leaves behind may not tell whether it has returned meanwhile, or been given up and
// begun again.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cctype>
#include <fstream>
#include <sstream>

#include "runtime/support/thread_pool.h"
#include "tests/codegen/core_run.h"
#include "tests/codegen/waiting_rules.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

constexpr std::uint32_t kSteps = 6;
constexpr std::uint32_t kMostWaits = 2;
constexpr std::string_view kRegrad = "regrad";

/// Where the statement stands next, not a longer word.
std::size_t find_regrad(const std::string& text, std::size_t start) {
  std::size_t found = text.find(kRegrad, start);
  while (found != std::string::npos &&
         std::isalnum(static_cast<unsigned char>(text[found + kRegrad.size()])) != 0)
    found = text.find(kRegrad, found + 1);
  return found;
}

/// The module with `grad = later1`, `grad = later2`, ... for the first, second, ... `regrad` of
/// each rule, and these inputs.
std::string with_gradients_as_inputs(const std::string& module) {
  std::istringstream lines(module);
  std::string result;
  std::size_t declarations = 0;  // where those of the rule go
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find("//"), line.size()));
    std::size_t start = result.size();
    if (line.starts_with("rule ")) {
      count = 0;
      declarations = start + line.find('{') + 1;
    }
    result += line + '\n';
    for (;; ++count) {
      const std::size_t found = find_regrad(result, start);
      if (found == std::string::npos) break;
      const std::string input = fmt::format("later{}", count + 1);
      const std::string declaration = fmt::format("\n  input {}\n", input);
      result.replace(found, kRegrad.size(), "grad = " + input);
      result.insert(declarations, declaration);
      declarations += declaration.size();
      start = std::max(start + declaration.size(), declarations);
    }
  }
  return result;
}

std::string library(const char* file) {
  std::ifstream stream(std::string(TALWEG_SOURCE_DIR "/stdlib/") + file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Vectors, matrices, nothing, and more than a chunk. Some take no part in a step.
std::vector<LinedTensor> tensors() {
  return lined_tensors({{130}, {5}, {}, {33, 65}, {0}, {2, 3, 4}, {16'387}, {1}, {17}});
}

/// Runs a step; where it waits for the `given_up`th time it is abandoned, which leaves nothing
/// behind, and begun again. How often it waited in the end.
template <class T>
std::uint32_t step_at_last(CoreRun<T>& run, Gradients<T>& gradients, std::uint32_t number,
                           std::uint32_t given_up) {
  const Outcome before = run.everything();
  std::uint32_t waits = 0;
  while (run.step(gradients.of_step(number, waits)) == TALWEG_REGRAD)
    if (++waits == given_up) {
      talweg_abandon(run.core());
      CHECK(first_difference(before, run.everything()) == "");
      return whole_step(run, gradients, number);
    }
  return waits;
}

template <class T>
void require_same_as_inputs(const std::string& rule, const std::string& module) {
  constexpr auto kCompute = sizeof(T) == 4 ? types::ComputeType::F32 : types::ComputeType::F64;
  const ir::Graph graph = graph_of_rule(rule, module);
  const ir::Graph other = graph_of_rule(rule, with_gradients_as_inputs(module));
  REQUIRE(!graph.regrads.empty());
  REQUIRE(other.regrads.empty());
  REQUIRE(other.inputs.size() == graph.regrads.size());
  REQUIRE(other.inputs.size() <= kMostWaits);
  const std::vector<LinedTensor> model = tensors();
  support::ThreadPool pool(3);
  CoreRun<T> expected(driver::make_interpreter(other, kCompute), model, 2, {});
  CoreRun<T> interpreted(driver::make_interpreter(graph, kCompute), model, 2, {});
  CoreRun<T> compiled(compile_for(graph, kCompute, "host"), model, 2,
                      {support::ThreadPool::function(), &pool, 3});
  Gradients<T> gradients(model);
  std::vector<Gradients<T>> later(other.inputs.size(), Gradients<T>(model));
  std::uint32_t waits = 0;
  for (std::uint32_t step = 1; step <= kSteps; ++step) {
    std::vector<std::vector<const void*>> inputs;
    for (Gradients<T>& input : later)
      inputs.push_back(input.of_step(step, static_cast<std::uint32_t>(inputs.size()) + 1));
    expected.step(gradients.of_step(step), inputs);
    for (CoreRun<T>* run : {&interpreted, &compiled}) {
      waits += step_at_last(*run, gradients, step, step % (kMostWaits + 1));
      const std::string difference = first_difference(expected.everything(), run->everything());
      if (!difference.empty())
        FAIL(fmt::format("{}, {}, {}, step {}: {}", rule, to_text(kCompute),
                         run == &compiled ? "compiled" : "interpreted", step, difference));
    }
  }
  CHECK(waits >= kSteps);  // of both, in every second step at least
}

void require_same_as_inputs(const std::vector<std::string>& rules, const std::string& module) {
  for (const std::string& rule : rules) {
    require_same_as_inputs<float>(rule, module);
    require_same_as_inputs<double>(rule, module);
  }
}

}  // namespace

TEST_CASE("the test writes `regrad` as an input") {
  CHECK(with_gradients_as_inputs("rule A { step { regrad; grad -= regrads } } // regrad\n"
                                 "rule B {\n  step {\n    regrad\n    regrad\n  }\n}\n") ==
        "rule A {\n  input later1\n step { grad = later1; grad -= regrads } } \n"
        "rule B {\n  input later1\n\n  input later2\n\n  step {\n    grad = later1\n"
        "    grad = later2\n  }\n}\n");
}

TEST_CASE("the library's rules leave what they leave with the second gradient as an input") {
  require_same_as_inputs({"m.SAM | AdamW", "m.SAM(adaptive = true) | SGD"}, library("sam.tw"));
  require_same_as_inputs({"m.ASAM(scaled = matrices) | SGD"}, library("asam.tw"));
  require_same_as_inputs({"m.GSAM | HeavyBall"}, library("gsam.tw"));
  require_same_as_inputs({"m.LookSAM(k = 2) | AdamW", "m.LookSAM(k = 2, over = tensor) | SGD"},
                         library("looksam.tw"));
  require_same_as_inputs({"m.FriendlySAM | SGD"}, library("friendly_sam.tw"));
  require_same_as_inputs({"m.SAM | Adafactor", "SkipNonFinite | m.SAM | ClipByGlobalNorm | Ema"},
                         library("sam.tw"));
}

TEST_CASE("rules that wait in every way leave what they leave with gradients as inputs") {
  require_same_as_inputs({"m.Twice", "m.Look | m.Length", "m.Stay | SGD", "m.Wander | Adam",
                          "m.Constant | SGD", "m.Forget", "m.SkipBefore | m.Sam | SGD",
                          "m.SkipBehind | SGD", "m.HoldBehind", "m.Scheduled", "m.Remembers"},
                         kWaitingRules);
}

}  // namespace talweg::tests
