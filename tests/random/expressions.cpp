// Random expressions.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compiler/builtins/op.h"
#include "tests/random/writer.h"

namespace talweg::tests {

namespace {

std::string rate_word(Rate rate) { return std::string(types::to_text(rate)); }

}  // namespace

Rate Writer::some_rate(const Place& place, Rate limit) {
  constexpr Rate kRates[] = {Rate::Const,  Rate::Model, Rate::Group, Rate::Tensor,
                             Rate::Matrix, Rate::Row,   Rate::Col,   Rate::Element};
  std::vector<Rate> rates;
  for (const Rate rate : kRates)
    if (types::fits(rate, limit) && (place.has_matrices || !types::is_of_matrices(rate)))
      rates.push_back(rate);
  if (choices_.chance(35)) return limit;
  return rates[choices_.below(static_cast<std::uint32_t>(rates.size()))];
}

/// A name of that sort and at most that rate, or exactly that rate; null if there is none.
const Name* Writer::pick_name(const Place& place, Sort sort, Rate limit, bool of_that_rate) {
  std::vector<const Name*> found;
  for (const std::vector<Name>* names : {&place.names, &std::as_const(constants_)})
    for (const Name& name : *names)
      if (name.sort == sort && types::fits(name.rate, limit) &&
          (place.has_matrices || !name.is_of_matrices()) && (!of_that_rate || name.rate == limit))
        found.push_back(&name);
  if (found.empty()) return nullptr;
  return found[choices_.below(static_cast<std::uint32_t>(found.size()))];
}

std::string Writer::literal() {
  constexpr const char* kCommon[] = {"1", "2", "0.5", "0", "3", "0.1", "10", "1.5", "4", "0.999"};
  constexpr const char* kTiny[] = {"1e-8", "1e-38", "1e-45", "1e-310", "1e-300"};
  constexpr const char* kHuge[] = {"1e10", "1e38", "1e39", "1e300", "16777217"};
  switch (choices_.weighted({16, 2, 2, 1, 1})) {
    case 0:
      return choices_.one_of(kCommon);
    case 1:
      note("literal tiny");
      return choices_.one_of(kTiny);
    case 2:
      note("literal huge");
      return choices_.one_of(kHuge);
    case 3:
      note("pi");
      return "pi";
    default:
      note("inf");
      return "inf";
  }
}

std::string Writer::leaf(const Place& place, Rate limit) {
  const std::size_t kind = choices_.weighted({3, 10, 10});
  if (kind == 0) return literal();
  const Name* name = pick_name(place, Sort::Number, limit, kind == 2);
  if (!name) return literal();
  if (name->text == "t") note("read t");
  if (name->text == "calls") note("read calls");
  if (name->text == "update") note("read update");
  if (name->text == "rank" || name->text == "size") note("read rank or size");
  if (name->text == "rows" || name->text == "cols") note("read rows or cols");
  if (name->text.starts_with("given_") && name->text != "given_elements" &&
      name->text != "given_number")
    note("read " + name->text);
  if (name->text == "param" && place.block == Place::Block::After) note("read param in after");
  note_state(place, *name);
  return name->text;
}

std::string Writer::operand(Place& place, Rate limit, int depth) {
  const bool in_brackets = choices_.chance(60);
  const std::string text = number(place, limit, depth);
  return in_brackets ? "(" + text + ")" : text;
}

std::string Writer::number(Place& place, Rate limit, int depth) {
  const Choices::Part part(choices_);
  if (depth <= 0) return leaf(place, limit);
  const bool may_ask = limit == Rate::Element && !place.has_matrices &&
                       place.block != Place::Block::None && place.block != Place::Block::Function;
  switch (choices_.weighted({5, 9, 6, 3, 1, 3, 3, may_reduce(place, limit) ? 3u : 0u,
                             may_keep(place, limit) ? (place.has_matrices ? 6u : 1u) : 0u,
                             may_ask ? 1u : 0u})) {
    case 0:
      return leaf(place, limit);
    case 7:
      return reduction(place, limit, depth);
    case 8:
      return previous(place, limit, depth);
    case 9:
      return matrix_if_expression(place, depth);
    case 1:
      return arithmetic(place, limit, depth);
    case 2:
      return builtin_call(place, limit, depth);
    case 3:
      return power(place, limit, depth);
    case 4:
      note("unary minus");
      return "-" + operand(place, limit, depth - 1);
    case 5:
      return "(" + if_expression(place, limit, depth, Sort::Number) + ")";
    default:
      if (const Function* fn = pick_function(place, limit, false))
        return fn_call(place, limit, depth, *fn);
      return leaf(place, limit);
  }
}

std::string Writer::arithmetic(Place& place, Rate limit, int depth) {
  const auto value = [&] { return operand(place, limit, depth - 1); };
  // C++ leaves the order of operands open, and with it that of choices.
  const auto both = [&](const char* op) {
    const std::string left = value();
    return left + op + value();
  };
  switch (choices_.weighted({4, 4, 4, 4, 1, 5})) {
    case 0:
      return both(" + ");
    case 1:
      return both(" - ");
    case 2:
      return both(" * ");
    case 3: {
      // Divided by something slower, by its reciprocal; by the same, truly.
      const std::string left = value();
      return left + " / " + operand(place, some_rate(place, limit), depth - 1);
    }
    case 4:
      note("percent");
      return both(" % ");
    default: {
      // Sums of products, which contract.
      constexpr const char* kForms[] = {
          "{0} * {1} + {2}",       "{2} + {0} * {1}",       "{2} - {0} * {1}",   "{0} * {1} - {2}",
          "{0} * {1} + {2} * {3}", "{0} * {1} - {2} * {3}", "-({0} * {1}) + {2}"};
      const char* form = choices_.one_of(kForms);
      std::string a = operand(place, limit, depth - 1), b = operand(place, limit, depth - 2);
      std::string c = operand(place, limit, depth - 2), d = operand(place, limit, depth - 2);
      return fmt::format(fmt::runtime(form), a, b, c, d);
    }
  }
}

std::string Writer::power(Place& place, Rate limit, int depth) {
  const std::string base = "(" + number(place, limit, depth - 1) + ")";
  switch (choices_.weighted({4, 1, 2, 2})) {
    case 0: {
      note("integer power");
      constexpr const char* kExponents[] = {"2",  "3",  "0",  "1",  "4",  "5", "7",
                                            "-1", "-2", "-3", "11", "64", "65"};
      const std::string exponent = choices_.one_of(kExponents);
      return base + "^" + exponent;
    }
    case 1:
      note("power one half");
      return base + "^0.5";
    case 2:
      return base + "^(" + number(place, some_rate(place, limit), depth - 1) + ")";
    default:
      note("pow call");
      return fmt::format("pow({}, {})", base, number(place, some_rate(place, limit), depth - 1));
  }
}

std::string Writer::builtin_call(Place& place, Rate limit, int depth) {
  using builtins::Signature;
  const auto value = [&] { return number(place, limit, depth - 1); };
  if (choices_.chance(15)) {
    note("clip");
    constexpr const char* kBounds[] = {"-1, 1", "0, 1", "-0.5, 2", "-1e-3, 1e38", "-inf, 0"};
    const std::string text = value();
    if (choices_.chance(50)) {
      const std::string bound = leaf(place, limit);
      return fmt::format("clip({}, -abs({}), abs({}))", text, bound, bound);
    }
    return fmt::format("clip({}, {})", text, choices_.one_of(kBounds));
  }
  std::vector<const builtins::OpInfo*> callable;
  for (const builtins::OpInfo& row : builtins::op_table())
    if (row.callable && row.signature == Signature::Numbers) callable.push_back(&row);
  const auto& row = *callable[choices_.below(static_cast<std::uint32_t>(callable.size()))];
  std::string text = fmt::format("{}({}", row.name, value());
  if (row.arity == 2) text += ", " + value();
  if ((row.op == builtins::Op::Min || row.op == builtins::Op::Max) && choices_.chance(25)) {
    note("min of three");
    text += ", " + value();
  }
  return text + ")";
}

std::string Writer::comparison(Place& place, Rate limit, int depth) {
  constexpr const char* kOperators[] = {"<", "<=", ">", ">=", "==", "!="};
  const char* op = choices_.one_of(kOperators);
  const std::string left = operand(place, limit, depth - 1);
  return fmt::format("{} {} {}", left, op, operand(place, some_rate(place, limit), depth - 1));
}

std::string Writer::truth(Place& place, Rate limit, int depth) {
  const Choices::Part part(choices_);
  const bool has_facts = place.block != Place::Block::None &&
                         place.block != Place::Block::Function && types::fits(Rate::Tensor, limit);
  const std::size_t kind = choices_.weighted(
      {8, 3, 2, 2, 2, 1, 1, 2, 2, 4, may_reduce(place, limit) ? 2u : 0u, has_facts ? 2u : 0u});
  const auto name_or_comparison = [&](Sort sort) -> std::string {
    const Name* name = pick_name(place, sort, limit, false);
    if (!name) return comparison(place, limit, depth);
    if (sort == Sort::Truth) return name->text;
    note("choice comparison");
    constexpr const char* kTails[] = {" == raw", " != corrected", " == corrected"};
    return name->text + choices_.one_of(kTails);
  };
  if (kind == 0 || depth <= 0) return comparison(place, limit, depth);
  switch (kind) {
    case 1:
      return name_or_comparison(Sort::Truth);
    case 2: {
      const std::string left = truth(place, limit, depth - 1);
      return fmt::format("({}) and ({})", left, truth(place, some_rate(place, limit), depth - 1));
    }
    case 3: {
      const std::string left = truth(place, limit, depth - 1);
      return fmt::format("({}) or {}", left, comparison(place, limit, depth - 1));
    }
    case 4:
      return fmt::format("not ({})", truth(place, limit, depth - 1));
    case 5:
      return choices_.chance(50) ? "true" : "false";
    case 6:
      return "(" + if_expression(place, limit, depth, Sort::Truth) + ")";
    case 7: {
      if (place.inputs.empty() || !types::fits(Rate::Model, limit))
        return name_or_comparison(Sort::Choice);
      note("given");
      return fmt::format(
          "given({})",
          place.inputs[choices_.below(static_cast<std::uint32_t>(place.inputs.size()))]);
    }
    case 8:
      return fmt::format("is_finite({})", number(place, limit, depth - 1));
    case 10:
      return truth_reduction(place, limit, depth);
    case 11:
      return fact_condition(place);
    default: {
      const Function* fn = choices_.chance(50) ? nullptr : pick_function(place, limit, true);
      return fn ? fn_call(place, limit, depth, *fn) : name_or_comparison(Sort::Choice);
    }
  }
}

/// An arm of an `if`: an expression, or a block that may assign.
std::string Writer::arm(Place& place, Rate limit, int depth, Sort sort, Rate condition) {
  const bool is_block = choices_.chance(15);
  Place inner = place;
  inner.guard = types::join(place.guard, condition);
  std::string before;
  if (is_block) {
    note("if expression with block");
    const std::string local = fresh("b");
    before = fmt::format("let {} = {}; ", local, number(inner, limit, depth - 2));
    inner.names.push_back({local, Sort::Number, limit, false, {}, {}});
    auto places = targets(inner);
    std::erase_if(places, [](const Name& name) { return name.text == "update"; });
    if (!places.empty() && choices_.chance(50)) {
      note("assignment in an arm's block");
      const Name target = places[choices_.below(static_cast<std::uint32_t>(places.size()))];
      before += assign_text(inner, target, depth - 2) + "; ";
    }
  }
  const std::string value =
      sort == Sort::Number ? number(inner, limit, depth - 1) : truth(inner, limit, depth - 1);
  return is_block ? "{ " + before + value + " }" : value;
}

/// What only matrices have a value for is used in an arm, and makes one per element there.
std::string Writer::matrix_if_expression(Place& place, int depth) {
  note("matrices in an arm");
  Place other = place;
  other.guard = types::join(place.guard, Rate::Tensor);
  Place inner = inside_matrices(other);
  const std::string value = number(inner, Rate::Element, depth);
  const std::uint32_t of_param = place.block == Place::Block::Initial ? 100 : 50;
  const std::string what = choices_.chance(of_param) ? "param" : some_elements(place);
  return fmt::format("(if rank >= 2 then ({}) * {} else {})", value, what,
                     number(other, Rate::Element, depth - 1));
}

std::string Writer::if_expression(Place& place, Rate limit, int depth, Sort sort) {
  const Rate rate = some_rate(place, limit);
  const std::string condition = truth(place, rate, depth - 1);
  note(place.block == Place::Block::Function ? "if expression element"
                                             : "if expression " + rate_word(rate));
  if (sort == Sort::Truth) note("if expression of truths");
  const std::string then_text = arm(place, limit, depth, sort, rate);
  if (depth > 1 && choices_.chance(15)) {
    note("if expression with else if");
    Place inner = place;
    inner.guard = types::join(place.guard, rate);
    return fmt::format("if {} then {} else {}", condition, then_text,
                       if_expression(inner, limit, depth - 1, sort));
  }
  return fmt::format("if {} then {} else {}", condition, then_text,
                     arm(place, limit, depth, sort, rate));
}

const Function* Writer::pick_function(const Place& place, Rate limit, bool gives_truth) {
  std::vector<const Function*> found;
  for (const Function& fn : functions_)
    if (fn.gives_truth == gives_truth && (!fn.keeps || may_keep(place, limit)))
      found.push_back(&fn);
  if (found.empty()) return nullptr;
  return found[choices_.below(static_cast<std::uint32_t>(found.size()))];
}

std::string Writer::fn_call(Place& place, Rate limit, int depth, const Function& fn) {
  if (place.block == Place::Block::Function) note("call in fn");
  if (fn.keeps) {
    note("call of a fn with previous");
    keeps_ = true;
  }
  std::size_t count = fn.parameters.size();
  if (fn.last_has_default && choices_.chance(50)) {
    note("call without default argument");
    --count;
  }
  std::vector<std::string> given;
  for (std::size_t i = 0; i < count; ++i)
    given.push_back(number(place, some_rate(place, limit), depth - 2));
  if (choices_.chance(30)) {
    note("call by name");
    for (std::size_t i = 0; i < count; ++i) given[i] = fn.parameters[i] + " = " + given[i];
    std::reverse(given.begin(), given.end());
  } else {
    note("call by position");
  }
  return fmt::format("{}({})", fn.name, fmt::join(given, ", "));
}

}  // namespace talweg::tests
