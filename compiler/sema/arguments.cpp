// Arguments of calls and of stages: by position first, then by name.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/sema/checker.h"
#include "compiler/sema/names.h"

namespace talweg::sema {

using base::DiagnosticKind;

Span Checker::span_of(const syntax::Argument& argument) const {
  if (argument.name) return argument.name->span;
  return argument.value.valid() ? tree()[argument.value].span : Span{};
}

/// The parameter that a named argument means; reports a name that is none.
std::optional<std::size_t> Checker::place_of(const CallSite& site,
                                             const std::vector<std::string>& parameters,
                                             const syntax::Argument& argument) {
  charge(parameters.size());
  if (!spend(argument.name->span)) return std::nullopt;
  const auto found = std::ranges::find(parameters, argument.name->text);
  if (found != parameters.end()) return static_cast<std::size_t>(found - parameters.begin());
  auto report = reporter_.report(DiagnosticKind::UnknownArgument, argument.name->span, site.callee,
                                 site.parameter, argument.name->text);
  if (!suggest(report, reporter_, argument.name->text, parameters) && !parameters.empty())
    report.help(fmt::format("it has {}", fmt::join(parameters, ", ")));
  return std::nullopt;
}

std::optional<std::vector<const syntax::Argument*>> Checker::match_arguments(
    Frame& frame, const CallSite& site, const std::vector<std::string>& parameters,
    const std::vector<syntax::Argument>& arguments) {
  std::vector<const syntax::Argument*> matched(parameters.size(), nullptr);
  bool fits = true;
  bool has_named = false;
  std::size_t next = 0;
  const auto match = [&](const syntax::Argument& argument) {
    if (!argument.name && has_named) {
      reporter_.report(DiagnosticKind::PositionalAfterNamed, span_of(argument));
      return false;
    }
    has_named = argument.name.has_value();
    const std::optional<std::size_t> place =
        argument.name ? place_of(site, parameters, argument) : next++;
    if (!place) return false;
    if (*place >= parameters.size()) {
      const std::size_t count = parameters.size();
      reporter_.report(DiagnosticKind::WrongArgumentCount, site.span, site.callee,
                       fmt::format("at most {} argument{}", count, count == 1 ? "" : "s"),
                       arguments.size());
      return false;
    }
    const syntax::Argument* earlier = std::exchange(matched[*place], &argument);
    if (!earlier) return true;
    reporter_.report(DiagnosticKind::RepeatedArgument, span_of(argument), parameters[*place])
        .label(span_of(*earlier), "first given here");
    return false;
  };
  with_frame(frame, [&] {
    for (const syntax::Argument& argument : arguments) fits = match(argument) && fits;
  });
  if (!fits) return std::nullopt;
  return matched;
}

}  // namespace talweg::sema
