#include <array>
#include <utility>

#include "compiler/types/compute_type.h"
#include "compiler/types/rate.h"
#include "compiler/types/split.h"

namespace talweg::types {

namespace {

constexpr std::array<std::pair<Rate, std::string_view>, 8> kRateNames = {{
    {Rate::Const, "const"},
    {Rate::Model, "model"},
    {Rate::Group, "group"},
    {Rate::Tensor, "tensor"},
    {Rate::Matrix, "matrix"},
    {Rate::Row, "row"},
    {Rate::Col, "col"},
    {Rate::Element, "element"},
}};

}  // namespace

std::string_view to_text(Rate rate) {
  for (const auto& [value, name] : kRateNames)
    if (value == rate) return name;
  return "unknown rate";
}

std::optional<Rate> rate_from_text(std::string_view text) {
  for (const auto& [value, name] : kRateNames)
    if (name == text) return value;
  return std::nullopt;
}

std::string_view to_text(Split split) {
  switch (split) {
    case Split::FirstRest:
      return "0 | rest";
    case Split::LastTwo:
      return "last two";
    case Split::TwoLargest:
      return "two largest";
  }
  return "unknown split";
}

std::optional<Split> split_from_text(std::string_view text) {
  for (const Split split : kSplits)
    if (to_text(split) == text) return split;
  return std::nullopt;
}

std::string_view to_text(ComputeType type) {
  return type == ComputeType::F32 ? "float32" : "float64";
}

std::optional<ComputeType> compute_type_from_text(std::string_view text) {
  if (text == "float32" || text == "f32") return ComputeType::F32;
  if (text == "float64" || text == "f64") return ComputeType::F64;
  return std::nullopt;
}

}  // namespace talweg::types
