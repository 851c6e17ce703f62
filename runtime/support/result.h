// Result<T>: a value, or why the world did not give one (a missing file, a full disk, a bad option,
// a loss that is not finite). A mistake in the user's program is a diagnostic; a mistake of ours is
// a check.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace talweg::support {

/// What kind of failure, and so which exit code the command ends with.
enum class FailureKind { Program = 1, Usage = 2, Io = 3, Numeric = 4 };

struct Failure {
  FailureKind kind = FailureKind::Io;
  /// What happened and what to do about it; no program name, no line break at the end.
  std::string message;
};

struct Unit {};

/// Asking a failed result for its value throws std::bad_variant_access: a bug of ours, caught in
/// main.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : data_(std::move(value)) {}            // NOLINT: implicit on purpose
  Result(Failure failure) : data_(std::move(failure)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return std::get<0>(data_); }
  const T& operator*() const& { return std::get<0>(data_); }
  T&& operator*() && { return std::get<0>(std::move(data_)); }
  T* operator->() { return &std::get<0>(data_); }
  const T* operator->() const { return &std::get<0>(data_); }
  [[nodiscard]] const Failure& failure() const { return std::get<1>(data_); }

 private:
  std::variant<T, Failure> data_;
};

using Status = Result<Unit>;
inline Status ok() { return Unit{}; }

}  // namespace talweg::support
