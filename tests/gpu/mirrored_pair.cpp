#include "tests/gpu/mirrored_pair.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "compiler/driver/device_code.h"
#include "tests/gpu/fake_driver/fake_cuda.h"
#include "tests/ir/compile_text.h"

namespace talweg::gpu {

namespace {

constexpr const char* kInputs = R"(
rule Inputs {
  matrix (last two)
  input model a
  input group b
  input tensor c
  input matrix d
  input row e
  input col f
  input g
  step { update = 0.01 * (a + b + c) * grad + (if rank >= 2 then d * e * f else g) }
}
)";

}  // namespace

const Rule& compiled(const std::string& text, types::ComputeType compute) {
  static std::map<std::pair<std::string, types::ComputeType>, Rule> rules;
  Rule& rule = rules[{text, compute}];
  if (rule.program != nullptr) return rule;
  const ir::Graph graph = tests::graph_of_rule(text, kInputs);
  driver::CompileOptions options;
  options.compute = compute;
  options.use_cache = false;
  rule.ptx = std::make_shared<const std::string>(
      *driver::compile_device_code(graph, options, "nvptx-sm80"));
  rule.program = *driver::compile(graph, options);
  return rule;
}

void start_driver(int devices) {
  ::setenv("TALWEG_CUDA_DRIVER", FAKE_CUDA, 1);
  fake_cuda_reset(devices);
}

std::string what_is_left() {
  std::string left;
  for (const char* what : {"allocations", "pinned", "modules", "streams", "events", "contexts"})
    if (const std::size_t count = fake_cuda_count(what); count > 0)
      left += std::to_string(count) + " " + what + " ";
  return left;
}

}  // namespace talweg::gpu
