// Reading a file into tensors that exist already: all of them, or none.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "runtime/checkpoint/safetensors.h"
#include "runtime/support/result.h"

namespace talweg::checkpoint {

/// A tensor to be read into memory of the caller.
struct TensorTarget {
  std::string name;
  TensorType type = TensorType::F32;
  std::vector<std::uint64_t> shape;
  void* data = nullptr;
};

/// Whether `file` has exactly these tensors, of these types and shapes. Failure (Io): the message
/// lists what is missing, unexpected or different, some of each; `name` is the file's.
support::Status match_tensors(const Safetensors& file, std::span<const TensorTarget> targets,
                              const std::string& name);

/// Copies after a successful match.
void copy_tensors(const Safetensors& file, std::span<const TensorTarget> targets);

/// Reads, matches and copies. On failure nothing is changed.
support::Status load_tensors(const std::filesystem::path& path,
                             std::span<const TensorTarget> targets);

}  // namespace talweg::checkpoint
