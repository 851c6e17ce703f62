// An object file linked into this process. ORC stays behind this header.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/support/result.h"

namespace talweg::driver {

class LinkedCode {
 public:
  /// Fails (Io) for bytes that are no object of this machine, or one that needs a symbol from
  /// outside.
  static support::Result<LinkedCode> link(std::string_view object);
  LinkedCode(LinkedCode&&) noexcept;
  LinkedCode& operator=(LinkedCode&&) noexcept;
  ~LinkedCode();

  /// The address of a function; valid while this lives. Fails (Io) where the object has none of
  /// that name.
  [[nodiscard]] support::Result<void*> find(const std::string& symbol) const;

 private:
  struct Impl;
  explicit LinkedCode(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace talweg::driver
