#include "compiler/plan/call_ways.h"

namespace talweg::plan {

using ir::NodeId;

namespace {

using Way = std::vector<Assumption>;

Way with(Way way, NodeId condition, bool holds) {
  way.push_back({.condition = condition, .holds = holds});
  return way;
}

/// The ways into which one parts where a condition is known; itself where it decides that already.
std::vector<Way> parted(const Aliases& aliases, const Way& way, NodeId condition) {
  if (aliases.is_constant(condition) || aliases.resolve({}, way).truths[condition.index])
    return {way};
  return {with(way, condition, true), with(way, condition, false)};
}

}  // namespace

CallWays find_call_ways(const ir::Graph& graph, const Aliases& aliases, bool ends_are_known,
                        std::size_t regrad_count) {
  std::vector<Way> ended;
  Way goes_on;
  for (const NodeId end : {graph.skipped, graph.held}) {
    if (!ends_are_known || !end.valid() || aliases.is_constant(end)) continue;
    ended.push_back(with(goes_on, end, true));
    goes_on = with(goes_on, end, false);
  }
  const auto parts_of = [&](std::vector<Way> ways) {
    for (std::size_t i = 0; i < regrad_count; ++i) {
      std::vector<Way> more;
      for (const Way& way : ways)
        for (Way& part : parted(aliases, way, graph.regrads[i].condition))
          more.push_back(std::move(part));
      ways = std::move(more);
    }
    return ways;
  };
  CallWays result{parts_of(std::move(ended)), 0};
  for (Way& way : parts_of({goes_on})) {
    result.ways.push_back(std::move(way));
    ++result.going_on;
  }
  return result;
}

}  // namespace talweg::plan
