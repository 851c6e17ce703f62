// talweg build: rules as a library that needs neither talweg nor LLVM.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "compiler/cli/console.h"
#include "compiler/cli/depfile.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/library_names.h"
#include "compiler/cli/lists.h"
#include "compiler/cli/subcommands.h"
#include "compiler/driver/device_code.h"
#include "compiler/passes/pass.h"
#include "compiler/standalone/write_package.h"
#include "compiler/syntax/parse.h"
#include "compiler/targets/nvptx.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

namespace fs = std::filesystem;
using support::Failure;
using support::FailureKind;
using support::Result;

struct Options {
  std::vector<fs::path> files;
  std::vector<std::string> rules;  // "EXPR" or "NAME=EXPR"
  std::vector<fs::path> include_dirs;
  std::string dtype = "float32";
  std::string name;
  fs::path out;
  fs::path depfile;
  std::vector<std::string> targets;
  bool only_static = false, only_shared = false;
  std::string emit;
  bool quiet = false;
};

/// Reads a rule file; its rules are added to `wanted`. False where it has errors, which are
/// reported to the compilation.
Result<bool> add_file(const fs::path& file, Compilation& compilation, std::vector<Wanted>& wanted) {
  auto text = support::read_file(file);
  if (!text) return text.failure();
  const std::string module_name = file.stem().string();
  const base::SourceId source = compilation.sources.add(file.string(), std::move(*text));
  syntax::Module module =
      syntax::parse_module(source, compilation.sources, compilation.diagnostics);
  const sema::ModuleNames names = sema::declared_names(module);
  if (compilation.diagnostics.has_errors()) return false;
  compilation.modules->add(module_name, file, std::move(module));
  for (const std::string& rule : names.rules)
    wanted.push_back({rule, module_name + "." + rule, module_name});
  return true;
}

std::vector<std::string> platform_names() {
  std::vector<std::string> names;
  for (const standalone::Platform& platform : standalone::platforms())
    names.emplace_back(platform.name);
  return names;
}

std::vector<std::string> target_names() {
  std::vector<std::string> names = platform_names();
  for (const standalone::GpuFamily& family : standalone::gpu_families())
    names.emplace_back(family.name);
  return names;
}

/// What a library is built for.
struct Targets {
  std::vector<const standalone::Platform*> platforms;
  std::set<const targets::Target*> gpus;
};

void add_gpus(std::string_view family, Targets& chosen) {
  const auto& targets = standalone::find_gpu_family(family)->targets;
  chosen.gpus.insert(targets.begin(), targets.end());
}

/// What was asked for; the platform is by default the one that talweg runs on.
Result<Targets> chosen_targets(const Options& o) {
  Targets chosen;
  for (const std::string& name : split_at_commas(o.targets)) {
    if (name.empty())
      return Failure{FailureKind::Usage,
                     fmt::format("a target is empty in `--target {}`; name targets with one comma "
                                 "between two",
                                 fmt::join(o.targets, " --target "))};
    if (standalone::find_gpu_family(name) != nullptr) {
      add_gpus(name, chosen);
      continue;
    }
    const standalone::Platform* platform = standalone::find_platform(name);
    if (platform == nullptr)
      return Failure{FailureKind::Usage, fmt::format("there is no target `{}`; there are {}", name,
                                                     fmt::join(target_names(), ", "))};
    if (std::ranges::find(chosen.platforms, platform) == chosen.platforms.end())
      chosen.platforms.push_back(platform);
  }
  if (chosen.platforms.empty()) chosen.platforms.push_back(&standalone::host_platform());
  if (o.emit == "ptx" && chosen.gpus.empty()) add_gpus("nvptx", chosen);
  for (const standalone::Platform* platform : chosen.platforms)
    if (!chosen.gpus.empty() && platform->cuda_runtime.empty())
      return Failure{FailureKind::Usage, fmt::format("code for GPUs does not go with {}, which has "
                                                     "no driver for them",
                                                     platform->name)};
  return chosen;
}

Result<std::vector<fs::path>> write(const Options& o, const standalone::Library& library,
                                    const std::vector<const standalone::Platform*>& platforms) {
  using enum standalone::CodeForm;
  if (o.emit.empty())
    return standalone::write_package(library, platforms, {!o.only_shared, !o.only_static}, o.out);
  const auto form = o.emit == "llvm"  ? LlvmText
                    : o.emit == "asm" ? Assembly
                    : o.emit == "ptx" ? Ptx
                                      : Object;
  return standalone::write_code(library, platforms, form, o.out);
}

/// Tells of libraries in `out`, or in a platform's folder there, that an earlier build has left:
/// `-lNAME` prefers a shared one, be it old.
void warn_of_leftovers(const std::vector<fs::path>& written, const fs::path& out,
                       const std::string& name) {
  std::vector<fs::path> folders = {out};
  for (const std::string& platform : platform_names()) folders.push_back(out / platform);
  for (const fs::path& folder : folders)
    for (const std::string& file : {"lib" + name + ".a", "lib" + name + ".so", name + ".wasm"}) {
      const fs::path path = folder / file;
      std::error_code error;
      if (std::ranges::find(written, path) != written.end() || !fs::exists(path, error)) continue;
      flush_output();
      fmt::print(stderr,
                 "talweg build: {} is left from an earlier build; remove it, or programs may be "
                 "linked with it\n",
                 path.string());
    }
}

/// What is wanted of the files and expressions; nothing where files have errors, which are reported
/// to the compilation.
Result<std::vector<Wanted>> find_wanted(const Options& o, Compilation& compilation) {
  std::vector<Wanted> wanted;
  std::map<std::string, fs::path> modules;
  for (const fs::path& file : o.files) {
    if (const auto [before, is_new] = modules.emplace(file.stem().string(), file); !is_new)
      return Failure{
          FailureKind::Usage,
          fmt::format("{} and {} are both the module `{}`; give one of them another name",
                      before->second.string(), file.string(), before->first)};
    const Result<bool> added = add_file(file, compilation, wanted);
    if (!added) return added.failure();
    if (!*added) return std::vector<Wanted>();
  }
  if (!o.rules.empty()) wanted.clear();
  for (const std::string& text : o.rules) wanted.push_back(parse_wanted(text));
  if (const auto status = name_rules(wanted, !o.files.empty()); !status) return status.failure();
  return wanted;
}

/// A library and what it points to.
struct Made {
  std::deque<driver::FrontEnd> front_ends;
  std::deque<plan::Plan> plans;
  standalone::Library library;
};

Made make_library(const std::string& name, const std::vector<Wanted>& wanted,
                  std::deque<driver::FrontEnd> front_ends, types::ComputeType compute,
                  const std::set<const targets::Target*>& gpus) {
  Made made{std::move(front_ends), {}, {name, TALWEG_VERSION, {}}};
  std::vector<std::string> names;
  for (const Wanted& rule : wanted) names.push_back(rule.name);
  const std::vector<std::string> classes = standalone::class_names(names);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const ir::Graph& graph = made.front_ends[i].graph;
    made.plans.push_back(plan::make_plan(passes::run_passes(graph), compute));
    const std::string prefix = wanted.size() == 1 ? name : name + "_" + lower_case(wanted[i].name);
    auto& rule = made.library.rules.emplace_back(
        standalone::LibraryRule{prefix, classes[i], &graph, &made.plans.back()});
    for (const targets::Target* target : targets::nvptx_targets())
      if (gpus.contains(target))
        rule.gpu_codes.push_back({target, driver::generate_device_code(*rule.plan, *target)});
  }
  return made;
}

int run(const Options& o) {
  const auto targets = chosen_targets(o);
  if (!targets) return report("build", targets.failure());
  Compilation compilation(o.include_dirs);
  const auto wanted = find_wanted(o, compilation);
  if (!wanted) return report("build", wanted.failure());
  std::deque<driver::FrontEnd> front_ends;
  for (const Wanted& rule : *wanted) {
    // A file may have a name that no expression can say: its rules are named from within it.
    const std::string& text = rule.module.empty() ? rule.expression : rule.name;
    if (auto front_end = driver::analyze_rule(*compilation.modules, compilation.sources,
                                              compilation.diagnostics, text, rule.module))
      front_ends.push_back(std::move(*front_end));
  }
  if (!compilation.print_diagnostics(false) || front_ends.size() != wanted->size())
    return kProgramWrong;
  const auto name = library_name(o.name, o.files, *wanted);
  if (!name) return report("build", name.failure());
  const auto compute = o.dtype == "float64" ? types::ComputeType::F64 : types::ComputeType::F32;
  const Made made = make_library(*name, *wanted, std::move(front_ends), compute, targets->gpus);
  if (const auto status = check_functions(made.library); !status)
    return report("build", status.failure());
  const auto written = write(o, made.library, targets->platforms);
  if (!written) return report("build", written.failure());
  if (!o.quiet)
    for (const fs::path& file : *written) print(file.string() + "\n");
  if (!o.quiet && o.emit.empty()) warn_of_leftovers(*written, o.out, *name);
  if (!o.depfile.empty()) {
    const auto noted = support::write_file_atomically(
        o.depfile, depfile_text(written->front(), compilation.modules->files()));
    if (!noted) return report("build", noted.failure());
  }
  return kOk;
}

}  // namespace

std::function<int()> declare_build(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("files", options->files, "Rule files (.tw): all their rules are built")
      ->type_name("RULES.tw");
  app.add_option("-r,--rule", options->rules,
                 "Build this rule or pipeline in their place, as NAME=EXPR or EXPR")
      ->type_name("[NAME=]EXPR")
      ->allow_extra_args(false);
  declare_include(app, options->include_dirs);
  declare_dtype(app, options->dtype);
  app.add_option("--name", options->name,
                 "Name of the library, with which all its names begin; by default that of its one "
                 "rule or file")
      ->check(not_empty());
  app.add_option("-o,--out", options->out, "Folder for the files; it is made where it is missing")
      ->type_name("DIR")
      ->required()
      ->check(not_empty());
  app.add_option("--target", options->targets,
                 "For which machines, separated by commas; by default this one. With nvptx, or "
                 "nvptx-sm90 and so on, the library has code for NVIDIA GPUs besides")
      ->allow_extra_args(false)
      ->type_name("TARGET")
      ->check(known_words(target_names()));
  auto* only_static = app.add_flag("--static", options->only_static,
                                   "Only the archive (.a), no shared library or module");
  auto* only_shared = app.add_flag("--shared", options->only_shared,
                                   "Only the shared library (.so; .wasm for wasm32), no archive")
                          ->excludes(only_static);
  app.add_option("--emit", options->emit,
                 "The library's code alone, for looking: NAME.ll, NAME.s or NAME.o; or that for "
                 "NVIDIA GPUs, NAME.sm_90.ptx and so on")
      ->check(CLI::IsMember({"llvm", "asm", "obj", "ptx"}))
      ->excludes(only_static)
      ->excludes(only_shared);
  app.add_flag("-q,--quiet", options->quiet,
               "Do not print which files were written, nor which were left from an earlier build");
  app.add_option("--depfile", options->depfile,
                 "Write for Make or Ninja which files (.tw) NAME.h, and all with it, was made of, "
                 "the standard rules among them")
      ->type_name("FILE")
      ->check(not_empty());
  app.footer(
      "Writes NAME.h, libNAME.a, libNAME.so, NAME.json, NAME.py and files for CMake and "
      "pkg-config,\n"
      "and prints their paths. For wasm32 there are NAME.wasm, a module without imports, in place "
      "of\n"
      "libNAME.so, and NAME.mjs in place of NAME.py. With code for NVIDIA GPUs, which is in the\n"
      "library, it lies beside it too, as NAME.sm_80.ptx and so on.\n\n"
      "Examples:\n  talweg build adamw.tw -o out\n"
      "  talweg build --rule AdamW --target nvptx -o out\n"
      "  talweg build --rule 'clipped=ClipByGlobalNorm | AdamW' --name optim -o out");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
