#include "compiler/cli/place.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "compiler/cli/front_end.h"
#include "compiler/driver/device_code.h"
#include "compiler/targets/nvptx.h"
#include "runtime/gpu/mirrored.hpp"

namespace talweg::cli {

namespace {

using support::Failure;
using support::FailureKind;

/// The number in "cuda" and "cuda:1".
std::optional<std::int32_t> number_of(std::string_view device) {
  constexpr std::string_view kCuda = "cuda";
  if (!device.starts_with(kCuda)) return std::nullopt;
  device.remove_prefix(kCuda.size());
  if (device.empty()) return 0;
  std::int32_t number = -1;
  const auto [stop, error] =
      std::from_chars(device.data() + 1, device.data() + device.size(), number);
  const bool is_number = device.front() == ':' && device.size() > 1 && error == std::errc{} &&
                         stop == device.data() + device.size() && number >= 0;
  return is_number ? std::optional(number) : std::nullopt;
}

/// Options that say something of the host's steps, beside a GPU.
support::Status check_options(const RuleOptions& options) {
  const auto refuse = [&](std::string_view option, std::string_view why) {
    return Failure{FailureKind::Usage,
                   fmt::format("{} does not go with --device {}: {}", option, options.device, why)};
  };
  if (options.backend != "cpu")
    return refuse(fmt::format("--backend {}", options.backend), "it runs on the processor");
  if (options.isa != "host")
    return refuse(fmt::format("--isa {}", options.isa),
                  "the kernels are those of the GPU that is there");
  if (options.threads != 0)
    return refuse(fmt::format("--threads {}", options.threads),
                  "the threads of the processor do no steps there");
  return support::ok();
}

}  // namespace

support::Result<Place> find_place(const RuleOptions& options, const ir::Graph& graph) {
  if (options.device == "cpu") return Place{};
  const auto number = number_of(options.device);
  if (!number)
    return Failure{FailureKind::Usage, fmt::format("unknown device `{}`; there are cpu, cuda, and "
                                                   "cuda:1 and so on for more GPUs than one",
                                                   options.device)};
  if (const auto checked = check_options(options); !checked) return checked.failure();
  const auto device = gpu::find_device(*number);
  if (!device)
    return Failure{device.failure().kind,
                   fmt::format("{}; `talweg devices` says what there is, and --device cpu needs no "
                               "GPU",
                               device.failure().message)};
  const targets::Target* target = targets::find_gpu_target(device->capability);
  if (target == nullptr)
    return Failure{
        FailureKind::Usage,
        fmt::format("cuda:{} ({}) has compute capability {}.{}; rules run on 8.0 or later", *number,
                    device->name, device->capability / 10, device->capability % 10)};
  Place place{fmt::format("cuda:{}", *number), device->name, std::string(target->name()), {}};
  auto text = driver::compile_device_code(graph, compile_options(options), place.isa);
  if (!text) return text.failure();
  place.make_core = gpu::on_device(*number, std::make_shared<const std::string>(std::move(*text)));
  return place;
}

}  // namespace talweg::cli
