// setp and set: from which of less, equal, greater and unordered holds.
#include <map>

#include "tests/gpu/ptx/opcode_text.h"
#include "tests/gpu/ptx/reference.h"

namespace talweg::gpu::ptx::tests {

namespace {

using U = std::uint64_t;

enum Relation : unsigned { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

template <class T>
Relation relation(T a, T b) {
  if (a < b) return Less;
  if (a > b) return Greater;
  return a == b ? Equal : Unordered;
}

Relation relation_of(TypeName type, U a, U b) {
  if (type.kind == 'f') return relation(number_in(type, a), number_in(type, b));
  if (type.kind != 's') return relation(a, b);
  const unsigned unused = 64 - type.bits;
  return relation(static_cast<std::int64_t>(a << unused), static_cast<std::int64_t>(b << unused));
}

const std::map<std::string_view, unsigned> kHolding = {
    {"eq", Equal},
    {"ne", Less | Greater},
    {"lt", Less},
    {"le", Less | Equal},
    {"gt", Greater},
    {"ge", Greater | Equal},
    {"lo", Less},
    {"ls", Less | Equal},
    {"hi", Greater},
    {"hs", Greater | Equal},
    {"equ", Equal | Unordered},
    {"neu", Less | Greater | Unordered},
    {"ltu", Less | Unordered},
    {"leu", Less | Equal | Unordered},
    {"gtu", Greater | Unordered},
    {"geu", Greater | Equal | Unordered},
    {"num", Less | Equal | Greater},
    {"nan", Unordered},
};

}  // namespace

std::optional<Reference> comparison_reference(const std::string& opcode) {
  const auto parts = split_opcode(opcode);
  if (parts[0] != "setp" && parts[0] != "set") return std::nullopt;
  const TypeName type = type_named(parts.back());
  const unsigned holding = kHolding.at(parts[1]);
  const std::string middle(parts.size() == 4 ? parts[2] : "");
  return [=](const Row& row) -> std::optional<U> {
    const bool holds = (relation_of(type, row[0], row[1]) & holding) != 0;
    const bool third = row.size() > 2 && row[2] == 1;
    if (middle == "and") return holds && third;
    if (middle == "or") return holds || third;
    if (middle == "xor") return holds != third;
    if (middle == "f32") return holds ? 0x3F800000 : 0;
    if (middle == "u32" || middle == "s32") return holds ? 0xFFFFFFFF : 0;
    return holds ? 1 : 0;
  };
}

}  // namespace talweg::gpu::ptx::tests
