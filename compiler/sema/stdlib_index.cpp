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

/// Calls `use` with every name that a file declares.
template <class Use>
void for_each_declared(const std::filesystem::path& file, Use use) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text = read_text(stream);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view name = declared_name(std::string_view(text).substr(begin, end - begin));
    if (!name.empty()) use(name);
    begin = end + 1;
  }
}

/// Where a rule is looked for first: AdamW in adamw.tw, ScheduleFreeRAdam in
/// schedule_free_radam.tw.
std::array<std::string, 2> likely_stems(std::string_view name) {
  std::string plain, parted;
  bool after_capital = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_capital = byte < 0x80 && std::isupper(byte) != 0;
    if (is_capital && !after_capital) parted += '_';
    after_capital = is_capital;
    const char lower = is_capital ? static_cast<char>(std::tolower(byte)) : c;
    plain += lower;
    parted += lower;
  }
  return {plain, parted};
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
  for (const auto& file : files)
    for_each_declared(file, [&](std::string_view name) { index.emplace(std::string(name), file); });
  return index;
}

std::optional<std::filesystem::path> find_likely_file(const std::filesystem::path& dir,
                                                      std::string_view name) {
  if (dir.empty()) return std::nullopt;
  for (const std::string& stem : likely_stems(name)) {
    bool declares = false;
    std::error_code error;
    const std::filesystem::path file = dir / (stem + ".tw");
    if (!std::filesystem::is_regular_file(file, error)) continue;
    for_each_declared(file, [&](std::string_view declared) { declares |= declared == name; });
    if (declares) return file;
  }
  return std::nullopt;
}

}  // namespace talweg::sema
