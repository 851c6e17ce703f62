// PyTorch as a peer: a Python process that steps its own optimizer when asked, between our turns.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace talweg::benchmarks {

class TorchPeer {
 public:
  /// Starts torch_peer.py under the interpreter that TALWEG_TORCH_PYTHON names (default: python3).
  /// Nothing where it has no PyTorch, or PyTorch no such optimizer.
  static std::unique_ptr<TorchPeer> start(const std::string& rule, std::size_t threads,
                                          const std::vector<std::size_t>& sizes);
  ~TorchPeer();
  TorchPeer(const TorchPeer&) = delete;
  TorchPeer& operator=(const TorchPeer&) = delete;

  /// Seconds of one step, over `repeats`.
  std::optional<double> steps(int repeats);
  /// "2.6.0 fused"
  [[nodiscard]] const std::string& kind() const { return kind_; }

 private:
  TorchPeer() = default;
  std::optional<std::string> answer();

  int to_ = -1, from_ = -1;
  int process_ = -1;
  std::string kind_;
};

}  // namespace talweg::benchmarks
