// The folder of a run: made once, never over an earlier run by accident, and its log as it grows.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/json_text.h"

namespace talweg::train {

inline constexpr std::string_view kParametersFile = "parameters.safetensors";
/// Beside a view: the parameters themselves.
inline constexpr std::string_view kRawParametersFile = "raw_parameters.safetensors";
inline constexpr std::string_view kLogFile = "log.jsonl";
inline constexpr std::string_view kSummaryFile = "summary.json";
inline constexpr std::string_view kPlotFile = "loss.svg";
inline constexpr std::string_view kTrajectoryFile = "trajectory.csv";
inline constexpr std::string_view kPredictionsFile = "predictions.csv";

/// Fails (Usage) if `folder` holds a run and may not be overwritten, or is no folder. Changes
/// nothing.
support::Status check_run_folder(const std::string& folder, bool overwrite);

class RunFiles {
 public:
  /// Makes the folder, takes an earlier run's files away (when `overwrite`), opens the log. An
  /// empty name: nothing is ever written.
  static support::Result<RunFiles> open(const std::string& folder, bool overwrite);

  [[nodiscard]] bool is_kept() const { return !folder_.empty(); }
  [[nodiscard]] std::filesystem::path path(std::string_view name) const { return folder_ / name; }
  /// Adds a line to the log; flush() sends lines to the disk.
  void log(const Json& entry);
  void flush();
  /// Closes the log; fails (Io) if any of its lines was lost.
  support::Status close_log();
  /// Writes a whole file atomically.
  support::Status write(std::string_view name, std::string_view text);
  /// Notes a file that someone else wrote into the folder.
  void add(std::string_view name);
  /// Paths of the files so far, in the order noted; the log last.
  [[nodiscard]] std::vector<std::string> written() const;

 private:
  std::filesystem::path folder_;
  std::ofstream log_;
  std::vector<std::string> written_;
};

}  // namespace talweg::train
