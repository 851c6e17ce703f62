#include "compiler/cli/front_end.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <thread>

#include "compiler/base/diagnostic_render.h"
#include "compiler/cli/console.h"

namespace talweg::cli {

namespace {

/// An incomplete installation is told before the names that it does not know.
std::filesystem::path stdlib_or_warning() {
  std::filesystem::path folder = driver::find_stdlib();
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    fmt::print(
        stderr,
        "talweg: the library of rules is missing: there is no folder {}. TALWEG_STDLIB names "
        "another place.\n",
        folder.string());
  return folder;
}

}  // namespace

Compilation::Compilation(std::vector<std::filesystem::path> include_dirs)
    : modules(std::make_unique<sema::Modules>(
          sema::SearchPath{std::move(include_dirs), stdlib_or_warning()}, sources, diagnostics)) {}

bool Compilation::print_diagnostics(bool json) {
  if (json) {
    print(base::render_json(diagnostics, sources));
  } else if (!diagnostics.all().empty()) {
    flush_output();
    const std::string text = base::render_text(diagnostics, sources, wants_color(stderr));
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return !diagnostics.has_errors();
}

void declare_include(CLI::App& app, std::vector<std::filesystem::path>& include_dirs) {
  app.add_option("-I,--include", include_dirs,
                 "Folder in which modules are looked for, after the current one")
      ->type_name("DIR")
      ->check(CLI::Validator(
          [](std::string& text) {
            std::error_code error;
            if (std::filesystem::is_directory(text, error)) return std::string();
            return fmt::format("there is no folder '{}'", text);
          },
          ""))
      ->allow_extra_args(false);
}

void declare_settings(CLI::App& app, std::vector<std::string>& settings) {
  app.add_option("--set", settings, "Set a hyper: lr=0.1, or 1:lr=0.1 for parameter group 1")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void declare_dtype(CLI::App& app, std::string& dtype) {
  app.add_option("--dtype", dtype, "Type of parameters and states")
      ->check(CLI::IsMember({"float32", "float64"}))
      ->capture_default_str();
}

void declare_rule(CLI::App& app, RuleOptions& options) {
  app.add_option("-r,--rule", options.rule,
                 "Rule or pipeline, e.g. 'mine.Clipped | AdamW(lr = 0.01)'")
      ->type_name("EXPR")
      ->required();
  declare_include(app, options.include_dirs);
  declare_settings(app, options.settings);
  declare_dtype(app, options.dtype);
  app.add_option("--backend", options.backend,
                 "cpu: compiled kernels; interpreter: the slow definition")
      ->check(CLI::IsMember({"cpu", "interpreter"}))
      ->capture_default_str();
  app.add_option("--isa", options.isa, "Instruction set of the kernels")
      ->check(known_words({"host", "scalar", "x86-64-v2", "x86-64-v3", "x86-64-v4"}))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of the optimizer; 0: one a core")
      ->check(CLI::Range(0u, 1024u))
      ->capture_default_str();
  app.add_flag("--no-cache", options.no_cache,
               "Compile afresh; neither read nor write the kernel cache");
}

void declare_device(CLI::App& app, std::string& device) {
  app.add_option("--device", device,
                 "Where the optimizer's steps run: cpu, cuda (the first GPU), cuda:1, ...")
      ->check(known_words({"cpu", "cuda"}))
      ->capture_default_str();
}

driver::CompileOptions compile_options(const RuleOptions& options) {
  driver::CompileOptions result;
  result.compute = options.dtype == "float64" ? types::ComputeType::F64 : types::ComputeType::F32;
  result.backend =
      options.backend == "interpreter" ? driver::Backend::Interpreter : driver::Backend::Cpu;
  result.isa = options.isa;
  result.use_cache = !options.no_cache;
  return result;
}

namespace {

/// Settings that the rule cannot take whatever their value, and those that cannot be read.
support::Status check_settings(const sema::TypedRule& rule,
                               const std::vector<std::string>& settings) {
  for (const std::string& text : settings) {
    const std::size_t equals = std::min(text.find('='), text.size());
    std::string name = text.substr(0, equals);
    if (const std::size_t colon = name.find(':'); colon != std::string::npos)
      name.erase(0, colon + 1);
    for (const sema::TypedHyper& hyper : rule.hypers) {
      if (hyper.rate != types::Rate::Const || hyper.public_name != name || equals == text.size())
        continue;
      std::string user = rule.name;  // of a hyper of the outermost rule
      for (const sema::TypedStage& stage : rule.stages)
        if (!hyper.stage.empty() && stage.label == hyper.stage) user = stage.rule;
      return support::Failure{
          support::FailureKind::Usage,
          fmt::format("--set {}: `{}` is fixed when the rule is compiled: write `{}({} = {})`",
                      text, name, user, hyper.name, text.substr(equals + 1))};
    }
    if (auto setting = parse_setting(text); !setting) return setting.failure();
  }
  return support::ok();
}

}  // namespace

support::Result<Compiled> compile_rule(Compilation& compilation, const RuleOptions& options) {
  if (options.rule.find_first_not_of(" \t\r\n") == std::string::npos)
    return support::Failure{
        support::FailureKind::Usage,
        "--rule is empty; it takes a rule or pipeline, e.g. 'AdamW(lr = 0.01)'"};
  auto front_end = driver::analyze_rule(*compilation.modules, compilation.sources,
                                        compilation.diagnostics, options.rule);
  if (!compilation.print_diagnostics(false) || !front_end)
    return support::Failure{
        support::FailureKind::Program,
        fmt::format("the rule has {} error{}", compilation.diagnostics.error_count(),
                    compilation.diagnostics.error_count() == 1 ? "" : "s")};
  if (auto checked = check_settings(front_end->rule, options.settings); !checked)
    return checked.failure();
  auto place = find_place(options, front_end->graph);
  if (!place) return place.failure();
  auto program = driver::compile(front_end->graph, compile_options(options));
  if (!program) return program.failure();
  return Compiled{std::move(*front_end), *program, std::move(*place)};
}

support::Result<Setting> parse_setting(const std::string& text) {
  const auto refuse = [&](std::string_view why) {
    return support::Failure{support::FailureKind::Usage,
                            fmt::format("--set {}: {}; write --set lr=0.1, or --set 1:lr=0.1 for "
                                        "parameter group 1",
                                        text, why)};
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return refuse("there is no NAME=VALUE in it");
  Setting setting;
  setting.name = text.substr(0, equals);
  if (const std::size_t colon = setting.name.find(':'); colon != std::string::npos) {
    std::uint32_t group = 0;
    const char* end = setting.name.data() + colon;
    const auto [stop, error] = std::from_chars(setting.name.data(), end, group);
    if (stop != end || error != std::errc{} || colon == 0)
      return refuse("before the colon stands no group number");
    setting.group = group;
    setting.name.erase(0, colon + 1);
  }
  const std::string value = text.substr(equals + 1);
  if (value == "true" || value == "false") {
    setting.value = value == "true" ? 1 : 0;
    return setting;
  }
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, setting.value);
  if (stop != end || error != std::errc{})
    return refuse(fmt::format("'{}' is not a number a float64 can hold", value));
  return setting;
}

CLI::Validator count_from(std::uint64_t least, std::uint64_t greatest) {
  return CLI::Validator(
      [least, greatest](std::string& text) {
        std::uint64_t value = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (stop != text.data() + text.size() || error != std::errc{} || value < least ||
            value > greatest)
          return fmt::format("'{}' is not a whole number from {} to {}", text, least, greatest);
        return std::string();
      },
      "COUNT");
}

CLI::Validator known_words(const std::vector<std::string>& words) {
  return CLI::Validator([](std::string&) { return std::string(); },
                        fmt::format("{{{}}}", fmt::join(words, ",")));
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) {
        return std::string(text.empty() ? "the name is empty; give one, or leave the option away"
                                        : "");
      },
      "");
}

std::uint32_t thread_count(std::uint32_t asked) {
  if (asked > 0) return asked;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores > 0 ? cores : 1;
}

}  // namespace talweg::cli
