// Rules and what they declare. Hypers that follow each other without an empty line between have
// their `=` in one column and the `in` of their ranges in another; states with initial values that
// follow each other directly have their `=` in one. The rules of arms without an empty line between
// begin in one column, those that stand on the line of their condition.
#include <algorithm>

#include "compiler/syntax/format.h"
#include "compiler/syntax/format/formatter.h"

namespace talweg::syntax {

namespace {

// The defaults of hypers that are longer push no range aside.
constexpr int kMostAligned = 24;

}  // namespace

DocId Formatter::rule(TalwegParser::RuleDeclContext* context) {
  const DocId keyword = token(context->RULE());
  const DocId name = token(context->NAME());
  if (context->ruleBody() != nullptr)
    return all({keyword, text(" "), name, text(" "), rule_body(context->ruleBody())});
  const DocId sign = token(context->ASSIGN());
  return all({keyword, text(" "), name, text(" "), sign, pipeline(context->pipeline())});
}

DocId Formatter::rule_body(TalwegParser::RuleBodyContext* context) {
  const auto items = context->ruleItem();
  const std::size_t close = index(context->RBRACE());
  const DocId open = token(context->LBRACE());
  const std::vector<Columns> columns = column_runs(items);
  Docs lines;
  for (std::size_t i = 0; i < items.size(); ++i) {
    lead(first(items[i]), lines.empty(), false, lines);
    lines.push_back(rule_item(items[i], columns[i]));
  }
  return braced(open, std::move(lines), close);
}

DocId Formatter::rule_item(TalwegParser::RuleItemContext* context, const Columns& columns) {
  if (auto* item = context->hyperDecl()) return hyper(item, columns);
  if (auto* item = context->stateDecl()) return state(item, columns);
  if (auto* item = context->inputDecl()) {
    const DocId keyword = token(item->INPUT());
    return all({keyword, text(" "), words(item->word())});
  }
  if (auto* item = context->viewDecl()) {
    const DocId keyword = token(item->VIEW());
    const DocId name = token(item->NAME());
    return all({keyword, text(" "), name, text(" "), assigned(item->ASSIGN(), item->expression())});
  }
  if (auto* item = context->matrixDecl()) return matrix(item);
  if (auto* item = context->requireDecl()) {
    const DocId keyword = token(item->REQUIRE());
    return all({keyword, text(" "), condition(item->expression())});
  }
  if (auto* item = context->stepBlock()) {
    const DocId keyword = token(item->STEP());
    return all({keyword, text(" "), docs_.group(block(item->block(), true))});
  }
  if (auto* item = context->afterBlock()) {
    const DocId keyword = token(item->AFTER());
    return all({keyword, text(" "), docs_.group(block(item->block(), true))});
  }
  if (auto* item = context->pipelineDecl()) {
    const DocId keyword = token(item->PIPELINE());
    return all({keyword, pipeline(item->pipeline())});
  }
  return when_arm(context->whenArm(), columns);
}

DocId Formatter::hyper(TalwegParser::HyperDeclContext* context, const Columns& columns) {
  const DocId keyword = token(context->HYPER());
  const DocId head = all({keyword, text(" "), words(context->word())});
  const DocId gap = padding(head, columns.name);
  const DocId sign = token(context->ASSIGN());
  const DocId value = condition(context->expression());
  Docs parts = {head, gap, text(" "), sign, text(" "), value};
  if (context->IN() == nullptr) return docs_.sequence(std::move(parts));
  if (context->range() != nullptr) parts.push_back(padding(value, columns.value));
  parts.push_back(text(" "));
  parts.push_back(token(context->IN()));
  parts.push_back(text(" "));
  parts.push_back(context->range() != nullptr ? range(context->range())
                                              : choices(context->choices()));
  return docs_.sequence(std::move(parts));
}

DocId Formatter::state_head(TalwegParser::StateDeclContext* context) {
  Docs parts = {token(context->STATE())};
  const auto words = context->word();
  for (std::size_t i = 0; i < words.size(); ++i) {
    parts.push_back(text(" "));
    parts.push_back(token(first(words[i])));
    TalwegParser::ShapeContext* shape = context->shape();
    if (i > 0 || shape == nullptr) continue;
    Docs extents;
    within(true, [&] {
      for (Expression* extent : shape->expression()) extents.push_back(expression(extent));
      return 0;
    });
    parts.push_back(listed(shape->LBRACKET(), extents, shape->COMMA(), shape->RBRACKET()));
  }
  return docs_.sequence(std::move(parts));
}

DocId Formatter::state(TalwegParser::StateDeclContext* context, const Columns& columns) {
  const DocId head = state_head(context);
  if (context->ASSIGN() == nullptr) return head;
  const DocId gap = padding(head, columns.name);
  return all({head, gap, text(" "), assigned(context->ASSIGN(), context->expression())});
}

DocId Formatter::range(TalwegParser::RangeContext* context) {
  const DocId open = token(first(context));
  return within(true, [&] {
    const DocId low = expression(context->expression(0));
    const DocId comma = token(context->COMMA());
    const DocId high = expression(context->expression(1));
    return all({open, low, comma, text(" "), high, token(context->stop->getTokenIndex())});
  });
}

DocId Formatter::choices(TalwegParser::ChoicesContext* context) {
  const DocId open = token(context->LBRACE());
  Docs parts;
  for (std::size_t i = 0; i < context->NAME().size(); ++i) {
    if (i > 0) parts.push_back(docs_.line());
    const DocId name = token(context->NAME(i));
    parts.push_back(i < context->COMMA().size() ? all({name, token(context->COMMA(i))}) : name);
  }
  const DocId fill = docs_.fill(std::move(parts));
  return all({open, docs_.align(all({fill, token(context->RBRACE())}))});
}

DocId Formatter::matrix(TalwegParser::MatrixDeclContext* context) {
  Docs parts = {token(context->MATRIX()), text(" "), token(context->LPAREN())};
  const std::size_t close = index(context->RPAREN());
  for (std::size_t i = index(context->LPAREN()) + 1; i < close; ++i) {
    const bool is_first = i == index(context->LPAREN()) + 1;
    if (!is_first && list_.tokens[i].kind != TokenKind::Comma) parts.push_back(text(" "));
    parts.push_back(token(i));
  }
  parts.push_back(token(close));
  return docs_.sequence(std::move(parts));
}

DocId Formatter::when_head(TalwegParser::WhenArmContext* context) {
  Docs parts = {token(first(context))};
  if (context->expression() != nullptr) {
    parts.push_back(text(" "));
    parts.push_back(condition(context->expression()));
  }
  parts.push_back(token(context->COLON()));
  return docs_.sequence(std::move(parts));
}

DocId Formatter::when_arm(TalwegParser::WhenArmContext* context, const Columns& columns) {
  const DocId head = when_head(context);
  const DocId gap = padding(head, columns.name);
  return all({head, gap, pipeline(context->pipeline())});
}

DocId Formatter::padding(DocId before, int wanted) {
  const int width = docs_.flat_width(before).value_or(wanted);
  return text(std::string(static_cast<std::size_t>(std::max(0, wanted - width)), ' '));
}

/// What a declaration needs of the columns it shares; 0 where it has no share.
Formatter::Columns Formatter::widths(TalwegParser::RuleItemContext* item) {
  Columns own;
  DocId head;
  led_[first(item)] = true;  // the comments above are not measured
  if (auto* hyper = item->hyperDecl()) {
    head = all({token(hyper->HYPER()), text(" "), words(hyper->word())});
    if (hyper->range() != nullptr)
      own.value = docs_.flat_width(expression(hyper->expression())).value_or(0);
    if (own.value > kMostAligned) own.value = 0;
  } else if (item->stateDecl() != nullptr && item->stateDecl()->ASSIGN() != nullptr) {
    head = state_head(item->stateDecl());
  } else if (auto* arm = item->whenArm()) {
    const DocId condition = when_head(arm);
    // Whether it stands on the line must not depend on the column that it is to stand in.
    const auto width = docs_.line_width(pipeline(arm->pipeline()));
    const bool is_beside = width && comments_.before[first(arm->pipeline())].comments.empty() &&
                           !is_broken(arm->pipeline());
    if (is_beside) {
      head = condition;
      own.value = *width;
    }
  }
  // These documents were for measuring: their tokens still have to be taken, with their comments.
  std::fill(led_.begin() + static_cast<std::ptrdiff_t>(first(item)),
            led_.begin() + static_cast<std::ptrdiff_t>(item->stop->getTokenIndex() + 1), false);
  if (head.valid()) own.name = docs_.flat_width(head).value_or(0);
  return own;
}

/// The widest condition of those whose pipelines end within the line where they begin behind it;
/// the others stand by themselves.
void Formatter::share_arm_column(std::vector<Columns>::iterator first,
                                 std::vector<Columns>::iterator last) {
  std::vector<std::vector<Columns>::iterator> arms;
  for (auto arm = first; arm != last; ++arm) {
    // One that is broken for its length has no share, as it has none once it is written broken.
    if (kIndent + arm->name + arm->value > kFormatWidth) arm->name = 0;
    if (arm->name > 0) arms.push_back(arm);
  }
  for (bool is_done = false; !is_done && !arms.empty();) {
    int most = 0;
    for (const auto arm : arms) most = std::max(most, arm->name);
    const auto too_long = [&](auto arm) { return kIndent + most + arm->value > kFormatWidth; };
    for (const auto arm : arms)
      if (too_long(arm)) arm->name = 0;
    const std::size_t removed = std::erase_if(arms, too_long);
    is_done = removed == 0;
    if (is_done)
      for (const auto arm : arms) arm->name = most;
  }
}

std::vector<Formatter::Columns> Formatter::column_runs(
    const std::vector<TalwegParser::RuleItemContext*>& items) {
  std::vector<Columns> result(items.size());
  const auto joins = [&](std::size_t i) {
    if (i >= items.size() || comments_.before[first(items[i])].has_blank()) return false;
    const bool hypers = items[i - 1]->hyperDecl() != nullptr && items[i]->hyperDecl() != nullptr;
    const bool arms = items[i - 1]->whenArm() != nullptr && items[i]->whenArm() != nullptr;
    return hypers || arms ||
           (result[i - 1].name > 0 && items[i - 1]->stateDecl() != nullptr &&
            items[i]->stateDecl() != nullptr);
  };
  for (std::size_t i = 0; i < items.size(); ++i) result[i] = widths(items[i]);
  std::vector<Columns> shared = result;
  for (std::size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    Columns most;
    for (end = begin; end == begin || joins(end); ++end) {
      most.name = std::max(most.name, result[end].name);
      most.value = std::max(most.value, result[end].value);
      if (items[end]->stateDecl() != nullptr && result[end].name == 0) {
        ++end;
        break;
      }
    }
    const auto from = shared.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = shared.begin() + static_cast<std::ptrdiff_t>(end);
    if (items[begin]->whenArm() != nullptr)
      share_arm_column(from, to);
    else
      std::fill(from, to, most);
  }
  return shared;
}

}  // namespace talweg::syntax
