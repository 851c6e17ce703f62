// LLVM, where it was compiled with glibc 2.36, takes random numbers for names of files from a
// function that is new there. With one of our own the library is for older systems too: all else in
// it is in glibc 2.34.
#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

extern "C" std::uint32_t arc4random() noexcept {
  std::uint32_t number = 0;
  while (getrandom(&number, sizeof number, 0) != sizeof number) {
    if (errno != EINTR) std::abort();  // as glibc's does, which has no other way to fail
  }
  return number;
}
