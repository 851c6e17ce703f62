// Optimizers for tests, and what is in them.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/optimizer/optimizer.hpp"

namespace talweg::tests {

/// Throws where it is refused. No threads: the caller's own. `owner` keeps the image alive.
inline optimizer::Optimizer make_optimizer(const talweg_image& image,
                                           std::vector<optimizer::Tensor> tensors,
                                           std::uint32_t group_count = 1, std::uint32_t threads = 0,
                                           std::shared_ptr<const void> owner = nullptr) {
  auto pool = threads > 0 ? std::make_shared<support::ThreadPool>(threads) : nullptr;
  auto made = optimizer::Optimizer::create(image, std::move(owner), std::move(tensors), group_count,
                                           std::move(pool));
  if (!made) throw std::runtime_error(made.failure().message);
  return *std::move(made);
}

/// What a user is told.
template <class Value>
std::string failure(const support::Result<Value>& status) {
  return status ? "no failure" : status.failure().message;
}

/// Why no optimizer is made of these.
inline std::string refusal_of(const talweg_image& image, std::vector<optimizer::Tensor> tensors) {
  return failure(optimizer::Optimizer::create(image, nullptr, std::move(tensors), 1, nullptr));
}

inline std::uint64_t count_of(const optimizer::PersistentEntry& entry) {
  std::uint64_t count = entry.data == nullptr ? 0 : 1;
  for (const std::uint64_t size : entry.shape) count *= size;
  return count;
}

/// Every persistent byte.
inline std::string persistent_bytes(optimizer::Optimizer& optimizer) {
  std::string bytes;
  for (const optimizer::PersistentEntry& entry : optimizer.persistent())
    bytes.append(static_cast<const char*>(entry.data),
                 count_of(entry) * (entry.dtype == TALWEG_F32 ? sizeof(float) : sizeof(double)));
  return bytes;
}

/// The numbers of an entry of what persists.
inline std::vector<double> numbers_of(const optimizer::PersistentEntry& entry) {
  const std::uint64_t count = count_of(entry);
  if (entry.dtype == TALWEG_F32) {
    const auto* data = static_cast<const float*>(entry.data);
    return {data, data + count};
  }
  if (entry.dtype != TALWEG_F64) throw std::runtime_error(entry.name + " is of an unknown type");
  const auto* data = static_cast<const double*>(entry.data);
  return {data, data + count};
}

/// Those of the entry of this name ("m/w0"); throws where there is none.
inline std::vector<double> persistent_numbers(optimizer::Optimizer& optimizer,
                                              const std::string& name) {
  std::string names;
  for (const optimizer::PersistentEntry& entry : optimizer.persistent()) {
    if (entry.name == name) return numbers_of(entry);
    names += " " + entry.name;
  }
  throw std::runtime_error("there is no " + name + " among" + names);
}

}  // namespace talweg::tests
