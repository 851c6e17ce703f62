#include "tests/codegen/lined_run.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

void append(Outcome& all, const optimizer::PersistentEntry& entry) {
  std::uint64_t count = entry.data == nullptr ? 0 : 1;
  for (const std::uint64_t size : entry.shape) count *= size;
  if (entry.dtype == TALWEG_F32) {
    const auto* data = static_cast<const float*>(entry.data);
    all.insert(all.end(), data, data + count);
  } else {
    REQUIRE(entry.dtype == TALWEG_F64);
    const auto* data = static_cast<const double*>(entry.data);
    all.insert(all.end(), data, data + count);
  }
}

}  // namespace

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
  auto made = optimizer::Optimizer::create(program->image(), program, std::move(described), 2,
                                           std::make_shared<support::ThreadPool>(threads));
  if (!made) FAIL(made.failure().message);
  optimizer = std::make_unique<optimizer::Optimizer>(*std::move(made));
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
optimizer::StepOutcome LinedRun<T>::step() {
  ++steps_;
  std::vector<const void*> pointers;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    fill(grads[i], grad_memory_[i]);
    pointers.push_back(tensors_[i].absent_in_step == steps_ ? nullptr : grad_memory_[i].data());
  }
  const auto stepped = optimizer->step(pointers);
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
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) append(all, entry);
  return all;
}

template <class T>
Outcome LinedRun<T>::persistent(const std::string& name) {
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) {
    if (entry.name != name && !entry.name.ends_with("." + name)) continue;
    Outcome values;
    append(values, entry);
    return values;
  }
  std::string names;
  for (const optimizer::PersistentEntry& entry : optimizer->persistent()) names += " " + entry.name;
  FAIL("there is no " << name << " among" << names);
  return {};
}

template class LinedRun<float>;
template class LinedRun<double>;

}  // namespace talweg::tests
