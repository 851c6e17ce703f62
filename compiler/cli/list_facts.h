// What there is to say about a rule, gathered once for both forms of output of `talweg list NAME`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/cli/list_library.h"
#include "compiler/driver/compile.h"

namespace talweg::cli {

struct HyperRow {
  std::string name;
  std::string value;   // its default as written; of a fixed one what it is
  std::string limits;  // a range or the choices
  std::string kind;    // "const int"
  std::string doc;
  bool is_bound = false;  // of a fixed one: an expression is evaluated for it in every step
};
struct StateRow {
  std::string name;
  std::string rate;
  std::string initial;
  std::string where;   // of a stage in an arm: the tensors that keep it
  bool exists = true;  // with the const hypers as they are by default
  std::string doc;
};
struct InputRow {
  std::string name;
  std::string rate;
  std::string doc;
};
struct ViewRow {
  std::string name;
  std::string value;
  std::string where;
  std::string doc;
};

struct RuleFacts {
  std::vector<HyperRow> hypers;  // that a user can set
  std::vector<HyperRow> fixed;   // of its stages: bound, or const
  std::vector<StateRow> states;
  std::vector<InputRow> inputs;
  std::vector<ViewRow> views;
  std::uint32_t bytes_float32 = 0, bytes_float64 = 0;  // of state, a parameter
  bool depends_on_tensor = false;                      // that is the most there can be
  std::map<std::string, int> scalars;                  // numbers kept, by rate
};

/// `entry` declares the rule; or has no declaration, for a pipeline that a user wrote out.
/// `sources` hold the texts that the rule was resolved from.
RuleFacts facts_of(const ListEntry& entry, const driver::FrontEnd& front_end,
                   const base::Sources& sources);

}  // namespace talweg::cli
