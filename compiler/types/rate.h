// How often a value differs.
//
//   const < model < group < tensor < matrix < { row, col } < element
//
// Rows and columns cannot be compared: a value per row combined with one per column gives one per
// element. Every rate holds the bits of the slower ones, so combining is `|` and reducing is `&`. A
// rate says how often a value differs, never when it is available (that is the planner's phase).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace talweg::types {

enum class Rate : std::uint8_t {
  Const = 0b000000,
  Model = 0b000001,
  Group = 0b000011,
  Tensor = 0b000111,
  Matrix = 0b001111,
  Row = 0b011111,
  Col = 0b101111,
  Element = 0b111111,
};

/// The rate of a value computed from values of rates `a` and `b`.
constexpr Rate join(Rate a, Rate b) {
  return static_cast<Rate>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// The rate of a reduction of a value of rate `from`, asked for per `to`.
constexpr Rate meet(Rate from, Rate to) {
  return static_cast<Rate>(static_cast<std::uint8_t>(from) & static_cast<std::uint8_t>(to));
}

/// True if a value of rate `value` may be stored where `place` is declared.
constexpr bool fits(Rate value, Rate place) { return join(value, place) == place; }

/// True for rates whose values have the compute type (float32 or float64); others are float64
/// scalars.
constexpr bool is_array(Rate rate) {
  return rate == Rate::Row || rate == Rate::Col || rate == Rate::Element;
}

/// True for rates of which only tensors of rank 2 or more have values.
constexpr bool is_of_matrices(Rate rate) {
  return rate == Rate::Matrix || rate == Rate::Row || rate == Rate::Col;
}

static_assert(join(Rate::Row, Rate::Col) == Rate::Element &&
              meet(Rate::Row, Rate::Col) == Rate::Matrix);
static_assert(!fits(Rate::Row, Rate::Col) && fits(Rate::Const, Rate::Model));

std::string_view to_text(Rate rate);
std::optional<Rate> rate_from_text(std::string_view text);

}  // namespace talweg::types
