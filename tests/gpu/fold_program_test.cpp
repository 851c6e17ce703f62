// The launches of a phase's folds leave in the device's copy of an optimizer what
// talweg_fold_reductions leaves on the host, bit for bit.
#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/driver/compile.h"
#include "tests/gpu/folded_optimizer.h"
#include "tests/ir/compile_text.h"
#include "tests/sample_size.h"

namespace talweg::gpu {

namespace {

constexpr std::uint32_t kPhases = 3, kPartials = 3, kDomains = 2;

/// Any reduction that an image may have, of no phase yet.
std::vector<talweg_reduction_info> possible_reductions(bool of_lines) {
  std::vector<talweg_reduction_info> infos;
  const auto add = [&](int source, int slowest, int fastest, bool counts) {
    for (int rate = slowest; rate <= fastest; ++rate)
      infos.push_back({.fold = TALWEG_FOLD_SUM,
                       .source = static_cast<std::uint8_t>(source),
                       .rate = static_cast<std::uint8_t>(rate),
                       .counts = counts,
                       .phase = 0,
                       .partial = 0,
                       .domain = UINT32_MAX,
                       .blocks = UINT32_MAX});
  };
  for (const bool counts : {false, true}) {
    add(TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, TALWEG_RATE_TENSOR, counts);
    add(TALWEG_FROM_TENSORS, TALWEG_RATE_MODEL, TALWEG_RATE_GROUP, counts);
    add(TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, TALWEG_RATE_MODEL, counts);
  }
  if (!of_lines) return infos;
  add(TALWEG_FROM_MATRICES, TALWEG_RATE_MODEL, TALWEG_RATE_TENSOR, false);
  add(TALWEG_FROM_ROWS, TALWEG_RATE_MODEL, TALWEG_RATE_ROW, false);
  add(TALWEG_FROM_COLS, TALWEG_RATE_MODEL, TALWEG_RATE_MATRIX, false);
  add(TALWEG_FROM_COLS, TALWEG_RATE_COL, TALWEG_RATE_COL, false);
  return infos;
}

/// An image that is nothing but its reductions.
struct Reducing {
  std::vector<talweg_reduction_info> infos;
  std::vector<talweg_phase> phases = std::vector<talweg_phase>(kPhases);
  talweg_image image{};

  explicit Reducing(std::vector<talweg_reduction_info> reductions, bool of_lines)
      : infos(std::move(reductions)) {
    image.abi_version = TALWEG_ABI_VERSION;
    image.compute_dtype = TALWEG_F32;
    image.name = "Reducing";
    image.doc = "";
    image.isa = "none";
    image.stream_count = 2;
    image.uses_gradient = 1;
    image.domain_count = kDomains;
    image.split = of_lines ? TALWEG_SPLIT_LAST_TWO : TALWEG_SPLIT_NONE;
    talweg_kernels& step = image.step;
    step.phases = phases.data();
    step.phase_count = kPhases;
    step.reductions = infos.data();
    step.reduction_count = static_cast<std::uint32_t>(infos.size());
    step.origin_stream = UINT32_MAX;
    step.chunk_partial_count = step.tensor_partial_count = step.group_partial_count = kPartials;
    if (!of_lines) return;
    step.matrix_partial_count = step.row_partial_count = step.col_partial_count = kPartials;
    step.block_partial_count = kPartials;
  }
  Reducing(const Reducing&) = delete;
};

/// Some of them, each perhaps several times, of random folds, domains and phases.
std::vector<talweg_reduction_info> random_reductions(std::size_t count, bool of_lines,
                                                     std::mt19937& random) {
  const auto possible = possible_reductions(of_lines);
  std::vector<talweg_reduction_info> infos;
  while (infos.size() < count) {
    talweg_reduction_info info = possible[random() % possible.size()];
    if (info.counts == 0) {
      info.fold = static_cast<std::uint8_t>(kFolds[random() % 3]);
      info.partial = random() % kPartials;
      if (info.source == TALWEG_FROM_COLS && random() % 2 == 0) info.blocks = random() % kPartials;
    }
    info.phase = info.counts != 0 ? random() % kPhases : 1 + random() % (kPhases - 1);
    if (random() % 2 == 0) info.domain = random() % kDomains;
    infos.push_back(info);
  }
  return infos;
}

std::vector<Shaped> random_tensors(std::uint32_t count, std::uint32_t groups,
                                   std::mt19937& random) {
  std::vector<Shaped> tensors(count);
  for (Shaped& tensor : tensors) {
    const std::size_t rank = random() % 5;
    for (std::size_t d = 0; d < rank; ++d)
      tensor.shape.push_back(random() % 12 == 0 ? 0
                                                : 1 + random() % (rank == 1   ? 50000
                                                                  : rank == 2 ? 300
                                                                              : 9));
    tensor.group = random() % 4 == 0 ? random() % groups : 0;  // some have none
  }
  return tensors;
}

FoldExecutor executor_of(std::uint32_t number) {
  return std::array{FoldExecutor::Simulator, FoldExecutor::SimulatorReordered,
                    FoldExecutor::Ptx}[number % 3];
}

std::uint32_t check_all(FoldedOptimizer& optimizer, std::uint32_t phases, std::uint32_t seed) {
  std::uint32_t launches = 0;
  for (std::uint32_t phase = 0; phase < phases; ++phase)
    launches += optimizer.check_phase(phase, executor_of(seed + phase));
  return launches;
}

talweg_reduction_info reduction(talweg_reduction_source source, talweg_rate rate,
                                std::uint32_t partial = 0) {
  return {.fold = TALWEG_FOLD_SUM,
          .source = static_cast<std::uint8_t>(source),
          .rate = static_cast<std::uint8_t>(rate),
          .counts = 0,
          .phase = 1,
          .partial = partial,
          .domain = UINT32_MAX,
          .blocks = UINT32_MAX};
}

/// Launches of phase 1, which are as they should be.
std::uint32_t launches_of(const std::vector<talweg_reduction_info>& infos,
                          const std::vector<Shaped>& tensors, bool of_lines = false,
                          std::uint32_t groups = 1) {
  const Reducing rule(infos, of_lines);
  FoldedOptimizer optimizer(rule.image, tensors, groups);
  optimizer.fill(Values::Plain, 1);
  optimizer.choose(1, true);
  return optimizer.check_phase(1, FoldExecutor::Simulator);
}

}  // namespace

TEST_CASE("random reductions of random models are the host's") {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    if (!tests::is_in_sample(seed)) continue;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const bool of_lines = seed % 4 > 0;
    const std::uint32_t groups = 1 + random() % 5;
    const Reducing rule(random_reductions(1 + random() % 40, of_lines, random), of_lines);
    FoldedOptimizer optimizer(rule.image, random_tensors(random() % 30, groups, random), groups);
    optimizer.fill(
        std::array{Values::Plain, Values::Zeros, Values::Infinite, Values::NotANumber}[seed % 4],
        seed);
    optimizer.choose(seed, true);
    check_all(optimizer, kPhases, seed);
  }
}

TEST_CASE("every reduction of long sequences is the host's") {
  std::vector<talweg_reduction_info> infos = possible_reductions(true);
  for (talweg_reduction_info& info : infos) info.phase = 1;
  // More than a launch has rows of blocks for.
  while (infos.size() < 110) infos.push_back(reduction(TALWEG_FROM_TENSORS, TALWEG_RATE_MODEL));
  for (talweg_reduction_info& info : infos)
    if (info.source == TALWEG_FROM_COLS) info.blocks = 1;
  std::vector<Shaped> tensors(1100, {{3}});
  for (std::uint32_t t = 0; t < tensors.size(); ++t) tensors[t].group = t;
  tensors[7].shape = {1030, 16384};  // chunks, rows and columns of several blocks
  tensors[8].shape = {70000, 2};     // and row blocks
  tensors[9].shape = {9000, 1, 1};   // matrices, more than there are warps
  tensors[1080].shape = {2, 1500, 3};
  const Reducing rule(infos, true);
  FoldedOptimizer optimizer(rule.image, tensors, 1100);
  optimizer.fill(Values::Plain, 1);
  optimizer.choose(3, true);
  optimizer.check_phase(1, FoldExecutor::Simulator);
}

TEST_CASE("columns that are made twice are as the last one makes them") {
  std::vector<talweg_reduction_info> infos(4, reduction(TALWEG_FROM_COLS, TALWEG_RATE_COL));
  for (talweg_reduction_info& info : infos) info.blocks = 0;
  infos[0].domain = 0;
  infos[1].fold = TALWEG_FOLD_MAX;
  infos[1].domain = 1;
  infos[3].rate = TALWEG_RATE_MODEL;  // of columns that are there
  const std::vector<Shaped> tensors(20, {{100, 5}});
  // Three to columns, then to matrices, tensors and the model.
  CHECK(launches_of(infos, tensors, true) == 6);
}

TEST_CASE("groups count whose tensors take part, also where nothing is reduced to groups") {
  std::vector<Shaped> tensors(9, {{3}});
  for (std::uint32_t t = 0; t < tensors.size(); ++t) tensors[t].group = t / 2;  // 5: none
  std::vector<talweg_reduction_info> infos(3, reduction(TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, 1));
  infos[1].domain = 0;
  infos[2].domain = 1;
  infos[2].counts = 1;
  CHECK(launches_of(infos, tensors, false, 6) == 2);
}

TEST_CASE("nothing is changed where the stop word is set") {
  const Reducing rule({reduction(TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL)}, false);
  FoldedOptimizer optimizer(rule.image, {{{3}}, {{20000}}}, 1);
  optimizer.fill(Values::Plain, 1);
  optimizer.check_stop(1);
}

TEST_CASE("reductions share launches") {
  const auto chunks_to_model = reduction(TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL);
  const std::vector<Shaped> small(148, {{100}});
  std::vector<Shaped> mixed = small, large = small;
  mixed[3].shape = {20000};
  large[3].shape = {1025, 16384};
  CHECK(launches_of({}, mixed) == 0);
  CHECK(launches_of({chunks_to_model}, small) == 1);
  CHECK(launches_of({chunks_to_model}, mixed) == 2);
  for (const std::uint64_t size : {0U, 20000U}) {
    std::vector<Shaped> last = small;
    last.back().shape = {size};
    CHECK(launches_of({chunks_to_model}, last) == 2);
  }
  CHECK(launches_of({chunks_to_model}, large) == 3);
  const std::vector<talweg_reduction_info> many = {
      chunks_to_model,
      reduction(TALWEG_FROM_CHUNKS, TALWEG_RATE_MODEL, 1),
      reduction(TALWEG_FROM_CHUNKS, TALWEG_RATE_GROUP),
      reduction(TALWEG_FROM_CHUNKS, TALWEG_RATE_TENSOR),
      reduction(TALWEG_FROM_MATRICES, TALWEG_RATE_TENSOR),
      reduction(TALWEG_FROM_TENSORS, TALWEG_RATE_GROUP)};
  CHECK(launches_of(many, mixed, true, 3) == 2);
  CHECK(launches_of({reduction(TALWEG_FROM_ROWS, TALWEG_RATE_MATRIX),
                     reduction(TALWEG_FROM_COLS, TALWEG_RATE_MATRIX)},
                    {{{8, 8}}}, true) == 1);
}

TEST_CASE("the folds of the library's rules are the host's") {
  const std::vector<Shaped> tensors = {{{40, 30}, 0}, {{30}, 1},    {{3, 4, 70, 9}, 0}, {{}, 1},
                                       {{0, 5}, 0},   {{40000}, 1}, {{200, 100}, 1}};
  const std::vector<Shaped> matrices = {{{40, 30}, 0}, {{70, 9}, 1}};  // some rules want them only
  std::uint32_t reducing = 0;
  for (const std::string& rule : tests::library_rules()) {
    INFO(rule);
    const auto program =
        driver::make_interpreter(tests::graph_of_rule(rule), types::ComputeType::F32);
    const talweg_image& image = program->image();
    if (image.step.reduction_count == 0) continue;
    ++reducing;
    FoldedOptimizer optimizer(image, image.requirement_count > 0 ? matrices : tensors, 2);
    optimizer.fill(Values::Plain, reducing);
    optimizer.choose(reducing, false);
    check_all(optimizer, image.step.phase_count, reducing);
  }
  CHECK(reducing > 10);
}

TEST_CASE("clipping by the norm of a model takes two launches") {
  const auto program = driver::make_interpreter(tests::graph_of_rule("ClipByGlobalNorm(1) | AdamW"),
                                                types::ComputeType::F32);
  const talweg_image& image = program->image();
  std::vector<Shaped> tensors(148, {{768}});
  for (std::size_t t = 0; t < tensors.size(); t += 2) tensors[t].shape = {768, 768};
  const auto launches = [&] {
    FoldedOptimizer optimizer(image, tensors, 2);
    optimizer.fill(Values::Plain, 1);
    optimizer.choose(1, false);
    return check_all(optimizer, image.step.phase_count, 0);
  };
  CHECK(launches() == 2);
  tensors[0].shape = {50257, 768};  // of more than 1,024 chunks
  CHECK(launches() == 3);
}

}  // namespace talweg::gpu
