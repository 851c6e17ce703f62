// Random streams, shuffles, generated data, splits and scaling.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "runtime/train/batches.h"
#include "runtime/train/generate.h"
#include "runtime/train/names.h"
#include "runtime/train/random.h"
#include "runtime/train/scaling.h"
#include "runtime/train/split.h"

using namespace talweg;
using namespace talweg::train;

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("Philox gives the published numbers") {
  // Known answers of the authors' Random123 distribution (kat_vectors).
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams are repeatable and differ by seed, purpose and number") {
  const auto first = [](std::uint64_t seed, RandomPurpose purpose, std::uint32_t stream) {
    return RandomStream(seed, purpose, stream).bits64();
  };
  const std::set<std::uint64_t> different = {
      first(1, RandomPurpose::Data, 0), first(2, RandomPurpose::Data, 0),
      first(1, RandomPurpose::Split, 0), first(1, RandomPurpose::Data, 1),
      first(1ULL << 32U, RandomPurpose::Data, 0)};
  CHECK(different.size() == 5);
  CHECK(first(7, RandomPurpose::Data, 3) == first(7, RandomPurpose::Data, 3));
}

TEST_CASE("draws have their means and stay in bounds") {
  RandomStream random(3, RandomPurpose::Data, 0);
  constexpr int kDraws = 200000;
  double uniform = 0;
  double normal = 0;
  double squares = 0;
  std::array<int, 7> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    REQUIRE((u >= 0 && u < 1));
    uniform += u;
    const double z = random.normal();
    normal += z;
    squares += z * z;
    ++counts.at(random.below(7));
  }
  CHECK(uniform / kDraws == Approx(0.5).margin(0.005));
  CHECK(normal / kDraws == Approx(0).margin(0.01));
  CHECK(squares / kDraws == Approx(1).margin(0.02));
  for (const int count : counts) CHECK(count == Approx(kDraws / 7.0).epsilon(0.03));
  CHECK(random.below(1) == 0);
}

TEST_CASE("a shuffle is a permutation, each as likely") {
  std::array<int, 6> seen{};
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    std::vector<std::uint32_t> values = sequence(3);
    RandomStream random(seed, RandomPurpose::Shuffle, 0);
    shuffle(values, random);
    int rank = 0;
    std::vector<std::uint32_t> order = sequence(3);
    while (order != values) {
      std::next_permutation(order.begin(), order.end());
      ++rank;
    }
    ++seen.at(static_cast<std::size_t>(rank));
  }
  for (const int count : seen) CHECK(count == Approx(1000).margin(120));
}

TEST_CASE("generated lines have the slope, intercept and noise asked for") {
  auto spec = parse_generate_spec("generate:linear?n=20000&noise=0.5&slope=-2&intercept=7");
  REQUIRE(spec.ok());
  const Table table = generate(*spec, 5);
  double sx = 0;
  double sy = 0;
  double sxx = 0;
  double sxy = 0;
  for (std::size_t i = 0; i < table.rows; ++i) {
    const double x = table.features[i];
    const double y = table.target_numbers[i];
    REQUIRE((x >= 0 && x < 2));
    sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  const double n = table.rows;
  const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
  CHECK(slope == Approx(-2).margin(0.03));
  CHECK((sy - slope * sx) / n == Approx(7).margin(0.03));
  CHECK(generate(*spec, 5).features == table.features);
  CHECK(generate(*spec, 6).features != table.features);
}

TEST_CASE("generated classes alternate and lie where they should") {
  const Table moons = generate(*parse_generate_spec("moons?n=1000&noise=0"), 1);
  for (std::size_t i = 0; i < moons.rows; ++i) {
    const bool is_second = moons.target_text[i] == "1";
    const double x = moons.features[2 * i] - (is_second ? 1 : 0);
    const double y = moons.features[2 * i + 1] - (is_second ? 0.5 : 0);
    REQUIRE(x * x + y * y == Approx(1));
    REQUIRE((is_second ? y <= 1e-12 : y >= -1e-12));
  }
  const Table spirals =
      generate(*parse_generate_spec("generate:spirals?n=90&classes=3&noise=0"), 1);
  CHECK(std::count(spirals.target_text.begin(), spirals.target_text.end(), "2") == 30);
}

TEST_CASE("specifications of generated data are checked") {
  using Catch::Contains;
  const auto refusal = [](std::string_view text) {
    auto spec = parse_generate_spec(text);
    REQUIRE(!spec.ok());
    return spec.failure().message;
  };
  CHECK_THAT(refusal("generate:liner"), Contains("did you mean `linear`"));
  CHECK_THAT(refusal("linear?nois=1"), Contains("did you mean `noise`"));
  CHECK_THAT(refusal("linear?n=1"), Contains("whole number"));
  CHECK_THAT(refusal("linear?n=2.5"), Contains("whole number"));
  CHECK_THAT(refusal("linear?n=1e12"), Contains("whole number"));
  CHECK_THAT(refusal("linear?noise=-1"), Contains("number"));
  CHECK_THAT(refusal("linear?noise=nan"), Contains("number"));
  CHECK_THAT(refusal("linear?noise"), Contains("number"));
  CHECK_THAT(refusal("moons?slope=1"), Contains("no `slope`"));
}

TEST_CASE("splits are disjoint, complete and of the size asked for") {
  for (const char* text : {"0.2", "every:5"}) {
    const Split split = *split_rows(*parse_split_spec(text), 1797, 1);
    CHECK(split.validation.size() == (text[0] == 'e' ? 359U : 359U));
    std::vector<std::uint32_t> all = split.training;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::sort(all.begin(), all.end());
    CHECK(all == sequence(1797));
  }
  CHECK(split_rows(*parse_split_spec("0.2"), 100, 1)->validation !=
        split_rows(*parse_split_spec("0.2"), 100, 2)->validation);
  CHECK(split_rows(*parse_split_spec("every:2"), 4, 1)->validation ==
        std::vector<std::uint32_t>{1, 3});
  CHECK(split_rows(*parse_split_spec("0"), 3, 1)->training.size() == 3);
  CHECK(!split_rows(*parse_split_spec("0.01"), 10, 1).ok());
  CHECK(!split_rows(*parse_split_spec("0.99"), 10, 1).ok());
  for (const char* bad : {"1", "-0.1", "nan", "every:1", "every:", "every:99999999999", "x", ""}) {
    CHECK(!parse_split_spec(bad).ok());
  }
}

TEST_CASE("scaling is fitted on the rows it is given") {
  Table table;
  table.feature_names = {"a", "b"};
  table.rows = 3;
  table.features = {1, 5, 3, 5, 100, -7};
  const std::vector<std::uint32_t> rows = {0, 1};
  const Scaling standard = *fit_scaling({ScaleSpec::Kind::Standard}, table, rows);
  CHECK(standard.offset == std::vector<double>{2, 5});
  CHECK(standard.factor == std::vector<double>{1, 0});
  CHECK(fit_scaling({ScaleSpec::Kind::Max}, table, rows)->factor ==
        std::vector<double>{1.0 / 3, 0.2});
  CHECK(fit_scaling(*parse_scale_spec("255"), table, rows)->factor[0] == 1.0 / 255);
  for (const char* bad : {"", "0", "-1", "inf", "nan", "maximum"})
    CHECK(!parse_scale_spec(bad).ok());
}

TEST_CASE("columns that cannot be scaled are named, never silently lost") {
  using Kind = ScaleSpec::Kind;
  Table table;
  table.source = "d.csv";
  table.feature_names = {"fine", "bad"};
  table.rows = 2;
  const std::vector<std::uint32_t> rows = {0, 1};
  const auto fit = [&](Kind kind, double first, double second) {
    table.features = {1, first, 2, second};
    auto scaling = fit_scaling({kind}, table, rows);
    if (scaling) {
      for (const double factor : scaling->factor) CHECK(std::isfinite(factor));
      return std::string();
    }
    CHECK(scaling.failure().kind == support::FailureKind::Io);
    CHECK_THAT(scaling.failure().message, Catch::Contains("d.csv: the column `bad`"));
    return scaling.failure().message;
  };
  CHECK_THAT(fit(Kind::Standard, 1e308, -1e308), Catch::Contains("--scale max"));
  CHECK_THAT(fit(Kind::Standard, 1e308, 1.7e308), Catch::Contains("so large"));
  CHECK_THAT(fit(Kind::Standard, 1e200, 0), Catch::Contains("so large"));
  CHECK_THAT(fit(Kind::Standard, 1e-200, 0), Catch::Contains("so close to each other"));
  CHECK_THAT(fit(Kind::Max, 1e-310, 0), Catch::Contains("so close to 0"));
  CHECK(fit(Kind::Standard, 1e150, -1e150).empty());
  CHECK(fit(Kind::Standard, 1e-150, -1e-150).empty());
  CHECK(fit(Kind::Standard, 0, 0).empty());
  CHECK(fit(Kind::Standard, 1e300, 1e300).empty());
  CHECK(fit(Kind::Max, 1e308, -1.7e308).empty());
  CHECK(fit(Kind::Max, 1e-300, 0).empty());
}

TEST_CASE("features that the compute type cannot hold are refused by row and column") {
  Table table;
  table.source = "d.csv";
  table.feature_names = {"a", "b"};
  table.rows = 2;
  table.features = {1, 2, 3, -1e300};
  table.lines = {2, 4};
  Scaling scaling{{0, 0}, {1, 1}};
  const auto refused = check_range(table, scaling, TALWEG_F32, "do this");
  REQUIRE(!refused.ok());
  CHECK(refused.failure().kind == support::FailureKind::Io);
  CHECK_THAT(refused.failure().message, Catch::Contains("d.csv:4: `b` is -1e+300") &&
                                            Catch::Contains("float32") &&
                                            Catch::Contains("do this"));
  CHECK(check_range(table, scaling, TALWEG_F64, "").ok());
  scaling.factor[1] = 1e-300;
  CHECK(check_range(table, scaling, TALWEG_F32, "").ok());
  scaling.factor[1] = 1e10;
  CHECK(!check_range(table, scaling, TALWEG_F64, "").ok());
}

TEST_CASE("patterns match whole names") {
  CHECK(matches_pattern("layers.0.*", "layers.0.weight"));
  CHECK(matches_pattern("*", ""));
  CHECK(matches_pattern("*.bias", "layers.10.bias"));
  CHECK(matches_pattern("layers.?.bias", "layers.1.bias"));
  CHECK(!matches_pattern("layers.?.bias", "layers.10.bias"));
  CHECK(!matches_pattern("layers", "layers.0"));
  CHECK(!matches_pattern("", "a"));
  CHECK(!matches_pattern(std::string(200, '*') + "b", std::string(2000, 'a')));
}

TEST_CASE("batches cover an epoch in the order asked for") {
  LoopSettings settings;
  settings.batch = 4;
  settings.seed = 9;
  auto plan = BatchPlan::create(settings, 10);
  REQUIRE(plan.ok());
  plan->start(0);
  CHECK(plan->count() == 3);
  std::vector<std::uint32_t> first;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto batch = plan->batch(i);
    first.insert(first.end(), batch.begin(), batch.end());
  }
  std::vector<std::uint32_t> sorted = first;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == sequence(10));
  CHECK(first != sequence(10));
  plan->start(1);
  CHECK(plan->batch(0)[0] != first[0]);
  plan->start(0);
  CHECK(plan->batch(0)[0] == first[0]);

  settings.drop_last = true;
  plan = BatchPlan::create(settings, 10);
  plan->start(0);
  CHECK(plan->count() == 2);
  CHECK(!BatchPlan::create(settings, 3).ok());

  settings.drop_last = false;
  settings.shuffle = Shuffle::Once;
  plan = BatchPlan::create(settings, 10);
  plan->start(0);
  const std::vector<std::uint32_t> once(plan->batch(0).begin(), plan->batch(0).end());
  plan->start(5);
  CHECK(std::vector<std::uint32_t>(plan->batch(0).begin(), plan->batch(0).end()) == once);

  settings.order = {{3, 3, 1}, {0}};
  plan = BatchPlan::create(settings, 4);
  plan->start(2);
  CHECK(plan->batch(0)[1] == 3);
  CHECK(!BatchPlan::create(settings, 3).ok());
  settings.order = {{}};
  CHECK(!BatchPlan::create(settings, 3).ok());
}
