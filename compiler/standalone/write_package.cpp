// See write_package.h.
#include "compiler/standalone/write_package.h"

#include <algorithm>

#include "compiler/standalone/header.h"
#include "compiler/standalone/manifest.h"
#include "compiler/standalone/package.h"
#include "runtime/support/file_io.h"
#include "runtime/support/hold_signals.h"

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

/// Where the code of a platform is put: with several, each has a folder.
std::string folder_of(const Platform& platform, const std::vector<const Platform*>& platforms) {
  return platforms.size() == 1 ? "" : std::string(platform.name) + "/";
}

/// What differs from platform to platform, in `folder`.
support::Status add_code(const Library& library, const Platform& platform, const Forms& forms,
                         const std::string& folder, std::vector<File>& files) {
  const std::string& name = library.prefix;
  std::vector<Object> objects = {
      {name + ".o", generate_library(library, platform, targets::CodeKind::Object)}};
  if (!platform.pool.empty())
    objects.push_back({name + "_pool.o", generate_pool(library, platform)});
  if (forms.is_static) {
    Result<std::string> archive = make_archive(objects);
    if (!archive) return archive.failure();
    files.push_back({folder + "lib" + name + ".a", std::move(*archive)});
  }
  if (forms.is_shared && platform.binary == Binary::WasmModule) {
    Result<std::string> module = link_wasm(objects, exported_names(library, platform), platform);
    if (!module) return module.failure();
    files.push_back({folder + name + ".wasm", std::move(*module)});
    files.push_back({folder + name + ".mjs", javascript_text(library)});
  } else if (forms.is_shared) {
    Result<std::string> shared = link_shared(objects, "lib" + name + ".so", platform);
    if (!shared) return shared.failure();
    files.push_back({folder + "lib" + name + ".so", std::move(*shared)});
    files.push_back({folder + name + ".py", python_text(library)});
  }
  if (can_be_linked(platform, forms))
    files.push_back({folder + name + ".pc", pkg_config_text(library, platform, !folder.empty())});
  return support::ok();
}

/// The code of each rule for GPUs, which is in the library too.
std::vector<File> ptx_files(const Library& library) {
  std::vector<File> files;
  for (const LibraryRule& rule : library.rules)
    for (const GpuCode& code : rule.gpu_codes)
      files.push_back({rule.prefix + "." + code.target->processor() + ".ptx", code.ptx});
  return files;
}

/// All files, in memory: nothing is written where one cannot be made.
Result<std::vector<File>> make_files(const Library& library,
                                     const std::vector<const Platform*>& platforms,
                                     const Forms& forms) {
  const std::string& name = library.prefix;
  std::vector<File> files;
  files.push_back({name + ".h", header_text(library, name + ".h", platforms)});
  files.push_back({name + ".json", manifest_text(library)});
  for (const Platform* platform : platforms) {
    const support::Status status =
        add_code(library, *platform, forms, folder_of(*platform, platforms), files);
    if (!status) return status.failure();
  }
  std::ranges::move(ptx_files(library), std::back_inserter(files));
  const auto is_linked = [&](const Platform* platform) { return can_be_linked(*platform, forms); };
  if (std::ranges::any_of(platforms, is_linked)) {
    files.push_back({name + "Config.cmake", cmake_text(library, platforms, forms)});
    files.push_back({name + "ConfigVersion.cmake", cmake_version_text(library)});
  }
  return files;
}

/// All or none, the first file last: Make and Ninja take it for all of them, and must not find it
/// new where another could not be written.
Result<std::vector<fs::path>> write_files(const std::vector<File>& files, const fs::path& folder) {
  std::vector<fs::path> paths;
  std::vector<support::FileText> texts;
  for (const File& file : files) {
    const fs::path& path = paths.emplace_back(folder / file.name);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error)
      return Failure{FailureKind::Io, "cannot make the folder " + path.parent_path().string() +
                                          ": " + error.message()};
    texts.push_back({path, file.bytes});
  }
  std::ranges::reverse(texts);
  const support::HoldSignals hold;
  const support::Status status = support::write_files_atomically(texts);
  if (!status) return status.failure();
  return paths;
}

}  // namespace

Result<std::vector<fs::path>> write_package(const Library& library,
                                            const std::vector<const Platform*>& platforms,
                                            const Forms& forms, const fs::path& folder) {
  const Result<std::vector<File>> files = make_files(library, platforms, forms);
  if (!files) return files.failure();
  return write_files(*files, folder);
}

Result<std::vector<fs::path>> write_code(const Library& library,
                                         const std::vector<const Platform*>& platforms,
                                         CodeForm form, const fs::path& folder) {
  if (form == CodeForm::Ptx) return write_files(ptx_files(library), folder);
  std::vector<File> files;
  for (const Platform* platform : platforms) {
    const std::string name = folder_of(*platform, platforms) + library.prefix;
    if (form == CodeForm::LlvmText)
      files.push_back({name + ".ll", generate_library_text(library, *platform)});
    else if (form == CodeForm::Assembly)
      files.push_back(
          {name + ".s", generate_library(library, *platform, targets::CodeKind::Assembly)});
    else
      files.push_back(
          {name + ".o", generate_library(library, *platform, targets::CodeKind::Object)});
  }
  return write_files(files, folder);
}

}  // namespace talweg::standalone
