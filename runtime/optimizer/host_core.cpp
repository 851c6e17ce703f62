// An optimizer in the host's memory.
#include <string>
#include <utility>

#include "runtime/device/host_memory.h"
#include "runtime/optimizer/core.hpp"

namespace talweg::optimizer {

using support::Failure;
using support::FailureKind;

namespace {

class HostCore final : public Core {
 public:
  HostCore(talweg_optimizer* optimizer, device::HostBlock control, device::HostBlock states,
           std::uint64_t state_bytes)
      : optimizer_(optimizer),
        control_(std::move(control)),
        states_(std::move(states)),
        state_bytes_(state_bytes) {}
  ~HostCore() override {
    if (talweg_swapped_view(optimizer_) != TALWEG_NO_VIEW) talweg_swap_out(optimizer_, nullptr);
    talweg_abandon(optimizer_);
  }

  [[nodiscard]] talweg_optimizer* get() const override { return optimizer_; }
  [[nodiscard]] std::uint64_t state_bytes() const override { return state_bytes_; }

  talweg_status step(const talweg_step_inputs& inputs, talweg_outcome* outcome,
                     talweg_error* error) override {
    return talweg_step(optimizer_, &inputs, outcome, error);
  }
  talweg_status reset(talweg_error* error) override { return talweg_reset(optimizer_, error); }
  talweg_status read_view(std::uint32_t view, void* const* destinations,
                          talweg_error* error) override {
    return talweg_read_view(optimizer_, view, destinations, error);
  }
  talweg_status swap_out(talweg_error* error) override {
    const talweg_status status = talweg_swap_out(optimizer_, error);
    if (status == TALWEG_OK) swapped_ = {};
    return status;
  }
  void abandon() override { talweg_abandon(optimizer_); }
  support::Status swap_in(std::uint32_t view) override;

  support::Status fetch_states() override { return support::ok(); }
  void* shown(void* state, bool /*is_for_writing*/) override { return state; }

 private:
  talweg_optimizer* optimizer_;  // in `control_`
  device::HostBlock control_, states_;
  std::uint64_t state_bytes_;
  device::HostBlock swapped_;  // the parameters while a view is swapped in
};

support::Status HostCore::swap_in(std::uint32_t view) {
  const std::size_t bytes = talweg_swap_bytes(optimizer_);
  auto memory = device::HostBlock::allocate(bytes);
  if (!memory)
    return Failure{FailureKind::Io, "there is no memory for " + std::to_string(bytes) +
                                        " bytes of parameters that a view replaces"};
  talweg_error error{};
  if (talweg_swap_in(optimizer_, view, memory->data(), &error) != TALWEG_OK)
    return to_failure(error);
  swapped_ = std::move(*memory);
  return support::ok();
}

}  // namespace

support::Result<std::unique_ptr<Core>> make_host_core(const talweg_optimizer_spec& spec) {
  talweg_error error{};
  talweg_optimizer_sizes sizes{};
  if (talweg_measure(&spec, &sizes, &error) != TALWEG_OK) return to_failure(error);
  auto control = device::HostBlock::allocate(sizes.control_bytes);
  auto states = device::HostBlock::allocate(sizes.state_bytes);
  if (!control || !states)
    return Failure{FailureKind::Io, "there is no memory for " +
                                        std::to_string(sizes.control_bytes + sizes.state_bytes) +
                                        " bytes of states and tables"};
  talweg_optimizer* optimizer = nullptr;
  if (talweg_create(&spec, control->data(), states->data(), &optimizer, &error) != TALWEG_OK)
    return creation_failure(error);
  return std::unique_ptr<Core>(std::make_unique<HostCore>(optimizer, std::move(*control),
                                                          std::move(*states), sizes.state_bytes));
}

}  // namespace talweg::optimizer
