// Reading and unpacking data files with zlib, which passes plain files through.
#include "runtime/train/data_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace talweg::train {
namespace {

constexpr unsigned kReadBytes = 1U << 20U;

support::Failure io(std::string message) { return {support::FailureKind::Io, std::move(message)}; }

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

/// Why zlib stopped; `Z_BUF_ERROR` is how it says that a stream ends early.
std::string gzip_problem(gzFile file) {
  int code = Z_OK;
  const char* text = gzerror(file, &code);
  if (code == Z_ERRNO) return std::strerror(errno);
  if (code == Z_BUF_ERROR) return "the gzip data end too early: the file is cut off";
  return fmt::format("damaged gzip data ({})", text);
}

/// gzread treats a file that is cut off inside its last block as complete until it is asked for
/// more; only the sticky error tells.
bool is_broken(gzFile file) {
  int code = Z_OK;
  gzerror(file, &code);
  return code != Z_OK && code != Z_STREAM_END;
}

}  // namespace

support::Result<std::string> read_data_file(const std::string& path, std::uint64_t limit) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return io(fmt::format("`{}` is a folder; name a file in it", path));
  }
  errno = 0;
  const std::unique_ptr<gzFile_s, CloseGz> file(gzopen(path.c_str(), "rb"));
  if (!file) {
    return io(fmt::format("cannot read `{}`: {}", path,
                          errno != 0 ? std::strerror(errno) : "out of memory"));
  }
  gzbuffer(file.get(), kReadBytes);
  std::string bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kReadBytes);
    const int got = gzread(file.get(), bytes.data() + filled, kReadBytes);
    bytes.resize(filled + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 || (got == 0 && is_broken(file.get()))) {
      return io(fmt::format("cannot read `{}`: {}", path, gzip_problem(file.get())));
    }
    if (bytes.size() > limit) {
      return io(fmt::format("`{}` holds more than {} bytes unpacked, the limit for data files",
                            path, limit));
    }
    if (got == 0) return bytes;
  }
}

}  // namespace talweg::train
