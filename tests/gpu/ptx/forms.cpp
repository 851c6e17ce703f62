#include "tests/gpu/ptx/forms.h"

#include <algorithm>
#include <stdexcept>

namespace talweg::gpu::ptx {

const Forms& Forms::all() {
  static const Forms forms = [] {
    Forms made;
    add_integer_forms(made);
    add_division_forms(made);
    add_bit_forms(made);
    add_float_forms(made);
    add_comparison_forms(made);
    add_conversion_forms(made);
    add_warp_forms(made);
    return made;
  }();
  return forms;
}

void Forms::add(const std::string& opcode, Form form) {
  if (!forms_.emplace(opcode, std::move(form)).second)
    throw std::logic_error("two forms are called " + opcode);
}

std::vector<std::string> Forms::names() const {
  std::vector<std::string> names;
  for (const auto& [name, form] : forms_) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

}  // namespace talweg::gpu::ptx
