// Parses, lays out, and makes sure that the result says what the source said.
#include "compiler/syntax/format.h"

#include "compiler/base/check.h"
#include "compiler/syntax/format/formatter.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/parser_run.h"
#include "compiler/syntax/print.h"

namespace talweg::syntax {

namespace {

/// Every comment of a text in order, a line each.
std::string all_comments(const Input& input, const TokenList& list) {
  const Comments comments = find_comments(input, list);
  std::string result;
  for (std::size_t i = 0; i < list.tokens.size(); ++i) {
    for (const OwnComment& comment : comments.before[i].comments)
      result.append(comment.text) += '\n';
    if (!comments.behind[i].empty()) result.append(comments.behind[i]) += '\n';
  }
  return result;
}

/// What formatting must keep: the tree, and the comments.
struct Meaning {
  std::string tree;
  std::string comments;
};

void check_meaning(const Meaning& before, const std::string& formatted) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const base::SourceId id = sources.add("formatted text", formatted);
  const Input input{id, sources, diagnostics};
  const Module module = parse_module(id, sources, diagnostics);
  TALWEG_CHECK(!diagnostics.has_errors(), "the formatted text does not parse");
  TALWEG_CHECK(print(module) == before.tree, "formatting changed the tree");
  const auto list = prepare(input);
  TALWEG_CHECK(list && all_comments(input, *list) == before.comments,
               "formatting changed the comments");
}

}  // namespace

std::optional<std::string> format(base::SourceId source, const base::Sources& sources,
                                  base::Diagnostics& diagnostics) {
  const Input input{source, sources, diagnostics};
  const int errors_before = diagnostics.error_count();
  const auto is_clean = [&] { return diagnostics.error_count() == errors_before; };
  const Module module = parse_module(source, sources, diagnostics);
  if (!is_clean()) return std::nullopt;
  const auto list = prepare(input);
  TALWEG_CHECK(list, "a text that parsed once does not parse again");
  const Comments comments = find_comments(input, *list);
  if (!is_clean()) return std::nullopt;

  ParserRun run(input, *list);
  Documents documents;
  const DocId root =
      Formatter(input, *list, comments, documents).module(run.parse(&TalwegParser::module));
  std::string result = render(documents, root, kFormatWidth);
  if (result.size() > Limits::kMaxTextBytes) {
    diagnostics.report(base::DiagnosticKind::SourceTooLarge, {source, 0, 0}, result.size(),
                       Limits::kMaxTextBytes);
    return std::nullopt;
  }
  check_meaning({print(module), all_comments(input, *list)}, result);
  return result;
}

}  // namespace talweg::syntax
