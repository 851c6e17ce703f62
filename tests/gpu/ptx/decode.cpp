// Declarations, labels, operands, and instructions that forms.h knows.
#include "tests/gpu/ptx/decode.h"

#include <algorithm>

#include "tests/gpu/ptx/decoder.h"
#include "tests/gpu/ptx/opcode_text.h"

namespace talweg::gpu::ptx {

namespace {

const Instruction* run_past_end(Thread& thread, const Instruction* i) {
  stop(thread, i, "runs past the end of its function");
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace

void decode_body(Program& program, const Symbols& symbols, const Function& function, Code& code) {
  Decoder(program, symbols, function, code).run();
}

std::uint64_t place_shared(Program& program, const Variable& variable) {
  constexpr std::uint64_t kGap = 64;  // so that running past the end is noticed
  const std::uint64_t begin = round_up(program.shared_bytes + kGap, variable.alignment);
  program.shared.push_back({begin, begin + variable.bytes()});
  program.shared_bytes = begin + variable.bytes();
  return begin;
}

bool is_same(const Prototype& a, const Prototype& b) {
  const auto same = [](const Variable& x, const Variable& y) { return x.bytes() == y.bytes(); };
  return std::ranges::equal(a.results, b.results, same) &&
         std::ranges::equal(a.parameters, b.parameters, same);
}

void Decoder::run() {
  scopes_.emplace_back();
  scope_bytes_.push_back(0);
  declare_parameters();
  scopes_.emplace_back();
  scope_bytes_.push_back(used_bytes_);
  for (const Statement& statement : function_.body) {
    statement_ = &statement;
    declare(statement);
  }
  const std::uint32_t last = function_.body.empty() ? function_.line : function_.body.back().line;
  code_.instructions.push_back({.run = run_past_end, .line = last});
  finish_jumps();
  finish_constants();
}

void Decoder::refuse(const std::string& what) const {
  program_.text->refuse(statement_->line, what);
}

void Decoder::refuse_opcode() const { refuse(why_unknown(statement_->name)); }

void Decoder::declare(const Statement& statement) {
  switch (statement.kind) {
    case Statement::Kind::Open:
      scopes_.emplace_back();
      scope_bytes_.push_back(used_bytes_);
      break;
    case Statement::Kind::Close:
      used_bytes_ = scope_bytes_.back();
      scope_bytes_.pop_back();
      scopes_.pop_back();
      break;
    case Statement::Kind::Registers:
      for (const auto& [name, count] : statement.registers) {
        const LocalSymbol symbol{
            .type = statement.type, .place = code_.register_count, .count = count};
        if (!scopes_.back().emplace(name, symbol).second) refuse(name + " is declared twice");
        code_.register_count += std::max(count, 1U);
        if (code_.register_count >= kConstant) refuse("too many registers");
      }
      break;
    case Statement::Kind::Variables:
      for (const Variable& variable : statement.variables) declare_variable(variable);
      break;
    case Statement::Kind::Label:
      if (!labels_.emplace(statement.name, code_.instructions.size()).second)
        refuse(statement.name + " is declared twice");
      break;
    case Statement::Kind::Targets:
      targets_[statement.name] = statement.targets;
      break;
    case Statement::Kind::Prototype:
      prototypes_[statement.name] = statement.prototype;
      break;
    case Statement::Kind::Instruction:
      decode(statement);
      break;
  }
}

std::uint32_t Decoder::place_parameter(const Variable& variable) {
  const auto begin = static_cast<std::uint32_t>(round_up(used_bytes_, variable.alignment));
  const auto bytes = static_cast<std::uint32_t>(variable.bytes());
  const LocalSymbol symbol{.kind = LocalSymbol::Kind::Parameter,
                           .type = variable.type,
                           .place = begin,
                           .bytes = bytes,
                           .alignment = variable.alignment};
  if (!scopes_.back().emplace(variable.name, symbol).second)
    program_.text->refuse(variable.line, variable.name + " is declared twice");
  used_bytes_ = begin + bytes;
  code_.parameter_bytes = std::max(code_.parameter_bytes, used_bytes_);
  return begin;
}

void Decoder::declare_parameters() {
  for (const Variable& variable : function_.prototype.results)
    code_.results.push_back(
        {place_parameter(variable), static_cast<std::uint32_t>(variable.bytes())});
  for (const Variable& variable : function_.prototype.parameters) {
    code_.parameters.push_back(
        {place_parameter(variable), static_cast<std::uint32_t>(variable.bytes())});
    scopes_.back()[variable.name].is_read_only = true;
  }
}

void Decoder::declare_variable(const Variable& variable) {
  if (variable.bytes() == 0 || !variable.initial.empty())
    refuse("a variable in a function has a length and no values");
  LocalSymbol symbol{.type = variable.type};
  switch (variable.space) {
    case Space::Param:
      place_parameter(variable);
      return;
    case Space::Local:
      symbol.kind = LocalSymbol::Kind::LocalVariable;
      symbol.place = code_.locals.size();
      code_.locals.push_back({variable.bytes(), variable.alignment});
      break;
    case Space::Shared:
      symbol.kind = LocalSymbol::Kind::SharedVariable;
      symbol.place = place_shared(program_, variable);
      break;
    default:
      refuse("a variable of this space inside of a function");
  }
  if (!scopes_.back().emplace(variable.name, symbol).second)
    refuse(variable.name + " is declared twice");
}

const LocalSymbol* Decoder::find_local(const std::string& name, std::uint32_t* number) const {
  *number = 0;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  // %r07 is none of %r<9>.
  const bool may_be_numbered = digits < name.size() && digits + 6 > name.size() &&
                               (name[digits] != '0' || digits + 1 == name.size());
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto exact = scope->find(name);
    if (exact != scope->end() && exact->second.count == 0) return &exact->second;
    if (!may_be_numbered) continue;
    const auto prefix = scope->find(std::string_view(name).substr(0, digits));
    if (prefix == scope->end() || prefix->second.count == 0) continue;
    *number = static_cast<std::uint32_t>(std::stoul(name.substr(digits)));
    if (*number < prefix->second.count) return &prefix->second;
    *number = 0;
  }
  return nullptr;
}

bool Decoder::fits(Type declared, Type wanted, bool takes_wider) {
  if (declared.kind == 'p' || wanted.kind == 'p') return declared.kind == wanted.kind;
  const auto is_float = [](Type type) { return type.kind == 'f'; };
  if (declared.bits < wanted.bits) return false;
  if (declared.bits > wanted.bits && (!takes_wider || is_float(wanted))) return false;
  return declared.kind == 'b' || wanted.kind == 'b' || is_float(declared) == is_float(wanted);
}

std::uint16_t Decoder::named_register(const std::string& name, Type type, bool takes_wider) const {
  std::uint32_t number = 0;
  const LocalSymbol* symbol = find_local(name, &number);
  if (symbol == nullptr || symbol->kind != LocalSymbol::Kind::Register)
    refuse(name + " is no register");
  if (!fits(symbol->type, type, takes_wider)) refuse(name + " has another type");
  return static_cast<std::uint16_t>(symbol->place + number);
}

std::uint16_t Decoder::register_slot(const Operand& operand, Type type, bool takes_wider) const {
  if (operand.kind != Operand::Kind::Name || operand.offset != 0) refuse("a register expected");
  return named_register(operand.name, type, takes_wider);
}

std::uint16_t Decoder::result_slot(const Operand& operand, Type type, bool takes_wider) const {
  return operand.kind == Operand::Kind::Sink ? 0 : register_slot(operand, type, takes_wider);
}

std::uint64_t Decoder::number_of(const Operand& operand, Type type) const {
  const bool is_float32 = operand.kind == Operand::Kind::Float32;
  if (is_float32 || operand.kind == Operand::Kind::Float64) {
    if (type.bits != (is_float32 ? 32U : 64U) || (type.kind != 'f' && type.kind != 'b'))
      refuse("a number of another type");
    return operand.value;
  }
  if (type.kind == 'p') return operand.value != 0 ? 1 : 0;
  if (type.kind == 'f') refuse("an integer where a float must be");
  if (type.bits == 64) return operand.value;
  const auto as_signed = static_cast<std::int64_t>(operand.value);
  const bool is_in_range = operand.is_negative ? as_signed >= -(std::int64_t{1} << (type.bits - 1))
                                               : operand.value >> type.bits == 0;
  if (!is_in_range) refuse("a number that does not fit");
  return operand.value & ((std::uint64_t{1} << type.bits) - 1);
}

std::uint16_t Decoder::constant_slot(std::uint64_t value) {
  const auto [found, is_new] =
      constants_.emplace(value, static_cast<std::uint16_t>(kConstant + constants_.size()));
  if (is_new) code_.constants.push_back(value);
  if (constants_.size() >= kConstant / 2) refuse("too many constants");
  return found->second;
}

std::uint16_t Decoder::source_slot(const Operand& operand, Type type, bool takes_wider) {
  switch (operand.kind) {
    case Operand::Kind::Integer:
    case Operand::Kind::Float32:
    case Operand::Kind::Float64:
      return constant_slot(number_of(operand, type));
    case Operand::Kind::Name:
      if (operand.name == "WARP_SZ" && operand.offset == 0 && type.bits == 32 && type.kind != 'f')
        return constant_slot(32);
      if (type.bits == 64 && type.kind != 'f')
        if (const auto address = fixed_address(operand)) return constant_slot(*address);
      return register_slot(operand, type, takes_wider);
    default:
      refuse("unknown form of an operand");
  }
}

std::optional<std::uint64_t> Decoder::fixed_address(const Operand& operand) const {
  std::uint32_t number = 0;
  const auto offset = static_cast<std::uint64_t>(operand.offset);
  if (const LocalSymbol* local = find_local(operand.name, &number)) {
    if (local->kind != LocalSymbol::Kind::SharedVariable) return std::nullopt;
    return local->place + offset;
  }
  const auto found = symbols_.find(operand.name);
  if (found == symbols_.end()) return std::nullopt;
  if (found->second.kind == Symbol::Kind::Function && offset != 0)
    refuse("an address inside a function");
  return found->second.address + offset;
}

std::uint16_t Decoder::guard_of(const Statement& statement) const {
  if (statement.guard.empty()) return Instruction::kAlways;
  const std::uint16_t slot = named_register(statement.guard, {'p', 1}, false);
  return static_cast<std::uint16_t>(slot * 2 + (statement.guard_is_negated ? 1 : 0));
}

void Decoder::expect_operands(std::size_t count) const {
  if (statement_->operands.size() != count) refuse(std::to_string(count) + " operands expected");
}

void Decoder::decode(const Statement& statement) {
  instruction_ = {};
  instruction_.line = statement.line;
  instruction_.guard = guard_of(statement);
  const Form* form = Forms::all().find(statement.name);
  for (const Operand& operand : statement.operands) {
    const bool may_be_pair =
        form != nullptr && form->takes_pair && &operand == statement.operands.data();
    refuse_strange(operand, may_be_pair);
  }
  if (form != nullptr)
    decode_form(*form);
  else if (!decode_memory() && !decode_atomic() && !decode_address_conversion() && !decode_move() &&
           !decode_control())
    refuse_opcode();
  code_.instructions.push_back(instruction_);
}

/// d|p where there is no second result, !p where nothing takes it.
void Decoder::refuse_strange(const Operand& operand, bool may_be_pair) const {
  if (operand.is_negated || (!operand.paired.empty() && !may_be_pair))
    refuse("unknown form of an operand");
  for (const Operand& element : operand.elements) refuse_strange(element, false);
}

void Decoder::decode_form(const Form& form) {
  const std::vector<Operand>& operands = statement_->operands;
  expect_operands(form.operands.size());
  instruction_.run = form.run;
  instruction_.detail = form.detail;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool is_result = form.has_result && i == 0;
    if (is_result)
      instruction_.s[0] = result_slot(operands[0], form.operands[0], form.takes_wider);
    else
      instruction_.s[2 + i - (form.has_result ? 1 : 0)] =
          source_slot(operands[i], form.operands[i], form.takes_wider);
  }
  if (form.has_result && !operands.empty() && !operands[0].paired.empty() &&
      operands[0].paired[0] != "_")
    instruction_.s[1] = named_register(operands[0].paired[0], {'p', 1}, false);
}

void Decoder::finish_jumps() {
  for (const Jump& jump : jumps_) {
    const auto found = labels_.find(jump.label);
    if (found == labels_.end())
      program_.text->refuse(jump.line, jump.label + " is no label of this function");
    const auto distance =
        static_cast<std::int64_t>(found->second) - static_cast<std::int64_t>(jump.from);
    if (jump.table < 0)
      code_.instructions[jump.from].detail = distance;
    else
      code_.jumps[static_cast<std::size_t>(jump.table)][jump.row] =
          static_cast<std::int32_t>(distance);
  }
}

void Decoder::finish_constants() {
  for (Instruction& instruction : code_.instructions)
    for (std::uint16_t& slot : instruction.s)
      if ((slot & kConstant) != 0)
        slot = static_cast<std::uint16_t>(code_.register_count + (slot - kConstant));
}

}  // namespace talweg::gpu::ptx
