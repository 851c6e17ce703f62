#include "compiler/syntax/parse.h"
#include "compiler/syntax/token_passes.h"

namespace talweg::syntax {

using base::DiagnosticKind;

bool check_text(const Input& input) {
  const std::string& text = input.source().text();
  if (text.size() > Limits::kMaxTextBytes) {
    input.diagnostics.report(DiagnosticKind::SourceTooLarge, {input.id, 0, 0}, text.size(),
                             Limits::kMaxTextBytes);
    return false;
  }
  const std::size_t bad = base::first_invalid_utf8(text);
  if (bad != std::string::npos) {
    const auto at = static_cast<std::uint32_t>(bad);
    input.diagnostics.report(DiagnosticKind::InvalidUtf8, {input.id, at, at + 1})
        .here(fmt::format("byte {:#04x}", static_cast<unsigned char>(text[bad])));
    return false;
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) {
    const auto at = static_cast<std::uint32_t>(nul);
    input.diagnostics.report(DiagnosticKind::NulCharacter, {input.id, at, at + 1});
    return false;
  }
  return true;
}

}  // namespace talweg::syntax
