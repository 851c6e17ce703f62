// Optimizers of tensors in the host's memory whose steps run on a GPU: parameters and gradients go
// there before each step, parameters come back after it. For programs that train on the host and
// want a GPU's steps, and for comparing the two; who computes gradients on a GPU uses
// runtime/gpu/optimizer.h, where nothing is moved.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/gpu/session.hpp"
#include "runtime/optimizer/core.hpp"

namespace talweg::gpu {

/// For optimizer::Optimizer::create, with an image of the same rule. Results are those of the host,
/// bit for bit. A call comes back when the device is done. Failures of the device and its driver
/// are Io; where one comes while parameters are on their way back, some are of after the step.
///
/// Memory of the device is kept for parameters, gradients, states and the inputs of elements that
/// were given; while a view is read out or swapped in, for the parameters once more.
///
/// `ptx`: as talweg_gpu_spec has it.
optimizer::MakeCore on_device(std::int32_t device, std::shared_ptr<const std::string> ptx);

}  // namespace talweg::gpu
