// Finds assignments that no path reads: each write is followed along every path until it is read,
// overwritten, or reaches the end of its block.
//
// Loops are unrolled and constant branches decided before this is asked, so one place in the text
// may be written several times; it is reported only if every one of its writes is lost. Arms of
// branches are walked one after the other from the state before them and then joined; changes are
// kept in a journal, so an arm costs what it changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/source.h"

namespace talweg::sema {

class UnreadWrites {
 public:
  using Key = std::uint64_t;  // of what is written
  using Defs = std::vector<std::uint32_t>;

  struct Write {
    base::Span span;
    std::string name;
    std::optional<base::Span> declared;  // of a local
    /// The value a `var` begins with. That only some arms, or a loop, replace it is no fault: there
    /// is no way to declare one without.
    bool is_initial = false;
  };
  struct Lost {
    Write write;
    base::Span overwritten;
    bool is_replaced = false;  // not by an assignment
  };

  void wrote(Key key, Write write);
  void read(Key key);
  /// Something else than an assignment gives it a new value, which need not be read.
  void replaced(Key key, base::Span by);
  /// Everything with a key from `first` to `last` is read.
  void read_range(Key first, Key last);
  /// A block ends: what is unread now may be read by whoever comes next.
  void end_block();

  using Start = std::size_t;
  using Arm = std::map<Key, Defs>;
  Start enter_arm();
  /// Goes back to the state before the arm; gives what it changed.
  Arm leave_arm(Start start);
  void join(const Arm& a, const Arm& b);
  /// For an arm that is joined with nothing: what it leaves unread counts as read.
  void forgive(const Arm& arm);
  [[nodiscard]] bool is_within_arm() const { return depth_ > 0; }

  /// All that was lost, by place; forgets everything.
  std::vector<Lost> take_lost();

 private:
  struct Def {
    Write write;
    int depth = 0;  // arms around it
    bool is_live = false;
    std::optional<base::Span> overwritten;
    bool is_replaced = false;
  };
  void set(Key key, Defs defs);
  void lose(Key key, base::Span by, bool is_replaced);
  void keep(const Defs& defs);

  std::vector<Def> defs_;
  std::map<Key, Defs> unread_;
  std::vector<std::pair<Key, Defs>> journal_;  // a key and its state before
  int depth_ = 0;
};

}  // namespace talweg::sema
