// How a call can go, as far as a pass has to know it: whether it was skipped or held, and for which
// gradients the step has waited. A condition is asked only where what the pass does depends on it,
// so a step with many regrads has few ways.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "compiler/plan/aliases.h"
#include "compiler/plan/pass_work.h"
#include "compiler/plan/plan.h"

namespace talweg::plan {

/// Resolves the same assumptions once only.
class Resolver {
 public:
  Resolver(const Plan& plan, const Aliases& aliases) : plan_(plan), aliases_(aliases) {}

  const Resolved& operator()(std::uint32_t route, const std::vector<Assumption>& assumptions);

 private:
  using Key = std::pair<std::uint32_t, std::vector<std::uint64_t>>;

  const Plan& plan_;
  const Aliases& aliases_;
  std::map<Key, Resolved> resolved_;
};

/// A pass before its loops are known.
struct UnfilledPass {
  const Plan& plan;
  const std::vector<Stream>& streams;
  const PassWork& work;
};

/// A tree of questions. Its leaves are the ways: every call goes exactly one of them.
struct CallWays {
  struct Part {
    ir::NodeId asks;        // not valid: this is a way
    bool asks_end = false;  // whether the call was skipped or held
    std::uint32_t where_true = 0, where_false = 0;
    std::vector<Assumption> assumptions;  // the answers that lead here
    // Of a way:
    bool goes_on = true;        // the call is neither skipped nor held
    std::uint32_t regrads = 0;  // that were asked about on the way here
    bool is_possible = true;    // see Filled
    LoopVersion version;        // filled, without alias
    std::vector<ir::NodeId> gates;
  };
  std::vector<Part> parts;  // the first is where all calls start
};

CallWays find_call_ways(const UnfilledPass& pass, std::uint32_t route, Resolver& resolve);

}  // namespace talweg::plan
