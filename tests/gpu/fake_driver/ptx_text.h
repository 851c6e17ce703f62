// What the pretended driver itself looks at in a PTX text; all else is the executor's.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace fake_cuda {

struct PtxText {
  int version = 0;       // 83: `.version 8.3`
  int architecture = 0;  // 90: `.target sm_90`
  /// How many parameters each kernel has.
  std::map<std::string, int> kernels;
};

/// Zeros where a directive is missing.
PtxText read_ptx_text(std::string_view ptx);

}  // namespace fake_cuda
