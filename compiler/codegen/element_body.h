// The nodes of one loop version for some positions at once: loads, operations, stores.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compiler/codegen/fold_lanes.h"
#include "compiler/codegen/scalar_scope.h"

namespace talweg::codegen {

/// Elements `index`, `index` + 1, ... from where the streams start, one a lane; those whose lane of
/// `mask` holds (null: all).
struct Position {
  llvm::Value* index;
  llvm::Value* mask;
  llvm::Value* sequence = nullptr;  // their places in the sequence that is folded; null: `index`
  llvm::Value* col = nullptr;       // numbers of their columns in the optimizer
};

/// True if a version reads values of matrices, rows or columns.
bool reads_lines(const plan::Plan& plan, const plan::LoopVersion& version);

/// How many vectors are worked on at once where the data lies in cache.
std::uint32_t interleaved_vectors(const plan::Plan& plan, const plan::LoopVersion& version,
                                  const MachineShape& machine);

class ElementBody {
 public:
  ElementBody(const plan::Plan& plan, const plan::ElementPass& pass,
              const plan::LoopVersion& version, const std::vector<llvm::Value*>& streams,
              ScalarScope& scope, const LineSlots& col_slots);

  /// Emits the slower values of the body in the shape of `emission`, before the loop.
  void prepare(const Emission& emission);
  /// Emits the body for all positions, stage by stage. `leave` is called for each fold of the
  /// version and position: leave(fold, position, a, b). `emission`'s shape was prepared.
  using Leave = std::function<void(std::size_t fold, const Position& position, llvm::Value* a,
                                   llvm::Value* b)>;
  void emit(const Emission& emission, const std::vector<Position>& positions, const Leave& leave);

  /// Asks for the cache lines that elements `index` to `index` + `turn` - 1 of a later turn lie in,
  /// of every stream that is loaded or stored.
  void emit_prefetch(const Emission& emission, llvm::Value* index, std::uint32_t turn);

 private:
  using Values = std::vector<llvm::SmallVector<llvm::Value*, 4>>;  // [node][position]

  [[nodiscard]] ir::NodeId resolved(ir::NodeId id) const;
  /// It is another value at every position.
  [[nodiscard]] bool varies(ir::NodeId id) const;
  llvm::Value* operand(const Emission& emission, const Values& values, ir::NodeId id,
                       std::size_t position);
  [[nodiscard]] llvm::Align alignment_of(const Emission& emission) const;
  llvm::Value* emit_load(const Emission& emission, std::uint32_t stream, const Position& position);
  void emit_store(const Emission& emission, std::uint32_t stream, const Position& position,
                  llvm::Value* value);
  void emit_node(const Emission& emission, const std::vector<Position>& positions, ir::NodeId id,
                 Values& values);

  [[nodiscard]] double share_of_estimated_roots() const;

  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  const plan::LoopVersion& version_;
  const double estimated_roots_;  // share of the positions that are worked on at once
  const std::vector<llvm::Value*>& streams_;
  ScalarScope& scope_;
  const LineSlots& col_slots_;
  std::vector<ir::NodeId> cols_;         // values of columns that the body reads
  std::vector<std::uint32_t> col_slot_;  // by node
  static constexpr std::uint32_t kComputed = UINT32_MAX;
  std::vector<std::uint32_t> loaded_from_;     // by node: the stream, or kComputed
  std::vector<std::uint32_t> streams_in_use_;  // loaded or stored, ascending
  // Slower values in the shape of a loop, by node; two shapes at most (main loop and tail).
  struct Prepared {
    std::uint32_t width;
    std::vector<llvm::Value*> values;
  };
  std::vector<Prepared> prepared_;
};

}  // namespace talweg::codegen
