// The PTX text of a rule: all kernels that its image calls, and those of runtime/gpu.
#include "compiler/driver/device_code.h"

#include <stdlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "compiler/driver/fill_image.h"
#include "compiler/driver/generate.h"
#include "compiler/driver/image_tables.h"
#include "compiler/driver/object_cache.h"
#include "compiler/passes/pass.h"
#include "compiler/targets/nvptx.h"
#include "tests/gpu/fold_device.h"
#include "tests/gpu/ptx/interpreter.h"
#include "tests/ir/compile_text.h"

namespace talweg::gpu {
namespace {

using types::ComputeType;

constexpr const char *kSimple = "AdamW", *kMatrices = "Adafactor",
                     *kViews = "ScheduleFreeAdamW | Ema";

std::set<std::string> kernels_of(const std::string& ptx) {
  DeviceMemory memory;
  const auto names = PtxInterpreter(ptx, memory).kernels();
  return {names.begin(), names.end()};
}

/// The symbols that the image of a rule refers to, but for what places tensors, which the host
/// runs.
std::set<std::string> symbols_of(const ir::Graph& graph, const plan::Plan& plan) {
  std::set<std::string> symbols;
  driver::ImageTables tables(graph, plan.compute, "none");
  const auto find = [&](const std::string& symbol) -> support::Result<void*> {
    if (!symbol.ends_with("place")) symbols.insert(symbol);
    return static_cast<void*>(&symbols);
  };
  REQUIRE(driver::fill_image(tables, plan, find));
  return symbols;
}

TEST_CASE("a rule's PTX has its kernels and those of every rule") {
  const std::string rule = GENERATE(as<std::string>{}, kSimple, kMatrices, kViews);
  const ir::Graph graph = tests::graph_of_rule(rule);
  const plan::Plan plan = plan::make_plan(passes::run_passes(graph), ComputeType::F32);
  const std::set<std::string> symbols = symbols_of(graph, plan);
  REQUIRE(symbols.contains("talweg_pass_0"));
  for (const std::string target : {"nvptx-sm80", "nvptx-sm90", "nvptx-sm100"}) {
    const std::string text = driver::generate_device_code(plan, *targets::find_target(target));
    INFO(rule << " for " << target);
    CHECK(text.find(".target sm_" + target.substr(8)) != std::string::npos);
    CHECK(text.find(".target") == text.rfind(".target"));
    // The interpreter refuses calls of what is not in the text.
    std::set<std::string> expected = kernels_of(fold_kernels_text(target));
    REQUIRE(expected.contains("talweg_gpu_fold_runs"));
    expected.insert(symbols.begin(), symbols.end());
    CHECK(kernels_of(text) == expected);
  }
}

TEST_CASE("what these rules have is of several kinds") {
  const auto has = [](const std::string& rule, const std::string& part) {
    const ir::Graph graph = tests::graph_of_rule(rule);
    const auto symbols =
        symbols_of(graph, plan::make_plan(passes::run_passes(graph), ComputeType::F32));
    return std::any_of(symbols.begin(), symbols.end(), [&](const std::string& symbol) {
      return symbol.find(part) != std::string::npos;
    });
  };
  CHECK(has(kMatrices, "row_scalars_"));
  CHECK(has(kMatrices, "lines_"));
  CHECK(has(kViews, "view_"));
  CHECK(has(kViews, "initial_"));
  CHECK_FALSE(has(kSimple, "view_"));
}

TEST_CASE("a GPU gets the newest code that it runs") {
  const auto name = [](std::uint32_t architecture) {
    const targets::Target* target = targets::find_gpu_target(architecture);
    return target == nullptr ? "none" : std::string(target->name());
  };
  for (const std::uint32_t old : {0U, 75U, 79U}) CHECK(name(old) == "none");
  for (const std::uint32_t ampere : {80U, 86U, 89U}) CHECK(name(ampere) == "nvptx-sm80");
  CHECK(name(90) == "nvptx-sm90");
  CHECK(name(99) == "nvptx-sm90");
  for (const std::uint32_t newer : {100U, 103U, 120U, 200U}) CHECK(name(newer) == "nvptx-sm100");
}

TEST_CASE("kernels of a GPU are kept in the cache, apart from other code") {
  std::string folder = (std::filesystem::temp_directory_path() / "talweg-device-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  driver::CompileOptions options;
  options.cache_dir = folder;
  const ir::Graph graph = tests::graph_of_rule("SGD");
  const auto entries = [&] {
    const std::filesystem::directory_iterator begin(folder);
    return std::distance(begin, std::filesystem::directory_iterator{});
  };
  const auto text = driver::compile_device_code(graph, options, "nvptx-sm90");
  REQUIRE(text);
  CHECK(entries() == 1);
  CHECK(*driver::compile_device_code(graph, options, "nvptx-sm90") == *text);
  CHECK(entries() == 1);
  CHECK(*driver::compile_device_code(graph, options, "nvptx-sm80") != *text);
  CHECK(entries() == 2);
  REQUIRE(driver::compile(graph, options));
  CHECK(entries() == 3);
  std::filesystem::remove_all(folder);
  CHECK(driver::compile_device_code(graph, options, "scalar").failure().message ==
        "`scalar` is no instruction set of a GPU");
}

}  // namespace
}  // namespace talweg::gpu
