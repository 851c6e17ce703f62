#include "compiler/plan/plan_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "compiler/base/text_table.h"

namespace talweg::plan {

namespace {

using plan::Bytes;
using plan::Level;

constexpr int kWidth = 100;
constexpr std::size_t kMostNamed = 8;  // of a list; it then says how many more there are
constexpr int kLabel = 10;             // columns of "  tensor  "

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Model:
      return "model";
    case Level::Group:
      return "group";
    case Level::Tensor:
      return "tensor";
    case Level::Matrix:
      return "matrix";
    case Level::Row:
      return "row";
    case Level::Col:
      return "column";
  }
  return {};
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string bytes_text(Bytes bytes) {
  if (bytes.total() == 0) return "no bytes";
  if (bytes.written == 0) return fmt::format("{} bytes read", bytes.read);
  if (bytes.read == 0) return fmt::format("{} bytes written", bytes.written);
  return fmt::format("{} bytes ({} read, {} written)", bytes.total(), bytes.read, bytes.written);
}

std::string joined(const std::vector<std::string>& items) {
  const std::size_t shown = items.size() > kMostNamed + 1 ? kMostNamed : items.size();
  std::string text = fmt::format(
      "{}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < items.size()) text += fmt::format(" and {} more", items.size() - shown);
  return text;
}

std::string one_per(ir::Rate rate) {
  if (rate == ir::Rate::Element) return "parameter";
  if (rate == ir::Rate::Col) return "column";
  return std::string(types::to_text(rate));
}

class PlanPage {
 public:
  PlanPage(const plan::Description& plan, bool color) : plan_(plan), color_(color) {}

  std::string run(const MeasuredBandwidth* bandwidth) && {
    raw(bold(fmt::format("{} in {}", plan_.name, types::to_text(plan_.compute))) + "\n");
    add_totals(bandwidth);
    add_routes();
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) add_phase(i);
    add_memory();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string bold(const std::string& text) const {
    return color_ ? "\x1b[1m" + text + "\x1b[0m" : text;
  }
  void raw(std::string_view text) { out_ += text; }
  void heading(const std::string& text) { raw("\n" + bold(text) + "\n"); }
  /// A label, or blanks, and a text beside it.
  void labelled(std::string_view label, std::string_view text) {
    const std::string lines = base::wrapped(text, kLabel, kLabel + 2, kWidth);
    raw(fmt::format("  {:<{}}", label, kLabel - 2));
    raw(std::string_view(lines).substr(kLabel));
  }

  void add_totals(const MeasuredBandwidth* bandwidth) {
    const bool differ = plan_.routes.size() > 1 || std::ranges::any_of(plan_.phases, may_move_less);
    raw(base::wrapped(fmt::format("{}; for each parameter a step moves {}{}",
                                  counted(plan_.phases.size(), "phase"), differ ? "up to " : "",
                                  bytes_text(plan_.bytes)),
                      0, 2, kWidth));
    if (bandwidth == nullptr) return;
    const double bytes = plan_.bytes.total() * kPredictedParameters;
    raw(
        fmt::format("100 million parameters: {:.2f} GB, about {:.3g} s at the {:.1f} GB/s measured "
                    "with {}\n",
                    bytes / 1e9, bytes / bandwidth->bytes_per_second,
                    bandwidth->bytes_per_second / 1e9, counted(bandwidth->threads, "thread")));
  }

  /// True if some loop moves less than another.
  static bool may_move_less(const plan::PhaseDescription& phase) {
    for (const plan::PassDescription& pass : phase.passes)
      for (const plan::RouteOfPass& part : pass.routes)
        for (const plan::LoopDescription& loop : part.loops)
          if (!(loop.bytes == part.bytes)) return true;
    return false;
  }

  void add_routes() {
    if (plan_.routes.size() == 1) return;
    heading("Routes: each tensor takes one");
    for (std::size_t i = 0; i < plan_.routes.size(); ++i) {
      const plan::RouteDescription& route = plan_.routes[i];
      labelled(fmt::format("{}", i + 1),
               fmt::format(
                   "where {}: {}; {} for each parameter", route.condition, bytes_text(route.bytes),
                   route.state_bytes == 0 ? "no state"
                                          : fmt::format("{} bytes of state", route.state_bytes)));
    }
  }

  void add_phase(std::size_t number) {
    const plan::PhaseDescription& phase = plan_.phases[number];
    // Where routes differ, each pass says what it moves for which.
    heading(plan_.routes.size() == 1
                ? fmt::format("Phase {}: {}{}", number + 1, may_move_less(phase) ? "up to " : "",
                              bytes_text(phase.bytes))
                : fmt::format("Phase {}", number + 1));
    if (phase.waits_for)
      labelled("waits",
               fmt::format("for {} of {}: {}", phase.known.size() == 1 ? "a value" : "values",
                           waited_for(*phase.waits_for), joined(phase.known)));
    for (const plan::ProgramDescription& program : phase.programs) add_program(program);
    const bool is_only_pass = phase.passes.size() == 1 && plan_.routes.size() == 1;
    for (const plan::PassDescription& pass : phase.passes) add_pass(pass, is_only_pass);
    const bool is_idle = std::ranges::all_of(
        phase.passes, [](const plan::PassDescription& pass) { return pass.routes.empty(); });
    if (phase.returns_where)
      labelled("then", returns(*phase.returns_where));
    else if (is_idle && phase.programs.empty())
      labelled("", "nothing to do");
  }

  std::string returns(const std::string& condition) {
    const std::string before = plan::gradient_name(gradients_);
    const std::string asked = plan::gradient_name(++gradients_);
    if (condition == plan::kNever)
      return fmt::format("the step goes on: no call asks for {}", asked);
    const std::string text = fmt::format(
        "the call returns, and the caller computes {}, the gradient where param is now", asked);
    return condition.empty() ? text
                             : fmt::format("where {}, {}; else the step goes on with {}", condition,
                                           text, before);
  }

  static std::string waited_for(ir::Rate rate) {
    return rate == ir::Rate::Model ? "the whole model"
                                   : fmt::format("each whole {}", types::to_text(rate));
  }

  void add_program(const plan::ProgramDescription& program) {
    std::string text;
    const auto add = [&](std::string_view verb, const std::vector<std::string>& items) {
      if (items.empty()) return;
      if (!text.empty()) text += "; ";
      text += fmt::format("{} {}", verb, joined(items));
    };
    add("computes", program.computes);
    add("binds", program.binds);
    add("stores", program.stores);
    add("leaves values for", program.leaves);
    for (const std::string& end : program.ends) text += (text.empty() ? "" : "; ") + end;
    labelled(level_name(program.level), text);
  }

  /// Routes of which there is the same to say are named together.
  void add_pass(const plan::PassDescription& pass, bool is_only_pass) {
    std::vector<bool> is_said(pass.routes.size());
    for (std::size_t i = 0; i < pass.routes.size(); ++i) {
      if (is_said[i]) continue;
      const plan::RouteOfPass& part = pass.routes[i];
      std::vector<std::uint32_t> routes;
      for (std::size_t k = i; k < pass.routes.size(); ++k) {
        plan::RouteOfPass twin = pass.routes[k];
        const std::uint32_t number = std::exchange(twin.route, part.route) + 1;
        if (is_said[k] || twin != part) continue;
        is_said[k] = true;
        routes.push_back(number);
      }
      labelled(
          pass.is_over_lines ? "lines" : "pass",
          route_prefix(routes) + moved(part) + (is_only_pass ? "" : ": " + bytes_text(part.bytes)));
      add_part(part);
    }
  }

  [[nodiscard]] std::string route_prefix(const std::vector<std::uint32_t>& routes) const {
    if (plan_.routes.size() == 1) return "";
    return fmt::format("{} {}: ", routes.size() == 1 ? "route" : "routes", fmt::join(routes, ", "));
  }

  static std::string moved(const plan::RouteOfPass& part) {
    std::string text;
    if (!part.reads.empty()) text += "reads " + joined(part.reads);
    if (!part.writes.empty())
      text += (text.empty() ? "writes " : "; writes ") + joined(part.writes);
    return text;
  }

  void add_part(const plan::RouteOfPass& part) {
    if (!part.leaves.empty()) labelled("", "leaves values for " + joined(part.leaves));
    if (!part.reads_back.empty()) labelled("", "reads back " + joined(part.reads_back));
    if (part.operations_again > 0)
      labelled("", fmt::format("computes again {} ({} of {})", joined(part.computes_again),
                               part.operations_again, counted(part.operations, "operation")));
    if (part.loops.size() > 1) add_loops(part);
  }

  void add_loops(const plan::RouteOfPass& part) {
    std::vector<plan::LoopDescription> loops, dividing;
    for (const plan::LoopDescription& loop : part.loops)
      (loop.divides_instead ? dividing : loops).push_back(loop);
    if (loops.size() == 1 && dividing.size() == 1 && loops[0].condition.empty() &&
        loops[0].bytes == dividing[0].bytes) {
      labelled("",
               "2 loops: one multiplies by reciprocals, one divides where these are not normal "
               "numbers");
      return;
    }
    const std::string_view how =
        dividing.empty() ? "" : ", with reciprocals in place of divisions by scalars";
    if (end_of_equals(loops, 0) == loops.size() && loops.size() > 1) {
      labelled("", fmt::format("{} that move the same{}: {}", counted(loops.size(), "loop"), how,
                               whens(loops, 0, loops.size())));
    } else {
      labelled("", fmt::format("{}{}:", counted(loops.size(), "loop"), how));
      for (std::size_t i = 0; i < loops.size();) {
        const std::size_t end = end_of_equals(loops, i);
        std::string line = whens(loops, i, end) + ": " + bytes_text(loops[i].bytes);
        if (!are_among(loops[i].reads, part.reads)) line += "; reads " + joined(loops[i].reads);
        raw(base::wrapped(line, kLabel + 2, kLabel + 4, kWidth));
        i = end;
      }
    }
    if (dividing.empty()) return;
    const auto bytes = [](const plan::LoopDescription& loop) { return loop.bytes.total(); };
    const auto [least, most] = std::ranges::minmax_element(dividing, {}, bytes);
    labelled("",
             fmt::format("and {} where these are not normal numbers: {}{}",
                         dividing.size() == 1 ? "one that divides"
                                              : fmt::format("{} that divide", dividing.size()),
                         bytes(*least) == bytes(*most) ? "" : "up to ", bytes_text(most->bytes)));
  }

  static bool are_among(const std::vector<std::string>& some, const std::vector<std::string>& all) {
    return std::ranges::all_of(
        some, [&](const std::string& name) { return std::ranges::find(all, name) != all.end(); });
  }

  /// Where the loops end that move the same as the one at `begin`.
  static std::size_t end_of_equals(const std::vector<plan::LoopDescription>& loops,
                                   std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < loops.size() && loops[end].bytes == loops[begin].bytes &&
           loops[end].reads == loops[begin].reads && loops[end].writes == loops[begin].writes)
      ++end;
    return end;
  }

  /// When loops run: "where t == 1; else".
  static std::string whens(const std::vector<plan::LoopDescription>& loops, std::size_t begin,
                           std::size_t end) {
    std::vector<std::string> result;
    for (std::size_t i = begin; i < end; ++i)
      result.push_back(loops[i].condition.empty() ? "else" : "where " + loops[i].condition);
    return fmt::format("{}", fmt::join(result, "; "));
  }

  static std::string kept_where(const std::string& condition) {
    if (condition.empty()) return "";
    return condition == plan::kNever ? "kept by no tensor" : "where " + condition;
  }

  void add_memory() {
    heading("Memory");
    base::TextTable table;
    for (const plan::StateDescription& state : plan_.states)
      table.add({state.name, fmt::format("{} bytes a {}", state.bytes, one_per(state.rate)),
                 kept_where(state.condition)});
    for (std::size_t i = 0; i < plan_.scratch.size(); ++i)
      table.add({fmt::format("scratch {}", i),
                 fmt::format("{} bytes a parameter", plan_.scratch[i].bytes),
                 "within a step: " + plan_.scratch[i].holds});
    std::vector<std::string> sums;
    for (const auto& [rate, bytes] : plan_.state_bytes)
      sums.push_back(fmt::format("{} bytes a {}", bytes, one_per(rate)));
    const bool differ = std::ranges::any_of(plan_.routes, [&](const plan::RouteDescription& route) {
      return route.state_bytes != plan_.routes[0].state_bytes;
    });
    raw(table.text(2, kWidth));
    const std::string sum = fmt::format("all states: {}{}", differ ? "at most " : "",
                                        sums.empty() ? std::string("no bytes") : joined(sums));
    raw(base::wrapped(sum, 2, 4, kWidth));
    if (plan_.views.empty()) return;
    heading("Views, when they are asked for");
    base::TextTable views;
    for (const plan::ViewDescription& view : plan_.views)
      views.add({view.name, bytes_text(view.bytes)});
    raw(views.text(2, kWidth));
  }

  const plan::Description& plan_;
  bool color_;
  std::string out_;
  std::uint32_t gradients_ = 0;  // for which the step has returned so far
};

}  // namespace

std::string plan_text(const plan::Description& plan, const MeasuredBandwidth* bandwidth,
                      bool color) {
  return PlanPage(plan, color).run(bandwidth);
}

}  // namespace talweg::plan
