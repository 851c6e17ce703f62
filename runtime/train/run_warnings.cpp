// Looking into summary.json.
#include "runtime/train/run_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/support/file_io.h"
#include "runtime/train/json_text.h"
#include "runtime/train/loop.h"
#include "runtime/train/run_files.h"

namespace talweg::train {
namespace {

constexpr std::uint64_t kMaxSummaryBytes = std::uint64_t{1} << 28U;
constexpr std::array kCauses = {StopCause::Finished, StopCause::StepLimit, StopCause::EarlyStopping,
                                StopCause::Interrupted, StopCause::NotFinite};

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The cause that a summary names; nothing: it names none of ours.
std::optional<StopCause> cause_of(const Json& summary) {
  const std::string name = text_at(summary, "cause");
  for (const StopCause cause : kCauses) {
    if (name == stop_cause_name(cause)) return cause;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> run_warnings(const std::filesystem::path& parameters, bool wants_summary) {
  const std::filesystem::path path = parameters.parent_path() / kSummaryFile;
  std::error_code error;
  if (std::filesystem::symlink_status(path, error).type() ==
      std::filesystem::file_type::not_found) {
    if (!wants_summary) return {};
    return {fmt::format("there is no {}, so it is not known how the run ended", path.string())};
  }
  const auto text = support::read_file(path, kMaxSummaryBytes);
  if (!text)
    return {fmt::format("{}, so it is not known how the run ended", text.failure().message)};
  const Json summary = Json::parse(*text, nullptr, false);
  const auto cause = summary.is_object() ? cause_of(summary) : std::nullopt;
  if (!cause)
    return {fmt::format("{} is damaged: it does not say how the run ended", path.string())};
  if (*cause == StopCause::Interrupted)
    return {fmt::format("the run was interrupted, says {}; its parameters are those of then",
                        path.string())};
  if (*cause != StopCause::NotFinite) return {};
  const std::string reason = text_at(summary, "reason");
  return {
      fmt::format("the run ended by a value that was not finite, says {}{}{}. Its parameters "
                  "are those of before",
                  path.string(), reason.empty() ? "" : ": ", reason)};
}

}  // namespace talweg::train
