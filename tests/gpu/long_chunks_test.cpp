// Chunks that a whole block of threads works on: their segments meet in the block's memory. And
// chunks so far on in their tensor or table that 32 bits do not count there.
#include <catch2/catch.hpp>
#include <cmath>

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

/// Where an array would begin of which `entry` is this one.
template <class T>
T* start_before(T* entry, std::uint64_t index) {
  return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(entry) - index * sizeof(T));
}

/// The parameters and what the chunk leaves of a reduction, after the first pass over one chunk
/// that begins at an element and stands at a place in the table.
template <class T>
Outcome after_first_pass(const std::shared_ptr<driver::Program>& program, std::uint64_t element,
                         std::uint32_t place) {
  constexpr std::uint32_t kCount = 2051;
  const talweg_image& image = program->image();
  std::vector<T> params(kCount), grads(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    params[i] = static_cast<T>(i % 17) / 3;
    grads[i] = static_cast<T>(i % 23) / 7;
  }
  REQUIRE(image.stream_count == 2);
  void* const pointers[] = {start_before(params.data(), element),
                            start_before(grads.data(), element)};
  const talweg_chunk chunk{element, kCount, 0};
  double partial = std::nan("");
  std::vector<talweg_slot> slots(image.step.model_slot_count + image.step.group_slot_count + 1);
  const std::uint32_t zero = 0;
  const talweg_scalar_args group_args{};
  talweg_pass_args args{};
  args.chunks = start_before(&chunk, place);
  args.chunk_count = std::uint64_t{place} + 1;
  args.chunk_partials = start_before(&partial, place);
  args.pointers = pointers;
  args.tensor_count = 1;
  args.tensor_groups = args.tensor_routes = &zero;
  args.model_slots = args.group_slots = args.tensor_slots = slots.data();
  args.group_args = &group_args;
  image.step.phases[0].pass(image.step.self, &args, place, place + 1);
  Outcome all(params.begin(), params.end());
  all.push_back(partial);
  return all;
}

template <class T>
void require_far_is_near(const std::string& step, types::ComputeType compute) {
  const auto program = compile_for(
      graph_of_rule("m.Far", "rule Far { step { update = " + step + " } }"), compute, "host");
  const Outcome near = after_first_pass<T>(program, 0, 0);
  CHECK((near.back() > 0 || near[1] < static_cast<T>(1) / 3));  // it has done something
  CHECK(first_difference(near, after_first_pass<T>(program, std::uint64_t{1} << 33u, 0)).empty());
  CHECK(first_difference(near, after_first_pass<T>(program, 0, 3'000'000'000U)).empty());
}

}  // namespace

TEST_CASE("where a chunk stands takes more than 32 bits") {
  for (const char* step : {"grad", "grad / (norm(grad) per tensor)"}) {
    INFO(step);
    require_far_is_near<float>(step, types::ComputeType::F32);
    require_far_is_near<double>(step, types::ComputeType::F64);
  }
}

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
