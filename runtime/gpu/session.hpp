// A GPU as programs of the host use it that have no context of their own: the device, its primary
// context, a stream, memory. All is released by destructors, in any order but sessions last.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "runtime/device/cuda_calls.h"
#include "runtime/optimizer/error.h"
#include "runtime/support/result.h"

namespace talweg::gpu {

struct Device {
  std::int32_t number = 0;
  std::string name;
  std::uint32_t capability = 0;  // 90: compute capability 9.0
};

/// A device of this machine. Failures: Io where there is no driver, or it refuses; Usage where it
/// shows no such device.
support::Result<Device> find_device(std::int32_t number);

/// What the driver has refused, as step.h tells it; and for users.
talweg_status to_status(const talweg_cuda_error& fault, talweg_error* error);
inline support::Failure to_failure(const talweg_cuda_error& fault) {
  return {support::FailureKind::Io, fault.message};
}

class Session {
 public:
  static support::Result<std::shared_ptr<const Session>> open(std::int32_t device);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] std::int32_t device() const { return device_; }
  [[nodiscard]] talweg_cuda_context context() const { return context_; }
  [[nodiscard]] talweg_cuda_stream stream() const { return stream_; }

 private:
  Session() = default;
  std::int32_t device_ = 0;
  talweg_cuda_context context_ = nullptr;
  talweg_cuda_stream stream_ = nullptr;
};

/// Makes a session's context current while it lives. False: it could not.
class Entered {
 public:
  Entered(const Session& session, talweg_cuda_error* fault)
      : context_(session.context()), is_entered_(talweg_cuda_enter(context_, fault) == 0) {}
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() {
    if (is_entered_) talweg_cuda_leave(context_, nullptr);
  }
  explicit operator bool() const { return is_entered_; }

 private:
  talweg_cuda_context context_;
  bool is_entered_;
};

/// Memory of a session's device.
class Block {
 public:
  /// Of at least one byte. False, and why, where there is no room.
  bool allocate(std::shared_ptr<const Session> session, std::uint64_t bytes,
                talweg_cuda_error* fault);
  Block() = default;
  Block(Block&& other) noexcept
      : session_(std::move(other.session_)), address_(std::exchange(other.address_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(session_, other.session_);
    std::swap(address_, other.address_);
    return *this;
  }
  ~Block();
  [[nodiscard]] talweg_cuda_address address() const { return address_; }

 private:
  std::shared_ptr<const Session> session_;
  talweg_cuda_address address_ = 0;
};

}  // namespace talweg::gpu
