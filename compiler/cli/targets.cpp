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
          {"is_default", &platform == &standalone::host_platform()},
          {"variants", std::move(variants)}};
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
  for (const auto& platform : standalone::platforms())
    print(o.json ? to_json(platform).dump() + "\n" : line_of(platform, width));
  return kOk;
}

}  // namespace

std::function<int()> declare_targets(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "One JSON object a line");
  app.footer(
      "A library has all variants of its target in it and takes the best one that runs where it "
      "is\n"
      "used. All give the same bits.\n\nExample:\n  talweg build --rule AdamW --target aarch64 -o "
      "out");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
