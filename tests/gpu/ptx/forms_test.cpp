// Every instruction form on hard values and random ones, against another way to compute it.
#include "tests/gpu/ptx/forms.h"

#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/reference.h"

namespace talweg::gpu::ptx::tests {

namespace {

std::optional<Reference> reference_for(const std::string& opcode) {
  for (const auto& find : {integer_reference, bits_reference, comparison_reference,
                           conversion_reference, float_reference})
    if (auto found = find(opcode)) return found;
  return std::nullopt;
}

/// Those that wait, and those with a flag beside the result, have tests of their own.
bool is_pure(const std::string& opcode) {
  for (const char* start : {"shfl", "vote", "redux", "bar", "activemask", "fence", "membar",
                            "add.cc", "addc", "sub.cc", "subc"})
    if (opcode.starts_with(start)) return false;
  return true;
}

bool is_same(Type type, std::uint64_t a, std::uint64_t b) {
  if (a == b) return true;
  const TypeName name{type.kind, type.bits};
  return type.kind == 'f' && is_nan(name, a) && is_nan(name, b);
}

std::string text_of(const std::string& opcode, const Row& row, std::uint64_t expected,
                    std::uint64_t actual) {
  std::string text = opcode;
  char number[24];
  const auto add = [&](const char* before, std::uint64_t value) {
    std::snprintf(number, sizeof number, "%s%llx", before, static_cast<unsigned long long>(value));
    text += number;
  };
  for (const std::uint64_t operand : row) add(" ", operand);
  add(" expected ", expected);
  add(" actual ", actual);
  return text;
}

}  // namespace

TEST_CASE("every instruction form gives what PTX says") {
  std::size_t count = 0, values = 0;
  for (const std::string& opcode : Forms::all().names()) {
    if (!is_pure(opcode)) continue;
    const std::optional<Reference> reference = reference_for(opcode);
    INFO(opcode);
    REQUIRE(reference.has_value());
    std::vector<Row> rows;
    std::vector<std::uint64_t> expected;
    for (const Row& row : rows_for(opcode))
      if (const auto value = (*reference)(row)) {
        rows.push_back(row);
        expected.push_back(*value);
      }
    while (rows.size() % 64 != 0) {
      rows.pop_back();
      expected.pop_back();
    }
    REQUIRE(rows.size() >= 64);
    const std::vector<std::uint64_t> actual = run_form(opcode, rows);
    const Type type = Forms::all().find(opcode)->operands[0];
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!is_same(type, expected[i], actual[i]))
        FAIL_CHECK(text_of(opcode, rows[i], expected[i], actual[i]));
    ++count;
    values += rows.size();
  }
  CHECK(count > 400);
  CHECK(values > 100000);
}

}  // namespace talweg::gpu::ptx::tests
