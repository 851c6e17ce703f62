// Random modules: constants, functions, rules and pipelines.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/random/writer.h"

namespace talweg::tests {

namespace {

constexpr const char* kLists[] = {"[1, 2]", "[0.5]", "[0.1, 0.01]"};

std::string rate_prefix(Rate rate) {
  if (rate == Rate::Model) return "model ";
  return rate == Rate::Const ? "const " : "";
}

}  // namespace

void Writer::module_constants() {
  while (constants_.size() < 2 && choices_.chance(40)) {
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
  switch (
      choices_.weighted({6, made.rate == Rate::Const ? 4u : 2u, 3,
                         made.rate == Rate::Const ? 2u : 0u, made.rate == Rate::Const ? 2u : 0u})) {
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
      break;
    }
    case 1:
      made.kind = "int";
      text = "3 in [1, inf)";
      note("hyper " + word + "int");
      break;
    case 2:
      made.kind = "bool";
      sort = Sort::Truth;
      text = choices_.chance(50) ? "true" : "false";
      note("hyper " + word + "bool");
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
  stage.hypers.push_back(made);
  return fmt::format("hyper {}{}{} = {}", rate_prefix(made.rate), kind, made.name, text);
}

std::string Writer::state(Stage& stage, Place& place, const Place& hypers) {
  const Choices::Part part(choices_);
  constexpr Rate kRates[] = {Rate::Element, Rate::Group, Rate::Model};
  const Rate rate = kRates[choices_.weighted({3, 2, 2})];
  const std::string rate_name(types::to_text(rate));
  const std::string name = fresh("s");
  note("state " + rate_name);
  std::string text = fmt::format("state {}{}", rate == Rate::Element ? "" : rate_name + " ", name);
  switch (choices_.weighted({3, 2, 2, rate == Rate::Element ? 2u : 0u})) {
    case 0:
      break;
    case 1:
      note("initial constant");
      text += " = " + literal();
      break;
    case 2: {
      note("initial of hypers");
      Place seen = hypers;
      const std::string value = number(seen, rate == Rate::Element ? Rate::Group : rate, 2);
      for (Hyper& hyper : stage.hypers)
        if (value.find(hyper.name) != std::string::npos) hyper.is_in_initial = true;
      text += " = " + value;
      break;
    }
    default:
      note("initial param");
      text += " = param";
  }
  place.names.push_back({name, Sort::Number, rate, false, rate_name, {}});
  if (rate != Rate::Element) stage.scalar_states.emplace_back(name, rate);
  return text;
}

/// Made of what there is between steps.
std::string Writer::view(Stage& stage, const Place& place) {
  const Choices::Part part(choices_);
  note("view");
  Place seen = place;
  seen.inputs.clear();
  std::erase_if(seen.names, [](const Name& name) {
    return name.text == "grad" || name.text == "update" || name.text == "calls" ||
           name.text.starts_with("given_");
  });
  const Rate rate = choices_.chance(40) ? some_rate(Rate::Group) : Rate::Element;
  if (rate != Rate::Element) note("view of a slower value");
  const std::string value = number(seen, rate, 2);
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
  for (int i = 0; i < 4 && choices_.chance(60); ++i) line(hyper(stage, place));
  const Place hypers = place;
  if (choices_.chance(30)) {
    note("input element");
    line("input given_elements");
    place.names.push_back({"given_elements", Sort::Number, Rate::Element, false, {}, {}});
    place.inputs.emplace_back("given_elements");
  }
  if (choices_.chance(30)) {
    note("input model");
    line("input model given_number");
    place.names.push_back({"given_number", Sort::Number, Rate::Model, false, {}, {}});
    place.inputs.emplace_back("given_number");
  }
  for (int i = 0; i < 3 && choices_.chance(70); ++i) line(state(stage, place, hypers));
  for (const char* name : {"param", "grad", "update"})
    place.names.push_back({name, Sort::Number, Rate::Element, false, {}, {}});
  for (const char* name : {"t", "calls"})
    place.names.push_back({name, Sort::Number, Rate::Model, false, {}, {}});
  const Place members = place;
  const bool has_after = choices_.chance(25);
  const bool has_view = choices_.chance(25);
  note("step");
  ends_calls_ = false;
  line("step {");
  Place step = place;
  step.block = Place::Block::Step;
  ++indent_;
  statements(step, 5, 2);
  --indent_;
  line("}");
  if (has_after) {
    note("after");
    line("after {");
    Place after = place;
    after.block = Place::Block::After;
    ++indent_;
    statements(after, 3, 1);
    --indent_;
    line("}");
  }
  for (int i = 0; has_view && i < 2 && (i == 0 || choices_.chance(30)); ++i) {
    if (i > 0) note("two views");
    line(view(stage, members));
  }
  --indent_;
  line("}");
  stage.ends_calls = ends_calls_;
  stages_.push_back(std::move(stage));
}

std::string Writer::argument_value(const Hyper& hyper, Place& stage_sees) {
  // A value that depends on the step cannot be what a state begins with.
  const bool is_bound = hyper.rate != Rate::Const && !hyper.is_in_initial &&
                        choices_.chance(hyper.is_in_view ? 90 : 60);
  Place around = stage_sees;
  if (is_bound && hyper.is_in_view) {
    note("view of a bound hyper");
    around.inputs.clear();
    std::erase_if(around.names, [](const Name& name) {
      return name.text != "t" &&
             (!name.text.starts_with("h") || name.text.find('.') != std::string::npos);
    });
  }
  if (!is_bound) {
    note("argument constant");
    if (hyper.kind == "int") return "2";
    if (hyper.kind == "bool") return choices_.chance(50) ? "true" : "false";
    if (hyper.kind == "choices") return choices_.chance(50) ? "corrected" : "raw";
    if (hyper.kind == "list") return choices_.one_of(kLists);
    return "0.75";
  }
  if (hyper.kind == "bool") {
    note("argument bound truth");
    return truth(around, hyper.rate, 2);
  }
  note("argument bound");
  const auto reads_stage = [](const Name& name) {
    return name.text.find('.') != std::string::npos;
  };
  const auto state = std::ranges::find_if(around.names, [&](const Name& name) {
    return reads_stage(name) && types::fits(name.rate, hyper.rate);
  });
  if (hyper.kind.empty() && state != around.names.end() && choices_.chance(85))
    return fmt::format("clip({}, 0.25, 0.75)", state->text);
  if (hyper.kind == "int")
    return fmt::format("1 + floor(abs({})) + 0 * t", leaf(around, hyper.rate));
  const std::string value = number(around, hyper.rate, 2);
  if (choices_.chance(10)) return fmt::format("({}) * t", value);  // may be refused in some step
  // Not a constant, which could be out of range when the rule is compiled.
  return fmt::format("clip({} + 0 * t, 0.125, 0.5)", value);
}

std::string Writer::arguments(const Stage& stage, Place& around) {
  std::vector<std::string> given;
  const bool by_position = choices_.chance(30);
  for (const Hyper& hyper : stage.hypers) {
    if (!choices_.chance(75)) {
      if (by_position) break;
      continue;
    }
    const std::string value = argument_value(hyper, around);
    if (by_position) note("argument by position");
    given.push_back(by_position ? value : hyper.name + " = " + value);
    if (value.find(".s") != std::string::npos) note("argument reads stage state");
  }
  return given.empty() ? "" : fmt::format("({})", fmt::join(given, ", "));
}

/// "a1 = R1(...) | R2"; later stages see the scalar states of named ones.
std::string Writer::stages_text(Place& around, const std::vector<Stage>& stages) {
  std::vector<std::string> parts;
  std::set<std::string> used;
  const std::size_t count = 1 + choices_.weighted({2, 4, 1});
  for (std::size_t i = 0; i < count; ++i) {
    const Choices::Part part(choices_);
    const Stage& stage = stages[choices_.below(static_cast<std::uint32_t>(stages.size()))];
    if (!used.insert(stage.rule).second) note("rule used twice");
    const std::string text = stage.rule + arguments(stage, around);
    if (!choices_.chance(70)) {
      parts.push_back(text);
      continue;
    }
    note("named stage");
    const std::string label = fresh("stage");
    parts.push_back(label + " = " + text);
    for (const auto& [state, rate] : stage.scalar_states)
      around.names.push_back({label + "." + state, Sort::Number, rate, false, {}, {}});
  }
  return fmt::format("{}", fmt::join(parts, " | "));
}

/// What is known of a tensor. Sizes are compared with numbers below kPeriod only: the reference has
/// no more elements than that.
std::string Writer::when_condition(const Place& around, int depth) {
  const Choices::Part part(choices_);
  switch (choices_.weighted({3, 3, 2, 2, 5, depth > 0 ? 2u : 0u})) {
    case 0: {
      note("when rank");
      constexpr const char* kTexts[] = {"rank == 1", "rank >= 2", "rank < 1",
                                        "rank == 2 or rank == 0"};
      return choices_.one_of(kTexts);
    }
    case 1: {
      note("when size");
      constexpr const char* kTexts[] = {"size > 32", "size <= 1", "size < 100", "size >= 8"};
      return choices_.one_of(kTexts);
    }
    case 2: {
      note("when named");
      constexpr const char* kTexts[] = {"named(\"tensor0\")", "named(\"*2\")", "named(\"t?nsor*\")",
                                        "named(\"bias\")"};
      return choices_.one_of(kTexts);
    }
    case 3:
      note("when tagged");
      return choices_.chance(50) ? "tagged(\"odd\")" : "not tagged(\"even\")";
    case 4:
      return when_constant(around);
    default: {
      note("when of logic");
      const std::string left = when_condition(around, depth - 1);
      const char* op = choices_.chance(50) ? "and" : "or";
      return fmt::format("({}) {} not ({})", left, op, when_condition(around, depth - 1));
    }
  }
}

/// Of a const hyper, alone or beside what is known of a tensor.
std::string Writer::when_constant(const Place& around) {
  std::vector<const Name*> found;
  for (const Name& name : around.names)
    if (name.text.starts_with("h") && name.rate == Rate::Const && name.sort != Sort::List)
      found.push_back(&name);
  if (found.empty()) {
    note("when of a constant");
    return choices_.chance(50) ? "size > 2 * 4" : "rank == 0 or 1 < 2";
  }
  note("when of a const hyper");
  const Name& name = *found[choices_.below(static_cast<std::uint32_t>(found.size()))];
  if (name.sort == Sort::Truth) return name.text;
  if (name.sort == Sort::Choice) return name.text + " == raw";
  if (name.kind == "int") return fmt::format("rank < {}", name.text);
  return choices_.chance(50) ? name.text + " > 0.5" : fmt::format("size > 20 * {}", name.text);
}

/// `when ...: A | B`, and perhaps `otherwise: C`.
void Writer::arms(const Place& around, const std::vector<Stage>& stages) {
  const std::uint32_t count = 1 + choices_.below(2);
  for (std::uint32_t i = 0; i < count; ++i) {
    Place seen = around;  // labels of an arm end with it
    const std::string condition = when_condition(around, 1);
    line(fmt::format("when {}: {}", condition, stages_text(seen, stages)));
  }
  if (!choices_.chance(70)) {
    note("when without otherwise");
    return;
  }
  note("otherwise");
  Place seen = around;
  line("otherwise: " + stages_text(seen, stages));
}

/// Whether it chooses.
bool Writer::pipeline_rule() {
  note("pipeline in rule");
  Place around;
  for (const char* name : {"t", "calls"})
    around.names.push_back({name, Sort::Number, Rate::Model, false, {}, {}});
  Stage top;
  line("rule Top {");
  ++indent_;
  for (int i = 0; i < 3 && choices_.chance(75); ++i) line(hyper(top, around));
  if (choices_.chance(40)) {
    note("input model");
    line("input model given_number");
    around.names.push_back({"given_number", Sort::Number, Rate::Model, false, {}, {}});
    around.inputs.emplace_back("given_number");
  }
  std::vector<Stage> for_arms = stages_;
  std::erase_if(for_arms, [](const Stage& stage) { return stage.ends_calls; });
  const bool has_arms = choices_.chance(45) && !for_arms.empty();
  if (has_arms)
    arms(around, for_arms);
  else
    line("pipeline " + stages_text(around, stages_));
  --indent_;
  line("}");
  return has_arms;
}

/// A rule that chooses, in the arm of another, perhaps beside one of the stages.
std::string Writer::rule_of_arms() {
  const Choices::Part part(choices_);
  note("ways in ways");
  const auto plain = std::ranges::find_if(stages_, [](const Stage& s) { return !s.ends_calls; });
  line("rule Outer {");
  line(fmt::format("  when {}: {} | Top", when_condition({}, 1), plain->rule));
  if (choices_.chance(50)) line("  otherwise: " + plain->rule);
  line("}");
  return "m.Outer";
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
  module_constants();
  while (functions_.size() < 3 && choices_.chance(40)) function();
  if (choices_.chance(15)) library();
  while (stages_.empty() || (stages_.size() < 3 && choices_.chance(25))) stage_rule();
  RuleText text;
  text.expression = "m." + stages_.back().rule;
  Place around;
  for (const char* name : {"t", "calls"})
    around.names.push_back({name, Sort::Number, Rate::Model, false, {}, {}});
  switch (choices_.weighted({8, 6, 1, 2})) {
    case 0:
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
  text.module = std::move(out_);
  text.library = std::move(library_);
  text.features = std::move(features_);
  return text;
}

RuleText write_rule(Choices& choices) { return Writer(choices).run(); }

}  // namespace talweg::tests
