// Checks of our own assumptions. A failed one is our bug: it says what to report and exits with 70.
#pragma once

#include <string_view>

namespace talweg::base {

[[noreturn]] void check_failed(const char* condition, std::string_view message, const char* file,
                               int line);

}  // namespace talweg::base

#define TALWEG_CHECK(condition, message) \
  ((condition) ? void(0) : ::talweg::base::check_failed(#condition, message, __FILE__, __LINE__))
#define TALWEG_UNREACHABLE(message) \
  ::talweg::base::check_failed("unreachable", message, __FILE__, __LINE__)
