// Owns the memory that step.h works in and translates: names to indices, vectors to arrays, errors
// to failures.
#include "runtime/optimizer/optimizer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/device/host_memory.h"
#include "runtime/optimizer/step.h"
#include "runtime/optimizer/suggest.h"

namespace talweg::optimizer {

using support::Failure;
using support::FailureKind;

namespace {

FailureKind kind_of(talweg_status status) {
  switch (status) {
    case TALWEG_OUT_OF_RANGE:
      return FailureKind::Numeric;
    case TALWEG_TOO_LARGE:
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
      return FailureKind::Usage;
  }
  return FailureKind::Usage;
}

Failure to_failure(const talweg_error& error) { return {kind_of(error.status), error.message}; }

StepOutcome to_outcome(talweg_outcome outcome) {
  switch (outcome) {
    case TALWEG_COMPLETED:
      return StepOutcome::Completed;
    case TALWEG_HELD:
      return StepOutcome::Held;
    case TALWEG_SKIPPED:
      return StepOutcome::Skipped;
  }
  return StepOutcome::Completed;
}

/// Index of the row of an image's table with this name.
template <class Info>
std::optional<std::uint32_t> find_row(const Info* rows, std::uint32_t count,
                                      std::string_view name) {
  for (std::uint32_t i = 0; i < count; ++i)
    if (name == rows[i].name) return i;
  return std::nullopt;
}

template <class Info>
Failure unknown_name(std::string_view kind, const Info* rows, std::uint32_t count,
                     std::string_view name, const talweg_image& image) {
  std::vector<std::string_view> known;
  for (std::uint32_t i = 0; i < count; ++i) known.emplace_back(rows[i].name);
  return {FailureKind::Usage, "rule `" + std::string(image.name) + "` has no " + std::string(kind) +
                                  " `" + std::string(name) + "`" + suggest(name, known)};
}

bool is_scalar(const talweg_state_info& state) { return state.rate != TALWEG_RATE_ELEMENT; }

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
  return result;
}

}  // namespace

struct Optimizer::Impl {
  const talweg_image* image = nullptr;
  std::shared_ptr<const void> keep_alive;
  std::vector<Tensor> tensors;
  std::uint32_t group_count = 1;
  std::shared_ptr<support::ThreadPool> pool;
  device::HostBlock control, states;
  std::uint64_t state_bytes = 0;
  talweg_optimizer* core = nullptr;  // in `control`
  device::HostBlock swapped;         // the parameters while a view is swapped in

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (core != nullptr && talweg_swapped_view(core) != TALWEG_NO_VIEW)
      talweg_swap_out(core, nullptr);
  }

  // What a step hands to the core, kept so that a step allocates nothing.
  std::vector<double> model_inputs;
  std::vector<std::uint8_t> given;
  std::vector<const void* const*> element_inputs;

  support::Status build();
  support::Result<talweg_step_inputs> bind(const StepInputs& inputs);
  [[nodiscard]] support::Result<std::uint32_t> find_view(std::string_view name) const;
  void list_states(std::vector<PersistentEntry>& entries) const;
  [[nodiscard]] bool is_empty(std::size_t tensor) const {
    const auto& shape = tensors[tensor].shape;
    return std::find(shape.begin(), shape.end(), 0U) != shape.end();
  }
  void list_begun(std::vector<PersistentEntry>& entries) const;
};

support::Status Optimizer::Impl::build() {
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
  };
  talweg_error error{};
  talweg_optimizer_sizes sizes{};
  if (talweg_measure(&spec, &sizes, &error) != TALWEG_OK) return to_failure(error);
  auto control_block = device::HostBlock::allocate(sizes.control_bytes);
  auto state_block = device::HostBlock::allocate(sizes.state_bytes);
  if (!control_block || !state_block)
    return Failure{FailureKind::Io, "there is no memory for " +
                                        std::to_string(sizes.control_bytes + sizes.state_bytes) +
                                        " bytes of states and tables"};
  if (talweg_create(&spec, control_block->data(), state_block->data(), &core, &error) != TALWEG_OK)
    // A value the rule was given, not one that it computed.
    return Failure{error.status == TALWEG_OUT_OF_RANGE ? FailureKind::Usage : kind_of(error.status),
                   error.message};
  control = std::move(*control_block);
  states = std::move(*state_block);
  state_bytes = sizes.state_bytes;
  model_inputs.resize(image->input_count);
  given.resize(image->input_count);
  element_inputs.resize(image->input_count);
  return support::ok();
}

support::Result<talweg_step_inputs> Optimizer::Impl::bind(const StepInputs& inputs) {
  std::fill(given.begin(), given.end(), std::uint8_t{0});
  std::fill(element_inputs.begin(), element_inputs.end(), nullptr);
  for (const auto& [name, value] : inputs.model) {
    const auto row = find_row(image->inputs, image->input_count, name);
    if (!row || image->inputs[*row].rate != TALWEG_RATE_MODEL)
      return unknown_name("model input", image->inputs, image->input_count, name, *image);
    model_inputs[*row] = value;
    given[*row] = 1;
  }
  for (const auto& [name, pointers] : inputs.element) {
    const auto row = find_row(image->inputs, image->input_count, name);
    if (!row || image->inputs[*row].rate != TALWEG_RATE_ELEMENT)
      return unknown_name("element input", image->inputs, image->input_count, name, *image);
    if (pointers.size() != tensors.size())
      return Failure{FailureKind::Usage, "input `" + name + "` has " +
                                             std::to_string(pointers.size()) + " arrays for " +
                                             std::to_string(tensors.size()) + " tensors"};
    element_inputs[*row] = pointers.data();
  }
  return talweg_step_inputs{.gradients = nullptr,
                            .model_inputs = model_inputs.data(),
                            .given = given.data(),
                            .element_inputs = element_inputs.data()};
}

Optimizer::Optimizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;
Optimizer::~Optimizer() = default;

support::Result<Optimizer> Optimizer::create(const talweg_image& image,
                                             std::shared_ptr<const void> keep_alive,
                                             std::vector<Tensor> tensors, std::uint32_t group_count,
                                             std::shared_ptr<support::ThreadPool> pool) {
  if (tensors.size() > UINT32_MAX)
    return Failure{FailureKind::Usage, "an optimizer has at most 4294967295 tensors"};
  auto impl = std::make_unique<Impl>();
  impl->image = &image;
  impl->keep_alive = std::move(keep_alive);
  impl->tensors = std::move(tensors);
  impl->group_count = group_count;
  impl->pool = std::move(pool);
  if (const support::Status built = impl->build(); !built) return built.failure();
  return Optimizer(std::move(impl));
}

support::Status Optimizer::set_hyper(std::string_view name, double value,
                                     std::optional<std::uint32_t> group) {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.hypers, image.hyper_count, name);
  if (!row) return unknown_name("hyper", image.hypers, image.hyper_count, name, image);
  talweg_error error{};
  const talweg_status status =
      talweg_set_hyper(impl_->core, *row, group.value_or(TALWEG_ALL_GROUPS), value, &error);
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
  if (talweg_get_hyper(impl_->core, *row, group, &value, &error) != TALWEG_OK)
    return to_failure(error);
  return value;
}

support::Result<StepOutcome> Optimizer::step(std::span<const void* const> gradients,
                                             const StepInputs& inputs) {
  support::Result<talweg_step_inputs> bound = impl_->bind(inputs);
  if (!bound) return bound.failure();
  const bool none_needed = gradients.empty() && impl_->image->uses_gradient == 0;
  if (gradients.size() != impl_->tensors.size() && !none_needed)
    return Failure{FailureKind::Usage, std::to_string(gradients.size()) +
                                           " gradients were given for " +
                                           std::to_string(impl_->tensors.size()) + " tensors"};
  bound->gradients = gradients.empty() ? nullptr : gradients.data();
  talweg_error error;  // filled by what fails; to clear its message takes a tenth of a small call
  talweg_outcome outcome = TALWEG_COMPLETED;
  if (talweg_step(impl_->core, &*bound, &outcome, &error) != TALWEG_OK) return to_failure(error);
  return to_outcome(outcome);
}

bool Optimizer::has_read(std::string_view input) const {
  const auto row = find_row(impl_->image->inputs, impl_->image->input_count, input);
  return row && talweg_has_read(impl_->core, *row) != 0;
}

support::Result<std::vector<std::string>> Optimizer::missing_inputs(const StepInputs& inputs) {
  const support::Result<talweg_step_inputs> bound = impl_->bind(inputs);
  if (!bound) return bound.failure();
  talweg_error error{};
  std::vector<std::uint8_t> missing(impl_->image->input_count);
  if (talweg_missing_inputs(impl_->core, &*bound, missing.data(), &error) != TALWEG_OK)
    return to_failure(error);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] != 0) names.emplace_back(impl_->image->inputs[i].name);
  return names;
}

support::Status Optimizer::reset() {
  talweg_error error{};
  if (talweg_reset(impl_->core, &error) != TALWEG_OK) return to_failure(error);
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
  if (talweg_read_view(impl_->core, *view, outs.data(), &error) != TALWEG_OK)
    return to_failure(error);
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
  const std::size_t bytes = talweg_swap_bytes(impl_->core);
  auto memory = device::HostBlock::allocate(bytes);
  if (!memory)
    return Failure{FailureKind::Io, "there is no memory for " + std::to_string(bytes) +
                                        " bytes of parameters that a view replaces"};
  talweg_error error{};
  if (talweg_swap_in(impl_->core, *view, memory->data(), &error) != TALWEG_OK)
    return to_failure(error);
  impl_->swapped = std::move(*memory);
  return support::ok();
}

support::Status Optimizer::swap_out() {
  talweg_error error{};
  if (talweg_swap_out(impl_->core, &error) != TALWEG_OK) return to_failure(error);
  impl_->swapped = {};
  return support::ok();
}

std::string_view Optimizer::swapped_in() const {
  const std::uint32_t view = talweg_swapped_view(impl_->core);
  return view == TALWEG_NO_VIEW ? std::string_view() : impl_->image->views[view].name;
}

const talweg_image& Optimizer::image() const { return *impl_->image; }
const std::vector<Tensor>& Optimizer::tensors() const { return impl_->tensors; }
std::uint32_t Optimizer::group_count() const { return impl_->group_count; }
std::uint64_t Optimizer::state_bytes() const { return impl_->state_bytes; }

std::uint64_t Optimizer::steps_completed() const {
  return static_cast<std::uint64_t>(talweg_get_counters(impl_->core)->completed_steps);
}

std::uint64_t Optimizer::calls() const {
  return static_cast<std::uint64_t>(talweg_get_counters(impl_->core)->calls);
}

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
  if (talweg_get_scalar(impl_->core, *row, group, &value, &error) != TALWEG_OK)
    return to_failure(error);
  return value;
}

support::Result<const void*> Optimizer::state(std::string_view name, std::size_t tensor) const {
  const talweg_image& image = *impl_->image;
  const auto row = find_row(image.states, image.state_count, name);
  if (!row || is_scalar(image.states[*row]))
    return unknown_name("element state", image.states, image.state_count, name, image);
  if (tensor >= impl_->tensors.size())
    return Failure{FailureKind::Usage, "there is no tensor " + std::to_string(tensor)};
  const void* start = talweg_element_state(impl_->core, *row, static_cast<std::uint32_t>(tensor));
  if (start == nullptr && !impl_->is_empty(tensor))
    return Failure{FailureKind::Usage, "tensor `" + impl_->tensors[tensor].name +
                                           "` does not keep state `" + std::string(name) +
                                           "`: it takes another arm of a `when`"};
  return start;
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
      entries.push_back(scalar_entry(name, PersistentKind::Value, talweg_scalar_state(core, s, 0)));
    for (std::uint32_t g = 0; g < group_count && info.rate == TALWEG_RATE_GROUP; ++g)
      entries.push_back(scalar_entry(name + "@" + std::to_string(g), PersistentKind::Value,
                                     talweg_scalar_state(core, s, g)));
    for (std::uint32_t t = 0; t < tensor_count && info.rate == TALWEG_RATE_ELEMENT; ++t)
      if (talweg_element_state(core, s, t) != nullptr || is_empty(t))
        entries.push_back({name + "/" + tensors[t].name, PersistentKind::Value,
                           static_cast<talweg_dtype>(info.dtype), tensors[t].shape,
                           talweg_element_state(core, s, t)});
  }
}

void Optimizer::Impl::list_begun(std::vector<PersistentEntry>& entries) const {
  const auto add = [&](const std::string& name, double* begun) {
    if (begun != nullptr) entries.push_back(scalar_entry(name, PersistentKind::Flag, begun));
  };
  for (std::uint32_t s = 0; s < image->state_count; ++s) {
    const std::string name = std::string("@begun/") + image->states[s].name;
    if (is_scalar(image->states[s])) add(name, talweg_state_begun(core, s, 0));
    for (std::uint32_t t = 0; !is_scalar(image->states[s]) && t < tensors.size(); ++t)
      add(name + "/" + tensors[t].name, talweg_state_begun(core, s, t));
  }
}

std::vector<PersistentEntry> Optimizer::persistent() {
  Impl& impl = *impl_;
  talweg_counters* counters = talweg_get_counters(impl.core);
  std::vector<PersistentEntry> entries;
  entries.push_back(scalar_entry("t", PersistentKind::Counter, &counters->completed_steps));
  entries.push_back(scalar_entry("calls", PersistentKind::Counter, &counters->calls));
  impl.list_states(entries);
  impl.list_begun(entries);
  return entries;
}

}  // namespace talweg::optimizer
