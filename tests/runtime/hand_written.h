// What rules written by hand as images have in common, and how their passes find their work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/abi/talweg_abi.h"
#include "tests/optimizers.h"

namespace talweg::tests {

template <class T>
inline constexpr std::uint8_t kDtypeOf = std::is_same_v<T, float> ? TALWEG_F32 : TALWEG_F64;

template <class T>
void put(talweg_slot& slot, double value) {
  if constexpr (std::is_same_v<T, float>)
    slot.f32 = static_cast<float>(value);
  else
    slot.f64 = value;
}

template <class T>
T get(const talweg_slot& slot) {
  if constexpr (std::is_same_v<T, float>)
    return slot.f32;
  else
    return slot.f64;
}

/// An image whose functions find the rule again; its tables are members of the rule. It reads
/// gradients and has one route, no views and no matrices unless it says otherwise.
template <class Rule>
class HandWritten {
 public:
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  talweg_image image{};

  HandWritten(const HandWritten&) = delete;
  HandWritten& operator=(const HandWritten&) = delete;

 protected:
  HandWritten(const char* name, std::uint8_t dtype, std::uint32_t streams) {
    image.abi_version = TALWEG_ABI_VERSION;
    image.compute_dtype = dtype;
    image.name = name;
    image.doc = "";
    image.isa = "by hand";
    image.stream_count = streams;
    image.uses_gradient = 1;
    image.step.self = static_cast<Rule*>(this);
    image.step.origin_stream = UINT32_MAX;
  }
  ~HandWritten() = default;

  static Rule& of(void* self) { return *static_cast<Rule*>(self); }

  template <std::size_t count>
  void set_hypers(const talweg_hyper_info (&hypers)[count]) {
    image.hypers = hypers;
    image.hyper_count = count;
  }
  template <std::size_t count>
  void set_states(const talweg_state_info (&states)[count]) {
    image.states = states;
    image.state_count = count;
  }
  template <std::size_t count>
  void set_inputs(const talweg_input_info (&inputs)[count]) {
    image.inputs = inputs;
    image.input_count = count;
  }
  template <std::size_t count>
  void set_facts(const talweg_fact_info (&facts)[count]) {
    image.facts = facts;
    image.fact_count = count;
  }
  template <std::size_t count>
  void set_phases(const talweg_phase (&phases)[count]) {
    image.step.phases = phases;
    image.step.phase_count = count;
  }
  void set_phase(const talweg_phase& phase) {
    image.step.phases = &phase;
    image.step.phase_count = 1;
  }
  template <std::size_t count>
  void set_reductions(const talweg_reduction_info (&reductions)[count]) {
    image.step.reductions = reductions;
    image.step.reduction_count = count;
  }

  // ---- Rows of tables that most rules have ----

  /// lr of groups, from 0 up.
  static constexpr talweg_hyper_info learning_rate(double value) {
    return {"lr", "", value, 0, kInf, 1, 0, TALWEG_HYPER_NUMBER, TALWEG_RATE_GROUP, 0, 0, 0, 0};
  }
  /// norm, which a phase computes for the model.
  static constexpr talweg_hyper_info bound_norm(std::uint8_t phase) {
    return {"norm", "", 0, 0, kInf, 1, 0, TALWEG_HYPER_NUMBER, TALWEG_RATE_MODEL, 1, 0, 0, phase};
  }

  // ---- What functions do ----

  /// Every tensor takes the first route and keeps all states.
  static void keep_all_states(const talweg_placement* placement, std::size_t state_count) {
    *placement->route = 0;
    for (std::size_t s = 0; s < state_count; ++s) placement->state_present[s] = 1;
  }

  template <std::size_t state_count>
  static void end_call(const talweg_scalar_args* args, talweg_outcome outcome,
                       const std::array<bool, state_count>& keeps) {
    *args->outcome = outcome;
    for (std::size_t s = 0; s < state_count && outcome == TALWEG_SKIPPED; ++s)
      args->kept[s] = keeps[s] ? 1 : 0;
  }
};

/// A chunk of a tensor that takes part.
struct PassChunk {
  std::size_t index;  // among all chunks
  std::size_t tensor;
  std::uint64_t first;
  std::uint32_t count;  // of elements
  void* const* streams;

  template <class T>
  [[nodiscard]] T* stream(std::size_t number) const {
    return static_cast<T*>(streams[number]) + first;
  }
};

/// The streams of a tensor; null where it takes no part.
inline void* const* streams_of(const talweg_pass_args* args, std::size_t stream_count,
                               std::size_t tensor) {
  void* const* streams = args->pointers + tensor * stream_count;
  return streams[TALWEG_STREAM_GRAD] == nullptr ? nullptr : streams;
}

/// Calls visit(chunk) for chunks [begin, end) of tensors that take part.
template <class Visit>
void for_chunks(const talweg_pass_args* args, std::size_t stream_count, std::uint32_t begin,
                std::uint32_t end, Visit visit) {
  for (std::size_t i = begin; i < end; ++i) {
    const talweg_chunk& chunk = args->chunks[i];
    if (void* const* streams = streams_of(args, stream_count, chunk.tensor_index))
      visit(PassChunk{i, chunk.tensor_index, chunk.first_element, chunk.element_count, streams});
  }
}

/// Calls visit(number, tensor) for the matrices, rows or columns in entries [begin, end) of their
/// table, of tensors that take part.
template <class Visit>
void for_lines(const talweg_pass_args* args, const talweg_line_chunk* table,
               std::size_t stream_count, std::uint32_t begin, std::uint32_t end, Visit visit) {
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t tensor = table[i].tensor_index;
    if (streams_of(args, stream_count, tensor) == nullptr) continue;
    for (std::size_t line = table[i].first; line < table[i].first + table[i].count; ++line)
      visit(line, tensor);
  }
}

}  // namespace talweg::tests
