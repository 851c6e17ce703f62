#include "tests/sema/tw_check.h"

#include "compiler/base/diagnostic_render.h"

namespace talweg::test {

Session::Session(sema::SearchPath path) : modules_(std::move(path), sources_, diagnostics_) {}

void Session::add(const std::string& name, const std::string& text, std::filesystem::path file) {
  const base::SourceId id = sources_.add(file.empty() ? name + ".tw" : file.string(), text);
  modules_.add(name, std::move(file), syntax::parse_module(id, sources_, diagnostics_));
}

bool Session::check(const std::string& name) { return sema::check_module(modules_, name); }

std::optional<sema::TypedRule> Session::resolve(const std::string& pipeline,
                                                const std::string& from) {
  const base::SourceId id = sources_.add("--rule", pipeline);
  const syntax::Module tree = syntax::parse_pipeline(id, sources_, diagnostics_);
  return sema::resolve_pipeline(modules_, from, tree);
}

std::optional<double> Session::constant(const std::string& expression, const std::string& from) {
  const base::SourceId id = sources_.add("expression", expression);
  const syntax::ReplInput input = syntax::parse_repl(id, sources_, diagnostics_);
  if (!input.expression) return std::nullopt;
  return sema::evaluate_constant(modules_, from, input.module, *input.expression);
}

std::string Session::codes() const {
  std::string codes;
  for (const base::Diagnostic& d : diagnostics_.all())
    codes += (codes.empty() ? "" : " ") + base::code_text(d.kind);
  return codes;
}

std::string Session::text() const { return base::render_text(diagnostics_, sources_, false); }

std::string typed(const std::string& module, const std::string& pipeline) {
  Session session;
  session.add("m", module);
  const auto rule = session.resolve(pipeline, "m");
  return rule ? "\n" + sema::print(*rule) : session.text();
}

std::string codes_of(const std::string& module) {
  Session session;
  session.add("m", module);
  session.check("m");
  return session.codes();
}

std::string codes_of_step(const std::string& statements) {
  return codes_of(
      "rule R {\n"
      "  hyper lr = 0.1 in [0, inf)\n"
      "  hyper bool flag = false\n"
      "  state m = 0\n  state v = 0\n  state model best = 0\n"
      "  step {\n    let _read = lr * m + v * best + (if flag then 1 else 0)\n" +
      statements + "\n  }\n}\n");
}

}  // namespace talweg::test
