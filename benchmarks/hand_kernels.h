// Kernels as an expert writes them for one processor, correctly rounded like talweg's: intrinsics,
// in cache four vectors interleaved stage by stage, in memory one cache line at a time with every
// stream asked for ahead. Unlike talweg's they do not flush subnormals and know their hypers.
#pragma once

#include <string_view>

#include "benchmarks/peers.h"

namespace talweg::benchmarks {

/// The kernel of a rule ("AdamW"); null where this is compiled for a processor without the vectors.
Kernel hand_kernel(std::string_view rule);

}  // namespace talweg::benchmarks
