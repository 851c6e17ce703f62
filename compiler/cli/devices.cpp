// talweg devices: this machine's processor and its GPUs, or why there are none.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "compiler/standalone/platform.h"
#include "runtime/device/cuda_calls.h"
#include "runtime/support/machine.h"

namespace talweg::cli {

namespace {

/// A device, or why there is none.
struct Row {
  std::string device;                 // "cpu", "cuda:0"; "cuda" where there is no GPU
  std::string text;                   // what it is, for people
  nlohmann::ordered_json facts;       // what it is, for programs
  std::optional<std::string> reason;  // why it cannot be used
  bool is_failure = false;            // a reason that is none to expect
};

std::string gibibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30));
}

/// The best of the variants that libraries have for this machine; empty where none runs.
std::string best_variant() {
  for (const standalone::Variant& variant : standalone::host_platform().variants)
    if (variant.target->runs_here()) return std::string(variant.target->name());
  return "";
}

Row processor() {
  const std::string name = support::processor_name(), target = best_variant();
  const std::uint32_t cores = thread_count(0);
  const std::uint64_t bytes = support::physical_memory_bytes();
  return {.device = "cpu",
          .text = fmt::format("{}: {}, {} core{}, {}", name, target, cores, cores == 1 ? "" : "s",
                              gibibytes(bytes)),
          .facts = {{"name", name}, {"target", target}, {"cores", cores}, {"memory_bytes", bytes}},
          .reason = {}};
}

/// No driver and no GPU are answers; whatever else a driver refuses is a failure.
Row without(std::string device, const talweg_cuda_error& error) {
  const bool is_answer = error.code == TALWEG_CUDA_NO_DRIVER || error.code == TALWEG_CUDA_NO_DEVICE;
  return {.device = std::move(device),
          .text = fmt::format("{}: {}", is_answer ? "none" : "not usable", error.message),
          .facts = {},
          .reason = error.message,
          .is_failure = !is_answer};
}

Row gpu(std::int32_t number, const std::string& version) {
  const std::string device = fmt::format("cuda:{}", number);
  talweg_cuda_error error{};
  talweg_cuda_facts facts{};
  if (talweg_cuda_describe(number, &facts, &error) != TALWEG_CUDA_OK) return without(device, error);
  const std::string capability =
      fmt::format("{}.{}", facts.capability_major, facts.capability_minor);
  return {.device = device,
          .text = fmt::format(
              "{}: compute capability {}, {} multiprocessors, {}; driver for CUDA {}", facts.name,
              capability, facts.multiprocessors, gibibytes(facts.memory_bytes), version),
          .facts = {{"name", facts.name},
                    {"uuid", facts.uuid},
                    {"compute_capability", capability},
                    {"multiprocessors", facts.multiprocessors},
                    {"memory_bytes", facts.memory_bytes},
                    {"cuda_version", version}},
          .reason = {}};
}

std::vector<Row> rows() {
  std::vector<Row> result = {processor()};
  talweg_cuda_error error{};
  std::int32_t count = 0, version = 0;
  if (talweg_cuda_driver_version(&version, &error) != TALWEG_CUDA_OK ||
      talweg_cuda_device_count(&count, &error) != TALWEG_CUDA_OK) {
    result.push_back(without("cuda", error));
    return result;
  }
  for (std::int32_t i = 0; i < count; ++i)
    result.push_back(gpu(i, fmt::format("{}.{}", version / 1000, version % 1000 / 10)));
  return result;
}

nlohmann::ordered_json to_json(const Row& row) {
  nlohmann::ordered_json json = {{"device", row.device}, {"available", !row.reason}};
  if (row.reason) json["reason"] = *row.reason;
  if (!row.facts.is_null()) json.update(row.facts);
  return json;
}

int run(bool json) {
  int code = kOk;
  for (const Row& row : rows()) {
    print(json ? to_json(row).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
               : fmt::format("{:<8}{}\n", row.device, row.text));
    if (row.is_failure) code = report("devices", {support::FailureKind::Io, *row.reason});
  }
  return code;
}

}  // namespace

std::function<int()> declare_devices(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "One JSON object a line");
  app.footer(
      "GPUs are those that NVIDIA's driver shows: libcuda.so.1, or the library that\n"
      "TALWEG_CUDA_DRIVER names. No driver and no GPU are no errors; a driver that does not work "
      "is\n"
      "one, and ends with 3.");
  return [json] { return run(*json); };
}

}  // namespace talweg::cli
