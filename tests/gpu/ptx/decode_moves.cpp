// mov: between registers, of special registers and addresses, of vectors into one register and
// back.
#include "tests/gpu/ptx/decoder.h"
#include "tests/gpu/ptx/parser.h"

namespace talweg::gpu::ptx {

namespace {

const Instruction* copy(Thread& thread, const Instruction* i) {
  thread.r[i->s[0]] = thread.r[i->s[2]];
  return i + 1;
}

/// detail: bits of an element.
template <std::size_t count>
const Instruction* pack(Thread& thread, const Instruction* i) {
  const std::uint64_t mask = (std::uint64_t{1} << i->detail) - 1;
  std::uint64_t value = 0;
  for (std::size_t n = 0; n < count; ++n)
    value |= (thread.r[i->s[2 + n]] & mask) << (n * static_cast<std::uint64_t>(i->detail));
  thread.r[i->s[0]] = value;
  return i + 1;
}

template <std::size_t count>
const Instruction* unpack(Thread& thread, const Instruction* i) {
  const std::uint64_t value = thread.r[i->s[8]];
  for (std::size_t n = 0; n < count; ++n)
    thread.r[i->s[n]] = value >> (n * static_cast<std::uint64_t>(i->detail));
  return i + 1;
}

/// The address of a local variable of the running function.
const Instruction* local_address(Thread& thread, const Instruction* i) {
  const std::size_t first = thread.frames.back().first_region;
  thread.r[i->s[0]] = thread.regions[first + i->s[1]].begin + static_cast<std::uint64_t>(i->detail);
  return i + 1;
}

template <class F>
Handler read(F) {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    thread.r[i->s[0]] = F{}(thread);
    return i + 1;
  };
}

Handler special_register(const std::string& name) {
  if (name == "%tid.x") return read([](const Thread& t) { return t.index.x; });
  if (name == "%tid.y") return read([](const Thread& t) { return t.index.y; });
  if (name == "%tid.z") return read([](const Thread& t) { return t.index.z; });
  if (name == "%ntid.x") return read([](const Thread& t) { return t.launch->block.x; });
  if (name == "%ntid.y") return read([](const Thread& t) { return t.launch->block.y; });
  if (name == "%ntid.z") return read([](const Thread& t) { return t.launch->block.z; });
  if (name == "%ctaid.x") return read([](const Thread& t) { return t.block.x; });
  if (name == "%ctaid.y") return read([](const Thread& t) { return t.block.y; });
  if (name == "%ctaid.z") return read([](const Thread& t) { return t.block.z; });
  if (name == "%nctaid.x") return read([](const Thread& t) { return t.launch->grid.x; });
  if (name == "%nctaid.y") return read([](const Thread& t) { return t.launch->grid.y; });
  if (name == "%nctaid.z") return read([](const Thread& t) { return t.launch->grid.z; });
  if (name == "%laneid") return read([](const Thread& t) { return t.lane(); });
  if (name == "%lanemask_eq") return read([](const Thread& t) { return 1U << t.lane(); });
  if (name == "%lanemask_lt") return read([](const Thread& t) { return (1U << t.lane()) - 1; });
  if (name == "%lanemask_le") return read([](const Thread& t) { return (2U << t.lane()) - 1; });
  if (name == "%lanemask_ge") return read([](const Thread& t) { return ~0U << t.lane(); });
  if (name == "%lanemask_gt") return read([](const Thread& t) { return ~1U << t.lane(); });
  return nullptr;
}

}  // namespace

bool Decoder::decode_move() {
  if (!statement_->name.starts_with("mov.")) return false;
  const std::string word = statement_->name.substr(4);
  const Type type = word == "pred" ? Type{'p', 1} : type_of(word);
  if (type.bits == 0 || type.bits == 8) return false;
  expect_operands(2);
  const Operand &result = statement_->operands[0], &source = statement_->operands[1];
  if (decode_vector_move(type) || decode_special_move(type)) return true;
  instruction_.run = copy;
  instruction_.s[0] = result_slot(result, type, false);
  instruction_.s[2] = source_slot(source, type, false);
  return true;
}

bool Decoder::decode_vector_move(Type type) {
  const Operand &result = statement_->operands[0], &source = statement_->operands[1];
  const bool packs = source.kind == Operand::Kind::Vector;
  if (!packs && result.kind != Operand::Kind::Vector) return false;
  const std::vector<Operand>& elements = packs ? source.elements : result.elements;
  const bool has_halves = elements.size() == 2 && type.bits >= 32;
  const bool has_quarters = elements.size() == 4 && type.bits == 64;
  if (type.kind != 'b' || !(has_halves || has_quarters)) refuse("unknown form of a vector");
  const Type element{'b', type.bits / static_cast<std::uint32_t>(elements.size())};
  instruction_.detail = element.bits;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    instruction_.s[packs ? 2 + i : i] =
        packs ? source_slot(elements[i], element, false) : result_slot(elements[i], element, false);
  }
  if (packs) {
    instruction_.run = has_halves ? pack<2> : pack<4>;
    instruction_.s[0] = result_slot(result, type, false);
  } else {
    instruction_.run = has_halves ? unpack<2> : unpack<4>;
    instruction_.s[8] = source_slot(source, type, false);
  }
  return true;
}

bool Decoder::decode_special_move(Type type) {
  const Operand& source = statement_->operands[1];
  if (source.kind != Operand::Kind::Name) return false;
  std::uint32_t number = 0;
  const LocalSymbol* local = find_local(source.name, &number);
  if (local != nullptr && local->kind == LocalSymbol::Kind::LocalVariable && type.bits == 64 &&
      type.kind != 'f') {
    instruction_.run = local_address;
    instruction_.s[1] = static_cast<std::uint16_t>(local->place);
    instruction_.detail = source.offset;
  } else if (local == nullptr && type.bits == 32 && type.kind != 'f' && source.offset == 0 &&
             special_register(source.name) != nullptr) {
    instruction_.run = special_register(source.name);
  } else {
    return false;
  }
  instruction_.s[0] = result_slot(statement_->operands[0], type, false);
  return true;
}

}  // namespace talweg::gpu::ptx
