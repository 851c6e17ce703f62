// What the C++ cover covers: an optimizer of step.h with its memory, which sees tensors of the
// host. Where it works in other memory, it moves them there and back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/optimizer/step.h"
#include "runtime/support/result.h"

namespace talweg::optimizer {

class Core {
 public:
  Core() = default;
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  /// Puts the parameters back where a view is swapped in or a step waits for a gradient.
  virtual ~Core() = default;

  /// For whatever touches neither tensors nor states of elements, rows and columns.
  [[nodiscard]] virtual talweg_optimizer* get() const = 0;
  [[nodiscard]] virtual std::uint64_t state_bytes() const = 0;

  /// As the functions of step.h, with addresses of the host.
  virtual talweg_status step(const talweg_step_inputs& inputs, talweg_outcome* outcome,
                             talweg_error* error) = 0;
  virtual talweg_status reset(talweg_error* error) = 0;
  virtual talweg_status read_view(std::uint32_t view, void* const* destinations,
                                  talweg_error* error) = 0;
  virtual talweg_status swap_out(talweg_error* error) = 0;
  virtual void abandon() = 0;
  /// Finds memory itself for the parameters that the view replaces.
  virtual support::Status swap_in(std::uint32_t view) = 0;

  /// Makes what shown() gives up to date.
  virtual support::Status fetch_states() = 0;
  /// Where the host sees a state that is at this address for get(); null for null. Where it
  /// `is_for_writing`, what is there when the next call comes is the state.
  virtual void* shown(void* state, bool is_for_writing) = 0;
};

/// Makes a core for an optimizer whose tensors are the host's; `spec` lives during the call only.
using MakeCore =
    std::function<support::Result<std::unique_ptr<Core>>(const talweg_optimizer_spec& spec)>;

/// One that works right in the memory of tensors, with states beside them.
support::Result<std::unique_ptr<Core>> make_host_core(const talweg_optimizer_spec& spec);

/// As what kind of failure users are told what the functions of step.h refuse.
support::FailureKind kind_of(talweg_status status);
inline support::Failure to_failure(const talweg_error& error) {
  return {kind_of(error.status), error.message};
}
/// For what refuses to make an optimizer, where a value out of range is one that the rule was
/// given, not one that it computed.
inline support::Failure creation_failure(const talweg_error& error) {
  return {error.status == TALWEG_OUT_OF_RANGE ? support::FailureKind::Usage : kind_of(error.status),
          error.message};
}

}  // namespace talweg::optimizer
