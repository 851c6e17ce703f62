// Statements and blocks: one statement a line, but for a block of one that the author wrote on one.
#include "compiler/syntax/format/formatter.h"

namespace talweg::syntax {

DocId Formatter::item(TalwegParser::ItemContext* context) {
  if (auto* let = dynamic_cast<TalwegParser::LetItemContext*>(context)) {
    const DocId keyword = token(first(let));
    const DocId name = token(let->NAME());
    return all({keyword, text(" "), name, text(" "), assigned(let->ASSIGN(), let->expression())});
  }
  if (auto* branch = dynamic_cast<TalwegParser::IfItemContext*>(context))
    return if_statement(branch);
  if (auto* loop = dynamic_cast<TalwegParser::ForItemContext*>(context)) {
    Docs parts = {token(loop->FOR()), text(" ")};
    parts.push_back(all({token(loop->NAME()), text(" ")}));
    parts.push_back(all({token(loop->IN()), text(" ")}));
    parts.push_back(condition(loop->expression(0)));
    if (loop->DOTDOT() != nullptr) {
      parts.push_back(token(loop->DOTDOT()));
      parts.push_back(condition(loop->expression(1)));
    }
    parts.push_back(text(" "));
    parts.push_back(docs_.group(block(loop->block(), stays_on_line(loop->block()))));
    return docs_.sequence(std::move(parts));
  }
  if (auto* stop = dynamic_cast<TalwegParser::StopItemContext*>(context)) {
    const DocId keyword = token(first(stop));
    const DocId if_word = token(stop->IF());
    return all({keyword, text(" "), if_word, text(" "), condition(stop->expression())});
  }
  if (dynamic_cast<TalwegParser::RegradItemContext*>(context) != nullptr)
    return token(first(context));
  auto* value = dynamic_cast<TalwegParser::ValueItemContext*>(context);
  if (value->expression().size() == 1) {
    Expression* only = value->expression(0);
    return only->IF_THEN() != nullptr ? expression(only) : condition(only);
  }
  const DocId target = expression(value->expression(0));
  const std::size_t sign = value->expression(0)->stop->getTokenIndex() + 1;
  return all({target, text(" "), assigned(sign, value->expression(1))});
}

DocId Formatter::assigned(Terminal* sign, Expression* value) {
  return assigned(index(sign), value);
}

/// An `if` moves to the next line, so that its arms stand below each other; any other value is
/// broken where it stands.
DocId Formatter::assigned(std::size_t sign, Expression* value) {
  const DocId written = token(sign);
  if (value->IF_THEN() == nullptr) return all({written, text(" "), condition(value)});
  return all({written, moved_choice(value)});
}

DocId Formatter::moved_choice(Expression* value) {
  const bool moved = begins_line(first(value));
  const Choice chosen = choice(value);
  if (chosen.has_blocks) return all({text(" "), chosen.doc});
  const DocId below = docs_.indent(kIndent, all({docs_.line(), chosen.below}));
  return docs_.group(below, moved || chosen.broken);
}

DocId Formatter::if_statement(TalwegParser::IfItemContext* context) {
  std::vector<Branch> branches = {{context->IF(), context->expression(), context->block(0)}};
  std::vector<Terminal*> elses;
  TalwegParser::BlockContext* last = context->block(1);
  if (context->ELSE() != nullptr) elses.push_back(context->ELSE());
  for (auto* next = context->elseIf(); next != nullptr; next = next->elseIf()) {
    branches.push_back({next->IF(), next->expression(), next->block(0)});
    if (next->ELSE() != nullptr) elses.push_back(next->ELSE());
    last = next->block(1);
  }
  bool one_line = on_one_line(context);
  for (const Branch& branch : branches) one_line = one_line && stays_on_line(branch.body);
  if (last != nullptr) one_line = one_line && stays_on_line(last);

  Docs parts;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    parts.push_back(token(branches[i].keyword));
    parts.push_back(text(" "));
    parts.push_back(condition(branches[i].condition));
    parts.push_back(text(" "));
    parts.push_back(block(branches[i].body, one_line));
    if (i >= elses.size()) continue;
    parts.push_back(text(" "));
    parts.push_back(token(elses[i]));
    parts.push_back(text(" "));
  }
  if (last != nullptr) parts.push_back(block(last, one_line));
  return docs_.group(docs_.sequence(std::move(parts)));
}

bool Formatter::stays_on_line(TalwegParser::BlockContext* context) const {
  const auto items = context->item();
  if (items.size() > 1 || !on_one_line(context)) return false;
  if (items.empty()) return true;
  return dynamic_cast<TalwegParser::IfItemContext*>(items.front()) == nullptr &&
         dynamic_cast<TalwegParser::ForItemContext*>(items.front()) == nullptr;
}

DocId Formatter::block(TalwegParser::BlockContext* context, bool may_stay_on_line) {
  return within(false, [&] {
    const auto items = context->item();
    const std::size_t close = index(context->RBRACE());
    const DocId open = token(context->LBRACE());
    if (items.empty() && !begins_line(close)) return all({open, token(close)});
    if (may_stay_on_line && stays_on_line(context)) {
      const DocId inner = docs_.indent(kIndent, all({docs_.line(), item(items.front())}));
      return all({open, inner, docs_.line(), token(close)});
    }
    Docs lines;
    for (TalwegParser::ItemContext* entry : items) {
      lead(first(entry), lines.empty(), false, lines);
      lines.push_back(item(entry));
    }
    return braced(open, std::move(lines), close);
  });
}

}  // namespace talweg::syntax
