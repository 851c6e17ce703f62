// mkdtemp below the system's folder for temporary files.
#include "tests/train/temporary_folder.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace talweg::train::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "talweg-train-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace talweg::train::testing
