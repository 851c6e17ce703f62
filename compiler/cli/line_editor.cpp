#include "compiler/cli/line_editor.h"

#include <llvm/LineEditor/LineEditor.h>

#include <clocale>
#include <iostream>

namespace talweg::cli {

struct LineReader::Impl {
  std::unique_ptr<llvm::LineEditor> editor;
};

LineReader::LineReader(bool interactive, const std::string& history_file)
    : impl_(std::make_unique<Impl>()) {
  if (!interactive) return;
  std::setlocale(LC_ALL, "C.UTF-8");  // libedit drops Greek letters otherwise
  std::setlocale(LC_NUMERIC, "C");
  impl_->editor = std::make_unique<llvm::LineEditor>("talweg", history_file);
}

LineReader::~LineReader() = default;

/// Not std::getline: a line without end (a device, a binary file) must not fill the memory.
std::optional<std::string> LineReader::next_plain() {
  std::string line;
  std::streambuf& input = *std::cin.rdbuf();
  constexpr int kEnd = std::char_traits<char>::eof();
  int byte = input.sbumpc();
  if (byte == kEnd) return std::nullopt;
  for (; byte != kEnd && byte != '\n'; byte = input.sbumpc()) {
    if (line.size() == kMaxLineBytes) {
      is_too_long_ = true;
      return std::nullopt;
    }
    line += static_cast<char>(byte);
  }
  return line;
}

std::optional<std::string> LineReader::next(const std::string& prompt) {
  if (impl_->editor) {
    impl_->editor->setPrompt(prompt);
    return impl_->editor->readLine();
  }
  return next_plain();
}

}  // namespace talweg::cli
