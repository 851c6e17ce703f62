// Rules with matrices, rows and columns leave the same bits on every target: over shapes at the
// edges of lanes, segments and blocks, over columns that lie apart, on several threads, with hard
// inputs and gradients missing.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/codegen/lined_rules.h"
#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::tests {

namespace {

using optimizer::StepOutcome;
using types::ComputeType;

struct Setting {
  std::vector<LinedTensor> tensors;
  Numbers numbers = Numbers::Plain;
  std::uint32_t steps = 3;
  std::vector<std::uint32_t> threads = {1, 2, 3};
};

/// After each step; then, back at the start, after one more.
template <class T>
std::vector<Outcome> history(const std::shared_ptr<driver::Program>& program,
                             const Setting& setting, std::uint32_t threads) {
  LinedRun<T> run(program, setting.tensors, threads, setting.numbers);
  std::vector<Outcome> all;
  for (std::uint32_t i = 0; i < setting.steps; ++i) {
    const StepOutcome outcome = run.step();
    all.push_back(run.everything());
    all.back().push_back(static_cast<double>(outcome));
  }
  if (setting.steps == 1) return all;
  REQUIRE(run.optimizer->reset());
  all.push_back(run.everything());
  (void)run.step();
  all.push_back(run.everything());
  return all;
}

template <class T>
void require_same_on_targets(const std::string& rule, const std::string& split,
                             const std::vector<Setting>& settings) {
  constexpr auto kCompute = sizeof(T) == 4 ? ComputeType::F32 : ComputeType::F64;
  const ir::Graph graph = graph_of_rule("m." + rule, lined_rules(split));
  const auto interpreter = driver::make_interpreter(graph, kCompute);
  std::vector<std::vector<Outcome>> expected;
  for (const Setting& setting : settings) expected.push_back(history<T>(interpreter, setting, 2));
  const std::vector<std::string> isas = isas_here();
  for (const std::string& isa : isas) {
    if (sample_part() < 1 && isa != isas.back()) continue;
    const auto program = compile_for(graph, kCompute, isa);
    for (std::size_t i = 0; i < settings.size(); ++i)
      for (const std::uint32_t threads : settings[i].threads) {
        const auto actual = history<T>(program, settings[i], threads);
        REQUIRE(actual.size() == expected[i].size());
        for (std::size_t call = 0; call < actual.size(); ++call) {
          const std::string difference = first_difference(expected[i][call], actual[call]);
          if (!difference.empty())
            FAIL(fmt::format("{}, {}, {}, {}, setting {}, {} threads, call {}: {}", rule, split,
                             to_text(kCompute), isa, i, threads, call, difference));
        }
      }
  }
  SUCCEED();
}

void require_same_bits_of(const std::string& rule, const std::string& split,
                          const std::vector<Setting>& settings) {
  require_same_on_targets<float>(rule, split, settings);
  require_same_on_targets<double>(rule, split, settings);
}

const std::vector<std::string> kSplits = {"0 | rest", "last two", "two largest"};

/// Small ones of every rank; with zero elements, with one row or column; at the edges of lanes and
/// of blocks of rows.
const std::vector<Shape> kSmall = {{},      {5},         {1, 1},       {3, 5},    {0, 4},
                                   {4, 0},  {64, 7},     {65, 1},      {2, 3, 4}, {5, 4, 3, 2},
                                   {1, 17}, {2, 0, 3},   {7, 1, 9, 2}, {3, 3, 3}, {129, 2},
                                   {8, 33}, {1, 1, 1, 1}};

std::vector<LinedTensor> matrices_only() {
  std::vector<LinedTensor> tensors;
  for (const LinedTensor& tensor : lined_tensors(kSmall))
    if (tensor.shape.size() >= 2) tensors.push_back(tensor);
  return tensors;
}

}  // namespace

TEST_CASE("every reduction to rows, columns and matrices, in every split") {
  for (const std::string& split : kSplits)
    require_same_bits_of("Every", split,
                         {{lined_tensors(kSmall), Numbers::Plain},
                          {lined_tensors(kSmall), Numbers::Hard},
                          {lined_tensors({{1, 1025}, {66, 9}}), Numbers::Extreme}});
}

TEST_CASE("reductions of values of rows, columns and matrices") {
  for (const std::string& split : kSplits)
    require_same_bits_of("Mixed", split,
                         {{lined_tensors(kSmall), Numbers::Plain},
                          {lined_tensors(kSmall), Numbers::Hard},
                          {lined_tensors(kSmall), Numbers::Extreme}});
}

TEST_CASE("a row and a column give an element") {
  for (const std::string& split : kSplits)
    require_same_bits_of("Factored", split,
                         {{lined_tensors(kSmall), Numbers::Plain},
                          {lined_tensors(kSmall), Numbers::Hard},
                          {lined_tensors(kSmall), Numbers::Extreme},
                          {lined_tensors({{2, 66, 3, 17}, {1025, 1}, {1, 1025}}), Numbers::Plain}});
}

TEST_CASE("what is given for rows, columns and matrices") {
  for (const std::string& split : kSplits)
    require_same_bits_of("Supplied", split,
                         {{lined_tensors(kSmall), Numbers::Plain},
                          {lined_tensors(kSmall), Numbers::Hard},
                          {lined_tensors(kSmall), Numbers::Extreme},
                          {lined_tensors({{2, 66, 3, 17}, {1025, 1}, {1, 1025}}), Numbers::Plain}});
}

TEST_CASE("tensors that are split otherwise than the rule says") {
  std::vector<LinedTensor> tensors = lined_tensors({{4, 3, 5}, {9, 70, 2}, {3, 3}, {2, 67, 3, 5}});
  tensors[0].split = tensors[3].split = TALWEG_SPLIT_AT;
  tensors[0].split_at = tensors[3].split_at = 2;
  tensors[1].split = TALWEG_SPLIT_PAIR;  // its columns lie apart
  tensors[1].split_to = 1;
  require_same_bits_of("Chains", "0 | rest", {{tensors, Numbers::Plain}, {tensors, Numbers::Hard}});
}

TEST_CASE("reductions to rows, columns and matrices that need each other") {
  for (const std::string& split : kSplits)
    require_same_bits_of("Chains", split,
                         {{lined_tensors(kSmall), Numbers::Plain},
                          {lined_tensors(kSmall), Numbers::Hard},
                          {lined_tensors({{2, 66, 3, 17}, {70, 1031}}), Numbers::Extreme, 1}});
}

TEST_CASE("rows, columns and matrices within branches and arms") {
  require_same_bits_of(
      "Arms", "two largest",
      {{lined_tensors(kSmall), Numbers::Plain}, {lined_tensors(kSmall), Numbers::Hard}});
}

TEST_CASE("rows decide whether a step is skipped") {
  require_same_bits_of("Guarded", "last two",
                       {{matrices_only(), Numbers::Plain}, {matrices_only(), Numbers::Hard}});
  require_same_on_targets<float>("Guarded", "two largest", {{matrices_only(), Numbers::Plain}});
}

TEST_CASE("rows and columns at the edges of segments and chunks") {
  const std::vector<Setting> settings = {
      {lined_tensors({{130, 1023}, {2049, 3}, {17, 1024 * 3 + 5}}), Numbers::Plain, 1, {1, 3}}};
  require_same_bits_of("Few", "0 | rest", settings);
  require_same_on_targets<float>("Few", "last two",
                                 {{lined_tensors({{3, 65, 130}, {5, 16'390}}), Numbers::Plain, 2}});
}

TEST_CASE("columns that lie apart") {
  // The two largest are not the last: neighbours of a column lie 3 elements apart.
  require_same_on_targets<float>(
      "Few", "two largest",
      {{lined_tensors({{100, 7, 200, 3}, {70, 1030, 2}}), Numbers::Plain, 1, {1, 2, 3}}});
}

}  // namespace talweg::tests
