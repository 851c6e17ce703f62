// talweg_compile: from the text of a rule to a rule that can have optimizers, or to a report of
// what is wrong with it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <new>
#include <optional>

#include "compiler/base/diagnostic_render.h"
#include "compiler/embed/interface.h"
#include "compiler/embed/rule.h"
#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"

struct talweg_embed_report {
  std::string text, json;
};

namespace talweg::embed {

namespace {

namespace fs = std::filesystem;

/// Why a compilation ended without a rule.
struct Refusal {
  talweg_lib_status status;
  std::string message;
};

bool is_blank(const char* text) {
  return text == nullptr ||
         std::string_view(text).find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string or_default(const char* text, const char* otherwise) {
  return is_blank(text) ? otherwise : text;
}

std::optional<Refusal> check_options(const talweg_embed_options& options) {
  const auto bad = [](std::string message) {
    return Refusal{TALWEG_LIB_BAD_ARGUMENT, std::move(message)};
  };
  if (options.interface_version == 0) return bad("the options say no interface_version");
  if (options.interface_version > TALWEG_LIB_INTERFACE)
    return Refusal{TALWEG_LIB_NEWER_INTERFACE,
                   fmt::format("the options are of interface version {}; this library has version "
                               "{}",
                               options.interface_version, TALWEG_LIB_INTERFACE)};
  if (options.element_bytes != 0 && options.element_bytes != 4 && options.element_bytes != 8)
    return bad(
        fmt::format("element_bytes is {}; it is 4 (float) or 8 (double)", options.element_bytes));
  if (options.backend > TALWEG_EMBED_INTERPRETER)
    return bad(fmt::format("there is no backend {}", options.backend));
  if (options.text != nullptr && options.file != nullptr)
    return bad("both a text and a file of rules are given: give one");
  if (options.folder_count > 0 && options.folders == nullptr) return bad("the folders are null");
  for (std::uint32_t i = 0; i < options.folder_count; ++i)
    if (options.folders[i] == nullptr) return bad(fmt::format("folder {} is null", i));
  return std::nullopt;
}

driver::CompileOptions driver_options(const talweg_embed_options& options) {
  driver::CompileOptions result;
  if (options.element_bytes == 8) result.compute = types::ComputeType::F64;
  if (options.backend == TALWEG_EMBED_INTERPRETER) result.backend = driver::Backend::Interpreter;
  const char* cpu = options.cpu != nullptr ? options.cpu : std::getenv("TALWEG_CPU");
  if (cpu != nullptr && *cpu != '\0') result.isa = cpu;
  result.use_cache = options.no_cache == 0;
  if (options.cache_folder != nullptr) result.cache_dir = options.cache_folder;
  return result;
}

sema::SearchPath search_path(const talweg_embed_options& options) {
  return {{options.folders, options.folders + options.folder_count}, driver::find_stdlib()};
}

/// One call of talweg_compile.
class Compilation {
 public:
  explicit Compilation(const talweg_embed_options& options)
      : options_(options), modules_(search_path(options), sources_, diagnostics_) {}

  /// The rule, with one hold; null where `refusal` says why not.
  const Rule* run(const char* expression);
  /// What was found wrong; null where nothing was.
  [[nodiscard]] talweg_embed_report* report() const;

  Refusal refusal{TALWEG_LIB_OK, ""};

 private:
  const Rule* refuse(talweg_lib_status status, std::string message) {
    refusal = {status, std::move(message)};
    return nullptr;
  }
  const Rule* refuse_errors();
  /// Reads the caller's own rules; false where they are not to be had.
  bool add_own_rules();
  /// The only rule of the caller's; empty where there is not one.
  std::string only_rule();

  const talweg_embed_options& options_;
  base::Sources sources_;
  base::Diagnostics diagnostics_;
  sema::Modules modules_;
  std::string module_;                  // the caller's own; empty: none
  std::vector<std::string> own_rules_;  // what it declares
};

bool Compilation::add_own_rules() {
  std::string text;
  fs::path file = or_default(options_.text_name, "text");
  if (options_.text != nullptr) {
    text = options_.text;
  } else if (options_.file != nullptr) {
    file = options_.file;
    auto read = support::read_file(file);
    if (!read) {
      refuse(TALWEG_EMBED_SYSTEM, read.failure().message);
      return false;
    }
    text = std::move(*read);
  } else {
    return true;
  }
  const base::SourceId source = sources_.add(file.string(), std::move(text));
  syntax::Module module = syntax::parse_module(source, sources_, diagnostics_);
  own_rules_ = sema::declared_names(module).rules;
  if (!diagnostics_.has_errors()) {
    module_ = file.has_stem() ? file.stem().string() : "text";
    modules_.add(module_, file, std::move(module));
    sema::check_module(modules_, module_);  // for all mistakes and warnings
  }
  if (diagnostics_.has_errors()) refuse_errors();
  return !diagnostics_.has_errors();
}

std::string Compilation::only_rule() {
  if (own_rules_.size() == 1) return own_rules_.front();
  if (module_.empty())
    refuse(TALWEG_LIB_BAD_ARGUMENT,
           "the expression is empty; it is a rule or pipeline of rules, "
           "such as \"ClipByGlobalNorm(1) | AdamW\"");
  else if (own_rules_.empty())
    refuse(TALWEG_LIB_BAD_ARGUMENT, "the text declares no rule, and the expression is empty");
  else
    refuse(TALWEG_LIB_BAD_ARGUMENT,
           fmt::format("the text declares the rules {}: the expression is to say which",
                       fmt::join(own_rules_, ", ")));
  return {};
}

const Rule* Compilation::refuse_errors() {
  const int errors = diagnostics_.error_count();
  std::string message = fmt::format("the rule has {} error{}", errors, errors == 1 ? "" : "s");
  for (const base::Diagnostic& diagnostic : diagnostics_.all()) {
    if (base::info(diagnostic.kind).severity != base::Severity::Error) continue;
    message += errors == 1 ? ": " : "; the first: ";
    if (diagnostic.span.source.valid()) {
      const base::Source& source = sources_[diagnostic.span.source];
      const base::LineColumn place = source.position(diagnostic.span.begin);
      message += fmt::format("{}:{}:{}: ", source.name(), place.line, place.column);
    }
    message += diagnostic.message;
    if (!diagnostic.helps.empty()) message += "; " + diagnostic.helps.front();
    break;
  }
  std::error_code failure;
  if (const fs::path stdlib = driver::find_stdlib(); !fs::is_directory(stdlib, failure))
    message +=
        fmt::format("; the library of rules is missing: there is no folder {}", stdlib.string());
  return refuse(TALWEG_EMBED_BAD_RULE, std::move(message));
}

const Rule* Compilation::run(const char* expression) {
  if (!add_own_rules()) return nullptr;
  const std::string wanted = is_blank(expression) ? only_rule() : expression;
  if (wanted.empty()) return nullptr;
  const auto front_end =
      driver::analyze_rule(modules_, sources_, diagnostics_, wanted, module_, "rule");
  if (!front_end) return refuse_errors();
  const driver::CompileOptions how = driver_options(options_);
  auto program = driver::compile(front_end->graph, how);
  if (program) return new Rule(front_end->graph, how, std::move(*program));
  const bool is_usage = program.failure().kind == support::FailureKind::Usage;
  return refuse(is_usage ? TALWEG_LIB_UNSUPPORTED_CPU : TALWEG_EMBED_SYSTEM,
                program.failure().message);
}

talweg_embed_report* Compilation::report() const {
  if (diagnostics_.all().empty()) return nullptr;
  return new talweg_embed_report{base::render_text(diagnostics_, sources_, false),
                                 base::render_json(diagnostics_, sources_)};
}

talweg_lib_status compile(const char* expression, const talweg_embed_options& options,
                          const talweg_lib_table** rule, talweg_embed_report** report,
                          talweg_lib_error* error) {
  const std::lock_guard lock(compiler_mutex());
  Compilation compilation(options);
  std::unique_ptr<const Rule, void (*)(const Rule*)> compiled(compilation.run(expression),
                                                              &Rule::release);
  if (report != nullptr) *report = compilation.report();
  if (!compiled) return fail(error, compilation.refusal.status, compilation.refusal.message);
  *rule = compiled.release();
  return TALWEG_LIB_OK;
}

}  // namespace

}  // namespace talweg::embed

extern "C" {

talweg_lib_status talweg_embed_compile(const char* expression, const talweg_embed_options* options,
                                       const talweg_lib_table** rule, talweg_embed_report** report,
                                       talweg_lib_error* error) {
  using namespace talweg::embed;
  if (report != nullptr) *report = nullptr;
  if (rule == nullptr)
    return fail(error, TALWEG_LIB_BAD_ARGUMENT, "the place for the rule is null");
  talweg_embed_options defaults{};
  defaults.interface_version = TALWEG_LIB_INTERFACE;
  const talweg_embed_options& chosen = options == nullptr ? defaults : *options;
  try {
    if (const auto refusal = check_options(chosen))
      return fail(error, refusal->status, refusal->message);
    return compile(expression, chosen, rule, report, error);
  } catch (const std::bad_alloc&) {
    return fail(error, TALWEG_LIB_NO_MEMORY, "there is not enough memory to compile the rule");
  } catch (const std::exception& failure) {
    return fail(error, TALWEG_EMBED_SYSTEM, failure.what());
  }
}

const char* talweg_embed_report_text(const talweg_embed_report* report) {
  return report == nullptr ? "" : report->text.c_str();
}

const char* talweg_embed_report_json(const talweg_embed_report* report) {
  return report == nullptr ? "" : report->json.c_str();
}

void talweg_embed_report_destroy(talweg_embed_report* report) { delete report; }

}  // extern "C"
