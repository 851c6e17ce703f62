// The nodes of one loop version for some positions at once: loads, operations, stores.
#pragma once

#include <span>
#include <vector>

#include "compiler/codegen/fold_lanes.h"
#include "compiler/codegen/scalar_scope.h"

namespace talweg::codegen {

/// Elements `index`, `index` + 1, ... of a chunk, one a lane; those whose lane of `mask` holds
/// (null: all).
struct Position {
  llvm::Value* index;
  llvm::Value* mask;
};

/// How many vectors are worked on at once where the data lies in cache.
std::uint32_t interleaved_vectors(const plan::LoopVersion& version, const MachineShape& machine);

class ElementBody {
 public:
  ElementBody(const plan::Plan& plan, const plan::ElementPass& pass,
              const plan::LoopVersion& version, const std::vector<llvm::Value*>& streams,
              ScalarScope& scope);

  /// Emits the slower values of the body in the shape of `emission`, before the loop.
  void prepare(const Emission& emission);
  /// Emits the body for all positions, stage by stage; `folds` are those of the version, in its
  /// order. `emission`'s shape was prepared.
  void emit(const Emission& emission, const std::vector<Position>& positions,
            std::span<const FoldLanes> folds);

  /// Indices of streams that are loaded or stored, ascending.
  [[nodiscard]] const std::vector<std::uint32_t>& streams_in_use() const { return streams_in_use_; }

 private:
  using Values = std::vector<llvm::SmallVector<llvm::Value*, 4>>;  // [node][position]

  [[nodiscard]] ir::NodeId resolved(ir::NodeId id) const;
  [[nodiscard]] bool is_element(ir::NodeId id) const;
  llvm::Value* operand(const Emission& emission, const Values& values, ir::NodeId id,
                       std::size_t position);
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
  static constexpr std::uint32_t kComputed = UINT32_MAX;
  std::vector<std::uint32_t> loaded_from_;  // by node: the stream, or kComputed
  std::vector<std::uint32_t> streams_in_use_;
  // Slower values in the shape of a loop, by node; two shapes at most (main loop and tail).
  struct Prepared {
    std::uint32_t width;
    std::vector<llvm::Value*> values;
  };
  std::vector<Prepared> prepared_;
};

}  // namespace talweg::codegen
