// See lists.h.
#include "compiler/cli/lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace talweg::cli {

std::vector<std::string> split_at_commas(const std::vector<std::string>& lists) {
  std::vector<std::string> entries;
  for (const std::string& list : lists)
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t comma = std::min(list.find(',', begin), list.size());
      entries.push_back(list.substr(begin, comma - begin));
      begin = comma + 1;
    }
  return entries;
}

std::vector<std::string> filled_entries(const std::string& option,
                                        const std::vector<std::string>& lists) {
  std::vector<std::string> entries = split_at_commas(lists);
  if (std::ranges::find(entries, "") != entries.end())
    throw CLI::ValidationError(option,
                               fmt::format("an entry is empty in '{}'; write one comma between two",
                                           fmt::join(lists, " ")));
  return entries;
}

}  // namespace talweg::cli
