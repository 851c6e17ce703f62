// What the parser makes of PTX text: declarations and instructions as they are written, with names
// that are not resolved and opcodes that are not looked at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace talweg::gpu::ptx {

enum class Space { Generic, Global, Const, Shared, Local, Param };

struct Type {
  char kind = 'b';  // 'b', 'u', 's', 'f'; 'p' for predicates
  std::uint32_t bits = 0;
  [[nodiscard]] std::uint32_t bytes() const { return bits / 8; }
  bool operator==(const Type&) const = default;
};

struct Operand {
  enum class Kind { Name, Integer, Float32, Float64, Address, Vector, List, Sink };
  Kind kind = Kind::Sink;
  std::string name{};                 // of Name and Address: the base
  std::int64_t offset = 0;            // of Name and Address
  std::uint64_t value = 0;            // of numbers
  bool is_negative = false;           // of Integer; the value is then in two's complement
  bool is_negated = false;            // !p
  std::vector<Operand> elements{};    // of Vector {a, b} and List (a, b)
  std::vector<std::string> paired{};  // p of d|p, as one name
};

struct Initial {
  enum class Kind { Number, Address, GenericAddress };
  Kind kind = Kind::Number;
  Type type{};  // of numbers: 'f' if written as bits of a float
  std::uint64_t value = 0;
  std::string name{};
  std::int64_t offset = 0;
};

struct Variable {
  Space space = Space::Global;
  Type type{};
  std::string name{};
  std::uint32_t alignment = 0;
  std::uint64_t count = 1;  // 0: of unknown length
  bool is_external = false;
  std::vector<Initial> initial{};
  std::uint32_t line = 0;
  [[nodiscard]] std::uint64_t bytes() const { return count * type.bytes(); }
};

/// Parameters and results by type; names do not matter.
struct Prototype {
  std::vector<Variable> results{}, parameters{};
};

struct Statement {
  enum class Kind { Open, Close, Registers, Variables, Label, Targets, Prototype, Instruction };
  Kind kind = Kind::Instruction;
  std::uint32_t line = 0;
  std::string name{};  // opcode with all modifiers; label; name of targets or prototype
  // Instruction
  std::string guard{};  // empty: none
  bool guard_is_negated = false;
  std::vector<Operand> operands{};
  // Registers: names, with how many for "%r<7>", else 0
  Type type{};
  std::vector<std::pair<std::string, std::uint32_t>> registers{};
  std::vector<Variable> variables{};
  std::vector<std::string> targets{};
  Prototype prototype{};
};

struct Dimensions {
  std::uint32_t x = 0, y = 1, z = 1;  // x of 0: not given
};

struct Function {
  std::string name{};
  bool is_entry = false;
  bool is_defined = false;
  Prototype prototype{};
  Dimensions most_threads{};      // .maxntid
  Dimensions required_threads{};  // .reqntid
  std::vector<Statement> body{};
  std::uint32_t line = 0;
};

struct Module {
  std::string target{};  // "sm_80"
  std::vector<Variable> variables{};
  std::vector<Function> functions{};  // declarations too
};

}  // namespace talweg::gpu::ptx
