// What a campaign has done so far: a text file, one line a finished unit of work, appended as it
// goes. A campaign that is stopped at any moment goes on with the first unit that has no line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace talweg::builtins::tests {

struct UnitResult {
  std::uint64_t arguments = 0;
  std::uint64_t decided_by_mpfr = 0;
  double worst_ulp = 0;
  double reference_ulp = 0;  // the largest error of the reference where there is one
  double worst[2] = {};
};

class CampaignState {
 public:
  /// Reads what is there. A file that was written for other sources (`version`) counts for nothing
  /// and begins anew.
  CampaignState(std::filesystem::path path, std::string version);

  [[nodiscard]] bool is_done(const std::string& unit) const { return done_.contains(unit); }
  void add(const std::string& unit, const UnitResult& result);
  [[nodiscard]] const std::map<std::string, UnitResult>& done() const { return done_; }

 private:
  std::filesystem::path path_;
  std::map<std::string, UnitResult> done_;
};

/// A hash of the sources that decide what the functions compute.
std::string sources_version(const std::filesystem::path& root);

}  // namespace talweg::builtins::tests
