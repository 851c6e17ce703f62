// Edits, coarse ones first: drop a part (a rule, statement, expression), put a part inside it in
// its place, drop single choices, lower them. The list that a try really used (with its end cut off
// where nothing read it) is what goes on; shorter is smaller, then earlier choices smaller.
#include "tests/random/shrink.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace talweg::tests {

namespace {

using List = std::vector<std::uint32_t>;

class Shrinker {
 public:
  Shrinker(const List& failing, const std::function<bool(Choices&)>& fails, int most_tries)
      : fails_(fails), tries_left_(most_tries) {
    Choices choices(failing);
    fails_(choices);
    best_ = choices.taken();
    spans_ = choices.spans();
  }

  List run() && {
    bool is_better = true;
    while (is_better && tries_left_ > 0) is_better = drop_parts() | drop_runs() | lower();
    return best_;
  }

 private:
  static bool is_smaller(const List& a, const List& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }

  bool attempt(List list) {
    if (tries_left_ <= 0 || !tried_.insert(list).second) return false;
    --tries_left_;
    Choices choices(std::move(list));
    if (!fails_(choices) || !is_smaller(choices.taken(), best_)) return false;
    best_ = choices.taken();
    spans_ = choices.spans();
    return true;
  }

  [[nodiscard]] List without(std::size_t begin, std::size_t end) const {
    List list(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(begin));
    list.insert(list.end(), best_.begin() + static_cast<std::ptrdiff_t>(end), best_.end());
    return list;
  }

  /// All zeros in place of a part: the simplest of its kind.
  [[nodiscard]] List zeroed(const Choices::Span& span) const {
    List list = without(span.begin, span.end);
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(span.begin), 0u);
    return list;
  }

  /// Zeros in every place of a part, which then keeps its length.
  [[nodiscard]] List flattened(const Choices::Span& span) const {
    List list = best_;
    std::fill(list.begin() + static_cast<std::ptrdiff_t>(span.begin),
              list.begin() + static_cast<std::ptrdiff_t>(span.end), 0u);
    return list;
  }

  /// Parts that can simply go, then parts that something simpler can stand for.
  bool drop_parts() {
    const bool is_better = for_each_part([&](std::size_t i) { return drop(spans_[i]); });
    return for_each_part([&](std::size_t i) {
             const Choices::Span span = spans_[i];
             return drop(span) || attempt(zeroed(span)) || raise_child(i) ||
                    attempt(flattened(span));
           }) ||
           is_better;
  }

  template <class Edit>
  bool for_each_part(Edit edit) {
    bool is_better = false;
    for (std::size_t i = 0; i < spans_.size() && tries_left_ > 0;) {
      const bool is_edited = edit(i);
      is_better |= is_edited;
      if (!is_edited) ++i;
    }
    return is_better;
  }

  bool drop(const Choices::Span& span) {
    const auto [begin, end] = span;
    return attempt(without(begin, end)) ||
           // With the choice before it: "is there one more?"
           (begin > 0 && attempt(without(begin - 1, end))) ||
           // Or behind it.
           (end < best_.size() && attempt(without(begin, end + 1)));
  }

  /// A part within part i in its place; parts within that one come up when it is looked at.
  bool raise_child(std::size_t i) {
    const Choices::Span span = spans_[i];
    std::size_t looked_at = span.begin;
    for (std::size_t j = i + 1; j < spans_.size() && spans_[j].begin < span.end; ++j) {
      const Choices::Span child = spans_[j];
      if (child.end > span.end || child.end - child.begin == span.end - span.begin) continue;
      if (child.begin < looked_at) continue;
      looked_at = child.end;
      List list(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(span.begin));
      const auto at = [&](std::size_t index) {
        return best_.begin() + static_cast<std::ptrdiff_t>(index);
      };
      list.insert(list.end(), at(child.begin), at(child.end));
      list.insert(list.end(), at(span.end), best_.end());
      if (attempt(std::move(list))) return true;
    }
    return false;
  }

  bool drop_runs() {
    bool is_better = false;
    for (const std::size_t length : {16u, 4u, 2u, 1u})
      for (std::size_t begin = 0; begin + length <= best_.size() && tries_left_ > 0;) {
        const bool edited = attempt(without(begin, begin + length));
        is_better |= edited;
        if (!edited) ++begin;
      }
    return is_better;
  }

  bool lower() {
    bool is_better = false;
    for (std::size_t i = 0; i < best_.size() && tries_left_ > 0; ++i) {
      for (const std::uint32_t divisor : {0u, 4u, 2u}) {
        if (best_[i] == 0) break;
        List list = best_;
        list[i] = divisor == 0 ? 0 : list[i] / divisor;
        if (list != best_ && attempt(std::move(list))) is_better = true;
        if (i >= best_.size()) break;
      }
      if (i < best_.size() && best_[i] > 0) {
        List list = best_;
        --list[i];
        is_better |= attempt(std::move(list));
      }
    }
    return is_better;
  }

  const std::function<bool(Choices&)>& fails_;
  int tries_left_;
  List best_;
  std::set<List> tried_;
  std::vector<Choices::Span> spans_;
};

}  // namespace

std::vector<std::uint32_t> shrink(const std::vector<std::uint32_t>& failing,
                                  const std::function<bool(Choices&)>& fails, int most_tries) {
  return Shrinker(failing, fails, most_tries).run();
}

}  // namespace talweg::tests
