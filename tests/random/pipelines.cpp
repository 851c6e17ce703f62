// Random pipelines: stages with arguments, and rules that choose among them.
#include <fmt/format.h>

#include <algorithm>

#include "tests/random/writer.h"

namespace talweg::tests {

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

/// One of the library's that has no rows or columns and ends no call.
std::string Writer::library_stage() {
  note("stage of the library");
  constexpr const char* kStages[] = {"Ema", "Lookahead(k = 2)", "AdamW", "Swa", "LAMB"};
  return choices_.one_of(kStages);
}

/// Rarely one that not all tensors can run.
const Stage& Writer::some_stage(const std::vector<Stage>& stages) {
  const Stage* stage = &stages[choices_.below(static_cast<std::uint32_t>(stages.size()))];
  for (int i = 0; i < 3 && stage->needs_matrices; ++i)
    stage = &stages[choices_.below(static_cast<std::uint32_t>(stages.size()))];
  return *stage;
}

/// "a1 = R1(...) | R2"; later stages see the scalar states of named ones.
std::string Writer::stages_text(Place& around, const std::vector<Stage>& stages) {
  std::vector<std::string> parts;
  std::set<std::string> used;
  const std::size_t count = 1 + choices_.weighted({2, 4, 1});
  for (std::size_t i = 0; i < count; ++i) {
    const Choices::Part part(choices_);
    if (choices_.chance(8)) {
      parts.push_back(library_stage());
      continue;
    }
    const Stage& stage = some_stage(stages);
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
  switch (choices_.weighted({3, 3, 2, 2, 5, depth > 0 ? 2u : 0u, 2})) {
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
    case 6: {
      note("when rows or cols");
      constexpr const char* kTexts[] = {"rank >= 2 and rows > cols", "rank > 1 and cols < 17",
                                        "rank >= 2 and rows >= 33"};
      return choices_.one_of(kTexts);
    }
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
    std::vector<Stage> of_matrices = stages;
    std::erase_if(of_matrices, [](const Stage& stage) { return !stage.needs_matrices; });
    std::string condition = when_condition(around, 1);
    if (!of_matrices.empty() && choices_.chance(70)) {
      note("when for matrices");
      condition = choices_.chance(70) ? "rank >= 2" : fmt::format("rank >= 2 and ({})", condition);
      line(fmt::format("when {}: {}", condition, stages_text(seen, of_matrices)));
      continue;
    }
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
  if (*split_ != 0) line(split_);
  for (int i = 0; choices_.chance(75) && i < 3; ++i) line(hyper(top, around));
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
  if (*split_ != 0) line(fmt::format("  {}", split_));
  line(fmt::format("  when {}: {} | Top", when_condition({}, 1), plain->rule));
  if (choices_.chance(50)) line("  otherwise: " + plain->rule);
  line("}");
  return "m.Outer";
}

}  // namespace talweg::tests
