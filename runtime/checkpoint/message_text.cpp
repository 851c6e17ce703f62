// See message_text.h.
#include "runtime/checkpoint/message_text.h"

namespace talweg::checkpoint {

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kMaxBytes = 96;
  std::size_t length = name.size();
  if (length > kMaxBytes) {
    length = kMaxBytes;
    while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80) --length;
  }
  std::string text = "`";
  for (const char letter : name.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(letter);
    text += byte < 0x20 || byte == 0x7F ? '?' : letter;
  }
  return text + (length < name.size() ? "...`" : "`");
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (const std::uint64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace talweg::checkpoint
