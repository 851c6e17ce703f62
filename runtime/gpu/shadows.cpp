#include "runtime/gpu/shadows.hpp"

#include <algorithm>
#include <numeric>

#include "runtime/memory/dtype.h"
#include "runtime/optimizer/message.h"

namespace talweg::gpu {

namespace {

std::uint64_t bytes_of(const talweg_tensor& tensor, std::uint32_t element_bytes) {
  return std::accumulate(tensor.shape, tensor.shape + tensor.rank, std::uint64_t{element_bytes},
                         std::multiplies<>());
}

std::uintptr_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

}  // namespace

support::Status check_apart(const talweg_optimizer_spec& spec) {
  struct Range {
    std::uintptr_t begin, end;
    const char* name;
  };
  std::vector<Range> ranges;
  const std::uint32_t element_bytes = talweg_dtype_bytes(spec.image->compute_dtype);
  for (std::uint32_t i = 0; i < spec.tensor_count; ++i) {
    const std::uintptr_t begin = number(spec.tensors[i].param);
    const std::uint64_t bytes = bytes_of(spec.tensors[i], element_bytes);
    if (bytes > 0) ranges.push_back({begin, begin + bytes, spec.tensors[i].name});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].begin < ranges[i - 1].end)
      return support::Failure{support::FailureKind::Usage,
                              "the parameters of tensors `" + std::string(ranges[i - 1].name) +
                                  "` and `" + ranges[i].name + "` share memory"};
  return support::ok();
}

Shadows::Shadows(const talweg_optimizer_spec& spec)
    : element_bytes_(talweg_dtype_bytes(spec.image->compute_dtype)) {
  constexpr std::uint64_t kAlignment = 256;
  for (std::uint32_t i = 0; i < spec.tensor_count; ++i) {
    const talweg_tensor& tensor = spec.tensors[i];
    const std::uint64_t bytes = bytes_of(tensor, element_bytes_);
    tensors_.push_back({bytes_, bytes});
    params_.push_back(tensor.param);
    names_.emplace_back(tensor.name);
    // A tensor without elements has a place of its own too.
    bytes_ += (std::max<std::uint64_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
    if (bytes > 0) by_address_.push_back(i);
  }
  std::sort(by_address_.begin(), by_address_.end(),
            [&](std::size_t a, std::size_t b) { return number(params_[a]) < number(params_[b]); });
}

bool Shadows::send_params(const Block& block, const Session& session,
                          talweg_cuda_error* fault) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].bytes > 0 &&
        talweg_cuda_copy_in(address(block, i), params_[i], tensors_[i].bytes, session.stream(),
                            fault) != TALWEG_CUDA_OK)
      return false;
  return true;
}

bool Shadows::send(const void* const* arrays, const Block& block, std::vector<const void*>& there,
                   const Session& session, talweg_cuda_error* fault) const {
  there.assign(tensors_.size(), nullptr);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (arrays[i] == nullptr) continue;
    const talweg_cuda_address to = address(block, i);
    there[i] = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(to));
    if (tensors_[i].bytes > 0 && talweg_cuda_copy_in(to, arrays[i], tensors_[i].bytes,
                                                     session.stream(), fault) != TALWEG_CUDA_OK)
      return false;
  }
  return true;
}

bool Shadows::take(const Block& block, void* const* arrays, const Session& session,
                   talweg_cuda_error* fault) const {
  bool is_taken = true;
  for (std::size_t i = 0; is_taken && i < tensors_.size(); ++i)
    if (arrays[i] != nullptr && tensors_[i].bytes > 0)
      is_taken = talweg_cuda_copy_out(arrays[i], address(block, i), tensors_[i].bytes,
                                      session.stream(), fault) == TALWEG_CUDA_OK;
  // What was begun still writes there.
  return talweg_cuda_wait(session.stream(), is_taken ? fault : nullptr) == TALWEG_CUDA_OK &&
         is_taken;
}

talweg_status Shadows::check_apart(void* const* arrays, talweg_error* error) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const std::uintptr_t begin = number(arrays[i]), bytes = tensors_[i].bytes;
    if (begin == 0 || bytes == 0) continue;
    if (begin % element_bytes_ != 0) {
      talweg_fail(error, TALWEG_BAD_ARGUMENT, "the memory for a view of tensor ");
      talweg_put_name(error, names_[i].c_str());
      talweg_put(error, " is not aligned to an element");
      return TALWEG_BAD_ARGUMENT;
    }
    // Of the parameters, which lie apart, the first one that ends behind the start.
    const auto other = std::upper_bound(by_address_.begin(), by_address_.end(), begin,
                                        [&](std::uintptr_t start, std::size_t j) {
                                          return start < number(params_[j]) + tensors_[j].bytes;
                                        });
    if (other != by_address_.end() && number(params_[*other]) < begin + bytes) {
      talweg_fail(error, TALWEG_OVERLAP, "the memory for a view of tensor ");
      talweg_put_name(error, names_[i].c_str());
      talweg_put(error, " shares memory with the parameters of tensor ");
      talweg_put_name(error, names_[*other].c_str());
      return TALWEG_OVERLAP;
    }
  }
  return TALWEG_OK;
}

}  // namespace talweg::gpu
