// talweg explain TW0201: the long form of a diagnostic.
#include <fmt/format.h>

#include <cctype>
#include <memory>

#include "compiler/base/diagnostics.h"
#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/subcommands.h"

namespace talweg::cli {

namespace {

/// The message with its holes shown as "...".
std::string message_shape(std::string_view message) {
  std::string shape;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const std::size_t close = message[i] == '{' ? message.find('}', i) : std::string_view::npos;
    if (close == std::string_view::npos) {
      shape += message[i];
      continue;
    }
    shape += "...";
    i = close;
  }
  return shape;
}

std::string severity_text(base::Severity severity) {
  return severity == base::Severity::Error ? "error" : "warning";
}

int list_all() {
  for (const base::DiagnosticInfo& row : base::diagnostic_table())
    print(fmt::format("TW{:04} {:<8} {}\n", row.number, severity_text(row.severity),
                      message_shape(row.message)));
  return kOk;
}

int explain(std::string code) {
  for (char& c : code) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const base::DiagnosticInfo& row : base::diagnostic_table()) {
    if (code != base::code_text(row.kind) && code != std::to_string(row.number)) continue;
    print(fmt::format("{} {}: {}\n\n{}\n", base::code_text(row.kind), severity_text(row.severity),
                      message_shape(row.message), row.explanation));
    return kOk;
  }
  fmt::print(stderr,
             "talweg explain: there is no diagnostic {}; 'talweg explain --list' shows them all\n",
             code);
  return kUsage;
}

}  // namespace

std::function<int()> declare_explain(CLI::App& app) {
  struct Options {
    std::string code;
    bool list = false;
  };
  auto options = std::make_shared<Options>();
  auto* code = app.add_option("code", options->code, "Number of a diagnostic, e.g. TW0201")
                   ->type_name("CODE");
  app.add_flag("--list", options->list, "All diagnostics, a line each")->excludes(code);
  return [options] {
    if (options->list) return list_all();
    if (!options->code.empty()) return explain(options->code);
    fmt::print(stderr, "talweg explain: name a diagnostic (talweg explain TW0201), or --list\n");
    return static_cast<int>(kUsage);
  };
}

}  // namespace talweg::cli
