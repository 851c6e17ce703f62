#include "tests/gpu/ptx/parse_body.h"

#include <bit>

#include "tests/gpu/ptx/parser.h"

namespace talweg::gpu::ptx {

namespace {

Type parse_type(TokenReader& reader) {
  const Type type =
      reader.peek().kind == TokenKind::Dotted ? type_of(reader.peek().text) : Type{'b', 0};
  if (type.bits == 0) reader.refuse("a type expected");
  reader.take();
  return type;
}

std::uint32_t parse_alignment(TokenReader& reader) {
  const std::uint64_t value = reader.integer();
  if (!std::has_single_bit(value) || value > 4096) reader.refuse("an alignment expected");
  return static_cast<std::uint32_t>(value);
}

std::int64_t parse_offset(TokenReader& reader) {
  if (!reader.accept("+")) return 0;
  const bool negative = reader.accept("-");
  const std::uint64_t value = reader.integer();
  if (value > INT32_MAX) reader.refuse("an offset of 32 bits expected");
  return negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

Initial parse_initial(TokenReader& reader) {
  Initial initial;
  const bool negative = reader.accept("-");
  const Token& token = reader.peek();
  switch (token.kind) {
    case TokenKind::Integer:
      initial.type = {'u', 64};
      break;
    case TokenKind::Float32:
      initial.type = {'f', 32};
      break;
    case TokenKind::Float64:
      initial.type = {'f', 64};
      break;
    default: {
      if (negative) reader.refuse("a number expected");
      initial.kind = Initial::Kind::Address;
      initial.name = reader.name();
      if (initial.name == "generic") {
        initial.kind = Initial::Kind::GenericAddress;
        reader.expect("(");
        initial.name = reader.name();
        reader.expect(")");
      }
      initial.offset = parse_offset(reader);
      return initial;
    }
  }
  if (negative && token.kind != TokenKind::Integer) reader.refuse("an integer expected");
  initial.value = negative ? -token.value : token.value;
  reader.take();
  return initial;
}

std::vector<Operand> parse_operands(TokenReader& reader, std::string_view end);

Operand parse_name_operand(TokenReader& reader) {
  Operand operand;
  operand.name = reader.name();
  if (operand.name == "_") return operand;
  operand.kind = Operand::Kind::Name;
  // Special registers: %tid.x
  if (reader.peek().kind == TokenKind::Dotted && reader.peek().glued)
    operand.name += reader.take().text;
  operand.offset = parse_offset(reader);
  return operand;
}

Operand parse_operand(TokenReader& reader) {
  Operand operand;
  const Token& token = reader.peek();
  if (reader.accept("[")) {
    if (reader.peek().kind != TokenKind::Name) reader.refuse("a register or variable expected");
    operand = parse_name_operand(reader);
    operand.kind = Operand::Kind::Address;
    reader.expect("]");
  } else if (reader.accept("{")) {
    operand.kind = Operand::Kind::Vector;
    operand.elements = parse_operands(reader, "}");
  } else if (reader.accept("(")) {
    operand.kind = Operand::Kind::List;
    operand.elements = parse_operands(reader, ")");
  } else if (reader.accept("!")) {
    operand = parse_name_operand(reader);
    operand.is_negated = true;
  } else if (token.kind == TokenKind::Name) {
    operand = parse_name_operand(reader);
    if (reader.accept("|")) operand.paired.push_back(reader.name());
  } else if (token.kind == TokenKind::Float32 || token.kind == TokenKind::Float64) {
    operand.kind =
        token.kind == TokenKind::Float32 ? Operand::Kind::Float32 : Operand::Kind::Float64;
    operand.value = reader.take().value;
  } else {
    operand.kind = Operand::Kind::Integer;
    operand.is_negative = reader.accept("-");
    operand.value = reader.integer();
    if (operand.is_negative) {
      if (operand.value > std::uint64_t{1} << 63) reader.refuse("a number of 64 bits expected");
      operand.value = -operand.value;
    }
  }
  return operand;
}

/// Up to and with `end`.
std::vector<Operand> parse_operands(TokenReader& reader, std::string_view end) {
  std::vector<Operand> operands;
  if (reader.accept(end)) return operands;
  do operands.push_back(parse_operand(reader));
  while (reader.accept(","));
  reader.expect(end);
  return operands;
}

Statement parse_registers(TokenReader& reader) {
  Statement statement{.kind = Statement::Kind::Registers, .line = reader.peek().line};
  if (reader.accept(".pred"))
    statement.type = {'p', 1};
  else
    statement.type = parse_type(reader);
  do {
    std::string name = reader.name();
    std::uint64_t count = 0;
    if (reader.accept("<")) {
      count = reader.integer();
      if (count == 0 || count > 30000) reader.refuse("1 to 30000 registers expected");
      reader.expect(">");
    }
    statement.registers.emplace_back(std::move(name), static_cast<std::uint32_t>(count));
  } while (reader.accept(","));
  reader.expect(";");
  return statement;
}

Statement parse_targets(TokenReader& reader, Statement statement) {
  statement.kind = Statement::Kind::Targets;
  do statement.targets.push_back(reader.name());
  while (reader.accept(","));
  reader.expect(";");
  return statement;
}

Statement parse_prototype(TokenReader& reader, Statement statement) {
  statement.kind = Statement::Kind::Prototype;
  if (reader.is("(")) statement.prototype.results = parse_parameters(reader);
  reader.expect("_");
  if (reader.is("(")) statement.prototype.parameters = parse_parameters(reader);
  reader.expect(";");
  return statement;
}

Statement parse_instruction(TokenReader& reader) {
  Statement statement{.line = reader.peek().line};
  if (reader.accept("@")) {
    statement.guard_is_negated = reader.accept("!");
    statement.guard = reader.name();
  }
  statement.name = reader.name();
  while (reader.peek().kind == TokenKind::Dotted && reader.peek().glued)
    statement.name += reader.take().text;
  if (reader.accept(";")) return statement;
  statement.operands = parse_operands(reader, ";");
  return statement;
}

Statement parse_statement(TokenReader& reader) {
  Statement statement{.line = reader.peek().line};
  Space space = Space::Global;
  if (reader.accept(".reg")) return parse_registers(reader);
  if (accept_space(reader, space)) {
    statement.kind = Statement::Kind::Variables;
    statement.variables.push_back(parse_variable(reader, space));
    return statement;
  }
  if (reader.peek().kind == TokenKind::Name && reader.peek(1).text == ":") {
    statement.kind = Statement::Kind::Label;
    statement.name = reader.name();
    reader.expect(":");
    if (reader.accept(".branchtargets")) return parse_targets(reader, std::move(statement));
    if (reader.accept(".callprototype")) return parse_prototype(reader, std::move(statement));
    return statement;
  }
  if (!reader.is("@") && reader.peek().kind != TokenKind::Name)
    reader.refuse(reader.peek().kind == TokenKind::Dotted ? "unknown directive"
                                                          : "a statement expected");
  return parse_instruction(reader);
}

}  // namespace

bool accept_space(TokenReader& reader, Space& space) {
  if (reader.accept(".global")) return space = Space::Global, true;
  if (reader.accept(".const")) return space = Space::Const, true;
  if (reader.accept(".shared")) return space = Space::Shared, true;
  if (reader.accept(".local")) return space = Space::Local, true;
  if (reader.accept(".param")) return space = Space::Param, true;
  return false;
}

Variable parse_variable(TokenReader& reader, Space space) {
  Variable variable{.space = space, .line = reader.peek().line};
  if (reader.accept(".align")) variable.alignment = parse_alignment(reader);
  variable.type = parse_type(reader);
  if (variable.alignment == 0) variable.alignment = variable.type.bytes();
  variable.name = reader.name();
  if (reader.accept("[")) {
    variable.count = reader.is("]") ? 0 : reader.integer();
    if (variable.count > std::uint64_t{1} << 32) reader.refuse("a length below 2^32 expected");
    reader.expect("]");
  }
  if (reader.accept("=")) {
    if (reader.accept("{")) {
      do variable.initial.push_back(parse_initial(reader));
      while (reader.accept(","));
      reader.expect("}");
    } else {
      variable.initial.push_back(parse_initial(reader));
    }
    if (variable.initial.size() > variable.count) reader.refuse("more values than elements");
  }
  reader.expect(";");
  return variable;
}

std::vector<Variable> parse_parameters(TokenReader& reader) {
  std::vector<Variable> parameters;
  reader.expect("(");
  if (reader.accept(")")) return parameters;
  do {
    Variable parameter{.space = Space::Param, .line = reader.peek().line};
    reader.expect(".param");
    if (reader.accept(".align")) parameter.alignment = parse_alignment(reader);
    parameter.type = parse_type(reader);
    if (parameter.alignment == 0) parameter.alignment = parameter.type.bytes();
    if (reader.accept(".ptr")) {  // says of the argument what nothing here relies on
      Space space = Space::Generic;
      accept_space(reader, space);
      if (reader.accept(".align")) parse_alignment(reader);
    }
    parameter.name = reader.name();
    if (reader.accept("[")) {
      parameter.count = reader.integer();
      reader.expect("]");
    }
    if (parameter.bytes() == 0 || parameter.bytes() > 4096)
      reader.refuse("a parameter of 1 to 4096 bytes expected");
    parameters.push_back(std::move(parameter));
  } while (reader.accept(","));
  reader.expect(")");
  return parameters;
}

std::vector<Statement> parse_body(TokenReader& reader) {
  std::vector<Statement> body;
  reader.expect("{");
  for (int depth = 1; depth > 0;) {
    const std::uint32_t line = reader.peek().line;
    if (reader.accept("{")) {
      ++depth;
      body.push_back({.kind = Statement::Kind::Open, .line = line});
    } else if (reader.accept("}")) {
      if (--depth > 0) body.push_back({.kind = Statement::Kind::Close, .line = line});
    } else if (reader.accept(".pragma")) {
      // Says how far loops may be unrolled, and nothing of what they do.
      if (reader.peek().text != "\"nounroll\"") reader.refuse("unknown pragma");
      reader.take();
      reader.expect(";");
    } else {
      body.push_back(parse_statement(reader));
    }
  }
  return body;
}

}  // namespace talweg::gpu::ptx
