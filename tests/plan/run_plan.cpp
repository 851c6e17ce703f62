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
#include "tests/plan/node_value.h"

namespace talweg::tests {

using builtins::Fold;
using ir::Node, ir::NodeId, ir::NodeKind, ir::Rate, ir::Value;

namespace {

using Values = std::map<NodeId, Value>;

/// Fails the test unless it holds. (Not REQUIRE: that is slow a million times.)
void expect(bool holds, const std::string& what) {
  if (!holds) FAIL(what);
}

/// Who runs: the model, a group, a tensor, or an element of it.
struct Place {
  Rate rate = Rate::Model;
  std::size_t group = 0, tensor = 0, element = 0;
};

/// What a scalar rate has one of for each of its index values.
struct Known {
  Values slots;
  std::map<NodeId, double> reduced;
  std::map<std::uint32_t, double> partials, new_states;
  std::map<std::uint32_t, Value> bound;
};

class Runner {
 public:
  Runner(const plan::Plan& plan, const StepCase& given)
      : plan_(plan),
        graph_(plan.graph),
        given_(given),
        expected_(plan.graph, plan.compute, given),
        groups_(given.groups.size()),
        tensors_(given.tensors.size()),
        chunk_partials_(given.tensors.size()) {
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
      if (phase.pass) streams = phase.pass->streams;
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
    for (std::size_t i = 0; i < plan_.reductions.size(); ++i)
      if (plan_.reductions[i].phase == phase_) reduce(plan_.reductions[i]);
    run_program(phase[plan::Level::Model], {.rate = Rate::Model});
    for (std::size_t group = 0; group < groups_.size(); ++group)
      run_program(phase[plan::Level::Group], {.rate = Rate::Group, .group = group});
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (given_.tensors[i].takes_part)
        run_program(phase[plan::Level::Tensor],
                    {.rate = Rate::Tensor, .group = given_.tensors[i].group, .tensor = i});
    for (std::size_t i = 0; i < tensors_.size() && phase.pass; ++i)
      if (given_.tensors[i].takes_part) run_tensor(*phase.pass, i);
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

  Known& known(Rate rate, const Place& place) {
    if (rate == Rate::Tensor) return tensors_[place.tensor];
    return rate == Rate::Group ? groups_[place.group] : model_;
  }

  /// Of the rate that runs or a slower one.
  Value slot(NodeId id, const Place& place) {
    for (const Rate rate : {Rate::Model, Rate::Group, Rate::Tensor}) {
      if (!types::fits(rate, place.rate)) continue;
      const Values& slots = known(rate, place).slots;
      if (const auto found = slots.find(id); found != slots.end()) return found->second;
    }
    FAIL("phase " << phase_ << " reads a slot of %" << id.index << ", which nothing has filled");
    return {};
  }

  Value read(const Values& values, NodeId id, const Place& place) {
    const auto found = values.find(id);
    return found == values.end() ? slot(id, place) : found->second;
  }

  /// A node's value, which must be the interpreter's.
  void set(Values& values, NodeId id, Value value, const Place& place) {
    const Value right = types::fits(place.rate, Rate::Group) ? expected_.of_group(place.group, id)
                        : place.rate == Rate::Tensor
                            ? expected_.of_tensor(place.tensor, id)
                            : expected_.of_element(place.tensor, place.element, id);
    const bool is_right = same(value.number, right.number) && value.truth == right.truth;
    // Programs compute all they have, and loops both arms of a choice; what a loop has left out
    // must only reach no result.
    if (!is_right && !lacks_some_)
      FAIL("phase " << phase_ << " computes " << value.number << " for "
                    << ir::print_node(graph_, id) << ", which is " << right.number);
    values[id] = value;
  }

  // ---- Programs ----

  void run_program(const plan::ScalarProgram& program, const Place& place) {
    Values values;
    Known& own = known(place.rate, place);
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
    const auto& partials = plan_.partials_of(place.rate == Rate::Group ? plan::PartialKind::Group
                                                                       : plan::PartialKind::Tensor);
    for (const std::uint32_t i : program.partials) {
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

  // ---- Reductions ----

  bool ranges_over(const Node& node, std::size_t tensor) {
    return given_.tensors[tensor].takes_part &&
           expected_.of_tensor(tensor, ir::domain_of(node)).truth;
  }

  /// NaN where nothing has left it: a loop leaves out what no result of its tensors depends on, so
  /// that must reach none.
  template <class Key>
  double left(const std::map<Key, double>& partials, Key key) {
    const auto found = partials.find(key);
    if (found != partials.end()) return found->second;
    lacks_some_ = true;
    return std::numeric_limits<double>::quiet_NaN();
  }

  double value_of_tensor(const plan::PlannedReduction& reduction, std::size_t tensor) {
    const Node& node = graph_[reduction.node];
    const auto elements = static_cast<double>(given_.tensors[tensor].elements.size());
    if (node.fold == Fold::Count) return node.over == Rate::Element ? elements : 1;
    if (node.over == Rate::Tensor) return left(tensors_[tensor].partials, reduction.partial);
    // A tensor without elements has no chunk.
    if (elements == 0) return ir::fold_start(node.fold);
    return left(chunk_partials_[tensor], reduction.partial);
  }

  double fold_tensors(const plan::PlannedReduction& reduction, std::optional<std::size_t> group) {
    const Node& node = graph_[reduction.node];
    std::vector<double> values(tensors_.size(), ir::fold_start(node.fold));
    for (std::size_t i = 0; i < values.size(); ++i)
      if ((!group || given_.tensors[i].group == *group) && ranges_over(node, i))
        values[i] = value_of_tensor(reduction, i);
    return ir::fold_sequence(fold_of_results(node.fold), values);
  }

  double fold_groups(const plan::PlannedReduction& reduction) {
    const Node& node = graph_[reduction.node];
    std::vector<double> values(groups_.size(), ir::fold_start(node.fold));
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (!ranges_over(node, i)) continue;
      const std::size_t group = given_.tensors[i].group;
      values[group] =
          node.fold == Fold::Count ? 1 : left(groups_[group].partials, reduction.partial);
    }
    return ir::fold_sequence(fold_of_results(node.fold), values);
  }

  void reduce(const plan::PlannedReduction& reduction) {
    const Node& node = graph_[reduction.node];
    if (node.rate == Rate::Tensor) {
      for (std::size_t i = 0; i < tensors_.size(); ++i)
        if (given_.tensors[i].takes_part)
          tensors_[i].reduced[reduction.node] =
              ranges_over(node, i) ? value_of_tensor(reduction, i) : ir::fold_start(node.fold);
    } else if (node.rate == Rate::Group) {
      for (std::size_t i = 0; i < groups_.size(); ++i)
        groups_[i].reduced[reduction.node] = fold_tensors(reduction, i);
    } else {
      model_.reduced[reduction.node] =
          node.over == Rate::Group ? fold_groups(reduction) : fold_tensors(reduction, std::nullopt);
    }
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
    const Place place{
        .rate = Rate::Tensor, .group = given_.tensors[tensor].group, .tensor = tensor};
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
    std::map<std::uint32_t, std::vector<double>> a, b;  // by partial
    for (const plan::ElementFold& fold : version.folds) a[fold.partial];
    for (std::size_t element = 0; element < given_.tensors[tensor].elements.size(); ++element) {
      const Place place{Rate::Element, given_.tensors[tensor].group, tensor, element};
      Values values;
      for (const NodeId id : version.nodes) {
        expect(!types::fits(graph_[id].rate, Rate::Tensor), "a loop computes a scalar");
        expect(version.alias[id.index] == id, "a loop computes what another node stands for");
        set(values, id, element_value(version, id, values, place), place);
      }
      for (const plan::ElementFold& fold : version.folds) {
        a[fold.partial].push_back(read(values, fold.a, place).number);
        if (fold.b.valid()) b[fold.partial].push_back(read(values, fold.b, place).number);
      }
      for (const plan::StreamStore& store : version.stores)
        write(store.stream, place, read(values, store.value, place).number);
    }
    for (const auto& [partial, values] : a)
      chunk_partials_[tensor][partial] = ir::fold_sequence(
          plan_.partials_of(plan::PartialKind::Chunk)[partial].fold, values, b[partial]);
  }

  Value element_value(const plan::LoopVersion& version, NodeId id, const Values& values,
                      const Place& place) {
    const auto load = std::ranges::find(version.loads, id, &plan::StreamLoad::node);
    if (load == version.loads.end()) return compute(id, values, place, &version.alias);
    expect(has_memory(place.tensor, streams_[load->stream]), "a loop reads memory that is not");
    const std::optional<double> value = memory_[place.tensor][load->stream][place.element];
    expect(value.has_value(), "a loop reads scratch that nothing has written");
    return {.number = *value};
  }

  void write(std::uint32_t stream, const Place& place, double value) {
    expect(has_memory(place.tensor, streams_[stream]), "a loop writes memory that is not");
    const bool moves = stream == plan::kParamStream &&
                       std::ranges::find(plan_.regrad_phases, phase_) != plan_.regrad_phases.end();
    const bool persists = streams_[stream].kind != plan::StreamKind::Scratch && !moves;
    if (persists) first_store_ = std::min(first_store_, phase_);
    memory_[place.tensor][stream][place.element] = value;
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
    const std::optional<Value> value =
        node_value(graph_, plan_.compute, id, operands, last_type, given_.groups[place.group],
                   given_.tensors[place.tensor]);
    if (!value)
      FAIL("phase " << phase_ << " computes " << ir::print_node(graph_, id) << ", which is read");
    return *value;
  }

  double reduced(NodeId id, const Place& place) {
    const auto& all = known(graph_[id].rate, place).reduced;
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
      if (!types::fits(rate, Rate::Tensor)) continue;
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

  /// Calls visit(known, value of `id` by the interpreter) for each index value of a scalar rate.
  template <class Visit>
  void for_each_of(Rate rate, Visit visit, NodeId id) {
    if (rate == Rate::Model) visit(model_, expected_.of_group(0, id));
    for (std::size_t i = 0; i < groups_.size() && rate == Rate::Group; ++i)
      visit(groups_[i], expected_.of_group(i, id));
    for (std::size_t i = 0; i < tensors_.size() && rate == Rate::Tensor; ++i)
      if (given_.tensors[i].takes_part) visit(tensors_[i], expected_.of_tensor(i, id));
  }

  const plan::Plan& plan_;
  const ir::Graph& graph_;
  const StepCase& given_;
  const WholeStep expected_;
  Known model_;
  std::vector<Known> groups_, tensors_;
  std::vector<std::map<std::uint32_t, double>> chunk_partials_;  // by tensor, one chunk each
  std::vector<plan::Stream> streams_;
  std::vector<std::vector<Memory>> memory_;  // by tensor, stream, element
  std::size_t phase_ = 0;
  std::size_t first_store_ = SIZE_MAX, last_bound_ = 0;
  bool says_end_ = false;
  std::optional<std::size_t> says_regrad_;
  bool lacks_some_ = false;  // a reduction folds what no loop has left
  Loops loops_;
};

}  // namespace

Loops require_plan_agrees(const plan::Plan& plan, const StepCase& given) {
  return Runner(plan, given).run();
}

}  // namespace talweg::tests
