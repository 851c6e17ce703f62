// PyTorch as a peer: a Python process that steps its own optimizers when asked, between our turns.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace talweg::benchmarks {

class TorchPeer {
 public:
  /// Starts torch_peer.py under a Python interpreter; null where it is not there or has no PyTorch.
  static std::unique_ptr<TorchPeer> start(const std::string& python);
  ~TorchPeer();
  TorchPeer(const TorchPeer&) = delete;
  TorchPeer& operator=(const TorchPeer&) = delete;

  /// "2.6.0"
  [[nodiscard]] const std::string& version() const { return version_; }
  /// The parameters after steps of `rule` as agree.cpp makes them; nothing if PyTorch has no such
  /// optimizer.
  std::optional<std::vector<float>> parameters_after(const std::string& rule, int steps,
                                                     std::size_t elements);
  /// Makes tensors and their optimizer; false if PyTorch has none such.
  bool begin(const std::string& rule, std::size_t threads, const std::vector<std::size_t>& sizes);
  /// Frees them.
  void end();
  /// Seconds of one step, over `repeats`; nothing outside begin and end.
  std::optional<double> steps(int repeats);

 private:
  TorchPeer() = default;
  bool ask(const std::string& line) const;
  [[nodiscard]] std::optional<std::string> answer() const;

  int to_ = -1, from_ = -1;
  int process_ = -1;
  bool has_begun_ = false;
  std::size_t threads_ = 1;
  std::string version_;
};

using Torches = std::vector<std::unique_ptr<TorchPeer>>;

/// Those of the interpreters that TALWEG_TORCH_PYTHON names (separated by colons; default: Debian's
/// python3) which have PyTorch.
Torches start_torches();

}  // namespace talweg::benchmarks
