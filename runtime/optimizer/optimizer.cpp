// Translates between step.h, whose optimizer a core holds, and C++: names to indices, vectors to
// arrays, errors to failures.
#include "runtime/optimizer/optimizer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/optimizer/optimizer_impl.h"

namespace talweg::optimizer {

using support::Failure;
using support::FailureKind;

FailureKind kind_of(talweg_status status) {
  switch (status) {
    case TALWEG_OUT_OF_RANGE:
      return FailureKind::Numeric;
    case TALWEG_TOO_LARGE:
    case TALWEG_DEVICE_FAILED:
      return FailureKind::Io;
    case TALWEG_OK:
    case TALWEG_BAD_IMAGE:
    case TALWEG_BAD_ARGUMENT:
    case TALWEG_NOT_SERVED:
    case TALWEG_OVERLAP:
    case TALWEG_BOUND:
    case TALWEG_MISSING_INPUT:
    case TALWEG_NOT_YET:
    case TALWEG_SWAPPED_IN:
    case TALWEG_WAITING:
      return FailureKind::Usage;
  }
  return FailureKind::Usage;
}

namespace {

StepOutcome to_outcome(talweg_outcome outcome) {
  switch (outcome) {
    case TALWEG_COMPLETED:
      return StepOutcome::Completed;
    case TALWEG_HELD:
      return StepOutcome::Held;
    case TALWEG_SKIPPED:
      return StepOutcome::Skipped;
    case TALWEG_REGRAD:
      return StepOutcome::Regrad;
  }
  return StepOutcome::Completed;
}

/// A tensor's descriptor, pointing into `tensor` and `tags`.
talweg_tensor describe(const Tensor& tensor, std::vector<const char*>& tags) {
  tags.clear();
  for (const std::string& tag : tensor.tags) tags.push_back(tag.c_str());
  talweg_tensor result{};
  result.name = tensor.name.c_str();
  result.shape = tensor.shape.data();
  result.tags = tags.data();
  result.param = tensor.param;
  result.rank = static_cast<std::uint32_t>(tensor.shape.size());
  result.tag_count = static_cast<std::uint32_t>(tags.size());
  result.group = tensor.group;
  result.device = TALWEG_DEVICE_CPU;
  result.split = tensor.split;
  result.split_at = tensor.split_at;
  result.split_to = tensor.split_to;
  return result;
}

}  // namespace

support::Status Optimizer::Impl::build(const MakeCore& make_core) {
  std::vector<std::vector<const char*>> tags(tensors.size());
  std::vector<talweg_tensor> descriptors;
  descriptors.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i)
    descriptors.push_back(describe(tensors[i], tags[i]));
  const talweg_optimizer_spec spec{
      .image = image,
      .tensors = descriptors.data(),
      .tensor_count = static_cast<std::uint32_t>(tensors.size()),
      .group_count = group_count,
      .parallel_for = pool ? support::ThreadPool::function() : nullptr,
      .parallel_context = pool.get(),
      .thread_count = pool ? pool->threads() : 1,
      .device = nullptr,
      .device_context = nullptr,
  };
  auto made = make_core(spec);
  if (!made) return made.failure();
  core = std::move(*made);
  optimizer = core->get();
  model_inputs.resize(image->input_count);
  given.resize(image->input_count);
  element_inputs.resize(image->input_count);
  group_inputs.resize(image->input_count);
  tensor_inputs.resize(image->input_count);
  line_inputs.resize(image->input_count);
  return support::ok();
}

support::Result<std::uint32_t> Optimizer::Impl::find_input(std::string_view kind, talweg_rate rate,
                                                           std::string_view name) const {
  const auto row = find_row(image->inputs, image->input_count, name);
  if (!row || image->inputs[*row].rate != rate)
    return unknown_name(std::string(kind) + " input", image->inputs, image->input_count, name,
                        *image);
  return *row;
}

support::Status Optimizer::Impl::bind_values(
    const std::vector<std::pair<std::string, std::vector<double>>>& inputs, std::string_view kind,
    talweg_rate rate, std::size_t count, std::vector<const double*>& bound) const {
  std::fill(bound.begin(), bound.end(), nullptr);
  for (const auto& [name, values] : inputs) {
    const support::Result<std::uint32_t> row = find_input(kind, rate, name);
    if (!row) return row.failure();
    if (values.size() != count)
      return Failure{FailureKind::Usage, "input `" + name + "` has " +
                                             std::to_string(values.size()) + " values for " +
                                             std::to_string(count) + " " + std::string(kind) + "s"};
    bound[*row] = values.data();
  }
  return support::ok();
}

support::Status Optimizer::Impl::bind_arrays(
    const std::vector<std::pair<std::string, std::vector<const void*>>>& inputs,
    std::string_view kind, talweg_rate rate, std::vector<const void* const*>& bound) const {
  for (const auto& [name, pointers] : inputs) {
    const support::Result<std::uint32_t> row = find_input(kind, rate, name);
    if (!row) return row.failure();
    if (pointers.size() != tensors.size())
      return Failure{FailureKind::Usage, "input `" + name + "` has " +
                                             std::to_string(pointers.size()) + " arrays for " +
                                             std::to_string(tensors.size()) + " tensors"};
    bound[*row] = pointers.data();
  }
  return support::ok();
}

support::Result<talweg_step_inputs> Optimizer::Impl::bind(const StepInputs& inputs) {
  // Most rules; looking for nothing under six kinds of names would take a quarter of a small step.
  if (image->input_count == 0 && inputs.is_empty()) return talweg_step_inputs{};
  std::fill(given.begin(), given.end(), std::uint8_t{0});
  std::fill(element_inputs.begin(), element_inputs.end(), nullptr);
  std::fill(line_inputs.begin(), line_inputs.end(), nullptr);
  for (const auto& [name, value] : inputs.model) {
    const support::Result<std::uint32_t> row = find_input("model", TALWEG_RATE_MODEL, name);
    if (!row) return row.failure();
    model_inputs[*row] = value;
    given[*row] = 1;
  }
  support::Status bound =
      bind_arrays(inputs.element, "element", TALWEG_RATE_ELEMENT, element_inputs);
  if (bound)
    bound = bind_values(inputs.group, "group", TALWEG_RATE_GROUP, group_count, group_inputs);
  if (bound)
    bound = bind_values(inputs.tensor, "tensor", TALWEG_RATE_TENSOR, tensors.size(), tensor_inputs);
  if (bound) bound = bind_arrays(inputs.matrix, "matrix", TALWEG_RATE_MATRIX, line_inputs);
  if (bound) bound = bind_arrays(inputs.row, "row", TALWEG_RATE_ROW, line_inputs);
  if (bound) bound = bind_arrays(inputs.col, "col", TALWEG_RATE_COL, line_inputs);
  if (!bound) return bound.failure();
  return talweg_step_inputs{.gradients = nullptr,
                            .model_inputs = model_inputs.data(),
                            .given = given.data(),
                            .element_inputs = element_inputs.data(),
                            .group_inputs = group_inputs.data(),
                            .tensor_inputs = tensor_inputs.data(),
                            .line_inputs = line_inputs.data()};
}

Optimizer::Optimizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;
Optimizer::~Optimizer() = default;

support::Result<Optimizer> Optimizer::create(const talweg_image& image,
                                             std::shared_ptr<const void> keep_alive,
                                             std::vector<Tensor> tensors, std::uint32_t group_count,
                                             std::shared_ptr<support::ThreadPool> pool,
                                             const MakeCore& make_core) {
  if (tensors.size() > UINT32_MAX)
    return Failure{FailureKind::Usage, "an optimizer has at most 4294967295 tensors"};
  auto impl = std::make_unique<Impl>();
  impl->image = &image;
  impl->keep_alive = std::move(keep_alive);
  impl->tensors = std::move(tensors);
  impl->group_count = group_count;
  impl->pool = std::move(pool);
  const support::Status built = impl->build(make_core ? make_core : make_host_core);
  if (!built) return built.failure();
  return Optimizer(std::move(impl));
}

support::Status Optimizer::set_hyper(std::string_view name, double value,
                                     std::optional<std::uint32_t> group) {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.hypers, image.hyper_count, name);
  if (!row) return unknown_name("hyper", image.hypers, image.hyper_count, name, image);
  talweg_error error{};
  const talweg_status status =
      talweg_set_hyper(impl_->optimizer, *row, group.value_or(TALWEG_ALL_GROUPS), value, &error);
  // Asked for by the user, not computed: a wrong option rather than a numeric failure.
  if (status != TALWEG_OK) return Failure{FailureKind::Usage, error.message};
  return support::ok();
}

support::Result<double> Optimizer::hyper(std::string_view name, std::uint32_t group) const {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.hypers, image.hyper_count, name);
  if (!row) return unknown_name("hyper", image.hypers, image.hyper_count, name, image);
  talweg_error error{};
  double value = 0;
  if (talweg_get_hyper(impl_->optimizer, *row, group, &value, &error) != TALWEG_OK)
    return to_failure(error);
  return value;
}

support::Result<StepOutcome> Optimizer::step(std::span<const void* const> gradients,
                                             const StepInputs& inputs) {
  // Inputs of a step that goes on are those that it began with.
  support::Result<talweg_step_inputs> bound =
      is_waiting() ? talweg_step_inputs{} : impl_->bind(inputs);
  if (!bound) return bound.failure();
  const bool none_needed = gradients.empty() && impl_->image->uses_gradient == 0;
  if (gradients.size() != impl_->tensors.size() && !none_needed)
    return Failure{FailureKind::Usage, std::to_string(gradients.size()) +
                                           " gradients were given for " +
                                           std::to_string(impl_->tensors.size()) + " tensors"};
  bound->gradients = gradients.empty() ? nullptr : gradients.data();
  talweg_error error;  // filled by what fails; to clear its message takes a tenth of a small call
  talweg_outcome outcome = TALWEG_COMPLETED;
  if (impl_->core->step(*bound, &outcome, &error) != TALWEG_OK) return to_failure(error);
  return to_outcome(outcome);
}

support::Result<StepOutcome> Optimizer::step(std::span<const void* const> gradients) {
  static const StepInputs none;
  return step(gradients, none);
}

bool Optimizer::is_waiting() const { return talweg_is_waiting(impl_->optimizer) != 0; }
void Optimizer::abandon() { impl_->core->abandon(); }

bool Optimizer::has_read(std::string_view input) const {
  const auto row = find_row(impl_->image->inputs, impl_->image->input_count, input);
  return row && talweg_has_read(impl_->optimizer, *row) != 0;
}

support::Result<std::vector<std::string>> Optimizer::missing_inputs(const StepInputs& inputs) {
  const support::Result<talweg_step_inputs> bound = impl_->bind(inputs);
  if (!bound) return bound.failure();
  talweg_error error{};
  std::vector<std::uint8_t> missing(impl_->image->input_count);
  if (talweg_missing_inputs(impl_->optimizer, &*bound, missing.data(), &error) != TALWEG_OK)
    return to_failure(error);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] != 0) names.emplace_back(impl_->image->inputs[i].name);
  return names;
}

support::Status Optimizer::reset() {
  talweg_error error{};
  if (impl_->core->reset(&error) != TALWEG_OK) return to_failure(error);
  return support::ok();
}

std::vector<std::string> Optimizer::views() const {
  const talweg_image& image = *impl_->image;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < image.view_count; ++i) names.emplace_back(image.views[i].name);
  return names;
}

support::Result<std::uint32_t> Optimizer::Impl::find_view(std::string_view name) const {
  const auto row = find_row(image->views, image->view_count, name);
  if (!row) return unknown_name("view", image->views, image->view_count, name, *image);
  return *row;
}

support::Status Optimizer::check_view(std::string_view name) const {
  const support::Result<std::uint32_t> view = impl_->find_view(name);
  if (!view) return view.failure();
  return support::ok();
}

support::Status Optimizer::read_view(std::string_view name, std::span<void* const> outs) {
  const support::Result<std::uint32_t> view = impl_->find_view(name);
  if (!view) return view.failure();
  if (outs.size() != impl_->tensors.size())
    return Failure{FailureKind::Usage, "memory was given for " + std::to_string(outs.size()) +
                                           " of " + std::to_string(impl_->tensors.size()) +
                                           " tensors of a view"};
  talweg_error error{};
  if (impl_->core->read_view(*view, outs.data(), &error) != TALWEG_OK) return to_failure(error);
  return support::ok();
}

support::Status Optimizer::read_view(std::string_view name, std::size_t tensor, void* out) {
  if (tensor >= impl_->tensors.size())
    return Failure{FailureKind::Usage, "there is no tensor " + std::to_string(tensor)};
  std::vector<void*> outs(impl_->tensors.size());
  outs[tensor] = out;
  return read_view(name, outs);
}

support::Status Optimizer::swap_in(std::string_view name) {
  const support::Result<std::uint32_t> view = impl_->find_view(name);
  if (!view) return view.failure();
  return impl_->core->swap_in(*view);
}

support::Status Optimizer::swap_out() {
  talweg_error error{};
  if (impl_->core->swap_out(&error) != TALWEG_OK) return to_failure(error);
  return support::ok();
}

std::string_view Optimizer::swapped_in() const {
  const std::uint32_t view = talweg_swapped_view(impl_->optimizer);
  return view == TALWEG_NO_VIEW ? std::string_view() : impl_->image->views[view].name;
}

const talweg_image& Optimizer::image() const { return *impl_->image; }
const std::vector<Tensor>& Optimizer::tensors() const { return impl_->tensors; }
std::uint32_t Optimizer::group_count() const { return impl_->group_count; }
std::uint64_t Optimizer::state_bytes() const { return impl_->core->state_bytes(); }

std::uint64_t Optimizer::steps_completed() const {
  return static_cast<std::uint64_t>(talweg_get_counters(impl_->optimizer)->completed_steps);
}

std::uint64_t Optimizer::calls() const {
  return static_cast<std::uint64_t>(talweg_get_counters(impl_->optimizer)->calls);
}

}  // namespace talweg::optimizer
