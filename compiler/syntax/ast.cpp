#include "compiler/syntax/ast.h"

namespace talweg::syntax {

std::string Path::text() const {
  std::string result;
  for (const Name& part : parts) {
    if (!result.empty()) result += '.';
    result += part.text;
  }
  return result;
}

}  // namespace talweg::syntax
