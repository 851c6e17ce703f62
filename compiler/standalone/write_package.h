// A library as files in a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "compiler/standalone/library_module.h"
#include "compiler/standalone/package_files.h"
#include "runtime/support/result.h"

namespace talweg::standalone {

/// Makes the folder where it is missing and writes all files of a library, each as a whole or not
/// at all; their paths. With several platforms, each has a folder of its name for its code. Io
/// failure: what cannot be written.
support::Result<std::vector<std::filesystem::path>> write_package(
    const Library& library, const std::vector<const Platform*>& platforms, const Forms& forms,
    const std::filesystem::path& folder);

/// What a library is made of, for looking.
enum class CodeForm : std::uint8_t { LlvmText, Assembly, Object, Ptx };

/// Writes a library's code alone in one of these forms: NAME.ll, NAME.s or NAME.o, for each
/// platform as above; or of each rule NAME.sm_90.ptx and so on, which no platform is asked for.
support::Result<std::vector<std::filesystem::path>> write_code(
    const Library& library, const std::vector<const Platform*>& platforms, CodeForm form,
    const std::filesystem::path& folder);

}  // namespace talweg::standalone
