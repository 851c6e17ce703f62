// See write_package.h.
#include "compiler/standalone/write_package.h"

#include "compiler/standalone/header.h"
#include "compiler/standalone/manifest.h"
#include "compiler/standalone/package.h"
#include "runtime/support/file_io.h"

namespace talweg::standalone {

namespace fs = std::filesystem;
using support::Failure;
using support::FailureKind;
using support::Result;

namespace {

struct File {
  std::string name;
  std::string bytes;
};

/// All files, in memory: nothing is written where one cannot be made.
Result<std::vector<File>> make_files(const Library& library, const Forms& forms) {
  const std::string& name = library.prefix;
  const Platform& platform = *find_platform("x86-64");
  const std::string object = generate_library(library, platform, targets::CodeKind::Object);
  std::vector<File> files;
  files.push_back({name + ".h", header_text(library, name + ".h")});
  if (forms.is_static) {
    Result<std::string> archive = make_archive(name + ".o", object);
    if (!archive) return archive.failure();
    files.push_back({"lib" + name + ".a", std::move(*archive)});
  }
  if (forms.is_shared) {
    Result<std::string> shared = link_shared(object, "lib" + name + ".so", platform);
    if (!shared) return shared.failure();
    files.push_back({"lib" + name + ".so", std::move(*shared)});
    files.push_back({name + ".py", python_text(library)});
  }
  files.push_back({name + ".json", manifest_text(library)});
  files.push_back({name + "Config.cmake", cmake_text(library, forms)});
  files.push_back({name + ".pc", pkg_config_text(library)});
  return files;
}

}  // namespace

Result<std::vector<fs::path>> write_package(const Library& library, const Forms& forms,
                                            const fs::path& folder) {
  Result<std::vector<File>> files = make_files(library, forms);
  if (!files) return files.failure();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return Failure{FailureKind::Io,
                   "cannot make the folder " + folder.string() + ": " + error.message()};
  std::vector<fs::path> paths;
  for (const File& file : *files) {
    const support::Status status = support::write_file_atomically(folder / file.name, file.bytes);
    if (!status) return status.failure();
    paths.push_back(folder / file.name);
  }
  return paths;
}

}  // namespace talweg::standalone
