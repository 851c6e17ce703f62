// Chunks that a whole block of threads works on: their segments meet in the block's memory.
#include <catch2/catch.hpp>

#include "tests/codegen/lined_run.h"
#include "tests/ir/compile_text.h"

namespace talweg::tests {
namespace {

/// Of ordinary numbers: among hard ones the sum of so many would be NaN.
template <class T>
Outcome after_two_steps(const std::shared_ptr<driver::Program>& program,
                        const std::vector<Shape>& shapes) {
  LinedRun<T> run(program, lined_tensors(shapes), 1);
  run.step();
  run.step();
  return run.everything();
}

template <class T>
void require_same_bits_of(const std::string& rule, types::ComputeType compute,
                          const std::vector<Shape>& shapes) {
  const ir::Graph graph = graph_of_rule(rule);
  const Outcome expected = after_two_steps<T>(driver::make_interpreter(graph, compute), shapes);
  for (const std::string& isa : isas_here()) {
    INFO(rule << ", " << to_text(compute) << ", " << isa);
    CHECK(first_difference(expected, after_two_steps<T>(compile_for(graph, compute, isa), shapes))
              .empty());
  }
}

}  // namespace

TEST_CASE("long chunks have the interpreter's bits") {
  for (const char* rule : {"ClipByGlobalNorm(1) | AdamW", "LAMB"}) {
    const std::vector<Shape> shapes = {{2048}, {2049}, {16384}, {16385}, {40000}, {100}};
    require_same_bits_of<float>(rule, types::ComputeType::F32, shapes);
    require_same_bits_of<double>(rule, types::ComputeType::F64, shapes);
  }
}

TEST_CASE("rows of several blocks of segments have the interpreter's bits") {
  require_same_bits_of<double>("RowwiseAdagrad", types::ComputeType::F64, {{1, 2'200'000}});
}

}  // namespace talweg::tests
