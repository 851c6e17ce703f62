// The optimizer as C++ programs and the training loop use it: an image, tensors and groups; then
// steps. Owns the states. A thin RAII cover of step.h, where the step itself is written once in C.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/talweg_abi.h"
#include "runtime/optimizer/core.hpp"
#include "runtime/support/result.h"
#include "runtime/support/thread_pool.h"

namespace talweg::optimizer {

/// One parameter tensor. The memory of `param` belongs to the caller and must outlive the
/// optimizer.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t>
      shape;              // row-major, contiguous; empty: one element; a 0 makes it empty
  void* param = nullptr;  // of the image's compute type
  std::uint32_t group = 0;
  std::vector<std::string> tags;
  // Which of its dimensions are rows and columns, where that is not to be as the rule says.
  std::uint32_t split = TALWEG_SPLIT_NONE;  // talweg_split
  std::uint32_t split_at = 0, split_to = 0;
};

/// What a step is given besides gradients. Values of model inputs by name; element inputs as one
/// pointer a tensor (may be null for a tensor without gradient); inputs of groups and of tensors as
/// one value for each; inputs of matrices, rows and columns as one pointer a tensor (may be null
/// where there are none), to numbers as PersistentEntry shows states of their rate: {matrices} of
/// float64, {matrices, rows} or {matrices, columns} of the compute type.
struct StepInputs {
  std::vector<std::pair<std::string, double>> model;
  std::vector<std::pair<std::string, std::vector<const void*>>> element;
  std::vector<std::pair<std::string, std::vector<double>>> group = {};
  std::vector<std::pair<std::string, std::vector<double>>> tensor = {};
  std::vector<std::pair<std::string, std::vector<const void*>>> matrix = {};
  std::vector<std::pair<std::string, std::vector<const void*>>> row = {};
  std::vector<std::pair<std::string, std::vector<const void*>>> col = {};

  [[nodiscard]] bool is_empty() const {
    return model.empty() && element.empty() && group.empty() && tensor.empty() && matrix.empty() &&
           row.empty() && col.empty();
  }
};

/// How a call of step ended.
enum class StepOutcome : std::uint8_t {
  Completed,
  Held,     // the rule ended the call early and keeps what it assigned; `t` stays
  Skipped,  // the rule abandoned the step; `t` stays
  Regrad,   // the step goes on in the next call, with gradients of the parameters as they are now
};

/// What values an entry of persistent data may have.
enum class PersistentKind : std::uint8_t {
  Value,    // any bits
  Counter,  // an integer from 0 to 2^53
  Flag,     // 0 or 1
};

/// One entry of all persistent data: checkpoints, views and resets go over this list.
struct PersistentEntry {
  /// "adamw.m/<tensor>" (elements of a tensor, or its one value if the state is of tensors, which
  /// has shape {}, or those of its matrices, rows or columns: shape {matrices}, {matrices, rows},
  /// {matrices, columns}, without the first if that is 1), "plateau.scale" (model), "mu@1" (group
  /// 1); "t" (completed steps) and "calls"; for states that start from param or hypers, that they
  /// have:
  /// "@begun/adamw.m/<tensor>", and for scalar ones "@begun/plateau.scale".
  std::string name;
  PersistentKind kind = PersistentKind::Value;
  talweg_dtype dtype = TALWEG_F32;
  std::vector<std::uint64_t> shape;
  void* data = nullptr;  // read and written in place (but see Optimizer::persistent); null for a
                         // tensor without elements
};

class Optimizer {
 public:
  /// `image` (held) must stay valid for as long as the optimizer; `keep_alive` is released with it.
  /// Refused: an ABI of another version, overlapping tensors, tensors without a name or of the same
  /// name, sizes past what memory can hold, unknown groups. `pool` may be null: everything runs on
  /// the calling thread. `make_core` says where steps run, if not right in the tensors' memory.
  static support::Result<Optimizer> create(const talweg_image& image,
                                           std::shared_ptr<const void> keep_alive,
                                           std::vector<Tensor> tensors, std::uint32_t group_count,
                                           std::shared_ptr<support::ThreadPool> pool,
                                           const MakeCore& make_core = {});
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;
  ~Optimizer();

  /// Sets a hyper of one group, or of all groups. Refused by name: unknown (with a suggestion),
  /// bound, out of range (also after rounding to the compute type), not an integer, a model hyper
  /// set for one group.
  support::Status set_hyper(std::string_view name, double value,
                            std::optional<std::uint32_t> group = {});
  support::Result<double> hyper(std::string_view name, std::uint32_t group = 0) const;

  /// One step over all tensors: gradients[i] for tensor i, null: the tensor is left out. No
  /// gradients at all may be given to a rule that reads none: then every tensor takes part.
  /// The rule may skip or hold the step: the result says so.
  /// Refused, with nothing written: a bound hyper out of range (Numeric), an input missing that
  /// this step reads or unknown, a gradient or an input of elements that overlaps a parameter or a
  /// state (Usage).
  ///
  /// Where the result is Regrad, the rule has moved the parameters and the step waits for the
  /// gradients there: the next call goes on with them. They are of the same tensors; `inputs` are
  /// those that the step began with and are not looked at again, but element inputs stay where they
  /// are. It is one step, and one call, which ends when another result comes. A call that is
  /// refused for its gradients leaves the step waiting; where the rule computes a bound hyper out
  /// of range, the step is over and has changed nothing.
  support::Result<StepOutcome> step(std::span<const void* const> gradients,
                                    const StepInputs& inputs);
  /// The same without inputs; an empty StepInputs of its own would be a twentieth of a small step.
  support::Result<StepOutcome> step(std::span<const void* const> gradients);

  /// Whether a step waits for another gradient. Meanwhile are refused: setting hypers, reading
  /// states by name, views, a reset, saving and loading (checkpoint/optimizer_state.h); and what
  /// persistent() points to is in the middle of a step.
  [[nodiscard]] bool is_waiting() const;
  /// Ends a step that waits as if it had not begun: parameters and states are what they were before
  /// it, and it counts as no call. Does nothing where none waits. An optimizer that is destroyed
  /// abandons its step.
  void abandon();

  /// Whether the last step read an input of the rule: one that was held or skipped may have ended
  /// before. False for a name that is no input.
  [[nodiscard]] bool has_read(std::string_view input) const;

  /// Names of the inputs that the next step reads and that are not among `inputs`; none while a
  /// step waits for another gradient.
  support::Result<std::vector<std::string>> missing_inputs(const StepInputs& inputs = {});

  /// Back to the moment of creation: all persistent data. Hypers and parameters stay. Refused while
  /// a view is swapped in or a step waits for another gradient.
  support::Status reset();

  /// Names of the rule's views, as read_view and swap_in take them.
  [[nodiscard]] std::vector<std::string> views() const;
  /// Fails, with a suggestion, for a view that the rule does not have.
  [[nodiscard]] support::Status check_view(std::string_view name) const;
  /// Computes a view of one tensor into `out`, of the parameter's size and type, or of all tensors,
  /// one pointer each (null: left out). Memory apart from parameters and states. Changes nothing.
  /// States that have not begun (no step yet, or no gradient so far) are seen as they would begin
  /// now. Refused while a view is swapped in.
  support::Status read_view(std::string_view name, std::size_t tensor, void* out);
  support::Status read_view(std::string_view name, std::span<void* const> outs);
  /// Puts a view in place of all parameters, until swap_out puts them back, byte for byte.
  /// Meanwhile a step, a reset and another view are refused, and so is saving or loading of
  /// persistent data (checkpoint/optimizer_state.h). An optimizer that is destroyed puts the
  /// parameters back first.
  support::Status swap_in(std::string_view name);
  support::Status swap_out();
  /// The name of the view that is swapped in; empty for none.
  [[nodiscard]] std::string_view swapped_in() const;

  [[nodiscard]] const talweg_image& image() const;
  [[nodiscard]] const std::vector<Tensor>& tensors() const;
  [[nodiscard]] std::uint32_t group_count() const;
  [[nodiscard]] std::uint64_t steps_completed() const;
  [[nodiscard]] std::uint64_t calls() const;
  /// Value of a scalar state (model rate, or of a group), or of a bound hyper in the last completed
  /// step. A state that starts from hypers has, until it begins, the value that their present
  /// values give.
  support::Result<double> scalar(std::string_view name, std::uint32_t group = 0) const;
  /// Value of a state that each tensor has one of. Refused for a tensor that does not keep it.
  support::Result<double> tensor_scalar(std::string_view name, std::size_t tensor) const;
  /// Start of an element state of a tensor; null for a tensor without elements.
  support::Result<const void*> state(std::string_view name, std::size_t tensor) const;
  /// Where states are not in the host's memory, this shows a copy as they are now, and what stands
  /// in it when the next call that looks at states is made is what they are then. It throws
  /// where the copy cannot be made, which fetch_states() can say without.
  std::vector<PersistentEntry> persistent();
  /// Makes that copy. Does nothing where states are in the host's memory.
  support::Status fetch_states();
  /// Memory of element states, and of what steps use in between, wherever it is.
  [[nodiscard]] std::uint64_t state_bytes() const;

 private:
  struct Impl;
  explicit Optimizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::optimizer
