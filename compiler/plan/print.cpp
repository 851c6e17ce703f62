// The plan for people: what each program computes, what it keeps in slots, what each loop reads,
// does and writes.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "compiler/base/check.h"
#include "compiler/ir/text.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

namespace {

std::string stream_name(const ir::Graph& graph, const Stream& stream) {
  switch (stream.kind) {
    case StreamKind::Param:
      return "param";
    case StreamKind::Grad:
      return "grad";
    case StreamKind::State:
      return "state " + graph.states[stream.index].name;
    case StreamKind::Input:
      return "input " + graph.inputs[stream.index].name;
    case StreamKind::Scratch:
      return fmt::format("scratch {}", stream.index);
  }
  TALWEG_UNREACHABLE("a stream of an unknown kind");
}

class Printer {
 public:
  explicit Printer(const Plan& plan) : plan_(plan), graph_(plan.graph) {}

  std::string run() && {
    line("plan \"{}\" in {}", graph_.name, to_text(plan_.compute));
    line("state: {} bytes per element", plan_.state_bytes_per_element);
    print_parts();
    for (std::size_t i = 0; i < plan_.views.size(); ++i) {
      line("view \"{}\"", plan_.views[i].graph.name);
      text_ += Printer(plan_.views[i]).run_part();
    }
    for (std::size_t i = 0; i < plan_.initials.size(); ++i) {
      if (!plan_.initials[i]) continue;
      line("initial value of \"{}\"", graph_.states[i].name);
      text_ += Printer(*plan_.initials[i]).run_part();
    }
    return std::move(text_);
  }

 private:
  std::string run_part() && {
    print_parts();
    return std::move(text_);
  }

  void print_parts() {
    for (std::size_t i = 0; i < plan_.routes.size() && plan_.routes.size() > 1; ++i) {
      print_route_conditions(plan_.routes[i]);
      line("route {}: tensors {}", i, conjunction(plan_.routes[i].conditions));
    }
    for (std::uint32_t i = 0; i < plan_.phases.size(); ++i) print_phase(i);
  }

  void print_phase(std::uint32_t number) {
    const Phase& phase = plan_.phases[number];
    if (plan_.phases.size() > 1) line("phase {}", number);
    for (const PlannedReduction& reduction : plan_.reductions)
      if (reduction.phase == number) line("  known: {}", ir::print_node(graph_, reduction.node));
    for (std::size_t i = 0; i < kLevels; ++i) {
      const auto level = static_cast<Level>(i);
      if (level <= Level::Group || !phase[level].is_empty()) print_program(level, phase[level]);
    }
    if (phase.lines) print_pass("lines", number, *phase.lines);
    if (phase.pass) print_pass("pass", number, *phase.pass);
  }

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  static constexpr std::string_view kLevelNames[kLevels] = {"model",  "group", "tensor",
                                                            "matrix", "row",   "col"};

  void print_program(Level level, const ScalarProgram& program) {
    const std::string_view name = kLevelNames[static_cast<std::size_t>(level)];
    line("once per step{}: {} slot{}", level == Level::Model ? "" : fmt::format(" and {}", name),
         program.slots.size(), program.slots.size() == 1 ? "" : "s");
    for (const ir::NodeId id : program.nodes) line("  {}", ir::print_node(graph_, id));
    for (const std::uint32_t slot : program.slots)
      line("  {} slot {} = %{}", name, slot, plan_.slots_of(level)[slot].index);
    for (const std::uint32_t i : program.hypers) {
      const ir::HyperInfo& hyper = graph_.hypers[i];
      line("  bound {} = %{}{}", hyper.name, hyper.bound.index,
           hyper.unless.valid() ? fmt::format(" unless %{}", hyper.unless.index) : "");
    }
    for (const std::uint32_t i : program.stores)
      line("  store state {} = %{}", graph_.states[graph_.stores[i].index].name,
           graph_.stores[i].value.index);
    for (const std::uint32_t i : program.partials)
      line("  leave {}", partial_text(plan_.partials_of(kind_left_by(level))[i]));
    if (program.says_end) print_ends();
    if (program.regrad)
      line("  waits for a gradient behind this phase: %{}",
           graph_.regrads[*program.regrad].condition.index);
  }

  /// "sum of %3", "dot of %3 %4".
  static std::string partial_text(const Partial& partial) {
    return fmt::format("{} of %{}{}", builtins::info(partial.fold).name, partial.a.index,
                       partial.b.valid() ? fmt::format(" %{}", partial.b.index) : "");
  }

  void print_ends() {
    if (graph_.skipped.valid()) line("  skipped = %{}", graph_.skipped.index);
    for (const ir::StateInfo& state : graph_.states)
      if (state.kept.valid()) line("  kept {} = %{}", state.name, state.kept.index);
    if (graph_.held.valid()) line("  held = %{}", graph_.held.index);
  }

  void print_pass(std::string_view what, std::size_t number, const ElementPass& pass) {
    line("{} {}: {} bytes per element, {} read and {} written", what, number,
         pass.read_bytes_per_element + pass.written_bytes_per_element, pass.read_bytes_per_element,
         pass.written_bytes_per_element);
    for (std::size_t i = 0; i < pass.streams.size(); ++i)
      line("  stream {}: {}{}{}", i, stream_name(graph_, pass.streams[i]),
           pass.streams[i].is_read ? ", read" : "", pass.streams[i].is_written ? ", written" : "");
    for (std::uint32_t route = 0; route < plan_.routes.size(); ++route) {
      if (plan_.routes.size() > 1) line("  route {}", route);
      for (const LoopVersion& version : pass.versions)
        if (version.route == route) print_version(pass, version);
    }
  }

  /// "where %1 and not %2"
  static std::string conjunction(const std::vector<Assumption>& assumptions) {
    std::string text;
    for (const Assumption& assumption : assumptions)
      text += fmt::format("{}{}%{}", text.empty() ? "where " : " and ",
                          assumption.holds ? "" : "not ", assumption.condition.index);
    return text;
  }

  /// Nodes over facts that routes ask for, each once.
  void print_route_conditions(const Route& route) {
    std::vector<bool> wanted(graph_.nodes.size());
    for (const Assumption& assumption : route.conditions) wanted[assumption.condition.index] = true;
    for (std::size_t i = graph_.nodes.size(); i-- > 0;)
      for (int k = 0; wanted[i] && k < graph_.nodes[i].operand_count(); ++k)
        wanted[graph_.nodes[i].operands[static_cast<std::size_t>(k)].index] = true;
    for (std::uint32_t i = 0; i < wanted.size(); ++i)
      if (wanted[i] && printed_.insert(i).second) line("{}", ir::print_node(graph_, ir::NodeId(i)));
  }

  void print_version(const ElementPass& pass, const LoopVersion& version) {
    const std::string when = conjunction(version.assumptions);
    const Traffic traffic = traffic_of(plan_, pass, version);
    line("  loop {}: {} bytes read, {} written", when.empty() ? "otherwise" : when,
         traffic.read_bytes, traffic.written_bytes);
    for (const ir::NodeId id : version.nodes) {
      const auto load = std::ranges::find(version.loads, id, &StreamLoad::node);
      if (load != version.loads.end() && graph_[id].operand_count() > 0)
        line("    %{} from {}", id.index, stream_name(graph_, pass.streams[load->stream]));
      else
        line("    {}", ir::print_node(graph_, id, version.alias));
    }
    for (const ElementFold& fold : version.folds)
      line("    leave {}", partial_text({.fold = plan_.partials_of(fold.kind)[fold.partial].fold,
                                         .a = fold.a,
                                         .b = fold.b,
                                         .reductions = {},
                                         .place = 0}));
    for (const StreamStore& store : version.stores)
      line("    store {} = %{}", stream_name(graph_, pass.streams[store.stream]),
           store.value.index);
  }

  const Plan& plan_;
  const ir::Graph& graph_;
  std::set<std::uint32_t> printed_;  // conditions of routes
  std::string text_;
};

}  // namespace

std::string print(const Plan& plan) { return Printer(plan).run(); }

}  // namespace talweg::plan
