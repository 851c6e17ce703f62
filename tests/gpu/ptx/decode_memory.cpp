// Loads, stores, atomics, and addresses from one space to another.
#include <algorithm>

#include "tests/gpu/ptx/decoder.h"
#include "tests/gpu/ptx/memory_access.h"
#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/parser.h"

namespace talweg::gpu::ptx {

namespace {

/// The parts of an opcode, taken from the front.
class Parts {
 public:
  explicit Parts(const std::string& opcode) : parts_(split_opcode(opcode)) {}

  bool accept(std::string_view part) {
    if (at_ >= parts_.size() || parts_[at_] != part) return false;
    ++at_;
    return true;
  }
  template <class... Names>
  bool accept_any(Names... names) {
    return (accept(names) || ...);
  }
  [[nodiscard]] bool at_last() const { return at_ + 1 == parts_.size(); }
  [[nodiscard]] bool at_end() const { return at_ >= parts_.size(); }
  std::string_view take() { return parts_[at_++]; }

  Space accept_space() {
    if (accept("global")) return Space::Global;
    if (accept("shared")) return Space::Shared;
    if (accept("local")) return Space::Local;
    if (accept("const")) return Space::Const;
    if (accept("param")) return Space::Param;
    return Space::Generic;
  }
  std::uint32_t accept_lanes() {
    if (accept("v2")) return 2;
    if (accept("v4")) return 4;
    return accept("v8") ? 8 : 1;
  }

 private:
  std::vector<std::string_view> parts_;
  std::size_t at_ = 0;
};

Handler convert_to_generic() {
  return [](Thread& thread, const Instruction* i) -> const Instruction* {
    thread.r[i->s[0]] = thread.r[i->s[2]] + static_cast<std::uint64_t>(i->detail);
    return i + 1;
  };
}

}  // namespace

bool Decoder::decode_memory() {
  Parts parts(statement_->name);
  const bool is_load = parts.accept("ld");
  if (!is_load && !parts.accept("st")) return false;
  const bool is_strong = parts.accept("relaxed") || parts.accept(is_load ? "acquire" : "release");
  if (is_strong && !parts.accept_any("cta", "gpu", "sys")) return false;
  const bool is_volatile = !is_strong && parts.accept("volatile");
  if (!is_strong && !is_volatile) parts.accept("weak");
  Access access{.space = parts.accept_space()};
  const bool is_ordinary = !is_strong && !is_volatile;
  if (is_load && is_ordinary && access.space == Space::Global) parts.accept("nc");
  access.lanes = parts.accept_lanes();
  if (!parts.at_last()) return false;
  access.type = type_of(parts.take());
  if (access.type.bits == 0) return false;
  const bool is_wide = access.bytes() == 32 && access.space == Space::Global;
  if (access.bytes() > 16 && !is_wide) return false;
  if (access.lanes == 8 && access.type.bits != 32) return false;
  instruction_.run = is_load ? load_handler(access) : store_handler(access);
  if (instruction_.run == nullptr) return false;

  expect_operands(2);
  const Operand& address = statement_->operands[is_load ? 1 : 0];
  put_values(statement_->operands[is_load ? 0 : 1], access.type, access.lanes, is_load);
  if (access.space == Space::Param)
    decode_parameter_access(address, access.bytes(), is_load);
  else
    put_address(address);
  return true;
}

void Decoder::put_values(const Operand& values, Type type, std::uint32_t lanes, bool is_load) {
  const auto put = [&](std::size_t lane, const Operand& operand) {
    instruction_.s[lane] =
        is_load ? result_slot(operand, type, true) : source_slot(operand, type, true);
  };
  if (lanes == 1) return put(0, values);
  if (values.kind != Operand::Kind::Vector || values.elements.size() != lanes)
    refuse("a vector of " + std::to_string(lanes) + " expected");
  for (std::size_t lane = 0; lane < lanes; ++lane) put(lane, values.elements[lane]);
}

void Decoder::put_address(const Operand& address) {
  if (address.kind != Operand::Kind::Address) refuse("an address expected");
  instruction_.detail = address.offset;
  Operand base = address;
  base.kind = Operand::Kind::Name;
  base.offset = 0;
  if (const auto fixed = fixed_address(base))
    instruction_.s[kAddressSlot] = constant_slot(*fixed);
  else
    instruction_.s[kAddressSlot] = register_slot(base, {'u', 64}, false);
}

void Decoder::decode_parameter_access(const Operand& address, std::uint32_t bytes, bool is_load) {
  if (address.kind != Operand::Kind::Address) refuse("an address expected");
  std::uint32_t number = 0;
  const LocalSymbol* symbol = find_local(address.name, &number);
  if (symbol == nullptr || symbol->kind != LocalSymbol::Kind::Parameter)
    refuse(address.name + " is no parameter");
  if (!is_load && symbol->is_read_only) refuse(address.name + " cannot be written");
  if (address.offset < 0 || address.offset + bytes > symbol->bytes)
    refuse("reaches beyond " + address.name);
  if (address.offset % bytes != 0 || symbol->alignment % bytes != 0) refuse("is misaligned");
  instruction_.detail = static_cast<std::int64_t>(symbol->place) + address.offset;
}

bool Decoder::decode_atomic() {
  Parts parts(statement_->name);
  const bool gives_old = parts.accept("atom");
  if (!gives_old && !parts.accept("red")) return false;
  if (gives_old ? parts.accept_any("relaxed", "acquire", "release", "acq_rel")
                : parts.accept_any("relaxed", "release"))
    if (!parts.accept_any("cta", "gpu", "sys")) return false;
  parts.accept_any("cta", "gpu", "sys");
  const Space space = parts.accept_space();
  if (parts.at_end()) return false;
  const std::string_view operation = parts.take();
  if (!parts.at_last()) return false;
  const Type type = type_of(parts.take());
  const bool has_third = operation == "cas";
  instruction_.run = atomic_handler(operation, space, type);
  if (instruction_.run == nullptr) return false;
  if (!gives_old && (has_third || operation == "exch")) return false;

  const std::vector<Operand>& operands = statement_->operands;
  const std::size_t first = gives_old ? 1 : 0;
  expect_operands(first + (has_third ? 3 : 2));
  if (gives_old) instruction_.s[0] = result_slot(operands[0], type, false);
  put_address(operands[first]);
  instruction_.s[2] = source_slot(operands[first + 1], type, false);
  if (has_third) instruction_.s[3] = source_slot(operands[first + 2], type, false);
  return true;
}

bool Decoder::decode_address_conversion() {
  Parts parts(statement_->name);
  if (!parts.accept("cvta")) return false;
  const bool from_generic = parts.accept("to");
  std::uint64_t window = 0;
  switch (parts.accept_space()) {
    case Space::Global:
      break;
    case Space::Shared:
      window = kSharedWindow;
      break;
    case Space::Local:
      window = kLocalWindow;
      break;
    case Space::Const:
      window = kConstWindow;
      break;
    default:
      return false;
  }
  if (!parts.accept("u64") || !parts.at_end()) return false;
  expect_operands(2);
  const Type type{'u', 64};
  instruction_.s[0] = result_slot(statement_->operands[0], type, false);
  instruction_.s[2] = source_slot(statement_->operands[1], type, false);
  instruction_.detail = static_cast<std::int64_t>(from_generic ? -window : window);
  instruction_.run = convert_to_generic();
  return true;
}

}  // namespace talweg::gpu::ptx
