// Random statements.
#include <fmt/format.h>

#include <algorithm>

#include "tests/random/writer.h"

namespace talweg::tests {

namespace {

std::string rate_word(Rate rate) { return std::string(types::to_text(rate)); }

}  // namespace

/// Small ones mostly: compiling a rule costs as much as its size, and many rules see more than
/// large ones.
int Writer::depth_of_expression() {
  constexpr int kDepths[] = {1, 1, 2, 2, 3};
  return choices_.one_of(kDepths);
}

void Writer::statements(Place& place, int most, int depth) {
  for (int i = 0; (i == 0 || choices_.chance(60)) && i < most; ++i) statement(place, depth);
}

void Writer::statement(Place& place, int depth) {
  const Choices::Part part(choices_);
  const bool in_rule = place.block != Place::Block::Function;
  switch (choices_.weighted(
      {40, 24, 16, 12, 8, 3, in_rule && depth > 0 && !place.has_matrices ? 10u : 0u,
       !may_regrad(place)                                              ? 0u
       : place.guard != Rate::Const || place.is_in_loop || ends_calls_ ? 14u
                                                                       : 4u})) {
    case 0:
      return assignment(place);
    case 1:
      return let_statement(place);
    case 2:
      return depth > 0 ? if_statement(place, depth) : assignment(place);
    case 3:
      return depth > 0 ? for_statement(place, depth) : assignment(place);
    case 4:
      if (in_rule && place.block == Place::Block::Step) return update_in_both_arms(place);
      return assignment(place);
    case 5:
      return in_rule ? exit_statement(place) : assignment(place);
    case 6:
      return matrix_statement(place, depth);
    default:
      return regrad_statement(place);
  }
}

/// One answer for all tensors.
void Writer::exit_statement(Place& place) {
  if (!types::fits(place.guard, Rate::Model)) return assignment(place);
  if (!choices_.chance(30)) return exit_line(place);
  Place inner = place;
  inner.guard = types::join(place.guard, Rate::Model);
  line(fmt::format("if {} {{", truth(place, Rate::Model, depth_of_expression() - 1)));
  ++indent_;
  exit_line(inner);
  --indent_;
  line("}");
}

void Writer::exit_line(Place& place) {
  const char* word = choices_.chance(50) ? "hold" : "skip";
  note(word);
  if (place.guard != Rate::Const) note("skip or hold under a condition");
  if (place.is_in_loop) note("skip or hold in a loop");
  if (place.block == Place::Block::After) note("skip or hold in after");
  if (regrads_ > 0 && place.block == Place::Block::Step) note("skip or hold behind regrad");
  ends_calls_ = true;
  line(fmt::format("{} if {}", word, truth(place, Rate::Model, depth_of_expression())));
}

/// Few in a step of each rule: a pipeline of all of them may ask 8 times.
bool Writer::may_regrad(const Place& place) const {
  constexpr int kMost = 2;
  return place.block == Place::Block::Step && types::fits(place.guard, Rate::Model) &&
         regrads_ + place.times <= kMost;
}

/// One answer for all tensors.
void Writer::regrad_statement(Place& place) {
  if (!choices_.chance(30)) return regrad_lines(place);
  Place inner = place;
  inner.guard = types::join(place.guard, Rate::Model);
  line(fmt::format("if {} {{", truth(place, Rate::Model, depth_of_expression() - 1)));
  ++indent_;
  regrad_lines(inner);
  --indent_;
  line("}");
}

/// With values of both sides, more often than not.
void Writer::regrad_lines(Place& place) {
  note("regrad");
  if (place.guard != Rate::Const) note("regrad under a condition");
  if (place.is_in_loop) note("regrad in a loop");
  if (regrads_ > 0) note("two regrads");
  if (ends_calls_ && regrads_ == 0) note("skip or hold before regrad");
  ends_calls_ = has_regrads_ = true;
  std::string origin;
  if (choices_.chance(40)) {
    note("param comes back behind regrad");
    origin = fresh("x");
    line(fmt::format("let {} = param", origin));
  }
  if (choices_.chance(50)) {
    note("old gradient behind regrad");
    const std::string old = fresh("x");
    line(fmt::format("let {} = grad", old));
    place.names.push_back({old, Sort::Number, Rate::Element, false, {}, {}});
  }
  const bool moves = choices_.chance(70);
  if (moves) note("param moves before regrad");
  if (moves) line("param += " + number(place, Rate::Element, depth_of_expression()));
  regrads_ += place.times;
  line("regrad");
  if (!origin.empty()) line("param = " + origin);
  if (choices_.chance(20)) exit_line(place);
}

/// What can be assigned here: never slower than a condition around.
std::vector<Name> Writer::targets(const Place& place) {
  std::vector<Name> found;
  const bool in_step = place.block == Place::Block::Step;
  const bool assigns = place.block != Place::Block::None && place.block != Place::Block::View &&
                       place.block != Place::Block::Initial;
  for (const Name& name : place.names) {
    const bool is_member = !name.state_rate.empty() || name.text == "param" ||
                           (in_step && name.text == "grad") ||
                           (in_step && name.text == "update" &&
                            (place.update_is_assigned || place.guard == Rate::Const));
    const bool is_known = assigns && (name.is_var || is_member);
    // What a local has under such a condition, it would have behind it.
    const bool would_leave = name.is_outside && types::is_of_matrices(place.guard);
    if (is_known && types::fits(place.guard, name.rate) && !would_leave &&
        (place.has_matrices || !name.is_of_matrices()))
      found.push_back(name);
  }
  return found;
}

std::string Writer::assign_text(Place& at, const Name& target, int depth) {
  Place place = at;
  place.has_matrices = at.has_matrices && !target.is_outside;
  if (target.sort == Sort::Truth) {
    note("assign var");
    return fmt::format("{} = {}", target.text, truth(place, target.rate, depth));
  }
  constexpr const char* kOperators[] = {"=", "+=", "-=", "*=", "/="};
  const char* op = choices_.one_of(kOperators);
  note(std::string("assign ") + op);
  if (target.is_var)
    note("assign var");
  else if (!target.state_rate.empty())
    note("assign state " + target.state_rate);
  else
    note("assign " + target.text);
  return fmt::format("{} {} {}", target.text, op, number(place, target.rate, depth));
}

void Writer::assignment(Place& place) {
  std::vector<Name> found = targets(place);
  if (found.empty()) return let_statement(place);
  const Name target = found[choices_.below(static_cast<std::uint32_t>(found.size()))];
  line(assign_text(place, target, depth_of_expression()));
  if (target.text == "update") place.update_is_assigned = true;
}

void Writer::let_statement(Place& place) {
  const bool is_var = choices_.chance(40);
  const bool is_truth = choices_.chance(25);
  const Rate rate =
      place.block == Place::Block::Function ? Rate::Const : some_rate(place, Rate::Element);
  const std::string name = fresh(is_var ? "v" : "x");
  const std::string value = is_truth ? truth(place, rate, depth_of_expression())
                                     : number(place, rate, depth_of_expression());
  note(std::string("statement ") + (is_var ? "var" : "let") + (is_truth ? " of a truth" : ""));
  line(fmt::format("{} {} = {}", is_var ? "var" : "let", name, value));
  place.names.push_back({name, is_truth ? Sort::Truth : Sort::Number, rate, is_var, {}, {}});
}

/// `{ ... }`, the lines indented, in a scope of its own.
void Writer::body(Place& place, int depth) {
  Place inner = place;
  ++indent_;
  statements(inner, 3, depth - 1);
  --indent_;
}

void Writer::if_statement(Place& place, int depth) {
  const bool in_function = place.block == Place::Block::Function;
  const Rate rate = in_function ? Rate::Const : some_rate(place, Rate::Element);
  note("if statement " + rate_word(in_function ? Rate::Element : rate));
  line(fmt::format("if {} {{", truth(place, rate, depth_of_expression() - 1)));
  Place inner = place;
  inner.guard = types::join(place.guard, rate);
  // A slow condition is no reason to hold back, but `update` is assigned on all ways or none.
  if (rate == Rate::Const && !place.update_is_assigned)
    std::erase_if(inner.names, [](const Name& name) { return name.text == "update"; });
  body(inner, depth);
  switch (choices_.weighted({2, 2, 1})) {
    case 0:
      note("if without else");
      break;
    case 1:
      note("if with else");
      line("} else {");
      body(inner, depth);
      break;
    default:
      note("if with else if");
      // Asked under the first condition: what its blocks assign is assigned there.
      line(fmt::format("}} else if {} {{", truth(inner, rate, depth_of_expression() - 1)));
      body(inner, depth);
      line("} else {");
      body(inner, depth);
  }
  line("}");
}

/// Some statements for matrices, perhaps others for tensors of lower rank.
void Writer::matrix_statement(Place& place, int depth) {
  note("statements for matrices");
  Place other = place;
  other.guard = types::join(place.guard, Rate::Tensor);
  Place inner = inside_matrices(other);
  constexpr const char* kTexts[] = {"rank >= 2", "rank > 1 and size > 5", "rank == 2 or rank == 3",
                                    "rank >= 2 and rows >= cols"};
  if (choices_.chance(80)) {
    line(fmt::format("if {} {{", choices_.one_of(kTexts)));
    body(inner, depth);
    if (choices_.chance(30)) {
      line("} else {");
      body(other, depth);
    }
  } else {
    line("if rank < 2 {");
    body(other, depth);
    line("} else {");
    body(inner, depth);
  }
  line("}");
}

void Writer::update_in_both_arms(Place& place) {
  const bool may_assign =
      std::ranges::any_of(place.names, [](const Name& name) { return name.text == "update"; });
  if (!may_assign || place.guard != Rate::Const) return assignment(place);
  note("update in both arms");
  note("assign update");
  const Rate rate = some_rate(place, Rate::Element);
  note("if statement " + rate_word(rate));
  line(fmt::format("if {} {{", truth(place, rate, depth_of_expression() - 1)));
  Place inner = place;
  inner.guard = types::join(place.guard, rate);
  line("  update = " + number(inner, Rate::Element, depth_of_expression()));
  line("} else {");
  line("  update = " + number(inner, Rate::Element, depth_of_expression()));
  line("}");
  place.update_is_assigned = true;
}

void Writer::for_statement(Place& place, int depth) {
  const std::string variable = fresh("i");
  Place inner = place;
  inner.is_in_loop = true;
  inner.names.push_back({variable, Sort::Number, Rate::Const, false, {}, {}});
  constexpr const char* kRanges[] = {"1..2", "1..1", "0..2", "-1..1"};
  constexpr const char* kWritten[] = {"[0.5, 2]", "[1]", "[1e-3, 3, 0.25]"};
  std::string over = "1..2";
  const std::size_t kind = choices_.weighted({3, 3, 9, 1, 9});
  const Name* list = kind == 2 ? pick_name(place, Sort::List, Rate::Const, false) : nullptr;
  const auto whole = std::ranges::find_if(
      place.names, [](const Name& name) { return name.kind == "int" && name.rate == Rate::Const; });
  if (kind == 1) {
    note("for list");
    over = choices_.one_of(kWritten);
  } else if (list) {
    note(list->text.starts_with("h") ? "for hyper list" : "for module list");
    over = list->text;
  } else if (kind == 3) {
    note("for nothing");
    over = "1..0";
    if (!place.update_is_assigned)
      std::erase_if(inner.names, [](const Name& name) { return name.text == "update"; });
  } else if (kind == 4 && whole != place.names.end()) {
    note("for range to a hyper");
    over = "2.." + whole->text;
  } else {
    note("for range");
    over = choices_.one_of(kRanges);
  }
  line(fmt::format("for {} in {} {{", variable, over));
  inner.times *= over == "1..1" || over == "[1]" ? 1 : over == "1..2" ? 2 : 3;
  ++indent_;
  statements(inner, 2, depth - 1);
  --indent_;
  line("}");
  if (kind != 3) place.update_is_assigned = inner.update_is_assigned;
}

}  // namespace talweg::tests
