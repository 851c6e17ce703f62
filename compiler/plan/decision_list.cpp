// Below any question some kind may be what is done `otherwise`: its ways there need no entries of
// their own, but one for all behind the others. A part hands its own such kind on to the parts
// below it, or these choose another.
#include "compiler/plan/decision_list.h"

#include <algorithm>

namespace talweg::plan {

namespace {

class Lister {
 public:
  Lister(const CallWays& ways, const std::vector<std::size_t>& kinds,
         const std::vector<std::size_t>& sizes)
      : ways_(ways), kinds_(kinds), sizes_(sizes), chosen_(ways.parts.size()) {}

  std::vector<Decision> run() && {
    // Parts stand before those that follow from them.
    for (std::size_t part = ways_.parts.size(); part-- > 0;) choose(part);
    const std::size_t otherwise = chosen_.front().own;
    list(0, otherwise);
    result_.push_back({{}, otherwise});
    return std::move(result_);
  }

 private:
  struct Choice {
    std::vector<std::size_t> costs;  // by kind: entries where that is what is done otherwise
    std::size_t own = 0;             // the kind to choose where it chooses
    std::size_t own_cost = 0;        // entries, with that of its own
    std::size_t last = 0;            // the kind of the last way
  };

  [[nodiscard]] bool is_way(std::size_t part) const { return !ways_.parts[part].asks.valid(); }

  void choose(std::size_t part) {
    Choice& choice = chosen_[part];
    if (is_way(part)) {
      choice.own = choice.last = kinds_[part];
      choice.own_cost = sizes_[choice.own];
      choice.costs.assign(sizes_.size(), choice.own_cost);
      choice.costs[choice.own] = 0;
      return;
    }
    const Choice& yes = chosen_[ways_.parts[part].where_true];
    const Choice& no = chosen_[ways_.parts[part].where_false];
    for (std::size_t kind = 0; kind < sizes_.size(); ++kind)
      choice.costs.push_back(yes.costs[kind] + no.costs[kind]);
    choice.last = no.last;
    choice.own = ways_.parts[part].asks_end ? no.own : no.last;
    const auto own_cost = [&](std::size_t kind) { return choice.costs[kind] + sizes_[kind]; };
    for (std::size_t kind = 0; kind < sizes_.size() && !ways_.parts[part].asks_end; ++kind)
      if (own_cost(kind) < own_cost(choice.own)) choice.own = kind;
    choice.own_cost = own_cost(choice.own);
    for (std::size_t& cost : choice.costs) cost = std::min(cost, choice.own_cost);
  }

  /// The decisions of a part, but for what is done otherwise.
  void list(std::size_t part, std::size_t otherwise) {
    const CallWays::Part& of = ways_.parts[part];
    if (is_way(part)) {
      if (kinds_[part] != otherwise) result_.push_back({of.assumptions, kinds_[part]});
      return;
    }
    const auto below = [&](std::size_t kind) {
      return chosen_[of.where_true].costs[kind] + chosen_[of.where_false].costs[kind];
    };
    const std::size_t own = chosen_[part].own;
    const bool chooses = below(own) + sizes_[own] < below(otherwise);
    for (const std::size_t next : {of.where_true, of.where_false})
      list(next, chooses ? own : otherwise);
    if (chooses) result_.push_back({of.assumptions, own});
  }

  const CallWays& ways_;
  const std::vector<std::size_t>& kinds_;
  const std::vector<std::size_t>& sizes_;
  std::vector<Choice> chosen_;  // by part
  std::vector<Decision> result_;
};

}  // namespace

std::vector<Decision> list_decisions(const CallWays& ways, const std::vector<std::size_t>& kinds,
                                     const std::vector<std::size_t>& sizes) {
  return Lister(ways, kinds, sizes).run();
}

}  // namespace talweg::plan
