// Default floating-point modes while an object lives, the caller's afterwards.
#pragma once

#include <cfenv>

namespace talweg::driver {

class DefaultModes {
 public:
  DefaultModes() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultModes() { std::fesetenv(&saved_); }
  DefaultModes(const DefaultModes&) = delete;
  DefaultModes& operator=(const DefaultModes&) = delete;

 private:
  std::fenv_t saved_{};
};

}  // namespace talweg::driver
