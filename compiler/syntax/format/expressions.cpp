// Expressions. Outside parentheses a line may break where the next begins with something that goes
// on with it (grammar/Talweg.g4): before every operator but `-`, after which it may break instead.
#include <algorithm>

#include "compiler/syntax/format/formatter.h"

namespace talweg::syntax {

namespace {

using Expression = TalwegParser::ExpressionContext;

/// Binary operators of one class are broken together.
enum class OperatorClass { None, Sum, Product, Comparison, And, Or, Power };

antlr4::Token* binary_operator(Expression* context) {
  if (context->children.size() != 3 || context->expression().size() != 2) return nullptr;
  auto* node = dynamic_cast<antlr4::tree::TerminalNode*>(context->children[1]);
  return node == nullptr ? nullptr : node->getSymbol();
}

OperatorClass class_of(Expression* context) {
  const antlr4::Token* sign = binary_operator(context);
  if (sign == nullptr) return OperatorClass::None;
  switch (sign->getType()) {
    case TalwegParser::PLUS:
    case TalwegParser::MINUS:
      return OperatorClass::Sum;
    case TalwegParser::STAR:
    case TalwegParser::SLASH:
    case TalwegParser::PERCENT:
    case TalwegParser::AT:
      return OperatorClass::Product;
    case TalwegParser::AND:
      return OperatorClass::And;
    case TalwegParser::OR:
      return OperatorClass::Or;
    case TalwegParser::CARET:
      return OperatorClass::Power;
    default:
      return OperatorClass::Comparison;
  }
}

}  // namespace

DocId Formatter::expression(Expression* context) {
  if (auto* inner = context->primary()) return primary(inner);
  if (binary_operator(context) != nullptr) return chain(context);
  if (context->IF_THEN() != nullptr) return choice(context).doc;
  if (context->PER() != nullptr) {
    const DocId operand = expression(context->expression(0));
    const DocId per = token(context->PER());
    return all({operand, text(" "), per, text(" "), token(first(context->word()))});
  }
  if (context->MINUS() != nullptr) {
    const DocId sign = token(context->MINUS());
    return all({sign, expression(context->expression(0))});
  }
  const DocId sign = token(context->NOT());
  return all({sign, text(" "), expression(context->expression(0))});
}

/// `a + b - c` as one fill. It leans left, one context within the other: walked without recursion.
DocId Formatter::chain(Expression* context) {
  const OperatorClass own = class_of(context);
  if (own == OperatorClass::Power) {
    const DocId base = expression(context->expression(0));
    const DocId sign = token(binary_operator(context)->getTokenIndex());
    return all({base, sign, expression(context->expression(1))});
  }
  std::vector<Expression*> links;
  Expression* left = context;
  for (; class_of(left) == own; left = left->expression(0)) links.push_back(left);
  Docs parts = {docs_.indent(kIndent, expression(left))};
  for (auto it = links.rbegin(); it != links.rend(); ++it) {
    const std::size_t sign = binary_operator(*it)->getTokenIndex();
    const bool ends_line = list_.tokens[sign].kind == TokenKind::Minus && !in_parentheses_;
    const DocId written = token(sign);
    const DocId operand = docs_.indent(kIndent, expression((*it)->expression(1)));
    if (ends_line) {
      parts.back() = all({parts.back(), text(" "), written});
      parts.push_back(docs_.line());
      parts.push_back(operand);
    } else {
      parts.push_back(docs_.line());
      parts.push_back(all({written, text(" "), operand}));
    }
  }
  return docs_.group(docs_.fill(std::move(parts)));
}

/// `if a then b else if c then d else e`: on one line, or one line an arm. Arms that are blocks
/// keep to the line of their braces.
Formatter::Choice Formatter::choice(Expression* context) {
  struct Link {
    Expression* context;
    DocId doc;  // the keyword, the condition, `then` and the value
  };
  Choice result;
  Docs parts;
  DocId otherwise;  // the `else` that stands before the next link
  Expression* link = context;
  while (link != nullptr) {
    const DocId keyword = token(link->IF_THEN());
    const DocId tested = condition(link->expression(0));
    const DocId then = token(link->THEN());
    const bool block = link->arm(0)->block() != nullptr;
    const DocId whole = all({keyword, text(" "), tested, text(" "), then, arm(link->arm(0))});
    parts.push_back(otherwise.valid() ? all({otherwise, text(" "), whole}) : whole);
    parts.push_back(docs_.line());
    result.broken |= begins_line(index(link->ELSE()));
    result.has_blocks |= block || link->arm(1)->block() != nullptr;
    otherwise = token(link->ELSE());
    Expression* last = link->arm(1)->expression();
    const bool goes_on = last != nullptr && last->IF_THEN() != nullptr;
    if (!goes_on) parts.push_back(all({otherwise, arm(link->arm(1))}));
    link = goes_on ? last : nullptr;
  }
  if (result.has_blocks) {
    result.broken = false;
    for (std::size_t i = 1; i < parts.size(); i += 2) parts[i] = text(" ");
    result.doc = docs_.sequence(std::move(parts));
  } else {
    const bool is_single = parts.size() == 3;
    const DocId arms = docs_.sequence(std::move(parts));
    result.doc = docs_.align(docs_.group(arms, result.broken));
    // An `else if` wants a line of its own where not all fit on the first.
    result.below = is_single ? result.doc : docs_.align(arms);
  }
  return result;
}

DocId Formatter::arm(TalwegParser::ArmContext* context) {
  if (context->block() != nullptr) return all({text(" "), block(context->block(), false)});
  const DocId value = docs_.indent(kContinuation, expression(context->expression()));
  return docs_.group(docs_.indent(kIndent, all({docs_.line(), value})));
}

DocId Formatter::primary(TalwegParser::PrimaryContext* context) {
  if (context->path() != nullptr) {
    const DocId named = path(context->path());
    if (context->arguments() == nullptr) return named;
    return all({named, arguments(context->arguments())});
  }
  if (context->LPAREN() != nullptr) {
    const DocId open = token(context->LPAREN());
    const DocId inner = within(true, [&] { return expression(context->expression(0)); });
    return all({open, docs_.align(all({inner, token(context->RPAREN())}))});
  }
  if (context->LBRACKET() != nullptr) {
    Docs items;
    within(true, [&] {
      for (Expression* item : context->expression())
        items.push_back(docs_.indent(kContinuation, expression(item)));
      return 0;
    });
    return listed(context->LBRACKET(), items, context->COMMA(), context->RBRACKET());
  }
  return token(first(context));
}

DocId Formatter::path(TalwegParser::PathContext* context) {
  Docs parts;
  for (std::size_t i = first(context); i <= context->stop->getTokenIndex(); ++i)
    parts.push_back(token(i));
  return parts.size() == 1 ? parts.front() : docs_.sequence(std::move(parts));
}

DocId Formatter::arguments(TalwegParser::ArgumentsContext* context) {
  Docs items;
  // Lines of one argument alone need not be told from those of the next.
  const int continuation = context->argument().size() > 1 ? kContinuation : 0;
  within(true, [&] {
    for (TalwegParser::ArgumentContext* argument : context->argument()) {
      Docs parts;
      if (argument->NAME() != nullptr) {
        parts.push_back(token(argument->NAME()));
        parts.push_back(text(" "));
        parts.push_back(token(argument->ASSIGN()));
        parts.push_back(text(" "));
      }
      parts.push_back(expression(argument->expression()));
      items.push_back(docs_.indent(continuation, docs_.sequence(std::move(parts))));
    }
    return 0;
  });
  return listed(context->LPAREN(), items, context->COMMA(), context->RPAREN());
}

}  // namespace talweg::syntax
