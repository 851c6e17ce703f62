// Rules with reductions leave the same bits on every target: at the edges of lanes, segments and
// chunks, over tensors and groups, on several threads, with hard inputs and gradients missing.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "compiler/ir/sequence.h"
#include "runtime/support/thread_pool.h"
#include "tests/codegen/bitcheck.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/reducing_rules.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

constexpr const char* kRules[] = {"m.ClipByGlobalNorm | AdamW | Ema",
                                  "m.ClipByGlobalNorm | m.Lamb",
                                  "AdamW | m.Cautious",
                                  "m.Wide | Ema",
                                  "m.All",
                                  "m.Guard | AdamW",
                                  "m.Ways | m.Guard",
                                  "m.Chain",
                                  "m.Arms | Ema",
                                  "m.Viewed | Ema",
                                  "m.ArmsViewed | m.Viewed"};

/// What the first pass of m.Large leaves for chunks [begin, end) of a tensor, with memory for no
/// other chunk.
std::vector<double> partials_of(const std::vector<float>& gradient, std::uint32_t begin,
                                std::uint32_t end) {
  const auto program =
      compile_for(graph_of_rule("m.Large", kReducingRules), types::ComputeType::F32, "host");
  const talweg_kernels& step = program->image().step;
  REQUIRE(step.chunk_partial_count == 1);
  std::vector<talweg_chunk> chunks;
  for (std::uint64_t first = 0; first < gradient.size(); first += TALWEG_CHUNK_ELEMENTS)
    chunks.push_back({first,
                      static_cast<std::uint32_t>(
                          std::min<std::uint64_t>(gradient.size() - first, TALWEG_CHUNK_ELEMENTS)),
                      0});
  const std::size_t first = begin * std::size_t{TALWEG_CHUNK_ELEMENTS};
  const std::size_t last = std::min(gradient.size(), end * std::size_t{TALWEG_CHUNK_ELEMENTS});
  const std::size_t bytes = (last - first) * sizeof(float);
  const GuardedArray own(bytes, Placement::AtEnd);
  std::memcpy(own.data(), gradient.data() + first, bytes);
  // Where the tensor would begin if all of it were here.
  const auto start = reinterpret_cast<std::uintptr_t>(own.data()) - first * sizeof(float);
  std::vector<void*> pointers(program->image().stream_count, reinterpret_cast<void*>(start));
  std::vector<talweg_slot> slots(step.model_slot_count + step.group_slot_count + 1);
  std::vector<double> partials(chunks.size(), std::nan(""));
  const std::uint32_t group = 0;
  const talweg_scalar_args group_args{};
  talweg_pass_args args{};
  args.chunks = chunks.data();
  args.pointers = pointers.data();
  args.tensor_groups = args.tensor_routes = &group;
  args.model_slots = args.group_slots = slots.data();
  args.group_args = &group_args;
  args.chunk_partials = partials.data();
  args.chunk_count = chunks.size();
  args.tensor_count = 1;
  step.phases[0].pass(step.self, &args, begin, end);
  return partials;
}

}  // namespace

TEST_CASE("chunks that lie apart leave what they leave together") {
  Random random(4);
  std::vector<float> gradient;
  for (std::size_t i = 0; i < 3 * TALWEG_CHUNK_ELEMENTS + 5; ++i)
    gradient.push_back(static_cast<float>(static_cast<double>(random.next() >> 11) * 0x1p-53));
  const std::vector<double> together = partials_of(gradient, 0, 4);
  for (std::uint32_t cut = 1; cut < 4; ++cut) {
    std::vector<double> apart = partials_of(gradient, 0, cut);
    const std::vector<double> rest = partials_of(gradient, cut, 4);
    for (std::uint32_t i = 0; i < 4; ++i) CHECK(std::isnan(i < cut ? rest[i] : apart[i]));
    std::copy(rest.begin() + cut, rest.end(), apart.begin() + cut);
    CHECK(first_difference(together, apart).empty());
    CHECK(same(ir::fold_sequence(builtins::Fold::Sum, together),
               ir::fold_sequence(builtins::Fold::Sum, apart)));
  }
}

TEST_CASE("reductions at the edges of lanes and segments") {
  std::vector<StepSetting> settings;
  for (const std::uint32_t threads : {1u, 2u, 3u, 8u}) {
    StepSetting setting;
    setting.tensors = {{0, 0},    {1, 1},    {63, 0},        {64, 1},           {65, 0, true, 2},
                       {1023, 1}, {1024, 0}, {19, 0, false}, {1025, 1, true, 1}};
    setting.group_count = 3;  // one without tensors
    setting.threads = threads;
    setting.steps = 3;
    setting.seed = threads;
    setting.placement = threads % 2 == 0 ? Placement::AtEnd : Placement::AtStart;
    settings.push_back(setting);
  }
  StepSetting tiny;  // of which a part of the lanes is enough, as of what segments end with
  for (std::uint32_t size = 1; size <= 18; ++size)
    tiny.tensors.push_back({size, size % 2, size != 7, size == 5 ? 2u : 0u});
  for (const std::uint64_t size : {32, 33, 1039, 1040, 1041})
    tiny.tensors.push_back({size, size % 2 == 0 ? 1u : 0u});
  tiny.group_count = tiny.steps = 2;
  settings.push_back(tiny);
  for (const char* rule : kRules)
    require_same_bits(graph_of_rule(rule, kReducingRules), settings, rule);
}

TEST_CASE("the sign of a sum of products too small for any number but zero") {
  const ir::Graph graph = graph_of_rule("m.Signs", R"(
rule Signs {
  state tensor seen
  step {
    seen = 1 / (dot(grad, param) per tensor)
    update = 0 * grad
  }
}
)");
  // Each product of float64 is below zero and rounds to -0, in some lanes or in all.
  for (const auto& program : on_all_targets(graph))
    for (const std::size_t size : {1u, 3u, 16u, 17u, 64u, 1024u, 1025u, 1040u}) {
      std::vector<double> param(size, 1e-300);
      const std::vector<double> gradient(size, -1e-300);
      auto optimizer =
          make_optimizer(program->image(), {{"w", {size}, param.data(), 0, {}}}, 1, 1, program);
      const std::vector<const void*> gradients{gradient.data()};
      REQUIRE(optimizer.step(gradients).ok());
      INFO(program->image().isa << ", " << size << " elements");
      const auto seen = optimizer.tensor_scalar("seen", 0);
      REQUIRE(seen.ok());
      CHECK(*seen == std::numeric_limits<double>::infinity());
    }
}

TEST_CASE("reductions at the edges of chunks") {
  StepSetting setting;
  constexpr std::uint64_t kChunk = TALWEG_CHUNK_ELEMENTS;
  setting.tensors = {{kChunk - 1, 0}, {kChunk, 1}, {kChunk + 1, 0}, {3 * kChunk + 5, 1}};
  setting.group_count = 2;
  setting.threads = 3;
  setting.steps = 2;
  for (const char* rule : {"m.ClipByGlobalNorm | m.Lamb", "m.Chain"})
    require_same_bits(graph_of_rule(rule, kReducingRules), {setting}, rule);
}

TEST_CASE("on how many threads a reduction runs does not matter") {
  for (const auto& program : on_all_targets(graph_of_rule("m.All", kReducingRules))) {
    StepSetting setting;
    setting.tensors = {{5 * TALWEG_CHUNK_ELEMENTS / 2, 0}, {100, 1}, {2000, 0}};
    setting.group_count = 2;
    const Outcome alone = run_steps(program->image(), setting);
    for (const std::uint32_t threads : {2u, 3u, 8u}) {
      setting.threads = threads;
      CHECK(first_difference(alone, run_steps(program->image(), setting)).empty());
    }
  }
}

}  // namespace talweg::tests
