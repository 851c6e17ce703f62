// talweg build: rules as a library that needs neither talweg nor LLVM.
#include <fmt/format.h>

#include <memory>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "compiler/passes/pass.h"
#include "compiler/standalone/header.h"
#include "compiler/standalone/package.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  std::string name;
  std::filesystem::path out = ".";
};

int run(const Options& o) {
  Compilation compilation(o.rule.include_dirs);
  auto front_end = driver::analyze_rule(*compilation.modules, compilation.sources,
                                        compilation.diagnostics, o.rule.rule);
  if (!compilation.print_diagnostics(false) || !front_end) return kProgramWrong;
  const plan::Plan plan =
      plan::make_plan(passes::run_passes(front_end->graph), compile_options(o.rule).compute);
  const standalone::Library library{o.name, TALWEG_VERSION, {{o.name, &front_end->graph, &plan}}};
  const standalone::Platform& platform = *standalone::find_platform("x86-64");
  const std::string object =
      standalone::generate_library(library, platform, targets::CodeKind::Object);
  const auto archive = standalone::make_archive(o.name + ".o", object);
  if (!archive) return report("build", archive.failure());
  const auto shared = standalone::link_shared(object, "lib" + o.name + ".so", platform);
  if (!shared) return report("build", shared.failure());
  const auto write = [&](const std::string& name, const std::string& bytes) {
    return support::write_file_atomically(o.out / name, bytes);
  };
  support::Status status = write("lib" + o.name + ".a", *archive);
  if (status) status = write("lib" + o.name + ".so", *shared);
  if (status) status = write(o.name + ".h", standalone::header_text(library, o.name + ".h"));
  return status ? kOk : report("build", status.failure());
}

}  // namespace

std::function<int()> declare_build(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_rule(app, options->rule);
  app.add_option("--name", options->name, "Name of the library")->required();
  app.add_option("-o,--out", options->out, "Folder")->capture_default_str();
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
