// See header.h.
#include "compiler/standalone/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "compiler/driver/image_tables.h"
#include "compiler/standalone/c_text.h"
#include "runtime/standalone/embedded.h"

namespace talweg::standalone {

namespace {

std::string range_text(const talweg_hyper_info& hyper) {
  return fmt::format("in {}{}, {}{}", hyper.low_closed != 0 ? '[' : '(', hyper.low, hyper.high,
                     hyper.high_closed != 0 ? ']' : ')');
}

std::string default_text(const talweg_hyper_info& hyper) {
  if (hyper.follows != 0) return "NAN";
  if (std::isinf(hyper.default_value)) return hyper.default_value > 0 ? "INFINITY" : "-INFINITY";
  return fmt::format("{}", hyper.default_value);
}

std::string hyper_comment(const talweg_hyper_info& hyper) {
  std::string text;
  if (hyper.kind == TALWEG_HYPER_BOOL)
    text = "0 or 1";
  else
    text = (hyper.kind == TALWEG_HYPER_INT ? "an integer " : "") + range_text(hyper);
  if (hyper.rate == TALWEG_RATE_MODEL) text += ", one for all groups";
  if (hyper.follows != 0) text += "; NaN: computed from other hypers";
  if (*hyper.doc != '\0') text += fmt::format(". {}", hyper.doc);
  return text;
}

std::string initial_text(const talweg_state_info& state) {
  switch (state.initial) {
    case TALWEG_INITIAL_ZERO:
      return "0";
    case TALWEG_INITIAL_CONSTANT:
      return fmt::format("{}", state.initial_value);
    case TALWEG_INITIAL_PARAM:
      return "a copy of the parameter";
    default:
      return "a value that the rule computes";
  }
}

const char* rate_text(std::uint8_t rate) {
  constexpr std::array kTexts = {
      "",          "one",          "one a group",   "one a tensor", "one a matrix",
      "one a row", "one a column", "one an element"};
  return kTexts.at(rate);
}

/// Declarations of functions laid out again: their names have other lengths now.
std::string with_calls_wrapped(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t open = line.find('(');
    const bool is_call = open != std::string::npos && line.front() != ' ' && line.front() != '/' &&
                         line.rfind("typedef", 0) != 0 && line.find("/*") == std::string::npos;
    if (!is_call) {
      result += line + "\n";
      continue;
    }
    for (std::string more; !line.ends_with(");") && std::getline(lines, more);)
      line += " " + more.substr(more.find_first_not_of(' '));
    const std::size_t close = line.size() - std::string(");").size();
    result += wrapped_call(line.substr(0, open + 1), line.substr(open + 1, close - open - 1));
  }
  return result;
}

/// A library's own text of interface.h.
std::string interface_text(const std::string& prefix) {
  std::string text(talweg_interface_text, talweg_interface_text_end);
  const std::string begin_mark = "/* BEGIN */\n";
  const std::size_t begin = text.find(begin_mark) + begin_mark.size();
  text = text.substr(begin, text.find("/* END */") - begin);
  text = replace_all(std::move(text), "talweg_lib_", prefix + "_");
  text = replace_all(std::move(text), "TALWEG_LIB_", upper_case(prefix) + "_");
  return with_calls_wrapped(text);
}

class RuleSection {
 public:
  RuleSection(const Library& library, const LibraryRule& rule)
      : rule_(rule),
        tables_(*rule.graph, rule.plan->compute, ""),
        image_(tables_.image()),
        own_(rule.prefix),
        shared_(library.prefix) {}

  std::string text() { return about() + hypers() + inputs() + functions() + flat_step(); }

 private:
  template <class... Arguments>
  void line(std::string& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
  }
  std::string about();
  std::string hypers();
  std::string inputs();
  std::string functions();
  std::string flat_step();

  const LibraryRule& rule_;
  const driver::ImageTables tables_;
  const talweg_image& image_;
  const std::string &own_, &shared_;
};

std::string RuleSection::about() {
  std::string text = rule_.graph->doc.empty() ? fmt::format("{}.", image_.name) : rule_.graph->doc;
  text += "\n\nStates, beside `t`, the number of steps:\n";
  if (image_.state_count == 0) text += "  none\n";
  std::uint32_t bytes = 0;
  for (std::uint32_t i = 0; i < image_.state_count; ++i) {
    const talweg_state_info& state = image_.states[i];
    const bool is_array = state.rate == TALWEG_RATE_ELEMENT;
    if (is_array) bytes += state.dtype == TALWEG_F32 ? 4 : 8;
    text += fmt::format("  {:<12} {}, from {}{}{}\n", state.name, rate_text(state.rate),
                        initial_text(state), *state.doc != '\0' ? ". " : "", state.doc);
  }
  text += fmt::format("{} bytes of state a parameter.", bytes);
  return "\n" + comment(text, Layout::AsItIs);
}

std::string RuleSection::hypers() {
  std::string text = "\n" + comment(fmt::format("Hypers of {}.", image_.name));
  line(text, "typedef struct {}_hypers {{", own_);
  const std::vector<std::uint32_t> fields = settable_hypers(image_);
  for (const std::uint32_t field : fields) {
    const talweg_hyper_info& hyper = image_.hypers[field];
    text +=
        declaration(fmt::format("  double {};", c_identifier(hyper.name)), hyper_comment(hyper));
  }
  if (fields.empty()) text += declaration("  double none;", "the rule has none; not looked at");
  line(text, "}} {}_hypers;", own_);
  line(text, "\nstatic inline {0}_hypers {0}_defaults(void) {{", own_);
  line(text, "  {}_hypers hypers;", own_);
  for (const std::uint32_t field : fields)
    line(text, "  hypers.{} = {};", c_identifier(image_.hypers[field].name),
         default_text(image_.hypers[field]));
  if (fields.empty()) text += "  hypers.none = 0;\n";
  text += "  return hypers;\n}\n";
  return text;
}

std::string RuleSection::inputs() {
  if (image_.input_count == 0) return {};
  std::string text =
      "\n" + comment(fmt::format("What a step of {} reads besides gradients. Null where it is not "
                                 "given; a step that reads it then fails.",
                                 image_.name));
  line(text, "typedef struct {}_inputs {{", own_);
  for (std::uint32_t i = 0; i < image_.input_count; ++i) {
    const talweg_input_info& input = image_.inputs[i];
    const std::string name = c_identifier(input.name);
    const std::string elements = shared_ + "_element* const* ";
    std::string type = "const double* ";
    std::string of = "one number";
    if (input.rate == TALWEG_RATE_GROUP) of = "[group]";
    if (input.rate == TALWEG_RATE_TENSOR) of = "[tensor]";
    if (input.rate == TALWEG_RATE_MATRIX) of = "[tensor][matrix]", type = "double* const* ";
    if (input.rate == TALWEG_RATE_ROW) of = "[tensor][matrix, row]", type = elements;
    if (input.rate == TALWEG_RATE_COL) of = "[tensor][matrix, column]", type = elements;
    if (input.rate == TALWEG_RATE_ELEMENT) of = "[tensor][element]", type = elements;
    if (*input.doc != '\0') of += fmt::format(". {}", input.doc);
    text += declaration(fmt::format("  {}{};", type, name), of);
  }
  line(text, "}} {}_inputs;", own_);
  return text;
}

std::string RuleSection::functions() {
  std::string text;
  const auto declare = [&](std::string_view about, const std::string& name,
                           const std::string& parameters) {
    if (!about.empty()) text += "\n" + comment(about);
    text += wrapped_call(fmt::format("{}_status {}_{}(", shared_, own_, name), parameters);
  };
  const std::string spec = fmt::format("const {}_spec* spec", shared_);
  const std::string error = fmt::format("{}_error* error", shared_);
  const std::string made = fmt::format("{}_optimizer** optimizer", shared_);
  const std::string optimizer = fmt::format("{}_optimizer* optimizer", shared_);
  declare("Checks a spec, and says how much memory its optimizer takes. Parameters may be null.",
          "measure", fmt::format("{}, {}_sizes* sizes, {}", spec, shared_, error));
  declare("Makes an optimizer, in memory of malloc. Hypers have their defaults.", "create",
          fmt::format("{}, {}, {}", spec, made, error));
  declare(
      "The same in memory of the caller, of the sizes and alignments that were measured; what "
      "it holds does not matter. It can be released once the optimizer is destroyed.",
      "create_in",
      fmt::format("{}, void* control_memory, void* state_memory, {}, {}", spec, made, error));
  declare("Sets all hypers of a group, or of all groups, or none of them if one is refused.",
          "set_hypers",
          fmt::format("{}, uint32_t group, const {}_hypers* hypers, {}", optimizer, own_, error));
  declare("", "get_hypers",
          fmt::format("const {}, uint32_t group, {}_hypers* hypers, {}", optimizer, own_, error));
  const std::string inputs =
      image_.input_count > 0 ? fmt::format("const {}_inputs* inputs, ", own_) : "";
  declare(fmt::format(
              "One step over all tensors. gradients [tensor], each of its parameter's size and not "
              "written; null: the tensor is left out. outcome may be null.{}{}",
              image_.uses_gradient != 0 ? "" : " The rule reads none: gradients may be null.",
              image_.input_count > 0 ? " inputs may be null." : ""),
          "step",
          fmt::format("{}, {}_element* const* gradients, {}{}_outcome* outcome, {}", optimizer,
                      shared_, inputs, shared_, error));
  return text;
}

std::string RuleSection::flat_step() {
  if (const std::string why = why_no_flat_step(rule_); !why.empty())
    return "\n" + comment(fmt::format("There is no flat step: {}.", why));
  std::string text = "\n" + comment(
                                "Step t (from 1) of one array of n parameters without an "
                                "optimizer, on the calling thread. "
                                "All arrays are of n elements and apart from each other; states "
                                "are yours to keep, and to "
                                "begin as said above. hypers may be null: the defaults.");
  std::string parameters = fmt::format("{0}_element* param, const {0}_element* grad", shared_);
  for (std::uint32_t i = 0; i < image_.state_count; ++i)
    parameters += fmt::format(", {}_element* {}", shared_, c_identifier(image_.states[i].name));
  parameters += fmt::format(", uint64_t n, uint64_t t, const {}_hypers* hypers, {}_error* error",
                            own_, shared_);
  return text + wrapped_call(fmt::format("{}_status {}_step_flat(", shared_, own_), parameters);
}

std::string introduction(const Library& library, const std::string& file_name) {
  std::string names;
  for (const LibraryRule& rule : library.rules)
    names += (names.empty() ? "" : ", ") + rule.graph->name;
  const LibraryRule& first = library.rules.front();
  const std::string use = fmt::format(
      "    {0}_tensor tensor = {{0}};\n"
      "    tensor.name = \"w\"; tensor.shape = shape; tensor.rank = 2; tensor.param = w;\n"
      "    {0}_spec spec = {{0}};\n"
      "    spec.interface_version = {1}_INTERFACE; spec.tensors = &tensor; spec.tensor_count = 1;\n"
      "    {0}_optimizer* optimizer;\n"
      "    {0}_error error;\n"
      "    if ({2}_create(&spec, &optimizer, &error)) puts(error.message);\n"
      "    ... {2}_step(optimizer, &gradient, {3}NULL, &error) ...\n"
      "    {0}_destroy(optimizer);",
      library.prefix, upper_case(library.prefix), first.prefix,
      first.graph->inputs.empty() ? "" : "&inputs, ");
  return comment(fmt::format(
      "{}: {}. Made by talweg {}; changes belong in the rule.\n\nFused, vectorised kernels behind "
      "a "
      "C interface that needs nothing but the C library. Results are the same bits on every "
      "processor and with any number of threads.\n\n{}",
      file_name, names, library.release, use));
}

std::string about_module(const Library& library) {
  return comment(fmt::format(
      "WebAssembly: {0}.wasm is the library as a module that imports nothing. It exports all "
      "functions here but those of the pool, its memory, and malloc and free, to make room in it "
      "for arrays, structs and texts: pointers and size_t are 4 bytes there, and what is 64 bits "
      "wide is a BigInt in JavaScript; {0}.mjs does all that. lib{0}.a is for linking with C, and "
      "takes malloc, free, memcpy, memset, strcmp and strlen from the program; one without malloc "
      "uses create_in and defines the two as it likes.",
      library.prefix));
}

}  // namespace

std::string header_text(const Library& library, const std::string& file_name,
                        const std::vector<const Platform*>& platforms) {
  const std::string guard = upper_case(c_name(file_name));
  std::string text = introduction(library, file_name);
  if (std::ranges::any_of(platforms, [](const Platform* platform) {
        return platform->binary == Binary::WasmModule;
      }))
    text += about_module(library);
  text += fmt::format(
      "#ifndef {0}\n#define {0}\n\n#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
      guard);
  text += comment("Of parameters, gradients and states of elements.");
  text += fmt::format("typedef {} {}_element;\n\n", is_float32(library) ? "float" : "double",
                      library.prefix);
  text += interface_text(library.prefix);
  for (const LibraryRule& rule : library.rules) text += RuleSection(library, rule).text();
  text += "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}

}  // namespace talweg::standalone
