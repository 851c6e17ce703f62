// What Debian's archive of ANTLR's C++ runtime lacks to be linked into a shared library: it is
// compiled for programs. Linkers take the first definition that they meet, which is here, and
// refuse what they cannot link.
#include <sys/single_threaded.h>

#include "support/StringUtils.h"

// The archive's own copies of these two look for their thread-local variables where only a program
// has any.
template std::string antlrcpp::utf32_to_utf8(const std::u32string&);
[[gnu::used]] static const auto kOwnCopy = &antlrcpp::utf8_to_utf32;

// The archive reads this variable of glibc as if it were one of the same program. 0 is always
// right: reference counts are atomic then, in processes of one thread too.
char __libc_single_threaded = 0;  // NOLINT(bugprone-reserved-identifier)
