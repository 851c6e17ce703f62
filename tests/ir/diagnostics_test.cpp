// What is said of rules that are right but cannot become a graph, each shown by a file in
// tests/diagnostics/ir.
#include <catch2/catch.hpp>

#include "compiler/ir/build_graph.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"
#include "tests/diagnostics/golden.h"

namespace talweg::ir {

TEST_CASE("messages about rules that cannot become a graph") {
  const auto check = [](const std::filesystem::path& file, base::Sources& sources,
                        base::Diagnostics& diagnostics) {
    sema::Modules modules({.include_dirs = {}, .stdlib_dir = TALWEG_SOURCE_DIR "/stdlib"}, sources,
                          diagnostics);
    const base::SourceId source = sources.add(file.filename().string(), test::read_file(file));
    modules.add("m", file, syntax::parse_module(source, sources, diagnostics));
    const base::SourceId expression = sources.add("--rule", "m.Main");
    const auto rule = sema::resolve_pipeline(
        modules, "m", syntax::parse_pipeline(expression, sources, diagnostics));
    if (rule) CHECK(build_graph(*rule, diagnostics).nodes.empty());
  };
  CHECK(test::compare_goldens(TALWEG_SOURCE_DIR "/tests/diagnostics/ir", check) == 0);
}

}  // namespace talweg::ir
