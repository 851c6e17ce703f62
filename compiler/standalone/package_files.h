// Small files beside a library, for those who look for it: CMake, pkg-config.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"

namespace talweg::standalone {

/// Which of its two forms a library has.
struct Forms {
  bool is_static = true, is_shared = true;
};

/// Whether there is something that a program can be linked with: a WebAssembly module is loaded.
inline bool can_be_linked(const Platform& platform, const Forms& forms) {
  return forms.is_static || platform.binary == Binary::SharedObject;
}

/// For find_package(NAME): targets NAME::NAME (the archive, where there is one) and NAME::shared.
/// Both name pthreads for the pool, which the C library may have apart.
/// The library lies beside it, or of several platforms in the folder of the one that CMake builds
/// for.
std::string cmake_text(const Library& library, const std::vector<const Platform*>& platforms,
                       const Forms& forms);
/// For find_package(NAME 0.1).
std::string cmake_version_text(const Library& library);
/// NAME.pc, for a library in the same folder or a folder of its platform.
std::string pkg_config_text(const Library& library, const Platform& platform, bool has_own_folder);

/// NAME.py: the library for Python, by ctypes and NumPy. Finds the shared library beside it.
std::string python_text(const Library& library);

/// NAME.mjs: the module NAME.wasm for JavaScript. Finds it beside itself.
std::string javascript_text(const Library& library);

}  // namespace talweg::standalone
