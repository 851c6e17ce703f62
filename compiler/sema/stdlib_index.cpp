// The index of the stdlib: which file declares which name, found without parsing.
#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "compiler/sema/modules.h"

namespace talweg::sema {

namespace {

/// The name that a line declares, or nothing. Relies on names being made of bytes that are neither
/// ASCII punctuation (but `_`) nor space.
std::string_view declared_name(std::string_view line) {
  static constexpr std::array<std::string_view, 3> kWords = {"rule ", "fn ", "let "};
  for (const std::string_view word : kWords) {
    if (!line.starts_with(word)) continue;
    line.remove_prefix(word.size());
    const auto is_name_byte = [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x80 || byte == '_' || std::isalnum(byte) != 0;
    };
    const auto begin = std::ranges::find_if(line, is_name_byte);
    const auto end = std::find_if_not(begin, line.end(), is_name_byte);
    return {begin, end};
  }
  return {};
}

}  // namespace

std::map<std::string, std::filesystem::path, std::less<>> scan_stdlib(
    const std::filesystem::path& dir) {
  std::map<std::string, std::filesystem::path, std::less<>> index;
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error))
    if (entry.path().extension() == ".tw" && entry.is_regular_file(error))
      files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text = read_text(stream);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view name =
          declared_name(std::string_view(text).substr(begin, end - begin));
      if (!name.empty()) index.emplace(std::string(name), file);
      begin = end + 1;
    }
  }
  return index;
}

}  // namespace talweg::sema
