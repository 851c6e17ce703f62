// One tensor of more than 2^31 elements, in little memory: reductions see each element once, and so
// does an update. Gradients are small integers, so that every sum is exact and can be told to the
// last bit.
#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "tests/codegen/bitcheck.h"
#include "tests/codegen/core_run.h"
#include "tests/codegen/line_sums.h"
#include "tests/codegen/repeated_memory.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

constexpr std::uint64_t kHuge = (std::uint64_t{1} << 31) + 17;
constexpr std::uint64_t kGradientPages = 2053;
constexpr std::uint64_t kParamPages = 2063;
/// The pages' tables, results of blocks of rows, and room to spare.
constexpr std::uint64_t kNeededKilobytes = 2 << 20;
constexpr int kSkipped = 77;  // as the test is registered

constexpr const char* kRules = R"(
rule Measure {
  state model total
  state model squares
  state model most
  state model least
  state model above
  state model elements
  state tensor typical
  state group peak
  step {
    total = sum(grad) per model
    squares = (norm(grad) per model)^2
    most = max(grad) per model
    least = min(grad) per model
    above = count(grad > 0) per model
    elements = count(grad >= -2000) per model
    typical = mean(grad) per tensor
    peak = max(abs(grad)) per group
  }
}
rule Clip {
  hyper max = 1000 in (0, inf)
  step {
    let n = norm(grad) per model
    if n > max { grad = grad * (max / n) }
  }
}
rule Sgd {
  hyper lr = 0.25 in [0, inf)
  step { update = lr * grad }
}
)";

[[noreturn]] void skip(const std::string& why) {
  fmt::print("huge_tensor_test is skipped: {}\n", why);
  std::fflush(stdout);
  std::_Exit(kSkipped);
}

void require_memory() {
  std::ifstream stream("/proc/meminfo");
  std::string word;
  std::uint64_t kilobytes = 0;
  while (stream >> word && word != "MemAvailable:") {
  }
  stream >> kilobytes;
  if (kilobytes < kNeededKilobytes)
    skip(fmt::format("{} MiB of memory are available, {} are needed", kilobytes / 1024,
                     kNeededKilobytes / 1024));
}

RepeatedFloats map_or_skip(std::uint64_t count, std::uint64_t period_pages) {
  require_memory();
  std::optional<RepeatedFloats> mapped = RepeatedFloats::map(count, period_pages);
  if (!mapped) skip(fmt::format("{} GiB of addresses cannot be mapped", count >> 28));
  return *std::move(mapped);
}

/// Integers from -1000 to 1000, the largest and the least of which are in the last page only.
void fill(const RepeatedFloats& gradient) {
  Random random(1);
  for (std::uint64_t i = 0; i < gradient.own_count(); ++i)
    gradient.own()[i] = static_cast<float>(static_cast<int>(random.below(1999)) - 999);
  gradient.data()[gradient.count() - 1] = 1000;
  gradient.data()[gradient.count() - 16] = -1000;
}

optimizer::Optimizer make(const std::shared_ptr<driver::Program>& program, void* param,
                          std::vector<std::uint64_t> shape, std::uint32_t threads) {
  optimizer::Tensor tensor;
  tensor.name = "huge";
  tensor.shape = std::move(shape);
  tensor.param = param;
  return make_optimizer(program->image(), {tensor}, 1, threads, program);
}

void step(optimizer::Optimizer& optimizer, const void* gradient) {
  REQUIRE(failure(optimizer.step(std::array{gradient})) == "no failure");
}

struct Sums {
  std::int64_t total = 0, squares = 0, above = 0;
};

Sums sums_of(const RepeatedFloats& gradient) {
  Sums sums;
  gradient.for_runs([&](std::uint64_t, std::uint64_t index, std::uint64_t count) {
    const float* values = gradient.own() + index;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::int32_t>(values[i]);
      sums.total += value;
      sums.squares += value * value;
      sums.above += value > 0 ? 1 : 0;
    }
  });
  return sums;
}

std::shared_ptr<driver::Program> compile_rule(const char* rule) {
  return compile_for(graph_of_rule(rule, std::string(kRules) + kLineSums), types::ComputeType::F32,
                     "host");
}

/// Addresses that nothing may touch.
class Untouchable {
 public:
  explicit Untouchable(std::uint64_t bytes) : bytes_(bytes) {
    data_ = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data_ == MAP_FAILED) skip(fmt::format("{} GiB cannot be reserved", bytes >> 30));
  }
  ~Untouchable() { munmap(data_, bytes_); }
  Untouchable(const Untouchable&) = delete;
  Untouchable& operator=(const Untouchable&) = delete;
  [[nodiscard]] void* data() const { return data_; }

 private:
  void* data_;
  std::uint64_t bytes_;
};

}  // namespace

TEST_CASE("the arrays of this test are what they are said to be") {
  const RepeatedFloats array = map_or_skip(5'000'000, 3);
  for (std::uint64_t i = 0; i < array.own_count(); ++i) array.own()[i] = static_cast<float>(i);
  std::uint64_t next = 0, wrong = 0;
  array.for_runs([&](std::uint64_t first, std::uint64_t index, std::uint64_t count) {
    wrong += first == next ? 0 : 1;
    for (std::uint64_t i = 0; i < count; ++i)
      wrong += array.data()[first + i] == static_cast<float>(index + i) ? 0 : 1;
    next = first + count;
  });
  CHECK(next == array.count());
  CHECK(wrong == 0);
}

TEST_CASE("reductions over one tensor of more than 2^31, and of more than 2^32 elements") {
  const auto program = compile_rule("m.Measure");
  for (const std::uint64_t count : {kHuge, (std::uint64_t{1} << 32) + 17}) {
    const RepeatedFloats gradient = map_or_skip(count, kGradientPages);
    fill(gradient);
    const Sums sums = sums_of(gradient);
    const Untouchable param(count * sizeof(float));
    for (const std::uint32_t threads : {1U, 3U}) {
      optimizer::Optimizer optimizer = make(program, param.data(), {count}, threads);
      step(optimizer, gradient.data());
      INFO(count << " elements, " << threads << " threads");
      const double length = std::sqrt(static_cast<double>(sums.squares));
      CHECK(*optimizer.scalar("total") == static_cast<double>(sums.total));
      CHECK(*optimizer.scalar("squares") == length * length);
      CHECK(*optimizer.scalar("most") == 1000);
      CHECK(*optimizer.scalar("least") == -1000);
      CHECK(*optimizer.scalar("above") == static_cast<double>(sums.above));
      CHECK(*optimizer.scalar("elements") == static_cast<double>(count));
      CHECK(*optimizer.tensor_scalar("typical", 0) ==
            static_cast<double>(sums.total) / static_cast<double>(count));
      CHECK(*optimizer.scalar("peak") == 1000);
    }
  }
}

TEST_CASE("an update of one tensor of more than 2^31 elements, clipped by its norm") {
  const RepeatedFloats gradient = map_or_skip(kHuge, kGradientPages);
  const RepeatedFloats param = map_or_skip(kHuge, kParamPages);
  fill(gradient);
  std::vector<float> expected(param.own_count());
  for (std::uint64_t i = 0; i < expected.size(); ++i)
    expected[i] = param.own()[i] = static_cast<float>(plain_number(i));

  // On one thread: parts would write to the same memory.
  optimizer::Optimizer optimizer = make(compile_rule("m.Clip | m.Sgd"), param.data(), {kHuge}, 1);
  step(optimizer, gradient.data());

  const double length = std::sqrt(static_cast<double>(sums_of(gradient).squares));
  REQUIRE(length > 1000);
  const auto factor = static_cast<float>(1000 / length);
  param.for_runs([&](std::uint64_t first, std::uint64_t index, std::uint64_t count) {
    const float* from = gradient.data() + first;
    for (std::uint64_t i = 0; i < count; ++i) {
      const float clipped = from[i] * factor;
      const float update = 0.25F * clipped;
      expected[index + i] -= update;
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < expected.size(); ++i)
    wrong += param.own()[i] == expected[i] ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("rows and columns of one matrix of more than 2^31 elements") {
  constexpr std::uint64_t kRows = 46'349, kCols = 46'351;
  static_assert(kRows * kCols > kHuge);
  const RepeatedFloats gradient = map_or_skip(kRows * kCols, kGradientPages);
  fill(gradient);
  std::vector<std::int64_t> rows(kRows), cols(kCols);
  std::int64_t total = 0;
  for (std::uint64_t r = 0; r < kRows; ++r) {
    const float* row = gradient.data() + r * kCols;
    for (std::uint64_t c = 0; c < kCols; ++c) {
      const auto value = static_cast<std::int32_t>(row[c]);
      rows[r] += value;
      cols[c] += value;
    }
    total += rows[r];
  }
  float widest = -std::numeric_limits<float>::infinity();
  for (const std::int64_t sum : rows) widest = std::fmax(widest, static_cast<float>(sum));

  const Untouchable param(kRows * kCols * sizeof(float));
  const auto program = compile_rule("m.Lines");
  for (const std::uint32_t threads : {1U, 3U}) {
    optimizer::Optimizer optimizer = make(program, param.data(), {kRows, kCols}, threads);
    step(optimizer, gradient.data());
    INFO(threads << " threads");
    CHECK(*optimizer.scalar("widest") == static_cast<double>(widest));
    const auto count_wrong = [&](const char* name, const std::vector<std::int64_t>& sums) {
      const std::vector<double> values = persistent_numbers(optimizer, name);
      REQUIRE(values.size() == sums.size());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < sums.size(); ++i)
        wrong += values[i] == static_cast<double>(static_cast<float>(sums[i])) ? 0 : 1;
      return wrong;
    };
    CHECK(count_wrong("of_row/huge", rows) == 0);
    CHECK(count_wrong("of_col/huge", cols) == 0);
    CHECK(persistent_numbers(optimizer, "of_matrix/huge") ==
          std::vector<double>{static_cast<double>(total)});
  }
}

}  // namespace talweg::tests
