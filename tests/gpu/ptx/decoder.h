// The decoder of one function; its parts are in decode.cpp (declarations, labels, ordinary
// instructions), decode_memory.cpp, decode_moves.cpp and decode_calls.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/gpu/ptx/decode.h"
#include "tests/gpu/ptx/forms.h"

namespace talweg::gpu::ptx {

/// What a name inside a function stands for.
struct LocalSymbol {
  enum class Kind { Register, Parameter, LocalVariable, SharedVariable };
  Kind kind = Kind::Register;
  Type type{};
  std::uint64_t place = 0;  // slot, byte, index, address
  std::uint32_t count = 0;  // of registers with a number behind their name; 0: just this one
  std::uint32_t bytes = 0, alignment = 0;
  bool is_read_only = false;
};

class Decoder {
 public:
  Decoder(Program& program, const Symbols& symbols, const Function& function, Code& code)
      : program_(program), symbols_(symbols), function_(function), code_(code) {}
  void run();

 private:
  // Constants get their slots when the number of registers is known.
  static constexpr std::uint16_t kConstant = 0x8000;

  // decode.cpp
  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse_opcode() const;
  void declare(const Statement& statement);
  void declare_variable(const Variable& variable);
  std::uint32_t place_parameter(const Variable& variable);
  void declare_parameters();
  void decode(const Statement& statement);
  void decode_form(const Form& form);
  void refuse_strange(const Operand& operand, bool may_be_pair) const;
  void finish_jumps();
  void finish_constants();
  [[nodiscard]] const LocalSymbol* find_local(const std::string& name, std::uint32_t* number) const;
  [[nodiscard]] std::uint16_t guard_of(const Statement& statement) const;
  void expect_operands(std::size_t count) const;

  // Operands
  std::uint16_t register_slot(const Operand& operand, Type type, bool takes_wider) const;
  std::uint16_t named_register(const std::string& name, Type type, bool takes_wider) const;
  std::uint16_t result_slot(const Operand& operand, Type type, bool takes_wider) const;
  std::uint16_t source_slot(const Operand& operand, Type type, bool takes_wider);
  std::uint16_t constant_slot(std::uint64_t value);
  std::uint64_t number_of(const Operand& operand, Type type) const;
  /// Of a variable or function that lies at one place throughout.
  [[nodiscard]] std::optional<std::uint64_t> fixed_address(const Operand& operand) const;
  static bool fits(Type declared, Type wanted, bool takes_wider);

  // decode_memory.cpp
  bool decode_memory();
  void decode_parameter_access(const Operand& address, std::uint32_t bytes, bool is_load);
  void put_address(const Operand& address);
  void put_values(const Operand& values, Type type, std::uint32_t lanes, bool is_load);
  bool decode_atomic();
  bool decode_address_conversion();

  // decode_moves.cpp
  bool decode_move();
  bool decode_vector_move(Type type);
  bool decode_special_move(Type type);

  // decode_calls.cpp
  bool decode_control();
  void decode_call();
  void decode_branch();
  void decode_indexed_branch();
  void add_jump(const std::string& label, std::int64_t table, std::size_t row);
  [[nodiscard]] std::vector<Piece> argument_places(const Operand* list,
                                                   const std::vector<Variable>& expected) const;

  Program& program_;
  const Symbols& symbols_;
  const Function& function_;
  Code& code_;
  std::vector<std::map<std::string, LocalSymbol, std::less<>>> scopes_;
  std::vector<std::uint32_t> scope_bytes_;  // of parameters when the scope was opened
  std::uint32_t used_bytes_ = 0;
  std::map<std::uint64_t, std::uint16_t> constants_;
  std::map<std::string, std::size_t> labels_;
  struct Jump {
    std::size_t from = 0;
    std::string label{};
    std::int64_t table = -1;  // of code_.jumps, and which of it
    std::size_t row = 0;
    std::uint32_t line = 0;
  };
  std::vector<Jump> jumps_;
  std::map<std::string, std::vector<std::string>> targets_;
  std::map<std::string, Prototype> prototypes_;
  const Statement* statement_ = nullptr;
  Instruction instruction_;
};

}  // namespace talweg::gpu::ptx
