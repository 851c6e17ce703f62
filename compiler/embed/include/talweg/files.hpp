// Whole files. A part of talweg/talweg.hpp.
#ifndef TALWEG_FILES_HPP
#define TALWEG_FILES_HPP

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "talweg/talweg.hpp"

namespace talweg::detail {

/// Of a file, with what the system said last.
[[noreturn]] inline void fail_file(const std::string& what) {
  const std::string reason = errno == 0 ? "" : ": " + std::generic_category().message(errno);
  throw Error(TALWEG_SYSTEM, "SYSTEM", what + reason);
}

/// All of them, and closes the file. False, with errno, where that fails.
inline bool write_and_close(int file, const std::vector<std::byte>& bytes, bool sync) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // Linux writes less than 2 GiB at once
  std::size_t done = 0;
  bool is_good = true;
  while (is_good && done < bytes.size()) {
    const auto count = ::write(file, bytes.data() + done, std::min(bytes.size() - done, kMost));
    is_good = count > 0 || (count < 0 && errno == EINTR);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  is_good = is_good && (!sync || ::fsync(file) == 0);
  const int reason = errno;
  const bool is_closed = ::close(file) == 0 || errno == EINTR;
  if (!is_good) errno = reason;
  return is_good && is_closed;
}

/// Beside `target`, in place of which it is then put; that keeps its permissions.
inline bool replace_file(const std::string& target, const struct stat* old,
                         const std::vector<std::byte>& bytes) {
  constexpr int kAttempts = 1000;
  std::string name;
  int file = -1;
  for (int i = 0; file < 0 && i < kAttempts; ++i) {
    name = target + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno != EEXIST) return false;
  }
  if (file < 0) return false;
  const bool is_kept = old == nullptr || ::fchmod(file, old->st_mode & 07777U) == 0;
  if (write_and_close(file, bytes, true) && is_kept &&
      std::rename(name.c_str(), target.c_str()) == 0)
    return true;
  const int reason = errno;
  ::unlink(name.c_str());
  errno = reason;
  return false;
}

/// Whole or not at all: beside the file, then in its place. A symbolic link is followed; what is no
/// regular file, such as a device or pipe, is written to as it is.
inline void write_file(const std::string& path, const std::vector<std::byte>& bytes) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  const std::string target = real ? real.get() : path;
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (!exists || S_ISREG(old.st_mode)) {
    if (!replace_file(target, exists ? &old : nullptr, bytes)) fail_file("cannot write " + path);
    return;
  }
  const int file = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0 || !write_and_close(file, bytes, false)) fail_file("cannot write " + path);
}

inline std::vector<std::byte> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes;
  constexpr std::size_t kBlock = 1 << 20;
  while (file) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kBlock);
    file.read(reinterpret_cast<char*>(bytes.data() + before), kBlock);
    bytes.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) fail_file("cannot read " + path);
  return bytes;
}

}  // namespace talweg::detail

#endif
