// What all generated headers have in common: the text of runtime/standalone/interface.h under the
// names of one library.
#pragma once

#include <string>

namespace talweg::standalone {

struct InterfaceText {
  std::string types;      // what the functions of a rule are declared with
  std::string functions;  // those of any optimizer
};
InterfaceText interface_text(const std::string& prefix, bool has_cuda);

}  // namespace talweg::standalone
