#include "runtime/support/overwrite_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

namespace talweg::support {
namespace {

bool write_at_begin(int fd, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::pwrite(fd, text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += static_cast<std::size_t>(count);
  }
  return true;
}

bool truncate_to(int fd, std::size_t size) {
  while (::ftruncate(fd, static_cast<off_t>(size)) != 0)
    if (errno != EINTR) return false;
  return true;
}

/// Zero, or the system's reason.
int overwrite(int fd, std::string_view old_text, std::string_view text) {
  if (text.size() > old_text.size()) {
    const int error = ::posix_fallocate(fd, static_cast<off_t>(old_text.size()),
                                        static_cast<off_t>(text.size() - old_text.size()));
    if (error != 0) {
      truncate_to(fd, old_text.size());
      return error;
    }
  }
  // As long as the old text, so that nothing of that stands behind it at any time.
  std::string padded(text);
  padded.resize(std::max(text.size(), old_text.size()), '\n');
  if (write_at_begin(fd, padded) && truncate_to(fd, text.size()) && ::fsync(fd) == 0) return 0;
  const int error = errno;
  if (write_at_begin(fd, old_text)) truncate_to(fd, old_text.size());
  return error;
}

}  // namespace

Status overwrite_file(const std::filesystem::path& path, std::string_view old_text,
                      std::string_view text) {
  const auto failure = [&](int error) {
    return Failure{FailureKind::Io,
                   "cannot write " + path.string() + ": " + std::generic_category().message(error)};
  };
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return failure(errno);
  const int error = overwrite(fd, old_text, text);
  if (::close(fd) != 0 && error == 0 && errno != EINTR) return failure(errno);
  if (error != 0) return failure(error);
  return ok();
}

}  // namespace talweg::support
