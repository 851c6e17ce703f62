#include "tests/codegen/core_run.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <new>
#include <utility>

#include "tests/ir/random_graph.h"

namespace talweg::tests {

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(bytes > 0 ? bytes : 1) {
  data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED) throw std::bad_alloc();
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}

double plain_number(std::uint64_t seed) {
  Random random(seed);
  const double fraction = static_cast<double>(random.next() >> 11) * 0x1p-53;
  return random.chance(50) ? fraction : -fraction;
}

std::uint64_t elements_of(const Shape& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) count *= size;
  return count;
}

template <class T>
CoreRun<T>::CoreRun(std::shared_ptr<driver::Program> program,
                    const std::vector<LinedTensor>& tensors, std::uint32_t group_count,
                    const Schedule& schedule)
    : program_(std::move(program)), group_count_(group_count) {
  std::vector<std::string> names;
  for (std::size_t t = 0; t < tensors.size(); ++t) names.push_back("w" + std::to_string(t));
  std::vector<talweg_tensor> described;
  std::uint64_t seed = 1;
  for (const LinedTensor& tensor : tensors) {
    counts_.push_back(elements_of(tensor.shape));
    params_.emplace_back(counts_.back() * sizeof(T));
    for (std::uint64_t i = 0; i < counts_.back(); ++i)
      param(described.size())[i] = static_cast<T>(plain_number(seed++));
    talweg_tensor to{};
    to.name = names[described.size()].c_str();
    to.shape = tensor.shape.data();
    to.rank = static_cast<std::uint32_t>(tensor.shape.size());
    to.param = params_.back().data();
    to.group = tensor.group;
    to.split = tensor.split;
    to.split_at = tensor.split_at;
    to.split_to = tensor.split_to;
    described.push_back(to);
  }
  talweg_optimizer_spec spec{};
  spec.image = &program_->image();
  spec.tensors = described.data();
  spec.tensor_count = static_cast<std::uint32_t>(described.size());
  spec.group_count = group_count;
  spec.parallel_for = schedule.parallel_for;
  spec.parallel_context = schedule.context;
  spec.thread_count = schedule.parts;
  talweg_error error{};
  talweg_optimizer_sizes sizes{};
  if (talweg_measure(&spec, &sizes, &error) != TALWEG_OK) FAIL(error.message);
  control_ = std::make_unique<SharedMemory>(sizes.control_bytes);
  states_ = std::make_unique<SharedMemory>(sizes.state_bytes);
  if (talweg_create(&spec, control_->data(), states_->data(), &optimizer_, &error) != TALWEG_OK)
    FAIL(error.message);
}

template <class T>
talweg_outcome CoreRun<T>::step(const std::vector<const void*>& gradients,
                                const std::vector<std::vector<const void*>>& element_inputs) {
  REQUIRE(gradients.size() == counts_.size());
  std::vector<const void* const*> arrays;
  for (const auto& input : element_inputs) arrays.push_back(input.data());
  talweg_step_inputs inputs{};
  inputs.gradients = gradients.data();
  if (!arrays.empty()) inputs.element_inputs = arrays.data();
  talweg_outcome outcome = TALWEG_COMPLETED;
  talweg_error error{};
  if (talweg_step(optimizer_, &inputs, &outcome, &error) != TALWEG_OK) FAIL(error.message);
  return outcome;
}

template <class T>
Outcome CoreRun<T>::everything() const {
  Outcome all;
  for (std::size_t t = 0; t < counts_.size(); ++t)
    all.insert(all.end(), param(t), param(t) + counts_[t]);
  append_states(all);
  all.push_back(talweg_get_counters(optimizer_)->completed_steps);
  all.push_back(talweg_get_counters(optimizer_)->calls);
  return all;
}

template <class T>
void CoreRun<T>::append_states(Outcome& all) const {
  const talweg_image& image = program_->image();
  const auto tensor_count = static_cast<std::uint32_t>(counts_.size());
  const auto append = [&](const auto* data, std::uint64_t count) {
    if (data != nullptr) all.insert(all.end(), data, data + count);
  };
  for (std::uint32_t s = 0; s < image.state_count; ++s) {
    const std::uint8_t rate = image.states[s].rate;
    const bool is_scalar = rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP;
    for (std::uint32_t g = 0; g < group_count_ && is_scalar; ++g)
      append(talweg_scalar_state(optimizer_, s, g), 1);
    for (std::uint32_t t = 0; t < tensor_count && !is_scalar; ++t) {
      talweg_state_array array{};
      if (rate == TALWEG_RATE_ELEMENT)
        append(static_cast<const T*>(talweg_element_state(optimizer_, s, t)), counts_[t]);
      else if (rate == TALWEG_RATE_TENSOR)
        append(talweg_tensor_state(optimizer_, s, t), 1);
      else if (talweg_array_state(optimizer_, s, t, &array) != 0 && array.data != nullptr) {
        const std::uint64_t count = elements_of({array.shape, array.shape + array.rank});
        if (rate == TALWEG_RATE_MATRIX)
          append(static_cast<const double*>(array.data), count);
        else
          append(static_cast<const T*>(array.data), count);
      }
    }
  }
}

template <class T>
Gradients<T>::Gradients(const std::vector<LinedTensor>& tensors) : tensors_(tensors) {
  for (const LinedTensor& tensor : tensors) values_.emplace_back(elements_of(tensor.shape));
}

template <class T>
std::vector<const void*> Gradients<T>::of_step(std::uint32_t number, std::uint32_t again) {
  std::vector<const void*> pointers;
  std::uint64_t seed = std::uint64_t{number} << 40 | std::uint64_t{again} << 36;
  for (std::size_t t = 0; t < values_.size(); ++t) {
    for (T& value : values_[t]) value = static_cast<T>(plain_number(seed++));
    // An empty tensor takes part all the same: any address will do.
    const void* start = values_[t].empty() ? static_cast<const void*>(&values_) : values_[t].data();
    pointers.push_back(tensors_[t].absent_in_step == number ? nullptr : start);
  }
  return pointers;
}

template class CoreRun<float>;
template class CoreRun<double>;
template class Gradients<float>;
template class Gradients<double>;

}  // namespace talweg::tests
