// Tokens, their comments, and lists of things: what the other files of the formatter share.
#include "compiler/syntax/format/formatter.h"

namespace talweg::syntax {

bool Formatter::on_one_line(const Context* context) const {
  for (std::size_t i = first(context) + 1; i <= context->stop->getTokenIndex(); ++i)
    if (begins_line(i)) return false;
  return true;
}

DocId Formatter::token(std::size_t index) {
  const Token& token = list_.tokens[index];
  Docs parts;
  if (!led_[index])
    for (const OwnComment& comment : comments_.before[index].comments)
      parts.push_back(docs_.comment(comment.text, false));
  led_[index] = true;
  const DocId ink = text(input_.text(token));
  if (parts.empty() && comments_.behind[index].empty()) return ink;
  parts.push_back(ink);
  if (!comments_.behind[index].empty())
    parts.push_back(docs_.comment(comments_.behind[index], true));
  return docs_.sequence(std::move(parts));
}

DocId Formatter::left_out(Terminal* node) {
  Docs parts;
  for (const OwnComment& comment : comments_.before[index(node)].comments)
    parts.push_back(docs_.comment(comment.text, false));
  if (!comments_.behind[index(node)].empty())
    parts.push_back(docs_.comment(comments_.behind[index(node)], true));
  return docs_.sequence(std::move(parts));
}

void Formatter::lead(std::size_t token, bool first_in_block, bool wants_blank, Docs& out) {
  const Gap& gap = comments_.before[token];
  bool missing = wants_blank && !gap.has_blank();
  const auto new_line = [&](bool blank) {
    out.push_back(docs_.hard_line((blank || missing) && !first_in_block));
    missing = false;
    first_in_block = false;
  };
  for (const OwnComment& comment : gap.comments) {
    new_line(comment.blank_before);
    out.push_back(docs_.comment(comment.text, false));
  }
  new_line(gap.blank_before_token);
  led_[token] = true;
}

DocId Formatter::braced(DocId open, Docs lines, std::size_t close) {
  for (const OwnComment& comment : comments_.before[close].comments) {
    lines.push_back(docs_.hard_line(comment.blank_before && !lines.empty()));
    lines.push_back(docs_.comment(comment.text, false));
  }
  led_[close] = true;
  if (lines.empty()) return all({open, token(close)});
  const DocId inner = docs_.indent(kIndent, docs_.sequence(std::move(lines)));
  return all({open, inner, docs_.hard_line(), token(close)});
}

DocId Formatter::words(const std::vector<TalwegParser::WordContext*>& words) {
  Docs parts;
  for (TalwegParser::WordContext* word : words) {
    if (!parts.empty()) parts.push_back(text(" "));
    parts.push_back(token(first(word)));
  }
  return docs_.sequence(std::move(parts));
}

DocId Formatter::listed(Terminal* open, const Docs& items, const std::vector<Terminal*>& commas,
                        Terminal* close) {
  Docs parts;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) parts.push_back(docs_.line());
    parts.push_back(i < commas.size() ? all({items[i], token(commas[i])}) : items[i]);
  }
  const DocId fill = docs_.fill(std::move(parts));
  if (open == nullptr) return fill;
  const DocId opened = token(open);
  const DocId rest = all({fill, token(close)});
  // Below a comment all items are indented alike.
  if (docs_[opened].ends_in_comment)
    return all({opened, docs_.indent(kContinuation, all({docs_.hard_line(), rest}))});
  if (!items.empty() && begins_with_comment(items.front()))
    return all({opened, docs_.align(all({docs_.hard_line(), rest}))});
  return all({opened, docs_.align(rest)});
}

bool Formatter::begins_with_comment(DocId id) const {
  const Doc* doc = &docs_[id];
  while (!doc->parts.empty()) doc = &docs_[doc->parts.front()];
  return doc->kind == DocKind::OwnComment;
}

}  // namespace talweg::syntax
