#include "compiler/base/diagnostic_render.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/base/source_excerpt.h"

namespace talweg::base {

namespace {

std::string_view severity_text(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

/// The marks of a diagnostic, those of one source together, the primary source first.
std::vector<std::vector<Mark>> marks_by_source(const Diagnostic& diagnostic) {
  std::vector<std::vector<Mark>> groups;
  if (!diagnostic.span.source.valid()) return groups;
  groups.push_back({{diagnostic.span, diagnostic.primary_label, true}});
  for (const Label& label : diagnostic.labels) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& marks) {
      return marks.front().span.source == label.span.source;
    });
    if (group == groups.end())
      groups.push_back({{label.span, label.text, false}});
    else
      group->push_back({label.span, label.text, false});
  }
  return groups;
}

/// `text` with every line but the first indented below its own beginning.
std::string indented(std::string_view text, std::size_t indent) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += std::string(indent, ' ');
  }
  return result;
}

std::string render_one(const Diagnostic& diagnostic, const Sources& sources,
                       const Palette& palette) {
  const Severity severity = info(diagnostic.kind).severity;
  const std::string_view color = severity == Severity::Error ? palette.error : palette.warning;
  std::string result = fmt::format("{}{}[{}]{}{}: {}{}\n", color, severity_text(severity),
                                   code_text(diagnostic.kind), palette.reset, palette.bold,
                                   diagnostic.message, palette.reset);
  const auto groups = marks_by_source(diagnostic);
  std::size_t gutter = 1;
  for (const auto& marks : groups)
    gutter = std::max(
        gutter, fmt::formatted_size("{}", last_line(sources[marks.front().span.source], marks)));
  for (const auto& marks : groups) {
    const Source& source = sources[marks.front().span.source];
    const LineColumn at = source.position(marks.front().span.begin);
    result += fmt::format("{:>{}}{}{}{} {}:{}:{}\n", "", gutter, palette.note,
                          &marks == &groups.front() ? "-->" : ":::", palette.reset, source.name(),
                          at.line, at.column);
    result += draw_excerpt(source, marks, gutter, palette, color);
  }
  for (const std::string& help : diagnostic.helps)
    result += fmt::format("{:>{}} {}= help:{} {}\n", "", gutter, palette.note, palette.reset,
                          indented(help, gutter + 9));
  return result;
}

/// "Run `talweg explain TW0101` for more." with up to three codes, in the order they were reported.
std::string explain_hint(const Diagnostics& diagnostics) {
  constexpr std::size_t kMostCodes = 3;
  std::vector<std::string> codes;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    const std::string code = code_text(diagnostic.kind);
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
  }
  std::string others;
  for (std::size_t i = 1; i < std::min(codes.size(), kMostCodes); ++i)
    others += (i == 1 ? "" : ", ") + codes[i];
  if (codes.size() > kMostCodes) others += ", ...";
  return fmt::format("For more, run `talweg explain {}`{}.\n", codes.front(),
                     others.empty() ? "" : " (or " + others + ")");
}

nlohmann::ordered_json place(Span span, const Sources& sources) {
  if (!span.source.valid())
    return {{"file", nullptr}, {"line", 0}, {"column", 0}, {"end_line", 0}, {"end_column", 0}};
  const Source& source = sources[span.source];
  const LineColumn begin = source.position(span.begin);
  const LineColumn end = source.position(span.end);
  return {{"file", source.name()},
          {"line", begin.line},
          {"column", begin.column},
          {"end_line", end.line},
          {"end_column", end.column}};
}

}  // namespace

std::string render_text(const Diagnostics& diagnostics, const Sources& sources, bool color) {
  if (diagnostics.all().empty()) return {};
  const Palette palette = Palette::make(color);
  std::string result;
  for (const Diagnostic& diagnostic : diagnostics.all())
    result += render_one(diagnostic, sources, palette) + "\n";
  if (diagnostics.dropped() > 0)
    result += fmt::format("{} more not shown.\n", diagnostics.dropped());
  return result + explain_hint(diagnostics);
}

std::string render_json(const Diagnostics& diagnostics, const Sources& sources) {
  std::string result;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    nlohmann::ordered_json object = {{"code", code_text(diagnostic.kind)},
                                     {"severity", severity_text(info(diagnostic.kind).severity)},
                                     {"message", diagnostic.message}};
    object.update(place(diagnostic.span, sources));
    object["label"] = diagnostic.primary_label;
    object["labels"] = nlohmann::ordered_json::array();
    for (const Label& label : diagnostic.labels) {
      nlohmann::ordered_json item = place(label.span, sources);
      item["text"] = label.text;
      object["labels"].push_back(item);
    }
    object["helps"] = diagnostic.helps;
    result += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return result;
}

}  // namespace talweg::base
