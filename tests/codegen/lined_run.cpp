#include "tests/codegen/lined_run.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ir/random_graph.h"
#include "tests/matrix_views.h"
#include "tests/optimizers.h"

namespace talweg::tests {

std::vector<LinedTensor> lined_tensors(const std::vector<Shape>& shapes) {
  std::vector<LinedTensor> tensors;
  for (const Shape& shape : shapes) {
    const auto number = static_cast<std::uint32_t>(tensors.size());
    tensors.push_back({shape, number % 2, number % 4 == 1 ? 1 + number / 4 % 3 : 0});
  }
  return tensors;
}

template <class T>
LinedRun<T>::LinedRun(const std::shared_ptr<driver::Program>& program,
                      std::vector<LinedTensor> tensors, std::uint32_t threads, Numbers numbers,
                      std::uint64_t seed)
    : tensors_(std::move(tensors)), numbers_(numbers), state_(seed) {
  std::vector<optimizer::Tensor> described;
  for (const LinedTensor& tensor : tensors_) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : tensor.shape) count *= size;
    const Placement placement = described.size() % 3 == 1 ? Placement::AtStart : Placement::AtEnd;
    grad_memory_.emplace_back(count * sizeof(T), placement);
    param_memory_.emplace_back(count * sizeof(T), placement);
    grads.emplace_back(count);
    fill(params.emplace_back(count), param_memory_.back());
    described.push_back({"w" + std::to_string(described.size()),
                         tensor.shape,
                         param_memory_.back().data(),
                         tensor.group,
                         {},
                         tensor.split,
                         tensor.split_at,
                         tensor.split_to});
  }
  const std::uint32_t split = program->image().split;
  for (const optimizer::Tensor& tensor : described)
    if (split != TALWEG_SPLIT_NONE) views_.push_back(matrix_view_of(split, tensor.shape, tensor));
  optimizer = std::make_unique<optimizer::Optimizer>(
      make_optimizer(program->image(), std::move(described), 2, threads, program));
}

template <class T>
T LinedRun<T>::number() {
  Random random(state_++);
  const double fraction = static_cast<double>(random.next() >> 11) * 0x1p-53;
  const double plain = random.chance(50) ? fraction : -fraction;
  if (numbers_ == Numbers::Hard && random.chance(10))
    return static_cast<T>(
        random.array_number(sizeof(T) == 4 ? types::ComputeType::F32 : types::ComputeType::F64));
  if (numbers_ == Numbers::Extreme)
    return random.chance(10)
               ? -T{0}
               : static_cast<T>(plain * std::pow(10, static_cast<double>(random.below(77)) - 38));
  return static_cast<T>(plain);
}

template <class T>
void LinedRun<T>::fill(std::vector<T>& copy, const GuardedArray& memory) {
  for (T& value : copy) value = number();
  std::ranges::copy(copy, static_cast<T*>(memory.data()));
}

template <class T>
template <class Number>
std::vector<double> LinedRun<T>::draw_lines(std::size_t tensor, std::uint8_t rate,
                                            std::vector<GuardedArray>& memory) {
  const std::uint64_t count = count_lines(views_[tensor], rate);
  if (count == 0) return {};
  auto* numbers =
      static_cast<Number*>(memory.emplace_back(count * sizeof(Number), Placement::AtEnd).data());
  for (std::uint64_t i = 0; i < count; ++i) numbers[i] = static_cast<Number>(number());
  return {numbers, numbers + count};
}

template <class T>
void LinedRun<T>::draw_inputs(optimizer::StepInputs& inputs, std::vector<GuardedArray>& memory) {
  const talweg_image& image = optimizer->image();
  given.clear();
  for (std::uint32_t i = 0; i < image.input_count; ++i) {
    const std::string name = image.inputs[i].name;
    const std::uint8_t rate = image.inputs[i].rate;
    REQUIRE((rate == TALWEG_RATE_MATRIX || rate == TALWEG_RATE_ROW || rate == TALWEG_RATE_COL));
    if (name == "bonus" && steps_ % 2 == 0) continue;
    std::vector<const void*> pointers;
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      given[name].push_back(rate == TALWEG_RATE_MATRIX ? draw_lines<double>(t, rate, memory)
                                                       : draw_lines<T>(t, rate, memory));
      pointers.push_back(given[name].back().empty() ? nullptr : memory.back().data());
    }
    auto& of_rate = rate == TALWEG_RATE_MATRIX ? inputs.matrix
                    : rate == TALWEG_RATE_ROW  ? inputs.row
                                               : inputs.col;
    of_rate.emplace_back(name, std::move(pointers));
  }
}

template <class T>
optimizer::StepOutcome LinedRun<T>::step() {
  ++steps_;
  std::vector<const void*> pointers;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    fill(grads[i], grad_memory_[i]);
    pointers.push_back(tensors_[i].absent_in_step == steps_ ? nullptr : grad_memory_[i].data());
  }
  optimizer::StepInputs inputs;
  std::vector<GuardedArray> memory;
  draw_inputs(inputs, memory);
  const auto stepped = optimizer->step(pointers, inputs);
  if (!stepped) FAIL(stepped.failure().message);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const auto* data = static_cast<const T*>(param_memory_[i].data());
    params[i].assign(data, data + params[i].size());
  }
  return *stepped;
}

template <class T>
Outcome LinedRun<T>::everything() {
  Outcome all;
  for (const auto& param : params) all.insert(all.end(), param.begin(), param.end());
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) {
    const std::vector<double> numbers = numbers_of(entry);
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  return all;
}

template <class T>
Outcome LinedRun<T>::persistent(const std::string& name) {
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) {
    if (entry.name == name || entry.name.ends_with("." + name)) return numbers_of(entry);
  }
  std::string names;
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) names += " " + entry.name;
  FAIL("there is no " << name << " among" << names);
  return {};
}

template class LinedRun<float>;
template class LinedRun<double>;

}  // namespace talweg::tests
