#include "compiler/plan/scalars.h"

#include <algorithm>
#include <cstdint>

#include "compiler/plan/schedule.h"

namespace talweg::plan {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Rate;

namespace {

/// A program, and the nodes that it computes.
struct Program {
  Level level = Level::Model;
  std::uint32_t phase = 0;
  ScalarProgram* program = nullptr;
  std::vector<bool> has;  // by node
};

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan), graph_(plan.graph), has_slot_(graph_.nodes.size()) {
    for (std::uint32_t phase = 0; phase < plan.phases.size(); ++phase)
      for (std::size_t level = 0; level < kLevels; ++level)
        programs_.push_back({static_cast<Level>(level), phase, &plan.phases[phase].programs[level],
                             std::vector<bool>(graph_.nodes.size())});
  }

  void run() {
    for (const Phase& phase : plan_.phases)
      for (const auto* pass : {&phase.lines, &phase.pass})
        if (*pass)
          for (const LoopVersion& version : (*pass)->versions) need_for_loop(version);
    place_stores();
    place_hypers();
    place_end();
    place_regrads();
    place_partials();
    // Users stand after their operands, so this reaches everything.
    for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;)
      for (Program& program : programs_)
        if (program.has[i]) need_operands(NodeId(i), program);
    fill();
  }

 private:
  Program& program(Level level, std::uint32_t phase) {
    return programs_[std::size_t{phase} * kLevels + static_cast<std::size_t>(level)];
  }
  [[nodiscard]] std::uint32_t phase_of(NodeId id) const { return plan_.node_phases[id.index]; }
  /// The program that computes a value which others read.
  Program& home_of(NodeId id) { return program(level_of(graph_[id].rate), phase_of(id)); }

  /// `reader` reads `id`.
  void need(NodeId id, Program& reader) {
    if (graph_[id].kind == NodeKind::Constant) {
      reader.has[id.index] = true;
      return;
    }
    Program& home = home_of(id);
    home.has[id.index] = true;
    if (&home != &reader) has_slot_[id.index] = true;
  }

  void need_operands(NodeId id, Program& reader) {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Reduce) return;  // it is given
    for (int i = 0; i < node.operand_count(); ++i)
      need(node.operands[static_cast<std::size_t>(i)], reader);
  }

  void need_for_loop(const LoopVersion& version) {
    const auto need_slot = [&](NodeId id) {
      if (graph_[id].rate == Rate::Element) return;
      home_of(id).has[id.index] = true;
      has_slot_[id.index] = true;
    };
    for (const Assumption& assumption : version.assumptions) need_slot(assumption.condition);
    for (const StreamStore& store : version.stores) need_slot(store.value);
    for (const ElementFold& fold : version.folds) {
      need_slot(fold.a);
      if (fold.b.valid()) need_slot(fold.b);
    }
    std::vector<bool> is_loaded(graph_.nodes.size());
    for (const StreamLoad& load : version.loads) is_loaded[load.node.index] = true;
    for (const NodeId id : version.nodes)
      for (int i = 0; !is_loaded[id.index] && i < graph_[id].operand_count(); ++i)
        need_slot(version.alias[graph_[id].operands[static_cast<std::size_t>(i)].index]);
  }

  void place_stores() {
    for (std::uint32_t i = 0; i < graph_.stores.size(); ++i) {
      const ir::Store& store = graph_.stores[i];
      if (store.target != ir::StoreTarget::State) continue;
      const Rate rate = graph_.states[store.index].rate;
      if (rate == Rate::Element) continue;
      // States of rows and columns are kept in place, and may be read until the end.
      const std::uint32_t last = static_cast<std::uint32_t>(plan_.phases.size()) - 1;
      Program& writer =
          program(level_of(rate), types::is_array(rate) ? last : phase_of(store.value));
      writer.program->stores.push_back(i);
      need(store.value, writer);
    }
  }

  void place_hypers() {
    for (std::uint32_t i = 0; i < graph_.hypers.size(); ++i) {
      const ir::HyperInfo& hyper = graph_.hypers[i];
      if (!hyper.bound.valid()) continue;
      Program& writer = program(level_of(hyper.rate), binding_phase(hyper, plan_.node_phases));
      writer.program->hypers.push_back(i);
      need(hyper.bound, writer);
      if (hyper.unless.valid()) need(hyper.unless, writer);
    }
  }

  void place_end() {
    Program& writer = program(Level::Model, plan_.end_phase);
    for (const NodeId end : {graph_.skipped, graph_.held}) {
      if (!end.valid()) continue;
      writer.program->says_end = true;
      need(end, writer);
    }
    for (const ir::StateInfo& state : graph_.states)
      if (state.kept.valid()) need(state.kept, writer);
  }

  void place_regrads() {
    for (std::uint32_t i = 0; i < graph_.regrads.size(); ++i) {
      Program& writer = program(Level::Model, plan_.regrad_phases[i]);
      writer.program->regrad = i;
      need(graph_.regrads[i].condition, writer);
    }
  }

  /// Right before the phase in which the first reduction that folds them is known.
  void place_partials() {
    const auto place = [&](PartialKind kind, Level level) {
      const std::vector<Partial>& partials = plan_.partials_of(kind);
      for (std::uint32_t i = 0; i < partials.size(); ++i) {
        std::uint32_t known = UINT32_MAX;
        for (const PlannedReduction& reduction : plan_.reductions)
          if (reduction.kind == kind && reduction.partial == i &&
              graph_[reduction.node].fold != builtins::Fold::Count)
            known = std::min(known, reduction.phase);
        Program& writer = program(level, known - 1);
        writer.program->partials.push_back(i);
        need(partials[i].a, writer);
        if (partials[i].b.valid()) need(partials[i].b, writer);
      }
    };
    place(PartialKind::Group, Level::Group);
    place(PartialKind::Tensor, Level::Tensor);
    place(PartialKind::Matrix, Level::Matrix);
    place(PartialKind::Row, Level::Row);
    place(PartialKind::Col, Level::Col);
  }

  void fill() {
    for (Program& program : programs_)
      for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
        const NodeId id(i);
        if (!program.has[i]) continue;
        program.program->nodes.push_back(id);
        if (!has_slot_[i] || &home_of(id) != &program) continue;
        std::vector<NodeId>& of_level = plan_.slots[static_cast<std::size_t>(program.level)];
        program.program->slots.push_back(static_cast<std::uint32_t>(of_level.size()));
        of_level.push_back(id);
      }
  }

  Plan& plan_;
  const ir::Graph& graph_;
  std::vector<Program> programs_;  // by phase, then level
  std::vector<bool> has_slot_;
};

}  // namespace

void place_scalars(Plan& plan) { Placer(plan).run(); }

}  // namespace talweg::plan
