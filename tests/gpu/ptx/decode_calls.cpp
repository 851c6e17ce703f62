// Jumps, calls and ends.
#include "tests/gpu/ptx/decoder.h"

namespace talweg::gpu::ptx {

namespace {

const Instruction* jump(Thread&, const Instruction* i) { return i + i->detail; }

/// detail: which table.
const Instruction* indexed_jump(Thread& thread, const Instruction* i) {
  const auto& rows = thread.frames.back().code->jumps[static_cast<std::size_t>(i->detail)];
  const auto row = static_cast<std::uint32_t>(thread.r[i->s[2]]);
  if (row >= rows.size()) stop(thread, i, "jumps to target " + std::to_string(row));
  return i + rows[row];
}

const Instruction* enter_function(Thread& thread, const Instruction* i, const Call& call,
                                  const Code& callee) {
  const Frame caller = thread.frames.back();
  thread.enter(callee, i + 1, &call);
  const auto* from = reinterpret_cast<const std::byte*>(thread.stack.data() + caller.base +
                                                        caller.code->parameter_slot());
  for (std::size_t n = 0; n < call.arguments.size(); ++n)
    std::memcpy(thread.parameters + callee.parameters[n].place, from + call.arguments[n].place,
                call.arguments[n].bytes);
  return callee.instructions.data();
}

const Call& call_at(const Thread& thread, const Instruction* i) {
  return thread.frames.back().code->calls[static_cast<std::size_t>(i->detail)];
}

const Instruction* direct_call(Thread& thread, const Instruction* i) {
  const Call& call = call_at(thread, i);
  return enter_function(thread, i, call, *call.callee);
}

const Instruction* indirect_call(Thread& thread, const Instruction* i) {
  const Call& call = call_at(thread, i);
  const auto& functions = thread.launch->program.functions;
  const std::uint64_t number = (thread.r[i->s[2]] - kFunctionWindow) / kFunctionStep;
  if (thread.r[i->s[2]] % kFunctionStep != 0 || number >= functions.size())
    stop(thread, i, "calls what is no function");
  const Code& callee = *functions[number];
  if (callee.is_entry || callee.instructions.empty() || !is_same(callee.prototype, call.prototype))
    stop(thread, i, "calls " + callee.name + ", which the prototype does not fit");
  return enter_function(thread, i, call, callee);
}

const Instruction* leave_function(Thread& thread, const Instruction*) { return thread.leave(); }

const Instruction* end_thread(Thread& thread, const Instruction*) {
  thread.state = State::Ended;
  return nullptr;
}

const Instruction* trap(Thread& thread, const Instruction* i) { stop(thread, i, "trap"); }

}  // namespace

bool Decoder::decode_control() {
  const std::string& opcode = statement_->name;
  if (opcode == "bra" || opcode == "bra.uni") return decode_branch(), true;
  if (opcode == "brx.idx") return decode_indexed_branch(), true;
  if (opcode == "call" || opcode == "call.uni") return decode_call(), true;
  if (opcode == "ret" || opcode == "ret.uni")
    instruction_.run = leave_function;
  else if (opcode == "exit")
    instruction_.run = end_thread;
  else if (opcode == "trap")
    instruction_.run = trap;
  else
    return false;
  expect_operands(0);
  return true;
}

void Decoder::add_jump(const std::string& label, std::int64_t table, std::size_t row) {
  jumps_.push_back({code_.instructions.size(), label, table, row, statement_->line});
}

void Decoder::decode_branch() {
  expect_operands(1);
  const Operand& target = statement_->operands[0];
  if (target.kind != Operand::Kind::Name || target.offset != 0) refuse("a label expected");
  instruction_.run = jump;
  add_jump(target.name, -1, 0);
}

void Decoder::decode_indexed_branch() {
  expect_operands(2);
  instruction_.run = indexed_jump;
  instruction_.s[2] = register_slot(statement_->operands[0], {'u', 32}, false);
  const auto found = targets_.find(statement_->operands[1].name);
  if (found == targets_.end()) refuse("branch targets expected");
  instruction_.detail = static_cast<std::int64_t>(code_.jumps.size());
  for (std::size_t row = 0; row < found->second.size(); ++row)
    add_jump(found->second[row], instruction_.detail, row);
  code_.jumps.emplace_back(found->second.size());
}

std::vector<Piece> Decoder::argument_places(const Operand* list,
                                            const std::vector<Variable>& expected) const {
  std::vector<Piece> pieces;
  const std::size_t count = list == nullptr ? 0 : list->elements.size();
  if (count != expected.size())
    refuse(std::to_string(expected.size()) + " parameters or results expected");
  for (std::size_t i = 0; i < count; ++i) {
    const Operand& element = list->elements[i];
    std::uint32_t number = 0;
    const LocalSymbol* symbol = find_local(element.name, &number);
    if (element.kind != Operand::Kind::Name || element.offset != 0 || symbol == nullptr ||
        symbol->kind != LocalSymbol::Kind::Parameter)
      refuse("a parameter variable expected");
    if (symbol->bytes != expected[i].bytes() || symbol->alignment < expected[i].alignment)
      refuse(element.name + " has not the type that the function takes or gives");
    pieces.push_back({static_cast<std::uint32_t>(symbol->place), symbol->bytes});
  }
  return pieces;
}

void Decoder::decode_call() {
  const std::vector<Operand>& operands = statement_->operands;
  std::size_t at = 0;
  const auto accept_list = [&]() -> const Operand* {
    const bool is_list = at < operands.size() && operands[at].kind == Operand::Kind::List;
    return is_list ? &operands[at++] : nullptr;
  };
  const Operand* results = accept_list();
  if (at >= operands.size() || operands[at].kind != Operand::Kind::Name)
    refuse("a function expected");
  const Operand& target = operands[at++];
  const Operand* arguments = accept_list();

  Call call;
  const auto found = symbols_.find(target.name);
  if (found != symbols_.end() && found->second.kind == Symbol::Kind::Function) {
    call.callee = found->second.code;
    call.prototype = call.callee->prototype;
    instruction_.run = direct_call;
  } else {
    instruction_.run = indirect_call;
    instruction_.s[2] = register_slot(target, {'u', 64}, false);
    const auto prototype =
        at < operands.size() ? prototypes_.find(operands[at++].name) : prototypes_.end();
    if (prototype == prototypes_.end()) refuse("a prototype expected");
    call.prototype = prototype->second;
  }
  if (at != operands.size()) refuse("unknown form of a call");
  if (call.callee != nullptr && (call.callee->is_entry || !call.callee->is_defined))
    refuse(target.name + " is no function that is defined here");
  call.results = argument_places(results, call.prototype.results);
  call.arguments = argument_places(arguments, call.prototype.parameters);
  instruction_.detail = static_cast<std::int64_t>(code_.calls.size());
  code_.calls.push_back(std::move(call));
}

}  // namespace talweg::gpu::ptx
