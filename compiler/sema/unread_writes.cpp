#include "compiler/sema/unread_writes.h"

#include <algorithm>
#include <iterator>

namespace talweg::sema {

namespace {

// More writes than this that may all be the last one are not worth following.
constexpr std::size_t kMostAtOnce = 64;

}  // namespace

void UnreadWrites::set(Key key, Defs defs) {
  Defs& current = unread_[key];
  journal_.emplace_back(key, std::exchange(current, std::move(defs)));
}

void UnreadWrites::keep(const Defs& defs) {
  for (const std::uint32_t def : defs) defs_[def].is_live = true;
}

void UnreadWrites::lose(Key key, base::Span by, bool is_replaced) {
  const auto found = unread_.find(key);
  if (found == unread_.end()) return;
  for (const std::uint32_t index : found->second) {
    Def& def = defs_[index];
    if (def.write.is_initial && depth_ > def.depth) {
      def.is_live = true;
    } else if (!def.overwritten) {
      def.overwritten = by;
      def.is_replaced = is_replaced;
    }
  }
}

void UnreadWrites::replaced(Key key, base::Span by) {
  lose(key, by, true);
  set(key, {});
}

void UnreadWrites::wrote(Key key, Write write) {
  lose(key, write.span, false);
  defs_.push_back({std::move(write), depth_, false, std::nullopt, false});
  set(key, {static_cast<std::uint32_t>(defs_.size() - 1)});
}

void UnreadWrites::read(Key key) {
  const auto found = unread_.find(key);
  if (found == unread_.end() || found->second.empty()) return;
  keep(found->second);
  set(key, {});
}

void UnreadWrites::read_range(Key first, Key last) {
  for (auto it = unread_.lower_bound(first); it != unread_.end() && it->first <= last; ++it)
    read(it->first);
}

void UnreadWrites::end_block() {
  for (const auto& [key, defs] : unread_) keep(defs);
  unread_.clear();
  journal_.clear();
}

UnreadWrites::Start UnreadWrites::enter_arm() {
  ++depth_;
  return journal_.size();
}

UnreadWrites::Arm UnreadWrites::leave_arm(Start start) {
  --depth_;
  Arm arm;
  while (journal_.size() > start) {
    auto& [key, before] = journal_.back();
    arm.emplace(key, unread_[key]);  // the first seen from the end is the last state
    unread_[key] = std::move(before);
    journal_.pop_back();
  }
  return arm;
}

void UnreadWrites::join(const Arm& a, const Arm& b) {
  Arm changed = a;
  changed.insert(b.begin(), b.end());
  for (auto& [key, defs] : changed) {
    const auto in_a = a.find(key);
    const auto in_b = b.find(key);
    const Defs& from_a = in_a == a.end() ? unread_[key] : in_a->second;
    const Defs& from_b = in_b == b.end() ? unread_[key] : in_b->second;
    Defs both;
    std::set_union(from_a.begin(), from_a.end(), from_b.begin(), from_b.end(),
                   std::back_inserter(both));
    if (both.size() > kMostAtOnce) {
      keep(both);
      both.clear();
    }
    set(key, std::move(both));
  }
}

void UnreadWrites::forgive(const Arm& arm) {
  for (const auto& [key, defs] : arm) keep(defs);
}

std::vector<UnreadWrites::Lost> UnreadWrites::take_lost() {
  end_block();
  struct Site {
    std::uint32_t last = 0;
    bool is_lost = true;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Site> sites;
  for (std::uint32_t i = 0; i < defs_.size(); ++i) {
    const base::Span span = defs_[i].write.span;
    Site& site = sites[{span.source.index, span.begin}];
    site.last = i;
    site.is_lost = site.is_lost && !defs_[i].is_live && defs_[i].overwritten.has_value();
  }
  std::vector<Lost> result;
  for (const auto& [place, site] : sites) {
    const Def& last = defs_[site.last];
    if (site.is_lost && last.overwritten->begin != last.write.span.begin)
      result.push_back({last.write, *last.overwritten, last.is_replaced});
  }
  defs_.clear();
  return result;
}

}  // namespace talweg::sema
