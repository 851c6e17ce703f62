#include "tests/gpu/ptx/build_program.h"

#include <algorithm>
#include <cstring>

#include "tests/gpu/ptx/decode.h"
#include "tests/gpu/ptx/parser.h"

namespace talweg::gpu::ptx {

namespace {

class Builder {
 public:
  Builder(std::string text, DeviceMemory& memory, std::vector<void*>& blocks)
      : memory_(memory), blocks_(blocks) {
    program_.text = std::make_shared<Text>(std::move(text));
    module_ = parse(*program_.text);
  }

  Program run() {
    for (const Function& function : module_.functions) add_head(function);
    for (const Variable& variable : module_.variables) place(variable);
    for (const Variable& variable : module_.variables) fill(variable);
    for (const Function& function : module_.functions)
      if (function.is_defined)
        decode_body(program_, symbols_, function, *program_.functions[numbers_[function.name]]);
    return std::move(program_);
  }

 private:
  [[noreturn]] void refuse(std::uint32_t line, const std::string& what) const {
    program_.text->refuse(line, what);
  }

  /// Of a declaration or definition; both must be of one kind.
  void add_head(const Function& function) {
    const auto [number, is_new] = numbers_.emplace(function.name, program_.functions.size());
    if (is_new) {
      auto code = std::make_unique<Code>();
      code->name = function.name;
      code->is_entry = function.is_entry;
      code->prototype = function.prototype;
      const std::uint64_t address = kFunctionWindow + number->second * kFunctionStep;
      symbols_[function.name] = {Symbol::Kind::Function, Space::Generic, address, code.get()};
      program_.by_name[function.name] = code.get();
      program_.functions.push_back(std::move(code));
    }
    Code& code = *program_.functions[number->second];
    if (code.is_entry != function.is_entry || !is_same(code.prototype, function.prototype))
      refuse(function.line, function.name + " is declared otherwise before");
    if (!function.is_defined) return;
    if (code.is_defined) refuse(function.line, function.name + " is defined twice");
    code.is_defined = true;
    code.line = function.line;
    code.most_threads = function.most_threads;
    code.required_threads = function.required_threads;
    if (!code.is_entry) return;
    for (const Variable& parameter : code.prototype.parameters)
      if (parameter.bytes() != 8) refuse(parameter.line, "a kernel's parameter has 8 bytes");
  }

  void place(const Variable& variable) {
    Symbol symbol{.space = variable.space};
    switch (variable.space) {
      case Space::Global: {
        if (variable.is_external || variable.count == 0)
          refuse(variable.line, "a variable that is not defined here");
        void* block = memory_.allocate(variable.bytes(), std::max(variable.alignment, 16U));
        blocks_.push_back(block);
        std::memset(block, 0, variable.bytes());
        symbol.address = reinterpret_cast<std::uint64_t>(block);
        break;
      }
      case Space::Const: {
        if (variable.is_external || variable.count == 0)
          refuse(variable.line, "a variable that is not defined here");
        const std::uint64_t alignment = variable.alignment;
        const std::uint64_t begin =
            (program_.constant_bytes.size() + kGap + alignment - 1) / alignment * alignment;
        symbol.address = begin;
        program_.constant.push_back({begin, begin + variable.bytes()});
        program_.constant_bytes.resize(begin + variable.bytes());
        break;
      }
      case Space::Shared:
        if (!variable.initial.empty()) refuse(variable.line, "values in shared memory");
        // Of unknown length: a launch gives it none.
        symbol.address = place_shared(program_, variable);
        break;
      default:
        refuse(variable.line, "a variable of this space");
    }
    if (!symbols_.emplace(variable.name, symbol).second)
      refuse(variable.line, variable.name + " is declared twice");
  }

  std::uint64_t value_of(const Variable& variable, const Initial& initial) const {
    if (initial.kind == Initial::Kind::Number) {
      const bool is_float = initial.type.kind == 'f';
      if (is_float && initial.type.bits != variable.type.bits)
        refuse(variable.line, "a value of another type");
      return initial.value;
    }
    if (variable.type.bits != 64) refuse(variable.line, "an address in less than 64 bits");
    const auto found = symbols_.find(initial.name);
    if (found == symbols_.end()) refuse(variable.line, initial.name + " is not known");
    const Symbol& symbol = found->second;
    std::uint64_t address = symbol.address + static_cast<std::uint64_t>(initial.offset);
    if (initial.kind == Initial::Kind::GenericAddress && symbol.space == Space::Const)
      address += kConstWindow;
    if (initial.kind == Initial::Kind::GenericAddress && symbol.space == Space::Shared)
      refuse(variable.line, "a generic address of shared memory");
    return address;
  }

  void fill(const Variable& variable) {
    const std::uint64_t address = symbols_[variable.name].address;
    std::byte* place = variable.space == Space::Const ? program_.constant_bytes.data() + address
                                                      : reinterpret_cast<std::byte*>(address);
    for (const Initial& initial : variable.initial) {
      const std::uint64_t value = value_of(variable, initial);
      const std::uint32_t bits = variable.type.bits;
      const auto as_signed = static_cast<std::int64_t>(value);
      const bool fits = bits == 64 || value >> bits == 0 ||
                        (as_signed < 0 && as_signed >= -(std::int64_t{1} << (bits - 1)));
      if (!fits) refuse(variable.line, "a value that does not fit");
      std::memcpy(place, &value, variable.type.bytes());
      place += variable.type.bytes();
    }
  }

  static constexpr std::uint64_t kGap = 64;  // so that running past the end is noticed
  DeviceMemory& memory_;
  std::vector<void*>& blocks_;
  Program program_;
  Module module_;
  Symbols symbols_;
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace

Program build_program(std::string text, DeviceMemory& memory, std::vector<void*>& blocks) {
  return Builder(std::move(text), memory, blocks).run();
}

}  // namespace talweg::gpu::ptx
