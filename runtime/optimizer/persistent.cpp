// What an optimizer keeps, read out by name, and all of it as one list.
#include <stdexcept>
#include <utility>

#include "runtime/optimizer/optimizer_impl.h"

namespace talweg::optimizer {

using support::Failure;
using support::FailureKind;

namespace {

/// Of the model or of a group.
bool is_scalar(const talweg_state_info& state) {
  return state.rate == TALWEG_RATE_MODEL || state.rate == TALWEG_RATE_GROUP;
}

}  // namespace

support::Result<double> Optimizer::scalar(std::string_view name, std::uint32_t group) const {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.states, image.state_count, name);
  if (!row || !is_scalar(image.states[*row])) {
    const auto hyper_row = find_row(image.hypers, image.hyper_count, name);
    if (hyper_row && image.hypers[*hyper_row].bound != 0) return hyper(name, group);
    return unknown_name("scalar state or bound hyper", image.states, image.state_count, name,
                        image);
  }
  talweg_error error{};
  double value = 0;
  if (talweg_get_scalar(impl_->optimizer, *row, group, &value, &error) != TALWEG_OK)
    return to_failure(error);
  return value;
}

support::Result<double> Optimizer::tensor_scalar(std::string_view name, std::size_t tensor) const {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.states, image.state_count, name);
  if (!row || image.states[*row].rate != TALWEG_RATE_TENSOR)
    return unknown_name("tensor state", image.states, image.state_count, name, image);
  if (tensor >= impl_->tensors.size())
    return Failure{FailureKind::Usage, "there is no tensor " + std::to_string(tensor)};
  talweg_error error{};
  double value = 0;
  if (talweg_get_tensor_scalar(impl_->optimizer, *row, static_cast<std::uint32_t>(tensor), &value,
                               &error) != TALWEG_OK)
    return to_failure(error);
  return value;
}

support::Result<const void*> Optimizer::state(std::string_view name, std::size_t tensor) const {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.states, image.state_count, name);
  if (!row || image.states[*row].rate != TALWEG_RATE_ELEMENT)
    return unknown_name("element state", image.states, image.state_count, name, image);
  if (tensor >= impl_->tensors.size())
    return Failure{FailureKind::Usage, "there is no tensor " + std::to_string(tensor)};
  void* start = talweg_element_state(impl_->optimizer, *row, static_cast<std::uint32_t>(tensor));
  if (start == nullptr && !impl_->is_empty(tensor))
    return Failure{FailureKind::Usage, "tensor `" + impl_->tensors[tensor].name +
                                           "` does not keep state `" + std::string(name) +
                                           "`: it takes another arm of a `when`"};
  if (const support::Status fetched = impl_->core->fetch_states(); !fetched)
    return fetched.failure();
  return impl_->core->shown(start, false);
}

namespace {

PersistentEntry scalar_entry(std::string name, PersistentKind kind, double* value) {
  PersistentEntry entry;
  entry.name = std::move(name);
  entry.kind = kind;
  entry.dtype = TALWEG_F64;
  entry.data = value;
  return entry;
}

}  // namespace

void Optimizer::Impl::list_states(std::vector<PersistentEntry>& entries) const {
  const auto tensor_count = static_cast<std::uint32_t>(tensors.size());
  for (std::uint32_t s = 0; s < image->state_count; ++s) {
    const talweg_state_info& info = image->states[s];
    const std::string name = info.name;
    if (info.rate == TALWEG_RATE_MODEL)
      entries.push_back(
          scalar_entry(name, PersistentKind::Value, talweg_scalar_state(optimizer, s, 0)));
    for (std::uint32_t g = 0; g < group_count && info.rate == TALWEG_RATE_GROUP; ++g)
      entries.push_back(scalar_entry(name + "@" + std::to_string(g), PersistentKind::Value,
                                     talweg_scalar_state(optimizer, s, g)));
    for (std::uint32_t t = 0; t < tensor_count && info.rate == TALWEG_RATE_TENSOR; ++t)
      if (double* value = talweg_tensor_state(optimizer, s, t); value != nullptr)
        entries.push_back(scalar_entry(name + "/" + tensors[t].name, PersistentKind::Value, value));
    talweg_state_array array{};
    for (std::uint32_t t = 0; t < tensor_count; ++t)
      if (talweg_array_state(optimizer, s, t, &array) != 0)
        entries.push_back({name + "/" + tensors[t].name,
                           PersistentKind::Value,
                           static_cast<talweg_dtype>(info.dtype),
                           {array.shape, array.shape + array.rank},
                           core->shown(array.data, true)});
    for (std::uint32_t t = 0; t < tensor_count && info.rate == TALWEG_RATE_ELEMENT; ++t)
      if (talweg_element_state(optimizer, s, t) != nullptr || is_empty(t))
        entries.push_back({name + "/" + tensors[t].name, PersistentKind::Value,
                           static_cast<talweg_dtype>(info.dtype), tensors[t].shape,
                           core->shown(talweg_element_state(optimizer, s, t), true)});
  }
}

void Optimizer::Impl::list_begun(std::vector<PersistentEntry>& entries) const {
  const auto add = [&](const std::string& name, double* begun) {
    if (begun != nullptr) entries.push_back(scalar_entry(name, PersistentKind::Flag, begun));
  };
  for (std::uint32_t s = 0; s < image->state_count; ++s) {
    const std::string name = std::string("@begun/") + image->states[s].name;
    if (is_scalar(image->states[s])) add(name, talweg_state_begun(optimizer, s, 0));
    for (std::uint32_t t = 0; !is_scalar(image->states[s]) && t < tensors.size(); ++t)
      add(name + "/" + tensors[t].name, talweg_state_begun(optimizer, s, t));
  }
}

support::Status Optimizer::fetch_states() { return impl_->core->fetch_states(); }

std::vector<PersistentEntry> Optimizer::persistent() {
  Impl& impl = *impl_;
  if (const support::Status fetched = fetch_states(); !fetched)
    throw std::runtime_error(fetched.failure().message);
  talweg_counters* counters = talweg_get_counters(impl.optimizer);
  std::vector<PersistentEntry> entries;
  entries.push_back(scalar_entry("t", PersistentKind::Counter, &counters->completed_steps));
  entries.push_back(scalar_entry("calls", PersistentKind::Counter, &counters->calls));
  impl.list_states(entries);
  impl.list_begun(entries);
  return entries;
}

}  // namespace talweg::optimizer
