// Definitions and expressions of the REPL. Every definition is kept as text; after each change the
// whole text is checked again as module "repl", so that a redefinition reaches everything that uses
// it.
#include "compiler/cli/repl_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/base/diagnostic_render.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"
#include "compiler/types/interval.h"

namespace talweg::cli {

namespace {

constexpr const char* kModule = "repl";

/// An input is read again with each line until it is whole: a limit keeps that short.
constexpr int kMaxPendingLines = 1000;
constexpr std::size_t kMaxPendingBytes = 1 << 16;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

struct NameAndSpan {
  std::string name;
  base::Span span;
};

NameAndSpan name_and_span(const syntax::Decl& decl) {
  return std::visit(
      [](const auto& d) -> NameAndSpan {
        if constexpr (requires { d.module; })
          return {"import " + d.module.text(), d.span};
        else
          return {d.name.text, d.span};
      },
      decl);
}

}  // namespace

ReplSession::ReplSession(std::vector<std::filesystem::path> include_dirs, bool color)
    : include_dirs_(std::move(include_dirs)), color_(color) {}

ReplSession::Reply ReplSession::failed(std::string error) {
  had_errors_ = true;
  Reply reply;
  reply.error = std::move(error);
  return reply;
}

std::string ReplSession::rendered(const Compilation& compilation) const {
  return base::render_text(compilation.diagnostics, compilation.sources, color_);
}

ReplSession::Reply ReplSession::feed(std::string_view line, const std::atomic<bool>& stop) {
  stop_ = &stop;
  if (pending_.empty()) {
    if (is_blank(line)) return {};
    const std::size_t first = line.find_first_not_of(" \t");
    if (line[first] == ':') return run_command(line.substr(first + 1));
  }
  // An empty line ends an input that waits for more: what is wrong with it is then said.
  const bool finish = !pending_.empty() && is_blank(line);
  pending_ += line;
  pending_ += '\n';
  if (++pending_lines_ > kMaxPendingLines || pending_.size() > kMaxPendingBytes) {
    cancel();
    return failed(
        fmt::format("this input goes on for more than {} lines or {} bytes and is dropped; "
                    "write it to a file and :load that\n",
                    kMaxPendingLines, kMaxPendingBytes));
  }
  if (!finish) {
    base::Sources sources;
    base::Diagnostics diagnostics;
    const auto source = sources.add(kModule, pending_);
    if (!syntax::parse_repl(source, sources, diagnostics).complete) {
      Reply reply;
      reply.more = true;
      return reply;
    }
  }
  const std::string text = std::move(pending_);
  cancel();
  return evaluate(text);
}

ReplSession::Reply ReplSession::evaluate(const std::string& text) {
  Compilation compilation(include_dirs_);
  const auto source = compilation.sources.add(kModule, text);
  const syntax::ReplInput input =
      syntax::parse_repl(source, compilation.sources, compilation.diagnostics);
  // The end of input, or an empty line, came too early: the parser of files says what is missing.
  if (!input.complete && !compilation.diagnostics.has_errors())
    syntax::parse_module(source, compilation.sources, compilation.diagnostics);
  if (compilation.diagnostics.has_errors()) return failed(rendered(compilation));
  if (input.expression) return evaluate_expression(text);
  std::vector<Definition> fresh;
  std::uint32_t begin = 0;
  for (const syntax::Decl& decl : input.module.decls) {
    const auto [name, span] = name_and_span(decl);
    fresh.push_back({name, text.substr(begin, span.end - begin)});
    begin = span.end;
  }
  return define(text, std::move(fresh));
}

std::string ReplSession::program_text(const std::vector<Definition>& definitions) const {
  std::string text;
  for (const Definition& definition : definitions) {
    std::string_view body = definition.text;
    while (!body.empty() && (body.front() == '\n' || body.front() == ' ')) body.remove_prefix(1);
    text += body;
    text += "\n\n";
  }
  return text;
}

std::unique_ptr<Compilation> ReplSession::compile_definitions(
    const std::vector<Definition>& definitions) {
  auto compilation = std::make_unique<Compilation>(include_dirs_);
  const auto source = compilation->sources.add(kModule, program_text(definitions));
  syntax::Module module =
      syntax::parse_module(source, compilation->sources, compilation->diagnostics);
  if (!compilation->diagnostics.has_errors()) {
    std::error_code ignored;
    compilation->modules->add(kModule, std::filesystem::current_path(ignored) / "repl.tw",
                              std::move(module));
  }
  return compilation;
}

ReplSession::Reply ReplSession::define(const std::string&, std::vector<Definition> fresh) {
  std::vector<Definition> next;
  std::string output;
  const auto is_fresh = [&](const Definition& old) {
    return std::any_of(fresh.begin(), fresh.end(),
                       [&](const Definition& d) { return d.name == old.name; });
  };
  for (const Definition& old : definitions_)
    if (!is_fresh(old)) next.push_back(old);
  const auto old_bytes = static_cast<std::uint32_t>(program_text(next).size());
  for (const Definition& definition : fresh) {
    const bool again =
        std::any_of(definitions_.begin(), definitions_.end(),
                    [&](const Definition& old) { return old.name == definition.name; });
    output += fmt::format("{} {}\n", again ? "redefined" : "defined", definition.name);
    next.push_back(definition);
  }
  auto compilation = compile_definitions(next);
  if (!compilation->diagnostics.has_errors()) sema::check_module(*compilation->modules, kModule);
  if (compilation->diagnostics.has_errors()) return failed(rendered(*compilation));
  definitions_ = std::move(next);
  Reply reply;
  reply.output = std::move(output);
  // Warnings about older definitions were given when those were made.
  compilation->diagnostics.forget_warnings_before(base::SourceId(0), old_bytes);
  reply.error = rendered(*compilation);
  return reply;
}

ReplSession::Reply ReplSession::evaluate_expression(const std::string& text) {
  auto compilation = compile_definitions(definitions_);
  const auto source = compilation->sources.add("input", text);
  const syntax::ReplInput input =
      syntax::parse_repl(source, compilation->sources, compilation->diagnostics);
  const auto value =
      sema::evaluate_constant(*compilation->modules, kModule, input.module, *input.expression);
  if (!value || compilation->diagnostics.has_errors()) return failed(rendered(*compilation));
  Reply reply;
  reply.output = types::number_text(*value) + "\n";
  return reply;
}

}  // namespace talweg::cli
