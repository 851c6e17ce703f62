// The library's rules with matrices, rows and columns leave the same bits on every target.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

using types::ComputeType;

/// One has more than 128 rows and columns, from which on some rules factor; two have neither, where
/// the rule does not refuse them.
std::vector<Shape> shapes_for(const ir::Graph& graph) {
  std::vector<Shape> shapes = {{5, 7}, {131, 140}, {64, 3}};
  const bool refuses_vectors = std::ranges::any_of(graph.requirements, [](const auto& requirement) {
    return requirement.text.find("rank >= 2") != std::string::npos;
  });
  if (!refuses_vectors) shapes.insert(shapes.begin() + 1, {{33}, {}});
  return shapes;
}

template <class T>
std::vector<Outcome> steps_of(const std::shared_ptr<driver::Program>& program,
                              const std::vector<Shape>& shapes, Numbers numbers,
                              std::uint32_t threads) {
  LinedRun<T> run(program, lined_tensors(shapes), threads, numbers);
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 3; ++i) {
    (void)run.step();
    outcomes.push_back(run.everything());
  }
  return outcomes;
}

template <class T>
void require_same(const ir::Graph& graph, ComputeType compute) {
  const auto interpreter = driver::make_interpreter(graph, compute);
  for (const Numbers numbers : {Numbers::Plain, Numbers::Hard}) {
    const auto expected = steps_of<T>(interpreter, shapes_for(graph), numbers, 1);
    for (const std::string& isa : isas_here()) {
      const auto actual =
          steps_of<T>(compile_for(graph, compute, isa), shapes_for(graph), numbers, 2);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::string difference = first_difference(expected[i], actual[i]);
        INFO(isa << ", " << to_text(compute) << ", step " << i + 1 << ": " << difference);
        REQUIRE(difference.empty());
      }
    }
  }
}

}  // namespace

TEST_CASE("the library's rules with matrices have the same bits on every target") {
  int count = 0;
  for (const std::string& rule : library_rules()) {
    const ir::Graph graph = graph_of_rule(rule);
    if (!graph.split) continue;
    ++count;
    INFO(rule);
    require_same<float>(graph, ComputeType::F32);
    require_same<double>(graph, ComputeType::F64);
  }
  REQUIRE(count >= 8);
}

}  // namespace talweg::tests
