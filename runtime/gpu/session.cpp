#include "runtime/gpu/session.hpp"

#include <algorithm>
#include <cstring>

namespace talweg::gpu {

using support::Failure;
using support::FailureKind;

support::Result<Device> find_device(std::int32_t number) {
  talweg_cuda_error fault{};
  std::int32_t count = 0;
  if (talweg_cuda_device_count(&count, &fault) != TALWEG_CUDA_OK) return to_failure(fault);
  if (number < 0 || number >= count)
    return Failure{FailureKind::Usage,
                   "there is no device cuda:" + std::to_string(number) + ": there is " +
                       (count == 1 ? std::string("only cuda:0")
                                   : "cuda:0 to cuda:" + std::to_string(count - 1))};
  talweg_cuda_facts facts{};
  if (talweg_cuda_describe(number, &facts, &fault) != TALWEG_CUDA_OK) return to_failure(fault);
  constexpr std::int32_t kMinors = 10;
  return Device{
      number, facts.name,
      static_cast<std::uint32_t>(kMinors * facts.capability_major + facts.capability_minor)};
}

talweg_status to_status(const talweg_cuda_error& fault, talweg_error* error) {
  if (error != nullptr) {
    static_assert(sizeof error->message == sizeof fault.message);
    error->status = TALWEG_DEVICE_FAILED;
    std::memcpy(error->message, fault.message, sizeof fault.message);
  }
  return TALWEG_DEVICE_FAILED;
}

support::Result<std::shared_ptr<const Session>> Session::open(std::int32_t device) {
  talweg_cuda_error fault{};
  std::shared_ptr<Session> session(new Session);
  session->device_ = device;
  if (talweg_cuda_retain_context(device, &session->context_, &fault) != TALWEG_CUDA_OK)
    return to_failure(fault);
  const Entered entered(*session, &fault);
  if (!entered || talweg_cuda_create_stream(&session->stream_, &fault) != TALWEG_CUDA_OK)
    return to_failure(fault);
  return std::shared_ptr<const Session>(std::move(session));
}

Session::~Session() {
  if (context_ == nullptr) return;
  if (stream_ != nullptr) {
    const Entered entered(*this, nullptr);
    if (entered) talweg_cuda_destroy_stream(stream_, nullptr);
  }
  talweg_cuda_release_context(device_, nullptr);
}

bool Block::allocate(std::shared_ptr<const Session> session, std::uint64_t bytes,
                     talweg_cuda_error* fault) {
  Block made;
  const Entered entered(*session, fault);
  if (!entered || talweg_cuda_allocate(&made.address_, std::max<std::uint64_t>(bytes, 1), fault) !=
                      TALWEG_CUDA_OK)
    return false;
  made.session_ = std::move(session);
  *this = std::move(made);
  return true;
}

Block::~Block() {
  if (address_ == 0) return;
  const Entered entered(*session_, nullptr);
  if (entered) talweg_cuda_free(address_, nullptr);
}

}  // namespace talweg::gpu
