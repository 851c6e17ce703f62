// See package_files.h.
#include "compiler/standalone/package_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/standalone/c_text.h"
#include "runtime/standalone/embedded.h"

namespace talweg::standalone {

namespace {

std::string imported_target(const Library& library, const std::string& target, const char* kind,
                            const std::string& file) {
  // The C library may have dlopen apart, too.
  const char* loader = has_cuda(library) ? ";${CMAKE_DL_LIBS}" : "";
  return fmt::format(
      "if(NOT TARGET {0})\n"
      "  add_library({0} {1} IMPORTED)\n"
      "  set_target_properties({0} PROPERTIES\n"
      "    IMPORTED_LOCATION \"${{_talweg_folder}}/{2}\"\n"
      "    INTERFACE_INCLUDE_DIRECTORIES \"${{CMAKE_CURRENT_LIST_DIR}}\"\n"
      "    INTERFACE_LINK_LIBRARIES \"${{_talweg_threads}}{3}\")\n"
      "endif()\n",
      target, kind, file, loader);
}

/// The text of a binding, for this library.
std::string filled_in(std::string text, const Library& library) {
  text = replace_all(std::move(text), "@NAME@", library.prefix);
  text = replace_all(std::move(text), "@RULE@", library.rules.front().class_name);
  return replace_all(std::move(text), "@DTYPE@", is_float32(library) ? "float32" : "float64");
}

}  // namespace

std::string cmake_text(const Library& library, const std::vector<const Platform*>& platforms,
                       const Forms& forms) {
  const std::string& name = library.prefix;
  std::string text = fmt::format(
      "# Made by talweg {}: find_package({} CONFIG).\n"
      "set(_talweg_folder \"${{CMAKE_CURRENT_LIST_DIR}}\")\n"
      "set(_talweg_threads \"\")\n",
      library.release, name);
  std::string condition = "if";
  // With a single platform a processor that CMake was not told is taken for it.
  const char* unknown = platforms.size() == 1 ? "NOT CMAKE_SYSTEM_PROCESSOR OR " : "";
  std::string names;
  for (const Platform* platform : platforms) {
    text += fmt::format("{}({}CMAKE_SYSTEM_PROCESSOR MATCHES \"{}\")\n", condition, unknown,
                        platform->cmake_pattern);
    if (platforms.size() > 1)
      text += fmt::format("  string(APPEND _talweg_folder \"/{}\")\n", platform->name);
    if (!platform->pool.empty()) text += "  set(_talweg_threads Threads::Threads)\n";
    condition = "elseif";
    names += (names.empty() ? "" : ", ") + std::string(platform->name);
  }
  text += fmt::format(
      "else()\n  set({0}_FOUND FALSE)\n  set({0}_NOT_FOUND_MESSAGE\n"
      "    \"it is built for {1}, not for ${{CMAKE_SYSTEM_PROCESSOR}}\")\n  return()\nendif()\n"
      "if(_talweg_threads)\n  include(CMakeFindDependencyMacro)\n  find_dependency(Threads)\n"
      "endif()\n",
      name, names);
  const auto is_shared_object = [](const Platform* platform) {
    return platform->binary == Binary::SharedObject;
  };
  const bool both = forms.is_static && forms.is_shared;
  const bool all_shared = std::ranges::all_of(platforms, is_shared_object);
  if (forms.is_static)
    text += imported_target(library, fmt::format("{0}::{0}", name), "STATIC",
                            fmt::format("lib{}.a", name));
  if (forms.is_shared && std::ranges::any_of(platforms, is_shared_object)) {
    const std::string shared =
        imported_target(library, both ? name + "::shared" : fmt::format("{0}::{0}", name), "SHARED",
                        fmt::format("lib{}.so", name));
    // For WebAssembly there is none.
    text += all_shared ? shared
                       : fmt::format("if(EXISTS \"${{_talweg_folder}}/lib{}.so\")\n{}endif()\n",
                                     name, shared);
  }
  return text;
}

std::string cmake_version_text(const Library& library) {
  return fmt::format(
      "# Made by talweg {0}, which is the version of the library. One that is asked for is the "
      "least,\n# of the same minor version where no range is given.\n"
      "set(PACKAGE_VERSION \"{0}\")\n"
      "string(REGEX MATCH \"^[0-9]+\\\\.[0-9]+\" _talweg_minor \"${{PACKAGE_VERSION}}\")\n"
      "if(PACKAGE_FIND_VERSION_RANGE)\n"
      "  if(PACKAGE_VERSION VERSION_GREATER_EQUAL PACKAGE_FIND_VERSION_MIN AND\n"
      "      (PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MAX OR\n"
      "       (PACKAGE_FIND_VERSION_RANGE_MAX STREQUAL \"INCLUDE\" AND\n"
      "        PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION_MAX)))\n"
      "    set(PACKAGE_VERSION_COMPATIBLE TRUE)\n"
      "  endif()\n"
      "elseif(PACKAGE_VERSION VERSION_GREATER_EQUAL PACKAGE_FIND_VERSION AND _talweg_minor "
      "VERSION_EQUAL\n"
      "    \"${{PACKAGE_FIND_VERSION_MAJOR}}.${{PACKAGE_FIND_VERSION_MINOR}}\")\n"
      "  set(PACKAGE_VERSION_COMPATIBLE TRUE)\n"
      "endif()\n"
      "if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)\n"
      "  set(PACKAGE_VERSION_EXACT TRUE)\n"
      "endif()\n",
      library.release);
}

std::string pkg_config_text(const Library& library, const Platform& platform, bool has_own_folder) {
  std::string rules;
  for (const LibraryRule& rule : library.rules)
    rules += (rules.empty() ? "" : ", ") + rule.graph->name;
  return fmt::format(
      "folder=${{pcfiledir}}\n\nName: {0}\nDescription: optimizer kernels of {1}\nVersion: {2}\n"
      "Cflags: -I${{folder}}{3}\nLibs: -L${{folder}} -l{0}{4}{5}\n",
      library.prefix, rules, library.release, has_own_folder ? "/.." : "",
      platform.pool.empty() ? "" : " -pthread", has_cuda(library) ? " -ldl" : "");
}

std::string python_text(const Library& library) {
  return filled_in({talweg_binding_text, talweg_binding_text_end}, library);
}

std::string javascript_text(const Library& library) {
  return filled_in({talweg_module_binding_text, talweg_module_binding_text_end}, library);
}

}  // namespace talweg::standalone
