// See header.h.
#include "compiler/standalone/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/driver/image_tables.h"
#include "compiler/standalone/c_text.h"
#include "compiler/standalone/interface_text.h"
#include "compiler/standalone/rule_header.h"

namespace talweg::standalone {

namespace {

/// A hyper and its default as the example sets it; empty where the rule has none.
std::string example_hyper(const talweg_image& image) {
  for (const std::uint32_t field : settable_hypers(image)) {
    const talweg_hyper_info& hyper = image.hypers[field];
    if (hyper.follows == 0 && std::isfinite(hyper.default_value))
      return fmt::format("    hypers.{} = {};\n", field_names(image).hypers[field],
                         hyper.default_value);
  }
  return {};
}

/// What it hands to a step besides gradients.
std::string example_inputs(const std::string& prefix, const talweg_image& image) {
  std::string text = fmt::format("      {}_inputs inputs = {{0}};\n", prefix);
  for (std::uint32_t i = 0; i < image.input_count; ++i) {
    const std::string name = field_names(image).inputs[i];
    if (image.inputs[i].rate == TALWEG_RATE_MODEL)
      text += fmt::format("      double {0} = 0;\n      inputs.{0} = &{0};\n", name);
  }
  return text;
}

/// A whole program that uses the first rule.
std::string example(const Library& library, const std::string& file_name) {
  const LibraryRule& rule = library.rules.front();
  const driver::ImageTables tables(*rule.graph, rule.plan->compute, "");
  const bool asks_again = !rule.graph->regrads.empty();
  const bool has_inputs = !rule.graph->inputs.empty();
  const std::string hyper = example_hyper(tables.image());
  std::string text = fmt::format(
      "    #include <stdio.h>\n"
      "    #include \"{1}\"\n\n"
      "    int main(void) {{\n"
      "      {0}_element weights[2][3] = {{{{0}}}}, gradient[2][3] = {{{{0}}}};\n"
      "      const uint64_t shape[] = {{2, 3}};\n"
      "      {0}_tensor tensor = {{0}};\n"
      "      tensor.name = \"weights\";\n"
      "      tensor.shape = shape;\n"
      "      tensor.rank = 2;\n"
      "      tensor.param = weights[0];\n"
      "      {0}_spec spec = {{0}};\n"
      "      spec.interface_version = {2}_INTERFACE;\n"
      "      spec.tensors = &tensor;\n"
      "      spec.tensor_count = 1;\n"
      "      {0}_optimizer* optimizer;\n"
      "      {0}_error error;\n"
      "      if ({3}_create(&spec, &optimizer, &error)) return puts(error.message), 1;\n",
      library.prefix, file_name, upper_case(library.prefix), rule.prefix);
  if (!hyper.empty())
    text += fmt::format(
        "      {0}_hypers hypers = {0}_defaults();\n"
        "  {1}"
        "      {0}_set_hypers(optimizer, {2}_ALL_GROUPS, &hypers, NULL);\n",
        rule.prefix, hyper, upper_case(library.prefix));
  if (has_inputs) text += example_inputs(rule.prefix, tables.image());
  if (asks_again) text += fmt::format("      {}_outcome outcome;\n", library.prefix);
  text += fmt::format("      {}_element* gradients[] = {{gradient[0]}};\n", library.prefix);
  text += "      for (int i = 0; i < 100; ++i) {\n";
  const std::string indent = asks_again ? "          " : "        ";
  if (asks_again) text += "        do {\n";
  text += fmt::format(
      "{0}// compute the gradient at the weights as they are, then\n"
      "{0}if ({1}_step(optimizer, gradients, {2}{3}, &error))\n"
      "{0}  return puts(error.message), 1;\n",
      indent, rule.prefix, has_inputs ? "&inputs, " : "", asks_again ? "&outcome" : "NULL");
  if (asks_again)
    text += fmt::format("        }} while (outcome == {}_REGRAD);\n", upper_case(library.prefix));
  return text + fmt::format("      }}\n      {}_destroy(optimizer);\n    }}\n", library.prefix);
}

std::string introduction(const Library& library, const std::string& file_name) {
  std::string names;
  for (const LibraryRule& rule : library.rules)
    names += (names.empty() ? "" : ", ") + rule.graph->name;
  return comment(fmt::format(
      "{}: {}. Made by talweg {}; changes belong in the rule.\n\n"
      "Optimizer steps as fused, vectorised kernels that need nothing but the C library. For C99 "
      "and C++. The results are the same bits on every processor and with any number of "
      "threads.\n\n{}",
      file_name, names, library.release, example(library, file_name)));
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
  const InterfaceText common = interface_text(library.prefix, has_cuda(library));
  std::string text = introduction(library, file_name);
  if (std::ranges::any_of(platforms, [](const Platform* platform) {
        return platform->binary == Binary::WasmModule;
      }))
    text += about_module(library);
  text += fmt::format(
      "#ifndef {0}\n#define {0}\n\n#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n",
      guard);
  text += comment("Parameters, gradients, and states per element, row and column.");
  text += fmt::format("typedef {} {}_element;\n\n", is_float32(library) ? "float" : "double",
                      library.prefix);
  text += common.types;
  for (const LibraryRule& rule : library.rules) text += rule_header(library, rule);
  return text + "\n" + common.functions + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

}  // namespace talweg::standalone
