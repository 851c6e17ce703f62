// By the Levenshtein distance: insertions, deletions and changes of bytes.
#include "runtime/optimizer/suggest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace talweg::optimizer {
namespace {

constexpr std::size_t kMaxListedNames = 12;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggest(std::string_view name, std::span<const std::string_view> known) {
  // A name that is wrong by more than a third of its letters was not mistyped.
  std::size_t best = name.size() / 3 + 1;
  std::string_view nearest;
  for (const std::string_view candidate : known) {
    if (candidate.size() > name.size() + best || name.size() > candidate.size() + best) continue;
    const std::size_t found = distance(name, candidate);
    if (found < best || (found == best && nearest.empty())) {
      best = found;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return " (did you mean `" + std::string(nearest) + "`?)";
  if (known.empty() || known.size() > kMaxListedNames) return "";
  std::string list = " (it has ";
  for (std::size_t i = 0; i < known.size(); ++i)
    list += (i > 0 ? ", `" : "`") + std::string(known[i]) + "`";
  return list + ")";
}

}  // namespace talweg::optimizer
