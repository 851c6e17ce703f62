// Where tensors of the host are on a device: one after the other in blocks of the same layout, for
// parameters, gradients and whatever else has their shapes. Every call works in a session's stream,
// with its context current.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/gpu/session.hpp"
#include "runtime/optimizer/step.h"

namespace talweg::gpu {

/// Refuses tensors of the host that share memory.
support::Status check_apart(const talweg_optimizer_spec& spec);

class Shadows {
 public:
  /// A spec that talweg_measure has accepted, of tensors of the host.
  explicit Shadows(const talweg_optimizer_spec& spec);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of a block
  [[nodiscard]] std::size_t count() const { return tensors_.size(); }
  [[nodiscard]] talweg_cuda_address address(const Block& block, std::size_t tensor) const {
    return block.address() + tensors_[tensor].offset;
  }
  /// [tensor] The parameters on the host.
  [[nodiscard]] void* const* params() const { return params_.data(); }

  bool send_params(const Block& block, const Session& session, talweg_cuda_error* fault) const;
  /// Copies arrays of the host, one a tensor, and notes where they are then; null stays null. They
  /// must stay until the stream was waited for.
  bool send(const void* const* arrays, const Block& block, std::vector<const void*>& there,
            const Session& session, talweg_cuda_error* fault) const;
  /// Copies a block into arrays of the host, one a tensor, but for those that are null, and waits.
  bool take(const Block& block, void* const* arrays, const Session& session,
            talweg_cuda_error* fault) const;

  /// Refuses arrays of the host to write to, one a tensor, that share memory with parameters or are
  /// not aligned to an element.
  talweg_status check_apart(void* const* arrays, talweg_error* error) const;

 private:
  struct Shadow {
    std::uint64_t offset, bytes;
  };
  std::vector<Shadow> tensors_;
  std::vector<void*> params_;
  std::vector<std::string> names_;
  std::vector<std::size_t> by_address_;  // tensors with elements, by where their parameters are
  std::uint64_t bytes_ = 0;
  std::uint32_t element_bytes_;
};

}  // namespace talweg::gpu
