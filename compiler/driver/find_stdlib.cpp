// Where the library of rules lies; see compile.h.
#include <cstdlib>
#include <system_error>

#include "compiler/driver/compile.h"

namespace talweg::driver {

std::filesystem::path find_stdlib() {
  namespace fs = std::filesystem;
  if (const char* chosen = std::getenv("TALWEG_STDLIB"); chosen != nullptr && *chosen != '\0')
    return chosen;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path folder = program.parent_path();
    for (const fs::path& place :
         {folder / "stdlib", folder.parent_path() / "share" / "talweg" / "stdlib"})
      if (fs::is_directory(place, error)) return place;
  }
  return TALWEG_SOURCE_STDLIB;
}

}  // namespace talweg::driver
