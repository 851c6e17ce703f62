#include "tests/plan/run_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <optional>

#include "compiler/ir/phases.h"
#include "compiler/ir/sequence.h"
#include "compiler/ir/text.h"
#include "compiler/plan/schedule.h"
#include "runtime/abi/talweg_abi.h"
#include "tests/plan/node_value.h"
#include "tests/plan/plan_reductions.h"
#include "tests/plan/plan_tables.h"

namespace talweg::tests {

using builtins::Fold;
using ir::Node, ir::NodeId, ir::NodeKind, ir::Rate, ir::Value;

namespace {

using Values = std::map<NodeId, Value>;

/// Fails the test unless it holds. (Not REQUIRE: that is slow a million times.)
void expect(bool holds, const std::string& what) {
  if (!holds) FAIL(what);
}

constexpr Rate kLineRates[] = {Rate::Matrix, Rate::Row, Rate::Col};

class Runner {
 public:
  Runner(const plan::Plan& plan, const StepCase& given)
      : plan_(plan),
        graph_(plan.graph),
        given_(given),
        expected_(plan.graph, plan.compute, given),
        tables_(given),
        reductions_(plan, given, expected_, tables_) {
    fill_memory();
  }

  Loops run() && {
    for (phase_ = 0; phase_ < plan_.phases.size(); ++phase_) {
      run_phase(plan_.phases[phase_]);
      for (std::size_t i = 0; i < graph_.regrads.size(); ++i)
        if (plan_.regrad_phases[i] == phase_) wait(i);
    }
    const bool may_end = graph_.skipped.valid() || graph_.held.valid();
    expect(says_end_ || !may_end, "no program says how the call ends");
    check_memory();
    check_scalars();
    return std::move(loops_);
  }

 private:
  using Memory = std::vector<std::optional<double>>;  // nothing: never written

  // ---- Memory ----

  void fill_memory() {
    std::vector<plan::Stream> streams;
    for (const plan::Phase& phase : plan_.phases)
      for (const auto& pass : {phase.lines, phase.pass})
        if (pass) streams = pass->streams;
    streams_ = streams;
    for (const TensorCase& tensor : given_.tensors) {
      std::vector<Memory>& rows = memory_.emplace_back(streams.size());
      for (std::size_t i = 0; i < streams.size(); ++i)
        for (const ir::ElementContext& element : tensor.elements)
          rows[i].push_back(before(streams[i], element));
    }
  }

  static std::optional<double> before(const plan::Stream& stream,
                                      const ir::ElementContext& element) {
    switch (stream.kind) {
      case plan::StreamKind::Param:
        return element.param;
      case plan::StreamKind::Grad:
        return element.grad;
      case plan::StreamKind::State:
        return element.states[stream.index];
      case plan::StreamKind::Input:
        return element.inputs[stream.index];
      case plan::StreamKind::Scratch:
        return std::nullopt;
    }
    return std::nullopt;
  }

  /// A tensor has no memory for states and inputs that its arms leave out.
  bool has_memory(std::size_t tensor, const plan::Stream& stream) {
    NodeId present;
    if (stream.kind == plan::StreamKind::State) present = graph_.states[stream.index].present;
    if (stream.kind == plan::StreamKind::Input) present = graph_.inputs[stream.index].present;
    return !present.valid() || expected_.of_tensor(tensor, present).truth;
  }

  // ---- Phases ----

  void run_phase(const plan::Phase& phase) {
    for (const plan::PlannedReduction& reduction : plan_.reductions)
      if (reduction.phase == phase_) reductions_.reduce(reduction);
    run_program(phase[plan::Level::Model], {.rate = Rate::Model});
    for (std::size_t group = 0; group < given_.groups.size(); ++group)
      run_program(phase[plan::Level::Group], {.rate = Rate::Group, .group = group});
    for (std::size_t i = 0; i < given_.tensors.size(); ++i)
      if (given_.tensors[i].takes_part) run_programs_of_tensor(phase, i);
    for (std::size_t i = 0; i < given_.tensors.size(); ++i) {
      if (!given_.tensors[i].takes_part) continue;
      if (phase.lines && given_.tensors[i].matrices > 0) run_tensor(*phase.lines, i);
      if (phase.pass) run_tensor(*phase.pass, i);
    }
  }

  void run_programs_of_tensor(const plan::Phase& phase, std::size_t tensor) {
    const TensorCase& given = given_.tensors[tensor];
    run_program(phase[plan::Level::Tensor], {Rate::Tensor, given.group, tensor});
    for (const Rate rate : kLineRates)
      for (std::size_t i = 0; i < given.count_of(rate); ++i)
        run_program(phase[plan::level_of(rate)], {rate, given.group, tensor, i});
  }

  /// The step may wait here: param is where the graph says, what it was can be put back, and the
  /// gradients are new.
  void wait(std::size_t regrad) {
    expect(says_regrad_ == regrad, "no program says whether the step waits");
    const auto& [condition, param, gradient] = graph_.regrads[regrad];
    if (!expected_.of_group(0, condition).truth) return;
    for (std::size_t t = 0; t < memory_.size(); ++t)
      for (std::size_t e = 0; e < given_.tensors[t].elements.size(); ++e) {
        if (!given_.tensors[t].takes_part) continue;
        std::vector<Memory>& memory = memory_[t];
        expect(same(*memory[plan::kParamStream][e], expected_.of_element(t, e, param).number),
               "param is elsewhere while the step waits");
        const std::size_t first_scratch = streams_.size() - plan_.scratch.size();
        if (plan_.origin)
          expect(same(memory[first_scratch + *plan_.origin][e].value_or(0),
                      given_.tensors[t].elements[e].param),
                 "a step that waits could not be abandoned");
        memory[plan::kGradStream][e] = expected_.of_element(t, e, gradient).number;
      }
  }

  /// Of the rate that runs or a slower one. A tensor that is no matrix has no lines to read of.
  Value slot(NodeId id, const Place& place) {
    for (const Rate rate :
         {Rate::Model, Rate::Group, Rate::Tensor, Rate::Matrix, Rate::Row, Rate::Col}) {
      if (!types::fits(rate, place.rate)) continue;
      if (types::is_of_matrices(rate) && given_.tensors[place.tensor].matrices == 0) continue;
      const auto& slots = tables_.at(rate, place).slots;
      if (const auto found = slots.find(id); found != slots.end()) return found->second;
    }
    FAIL("phase " << phase_ << " reads a slot of %" << id.index << ", which nothing has filled");
    return {};
  }

  Value read(const Values& values, NodeId id, const Place& place) {
    const auto found = values.find(id);
    return found == values.end() ? slot(id, place) : found->second;
  }

  [[nodiscard]] Value expected_at(const Place& place, NodeId id) const {
    if (types::fits(place.rate, Rate::Group)) return expected_.of_group(place.group, id);
    if (place.rate == Rate::Tensor) return expected_.of_tensor(place.tensor, id);
    if (place.rate == Rate::Element) return expected_.of_element(place.tensor, place.number, id);
    return expected_.of_line(place.rate, place.tensor, place.number, id);
  }

  /// A node's value, which must be the interpreter's.
  void set(Values& values, NodeId id, Value value, const Place& place) {
    const Value right = expected_at(place, id);
    const bool is_right = same(value.number, right.number) && value.truth == right.truth;
    // Programs compute all they have, and loops both arms of a choice; what a loop has left out
    // must only reach no result.
    if (!is_right && !reductions_.lacks_some())
      FAIL("phase " << phase_ << " computes " << value.number << " for "
                    << ir::print_node(graph_, id) << ", which is " << right.number);
    values[id] = value;
  }

  // ---- Programs ----

  void run_program(const plan::ScalarProgram& program, const Place& place) {
    Values values;
    Known& own = tables_.at(place.rate, place);
    for (const NodeId id : program.nodes) {
      const Rate rate = graph_[id].rate;
      const bool allowed = graph_[id].kind == NodeKind::Constant || rate == place.rate ||
                           (place.rate == Rate::Model && rate == Rate::Const);
      expect(allowed, "a program computes a node of another rate");
      set(values, id, compute(id, values, place), place);
    }
    for (const std::uint32_t i : program.slots)
      expect(own.slots.emplace(slots_of(place.rate)[i], values.at(slots_of(place.rate)[i])).second,
             "a slot is filled twice");
    for (const std::uint32_t i : program.hypers) {
      expect(graph_.hypers[i].rate == place.rate, "a hyper is bound by a program of another rate");
      last_bound_ = phase_;
      expect(own.bound.emplace(i, read(values, graph_.hypers[i].bound, place)).second,
             "a hyper is bound twice");
    }
    for (const std::uint32_t i : program.stores) {
      const ir::Store& store = graph_.stores[i];
      expect(own.new_states.emplace(store.index, read(values, store.value, place).number).second,
             "a state is stored twice");
    }
    expect(place.rate != Rate::Model || program.partials.empty(), "nothing folds the model's");
    for (const std::uint32_t i : program.partials) {
      const auto& partials = plan_.partials_of(plan::kind_left_by(plan::level_of(place.rate)));
      const double a = read(values, partials[i].a, place).number;
      const double b = partials[i].b.valid() ? read(values, partials[i].b, place).number : 0;
      own.partials[i] = fold_one(partials[i].fold, a, b);
    }
    if (program.says_end) check_ends(values, place);
    if (program.regrad) {
      expect(phase_ == plan_.regrad_phases[*program.regrad], "another phase waits");
      says_regrad_ = *program.regrad;
      const NodeId condition = graph_.regrads[*program.regrad].condition;
      expect(read(values, condition, place).truth == expected_.of_group(0, condition).truth,
             "the step waits where it should not, or not where it should");
    }
  }

  [[nodiscard]] const std::vector<NodeId>& slots_of(Rate rate) const {
    return plan_.slots_of(plan::level_of(rate));
  }

  void check_ends(const Values& values, const Place& place) {
    expect(phase_ == plan_.end_phase && !says_end_, "another phase says how the call ends");
    says_end_ = true;
    const auto check = [&](NodeId id) {
      if (id.valid())
        expect(read(values, id, place).truth == expected_.of_group(0, id).truth,
               "the call ends in another way");
    };
    check(graph_.skipped);
    check(graph_.held);
    for (const ir::StateInfo& state : graph_.states) check(state.kept);
  }

  // ---- Loops ----

  std::size_t route_of(std::size_t tensor) {
    std::vector<std::size_t> taken;
    for (std::size_t i = 0; i < plan_.routes.size(); ++i)
      if (std::ranges::all_of(plan_.routes[i].conditions, [&](const plan::Assumption& assumption) {
            return expected_.of_tensor(tensor, assumption.condition).truth == assumption.holds;
          }))
        taken.push_back(i);
    expect(taken.size() == 1, "a tensor takes no route, or two");
    return taken.front();
  }

  void run_tensor(const plan::ElementPass& pass, std::size_t tensor) {
    const Place place{Rate::Tensor, given_.tensors[tensor].group, tensor};
    const std::size_t route = route_of(tensor);
    const auto holds = [&](const plan::Assumption& assumption) {
      return slot(assumption.condition, place).truth == assumption.holds;
    };
    for (std::size_t i = 0; i < pass.versions.size(); ++i) {
      const plan::LoopVersion& version = pass.versions[i];
      if (version.route != route || !std::ranges::all_of(version.assumptions, holds)) continue;
      loops_.emplace(phase_, i);
      return run_version(version, tensor);
    }
    FAIL("no loop of the tensor's route runs");
  }

  void run_version(const plan::LoopVersion& version, std::size_t tensor) {
    std::vector<std::vector<double>> a(version.folds.size()), b(version.folds.size());
    for (std::size_t element = 0; element < given_.tensors[tensor].elements.size(); ++element) {
      const Place place{Rate::Element, given_.tensors[tensor].group, tensor, element};
      Values values;
      for (const NodeId id : version.nodes) {
        expect(!types::fits(graph_[id].rate, Rate::Tensor), "a loop computes a scalar");
        expect(version.alias[id.index] == id, "a loop computes what another node stands for");
        set(values, id, element_value(version, id, values, place), place);
      }
      for (std::size_t i = 0; i < version.folds.size(); ++i) {
        a[i].push_back(read(values, version.folds[i].a, place).number);
        if (version.folds[i].b.valid())
          b[i].push_back(read(values, version.folds[i].b, place).number);
      }
      for (const plan::StreamStore& store : version.stores)
        write(store.stream, place, read(values, store.value, place).number);
    }
    for (std::size_t i = 0; i < version.folds.size(); ++i)
      leave(version.folds[i], tensor, a[i], b[i]);
  }

  /// The fold of a chunk, or those of all rows or columns, of values of all elements.
  void leave(const plan::ElementFold& fold, std::size_t tensor, const std::vector<double>& a,
             const std::vector<double>& b) {
    const Fold kind = plan_.partials_of(fold.kind)[fold.partial].fold;
    const TensorCase& given = given_.tensors[tensor];
    LeftByLoops& left = tables_.left(tensor);
    if (fold.kind == plan::PartialKind::Chunk) {
      left.chunk[fold.partial] = ir::fold_sequence(kind, a, b);
    } else if (fold.kind == plan::PartialKind::LineRow) {
      std::vector<double>& rows = left.rows[fold.partial];
      rows.clear();
      for (std::size_t row = 0; row < given.count_of(Rate::Row); ++row)
        rows.push_back(ir::fold_sequence(
            kind, {a.data() + row * given.cols, given.cols},
            {b.data() + (b.empty() ? 0 : row * given.cols), b.empty() ? 0 : given.cols}));
    } else {
      std::vector<double>& cols = left.cols[fold.partial];
      cols.clear();
      for (std::size_t col = 0; col < given.count_of(Rate::Col); ++col)
        cols.push_back(fold_column(kind, given, col, a, b));
    }
  }

  /// The rows of a block in order, then the blocks as a sequence.
  static double fold_column(Fold fold, const TensorCase& given, std::size_t col,
                            const std::vector<double>& a, const std::vector<double>& b) {
    const std::size_t first = col / given.cols * given.rows * given.cols + col % given.cols;
    std::vector<double> blocks;
    for (std::size_t row = 0; row < given.rows; ++row) {
      if (row % TALWEG_BLOCK_ROWS == 0) blocks.push_back(ir::fold_start(fold));
      const std::size_t element = first + row * given.cols;
      blocks.back() = ir::join(fold, blocks.back(), a[element], b.empty() ? 0 : b[element]);
    }
    return ir::fold_sequence(fold_of_results(fold), blocks);
  }

  Value element_value(const plan::LoopVersion& version, NodeId id, const Values& values,
                      const Place& place) {
    const auto load = std::ranges::find(version.loads, id, &plan::StreamLoad::node);
    if (load == version.loads.end()) return compute(id, values, place, &version.alias);
    expect(has_memory(place.tensor, streams_[load->stream]), "a loop reads memory that is not");
    const std::optional<double> value = memory_[place.tensor][load->stream][place.number];
    expect(value.has_value(), "a loop reads scratch that nothing has written");
    return {.number = *value};
  }

  void write(std::uint32_t stream, const Place& place, double value) {
    expect(has_memory(place.tensor, streams_[stream]), "a loop writes memory that is not");
    const bool moves = stream == plan::kParamStream &&
                       std::ranges::find(plan_.regrad_phases, phase_) != plan_.regrad_phases.end();
    const bool persists = streams_[stream].kind != plan::StreamKind::Scratch && !moves;
    if (persists) first_store_ = std::min(first_store_, phase_);
    memory_[place.tensor][stream][place.number] = value;
  }

  Value compute(NodeId id, const Values& values, const Place& place,
                const std::vector<NodeId>* alias = nullptr) {
    const Node& node = graph_[id];
    if (node.kind == NodeKind::Reduce) return {.number = reduced(id, place)};
    Value operands[3];
    ir::ValueType last_type = ir::ValueType::Scalar;
    for (int i = 0; i < node.operand_count(); ++i) {
      NodeId operand = node.operands[static_cast<std::size_t>(i)];
      if (alias != nullptr) operand = (*alias)[operand.index];
      operands[i] = read(values, operand, place);
      last_type = graph_[operand].type;
    }
    const std::optional<Value> value = node_value(
        graph_, plan_.compute, id, operands, last_type, given_.groups[place.group],
        given_.tensors[place.tensor], types::is_of_matrices(node.rate) ? place.number : 0);
    if (!value)
      FAIL("phase " << phase_ << " computes " << ir::print_node(graph_, id) << ", which is read");
    return *value;
  }

  double reduced(NodeId id, const Place& place) {
    const auto& all = tables_.at(graph_[id].rate, place).reduced;
    const auto found = all.find(id);
    expect(found != all.end(), "a reduction is read before its phase");
    return found->second;
  }

  // ---- What is left ----

  /// Fails where a place holds something else than what the graph says; one that the graph does not
  /// store, or whose tensor takes no part, keeps its bits.
  void check_memory() {
    for (std::size_t t = 0; t < memory_.size(); ++t)
      for (std::size_t stream = 0; stream < streams_.size(); ++stream)
        for (std::size_t e = 0; e < memory_[t][stream].size(); ++e) check_place(t, stream, e);
    expect(first_store_ >= last_bound_, "a loop stores before all hypers are checked");
    expect(plan_.regrad_phases.empty() || first_store_ > plan_.regrad_phases.back(),
           "a loop stores what persists before the step has waited");
  }

  void check_place(std::size_t tensor, std::size_t stream, std::size_t element) {
    const plan::Stream& place = streams_[stream];
    if (place.kind == plan::StreamKind::Scratch) return;
    // New gradients have come into their place.
    if (place.kind == plan::StreamKind::Grad && !graph_.regrads.empty()) return;
    double right = *before(place, given_.tensors[tensor].elements[element]);
    for (const ir::Store& store : graph_.stores) {
      const plan::StreamKind kind = store.target == ir::StoreTarget::Param
                                        ? plan::StreamKind::Param
                                        : plan::StreamKind::State;
      if (place.kind == kind && place.index == store.index && given_.tensors[tensor].takes_part &&
          has_memory(tensor, place))
        right = expected_.of_element(tensor, element, store.value).number;
    }
    if (!same(*memory_[tensor][stream][element], right))
      FAIL("element " << element << " of stream " << stream << " of tensor " << tensor << " holds "
                      << *memory_[tensor][stream][element] << ", and not " << right);
  }

  void check_scalars() {
    for (const ir::Store& store : graph_.stores) {
      if (store.target == ir::StoreTarget::Param) continue;
      const Rate rate = graph_.states[store.index].rate;
      if (rate == Rate::Element) continue;
      for_each_of(
          rate,
          [&](const Known& own, Value right) {
            const auto found = own.new_states.find(store.index);
            expect(found != own.new_states.end() && same(found->second, right.number),
                   "a scalar state is not what the graph stores");
          },
          store.value);
    }
    for (std::uint32_t i = 0; i < graph_.hypers.size(); ++i) {
      if (!graph_.hypers[i].bound.valid()) continue;
      for_each_of(
          graph_.hypers[i].rate,
          [&](const Known& own, Value right) {
            const auto found = own.bound.find(i);
            expect(found != own.bound.end() && same(found->second.number, right.number) &&
                       found->second.truth == right.truth,
                   "a bound hyper is not what the graph says");
          },
          graph_.hypers[i].bound);
    }
  }

  /// Calls visit(known, value of `id` by the interpreter) for each index value of a rate.
  template <class Visit>
  void for_each_of(Rate rate, Visit visit, NodeId id) {
    const auto visit_at = [&](const Place& place) {
      visit(tables_.at(rate, place), expected_at(place, id));
    };
    if (rate == Rate::Model) visit_at({.rate = rate});
    for (std::size_t i = 0; i < given_.groups.size() && rate == Rate::Group; ++i)
      visit_at({.rate = rate, .group = i});
    for (std::size_t i = 0; i < given_.tensors.size(); ++i) {
      const TensorCase& given = given_.tensors[i];
      if (!given.takes_part || types::fits(rate, Rate::Group)) continue;
      const std::size_t count = rate == Rate::Tensor ? 1 : given.count_of(rate);
      for (std::size_t k = 0; k < count; ++k) visit_at({rate, given.group, i, k});
    }
  }

  const plan::Plan& plan_;
  const ir::Graph& graph_;
  const StepCase& given_;
  const WholeStep expected_;
  PlanTables tables_;
  PlanReductions reductions_;
  std::vector<plan::Stream> streams_;
  std::vector<std::vector<Memory>> memory_;  // by tensor, stream, element
  std::size_t phase_ = 0;
  std::size_t first_store_ = SIZE_MAX, last_bound_ = 0;
  bool says_end_ = false;
  std::optional<std::size_t> says_regrad_;
  Loops loops_;
};

}  // namespace

Loops require_plan_agrees(const plan::Plan& plan, const StepCase& given) {
  return Runner(plan, given).run();
}

}  // namespace talweg::tests
