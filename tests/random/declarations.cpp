// Random modules: constants, functions, rules and pipelines.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/random/writer.h"

namespace talweg::tests {

namespace {

std::vector<Name> line_states(const Place& place) {
  std::vector<Name> states;
  for (const Name& name : place.names)
    if (!name.state_rate.empty() && types::is_of_matrices(name.rate)) states.push_back(name);
  return states;
}

std::string rate_prefix(Rate rate) {
  if (rate == Rate::Model) return "model ";
  return rate == Rate::Const ? "const " : "";
}

}  // namespace

void Writer::module_constants() {
  while (choices_.chance(40) && constants_.size() < 2) {
    const Choices::Part part(choices_);
    note("module constant");
    const std::string name = fresh("k");
    if (choices_.chance(30)) {
      line(fmt::format("let {} = {}", name, choices_.one_of(kLists)));
      constants_.push_back({name, Sort::List, Rate::Const, false, {}, {}});
    } else {
      Place nowhere;
      line(fmt::format("let {} = {}", name, number(nowhere, Rate::Const, 2)));
      constants_.push_back({name, Sort::Number, Rate::Const, false, {}, {}});
    }
  }
}

void Writer::function() {
  const Choices::Part part(choices_);
  Function fn;
  fn.name = fresh("f");
  fn.gives_truth = choices_.chance(25);
  keeps_ = false;
  if (fn.gives_truth) note("fn of a truth");
  Place place;
  place.block = Place::Block::Function;
  const std::uint32_t count = 1 + choices_.below(3);
  for (std::uint32_t i = 0; i < count; ++i) {
    fn.parameters.push_back(fresh("a"));
    place.names.push_back({fn.parameters.back(), Sort::Number, Rate::Const, false, {}, {}});
  }
  fn.last_has_default = choices_.chance(40);
  std::string head = fmt::format("fn {}({}", fn.name, fmt::join(fn.parameters, ", "));
  if (fn.last_has_default) {
    note("fn with default");
    head += " = " + literal();
  }
  const auto value = [&] {
    return fn.gives_truth ? truth(place, Rate::Const, 2) : number(place, Rate::Const, 3);
  };
  if (choices_.chance(40)) {
    note("fn of a block");
    line(head + ") {");
    ++indent_;
    statements(place, 3, 1);
    line(value());
    --indent_;
    line("}");
  } else {
    note("fn of an expression");
    line(head + ") = " + value());
  }
  fn.keeps = keeps_;
  if (fn.keeps) note("fn with previous");
  functions_.push_back(std::move(fn));
}

std::string Writer::hyper(Stage& stage, Place& place) {
  const Choices::Part part(choices_);
  Hyper made;
  made.name = fresh("h");
  constexpr Rate kRates[] = {Rate::Group, Rate::Model, Rate::Const};
  made.rate = choices_.one_of(kRates);
  Sort sort = Sort::Number;
  std::string text;
  std::string word = made.rate == Rate::Model ? "model " : made.rate == Rate::Const ? "const " : "";
  const bool is_const = made.rate == Rate::Const;
  switch (choices_.weighted({6, is_const ? 4u : 2u, 3, is_const ? 3u : 0u, is_const ? 3u : 0u})) {
    case 0: {
      constexpr const char* kRanges[] = {"0.5 in [0, inf)", "0.9 in (0, 1)", "0.1",
                                         "0.25 in [-1, 1]", "1 in (0, inf]"};
      std::string value = choices_.one_of(kRanges);
      const Name* constant = pick_name(place, Sort::Number, Rate::Const, false);
      if (constant && constant->text.starts_with("h") && choices_.chance(50)) {
        note("hyper default of a constant");
        value = fmt::format("0.5 + 0.25 * sin({}) in (0, 1)", constant->text);
      }
      text = value;
      note("hyper " + word + "number");
      if (!is_const && choices_.chance(30)) text = following_default(made, place);
      break;
    }
    case 1:
      made.kind = "int";
      text = "3 in [1, inf)";
      note("hyper " + word + "int");
      if (!is_const && choices_.chance(25)) text = following_default(made, place);
      break;
    case 2:
      made.kind = "bool";
      sort = Sort::Truth;
      text = choices_.chance(50) ? "true" : "false";
      note("hyper " + word + "bool");
      if (!is_const && choices_.chance(25)) text = following_default(made, place);
      break;
    case 3:
      made.kind = "choices";
      sort = Sort::Choice;
      text = choices_.chance(50) ? "raw in {raw, corrected}" : "corrected in {raw, corrected}";
      note("hyper const choices");
      break;
    default:
      made.kind = "list";
      sort = Sort::List;
      text = choices_.one_of(kLists);
      note("hyper const list");
  }
  const std::string kind = made.kind == "int" || made.kind == "bool" ? made.kind + " " : "";
  place.names.push_back({made.name, sort, made.rate, false, {}, made.kind});
  made.text = text;
  stage.hypers.push_back(made);
  return fmt::format("hyper {}{}{} = {}", rate_prefix(made.rate), kind, made.name, text);
}

/// An expression of the hypers so far, which is in range whatever they are.
std::string Writer::following_default(Hyper& made, const Place& hypers) {
  made.follows = true;
  note("hyper that follows others");
  Place seen = hypers;
  std::erase_if(seen.names, [](const Name& name) { return !name.text.starts_with("h"); });
  // So that it is no constant, if it can.
  const Name* other = pick_name(seen, Sort::Number, made.rate, true);
  if (made.kind == "bool") return truth(seen, made.rate, 2);
  std::string value = number(seen, made.rate, 2);
  if (other) value = fmt::format("{} + ({})", other->text, value);
  value = fmt::format("(if is_finite({0}) then {0} else 0.5)", value);
  if (made.kind == "int") return fmt::format("1 + floor(8 * abs(sin({}))) in [1, inf)", value);
  return choices_.chance(50) ? fmt::format("0.5 + 0.25 * sin({}) in (0, 1)", value)
                             : fmt::format("clip({}, -2, 2) in [-2, 2]", value);
}

/// What is known of a tensor, in a step and in views.
void Writer::facts(Place& place) {
  for (const char* name : {"rank", "size", "rows", "cols"})
    place.names.push_back({name, Sort::Number, Rate::Tensor, false, {}, {}});
}

void Writer::inputs(Place& place) {
  struct Kind {
    Rate rate;
    const char* name;
  };
  constexpr Kind kKinds[] = {{Rate::Element, "given_elements"}, {Rate::Model, "given_number"},
                             {Rate::Tensor, "given_tensor"},    {Rate::Group, "given_group"},
                             {Rate::Matrix, "given_matrices"},  {Rate::Row, "given_rows"},
                             {Rate::Col, "given_cols"}};
  for (const auto& [rate, name] : kKinds) {
    if (!choices_.chance(rate == Rate::Element || rate == Rate::Model ? 30 : 20)) continue;
    const std::string word(types::to_text(rate));
    note("input " + word);
    line(fmt::format("input {}{}", rate == Rate::Element ? "" : word + " ", name));
    place.names.push_back({name, Sort::Number, rate, false, {}, {}});
    place.inputs.emplace_back(name);
  }
}

/// Most rules that require something are for matrices.
void Writer::requirement(Stage& stage) {
  constexpr const char* kOfMatrices[] = {"rank >= 2", "rank > 1 and not named(\"bias\")",
                                         "rank >= 2 and rows * cols <= size",
                                         "not (rank < 2) and (size > 1 or cols < 4)"};
  constexpr const char* kOthers[] = {"size >= 0", "rank < 9 and not tagged(\"none\")",
                                     "named(\"tensor*\")", "rank < 3"};
  switch (choices_.weighted({70, 20, 8})) {
    case 0:
      return;
    case 1:
      stage.needs_matrices = true;
      note("require rank");
      return line(std::string("require ") + choices_.one_of(kOfMatrices));
    default:
      note("require");
      return line(std::string("require ") + choices_.one_of(kOthers));
  }
}

std::string Writer::initial_value(Stage& stage, const Place& hypers, Rate rate) {
  Place seen = hypers;
  if (rate == Rate::Element)
    seen.names.push_back({"param", Sort::Number, Rate::Element, false, {}, {}});
  std::string value = number(seen, rate, 2);
  if (rate == Rate::Element && value.find("param") == std::string::npos) value += " * param";
  for (Hyper& hyper : stage.hypers)
    if (value.find(hyper.name) != std::string::npos) hyper.is_in_initial = true;
  return value;
}

/// Other tensors do not keep a state of rows, so its initial value may always see them.
std::string Writer::reduced_initial_value(Stage& stage, const Place& hypers, Rate rate) {
  Place seen = hypers;
  seen.block = Place::Block::Initial;
  seen.has_matrices = stage.needs_matrices || types::is_of_matrices(rate);
  seen.names.push_back({"param", Sort::Number, Rate::Element, false, {}, {}});
  facts(seen);
  std::string value = reduction(seen, rate, 3);
  if (choices_.chance(60)) value = "(" + number(seen, rate, 2) + ") * " + value;
  for (Hyper& hyper : stage.hypers)
    if (value.find(hyper.name) != std::string::npos) hyper.is_in_initial = true;
  return value;
}

std::string Writer::state(Stage& stage, Place& place, const Place& hypers) {
  const Choices::Part part(choices_);
  constexpr Rate kRates[] = {Rate::Element, Rate::Group, Rate::Model, Rate::Tensor,
                             Rate::Matrix,  Rate::Row,   Rate::Col};
  const std::uint32_t of_matrices = stage.needs_matrices ? 3 : 1;
  const Rate rate = kRates[choices_.weighted({6, 4, 4, 4, of_matrices, of_matrices, of_matrices})];
  const std::string rate_name(types::to_text(rate));
  const std::string name = fresh("s");
  note("state " + rate_name);
  std::string text = fmt::format("state {}{}", rate == Rate::Element ? "" : rate_name + " ", name);
  const std::uint32_t of_elements = rate == Rate::Element ? 2 : 0;
  switch (choices_.weighted({3, 2, 2, of_elements, of_elements, 1})) {
    case 0:
      break;
    case 5:
      note("initial that reduces");
      if (types::is_of_matrices(rate)) note("initial that reduces, of lines");
      text += " = " + reduced_initial_value(stage, hypers, rate);
      break;
    case 1:
      note("initial constant");
      text += " = " + literal();
      break;
    case 2:
      note("initial of hypers");
      text += " = " + initial_value(stage, hypers, rate == Rate::Model ? rate : Rate::Group);
      break;
    case 3:
      note("initial param");
      text += " = param";
      break;
    default:
      note("initial of param and hypers");
      text += " = " + initial_value(stage, hypers, Rate::Element);
  }
  place.names.push_back({name, Sort::Number, rate, false, rate_name, {}});
  if (types::fits(rate, Rate::Group)) stage.scalar_states.emplace_back(name, rate);
  return text;
}

/// Rows, columns and matrices are some of what a view is made of where it is of elements.
std::string Writer::view_value(Place& place, Rate rate) {
  const std::uint32_t of_lines = rate != Rate::Element ? 0 : line_states(place).empty() ? 4 : 12;
  switch (choices_.weighted({5, may_reduce(place, rate) ? 3u : 0u, of_lines})) {
    case 0:
      return number(place, rate, 2);
    case 1: {
      const std::string reduced = reduction(place, rate, 2);
      const char* op = choices_.chance(50) ? " * " : " - ";
      return reduced + op + "(" + number(place, rate, 1) + ")";
    }
    default:
      break;
  }
  if (place.has_matrices) return view_of_lines(place);
  Place other = place;
  other.guard = types::join(place.guard, Rate::Tensor);
  const std::string value = view_of_lines(inside_matrices(other));
  return fmt::format("if rank >= 2 then {} else {}", value, number(other, rate, 1));
}

/// Of one value per element.
std::string Writer::view_of_lines(const Place& place) {
  constexpr Rate kRates[] = {Rate::Row, Rate::Col, Rate::Matrix};
  Place inner = place;
  const std::vector<Name> states = line_states(place);
  Rate rate = choices_.one_of(kRates);
  std::string lines;
  if (!states.empty() && choices_.chance(70)) {
    const Name& state = states[choices_.below(static_cast<std::uint32_t>(states.size()))];
    note_state(place, state);
    lines = state.text;
    rate = state.rate;
  } else {
    lines = value_of_rate(inner, rate);
  }
  const std::string others = number(inner, choices_.chance(50) ? rate : Rate::Element, 1);
  return fmt::format("{} * ({} + ({}))", choices_.chance(50) ? "param" : some_elements(place),
                     lines, others);
}

/// Made of what there is between steps.
std::string Writer::view(Stage& stage, const Place& place) {
  const Choices::Part part(choices_);
  note("view");
  Place seen = place;
  seen.block = Place::Block::View;
  seen.inputs.clear();
  std::erase_if(seen.names, [](const Name& name) {
    return name.text == "grad" || name.text == "update" || name.text == "calls" ||
           name.text.starts_with("given_");
  });
  const Rate rate = choices_.chance(40) ? some_rate(place, Rate::Element) : Rate::Element;
  if (rate != Rate::Element) note("view of a slower value");
  const std::string value = view_value(seen, rate);
  for (Hyper& hyper : stage.hypers)
    if (value.find(hyper.name) != std::string::npos) hyper.is_in_view = true;
  stage.has_view = true;
  return fmt::format("view {} = {}", fresh("w"), value);
}

void Writer::stage_rule() {
  const Choices::Part part(choices_);
  Stage stage;
  stage.rule = fresh("R");
  Place place;
  line("rule " + stage.rule + " {");
  ++indent_;
  for (int i = 0; choices_.chance(60) && i < 4; ++i) line(hyper(stage, place));
  const Place hypers = place;
  inputs(place);
  requirement(stage);
  place.has_matrices = stage.needs_matrices;
  if (*split_ != 0) line(split_);
  for (int i = 0; choices_.chance(70) && i < 4; ++i) line(state(stage, place, hypers));
  for (const char* name : {"param", "grad", "update"})
    place.names.push_back({name, Sort::Number, Rate::Element, false, {}, {}});
  for (const char* name : {"t", "calls"})
    place.names.push_back({name, Sort::Number, Rate::Model, false, {}, {}});
  facts(place);
  const Place members = place;
  note("step");
  ends_calls_ = false;
  regrads_ = 0;
  line("step {");
  Place step = place;
  step.block = Place::Block::Step;
  ++indent_;
  statements(step, 5, 2);
  --indent_;
  line("}");
  if (choices_.chance(25)) {
    note("after");
    line("after {");
    Place after = place;
    after.block = Place::Block::After;
    ++indent_;
    statements(after, 3, 1);
    --indent_;
    line("}");
  }
  for (int i = 0; choices_.chance(35) && i < 2; ++i) {
    if (i > 0) note("two views");
    line(view(stage, members));
  }
  --indent_;
  line("}");
  stage.ends_calls = ends_calls_;
  // What reads a hyper that follows others reads these.
  for (std::size_t i = stage.hypers.size(); i-- > 0;)
    for (std::size_t k = 0; k < i && stage.hypers[i].follows; ++k) {
      if (stage.hypers[i].text.find(stage.hypers[k].name) == std::string::npos) continue;
      stage.hypers[k].is_in_initial |= stage.hypers[i].is_in_initial;
      stage.hypers[k].is_in_view |= stage.hypers[i].is_in_view;
    }
  stages_.push_back(std::move(stage));
}

/// What was written so far becomes a module of its own, imported whole or by names.
void Writer::library() {
  if (functions_.empty()) return;
  library_ = std::exchange(out_, {});
  std::vector<std::string> names;
  const bool is_whole = choices_.chance(50);
  const auto take = [&](std::string& name) {
    names.push_back(name);
    if (is_whole) name = "n." + name;
  };
  for (Function& fn : functions_) take(fn.name);
  for (Name& constant : constants_) take(constant.text);
  note(is_whole ? "import of a module" : "import of names");
  line(is_whole ? "import n" : fmt::format("import n: {}", fmt::join(names, ", ")));
}

RuleText Writer::run() {
  constexpr const char* kSplits[] = {"", "matrix (last two)", "matrix (two largest)",
                                     "matrix (0 | rest)"};
  split_ = kSplits[choices_.weighted({4, 4, 4, 1})];
  if (*split_ != 0) note(split_);
  module_constants();
  while (choices_.chance(40) && functions_.size() < 3) function();
  if (choices_.chance(15)) library();
  while (stages_.empty() || (choices_.chance(25) && stages_.size() < 3)) stage_rule();
  RuleText text;
  text.expression = "m." + stages_.back().rule;
  Place around;
  for (const char* name : {"t", "calls"})
    around.names.push_back({name, Sort::Number, Rate::Model, false, {}, {}});
  switch (choices_.weighted({8, 6, 1, 2})) {
    case 0:
      if (stages_.back().needs_matrices && !stages_.back().ends_calls && choices_.chance(60)) {
        note("when for matrices");
        line(fmt::format("rule Top {{ when rank >= 2: {} }}", stages_.back().rule));
        text.expression = "m.Top";
      }
      break;
    case 1:
      text.expression = "m.Top";
      if (pipeline_rule() && choices_.chance(30)) {
        text.expression = rule_of_arms();
      } else if (choices_.chance(20)) {
        note("pipeline of ways");
        text.expression = fmt::format("m.{} | m.Top", stages_.front().rule);
      }
      break;
    case 2: {
      note("pipeline as short rule");
      line("rule Top = " + stages_text(around, stages_));
      text.expression = "m.Top";
      break;
    }
    default: {
      note("pipeline in expression");
      const Stage& second = stages_[choices_.below(static_cast<std::uint32_t>(stages_.size()))];
      text.expression += " | m." + second.rule;
    }
  }
  if (choices_.chance(10)) text.expression += " | " + library_stage();
  if (choices_.chance(3)) text.expression = library_stage() + " | " + text.expression;
  if (choices_.chance(4) && !has_regrads_) {
    note("SAM");
    constexpr const char* kStages[] = {"SAM", "SAM(adaptive = true)", "LookSAM(k = 2)"};
    text.expression = choices_.one_of(kStages) + (" | " + text.expression);
  }
  text.module = std::move(out_);
  text.library = std::move(library_);
  text.features = std::move(features_);
  return text;
}

RuleText write_rule(Choices& choices) { return Writer(choices).run(); }

}  // namespace talweg::tests
