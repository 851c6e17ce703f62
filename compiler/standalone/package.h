// Files of a library.
#pragma once

#include <string>

#include "compiler/standalone/library_module.h"
#include "runtime/support/result.h"

namespace talweg::standalone {

/// An archive with one member; its index lists the symbols that are visible.
support::Result<std::string> make_archive(const std::string& member, const std::string& object);

/// Links an object to a shared library that exports its visible names; goes through temporary
/// files.
support::Result<std::string> link_shared(const std::string& object, const std::string& soname,
                                         const Platform& platform);

}  // namespace talweg::standalone
