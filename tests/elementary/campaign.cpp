// Every float32 argument of every function of one argument, 10^8 pairs for pow in float32, 10^7
// arguments of every function in float64.
//
//   elementary_campaign STATE [TABLE]
//
// Works for $TALWEG_CAMPAIGN_SECONDS (600 unless set) through the units that STATE does not have
// yet, and appends each. TABLE (Markdown) says how far it got. Exit status 1 if an error is over
// its bound, or the reference too far off to be one.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <tuple>

#include "compiler/builtins/evaluate.h"
#include "tests/elementary/campaign_state.h"
#include "tests/elementary/cases.h"
#include "tests/elementary/exact.h"
#include "tests/elementary/float32_check.h"

namespace talweg::builtins::tests {

namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr std::uint64_t kFloatBlock = std::uint64_t{1} << 24;
constexpr std::uint64_t kBatch = 1 << 16;  // divides kFloatBlock
constexpr std::uint64_t kPowBlock = 1'000'000;
constexpr std::uint64_t kPowPairs = 100'000'000;
constexpr std::uint64_t kDoubleBlock = 250'000;
constexpr std::uint64_t kDoubleArguments = 10'000'000;

UnitResult to_result(const Float32Seen& seen) {
  return {seen.arguments,
          seen.decided_by_mpfr,
          seen.worst_ulp,
          seen.worst_reference_ulp,
          {static_cast<double>(seen.worst[0]), static_cast<double>(seen.worst[1])}};
}

/// Block b of 256, every 256th argument from b on: each block sees all magnitudes.
UnitResult run_float32(Op op, std::uint64_t block) {
  Float32Seen seen;
  std::vector<float> arguments(kBatch);
  std::uint64_t bits = block;
  while (bits < kAll) {
    for (float& argument : arguments) {
      argument = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      bits += kAll / kFloatBlock;
    }
    look_at_float32(op, arguments, {}, seen);
  }
  return to_result(seen);
}

UnitResult run_pow_float32(std::uint64_t block) {
  Float32Seen seen;
  Random random(1000 + block);
  std::vector<float> bases(kPowBlock), exponents(kPowBlock);
  for (std::uint64_t i = 0; i < kPowBlock; ++i)
    std::tie(bases[i], exponents[i]) = pow_operands_float(random);
  look_at_float32(Op::Pow, bases, exponents, seen);
  return to_result(seen);
}

/// One function in float64: half of the arguments where results are interesting, half any bits.
template <class Draw>
UnitResult run_float64(Op op, std::uint64_t block, Draw&& draw) {
  UnitResult result;
  Random random(5000 + block * builtins::kOpCount + static_cast<std::uint64_t>(op));
  for (std::uint64_t i = 0; i < kDoubleBlock; ++i) {
    const std::pair<double, double> drawn = draw(random);
    const double operands[2] = {drawn.first, drawn.second};
    const double error = error_ulp(op, operands, evaluate(op, operands));
    ++result.arguments;
    ++result.decided_by_mpfr;
    if (error <= result.worst_ulp) continue;
    result.worst_ulp = error;
    result.worst[0] = drawn.first;
    result.worst[1] = drawn.second;
  }
  return result;
}

/// A row of the table: one function in one type.
struct Row {
  std::string name;  // "float32/exp"
  std::uint64_t blocks;
  std::uint64_t arguments;
  double bound;
  std::function<UnitResult(std::uint64_t)> run;
};

/// In the order they are worked through: what a sample promises, then what goes through all.
std::vector<Row> rows() {
  std::vector<Row> rows;
  rows.push_back({"float32/pow", kPowPairs / kPowBlock, kPowPairs, kFloat32Bound, run_pow_float32});
  constexpr std::uint64_t kDoubleBlocks = kDoubleArguments / kDoubleBlock;
  rows.push_back({"float64/pow", kDoubleBlocks, kDoubleArguments, kPowBound,
                  [](std::uint64_t block) { return run_float64(Op::Pow, block, pow_operands); }});
  for (const Case& c : kCases)
    rows.push_back({fmt::format("float64/{}", info(c.op).name), kDoubleBlocks, kDoubleArguments,
                    c.bound_ulp, [&c](std::uint64_t block) {
                      return run_float64(c.op, block, [&c](Random& random) {
                        const bool any = (random.bits() & 1) != 0;
                        return std::pair(any ? random.any_double() : c.dense(random), 0.0);
                      });
                    }});
  // Those of angles last: for large ones the C library is slow.
  const auto is_of_angles = [](Op op) { return op == Op::Sin || op == Op::Cos || op == Op::Tan; };
  for (const bool angles : {false, true})
    for (const Case& c : kCases)
      if (is_of_angles(c.op) == angles)
        rows.push_back({fmt::format("float32/{}", info(c.op).name), kAll / kFloatBlock, kAll,
                        kFloat32Bound,
                        [&c](std::uint64_t block) { return run_float32(c.op, block); }});
  return rows;
}

std::string unit_name(const Row& row, std::uint64_t block) {
  return fmt::format("{}/{}", row.name, block);
}

UnitResult total(const Row& row, const CampaignState& state) {
  UnitResult sum;
  for (std::uint64_t block = 0; block < row.blocks; ++block) {
    const auto it = state.done().find(unit_name(row, block));
    if (it == state.done().end()) continue;
    sum.arguments += it->second.arguments;
    sum.decided_by_mpfr += it->second.decided_by_mpfr;
    sum.reference_ulp = std::max(sum.reference_ulp, it->second.reference_ulp);
    if (it->second.worst_ulp < sum.worst_ulp) continue;
    sum.worst_ulp = it->second.worst_ulp;
    std::copy(std::begin(it->second.worst), std::end(it->second.worst), sum.worst);
  }
  return sum;
}

std::string table(const std::vector<Row>& rows, const CampaignState& state,
                  const std::string& version) {
  std::string text = fmt::format(
      "# How exact the elementary functions are: the campaign\n\n"
      "Written by `elementary_campaign` (tests/elementary/campaign.cpp) for the sources with hash "
      "{}. All float32 arguments\nof functions of one argument are compared with a float64 "
      "reference, the C library's; MPFR decides where that cannot, and says at every\n{}th "
      "argument how far the reference itself is off. Float64 is compared with MPFR. Errors are in "
      "ulp of the type; of a float32 result\nthe reference decided on, up to 2^-15 more than "
      "exact.\n\n"
      "| type/function | arguments done | of | decided by MPFR | largest error | bound | at | "
      "reference off by |\n"
      "|---|---|---|---|---|---|---|---|\n",
      version, kProbe);
  for (const Row& row : rows) {
    const UnitResult sum = total(row, state);
    std::string at = fmt::format("{:a}", sum.worst[0]);
    if (row.name.ends_with("pow")) at += fmt::format(" ^ {:a}", sum.worst[1]);
    const bool has_reference = row.name.starts_with("float32");
    text += fmt::format(
        "| {} | {} ({:.1f}%) | {} | {} | {:.6f} | {} | {} | {} |\n", row.name, sum.arguments,
        100 * static_cast<double>(sum.arguments) / static_cast<double>(row.arguments),
        row.arguments, sum.decided_by_mpfr, sum.worst_ulp, row.bound, at,
        has_reference ? fmt::format("{:.2g}", sum.reference_ulp) : "");
  }
  return text;
}

bool is_good(const UnitResult& sum, const Row& row) {
  return sum.worst_ulp <= row.bound && sum.reference_ulp <= kReferenceBound;
}

int run(const char* state_path, const char* table_path) {
  using Clock = std::chrono::steady_clock;
  const char* limit = std::getenv("TALWEG_CAMPAIGN_SECONDS");
  const auto end = Clock::now() + std::chrono::seconds(limit ? std::atoi(limit) : 600);
  const std::string version = sources_version(TALWEG_SOURCE_DIR);
  CampaignState state(state_path, version);
  const std::vector<Row> all = rows();
  const auto write_table = [&] {
    if (table_path) std::ofstream(table_path) << table(all, state, version);
  };
  for (const Row& row : all) {
    std::uint64_t arguments = 0;
    const auto begin = Clock::now();
    for (std::uint64_t block = 0; block < row.blocks && Clock::now() < end; ++block) {
      if (state.is_done(unit_name(row, block))) continue;
      const UnitResult result = row.run(block);
      arguments += result.arguments;
      state.add(unit_name(row, block), result);
    }
    if (arguments == 0) continue;
    write_table();
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    fmt::print(stderr, "{}: {:.0f} arguments a second\n", row.name,
               static_cast<double>(arguments) / seconds.count());
  }
  write_table();
  std::fputs(table(all, state, version).c_str(), stdout);
  const auto good = [&](const Row& row) { return is_good(total(row, state), row); };
  return std::ranges::all_of(all, good) ? 0 : 1;
}

}  // namespace

}  // namespace talweg::builtins::tests

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: elementary_campaign STATE [TABLE]\n", stderr);
    return 2;
  }
  return talweg::builtins::tests::run(argv[1], argc == 3 ? argv[2] : nullptr);
}
