// Files of a library.
#pragma once

#include <string>
#include <vector>

#include "compiler/standalone/library_module.h"
#include "runtime/support/result.h"

namespace talweg::standalone {

struct Object {
  std::string name;  // in an archive: "adamw.o"
  std::string bytes;
};

/// An archive of objects; its index lists the symbols that are visible.
support::Result<std::string> make_archive(const std::vector<Object>& objects);

/// Links objects to a shared library that exports their visible names; goes through temporary
/// files.
support::Result<std::string> link_shared(const std::vector<Object>& objects,
                                         const std::string& soname, const Platform& platform);

/// Links objects to a WebAssembly module that imports nothing, and exports `names`, its memory,
/// malloc and free.
support::Result<std::string> link_wasm(std::vector<Object> objects,
                                       const std::vector<std::string>& names,
                                       const Platform& platform);

}  // namespace talweg::standalone
