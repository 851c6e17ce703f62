// Reads reference cases. The JSON library reports what is wrong by exceptions; they end in
// parse_case.
#include "compiler/cli/replay_case.h"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

#include "runtime/train/data_file.h"

namespace talweg::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Largest case that is taken seriously, unpacked.
constexpr std::uint64_t kMaxCaseBytes = std::uint64_t{256} << 20U;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 24U;

/// Something in the file is not as its description says.
struct CaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse(std::string what) { throw CaseError(std::move(what)); }

double number(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  refuse(std::string("a number was expected, not a value of type ") + json.type_name());
}

std::uint64_t count(const Json& json) {
  if (!json.is_number_unsigned())
    refuse(std::string("a count was expected, not a value of type ") + json.type_name());
  return json.get<std::uint64_t>();
}

const Json& list(const Json& json) {
  if (!json.is_array())
    refuse(std::string("a list was expected, not a value of type ") + json.type_name());
  return json;
}

std::vector<double> numbers(const Json& json) {
  std::vector<double> values;
  values.reserve(list(json).size());
  for (const Json& item : json) values.push_back(number(item));
  return values;
}

std::vector<std::uint32_t> indices(const Json& json) {
  std::vector<std::uint32_t> values;
  for (const Json& item : list(json)) {
    const std::uint64_t value = count(item);
    if (value > std::numeric_limits<std::uint32_t>::max())
      refuse("a number of a sample is too large");
    values.push_back(static_cast<std::uint32_t>(value));
  }
  return values;
}

/// [tensor][element], checked against the shapes.
TensorValues tensor_values(const Json& json, const std::vector<CaseTensor>& tensors) {
  if (list(json).size() != tensors.size())
    refuse(fmt::format("{} tensors were expected, not {}", tensors.size(), json.size()));
  TensorValues values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    values.push_back(numbers(json[i]));
    if (values[i].size() != tensors[i].elements)
      refuse(fmt::format("tensor {} has {} elements, not {}", i, tensors[i].elements,
                         values[i].size()));
  }
  return values;
}

/// [element] over all tensors in order, as problems write their points; or [tensor][element].
TensorValues point_values(const Json& json, const std::vector<CaseTensor>& tensors) {
  if (list(json).empty() || !json[0].is_number()) return tensor_values(json, tensors);
  const std::vector<double> flat = numbers(json);
  TensorValues values;
  std::size_t next = 0;
  for (const CaseTensor& tensor : tensors) {
    if (flat.size() - next < tensor.elements) refuse("a point has too few coordinates");
    values.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(next),
                        flat.begin() + static_cast<std::ptrdiff_t>(next + tensor.elements));
    next += tensor.elements;
  }
  if (next != flat.size()) refuse("a point has too many coordinates");
  return values;
}

std::vector<TensorValues> steps_of(const Json& json, const std::vector<CaseTensor>& tensors) {
  std::vector<TensorValues> steps;
  for (const Json& step : list(json)) steps.push_back(point_values(step, tensors));
  return steps;
}

std::vector<CaseTensor> tensors_of(const Json& json) {
  std::vector<CaseTensor> tensors;
  for (const Json& item : list(json)) {
    CaseTensor tensor;
    tensor.name = item.value("name", std::to_string(tensors.size()));
    for (const Json& extent : list(item.at("shape"))) {
      tensor.shape.push_back(count(extent));
      if (tensor.shape.back() > kMaxElements) refuse("a tensor is too large");
      tensor.elements *= tensor.shape.back();
      if (tensor.elements > kMaxElements) refuse("a tensor is too large");
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// An entry that may be missing.
const Json* find(const Json& json, const char* key) {
  const auto entry = json.find(key);
  return entry == json.end() || entry->is_null() ? nullptr : &*entry;
}

std::vector<double> optional_numbers(const Json& json, const char* key) {
  const Json* entry = find(json, key);
  return entry ? numbers(*entry) : std::vector<double>{};
}

/// A final state; nothing if it has not one entry for each tensor. Entries may be shorter than the
/// tensors: states of rows and columns.
std::optional<CaseState> state_of(const std::string& name, const Json& json,
                                  const std::vector<CaseTensor>& tensors) {
  CaseState state;
  state.name = name;
  if (json.is_number()) {
    state.scalar = number(json);
    return state;
  }
  if (list(json).size() != tensors.size()) return std::nullopt;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (json[i].is_null()) {
      state.tensors.emplace_back();
      continue;
    }
    state.tensors.emplace_back(numbers(json[i]));
  }
  return state;
}

void read_single(const Json& json, ReplayCase& result) {
  result.tolerance32 = number(json.at("tol").at("float32"));
  const Json& single = json.at("f32");
  for (const Json& step : list(single.at("steps")))
    result.trajectory.single_steps.push_back(count(step));
  result.trajectory.single_params = steps_of(single.at("params"), result.tensors);
  if (result.trajectory.single_params.size() != result.trajectory.single_steps.size())
    refuse("`f32` has another number of steps than of points");
  for (const std::uint64_t step : result.trajectory.single_steps)
    if (step < 1 || step > result.trajectory.params.size())
      refuse("`f32` names a step there is not");
}

void read_trajectory(const Json& json, ReplayCase& result) {
  TrajectoryCase& trajectory = result.trajectory;
  trajectory.gradients = steps_of(json.at("grads"), result.tensors);
  trajectory.params = steps_of(json.at("params"), result.tensors);
  if (trajectory.params.size() != trajectory.gradients.size() || trajectory.params.empty())
    refuse("`grads` and `params` must have the same number of steps, at least one");
  if (const Json* extra = find(json, "extra")) {
    trajectory.rates = optional_numbers(*extra, "lr");
    trajectory.losses = optional_numbers(*extra, "losses");
    for (const auto* series : {&trajectory.rates, &trajectory.losses})
      if (!series->empty() && series->size() != trajectory.params.size())
        refuse("`extra.lr` and `extra.losses` must have one value a step");
    if (const Json* noise = find(*extra, "noise")) {
      trajectory.noise = steps_of(*noise, result.tensors);
      if (trajectory.noise.size() != trajectory.params.size())
        refuse("`extra.noise` must have one entry a step");
    }
    if (const Json* hessians = find(*extra, "hess")) {
      trajectory.hessians = steps_of(*hessians, result.tensors);
      trajectory.hessian_every = count(result.hyper.at("k"));
      if (trajectory.hessian_every < 1) refuse("`k` must be at least 1");
    }
  }
  if (const Json* states = find(json, "state"))
    for (const auto& [name, state] : states->items())
      if (auto read = state_of(name, state, result.tensors))
        trajectory.states.push_back(std::move(*read));
  if (find(json, "f32") != nullptr) read_single(json, result);
}

void read_schedule(const Json& json, ReplayCase& result) {
  ScheduleCase& schedule = result.schedule;
  schedule.values = numbers(json.at("values"));
  if (const Json* extra = find(json, "extra")) {
    schedule.losses = optional_numbers(*extra, "losses");
    schedule.momentum = optional_numbers(*extra, "momentum");
  }
  for (const auto* series : {&schedule.losses, &schedule.momentum})
    if (!series->empty() && series->size() != schedule.values.size())
      refuse("`values` and `extra` must have the same number of steps");
}

void read_data(const Json& data, ProblemCase& problem) {
  if (const Json* x = find(data, "x")) {
    problem.features = numbers(*x);
    problem.inputs = 1;
  } else if (const Json* matrix = find(data, "X")) {
    problem.features = numbers(*matrix);
    problem.inputs = count(data.at("X_shape").at(1));
  }
  problem.quadratic = {optional_numbers(data, "A"), optional_numbers(data, "b"),
                       optional_numbers(data, "C"), optional_numbers(data, "D")};
  problem.targets = optional_numbers(data, "y");
  if (const Json* labels = find(data, "label")) problem.labels = indices(*labels);
  const std::size_t samples =
      problem.targets.empty() ? problem.labels.size() : problem.targets.size();
  if (problem.features.size() != samples * problem.inputs)
    refuse("features and targets have different numbers of samples");
}

void read_problem(const Json& json, ReplayCase& result) {
  ProblemCase& problem = result.problem;
  problem.text = json.value("problem", "");
  if (const Json* data = find(json, "data")) read_data(*data, problem);
  if (const Json* extra = find(json, "extra")) {
    if (const Json* order = find(*extra, "order")) problem.orders.push_back(indices(*order));
    if (const Json* order = find(*extra, "indices")) problem.orders.push_back(indices(*order));
    if (const Json* orders = find(*extra, "permutations"))
      for (const Json& order : list(*orders)) problem.orders.push_back(indices(order));
  }
  problem.batch_loss =
      optional_numbers(json, find(json, "loss") != nullptr ? "loss" : "batch_loss");
  problem.epoch_loss_running = optional_numbers(json, "epoch_loss_running");
  problem.epoch_loss_full = optional_numbers(json, "epoch_loss_full");
  problem.epoch_accuracy = optional_numbers(json, "epoch_accuracy");
  if (const Json* params = find(json, "params")) problem.params = steps_of(*params, result.tensors);
  if (const Json* params = find(json, "params_after_epoch_1"))
    problem.params_after_epoch_1.push_back(point_values(*params, result.tensors));
  if (const Json* params = find(json, "params_final"))
    problem.params_final.push_back(point_values(*params, result.tensors));
}

ReplayCase case_of(const Json& json) {
  ReplayCase result;
  result.name = json.at("name").get<std::string>();
  result.family = json.value("family", "");
  result.hyper = json.at("hyper");
  if (!result.hyper.is_object()) refuse("`hyper` must hold names and values");
  result.tolerance64 = number(json.at("tol").at("float64"));
  if (find(json, "values") != nullptr) {
    result.kind = CaseKind::Schedule;
    read_schedule(json, result);
    return result;
  }
  result.tensors = tensors_of(json.at("tensors"));
  result.start = tensor_values(json.at("p0"), result.tensors);
  result.kind = find(json, "grads") != nullptr ? CaseKind::Trajectory : CaseKind::Problem;
  if (result.kind == CaseKind::Trajectory) {
    read_trajectory(json, result);
  } else {
    read_problem(json, result);
  }
  return result;
}

/// Values nested without end would overflow the stack of whoever walks or copies them.
Json parse_json(const std::string& text) {
  static constexpr int kMaxDepth = 64;
  return Json::parse(text, [](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) refuse(fmt::format("values are nested more than {} deep", kMaxDepth));
    return true;
  });
}

}  // namespace

support::Result<ReplayCase> parse_case(const std::string& path, const std::string& text) {
  const auto failure = [&](const std::string& why) {
    return support::Failure{support::FailureKind::Io,
                            fmt::format("{}: not a reference case: {}", path, why)};
  };
  try {
    return case_of(parse_json(text));
  } catch (const CaseError& error) {
    return failure(error.what());
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at ...": the number is of no use to a reader.
    const std::string text_of_error = error.what();
    const std::size_t bracket = text_of_error.find("] ");
    return failure(bracket == std::string::npos ? text_of_error
                                                : text_of_error.substr(bracket + 2));
  }
}

support::Result<ReplayCase> read_case(const std::string& path) {
  auto text = train::read_data_file(path, kMaxCaseBytes);
  if (!text) return text.failure();
  return parse_case(path, *text);
}

}  // namespace talweg::cli
