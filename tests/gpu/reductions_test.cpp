// Reductions of every source and rate, folded by the kernels in their stages, are those that
// reductions.c and line_reductions.c fold.
#include <catch2/catch.hpp>

#include "tests/gpu/fold_device.h"
#include "tests/gpu/fold_values.h"
#include "tests/gpu/host_reductions.h"

namespace talweg::gpu {

namespace {

constexpr std::uint32_t kGroups = 4, kNone = TALWEG_NO_OWNER;

bool has_lines(const talweg_reduction_info& info) {
  return info.source == TALWEG_FROM_MATRICES || info.source == TALWEG_FROM_ROWS ||
         info.source == TALWEG_FROM_COLS;
}

/// Every source to every rate that it can have, with and without a domain, and counts.
std::vector<talweg_reduction_info> all_reductions() {
  std::vector<talweg_reduction_info> infos;
  const auto add = [&](int source, int rate, int counts) {
    for (const std::uint32_t domain : {kNone, 0U})
      infos.push_back({.fold = static_cast<std::uint8_t>(counts ? 0 : kFolds[infos.size() % 3]),
                       .source = static_cast<std::uint8_t>(source),
                       .rate = static_cast<std::uint8_t>(rate),
                       .counts = static_cast<std::uint8_t>(counts),
                       .phase = 0,
                       .partial = 0,
                       .domain = domain,
                       .blocks = UINT32_MAX});
  };
  for (const int rate : {TALWEG_RATE_TENSOR, TALWEG_RATE_GROUP, TALWEG_RATE_MODEL}) {
    for (const int source :
         {TALWEG_FROM_CHUNKS, TALWEG_FROM_MATRICES, TALWEG_FROM_ROWS, TALWEG_FROM_COLS})
      for (int repeat = 0; repeat < 2; ++repeat) add(source, rate, 0);
    add(TALWEG_FROM_CHUNKS, rate, 1);
    if (rate == TALWEG_RATE_TENSOR) continue;
    add(TALWEG_FROM_TENSORS, rate, 0);
    add(TALWEG_FROM_TENSORS, rate, 1);
  }
  for (const int counts : {0, 1}) add(TALWEG_FROM_GROUPS, TALWEG_RATE_MODEL, counts);
  for (const int source : {TALWEG_FROM_ROWS, TALWEG_FROM_COLS}) add(source, TALWEG_RATE_MATRIX, 0);
  return infos;
}

/// A model, its values, and what the host makes of them.
struct Model {
  std::uint32_t tensors;
  std::vector<talweg_reduction_info> infos = all_reductions();
  std::vector<std::uint32_t> tensor_groups, group_begins{0}, group_tensors, first_chunks{0};
  std::vector<std::uint8_t> takes_part, in_domain;
  std::vector<std::uint64_t> element_counts;
  std::vector<talweg_matrix_view> views;
  std::uint64_t matrices = 0, rows = 0, cols = 0;
  std::vector<double> chunk_values, tensor_values, group_values, matrix_values, row_values,
      col_values, reduced, tensor_reduced, matrix_reduced;

  Model(std::uint32_t count, Values kind) : tensors(count) {
    std::mt19937 random(count);
    for (std::uint32_t t = 0; t < tensors; ++t) {
      tensor_groups.push_back(random() % 10 == 0 ? 1 : t < tensors / 2 ? 0 : 3);  // 2: empty
      takes_part.push_back(random() % 4 > 0);
      in_domain.push_back(random() % 3 > 0);
      element_counts.push_back(random() % 100000);
      first_chunks.push_back(first_chunks.back() + (t == 5 ? 1500 : random() % 4));
      talweg_matrix_view view{};
      view.outer = random() % 3;
      view.inner = view.last = 1;
      view.rows = t == 5 ? 1100 : 1 + random() % 3;
      view.cols = t == 6 ? 1025 : random() % 5;
      view.first_matrix = matrices;
      view.first_row = rows;
      view.first_col = cols;
      matrices += view.outer;
      rows += view.outer * view.rows;
      cols += view.outer * view.cols;
      views.push_back(view);
    }
    for (std::uint32_t g = 0; g < kGroups; ++g) {
      for (std::uint32_t t = 0; t < tensors; ++t)
        if (tensor_groups[t] == g) group_tensors.push_back(t);
      group_begins.push_back(static_cast<std::uint32_t>(group_tensors.size()));
    }
    chunk_values = make_values(first_chunks.back(), kind, 1);
    tensor_values = make_values(tensors, kind, 2);
    group_values = make_values(kGroups, kind, 3);
    matrix_values = make_values(matrices, kind, 4);
    row_values = make_values(rows, kind, 5);
    col_values = make_values(cols, kind, 6);
    reduced.resize((1 + kGroups) * infos.size());
    tensor_reduced.resize(tensors * infos.size());
    matrix_reduced.resize(matrices * infos.size());
    const host_reductions host{.infos = infos.data(),
                               .reduction_count = static_cast<std::uint32_t>(infos.size()),
                               .tensor_count = tensors,
                               .group_count = kGroups,
                               .domain_count = 1,
                               .tensor_groups = tensor_groups.data(),
                               .group_begins = group_begins.data(),
                               .group_tensors = group_tensors.data(),
                               .takes_part = takes_part.data(),
                               .in_domain = in_domain.data(),
                               .element_counts = element_counts.data(),
                               .first_chunks = first_chunks.data(),
                               .views = views.data(),
                               .chunks = chunk_values.data(),
                               .tensors = tensor_values.data(),
                               .groups = group_values.data(),
                               .matrices = matrix_values.data(),
                               .rows = row_values.data(),
                               .cols = col_values.data(),
                               .reduced = reduced.data(),
                               .tensor_reduced = tensor_reduced.data(),
                               .matrix_reduced = matrix_reduced.data()};
    fold_on_host(&host);
  }
};

/// What of a model is in memory of the device: its tables of runs, made once.
struct OnDevice {
  const Model& model;
  FoldDevice device;
  RunTable chunks, rows, cols, matrices, each, groups, all, of_groups;
  double *chunk_values, *tensor_values, *group_values, *matrix_values, *row_values, *col_values,
      *counts;

  OnDevice(const Model& of, FoldExecutor executor)
      : model(of),
        device(executor),
        chunks([&](talweg_run_table& to) {
          for (std::uint32_t t = 0; t < of.tensors; ++t)
            talweg_add_sequence(&to, of.first_chunks[t],
                                of.first_chunks[t + 1] - of.first_chunks[t], t, t);
        }),
        rows([&](talweg_run_table& to) {
          for (std::uint32_t t = 0; t < of.tensors; ++t)
            for (std::uint64_t m = 0; m < of.views[t].outer; ++m)
              talweg_add_sequence(&to, of.views[t].first_row + m * of.views[t].rows,
                                  of.views[t].rows, of.views[t].first_matrix + m, t);
        }),
        cols([&](talweg_run_table& to) {
          for (std::uint32_t t = 0; t < of.tensors; ++t)
            for (std::uint64_t m = 0; m < of.views[t].outer; ++m)
              talweg_add_sequence(&to, of.views[t].first_col + m * of.views[t].cols,
                                  of.views[t].cols, of.views[t].first_matrix + m, t);
        }),
        matrices([&](talweg_run_table& to) {
          for (std::uint32_t t = 0; t < of.tensors; ++t)
            talweg_add_sequence(&to, of.views[t].first_matrix, of.views[t].outer, t, t);
        }),
        each([&](talweg_run_table& to) {
          for (std::uint32_t t = 0; t < of.tensors; ++t) talweg_add_sequence(&to, t, 1, t, t);
        }),
        groups([&](talweg_run_table& to) {
          for (std::uint32_t g = 0; g < kGroups; ++g)
            talweg_add_members(&to, of.group_tensors.data() + of.group_begins[g],
                               of.group_begins[g + 1] - of.group_begins[g], g, g);
        }),
        all([&](talweg_run_table& to) { talweg_add_members(&to, nullptr, of.tensors, 0, kNone); }),
        of_groups(
            [&](talweg_run_table& to) { talweg_add_members(&to, nullptr, kGroups, 0, kNone); }),
        chunk_values(device.copy(of.chunk_values)),
        tensor_values(device.copy(of.tensor_values)),
        group_values(device.copy(of.group_values)),
        matrix_values(device.copy(of.matrix_values)),
        row_values(device.copy(of.row_values)),
        col_values(device.copy(of.col_values)),
        counts(
            device.copy(std::vector<double>(of.element_counts.begin(), of.element_counts.end()))) {
    device.takes_part = of.takes_part;
    device.in_domain = of.in_domain;
    device.tensor_groups = of.tensor_groups;
    device.domain_count = 1;
  }

  double* fold(const RunTable& runs, const char* kernel, talweg_gpu_fold fold, std::size_t places) {
    fold.results = device.doubles(places);
    device.run(runs, {fold}, kernel);
    return fold.results;
  }

  /// [tensor], where they are folded from others; null: 1 each.
  double* values_of_tensors(const talweg_reduction_info& info, double* of_matrices) {
    const auto to_tensors =
        make_fold(info.fold, info.source == TALWEG_FROM_CHUNKS ? chunk_values : of_matrices,
                  nullptr, 1, info.domain);
    if (has_lines(info)) return fold(matrices, "talweg_gpu_fold_runs", to_tensors, model.tensors);
    if (info.counts) return info.source == TALWEG_FROM_CHUNKS ? counts : nullptr;
    if (info.source == TALWEG_FROM_TENSORS) return tensor_values;
    return fold(chunks, "talweg_gpu_fold_runs", to_tensors, model.tensors);
  }

  double* values_of_matrices(const talweg_reduction_info& info) {
    if (info.source == TALWEG_FROM_MATRICES) return matrix_values;
    const bool from_rows = info.source == TALWEG_FROM_ROWS;
    return fold(from_rows ? rows : cols, "talweg_gpu_fold_runs",
                make_fold(info.fold, from_rows ? row_values : col_values, nullptr, 1, info.domain),
                model.matrices);
  }

  double* values_of_groups(const talweg_reduction_info& info, double* of_tensors) {
    return fold(groups, "talweg_gpu_fold_members",
                make_fold(info.fold, of_tensors, nullptr, 1, info.domain), kGroups);
  }

  double* value_of_model(const talweg_reduction_info& info, double* of_tensors) {
    if (info.source != TALWEG_FROM_GROUPS)
      return fold(all, "talweg_gpu_fold_members",
                  make_fold(info.fold, of_tensors, nullptr, 1, info.domain), 1);
    auto of_all = make_fold(info.fold, info.counts ? nullptr : group_values, nullptr);
    of_all.of_groups = 1;
    const talweg_reduction_info count{.fold = TALWEG_FOLD_SUM,
                                      .source = TALWEG_FROM_TENSORS,
                                      .rate = TALWEG_RATE_GROUP,
                                      .counts = 1,
                                      .phase = 0,
                                      .partial = 0,
                                      .domain = info.domain,
                                      .blocks = UINT32_MAX};
    of_all.present = values_of_groups(count, nullptr);
    return fold(of_groups, "talweg_gpu_fold_members", of_all, 1);
  }
};

}  // namespace

TEST_CASE("reductions of every source and rate are the host's") {
  const Model model(GENERATE(70U, 1100U), GENERATE(Values::Plain, Values::Zeros, Values::Infinite));
  OnDevice on(model, GENERATE(FoldExecutor::SimulatorReordered, FoldExecutor::Ptx));
  const std::size_t columns = model.infos.size();
  for (std::size_t r = 0; r < columns; ++r) {
    const talweg_reduction_info& info = model.infos[r];
    INFO("source " << +info.source << ", rate " << +info.rate << ", fold " << +info.fold
                   << ", counts " << +info.counts << ", domain " << info.domain);
    double* of_matrices = has_lines(info) ? on.values_of_matrices(info) : nullptr;
    double* of_tensors =
        info.source == TALWEG_FROM_GROUPS ? nullptr : on.values_of_tensors(info, of_matrices);
    if (info.counts && info.rate == TALWEG_RATE_TENSOR)
      of_tensors =
          on.fold(on.each, "talweg_gpu_fold_runs",
                  make_fold(info.fold, of_tensors, nullptr, 1, info.domain), model.tensors);
    const auto check = [&](double got, const std::vector<double>& wanted, std::size_t row) {
      INFO("row " << row << ": " << got << ", not " << wanted[row * columns + r]);
      REQUIRE(same_bits(got, wanted[row * columns + r]));
    };
    if (info.rate == TALWEG_RATE_MODEL) {
      check(*on.value_of_model(info, of_tensors), model.reduced, 0);
    } else if (info.rate == TALWEG_RATE_GROUP) {
      const double* got = on.values_of_groups(info, of_tensors);
      for (std::uint32_t g = 0; g < kGroups; ++g) check(got[g], model.reduced, g + 1);
    } else {
      for (std::uint32_t t = 0; t < model.tensors; ++t) {
        if (!model.takes_part[t]) continue;
        if (info.rate == TALWEG_RATE_MATRIX)
          for (std::uint64_t m = 0; m < model.views[t].outer; ++m)
            check(of_matrices[model.views[t].first_matrix + m], model.matrix_reduced,
                  model.views[t].first_matrix + m);
        else
          check(of_tensors[t], model.tensor_reduced, t);
      }
    }
  }
}

}  // namespace talweg::gpu
