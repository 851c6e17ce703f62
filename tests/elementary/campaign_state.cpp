#include "tests/elementary/campaign_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace talweg::builtins::tests {

namespace fs = std::filesystem;

CampaignState::CampaignState(fs::path path, std::string version) : path_(std::move(path)) {
  std::ifstream stream(path_);
  std::string line;
  const bool is_ours = std::getline(stream, line) && line == version;
  // A line without its end was cut short: its unit is done again.
  while (is_ours && std::getline(stream, line)) {
    std::istringstream words(line);
    std::string unit, end, ulp, reference, x, y;
    UnitResult result;
    if (!(words >> unit >> result.arguments >> result.decided_by_mpfr >> ulp >> reference >> x >>
          y >> end) ||
        end != ".")
      continue;
    result.worst_ulp = std::strtod(ulp.c_str(), nullptr);
    result.reference_ulp = std::strtod(reference.c_str(), nullptr);
    result.worst[0] = std::strtod(x.c_str(), nullptr);
    result.worst[1] = std::strtod(y.c_str(), nullptr);
    done_[unit] = result;
  }
  if (!is_ours) std::ofstream(path_) << version << "\n";
}

void CampaignState::add(const std::string& unit, const UnitResult& result) {
  done_[unit] = result;
  std::ofstream(path_, std::ios::app) << fmt::format(
      "{} {} {} {:a} {:a} {:a} {:a} .\n", unit, result.arguments, result.decided_by_mpfr,
      result.worst_ulp, result.reference_ulp, result.worst[0], result.worst[1]);
}

std::string sources_version(const fs::path& root) {
  std::vector<fs::path> files{root / "compiler/builtins/evaluate.cpp"};
  for (const auto& entry : fs::directory_iterator(root / "compiler/builtins/elementary"))
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const fs::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    for (auto it = std::istreambuf_iterator<char>(stream); it != std::istreambuf_iterator<char>();
         ++it)
      hash = (hash ^ static_cast<unsigned char>(*it)) * 0x100000001b3;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace talweg::builtins::tests
