// A model as a safetensors file: parameters, and in the metadata all that prediction needs (model,
// features and their scaling, classes) as one JSON text under the key `talweg.model`.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "runtime/abi/talweg_abi.h"
#include "runtime/checkpoint/safetensors.h"
#include "runtime/support/result.h"
#include "runtime/train/objective.h"
#include "runtime/train/problem.h"

namespace talweg::train {

/// Writes the objective's parameters atomically. Without a description (test functions) the file
/// holds parameters alone.
support::Status save_parameters(const std::filesystem::path& path, const Objective& objective,
                                const ModelDescription* description);

struct ModelFile {
  checkpoint::Safetensors tensors;
  ModelDescription description;
  talweg_dtype dtype = TALWEG_F32;
};

/// Reads and checks. Failures: Io for a damaged file; Usage for one that describes no model of
/// ours.
support::Result<ModelFile> read_model_file(const std::filesystem::path& path);

/// Copies tensors of `file` into `parameters` by name, converting between float32 and float64.
/// Refused (Usage, naming tensor, shapes and `source`): one that is not there, or of another shape
/// or kind; nothing is copied then. Parameters that match a pattern of `skip` are left as they are.
support::Status copy_parameters(const checkpoint::Safetensors& file, const std::string& source,
                                std::span<const ParameterTensor> parameters, talweg_dtype dtype,
                                std::span<const std::string> skip);

}  // namespace talweg::train
