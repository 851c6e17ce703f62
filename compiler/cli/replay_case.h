// Reference cases: the JSON files that tests/reference/cases/README.md describes, as values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/support/result.h"

namespace talweg::cli {

/// Elements of each tensor, row-major: [tensor][element].
using TensorValues = std::vector<std::vector<double>>;

struct CaseTensor {
  std::string name;  // "0", "1", ... where the case gives none
  std::vector<std::uint64_t> shape;
  std::uint64_t elements = 1;
};

/// A final state: one entry a tensor (nothing where a tensor has none), or one number.
struct CaseState {
  std::string name;
  std::vector<std::optional<std::vector<double>>> tensors;
  std::optional<double> scalar;
};

/// Gradients that do not depend on the parameters, and where they lead.
struct TrajectoryCase {
  std::vector<TensorValues> gradients;  // [step]
  std::vector<TensorValues> params;     // [step], after it
  std::vector<CaseState> states;        // after the last step
  std::vector<double> rates;            // extra.lr, one a step; may be empty
  std::vector<double> losses;           // extra.losses, one a step; may be empty
  std::vector<TensorValues> hessians;   // extra.hess, for steps 1, 1 + every, ...; may be empty
  std::uint64_t hessian_every = 1;
  std::vector<TensorValues> noise;          // extra.noise, one a step; may be empty
  std::vector<std::uint64_t> single_steps;  // of `single_params`
  std::vector<TensorValues> single_params;  // the same run in float32
};

/// A learning rate (and perhaps a momentum) a step.
struct ScheduleCase {
  std::vector<double> values;
  std::vector<double> losses;    // extra.losses, one a step; may be empty
  std::vector<double> momentum;  // extra.momentum; may be empty
};

/// x.A.x / 2 - b.x + sum(C W^2 / 2 + D W): of a vector x and a tensor W.
struct QuadraticData {
  std::vector<double> a, b, c, d;
};

/// A small training problem. Entries that a case does not have are empty.
struct ProblemCase {
  std::string text;              // "linear regression ...", "MLP Dense(10, relu) -> ..."
  std::vector<double> features;  // [samples][inputs], row-major
  std::uint64_t inputs = 0;
  std::vector<double> targets;  // one a sample: values, or 0 and 1
  std::vector<std::uint32_t> labels;
  QuadraticData quadratic;
  std::vector<std::vector<std::uint32_t>> orders;  // of epochs; used in turn
  std::vector<double> batch_loss;                  // before each update
  std::vector<double> epoch_loss_running, epoch_loss_full, epoch_accuracy;
  std::vector<TensorValues> params;                              // after each update
  std::vector<TensorValues> params_after_epoch_1, params_final;  // none or one
};

enum class CaseKind { Trajectory, Schedule, Problem };

struct ReplayCase {
  CaseKind kind = CaseKind::Trajectory;
  std::string name;
  std::string family;  // empty for problems
  nlohmann::ordered_json hyper;
  std::vector<CaseTensor> tensors;
  TensorValues start;  // p0
  double tolerance64 = 0;
  std::optional<double> tolerance32;
  TrajectoryCase trajectory;
  ScheduleCase schedule;
  ProblemCase problem;
};

/// Reads a case from a file, which may be gzip. Failures (Io) name the file and what is wrong with
/// it: missing, not JSON, an entry missing or of the wrong kind or length.
support::Result<ReplayCase> read_case(const std::string& path);
/// The same from text; `path` only names it.
support::Result<ReplayCase> parse_case(const std::string& path, const std::string& text);

/// A trajectory case with these of its tensors only, in this order. Usage failure for other cases,
/// for a tensor that the case does not have and for one named twice.
support::Result<ReplayCase> only_tensors(const ReplayCase& reference,
                                         std::span<const std::size_t> chosen);

}  // namespace talweg::cli
