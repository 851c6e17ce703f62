// A rule expression to a graph: parse, resolve, build.
#include "compiler/driver/compile.h"
#include "compiler/ir/build_graph.h"
#include "compiler/syntax/parse.h"

namespace talweg::driver {

std::optional<FrontEnd> analyze_rule(sema::Modules& modules, base::Sources& sources,
                                     base::Diagnostics& diagnostics, const std::string& rule_text,
                                     const std::string& from_module,
                                     const std::string& source_name) {
  const int errors_before = diagnostics.error_count();
  const auto is_clean = [&] { return diagnostics.error_count() == errors_before; };
  const base::SourceId source = sources.add(source_name, rule_text);
  const syntax::Module pipeline = syntax::parse_pipeline(source, sources, diagnostics);
  if (!is_clean()) return std::nullopt;
  auto rule = sema::resolve_pipeline(modules, from_module, pipeline);
  if (!rule || !is_clean()) return std::nullopt;
  ir::Graph graph = ir::build_graph(*rule, diagnostics);
  if (!is_clean()) return std::nullopt;
  return FrontEnd{std::move(*rule), std::move(graph)};
}

}  // namespace talweg::driver
