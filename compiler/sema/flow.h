// What is known at one point of a block, as statements are walked in order: the rate of every
// `var`, whether `update` is assigned, and which assignments nobody has read yet.
//
// An arm of an `if` is walked from the state before it; what it changed is then rolled back, and
// the arms are joined. Changes are kept in a journal, so an arm costs what it changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "compiler/sema/typed_rule.h"
#include "compiler/sema/unread_writes.h"

namespace talweg::sema {

struct VarState {
  bool known = false;
  Kind kind = Kind::Number;
  Rate rate = Rate::Const;
  std::optional<double> constant;  // where the rate is Const
};

/// Whether `update` is assigned on every way to this point, and if only on some: where.
struct UpdateState {
  bool on_every_path = false;
  std::optional<Span> assigned;   // the last assignment
  std::optional<Span> condition;  // of an `if` that assigns it in one arm only
};

class Flow {
 public:
  UpdateState update;
  UnreadWrites unread;

  std::uint32_t declare(const VarState& state);
  [[nodiscard]] const VarState& operator[](std::uint32_t var) const { return vars_[var]; }
  void assign(std::uint32_t var, const VarState& state);

  /// What one arm did: the vars it assigned with their last state, and `update` at its end.
  struct Arm {
    std::map<std::uint32_t, VarState> changes;
    UpdateState update;
    UnreadWrites::Arm unread;
  };
  struct Start {
    std::size_t journal_size = 0;
    UpdateState update;
    UnreadWrites::Start unread = 0;
  };
  Start enter_arm();
  Arm leave_arm(const Start& start);
  /// Joins two arms under a condition of this rate; `condition_known` is false after an error in
  /// it.
  void join(const Arm& a, const Arm& b, Rate condition_rate, bool condition_known, Span condition);

  void wrote(Symbol symbol, UnreadWrites::Write write) {
    unread.wrote(key(symbol), std::move(write));
  }
  /// What it was is gone, and what it is now needs no reader.
  void replaced(Symbol symbol, Span by) { unread.replaced(key(symbol), by); }
  void read(Symbol symbol) { unread.read(key(symbol)); }
  /// All symbols of a kind are read.
  void read_all(SymbolKind kind);
  /// A block begins: nothing is unread.
  void begin_block();

 private:
  using Key = UnreadWrites::Key;
  static Key key(Symbol symbol) { return static_cast<Key>(symbol.kind) << 32 | symbol.index; }

  std::vector<VarState> vars_;
  std::vector<std::pair<std::uint32_t, VarState>> journal_;  // a var and its state before
};

}  // namespace talweg::sema
