#include "compiler/cli/depfile.h"

namespace talweg::cli {

namespace {

std::string escaped(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.string()) {
    if (c == ' ' || c == '#' || c == ':') text += '\\';
    if (c == '$') text += '$';
    text += c;
  }
  return text;
}

}  // namespace

std::string depfile_text(const std::filesystem::path& target,
                         const std::vector<std::filesystem::path>& sources) {
  std::string text = escaped(target) + ":";
  for (const auto& source : sources) text += " \\\n  " + escaped(source);
  return text + "\n";
}

}  // namespace talweg::cli
