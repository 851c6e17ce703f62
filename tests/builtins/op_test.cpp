// The table of operations: complete, in order, and found by name.
#include "compiler/builtins/op.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace talweg::builtins;

TEST_CASE("every operation has a row of its own") {
  REQUIRE(op_table().size() == static_cast<std::size_t>(kOpCount));
  std::set<std::string_view> names;
  for (int i = 0; i < kOpCount; ++i) {
    const auto op = static_cast<Op>(i);
    const OpInfo& row = info(op);
    CHECK(row.op == op);
    CHECK(names.insert(row.name).second);
    CHECK(op_from_name(row.name) == op);
    CHECK(!row.doc.empty());
    CHECK(row.arity >= 1);
    CHECK(row.arity <= 3);
  }
}

TEST_CASE("a signature fixes the arity where it can") {
  for (const OpInfo& row : op_table()) {
    if (row.signature == Signature::Comparison) CHECK(row.arity == 2);
    if (row.signature == Signature::Predicate) CHECK(row.arity == 1);
    if (row.signature == Signature::Choice) CHECK(row.arity == 3);
  }
  CHECK(info(Op::Fma).arity == 3);
  CHECK(info(Op::Not).arity == 1);
}

TEST_CASE("a rule calls functions by name, but no operator") {
  const std::set<std::string> functions = {"sqrt", "rsqrt", "exp",   "expm1",    "log", "log1p",
                                           "log2", "pow",   "sin",   "cos",      "tan", "tanh",
                                           "atan", "abs",   "sign",  "min",      "max", "floor",
                                           "ceil", "round", "trunc", "is_finite"};
  std::set<std::string> callable;
  for (const OpInfo& row : op_table())
    if (function_from_name(row.name)) callable.emplace(row.name);
  CHECK(callable == functions);
  CHECK(function_from_name("add") == std::nullopt);
  CHECK(function_from_name("fma") == std::nullopt);
}

TEST_CASE("unknown names are no operations") {
  for (const char* name : {"", "Sqrt", "sqrt ", "sinh", "mod2"}) {
    CHECK(op_from_name(name) == std::nullopt);
    CHECK(function_from_name(name) == std::nullopt);
  }
}
