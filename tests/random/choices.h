// The choices that make a random example, recorded so that a failing example can be made smaller.
//
// Whatever draws an example asks for one small number after another. The first run of an example
// takes them from a counter-based generator; shrinking replays an edited list, with 0 for all that
// is missing. So every list of numbers means an example, and 0 must always be the simplest choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace talweg::tests {

/// The n-th number of a stream, by itself: splitmix64's mixing of (stream, n).
std::uint64_t counter_random(std::uint64_t stream, std::uint64_t n);

class Choices {
 public:
  /// A part of the list that belongs together: an expression, a statement, a rule.
  struct Span {
    std::size_t begin, end;
  };

  explicit Choices(std::uint64_t seed) : seed_(seed) {}
  explicit Choices(std::vector<std::uint32_t> replayed)
      : is_replay_(true), replayed_(std::move(replayed)) {}

  /// 0 to count - 1.
  std::uint32_t below(std::uint32_t count);
  /// Whether something that is not there in the simplest example is there.
  bool chance(std::uint32_t percent) { return below(100) >= 100 - percent; }
  template <class T, std::size_t N>
  const T& one_of(const T (&items)[N]) {
    return items[below(static_cast<std::uint32_t>(N))];
  }
  /// An index with probability in proportion to its weight. The first is the simplest.
  std::size_t weighted(std::initializer_list<std::uint32_t> weights);

  /// Marks what is drawn while it lives as a span.
  class Part {
   public:
    explicit Part(Choices& choices)
        : choices_(choices), index_(choices.spans_.size()), begin_(choices.taken_.size()) {
      choices_.spans_.push_back({begin_, begin_});
    }
    ~Part() { choices_.spans_[index_].end = choices_.taken_.size(); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    Choices& choices_;
    std::size_t index_, begin_;
  };

  [[nodiscard]] const std::vector<std::uint32_t>& taken() const { return taken_; }
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }

 private:
  std::uint64_t seed_ = 0;
  bool is_replay_ = false;
  std::vector<std::uint32_t> replayed_, taken_;
  std::vector<Span> spans_;
};

}  // namespace talweg::tests
