// Files by system calls: streams hide which call failed and why, and cannot sync.
#include "runtime/support/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace talweg::support {
namespace {

Failure io_failure(std::string_view what, const std::filesystem::path& path, int error) {
  return {FailureKind::Io,
          std::string(what) + " " + path.string() + ": " + std::generic_category().message(error)};
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { static_cast<void>(close()); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  /// False, with errno, if the system reports that written data was lost.
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR; }

 private:
  int fd_;
};

/// As `read`, begun again when a signal interrupts it.
ssize_t read_some(int fd, char* buffer, std::size_t bytes) {
  for (;;) {
    const ssize_t count = ::read(fd, buffer, bytes);
    if (count >= 0 || errno != EINTR) return count;
  }
}

bool write_all(int fd, std::span<const std::byte> bytes) {
  // Linux writes at most 2 GiB less a page at once.
  constexpr std::size_t kMaxPiece = std::size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), std::min(bytes.size(), kMaxPiece));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

/// Where a write to `path` ends up: the file that symbolic links lead to, or `path` itself.
std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? path : real;
}

/// The temporary file of one write. Removed unless it was renamed to its target.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : descriptor_(create(target)) {}
  ~TemporaryFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_.get() >= 0; }
  [[nodiscard]] int fd() const { return descriptor_.get(); }
  bool close() { return descriptor_.close(); }
  bool rename_to(const std::filesystem::path& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0) return false;
    name_.clear();
    return true;
  }

 private:
  /// A file that did not exist before; `name_` stays empty where there can be none.
  int create(const std::filesystem::path& target) {
    constexpr int kAttempts = 1000;
    for (int i = 0; i < kAttempts; ++i) {
      const std::string name =
          target.string() + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(i);
      const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0) name_ = name;
      if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
  }

  std::string name_;  // empty: there is nothing to remove
  Descriptor descriptor_;
};

/// Devices and pipes cannot be replaced, only written to.
Status write_in_place(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return io_failure("cannot write", path, errno);
  for (const std::span<const std::byte> piece : pieces)
    if (!write_all(file.get(), piece)) return io_failure("cannot write", path, errno);
  if (!file.close()) return io_failure("cannot write", path, errno);
  return ok();
}

bool sync_folder(const std::filesystem::path& folder) {
  Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder and say so by EINVAL; there is nothing more to be done
  // there.
  return descriptor.get() >= 0 && (::fsync(descriptor.get()) == 0 || errno == EINVAL);
}

/// A write in two steps, of which the first changes nothing that was there.
class Replacement {
 public:
  Replacement(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces)
      : path_(path), target_(follow_links(path)), pieces_(pieces) {}

  Status prepare() {
    struct stat old {};
    const bool exists = ::stat(target_.c_str(), &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) return failed(EISDIR);
    if (exists && !S_ISREG(old.st_mode)) return ok();
    file_.emplace(target_);
    if (!file_->is_open()) return failed(errno);
    for (const std::span<const std::byte> piece : pieces_)
      if (!write_all(file_->fd(), piece)) return failed(errno);
    if ((exists && ::fchmod(file_->fd(), old.st_mode & 07777) != 0) || ::fsync(file_->fd()) != 0 ||
        !file_->close())
      return failed(errno);
    return ok();
  }

  Status put_in_place() {
    if (!file_) return write_in_place(target_, pieces_);
    if (!file_->rename_to(target_)) return failed(errno);
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    if (!sync_folder(folder)) return io_failure("cannot make sure of", path_, errno);
    return ok();
  }

 private:
  [[nodiscard]] Failure failed(int error) const { return io_failure("cannot write", path_, error); }

  std::filesystem::path path_, target_;
  std::span<const std::span<const std::byte>> pieces_;
  std::optional<TemporaryFile> file_;  // none: a device or a pipe
};

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return io_failure("cannot open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return io_failure("cannot read", path, errno);
  if (S_ISDIR(status.st_mode)) return io_failure("cannot read", path, EISDIR);
  const auto too_large = [&] {
    return Failure{FailureKind::Io, "cannot read " + path.string() + ": it is larger than " +
                                        std::to_string(max_bytes) + " bytes"};
  };
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (size > max_bytes) return too_large();

  // One byte more than the size, so that the end of an unchanged file is met without growing.
  std::string text;
  std::size_t length = 0;
  text.resize(size + 1);
  for (;;) {
    if (length == text.size()) text.resize(std::max<std::size_t>(2 * length, 65536));
    const ssize_t count = read_some(file.get(), text.data() + length, text.size() - length);
    if (count < 0) return io_failure("cannot read", path, errno);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
    if (length > max_bytes) return too_large();
  }
  text.resize(length);
  return text;
}

Status write_file_atomically(const std::filesystem::path& path,
                             std::span<const std::span<const std::byte>> pieces) {
  Replacement file(path, pieces);
  if (auto status = file.prepare(); !status) return status;
  return file.put_in_place();
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  return write_file_atomically(path, std::span(&bytes, 1));
}

Status write_files_atomically(std::span<const FileText> files) {
  std::deque<std::span<const std::byte>> pieces;
  std::deque<Replacement> replacements;
  for (const FileText& file : files) {
    pieces.push_back(std::as_bytes(std::span(file.text)));
    replacements.emplace_back(file.path, std::span(&pieces.back(), 1));
    if (auto status = replacements.back().prepare(); !status) return status;
  }
  for (Replacement& replacement : replacements)
    if (auto status = replacement.put_in_place(); !status) return status;
  return ok();
}

}  // namespace talweg::support
