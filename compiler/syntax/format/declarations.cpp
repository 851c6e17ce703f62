// Declarations of a module, and pipelines.
#include "compiler/syntax/format/formatter.h"

namespace talweg::syntax {

namespace {

/// True for what a reader takes in as a paragraph: an empty line belongs around it.
bool is_paragraph(TalwegParser::DeclarationContext* context) {
  if (auto* rule = context->ruleDecl()) return rule->ruleBody() != nullptr;
  if (auto* fn = context->fnDecl())
    return fn->block() != nullptr || (fn->arm() != nullptr && fn->arm()->block() != nullptr);
  return context->kernelDecl() != nullptr;
}

}  // namespace

DocId Formatter::module(TalwegParser::ModuleContext* context) {
  Docs parts;
  bool after_paragraph = false;
  for (TalwegParser::DeclarationContext* item : context->declaration()) {
    const bool apart = after_paragraph || is_paragraph(item);
    lead(first(item), parts.empty(), apart, parts);
    parts.push_back(declaration(item));
    after_paragraph = is_paragraph(item);
  }
  for (const OwnComment& comment : comments_.before[list_.tokens.size() - 1].comments) {
    parts.push_back(docs_.hard_line(comment.blank_before && !parts.empty()));
    parts.push_back(docs_.comment(comment.text, false));
  }
  return docs_.sequence(std::move(parts));
}

DocId Formatter::declaration(TalwegParser::DeclarationContext* context) {
  if (auto* item = context->importDecl()) return import(item);
  if (auto* item = context->fnDecl()) return function(item);
  if (auto* item = context->ruleDecl()) return rule(item);
  if (auto* item = context->kernelDecl()) return kernel(item);
  TalwegParser::ConstDeclContext* constant = context->constDecl();
  const DocId keyword = token(constant->LET());
  const DocId name = token(constant->NAME());
  return all(
      {keyword, text(" "), name, text(" "), assigned(constant->ASSIGN(), constant->expression())});
}

DocId Formatter::import(TalwegParser::ImportDeclContext* context) {
  const DocId keyword = token(context->IMPORT());
  const DocId module = path(context->path());
  if (context->COLON() == nullptr) return all({keyword, text(" "), module});
  const DocId colon = token(context->COLON());
  Docs parts;
  for (std::size_t i = 0; i < context->NAME().size(); ++i) {
    if (i > 0) parts.push_back(docs_.line());
    const DocId name = token(context->NAME(i));
    parts.push_back(i < context->COMMA().size() ? all({name, token(context->COMMA(i))}) : name);
  }
  const DocId names = docs_.indent(kContinuation, docs_.fill(std::move(parts)));
  return all({keyword, text(" "), module, colon, text(" "), names});
}

/// A function whose body is a block has no `=`. Any other body that does not fit behind it, or that
/// the author wrote below, stands below.
DocId Formatter::function(TalwegParser::FnDeclContext* context) {
  Docs parts = {token(context->FN()), text(" "), token(context->NAME())};
  const DocId open = token(context->LPAREN());
  Docs items;
  within(true, [&] {
    for (TalwegParser::ParameterContext* parameter : context->parameter()) {
      const DocId name = token(parameter->NAME());
      if (parameter->ASSIGN() == nullptr) {
        items.push_back(name);
        continue;
      }
      const DocId sign = token(parameter->ASSIGN());
      const DocId value = docs_.indent(kContinuation, expression(parameter->expression()));
      items.push_back(all({name, text(" "), sign, text(" "), value}));
    }
    return 0;
  });
  const DocId fill = listed(nullptr, items, context->COMMA(), nullptr);
  parts.push_back(open);
  parts.push_back(docs_.align(all({fill, token(context->RPAREN())})));
  parts.push_back(text(" "));
  TalwegParser::BlockContext* body =
      context->arm() != nullptr ? context->arm()->block() : context->block();
  if (body != nullptr) {
    if (context->ASSIGN() != nullptr) parts.push_back(left_out(context->ASSIGN()));
    parts.push_back(docs_.group(block(body, true)));
    return docs_.sequence(std::move(parts));
  }
  Expression* value = context->arm()->expression();
  parts.push_back(token(context->ASSIGN()));
  if (value->IF_THEN() != nullptr) {
    parts.push_back(moved_choice(value));
  } else {
    const bool moved = begins_line(first(value));
    const DocId below = docs_.indent(kIndent, all({docs_.line(), condition(value)}));
    parts.push_back(docs_.group(below, moved));
  }
  return docs_.sequence(std::move(parts));
}

DocId Formatter::kernel(TalwegParser::KernelDeclContext* context) {
  Docs parts = {token(context->KERNEL()), text(" "), token(context->NAME())};
  parts.push_back(all({text(" "), token(context->ASSIGN())}));
  parts.push_back(pipeline(context->pipeline()));
  parts.push_back(all({text(" "), token(context->WITH()), text(" ")}));
  parts.push_back(anything(context->anything()));
  return docs_.sequence(std::move(parts));
}

/// Words in braces whose meaning is open yet: one line an entry.
DocId Formatter::anything(TalwegParser::AnythingContext* context) {
  const DocId open = token(first(context));
  Docs parts;
  bool line_begins = true;
  bool sticks = true;  // the next word follows without a space
  for (std::size_t i = 1; i + 1 < context->children.size(); ++i) {
    auto* inner = dynamic_cast<TalwegParser::AnythingContext*>(context->children[i]);
    auto* word = dynamic_cast<Terminal*>(context->children[i]);
    const std::size_t at = inner != nullptr ? first(inner) : index(word);
    const TokenKind kind = list_.tokens[at].kind;
    if (kind == TokenKind::Separator) {
      line_begins = true;
      continue;
    }
    const bool clings = has(kind, kCloses) || kind == TokenKind::Comma ||
                        kind == TokenKind::Colon || kind == TokenKind::Dot;
    if (line_begins)
      lead(at, parts.empty(), false, parts);
    else if (!sticks && !clings)
      parts.push_back(text(" "));
    parts.push_back(inner != nullptr ? anything(inner) : token(at));
    line_begins = false;
    sticks = inner == nullptr && (has(kind, kOpens) || kind == TokenKind::Dot);
  }
  const std::size_t close = context->stop->getTokenIndex();
  return braced(open, std::move(parts), close);
}

/// On one line, or one line a stage:
///     pipeline
///         A
///       | B
DocId Formatter::pipeline(TalwegParser::PipelineContext* context) {
  const auto stages = context->stage();
  Docs parts = {docs_.line(), stage(stages.front())};
  if (stages.size() == 1) {
    parts.front() = text(" ");
    return docs_.sequence(std::move(parts));
  }
  Docs more = {docs_.indent(2 * kIndent, docs_.sequence(std::move(parts)))};
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const std::size_t pipe = index(context->PIPE(i - 1));
    const bool has_comment =
        !comments_.behind[pipe].empty() || !comments_.before[first(stages[i])].comments.empty();
    const DocId sign = token(pipe);
    const DocId written = all({text(" "), stage(stages[i])});
    const DocId behind = has_comment ? docs_.indent(kIndent, written) : written;
    more.push_back(docs_.indent(kIndent, all({docs_.line(), sign, behind})));
  }
  return docs_.group(docs_.sequence(std::move(more)), is_broken(context));
}

bool Formatter::is_broken(TalwegParser::PipelineContext* context) const {
  const auto stages = context->stage();
  if (stages.size() == 1) return false;
  bool broken = begins_line(first(context));
  for (std::size_t i = 1; i < stages.size(); ++i)
    broken = broken || begins_line(index(context->PIPE(i - 1))) || begins_line(first(stages[i]));
  return broken;
}

DocId Formatter::stage(TalwegParser::StageContext* context) {
  Docs parts;
  if (context->NAME() != nullptr) {
    parts.push_back(token(context->NAME()));
    parts.push_back(text(" "));
    parts.push_back(token(context->ASSIGN()));
    parts.push_back(text(" "));
  }
  parts.push_back(path(context->path()));
  if (context->arguments() != nullptr) parts.push_back(arguments(context->arguments()));
  return docs_.sequence(std::move(parts));
}

}  // namespace talweg::syntax
