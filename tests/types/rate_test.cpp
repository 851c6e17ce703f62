// The lattice of rates.
#include "compiler/types/rate.h"

#include <array>
#include <catch2/catch.hpp>

#include "compiler/types/compute_type.h"

using namespace talweg::types;

namespace {

constexpr std::array kRates = {Rate::Const,  Rate::Model, Rate::Group, Rate::Tensor,
                               Rate::Matrix, Rate::Row,   Rate::Col,   Rate::Element};

}  // namespace

TEST_CASE("the chain from const to element, with rows beside columns") {
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    for (std::size_t k = i; k < kRates.size(); ++k) {
      const bool row_and_col = kRates[i] == Rate::Row && kRates[k] == Rate::Col;
      CHECK(fits(kRates[i], kRates[k]) == !row_and_col);
      CHECK(fits(kRates[k], kRates[i]) == (i == k));
    }
  }
}

TEST_CASE("join and meet are those of a lattice") {
  for (const Rate a : kRates) {
    CHECK(join(a, a) == a);
    CHECK(meet(a, a) == a);
    CHECK(join(a, Rate::Const) == a);
    CHECK(meet(a, Rate::Element) == a);
    for (const Rate b : kRates) {
      CHECK(join(a, b) == join(b, a));
      CHECK(meet(a, b) == meet(b, a));
      CHECK(join(a, meet(a, b)) == a);
      CHECK(meet(a, join(a, b)) == a);
      CHECK((fits(a, join(a, b)) && fits(meet(a, b), a)));
      for (const Rate c : kRates) {
        CHECK(join(join(a, b), c) == join(a, join(b, c)));
        CHECK(meet(meet(a, b), c) == meet(a, meet(b, c)));
        if (fits(a, c) && fits(b, c)) CHECK(fits(join(a, b), c));
      }
    }
  }
}

TEST_CASE("every join and meet is a rate with a name") {
  for (const Rate a : kRates)
    for (const Rate b : kRates) {
      CHECK(rate_from_text(to_text(join(a, b))) == join(a, b));
      CHECK(rate_from_text(to_text(meet(a, b))) == meet(a, b));
    }
  CHECK_FALSE(rate_from_text("elements"));
  CHECK_FALSE(rate_from_text(""));
}

TEST_CASE("arrays are the rates with values in the compute type") {
  for (const Rate rate : kRates)
    CHECK(is_array(rate) == (rate == Rate::Row || rate == Rate::Col || rate == Rate::Element));
}

TEST_CASE("compute types by name") {
  CHECK(compute_type_from_text("f32") == ComputeType::F32);
  CHECK(compute_type_from_text("float64") == ComputeType::F64);
  CHECK_FALSE(compute_type_from_text("f16"));
  CHECK(to_text(ComputeType::F32) == "float32");
  CHECK((size_bytes(ComputeType::F32) == 4 && size_bytes(ComputeType::F64) == 8));
}
