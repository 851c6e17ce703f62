// Files of a run.
#include "runtime/train/run_files.h"

#include <fmt/format.h>

#include <array>

#include "runtime/support/file_io.h"

namespace talweg::train {
namespace {

namespace fs = std::filesystem;

/// What marks a folder as a run, and what overwriting takes away.
constexpr std::array<std::string_view, 7> kRunFiles = {
    kParametersFile, kRawParametersFile, kLogFile,        kSummaryFile,
    kPlotFile,       kTrajectoryFile,    kPredictionsFile};

support::Failure io(std::string message) { return {support::FailureKind::Io, std::move(message)}; }

}  // namespace

support::Status check_run_folder(const std::string& folder, bool overwrite) {
  std::error_code error;
  if (folder.empty() || !fs::exists(folder, error)) return support::ok();
  if (!fs::is_directory(folder, error)) {
    return support::Failure{support::FailureKind::Usage,
                            fmt::format("--out {} is a file; name a folder", folder)};
  }
  for (const std::string_view name : kRunFiles) {
    if (overwrite || !fs::exists(fs::path(folder) / name, error)) continue;
    return support::Failure{
        support::FailureKind::Usage,
        fmt::format("--out {} holds an earlier run ({}); choose another folder, or replace it "
                    "with --overwrite",
                    folder, name)};
  }
  return support::ok();
}

support::Result<RunFiles> RunFiles::open(const std::string& folder, bool overwrite) {
  if (auto status = check_run_folder(folder, overwrite); !status) return status.failure();
  RunFiles files;
  if (folder.empty()) return files;
  files.folder_ = folder;
  std::error_code error;
  fs::create_directories(files.folder_, error);
  if (error) return io(fmt::format("cannot make the folder {}: {}", folder, error.message()));
  for (const std::string_view name : kRunFiles) {
    fs::remove(files.path(name), error);
    if (error)
      return io(fmt::format("cannot remove {}: {}", files.path(name).string(), error.message()));
  }
  files.log_.open(files.path(kLogFile), std::ios::binary | std::ios::trunc);
  if (!files.log_) return io(fmt::format("cannot write {}", files.path(kLogFile).string()));
  return files;
}

void RunFiles::log(const Json& entry) {
  if (is_kept()) log_ << json_text(entry) << '\n';
}

void RunFiles::flush() {
  if (is_kept()) log_.flush();
}

support::Status RunFiles::close_log() {
  if (!is_kept()) return support::ok();
  log_.close();
  if (log_.good()) return support::ok();
  return io(fmt::format("cannot write {}: lines of the log were lost", path(kLogFile).string()));
}

support::Status RunFiles::write(std::string_view name, std::string_view text) {
  if (!is_kept()) return support::ok();
  if (auto status = support::write_file_atomically(path(name), text); !status) return status;
  add(name);
  return support::ok();
}

void RunFiles::add(std::string_view name) { written_.push_back(path(name).string()); }

std::vector<std::string> RunFiles::written() const {
  std::vector<std::string> files = written_;
  if (is_kept()) files.push_back(path(kLogFile).string());
  return files;
}

}  // namespace talweg::train
