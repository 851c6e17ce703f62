// talweg targets: the machines that libraries can be built for, and which of their variants run
// here.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/subcommands.h"
#include "compiler/standalone/platform.h"
#include "compiler/targets/nvptx.h"

namespace talweg::cli {

namespace {

struct Options {
  bool json = false;
};

nlohmann::ordered_json to_json(const standalone::Platform& platform) {
  nlohmann::ordered_json variants = nlohmann::ordered_json::array();
  for (const standalone::Variant& variant : platform.variants)
    variants.push_back(
        {{"name", variant.target->name()}, {"runs_here", variant.target->runs_here()}});
  return {{"name", platform.name},
          {"triple", platform.processor.triple},
          {"cmake_processor", platform.cmake_pattern},
          {"is_gpu", false},
          {"is_default", &platform == &standalone::host_platform()},
          {"variants", std::move(variants)}};
}

/// No processor of CMake's: it goes with another target.
nlohmann::ordered_json to_json(const standalone::GpuFamily& family) {
  nlohmann::ordered_json variants = nlohmann::ordered_json::array();
  for (const targets::Target* target : family.targets)
    variants.push_back({{"name", target->name()}, {"runs_here", false}});
  return {{"name", family.name},        {"triple", "nvptx64-nvidia-cuda"},
          {"cmake_processor", nullptr}, {"is_gpu", true},
          {"is_default", false},        {"variants", std::move(variants)}};
}

/// "8.0" of 80.
std::string capability(const targets::Target& target) {
  const std::uint32_t number = targets::gpu_architecture(target);
  return fmt::format("{}.{}", number / 10, number % 10);
}

std::string line_of(const standalone::GpuFamily& family, std::size_t name_width) {
  std::string capabilities;
  for (const targets::Target* target : family.targets)
    capabilities += (capabilities.empty() ? "" : ", ") + capability(*target);
  return fmt::format("{:<{}}  PTX for compute capability {} and newer, beside a processor's code\n",
                     family.name, name_width, capabilities);
}

std::string line_of(const standalone::Platform& platform, std::size_t name_width) {
  std::string variants;
  for (const standalone::Variant& variant : platform.variants)
    variants += fmt::format("{}{}{}", variants.empty() ? "" : ", ", variant.target->name(),
                            variant.target->runs_here() ? " (runs here)" : "");
  return fmt::format("{:<{}}  {}{}\n", platform.name, name_width, variants,
                     &platform == &standalone::host_platform() ? "; the default" : "");
}

int run(const Options& o) {
  std::size_t width = 0;
  for (const auto& platform : standalone::platforms())
    width = std::max(width, platform.name.size());
  for (const auto& family : standalone::gpu_families()) width = std::max(width, family.name.size());
  for (const auto& platform : standalone::platforms())
    print(o.json ? to_json(platform).dump() + "\n" : line_of(platform, width));
  for (const auto& family : standalone::gpu_families())
    print(o.json ? to_json(family).dump() + "\n" : line_of(family, width));
  return kOk;
}

}  // namespace

std::function<int()> declare_targets(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "One JSON object a line");
  app.footer(
      "A library has all variants of its target in it and takes the best one that runs where it "
      "is\n"
      "used. All give the same bits. The targets nvptx are for NVIDIA GPUs: they go into a "
      "library\n"
      "with the code of another target, by default this machine's.\n\nExample:\n  talweg build "
      "--rule AdamW --target aarch64 -o "
      "out");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
