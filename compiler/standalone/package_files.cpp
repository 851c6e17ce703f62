// See package_files.h.
#include "compiler/standalone/package_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/standalone/c_text.h"
#include "runtime/standalone/embedded.h"

namespace talweg::standalone {

namespace {

std::string imported_target(const std::string& target, const char* kind, const std::string& file) {
  return fmt::format(
      "if(NOT TARGET {0})\n"
      "  add_library({0} {1} IMPORTED)\n"
      "  set_target_properties({0} PROPERTIES\n"
      "    IMPORTED_LOCATION \"${{_talweg_folder}}/{2}\"\n"
      "    INTERFACE_INCLUDE_DIRECTORIES \"${{CMAKE_CURRENT_LIST_DIR}}\")\n"
      "endif()\n",
      target, kind, file);
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
      "set(_talweg_folder \"${{CMAKE_CURRENT_LIST_DIR}}\")\n",
      library.release, name);
  if (platforms.size() > 1) {
    std::string condition = "if";
    for (const Platform* platform : platforms) {
      text += fmt::format(
          "{}(CMAKE_SYSTEM_PROCESSOR MATCHES \"{}\")\n"
          "  string(APPEND _talweg_folder \"/{}\")\n",
          condition, platform->cmake_pattern, platform->name);
      condition = "elseif";
    }
    text += fmt::format(
        "else()\n  set({0}_FOUND FALSE)\n  set({0}_NOT_FOUND_MESSAGE\n"
        "    \"no library here is for ${{CMAKE_SYSTEM_PROCESSOR}}\")\n  return()\nendif()\n",
        name);
  }
  const auto is_shared_object = [](const Platform* platform) {
    return platform->binary == Binary::SharedObject;
  };
  const bool both = forms.is_static && forms.is_shared;
  const bool all_shared = std::ranges::all_of(platforms, is_shared_object);
  if (forms.is_static)
    text += imported_target(fmt::format("{0}::{0}", name), "STATIC", fmt::format("lib{}.a", name));
  if (forms.is_shared && std::ranges::any_of(platforms, is_shared_object)) {
    const std::string shared =
        imported_target(both ? name + "::shared" : fmt::format("{0}::{0}", name), "SHARED",
                        fmt::format("lib{}.so", name));
    // For WebAssembly there is none.
    text += all_shared ? shared
                       : fmt::format("if(EXISTS \"${{_talweg_folder}}/lib{}.so\")\n{}endif()\n",
                                     name, shared);
  }
  return text;
}

std::string pkg_config_text(const Library& library, bool has_own_folder) {
  std::string rules;
  for (const LibraryRule& rule : library.rules)
    rules += (rules.empty() ? "" : ", ") + rule.graph->name;
  return fmt::format(
      "folder=${{pcfiledir}}\n\nName: {0}\nDescription: optimizer kernels of {1}\nVersion: {2}\n"
      "Cflags: -I${{folder}}{3}\nLibs: -L${{folder}} -l{0}\n",
      library.prefix, rules, library.release, has_own_folder ? "/.." : "");
}

std::string python_text(const Library& library) {
  return filled_in({talweg_binding_text, talweg_binding_text_end}, library);
}

std::string javascript_text(const Library& library) {
  return filled_in({talweg_module_binding_text, talweg_module_binding_text_end}, library);
}

}  // namespace talweg::standalone
