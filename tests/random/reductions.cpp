// Random reductions, `previous`, and what a step asks about a tensor.
#include <fmt/format.h>

#include "tests/random/writer.h"

namespace talweg::tests {

namespace {

std::string rate_word(Rate rate) { return std::string(types::to_text(rate)); }

bool is_step(const Place& place) {
  return place.block == Place::Block::Step || place.block == Place::Block::After;
}

bool is_view(const Place& place) { return place.block == Place::Block::View; }
bool is_initial(const Place& place) { return place.block == Place::Block::Initial; }
bool has_reductions(const Place& place) {
  return is_step(place) || is_view(place) || is_initial(place);
}

}  // namespace

/// Of reductions that may stand here: no condition around is faster.
std::vector<Rate> Writer::reduction_rates(const Place& place, Rate limit) {
  constexpr Rate kRates[] = {Rate::Model,  Rate::Group, Rate::Tensor,
                             Rate::Matrix, Rate::Row,   Rate::Col};
  std::vector<Rate> rates;
  for (const Rate rate : kRates)
    if (has_reductions(place) && types::fits(rate, limit) && types::fits(place.guard, rate) &&
        (place.has_matrices || !types::is_of_matrices(rate)))
      rates.push_back(rate);
  return rates;
}

bool Writer::may_reduce(const Place& place, Rate limit) {
  return !reduction_rates(place, limit).empty();
}

void Writer::note_in_view(const Place& place, const std::string& what) {
  if (is_view(place)) note("in a view: " + what);
}

void Writer::note_state(const Place& place, const Name& name) {
  if (!name.state_rate.empty()) note_in_view(place, "state " + name.state_rate);
}

/// What has one value per element, by a name; a view has no gradient.
std::string Writer::some_elements(const Place& place) {
  if (!is_view(place)) return "grad";
  const Name* state = pick_name(place, Sort::Number, Rate::Element, true);
  return state ? state->text : "param";
}

/// Something that has this rate and no slower one. The conditions around are no faster.
std::string Writer::value_of_rate(const Place& place, Rate rate) {
  const std::uint32_t of_param = is_initial(place) ? 100 : 30;
  if (rate == Rate::Element) return choices_.chance(of_param) ? "param" : some_elements(place);
  std::vector<const Name*> states;
  for (const Name& name : place.names)
    if (name.state_rate == types::to_text(rate)) states.push_back(&name);
  if (!states.empty() && choices_.chance(50)) {
    const Name& state = *states[choices_.below(static_cast<std::uint32_t>(states.size()))];
    note_state(place, state);
    return state.text;
  }
  if (rate == Rate::Tensor && choices_.chance(30)) return "size";
  note_in_view(place, "reduction per " + rate_word(rate));
  const char* name = choices_.chance(50) ? "norm" : "mean";
  const std::string elements = choices_.chance(of_param) ? "param" : some_elements(place);
  return fmt::format("({}({}) per {})", name, elements, rate_word(rate));
}

/// Of a rate, whatever stands beside it.
std::string Writer::reduced_operand(Place& place, Rate over, int depth) {
  const std::string value = value_of_rate(place, over);
  const char* op = choices_.chance(30) ? " * " : " + ";
  return value + op + "(" + number(place, over, depth - 2) + ")";
}

std::string Writer::reduction(Place& place, Rate limit, int depth) {
  constexpr const char* kNames[] = {"sum", "mean", "min", "max", "norm", "dot", "count"};
  const std::vector<Rate> rates = reduction_rates(place, limit);
  const Rate rate = rates[choices_.below(static_cast<std::uint32_t>(rates.size()))];
  const std::string name = choices_.one_of(kNames);
  note("reduction " + name);
  note("reduction per " + rate_word(rate));
  note_in_view(place, "reduction per " + rate_word(rate));
  std::vector<Rate> over = {Rate::Element};
  for (const Rate faster : {Rate::Group, Rate::Tensor, Rate::Matrix, Rate::Row, Rate::Col})
    if (faster != rate && types::fits(rate, faster) &&
        (place.has_matrices || !types::is_of_matrices(faster)))
      over.push_back(faster);
  const Rate from = choices_.chance(60)
                        ? over[choices_.below(static_cast<std::uint32_t>(over.size()))]
                        : Rate::Element;
  note("reduction over " + rate_word(from));
  std::string operands = reduced_operand(place, from, depth);
  if (name == "dot") operands += ", " + reduced_operand(place, from, depth);
  if (name == "count") operands += " > 0";
  return fmt::format("({}({}) per {})", name, operands, rate_word(rate));
}

std::string Writer::truth_reduction(Place& place, Rate limit, int depth) {
  const std::vector<Rate> rates = reduction_rates(place, limit);
  const Rate rate = rates[choices_.below(static_cast<std::uint32_t>(rates.size()))];
  const std::string name = choices_.chance(50) ? "all" : "any";
  note("reduction " + name);
  note("reduction per " + rate_word(rate));
  note_in_view(place, "reduction per " + rate_word(rate));
  const std::string operand = reduced_operand(place, Rate::Element, depth);
  const char* op = choices_.chance(50) ? " <= " : " > ";
  return fmt::format("({}({}{}{}) per {})", name, operand, op, number(place, rate, depth - 2),
                     rate_word(rate));
}

/// Whether `previous` may stand here and be of at most this rate. A function's callers see to it.
bool Writer::may_keep(const Place& place, Rate limit) {
  if (place.block == Place::Block::Function) return true;
  return is_step(place) && types::fits(Rate::Model, limit) && types::fits(place.guard, limit);
}

std::string Writer::previous(Place& place, Rate limit, int depth) {
  if (place.block == Place::Block::Function)
    keeps_ = true;
  else
    note("previous of " + rate_word(limit));
  note("previous");
  return fmt::format("previous({})", number(place, limit, depth - 1));
}

Place Writer::inside_matrices(const Place& place) {
  Place inner = place;
  inner.has_matrices = true;
  for (Name& name : inner.names) name.is_outside |= name.is_var;
  return inner;
}

/// Of a tensor's shape, where sizes are small.
std::string Writer::fact_condition(const Place& place) {
  note("condition of facts");
  constexpr const char* kTexts[] = {"rank >= 2", "size > 32", "rank == 1", "size <= 1",
                                    "rank * 8 > size"};
  constexpr const char* kOfMatrices[] = {"rows > cols", "cols >= 16", "rows * cols == size",
                                         "rows < 65"};
  return place.has_matrices && choices_.chance(50) ? choices_.one_of(kOfMatrices)
                                                   : choices_.one_of(kTexts);
}

}  // namespace talweg::tests
