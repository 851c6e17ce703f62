// See optimizer_state.h. Goes over Optimizer::persistent() and knows nothing else of an optimizer.
#include "runtime/checkpoint/optimizer_state.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/checkpoint/message_text.h"
#include "runtime/checkpoint/named_tensors.h"

namespace talweg::checkpoint {

using optimizer::PersistentEntry;
using optimizer::PersistentKind;
using support::Failure;
using support::FailureKind;

namespace {

support::Result<std::vector<TensorTarget>> targets_of(const std::vector<PersistentEntry>& entries) {
  std::vector<TensorTarget> targets;
  targets.reserve(entries.size());
  for (const PersistentEntry& entry : entries) {
    const auto type = tensor_type_of(entry.dtype);
    if (!type)
      return Failure{FailureKind::Usage,
                     in_quotes(entry.name) + " has a type that cannot be saved yet"};
    targets.push_back({entry.name, *type, entry.shape, entry.data});
  }
  return targets;
}

bool is_allowed(PersistentKind kind, double value) {
  constexpr double kMaxCount = 9007199254740992.0;  // 2^53
  switch (kind) {
    case PersistentKind::Value:
      return true;
    case PersistentKind::Counter:
      return value >= 0 && value <= kMaxCount && value == std::floor(value);
    case PersistentKind::Flag:
      return value == 0 || value == 1;
  }
  return false;
}

/// Counters and flags are float64 scalars; `file` was matched.
support::Status check_values(const Safetensors& file, const std::vector<PersistentEntry>& entries,
                             const std::string& name) {
  for (const PersistentEntry& entry : entries) {
    if (entry.kind == PersistentKind::Value) continue;
    double value = 0;
    std::memcpy(&value, file.data(*file.find(entry.name)).data(), sizeof value);
    if (!is_allowed(entry.kind, value))
      return Failure{FailureKind::Io, name + " has a value of " + in_quotes(entry.name) +
                                          " that cannot be: " + std::to_string(value)};
  }
  return support::ok();
}

/// The states belong to parameters that a swapped-in view stands in for, or a step is under way.
support::Status refuse_between(const optimizer::Optimizer& optimizer, const std::string& what) {
  if (optimizer.is_waiting())
    return Failure{FailureKind::Usage, "a step of rule " + in_quotes(optimizer.image().name) +
                                           " waits for another gradient: give it that, or abandon "
                                           "it, before its optimizer is " +
                                           what};
  if (optimizer.swapped_in().empty()) return support::ok();
  return Failure{FailureKind::Usage,
                 "view " + in_quotes(std::string(optimizer.swapped_in())) +
                     " is swapped in for the parameters: swap it out before its optimizer is " +
                     what};
}

}  // namespace

support::Status save_optimizer(const std::filesystem::path& path, optimizer::Optimizer& optimizer,
                               const Metadata& metadata) {
  if (support::Status status = refuse_between(optimizer, "saved"); !status) return status;
  if (support::Status fetched = optimizer.fetch_states(); !fetched) return fetched;
  const support::Result<std::vector<TensorTarget>> targets = targets_of(optimizer.persistent());
  if (!targets) return targets.failure();
  std::vector<TensorView> views;
  views.reserve(targets->size());
  for (const TensorTarget& target : *targets)
    views.push_back({target.name, target.type, target.shape, target.data});
  Metadata all = metadata;
  all.emplace("rule", optimizer.image().name);
  return write_safetensors(path, views, all);
}

support::Status load_optimizer(const std::filesystem::path& path, optimizer::Optimizer& optimizer) {
  if (support::Status status = refuse_between(optimizer, "loaded"); !status) return status;
  if (support::Status fetched = optimizer.fetch_states(); !fetched) return fetched;
  const std::vector<PersistentEntry> entries = optimizer.persistent();
  const support::Result<std::vector<TensorTarget>> targets = targets_of(entries);
  if (!targets) return targets.failure();
  const support::Result<Safetensors> file = Safetensors::read(path);
  if (!file) return file.failure();
  if (support::Status matched = match_tensors(*file, *targets, path.string()); !matched)
    return matched;
  if (support::Status checked = check_values(*file, entries, path.string()); !checked)
    return checked;
  copy_tensors(*file, *targets);
  return support::ok();
}

}  // namespace talweg::checkpoint
