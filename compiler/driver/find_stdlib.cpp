// Where the library of rules lies; see compile.h.
//
// It is found from the place of the file that holds this code (the command, or a shared library
// that embeds the compiler), so that an installed tree may be moved. The build tree has the same
// layout.
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "compiler/driver/compile.h"

namespace talweg::driver {

namespace {

namespace fs = std::filesystem;

struct Search {
  std::uintptr_t inside;
  fs::path file;  // empty for the program itself
};

int visit(dl_phdr_info* info, std::size_t, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + header.p_vaddr;
    if (header.p_type != PT_LOAD || search.inside - start >= header.p_memsz) continue;
    search.file = info->dlpi_name;
    return 1;
  }
  return 0;
}

/// The file of the program or shared library that this code was loaded from; empty if it cannot be
/// known.
fs::path own_file() {
  Search search{reinterpret_cast<std::uintptr_t>(&own_file), {}};  // NOLINT: an address to look up
  dl_iterate_phdr(visit, &search);
  std::error_code error;
  return fs::canonical(search.file.empty() ? fs::path("/proc/self/exe") : search.file, error);
}

/// Found while the code is loaded: a library's name may be relative to a folder that the program
/// leaves later.
const fs::path kOwnFile = own_file();  // NOLINT: what throws here is want of memory

}  // namespace

fs::path find_stdlib() {
  if (const char* chosen = std::getenv("TALWEG_STDLIB"); chosen != nullptr && *chosen != '\0')
    return chosen;
  std::error_code error;
  const fs::path prefix = kOwnFile.parent_path().parent_path();
  // A library may lie one folder deeper than the command: lib/x86_64-linux-gnu.
  const fs::path likely = prefix / "share/talweg/stdlib";
  const fs::path deeper = prefix.parent_path() / "share/talweg/stdlib";
  const bool is_deeper = !fs::is_directory(likely, error) && fs::is_directory(deeper, error);
  return fs::weakly_canonical(is_deeper ? deeper : likely, error);
}

}  // namespace talweg::driver
