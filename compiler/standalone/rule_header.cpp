// See rule_header.h.
#include "compiler/standalone/rule_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "compiler/driver/image_tables.h"
#include "compiler/standalone/c_text.h"

namespace talweg::standalone {

namespace {

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "INFINITY" : "-INFINITY";
  // An integer has no -0.
  if (value == 0 && std::signbit(value)) return "-0.0";
  return fmt::format("{}", value);
}

/// NAN and INFINITY are floats. Of C and C++ each has a conversion that compilers may warn of in
/// the other.
std::string double_constant(std::string_view name, std::string_view macro) {
  return fmt::format(
      "#ifdef __cplusplus\n  const double {0} = static_cast<double>({1});\n#else\n"
      "  const double {0} = (double){1};\n#endif\n",
      name, macro);
}

std::string with_doc(std::string text, const char* doc) {
  return *doc == '\0' ? text : fmt::format("{}. {}", text, doc);
}

std::string hyper_comment(const talweg_hyper_info& hyper) {
  std::string text = "0 or 1";
  if (hyper.kind != TALWEG_HYPER_BOOL)
    text = fmt::format("{}in {}{}, {}{}", hyper.kind == TALWEG_HYPER_INT ? "an integer " : "",
                       hyper.low_closed != 0 ? '[' : '(', hyper.low, hyper.high,
                       hyper.high_closed != 0 ? ']' : ')');
  if (hyper.rate == TALWEG_RATE_MODEL) text += ", one for all groups";
  text += hyper.follows != 0 ? "; NAN: computed from other hypers"
                             : fmt::format("; {} by default", number_text(hyper.default_value));
  return with_doc(text, hyper.doc);
}

std::string initial_text(const talweg_state_info& state) {
  switch (state.initial) {
    case TALWEG_INITIAL_ZERO:
      return "0";
    case TALWEG_INITIAL_CONSTANT:
      return fmt::format("{}", state.initial_value);
    case TALWEG_INITIAL_PARAM:
      return "the parameter";
    default:
      return "a value that the rule computes";
  }
}

const char* per_text(std::uint8_t rate) {
  constexpr std::array kTexts = {"",           "for the model", "per group",  "per tensor",
                                 "per matrix", "per row",       "per column", "per element"};
  return kTexts.at(rate);
}

class RuleHeader {
 public:
  RuleHeader(const Library& library, const LibraryRule& rule)
      : rule_(rule),
        tables_(*rule.graph, rule.plan->compute, ""),
        image_(tables_.image()),
        names_(field_names(image_)),
        own_(rule.prefix),
        shared_(library.prefix) {}

  std::string text() {
    return about() + hypers() + inputs() + creation() + step() +
           (rule_.gpu_codes.empty() ? std::string() : cuda()) + flat_step() + value();
  }

 private:
  template <class... Arguments>
  void line(std::string& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
  }
  /// A function of the rule that returns a status.
  std::string function(std::string_view about, std::string_view name,
                       const std::string& parameters) {
    const std::string above = about.empty() ? "" : "\n" + comment(about);
    return above + wrapped_call(fmt::format("{}_status {}_{}(", shared_, own_, name),
                                fmt::format("{}, {}_error* error", parameters, shared_));
  }
  std::string about();
  std::string states();
  std::string hypers();
  std::string inputs();
  std::string creation();
  std::string step();
  std::string cuda();
  std::string flat_step();
  std::string value();

  const LibraryRule& rule_;
  const driver::ImageTables tables_;
  const talweg_image& image_;
  const FieldNames names_;
  const std::string &own_, &shared_;
};

std::string RuleHeader::states() {
  if (image_.state_count == 0) return "It has no states.\n";
  const std::vector<std::uint32_t> bytes = plan::state_bytes_by_route(*rule_.plan);
  const auto [least, most] = std::ranges::minmax(bytes);
  std::string text =
      least == most
          ? fmt::format("States, {} bytes per element of the parameters", most)
          : fmt::format("States, {} to {} bytes per element of the parameters", least, most);
  text += bytes.size() > 1 ? "; a tensor has those of its case:\n" : ":\n";
  for (std::uint32_t i = 0; i < image_.state_count; ++i) {
    const talweg_state_info& state = image_.states[i];
    text += with_doc(fmt::format("  {:<12} {} {}, starts at {}", state.name,
                                 state.dtype == TALWEG_F32 ? "float" : "double",
                                 per_text(state.rate), initial_text(state)),
                     state.doc) +
            "\n";
  }
  return text;
}

std::string RuleHeader::about() {
  std::string text = rule_.graph->doc.empty() ? fmt::format("{}.", image_.name) : rule_.graph->doc;
  text += "\n\n" + states();
  if (image_.view_count > 0) text += "Views:\n";
  for (std::uint32_t i = 0; i < image_.view_count; ++i)
    text += fmt::format("  {:<12} {}\n", image_.views[i].name, image_.views[i].doc);
  std::string bound;
  for (std::uint32_t i = 0; i < image_.hyper_count; ++i)
    if (image_.hypers[i].bound != 0 && image_.hypers[i].follows == 0)
      bound += (bound.empty() ? "" : ", ") + std::string(image_.hypers[i].name);
  if (!bound.empty()) text += "It computes in each step: " + bound;
  return "\n" + comment(fmt::format("---- {} ----", image_.name)) + "\n" +
         comment(text, Layout::AsItIs);
}

std::string RuleHeader::hypers() {
  std::string text = "\n" + comment("What can be set, for each group.");
  line(text, "typedef struct {}_hypers {{", own_);
  std::vector<Member> fields;
  std::string values;
  bool has_nan = false, has_infinity = false;
  for (const std::uint32_t field : settable_hypers(image_)) {
    const talweg_hyper_info& hyper = image_.hypers[field];
    const std::string name = names_.hypers[field];
    fields.push_back({fmt::format("  double {};", name), hyper_comment(hyper)});
    std::string value = number_text(hyper.default_value);
    if (hyper.follows != 0) {
      has_nan = true;
      value = "not_set";
    } else if (std::isinf(hyper.default_value)) {
      has_infinity = true;
      value = hyper.default_value > 0 ? "infinite" : "-infinite";
    }
    line(values, "  hypers.{} = {};", name, value);
  }
  if (fields.empty()) {
    fields.push_back({"  double none;", "the rule has none; not looked at"});
    values = "  hypers.none = 0;\n";
  }
  text += members(fields);
  line(text, "}} {}_hypers;\n", own_);
  line(text, "static inline {0}_hypers {0}_defaults(void) {{", own_);
  if (has_nan) text += double_constant("not_set", "NAN");
  if (has_infinity) text += double_constant("infinite", "INFINITY");
  line(text, "  {}_hypers hypers;", own_);
  return text + values + "  return hypers;\n}\n";
}

std::string RuleHeader::inputs() {
  if (image_.input_count == 0) return {};
  std::string text =
      "\n" + comment(
                 "What a step reads besides gradients. Null where it is not given; a step that "
                 "reads it then fails.");
  line(text, "typedef struct {}_inputs {{", own_);
  std::vector<Member> fields;
  for (std::uint32_t i = 0; i < image_.input_count; ++i) {
    const talweg_input_info& input = image_.inputs[i];
    const std::string elements = shared_ + "_element* const* ";
    std::string type = "const double* ";
    std::string of = "one number";
    if (input.rate == TALWEG_RATE_GROUP) of = "[group]";
    if (input.rate == TALWEG_RATE_TENSOR) of = "[tensor]";
    if (input.rate == TALWEG_RATE_MATRIX) of = "[tensor][matrix]", type = "double* const* ";
    if (input.rate == TALWEG_RATE_ROW) of = "[tensor][matrix, row]", type = elements;
    if (input.rate == TALWEG_RATE_COL) of = "[tensor][matrix, column]", type = elements;
    if (input.rate == TALWEG_RATE_ELEMENT) of = "[tensor][element]", type = elements;
    fields.push_back({fmt::format("  {}{};", type, names_.inputs[i]), with_doc(of, input.doc)});
  }
  text += members(fields);
  line(text, "}} {}_inputs;", own_);
  return text;
}

std::string RuleHeader::creation() {
  const std::string spec = fmt::format("const {}_spec* spec", shared_);
  const std::string made = fmt::format("{}_optimizer** optimizer", shared_);
  const std::string optimizer = fmt::format("{}_optimizer* optimizer", shared_);
  return function("Makes an optimizer in memory of malloc. Hypers have their defaults.", "create",
                  fmt::format("{}, {}", spec, made)) +
         function(
             "Checks a spec and says how much memory its optimizer takes. Parameters may still be "
             "null.",
             "measure", fmt::format("{}, {}_sizes* sizes", spec, shared_)) +
         function(
             "Makes an optimizer in memory of yours, as much and as aligned as was measured, "
             "whatever it holds. Release it when the optimizer is destroyed.",
             "create_in",
             fmt::format("{}, void* control_memory, void* state_memory, {}", spec, made)) +
         function(fmt::format(
                      "Sets all hypers of a group, or of {}_ALL_GROUPS; none where one is refused.",
                      upper_case(shared_)),
                  "set_hypers",
                  fmt::format("{}, uint32_t group, const {}_hypers* hypers", optimizer, own_)) +
         function("What was set, in the form in which it is set: NaN where one follows others.",
                  "get_hypers",
                  fmt::format("const {}, uint32_t group, {}_hypers* hypers", optimizer, own_));
}

std::string RuleHeader::step() {
  std::string about =
      "One step of all tensors; allocates nothing. gradients [tensor] have the sizes of their "
      "parameters, share no memory with any parameter or state, and are only read; null: the "
      "tensor is left out.";
  if (image_.uses_gradient == 0)
    about += " The rule reads no gradient: gradients itself may be null.";
  if (image_.input_count > 0) about += " inputs may be null.";
  about += " outcome may be null.";
  const std::string inputs =
      image_.input_count > 0 ? fmt::format("const {}_inputs* inputs, ", own_) : "";
  return function(about, "step",
                  fmt::format("{0}_optimizer* optimizer, {0}_element* const* gradients, "
                              "{1}{0}_outcome* outcome",
                              shared_, inputs));
}

std::string RuleHeader::cuda() {
  const std::string inputs =
      image_.input_count > 0 ? fmt::format("const {}_inputs* inputs, ", own_) : "";
  return function(
             "Makes an optimizer on a GPU. cuda may be null: the current context, its default "
             "stream. Of the spec, thread_count and parallel_for are not looked at.",
             "cuda_create",
             fmt::format("const {0}_spec* spec, const {0}_cuda* cuda, {0}_optimizer** optimizer",
                         shared_)) +
         function(
             fmt::format(
                 "One step of all tensors in a stream (a CUstream or cudaStream_t), the "
                 "optimizer's from now on: {0}_cuda_set_stream, set_hypers of all groups (null: "
                 "they stay as they are) and {1}_step in one call. It may return before the step "
                 "is done; outcome, which may be null, is COMPLETED then, and {0}_cuda_wait says "
                 "more. Where the step is refused, stream and hypers may be set all the same.",
                 shared_, own_),
             "cuda_step",
             fmt::format("{0}_optimizer* optimizer, {0}_element* const* gradients, {1}const "
                         "{2}_hypers* hypers, struct CUstream_st* stream, {0}_outcome* outcome",
                         shared_, inputs, own_));
}

std::string RuleHeader::flat_step() {
  if (const std::string why = why_no_flat_step(rule_); !why.empty())
    return "\n" + comment(fmt::format("There is no flat step: {}.", why));
  std::string parameters = fmt::format("{0}_element* param, const {0}_element* grad", shared_);
  for (std::uint32_t i = 0; i < image_.state_count; ++i)
    parameters += fmt::format(", {}_element* {}", shared_, names_.states[i]);
  parameters += fmt::format(", uint64_t n, uint64_t t, const {}_hypers* hypers", own_);
  return function(
      fmt::format(
          "Step t, from 1, of one array without an optimizer, on the calling thread. Arrays are of "
          "n elements and share no memory.{} hypers may be null: the defaults.",
          image_.state_count > 0
              ? " States are yours to keep; before step 1 set them to what is said above."
              : ""),
      "step_flat", parameters);
}

std::string RuleHeader::value() {
  return "\n" +
         comment(
             "The rule as a value, for talweg/talweg.hpp: C++ code that runs with this library and "
             "with rules that are compiled while it runs.") +
         fmt::format("const struct talweg_rule* {}_rule(void);\n", own_);
}

}  // namespace

std::string rule_header(const Library& library, const LibraryRule& rule) {
  return RuleHeader(library, rule).text();
}

}  // namespace talweg::standalone
