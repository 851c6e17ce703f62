#include "compiler/cli/list_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <system_error>

#include "compiler/syntax/parse.h"
#include "runtime/support/file_io.h"

namespace talweg::cli {

namespace {

namespace fs = std::filesystem;

/// True if a value within `place` uses the name; what an assignment stores to is no use.
bool reads(const syntax::Module& module, base::Span place, std::string_view name) {
  std::set<std::uint32_t> targets;
  for (const syntax::Stmt& stmt : module.stmts)
    if (const auto* assign = std::get_if<syntax::AssignStmt>(&stmt.node))
      targets.insert(assign->target.span.begin);
  return std::any_of(module.exprs.begin(), module.exprs.end(), [&](const syntax::Expr& expr) {
    const auto* named = std::get_if<syntax::NameExpr>(&expr.node);
    return named != nullptr && expr.span.begin >= place.begin && expr.span.end <= place.end &&
           named->path.text() == name && !targets.contains(expr.span.begin);
  });
}

const syntax::AssignStmt* assignment(const syntax::Module& module, base::Span place,
                                     std::string_view name) {
  for (const syntax::Stmt& stmt : module.stmts) {
    const auto* assign = std::get_if<syntax::AssignStmt>(&stmt.node);
    if (assign != nullptr && stmt.span.begin >= place.begin && stmt.span.end <= place.end &&
        assign->target.text() == name)
      return assign;
  }
  return nullptr;
}

/// A rule that moves the parameters by the gradient is one to train with. One that does not look at
/// the gradient, only changes it, or goes on from the `update` of another, is a stage.
EntrySort sort_of(const syntax::Module& module, const syntax::RuleDecl& rule) {
  if (!rule.pipelines.empty() || !rule.arms.empty()) return EntrySort::Rule;
  for (const syntax::StepBlock& step : rule.steps) {
    const auto* update = assignment(module, step.span, "update");
    const bool goes_on = reads(module, step.span, "update") ||
                         (update != nullptr && update->op != syntax::AssignOp::Set);
    const bool moves = update != nullptr || assignment(module, step.span, "param") != nullptr;
    if (moves && !goes_on && reads(module, step.span, "grad")) return EntrySort::Rule;
  }
  return EntrySort::Stage;
}

EntrySort sort_of(const syntax::FnDecl& fn) {
  const bool of_step = !fn.parameters.empty() && fn.parameters.front().name.text == "t";
  return of_step ? EntrySort::Schedule : EntrySort::Function;
}

/// The lines of the paragraph that begins at `at`, joined by spaces.
std::string paragraph(std::string_view doc, std::size_t at) {
  std::string result;
  while (at < doc.size() && doc[at] != '\n') {
    const std::size_t end = std::min(doc.find('\n', at), doc.size());
    const std::string_view line = doc.substr(at, end - at);
    const std::size_t ink = line.find_first_not_of(' ');
    if (ink == std::string_view::npos) break;
    if (!result.empty()) result += ' ';
    result += line.substr(ink);
    at = end + 1;
  }
  return result;
}

/// Up to the first full stop that ends a sentence.
std::string first_sentence(const std::string& text) {
  for (std::size_t at = 0; (at = text.find(". ", at)) != std::string::npos; ++at) {
    const auto next = static_cast<unsigned char>(text[at + 2]);
    if (std::islower(next) == 0) return text.substr(0, at);
  }
  return text;
}

}  // namespace

std::string ListEntry::summary() const {
  std::string text = first_sentence(paragraph(doc, 0));
  while (text.ends_with('.') || text.ends_with(':')) text.pop_back();
  const std::string plain = name.substr(name.rfind('.') + 1);
  for (const std::string& head : {plain + ": ", plain + ", a stage "})
    if (text.starts_with(head)) text.erase(0, head.size());
  if (rule != nullptr && !text.empty())
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string ListEntry::labelled(std::string_view label) const {
  for (std::size_t at = 0; at < doc.size();) {
    const std::size_t end = std::min(doc.find('\n', at), doc.size());
    if (doc.compare(at, label.size(), label) == 0 && doc.compare(at + label.size(), 1, " ") == 0) {
      std::string text = paragraph(std::string_view(doc).substr(0, end), at);
      for (std::size_t next = end + 1; next < doc.size() && doc[next] == ' ';) {
        const std::size_t stop = std::min(doc.find('\n', next), doc.size());
        text += ' ' + paragraph(std::string_view(doc).substr(0, stop), next);
        next = stop + 1;
      }
      return text.substr(std::min(text.size(), text.find_first_not_of(' ', label.size())));
    }
    at = end + 1;
  }
  return {};
}

support::Status ListLibrary::add_file(const fs::path& file, const std::string& module) {
  auto text = support::read_file(file, 32 * syntax::Limits::kMaxTextBytes);
  if (!text) return text.failure();
  const base::SourceId source = sources.add(file.string(), std::move(*text));
  const int errors_before = diagnostics.error_count();
  modules_.push_back(
      std::make_unique<syntax::Module>(syntax::parse_module(source, sources, diagnostics)));
  if (diagnostics.error_count() != errors_before) return support::ok();
  const syntax::Module& tree = *modules_.back();
  for (const syntax::Decl& decl : tree.decls) {
    ListEntry entry;
    entry.module = &tree;
    entry.file = file;
    entry.rule = std::get_if<syntax::RuleDecl>(&decl);
    entry.fn = std::get_if<syntax::FnDecl>(&decl);
    if (entry.rule == nullptr && entry.fn == nullptr) continue;
    const syntax::Name& name = entry.rule != nullptr ? entry.rule->name : entry.fn->name;
    entry.name = module.empty() ? name.text : module + "." + name.text;
    entry.line = sources[source].position(name.span.begin).line;
    entry.doc = entry.rule != nullptr ? entry.rule->doc : entry.fn->doc;
    entry.sort = entry.rule != nullptr ? sort_of(tree, *entry.rule) : sort_of(*entry.fn);
    entries_.push_back(std::move(entry));
  }
  return support::ok();
}

support::Status ListLibrary::add_folder(const fs::path& folder, bool named) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".tw") files.push_back(it->path());
  if (error)
    return support::Failure{
        support::FailureKind::Io,
        fmt::format("cannot read the folder {}: {}", folder.string(), error.message())};
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files)
    if (auto added = add_file(file, named ? file.stem().string() : std::string()); !added)
      return added;
  return support::ok();
}

const ListEntry* ListLibrary::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const ListEntry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

std::string ListLibrary::nearest(std::string_view name) const {
  const auto lower = [](std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
  };
  std::vector<std::string> names;
  for (const ListEntry& entry : entries_) {
    if (lower(entry.name) == lower(name)) return entry.name;
    names.push_back(entry.name);
  }
  return base::nearest_name(name, names);
}

}  // namespace talweg::cli
