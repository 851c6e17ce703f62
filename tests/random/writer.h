// Writes random well-typed modules as source text. Every choice comes from Choices, the simplest is
// 0.
//
// The rules of the language that make a text well-typed are kept here by construction: a name is
// used where it can be seen, a value never has a faster rate than its place, nothing slow is
// assigned under a fast condition, `update` is assigned on every way or on none.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/types/rate.h"
#include "tests/random/choices.h"

namespace talweg::tests {

using types::Rate;

/// A module named `m` and the expression that names its rule, as for `talweg train --rule`.
struct RuleText {
  std::string module;
  std::string library = {};  // the text of module `n`, which `m` imports; empty: there is none
  std::string expression;
  std::set<std::string> features = {};  // those of coverage.h that were written
};

RuleText write_rule(Choices& choices);

/// Values of lists that are declared.
inline constexpr const char* kLists[] = {"[1, 2]", "[0.5]", "[0.1, 0.01]"};

enum class Sort { Number, Truth, List, Choice };

/// A name that can be read, and perhaps assigned.
struct Name {
  std::string text;
  Sort sort = Sort::Number;
  Rate rate = Rate::Const;  // the fastest that its value can have
  bool is_var = false;
  std::string state_rate;   // of a state: "element", "group", ...
  std::string kind;         // of a hyper: that of Hyper
  bool is_outside = false;  // a local that is seen where there are no matrices too

  /// What only tensors of rank 2 or more have a value for.
  [[nodiscard]] bool is_of_matrices() const {
    return types::is_of_matrices(rate) || text == "rows" || text == "cols";
  }
};

struct Function {
  std::string name;
  std::vector<std::string> parameters;
  bool last_has_default = false;
  bool gives_truth = false;
  bool keeps = false;  // by `previous`: called in a step only
};

struct Hyper {
  std::string name;
  std::string kind;  // "", "int", "bool", "choices", "list"
  Rate rate = Rate::Group;
  bool is_in_initial = false;  // read by a state's initial value: never bound
  bool is_in_view = false;     // read by a view: bound to hypers, constants and `t` only
  bool follows = false;        // others, until it is set
  std::string text = {};       // its default
};

/// A rule that is one stage.
struct Stage {
  std::string rule;
  std::vector<Hyper> hypers;
  std::vector<std::pair<std::string, Rate>> scalar_states;
  bool ends_calls = false;  // or waits: not in the arms of a `when`
  bool has_view = false;
  bool needs_matrices = false;  // by `require`
};

/// What can be seen from where an expression or a statement stands.
struct Place {
  enum class Block { None, Initial, Step, After, View, Function } block = Block::None;
  std::vector<Name> names;
  std::vector<std::string> inputs;  // that `given` may ask for
  Rate guard = Rate::Const;         // the fastest condition around
  bool is_in_loop = false;
  int times = 1;                    // that it is run in one step, in loops
  bool has_matrices = false;        // the rank is 2 or more
  bool update_is_assigned = false;  // on every way to here
};

class Writer {
 public:
  explicit Writer(Choices& choices) : choices_(choices) {}
  RuleText run();

 private:
  // expressions.cpp. `limit`: the value's rate is at most this.
  std::string number(Place& place, Rate limit, int depth);
  std::string truth(Place& place, Rate limit, int depth);
  std::string leaf(const Place& place, Rate limit);
  std::string previous(Place& place, Rate limit, int depth);
  std::string matrix_if_expression(Place& place, int depth);
  std::string literal();
  std::string arithmetic(Place& place, Rate limit, int depth);
  std::string builtin_call(Place& place, Rate limit, int depth);
  std::string power(Place& place, Rate limit, int depth);
  std::string if_expression(Place& place, Rate limit, int depth, Sort sort);
  std::string arm(Place& place, Rate limit, int depth, Sort sort, Rate condition);
  std::string fn_call(Place& place, Rate limit, int depth, const Function& fn);

  // reductions.cpp
  std::vector<Rate> reduction_rates(const Place& place, Rate limit);
  bool may_reduce(const Place& place, Rate limit);
  std::string reduction(Place& place, Rate limit, int depth);
  std::string truth_reduction(Place& place, Rate limit, int depth);
  std::string reduced_operand(Place& place, Rate over, int depth);
  std::string value_of_rate(const Place& place, Rate rate);
  std::string some_elements(const Place& place);
  /// Where it stands in a view: that is to be seen.
  void note_in_view(const Place& place, const std::string& what);
  void note_state(const Place& place, const Name& name);
  bool may_keep(const Place& place, Rate limit);
  std::string fact_condition(const Place& place);
  static Place inside_matrices(const Place& place);
  std::string comparison(Place& place, Rate limit, int depth);
  const Function* pick_function(const Place& place, Rate limit, bool gives_truth);
  /// Sometimes in parentheses: precedence does not change types among numbers.
  std::string operand(Place& place, Rate limit, int depth);
  const Name* pick_name(const Place& place, Sort sort, Rate limit, bool of_that_rate);

  // statements.cpp
  int depth_of_expression();
  void statements(Place& place, int most, int depth);
  void statement(Place& place, int depth);
  void let_statement(Place& place);
  void assignment(Place& place);
  void if_statement(Place& place, int depth);
  void matrix_statement(Place& place, int depth);
  void update_in_both_arms(Place& place);
  void for_statement(Place& place, int depth);
  void exit_statement(Place& place);
  void exit_line(Place& place);
  bool may_regrad(const Place& place) const;
  void regrad_statement(Place& place);
  void regrad_lines(Place& place);
  void body(Place& place, int depth);
  std::string assign_text(Place& place, const Name& target, int depth);
  std::vector<Name> targets(const Place& place);

  // declarations.cpp
  void module_constants();
  void library();
  void function();
  void stage_rule();
  std::string hyper(Stage& stage, Place& place);
  std::string following_default(Hyper& hyper, const Place& hypers);
  void facts(Place& place);
  void inputs(Place& place);
  void requirement(Stage& stage);
  std::string initial_value(Stage& stage, const Place& hypers, Rate rate);
  std::string reduced_initial_value(Stage& stage, const Place& hypers, Rate rate);
  std::string state(Stage& stage, Place& place, const Place& hypers);
  std::string view(Stage& stage, const Place& place);
  std::string view_value(Place& place, Rate rate);
  std::string view_of_lines(const Place& place);

  // pipelines.cpp
  bool pipeline_rule();
  std::string rule_of_arms();
  std::string arguments(const Stage& stage, Place& around);
  std::string argument_value(const Hyper& hyper, Place& around);
  std::string stages_text(Place& around, const std::vector<Stage>& stages);
  const Stage& some_stage(const std::vector<Stage>& stages);
  std::string library_stage();
  std::string when_condition(const Place& around, int depth);
  std::string when_constant(const Place& around);
  void arms(const Place& around, const std::vector<Stage>& stages);

  Rate some_rate(const Place& place, Rate limit);
  void note(const std::string& feature) { features_.insert(feature); }
  void line(const std::string& text) { out_ += std::string(2 * indent_, ' ') + text + "\n"; }
  std::string fresh(const char* prefix) { return prefix + std::to_string(++names_made_); }

  Choices& choices_;
  std::set<std::string> features_;
  std::string out_, library_;
  std::size_t indent_ = 0;
  int names_made_ = 0;
  const char* split_ = "";       // of all rules, as they declare it
  bool ends_calls_ = false;      // the rule that is being written: by `skip`, `hold` or `regrad`
  int regrads_ = 0;              // of the rule that is being written, in one step
  bool has_regrads_ = false;     // some rule
  bool keeps_ = false;           // the function that is being written
  std::vector<Name> constants_;  // of the module
  std::vector<Function> functions_;
  std::vector<Stage> stages_;
};

}  // namespace talweg::tests
