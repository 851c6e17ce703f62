// See mirrored.hpp. The tensors of the optimizer on the device are shadows of the host's, all in
// one block; so are their gradients, and each input of elements.
//
// States are the device's. The host sees a copy of the whole block, made when it is asked for, and
// sent back before the next call if somebody may have written to it.
#include "runtime/gpu/mirrored.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "runtime/device/host_memory.h"
#include "runtime/gpu/optimizer.h"
#include "runtime/gpu/shadows.hpp"
#include "runtime/memory/state_layout.h"

namespace talweg::gpu {

using optimizer::Core;
using support::Failure;
using support::FailureKind;

namespace {

void* pointer(talweg_cuda_address address) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}

std::string amount(std::uint64_t bytes, const std::string& of) {
  return std::to_string(bytes) + " bytes of " + of;
}

class MirroredCore final : public Core {
 public:
  MirroredCore(std::shared_ptr<const Session> session, const talweg_optimizer_spec& spec,
               std::uint64_t state_bytes)
      : session_(std::move(session)),
        input_count_(spec.image->input_count),
        shadows_(spec),
        inputs_(input_count_),
        inputs_there_(input_count_),
        element_inputs_(input_count_),
        state_bytes_(state_bytes) {}
  ~MirroredCore() override;
  support::Status make(const talweg_optimizer_spec& spec, const std::string& ptx);

  [[nodiscard]] talweg_optimizer* get() const override { return optimizer_; }
  [[nodiscard]] std::uint64_t state_bytes() const override { return state_bytes_; }
  talweg_status step(const talweg_step_inputs& inputs, talweg_outcome* outcome,
                     talweg_error* error) override;
  talweg_status reset(talweg_error* error) override;
  talweg_status read_view(std::uint32_t view, void* const* destinations,
                          talweg_error* error) override;
  support::Status swap_in(std::uint32_t view) override;
  talweg_status swap_out(talweg_error* error) override;
  void abandon() override;
  support::Status fetch_states() override;
  void* shown(void* state, bool is_for_writing) override;

 private:
  support::Status allocate(Block& block, std::uint64_t bytes, const std::string& of);
  /// What the device computes with: parameters, and states that the host may have written.
  bool send(talweg_cuda_error* fault);
  bool send_element_inputs(const talweg_step_inputs& inputs, talweg_cuda_error* fault);
  talweg_status take_params(talweg_error* error);
  [[nodiscard]] talweg_cuda_address states_start() const {
    constexpr talweg_cuda_address kAlignment = TALWEG_STATE_ALIGNMENT;
    return (states_.address() + kAlignment - 1) / kAlignment * kAlignment;
  }
  /// Ends what a failure has left in the stream: copies from memory that is not ours.
  talweg_status stop(talweg_status status) {
    talweg_cuda_wait(session_->stream(), nullptr);
    return status;
  }

  std::shared_ptr<const Session> session_;
  std::uint32_t input_count_;
  Shadows shadows_;
  Block params_, gradients_, states_, swapped_;
  std::vector<Block> inputs_;                           // of elements, by the image's numbers
  std::vector<const void*> gradients_there_;            // [tensor]
  std::vector<std::vector<const void*>> inputs_there_;  // [input][tensor]
  std::vector<const void* const*> element_inputs_;      // [input]
  std::uint64_t state_bytes_;
  talweg_optimizer* optimizer_ = nullptr;
  device::HostBlock shown_states_;
  bool is_shown_ = false;    // they are those of the device
  bool is_written_ = false;  // they may be changed
};

support::Status MirroredCore::allocate(Block& block, std::uint64_t bytes, const std::string& of) {
  talweg_cuda_error fault{};
  if (block.allocate(session_, bytes, &fault)) return support::ok();
  return Failure{FailureKind::Io, "cuda:" + std::to_string(session_->device()) +
                                      " has no memory for " + amount(bytes, of) + " (" +
                                      fault.message + ")"};
}

support::Status MirroredCore::make(const talweg_optimizer_spec& spec, const std::string& ptx) {
  auto status = allocate(params_, shadows_.bytes(), "parameters");
  if (status) status = allocate(gradients_, shadows_.bytes(), "gradients");
  if (status) status = allocate(states_, state_bytes_ + TALWEG_STATE_ALIGNMENT, "states");
  if (!status) return status;
  std::vector<talweg_tensor> tensors(spec.tensors, spec.tensors + spec.tensor_count);
  for (std::uint32_t i = 0; i < spec.tensor_count; ++i) {
    tensors[i].param = pointer(shadows_.address(params_, i));
    tensors[i].device = TALWEG_DEVICE_CUDA;
  }
  talweg_gpu_spec gpu_spec{.optimizer = spec,
                           .ptx = ptx.c_str(),
                           .context = session_->context(),
                           .stream = session_->stream(),
                           .state_memory = states_start()};
  gpu_spec.optimizer.tensors = tensors.data();
  gpu_spec.optimizer.parallel_for = nullptr;
  gpu_spec.optimizer.thread_count = 1;
  talweg_error error{};
  if (talweg_gpu_create(&gpu_spec, &optimizer_, &error) != TALWEG_OK)
    return optimizer::creation_failure(error);
  return support::ok();
}

MirroredCore::~MirroredCore() {
  if (optimizer_ == nullptr) return;
  if (talweg_swapped_view(optimizer_) != TALWEG_NO_VIEW) swap_out(nullptr);
  abandon();
  talweg_gpu_destroy(optimizer_);
}

bool MirroredCore::send(talweg_cuda_error* fault) {
  is_shown_ = false;
  if (is_written_ && talweg_cuda_copy_in(states_start(), shown_states_.data(), state_bytes_,
                                         session_->stream(), fault) != TALWEG_CUDA_OK)
    return false;
  is_written_ = false;
  return shadows_.send_params(params_, *session_, fault);
}

bool MirroredCore::send_element_inputs(const talweg_step_inputs& inputs, talweg_cuda_error* fault) {
  std::fill(element_inputs_.begin(), element_inputs_.end(), nullptr);
  for (std::uint32_t i = 0; inputs.element_inputs != nullptr && i < input_count_; ++i) {
    if (inputs.element_inputs[i] == nullptr) continue;
    if (inputs_[i].address() == 0 && !inputs_[i].allocate(session_, shadows_.bytes(), fault))
      return false;
    if (!shadows_.send(inputs.element_inputs[i], inputs_[i], inputs_there_[i], *session_, fault))
      return false;
    element_inputs_[i] = inputs_there_[i].data();
  }
  return true;
}

talweg_status MirroredCore::take_params(talweg_error* error) {
  talweg_cuda_error fault{};
  const Entered entered(*session_, &fault);
  if (!entered || !shadows_.take(params_, shadows_.params(), *session_, &fault))
    return to_status(fault, error);
  return TALWEG_OK;
}

talweg_status MirroredCore::step(const talweg_step_inputs& inputs, talweg_outcome* outcome,
                                 talweg_error* error) {
  talweg_cuda_error fault{};
  const Entered entered(*session_, &fault);
  const bool is_sent =
      entered && send(&fault) &&
      (inputs.gradients == nullptr ||
       shadows_.send(inputs.gradients, gradients_, gradients_there_, *session_, &fault)) &&
      (talweg_is_waiting(optimizer_) != 0 || send_element_inputs(inputs, &fault));
  if (!is_sent) return stop(to_status(fault, error));
  talweg_step_inputs there = inputs;
  if (inputs.gradients != nullptr) there.gradients = gradients_there_.data();
  if (inputs.element_inputs != nullptr) there.element_inputs = element_inputs_.data();
  talweg_outcome ended = TALWEG_COMPLETED;
  const bool has_waited = talweg_is_waiting(optimizer_) != 0;
  talweg_status status = talweg_step(optimizer_, &there, &ended, error);
  if (status == TALWEG_OK) status = talweg_gpu_wait(optimizer_, &ended, error);
  if (status == TALWEG_OK) status = take_params(error);
  // Refused: it has put back what its first call has moved.
  const bool is_over = has_waited && talweg_is_waiting(optimizer_) == 0;
  if (status != TALWEG_OK && status != TALWEG_DEVICE_FAILED && is_over) take_params(nullptr);
  if (status != TALWEG_OK) return stop(status);
  if (outcome != nullptr) *outcome = ended;
  return TALWEG_OK;
}

talweg_status MirroredCore::reset(talweg_error* error) {
  const talweg_status status = talweg_reset(optimizer_, error);
  if (status == TALWEG_OK) is_shown_ = is_written_ = false;
  return status;
}

talweg_status MirroredCore::read_view(std::uint32_t view, void* const* destinations,
                                      talweg_error* error) {
  const talweg_status refused = shadows_.check_apart(destinations, error);
  if (refused != TALWEG_OK) return refused;
  talweg_cuda_error fault{};
  Block values;
  const Entered entered(*session_, &fault);
  if (!entered || !values.allocate(session_, shadows_.bytes(), &fault) || !send(&fault))
    return stop(to_status(fault, error));
  std::vector<void*> there(shadows_.count());
  for (std::size_t i = 0; i < there.size(); ++i)
    if (destinations[i] != nullptr) there[i] = pointer(shadows_.address(values, i));
  const talweg_status status = talweg_read_view(optimizer_, view, there.data(), error);
  if (status != TALWEG_OK) return stop(status);
  if (!shadows_.take(values, destinations, *session_, &fault)) return stop(to_status(fault, error));
  return TALWEG_OK;
}

support::Status MirroredCore::swap_in(std::uint32_t view) {
  talweg_cuda_error fault{};
  Block memory;
  const auto allocated =
      allocate(memory, talweg_swap_bytes(optimizer_), "parameters that a view replaces");
  if (!allocated) return allocated;
  const Entered entered(*session_, &fault);
  if (!entered || !send(&fault)) {
    stop(TALWEG_DEVICE_FAILED);
    return to_failure(fault);
  }
  talweg_error error{};
  if (talweg_swap_in(optimizer_, view, pointer(memory.address()), &error) != TALWEG_OK) {
    stop(error.status);
    return optimizer::to_failure(error);
  }
  swapped_ = std::move(memory);
  if (take_params(&error) == TALWEG_OK) return support::ok();
  swap_out(nullptr);
  return optimizer::to_failure(error);
}

talweg_status MirroredCore::swap_out(talweg_error* error) {
  const talweg_status status = talweg_swap_out(optimizer_, error);
  if (status != TALWEG_OK) return status;
  swapped_ = {};
  return take_params(error);
}

void MirroredCore::abandon() {
  if (talweg_is_waiting(optimizer_) == 0) return;
  talweg_abandon(optimizer_);
  take_params(nullptr);
}

support::Status MirroredCore::fetch_states() {
  if (is_shown_ || state_bytes_ == 0) return support::ok();
  if (shown_states_.data() == nullptr) {
    auto block = device::HostBlock::allocate(state_bytes_);
    if (!block)
      return Failure{FailureKind::Io, "there is no memory for " + amount(state_bytes_, "states")};
    shown_states_ = std::move(*block);
  }
  // With it comes what else steps have changed; an optimizer that broke has no states to show.
  talweg_error error{};
  if (talweg_gpu_wait(optimizer_, nullptr, &error) != TALWEG_OK)
    return optimizer::to_failure(error);
  talweg_cuda_error fault{};
  const Entered entered(*session_, &fault);
  if (!entered ||
      talweg_cuda_copy_out(shown_states_.data(), states_start(), state_bytes_, session_->stream(),
                           &fault) != TALWEG_CUDA_OK ||
      talweg_cuda_wait(session_->stream(), &fault) != TALWEG_CUDA_OK)
    return to_failure(fault);
  is_shown_ = true;
  return support::ok();
}

void* MirroredCore::shown(void* state, bool is_for_writing) {
  const auto offset = reinterpret_cast<std::uintptr_t>(state) - states_start();
  if (state == nullptr || offset >= state_bytes_) return state;
  is_written_ = is_written_ || is_for_writing;
  return static_cast<std::byte*>(shown_states_.data()) + offset;
}

}  // namespace

optimizer::MakeCore on_device(std::int32_t device, std::shared_ptr<const std::string> ptx) {
  return [device, ptx = std::move(ptx)](
             const talweg_optimizer_spec& spec) -> support::Result<std::unique_ptr<Core>> {
    // What it refuses of a spec, and how much states take, is the same on the host.
    talweg_error error{};
    talweg_optimizer_sizes sizes{};
    if (talweg_measure(&spec, &sizes, &error) != TALWEG_OK) return optimizer::to_failure(error);
    if (const auto apart = check_apart(spec); !apart) return apart.failure();
    auto session = Session::open(device);
    if (!session) return session.failure();
    auto core = std::make_unique<MirroredCore>(std::move(*session), spec, sizes.state_bytes);
    if (const auto made = core->make(spec, *ptx); !made) return made.failure();
    return std::unique_ptr<Core>(std::move(core));
  };
}

}  // namespace talweg::gpu
