#include "tests/ir/compile_text.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/base/diagnostic_render.h"
#include "compiler/ir/build_graph.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace talweg::tests {

namespace {

const std::filesystem::path kStdlib = TALWEG_SOURCE_DIR "/stdlib";

}  // namespace

ir::Graph graph_of_rule(const std::string& expression, const std::string& module_text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const auto require_no_errors = [&] {
    if (diagnostics.has_errors()) FAIL(base::render_text(diagnostics, sources, false));
  };
  sema::Modules modules({.include_dirs = {}, .stdlib_dir = kStdlib}, sources, diagnostics);
  const base::SourceId module_source = sources.add("m.tw", module_text);
  modules.add("m", "m.tw", syntax::parse_module(module_source, sources, diagnostics));
  const base::SourceId source = sources.add("--rule", expression);
  const syntax::Module pipeline = syntax::parse_pipeline(source, sources, diagnostics);
  require_no_errors();
  const auto rule = sema::resolve_pipeline(modules, "m", pipeline);
  require_no_errors();
  REQUIRE(rule);
  ir::Graph graph = ir::build_graph(*rule, diagnostics);
  require_no_errors();
  return graph;
}

std::vector<std::string> library_rules() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kStdlib)) {
    if (entry.path().extension() != ".tw") continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream),
                           std::istreambuf_iterator<char>()};
    base::Sources sources;
    base::Diagnostics diagnostics;
    const base::SourceId source = sources.add(entry.path().string(), text);
    const auto declared = sema::declared_names(syntax::parse_module(source, sources, diagnostics));
    names.insert(names.end(), declared.rules.begin(), declared.rules.end());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace talweg::tests
