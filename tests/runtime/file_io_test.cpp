// Whole files: limits, replacement, and what is left after a failure.
#include "runtime/support/file_io.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace talweg::support {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "talweg-file-io-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, ignored);
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), {}));
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void check_contains(const std::string& text, const std::string& words) {
  INFO(text);
  CHECK(text.find(words) != std::string::npos);
}

/// Makes every write of this process past `bytes` of a file fail, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("what is written is read") {
  Folder folder;
  const std::string text("a\0b\n\xFF", 5);
  for (const std::string& content : {text, std::string(), std::string(300000, 'x')}) {
    REQUIRE(write_file_atomically(folder / "file", content).ok());
    CHECK(*read_file(folder / "file") == content);
    CHECK(folder.files() == 1);
  }
}

TEST_CASE("pieces are written in order") {
  Folder folder;
  const std::string a = "one ", b, c = "two";
  const std::span<const std::byte> pieces[] = {
      std::as_bytes(std::span(a)), std::as_bytes(std::span(b)), std::as_bytes(std::span(c))};
  REQUIRE(write_file_atomically(folder / "file", pieces).ok());
  CHECK(*read_file(folder / "file") == "one two");
}

TEST_CASE("a relative path without a folder") {
  Folder folder;
  const fs::path here = fs::current_path();
  fs::current_path(folder.path());
  const bool written = write_file_atomically("file", "text").ok();
  fs::current_path(here);
  REQUIRE(written);
  CHECK(*read_file(folder / "file") == "text");
}

TEST_CASE("files that cannot be read say why") {
  Folder folder;
  check_contains(read_file(folder / "none").failure().message, "none: No such file or directory");
  check_contains(read_file(folder.path()).failure().message, ": Is a directory");
  CHECK(read_file(folder / "none").failure().kind == FailureKind::Io);
}

TEST_CASE("a file over the limit is refused without being read") {
  Folder folder;
  REQUIRE(write_file_atomically(folder / "file", std::string(100, 'x')).ok());
  CHECK(read_file(folder / "file", 100).ok());
  check_contains(read_file(folder / "file", 99).failure().message, "larger than 99 bytes");
  // Endless, and of no size.
  check_contains(read_file("/dev/zero", 1000000).failure().message, "larger than 1000000 bytes");
  CHECK(read_file("/dev/null", 0)->empty());
  CHECK(read_file("/proc/self/status")->find("Name:") == 0);
}

TEST_CASE("a write that fails half way leaves the old file and nothing else") {
  Folder folder;
  REQUIRE(write_file_atomically(folder / "file", "old").ok());
  Status status = ok();
  {
    const FileSizeLimit limit(4096);
    status = write_file_atomically(folder / "file", std::string(10000, 'x'));
  }
  REQUIRE_FALSE(status.ok());
  check_contains(status.failure().message,
                 "cannot write " + (folder / "file").string() + ": File too large");
  CHECK(*read_file(folder / "file") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("of files that belong together none is replaced where one cannot be written") {
  Folder folder;
  REQUIRE(write_file_atomically(folder / "first", "old").ok());
  fs::create_directory(folder / "folder");
  const Status folder_met = write_files_atomically(
      std::vector<FileText>{{folder / "first", "new"}, {folder / "folder", "new"}});
  REQUIRE_FALSE(folder_met.ok());
  check_contains(folder_met.failure().message, "folder: Is a directory");
  Status too_large = ok();
  {
    const FileSizeLimit limit(4096);
    const std::string large(10000, 'x');
    too_large = write_files_atomically(
        std::vector<FileText>{{folder / "first", "new"}, {folder / "second", large}});
  }
  REQUIRE_FALSE(too_large.ok());
  check_contains(too_large.failure().message, "second: File too large");
  CHECK(*read_file(folder / "first") == "old");
  CHECK(folder.files() == 2);
  REQUIRE(write_files_atomically(
              std::vector<FileText>{{folder / "first", "1"}, {folder / "second", "2"}})
              .ok());
  CHECK(*read_file(folder / "first") == "1");
  CHECK(*read_file(folder / "second") == "2");
  CHECK(folder.files() == 3);
}

TEST_CASE("a full device says so") {
  if (::access("/dev/full", W_OK) != 0) return;
  const Status status = write_file_atomically("/dev/full", "text");
  REQUIRE_FALSE(status.ok());
  CHECK(status.failure().message == "cannot write /dev/full: No space left on device");
  struct stat device {};
  REQUIRE(::stat("/dev/full", &device) == 0);
  CHECK(S_ISCHR(device.st_mode));
}

TEST_CASE("a device is written to, not replaced") {
  REQUIRE(write_file_atomically("/dev/null", "text").ok());
  struct stat device {};
  REQUIRE(::stat("/dev/null", &device) == 0);
  CHECK(S_ISCHR(device.st_mode));
}

TEST_CASE("places that cannot be written to say why") {
  Folder folder;
  check_contains(write_file_atomically(folder / "none" / "file", "x").failure().message,
                 "file: No such file or directory");
  check_contains(write_file_atomically(folder.path(), "x").failure().message, "Is a directory");
  check_contains(
      write_file_atomically(folder / std::string(300, 'n').c_str(), "x").failure().message,
      "File name too long");
  if (::geteuid() != 0) {
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    check_contains(write_file_atomically(folder / "file", "x").failure().message,
                   "Permission denied");
  }
  check_contains(write_file_atomically("/proc/talweg-cannot-be", "x").failure().message,
                 "cannot write /proc/talweg-cannot-be");
}

TEST_CASE("permissions of a file are kept, a new one has the usual ones") {
  Folder folder;
  const mode_t mask = ::umask(022);
  REQUIRE(write_file_atomically(folder / "new", "x").ok());
  ::umask(mask);
  REQUIRE(write_file_atomically(folder / "private", "x").ok());
  fs::permissions(folder / "private", fs::perms(0600));
  REQUIRE(write_file_atomically(folder / "private", "y").ok());
  CHECK(fs::status(folder / "new").permissions() == fs::perms(0644));
  CHECK(fs::status(folder / "private").permissions() == fs::perms(0600));
}

TEST_CASE("a symbolic link stays one") {
  Folder folder;
  REQUIRE(write_file_atomically(folder / "file", "old").ok());
  fs::create_symlink(folder / "file", folder / "link");
  REQUIRE(write_file_atomically(folder / "link", "new").ok());
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(*read_file(folder / "file") == "new");
}

TEST_CASE("a leftover of a killed process does not hinder") {
  Folder folder;
  std::ofstream((folder / "file").string() + ".part-" + std::to_string(::getpid()) + "-0")
      << "half";
  REQUIRE(write_file_atomically(folder / "file", "whole").ok());
  CHECK(*read_file(folder / "file") == "whole");
}

}  // namespace talweg::support
