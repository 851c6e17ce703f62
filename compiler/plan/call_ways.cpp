#include "compiler/plan/call_ways.h"

#include <algorithm>

namespace talweg::plan {

using ir::NodeId;

const Resolved& Resolver::operator()(std::uint32_t route,
                                     const std::vector<Assumption>& assumptions) {
  Key key{route, {}};
  for (const Assumption& assumption : assumptions)
    key.second.push_back(std::uint64_t{assumption.condition.index} * 2 +
                         (assumption.holds ? 1 : 0));
  const auto [place, is_new] = resolved_.try_emplace(std::move(key));
  if (is_new) place->second = aliases_.resolve(plan_.routes[route].conditions, assumptions);
  return place->second;
}

namespace {

class WayFinder {
 public:
  WayFinder(const UnfilledPass& pass, std::uint32_t route, Resolver& resolve)
      : pass_(pass), route_(route), resolve_(resolve) {}

  CallWays run() && {
    const ir::Graph& graph = pass_.plan.graph;
    if (pass_.work.ends_are_known) ends_ = {graph.skipped, graph.held};
    add({}, 0, 0);
    return std::move(ways_);
  }

 private:
  /// The part where `assumptions` hold. `ends`: so many ends of the call have been asked about and
  /// are not what happens; all of them: none is, or one.
  std::uint32_t add(const std::vector<Assumption>& assumptions, std::size_t ends,
                    std::uint32_t regrads) {
    const Resolved& known = resolve_(route_, assumptions);
    const auto is_open = [&](NodeId end) { return end.valid() && !known.truths[end.index]; };
    while (ends < ends_.size() && !is_open(ends_[ends])) ++ends;
    CallWays::Part part;
    part.assumptions = assumptions;
    part.regrads = regrads;
    if (ends < ends_.size()) {
      part.asks = ends_[ends];
      part.asks_end = true;
      return put(std::move(part), ends_.size(), ends + 1, regrads);
    }
    for (const Assumption& assumption : assumptions)
      if (assumption.holds && std::ranges::find(ends_, assumption.condition) != ends_.end())
        part.goes_on = false;
    Filled filled = fill_version(pass_.plan, pass_.streams, pass_.work, known, part.version);
    part.asks = filled.asks;
    if (part.asks.valid()) return put(std::move(part), ends, ends, regrads + 1);
    part.is_possible = filled.is_possible;
    part.gates = std::move(filled.gates);
    ways_.parts.push_back(std::move(part));
    return static_cast<std::uint32_t>(ways_.parts.size() - 1);
  }

  std::uint32_t put(CallWays::Part part, std::size_t ends_where_true, std::size_t ends_where_false,
                    std::uint32_t regrads) {
    const auto with = [&, before = part.assumptions, asks = part.asks](bool holds) {
      std::vector<Assumption> assumptions = before;
      assumptions.push_back({.condition = asks, .holds = holds});
      return assumptions;
    };
    // An answer that cannot be is no way.
    if (!resolve_(route_, with(true)).may_be) return add(with(false), ends_where_false, regrads);
    if (!resolve_(route_, with(false)).may_be) return add(with(true), ends_where_true, regrads);
    const auto place = static_cast<std::uint32_t>(ways_.parts.size());
    part.version = {};
    ways_.parts.push_back(std::move(part));
    const std::uint32_t where_true = add(with(true), ends_where_true, regrads);
    const std::uint32_t where_false = add(with(false), ends_where_false, regrads);
    ways_.parts[place].where_true = where_true;
    ways_.parts[place].where_false = where_false;
    return place;
  }

  const UnfilledPass& pass_;
  const std::uint32_t route_;
  Resolver& resolve_;
  std::vector<NodeId> ends_;
  CallWays ways_;
};

}  // namespace

CallWays find_call_ways(const UnfilledPass& pass, std::uint32_t route, Resolver& resolve) {
  return WayFinder(pass, route, resolve).run();
}

}  // namespace talweg::plan
