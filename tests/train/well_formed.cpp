// A checker of a small part of XML: declaration, elements, attributes, text with entities.
#include "tests/train/well_formed.h"

#include <cctype>
#include <string>
#include <vector>

namespace talweg::train::testing {
namespace {

bool text_is_fine(std::string_view text) {
  for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    bool is_entity = false;
    for (const std::string_view entity : {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"}) {
      is_entity = is_entity || text.substr(at).starts_with(entity);
    }
    if (!is_entity) return false;
  }
  return true;
}

/// ` name="value"` again and again.
bool attributes_are_fine(std::string_view text) {
  while (!text.empty()) {
    if (text.find_first_not_of(" \n") == std::string_view::npos) return true;
    text.remove_prefix(text.find_first_not_of(" \n"));
    const std::size_t equals = text.find("=\"");
    if (equals == 0 || equals == std::string_view::npos) return false;
    for (const char c : text.substr(0, equals)) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != ':') return false;
    }
    const std::size_t end = text.find('"', equals + 2);
    if (end == std::string_view::npos) return false;
    const std::string_view value = text.substr(equals + 2, end - equals - 2);
    if (value.find('<') != std::string_view::npos || !text_is_fine(value)) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

bool is_well_formed_xml(std::string_view text) {
  if (text.starts_with("<?xml")) text.remove_prefix(text.find("?>") + 2);
  std::vector<std::string> open;
  bool has_root = false;
  while (true) {
    const std::size_t start = text.find('<');
    if (!text_is_fine(text.substr(0, start))) return false;
    if (start == std::string_view::npos) return has_root && open.empty();
    const std::size_t end = text.find('>', start);
    if (end == std::string_view::npos) return false;
    std::string_view tag = text.substr(start + 1, end - start - 1);
    text.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
      continue;
    }
    if (has_root && open.empty()) return false;
    has_root = true;
    const bool is_closed = tag.ends_with('/');
    if (is_closed) tag.remove_suffix(1);
    const std::size_t name_end = std::min(tag.find_first_of(" \n"), tag.size());
    if (name_end == 0 || !attributes_are_fine(tag.substr(name_end))) return false;
    if (!is_closed) open.emplace_back(tag.substr(0, name_end));
  }
}

}  // namespace talweg::train::testing
