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

std::optional<std::string> LineReader::next(const std::string& prompt) {
  if (impl_->editor) {
    impl_->editor->setPrompt(prompt);
    return impl_->editor->readLine();
  }
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

}  // namespace talweg::cli
