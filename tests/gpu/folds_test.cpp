// The folds of a step on a GPU give the bits of the host's: fold.c, and what reductions.c and
// line_reductions.c make of it.
#include <catch2/catch.hpp>

#include "tests/gpu/fold_device.h"
#include "tests/gpu/fold_values.h"

namespace talweg::gpu {

namespace {

constexpr double kUntouched = 12345.5;

void check_bits(const double* got, const std::vector<double>& wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO("result " << i << ": " << got[i] << ", not " << wanted[i]);
    REQUIRE(same_bits(got[i], wanted[i]));
  }
}

/// Folds the values that `is_one` names, at their places, as reductions.c does.
template <class IsOne>
double fold_members(std::uint32_t fold, const std::vector<double>& values, const IsOne& is_one) {
  talweg_folding folding;
  talweg_begin_fold(&folding, fold);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_one(i))
      talweg_fold_value(&folding, values[i]);
    else
      talweg_fold_gap(&folding, 1);
  }
  return talweg_end_fold(&folding);
}

FoldExecutor any_executor() {
  return GENERATE(FoldExecutor::Simulator, FoldExecutor::SimulatorReordered, FoldExecutor::Ptx);
}

/// Chunks of tensors as sequences; some tensors take no part, some are not in the domain.
void check_sequences(FoldDevice& device, const std::vector<std::uint64_t>& counts, Values kind) {
  const std::size_t tensors = counts.size();
  std::uint64_t total = 0;
  const RunTable table([&](talweg_run_table& to) {
    total = 0;
    for (std::uint32_t t = 0; t < tensors; ++t) {
      talweg_add_sequence(&to, total, counts[t], t, t);
      total += counts[t];
    }
  });
  device.domain_count = 2;
  device.takes_part.assign(tensors, 1);
  device.in_domain.assign(tensors * 2, 1);
  for (std::size_t t = 0; t < tensors; ++t) {
    if (t % 7 == 5) device.takes_part[t] = 0;
    if (t % 5 == 3) device.in_domain[t * 2 + 1] = 0;
  }
  std::vector<talweg_gpu_fold> folds;
  std::vector<std::vector<double>> values;
  for (const std::uint32_t fold : kFolds) {
    values.push_back(make_values(total, kind, fold + 1));
    folds.push_back(make_fold(fold, device.copy(values.back()), device.doubles(tensors * 3), 3,
                              fold == TALWEG_FOLD_SUM ? 1 : TALWEG_NO_OWNER));
  }
  device.run(table, folds, "talweg_gpu_fold_runs");
  for (std::size_t f = 0; f < folds.size(); ++f) {
    std::uint64_t first = 0;
    for (std::size_t t = 0; t < tensors; ++t) {
      const bool is_in = device.takes_part[t] && (f > 0 || device.in_domain[t * 2 + 1]);
      INFO("fold " << f << ", tensor " << t << " of " << counts[t] << " values");
      check_bits(folds[f].results + t * 3,
                 {is_in ? talweg_fold_sequence(folds[f].fold, values[f].data() + first, counts[t])
                        : talweg_fold_start(folds[f].fold)});
      first += counts[t];
    }
  }
}

}  // namespace

TEST_CASE("sequences of many lengths fold as the host folds them") {
  FoldDevice device(any_executor());
  const Values kind = GENERATE(Values::Plain, Values::Zeros, Values::Infinite, Values::NotANumber);
  check_sequences(device, {0, 1, 2, 63, 64, 65, 31, 33, 1023, 1024, 1, 1025, 2048, 0, 3, 1, 1},
                  kind);
}

TEST_CASE("long sequences fold in two and three levels") {
  FoldDevice device(FoldExecutor::Simulator);
  check_sequences(device, {65537, 10, 1100000}, Values::Plain);
}

TEST_CASE("the PTX text folds a long sequence") {
  FoldDevice device(FoldExecutor::Ptx);
  check_sequences(device, {65537}, Values::Plain);
}

TEST_CASE("nothing is done where the stop word is set") {
  FoldDevice device(any_executor());
  device.stop = 1;
  device.takes_part = {1};
  const RunTable runs([](talweg_run_table& to) { talweg_add_sequence(&to, 0, 4, 0, 0); });
  const ColumnTable columns(
      [](talweg_column_table& to) { talweg_add_columns(&to, 0, 4, 1, 0, 0); });
  const talweg_gpu_fold fold =
      make_fold(TALWEG_FOLD_SUM, device.copy(std::vector<double>{1, 2, 3, 4}),
                device.copy(std::vector<double>{kUntouched}));
  device.run(runs, {fold}, "talweg_gpu_fold_runs");
  device.run(runs, {fold}, "talweg_gpu_fold_members");
  device.run(columns, {fold});
  CHECK(*fold.results == kUntouched);
  device.stop = 0;
  device.run(columns, {fold});
  CHECK(*fold.results == 10);
}

TEST_CASE("tensors fold to groups and to the model, those left out as the start") {
  FoldDevice device(any_executor());
  const std::uint32_t tensors = GENERATE(1U, 2U, 63U, 64U, 65U, 1023U, 1024U, 1025U, 2048U, 5000U);
  const Values kind = GENERATE(Values::Plain, Values::Zeros, Values::NotANumber);
  constexpr std::uint32_t kGroups = 5;  // 3: one tensor; 4: none; the others mixed, 2 only far on
  std::mt19937 random(tensors);
  device.domain_count = 1;
  std::vector<std::vector<std::uint32_t>> members(kGroups);
  for (std::uint32_t t = 0; t < tensors; ++t) {
    device.takes_part.push_back(random() % 4 > 0);
    device.in_domain.push_back(random() % 3 > 0);
    const std::uint32_t group = t == tensors / 2 ? 3 : t > 3000 ? 2 * (random() % 2) : random() % 2;
    device.tensor_groups.push_back(group);
    members[group].push_back(t);
  }
  const RunTable to_groups([&](talweg_run_table& to) {
    for (std::uint32_t g = 0; g < kGroups; ++g)
      talweg_add_members(&to, members[g].data(), static_cast<std::uint32_t>(members[g].size()), g,
                         g);
  });
  const RunTable to_model(
      [&](talweg_run_table& to) { talweg_add_members(&to, nullptr, tensors, 0, TALWEG_NO_OWNER); });
  std::vector<std::vector<double>> values;
  std::vector<talweg_gpu_fold> folds;
  const auto add_fold = [&](std::uint32_t fold, const double* on_device, std::uint32_t domain) {
    folds.push_back(make_fold(fold, on_device, device.doubles(kGroups * 4), 4, domain));
  };
  for (const std::uint32_t fold : kFolds) {
    values.push_back(make_values(tensors, kind, fold + 9));
    add_fold(fold, device.copy(values.back()), fold == TALWEG_FOLD_MAX ? TALWEG_NO_OWNER : 0);
  }
  values.emplace_back(tensors, 1);
  add_fold(TALWEG_FOLD_SUM, nullptr, 0);  // counts
  const auto ranges = [&](std::size_t f, std::size_t t) {
    return device.takes_part[t] != 0 && (folds[f].domain != 0 || device.in_domain[t] != 0);
  };
  device.run(to_groups, folds, "talweg_gpu_fold_members");
  for (std::size_t f = 0; f < folds.size(); ++f)
    for (std::uint32_t g = 0; g < kGroups; ++g) {
      INFO("fold " << f << ", group " << g << ", " << tensors << " tensors");
      check_bits(folds[f].results + g * 4,
                 {fold_members(folds[f].fold, values[f], [&](std::size_t t) {
                   return device.tensor_groups[t] == g && ranges(f, t);
                 })});
    }
  for (talweg_gpu_fold& fold : folds) fold.copies = kGroups;
  device.run(to_model, folds, "talweg_gpu_fold_members");
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const double model =
        fold_members(folds[f].fold, values[f], [&](std::size_t t) { return ranges(f, t); });
    for (std::uint32_t g = 0; g < kGroups; ++g) check_bits(folds[f].results + g * 4, {model});
  }
}

TEST_CASE("groups fold to the model, those without tensors as the start") {
  FoldDevice device(any_executor());
  const std::uint32_t groups = GENERATE(1U, 2U, 64U, 70U, 1100U);
  std::vector<double> present;
  for (std::uint32_t g = 0; g < groups; ++g) present.push_back(g % 3 == 1 ? 0 : g + 1.0);
  const RunTable table(
      [&](talweg_run_table& to) { talweg_add_members(&to, nullptr, groups, 0, TALWEG_NO_OWNER); });
  const std::vector<double> ones(groups, 1);
  for (const std::uint32_t fold : kFolds)
    for (const bool counts : {false, true}) {
      const auto values = counts ? ones : make_values(groups, Values::Plain, fold + 3);
      talweg_gpu_fold folding =
          make_fold(fold, counts ? nullptr : device.copy(values), device.doubles(40));
      folding.copies = 40;
      folding.of_groups = 1;
      folding.present = device.copy(present);
      device.run(table, {folding}, "talweg_gpu_fold_members");
      const double wanted =
          fold_members(fold, values, [&](std::size_t g) { return present[g] != 0; });
      check_bits(folding.results, std::vector<double>(40, wanted));
    }
}

TEST_CASE("row blocks fold to columns") {
  FoldDevice device(any_executor());
  const Values kind = GENERATE(Values::Plain, Values::Zeros, Values::NotANumber);
  // Of tensors of one matrix each; some are not in the domain of the first fold.
  struct Matrix {
    std::uint64_t blocks, columns, first, first_column;
  };
  std::vector<Matrix> matrices;
  std::uint64_t values_in_all = 0, columns_in_all = 0;
  for (const std::uint64_t blocks : {0, 1, 2, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025}) {
    const std::uint64_t columns = blocks == 9 ? 65 : 1 + blocks % 5;
    matrices.push_back({blocks, columns, values_in_all, columns_in_all});
    values_in_all += blocks * columns;
    columns_in_all += columns;
    device.takes_part.push_back(blocks != 63);
    device.in_domain.push_back(blocks != 8);
  }
  device.domain_count = 1;
  const ColumnTable table([&](talweg_column_table& to) {
    for (std::uint32_t t = 0; t < matrices.size(); ++t)
      talweg_add_columns(&to, matrices[t].first, matrices[t].blocks, matrices[t].columns,
                         matrices[t].first_column, t);
  });
  std::vector<std::vector<double>> values;
  std::vector<talweg_gpu_fold> folds;
  for (const std::uint32_t fold : kFolds) {
    values.push_back(make_values(values_in_all, kind, fold + 5));
    folds.push_back(make_fold(fold, device.copy(values.back()),
                              device.copy(std::vector<double>(columns_in_all, kUntouched)), 1,
                              fold == TALWEG_FOLD_SUM ? 0 : TALWEG_NO_OWNER));
  }
  device.run(table, folds);
  for (std::size_t f = 0; f < folds.size(); ++f) {
    std::vector<double> wanted(columns_in_all, kUntouched);
    for (std::size_t t = 0; t < matrices.size(); ++t)
      if (device.takes_part[t] != 0 && (f > 0 || device.in_domain[t] != 0))
        talweg_fold_columns(folds[f].fold, values[f].data() + matrices[t].first, matrices[t].blocks,
                            matrices[t].columns, matrices[t].columns,
                            wanted.data() + matrices[t].first_column);
    INFO("fold " << f);
    check_bits(folds[f].results, wanted);
  }
}

TEST_CASE("long columns fold in two and three levels") {
  FoldDevice device(FoldExecutor::Simulator);
  const std::uint64_t count = GENERATE(65537U, 1100000U);
  device.takes_part = {1};
  const std::uint64_t columns = count > 1000000 ? 1 : 3;
  const ColumnTable table(
      [&](talweg_column_table& to) { talweg_add_columns(&to, 0, count, columns, 0, 0); });
  const auto values = make_values(count * columns, Values::Plain, 2);
  const talweg_gpu_fold fold =
      make_fold(TALWEG_FOLD_SUM, device.copy(values), device.doubles(columns));
  device.run(table, {fold});
  std::vector<double> wanted(columns);
  talweg_fold_columns(fold.fold, values.data(), count, columns, columns, wanted.data());
  check_bits(fold.results, wanted);
}

TEST_CASE("the kernels keep nothing in local memory and round every operation once") {
  const std::string target = GENERATE("nvptx-sm80", "nvptx-sm90", "nvptx-sm100");
  const std::string text = fold_kernels_text(target);
  CHECK(text.find(".entry talweg_gpu_fold_columns") != std::string::npos);
  for (const char* form : {".local", ".approx", ".ftz", "fma.", "mad.f", "mad.rn", "call"}) {
    INFO(target << ": " << form);
    CHECK(text.find(form) == std::string::npos);
  }
}

}  // namespace talweg::gpu
