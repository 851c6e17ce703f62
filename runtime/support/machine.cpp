// Asking the system.
#include "runtime/support/machine.h"

#include <unistd.h>

#include <fstream>
#include <string_view>

namespace talweg::support {

std::uint64_t physical_memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || page_bytes <= 0) return UINT64_MAX;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
}

std::string processor_name() {
  constexpr std::string_view kKey = "model name";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with(kKey) || colon == std::string::npos) continue;
    std::string name = line.substr(colon + 2);
    std::erase_if(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (!name.empty()) return name;
  }
  return "processor";
}

}  // namespace talweg::support
