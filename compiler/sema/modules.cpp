// Finding, loading and linking modules.
#include "compiler/sema/modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "compiler/builtins/op.h"
#include "compiler/sema/names.h"
#include "compiler/syntax/parse.h"

namespace talweg::sema {

using base::DiagnosticKind;
namespace fs = std::filesystem;

const syntax::Name& name_of(const DeclPointer& decl) {
  return std::visit([](const auto* d) -> const syntax::Name& { return d->name; }, decl);
}

std::string_view sort_of(const DeclPointer& decl) {
  if (std::holds_alternative<const syntax::FnDecl*>(decl)) return "a function";
  if (std::holds_alternative<const syntax::RuleDecl*>(decl)) return "a rule";
  return "a constant";
}

Modules::Modules(SearchPath path, base::Sources& sources, base::Diagnostics& diagnostics)
    : impl_(std::make_unique<Impl>(std::move(path), sources, diagnostics)) {}
Modules::~Modules() = default;

void Modules::add(std::string name, fs::path file, syntax::Module module) {
  impl_->add(std::move(name), std::move(file), std::move(module));
}

std::vector<fs::path> Modules::files() const { return impl_->files(); }

std::vector<fs::path> Modules::Impl::files() const {
  std::set<fs::path> all;
  for (const auto& module : loaded_)
    if (!module->file.empty()) all.insert(module->file);
  if (stdlib_index_)
    for (const auto& [name, file] : *stdlib_index_) all.insert(file);
  return {all.begin(), all.end()};
}

void Modules::Impl::add(std::string name, fs::path file, syntax::Module module) {
  // Others may hold pointers into a module of this name: every module is linked anew.
  if (const auto old = added_.find(name); old != added_.end()) {
    std::erase_if(by_file_, [&](const auto& entry) { return entry.second == old->second; });
    std::erase_if(loaded_, [&](const auto& entry) { return entry.get() == old->second; });
    for (const auto& other : loaded_) {
      other->is_linked = false;
      other->own.clear();
      other->modules.clear();
      other->imported.clear();
      other->constants.clear();
    }
  }
  auto loaded = std::make_unique<LoadedModule>();
  loaded->name = name;
  loaded->file = std::move(file);
  loaded->owned_tree = std::make_unique<syntax::Module>(std::move(module));
  loaded->tree = loaded->owned_tree.get();
  for (const base::Diagnostic& d : reporter.diagnostics().all())
    if (base::info(d.kind).severity == base::Severity::Error &&
        d.span.source == loaded->tree->source)
      loaded->is_broken = true;
  std::error_code error;
  if (!loaded->file.empty())
    by_file_[fs::weakly_canonical(loaded->file, error).string()] = loaded.get();
  added_[std::move(name)] = loaded.get();
  loaded_.push_back(std::move(loaded));
}

LoadedModule* Modules::Impl::added_module(std::string_view name) const {
  const auto found = added_.find(name);
  return found == added_.end() ? nullptr : found->second;
}

std::vector<fs::path> Modules::Impl::candidates(const LoadedModule& from,
                                                const std::string& name) const {
  std::string relative = name;
  std::ranges::replace(relative, '.', '/');
  relative += ".tw";
  const LoadedModule& place = from.parent ? *from.parent : from;
  std::vector<fs::path> files = {place.file.parent_path() / relative};
  for (const fs::path& dir : path.include_dirs) files.push_back(dir / relative);
  if (!path.stdlib_dir.empty()) files.push_back(path.stdlib_dir / relative);
  return files;
}

std::string read_text(std::istream& stream) {
  constexpr std::size_t kMost = syntax::Limits::kMaxTextBytes + 1;
  constexpr std::size_t kBlock = 16384;
  std::string text;
  while (stream && text.size() < kMost) {
    const std::size_t before = text.size();
    text.resize(std::min(before + std::max(kBlock, before), kMost));
    stream.read(text.data() + before, static_cast<std::streamsize>(text.size() - before));
    text.resize(before + static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

namespace {

constexpr std::size_t kMaxImportDepth = 64;

}  // namespace

LoadedModule* Modules::Impl::import(const LoadedModule& from, const std::string& name,
                                    base::Span span) {
  LoadedModule* module = added_module(name);
  if (!module) {
    const std::vector<fs::path> files = candidates(from, name);
    std::error_code error;
    const auto file =
        std::ranges::find_if(files, [&](const fs::path& f) { return fs::exists(f, error); });
    if (file == files.end()) {
      auto report = reporter.report(DiagnosticKind::ModuleNotFound, span, name);
      std::vector<std::string> looked;
      for (const fs::path& f : files)
        if (std::ranges::find(looked, f.string()) == looked.end()) looked.push_back(f.string());
      report.help(fmt::format("looked for {}", fmt::join(looked, ", ")));
      return nullptr;
    }
    module = load(*file, name, span);
  }
  if (!module) return nullptr;
  if (module->is_broken) reporter.fail();
  if (module->is_linking) {
    report_cycle(*module, span);
  } else if (linking_.size() >= kMaxImportDepth) {
    reporter.report(DiagnosticKind::NestingLimit, span, "imports", kMaxImportDepth);
    return nullptr;
  } else {
    link(*module);
  }
  return module;
}

LoadedModule* Modules::Impl::load(const fs::path& file, const std::string& name, base::Span span) {
  std::error_code error;
  const std::string key = fs::weakly_canonical(file, error).string();
  if (const auto found = by_file_.find(key); found != by_file_.end()) return found->second;
  if (!fs::is_regular_file(file, error)) {
    reporter.report(DiagnosticKind::ModuleUnreadable, span, file.string(),
                    "it is not a regular file");
    return nullptr;
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text = read_text(stream);
  if (!stream.is_open() || stream.bad()) {
    reporter.report(DiagnosticKind::ModuleUnreadable, span, file.string(),
                    "the file cannot be opened for reading");
    return nullptr;
  }
  const base::SourceId source = sources.add(file.string(), std::move(text));
  auto loaded = std::make_unique<LoadedModule>();
  const int errors_before = reporter.diagnostics().error_count();
  loaded->name = name;
  loaded->file = file;
  loaded->owned_tree = std::make_unique<syntax::Module>(
      syntax::parse_module(source, sources, reporter.diagnostics()));
  loaded->tree = loaded->owned_tree.get();
  loaded->is_broken = reporter.diagnostics().error_count() != errors_before;
  by_file_[key] = loaded.get();
  loaded_.push_back(std::move(loaded));
  return loaded_.back().get();
}

void Modules::Impl::report_cycle(const LoadedModule& closing, base::Span span) {
  std::string circle;
  const auto first = std::ranges::find(linking_, &closing);
  for (auto it = first; it != linking_.end(); ++it) circle += (*it)->name + " -> ";
  reporter.report(DiagnosticKind::ImportCycle, span, circle + closing.name)
      .help("move what both need into a third module");
}

void Modules::Impl::link(LoadedModule& module) {
  if (module.is_linked) {
    if (module.is_broken) reporter.fail();
    return;
  }
  module.is_linked = true;
  const bool failed_before = reporter.failed();
  collect_names(module);
  module.is_linking = true;
  linking_.push_back(&module);
  for (const syntax::Decl& decl : module.tree->decls)
    if (const auto* import_decl = std::get_if<syntax::ImportDecl>(&decl))
      link_import(module, *import_decl);
  linking_.pop_back();
  module.is_linking = false;
  if (module.is_broken) reporter.fail();
  if (!failed_before && reporter.failed()) module.is_broken = true;
}

void Modules::Impl::collect_names(LoadedModule& module) {
  const auto collect = [&](const auto& decl) {
    if (is_reserved_for_modules(decl.name.text)) {
      reporter.report(DiagnosticKind::ReservedName, decl.name.span, decl.name.text);
      return;
    }
    const auto [place, is_new] = module.own.emplace(decl.name.text, &decl);
    if (!is_new)
      reporter.report(DiagnosticKind::NameTaken, decl.name.span, decl.name.text)
          .label(name_of(place->second).span, "first defined here");
  };
  for (const syntax::Decl& decl : module.tree->decls) {
    if (const auto* fn = std::get_if<syntax::FnDecl>(&decl)) collect(*fn);
    if (const auto* rule = std::get_if<syntax::RuleDecl>(&decl)) collect(*rule);
    if (const auto* constant = std::get_if<syntax::ConstDecl>(&decl)) collect(*constant);
  }
}

void Modules::Impl::link_import(LoadedModule& module, const syntax::ImportDecl& decl) {
  if (decl.module.parts.empty()) return;
  LoadedModule* imported = import(module, decl.module.text(), decl.module.span);
  if (!imported) return;
  if (decl.names.empty()) module.modules[decl.module.text()] = imported;
  for (const syntax::Name& name : decl.names) {
    const auto found = imported->own.find(name.text);
    if (found == imported->own.end()) {
      report_not_in_module(*imported, name);
      continue;
    }
    if (const auto own = module.own.find(name.text); own != module.own.end()) {
      reporter.report(DiagnosticKind::NameTaken, name.span, name.text)
          .label(name_of(own->second).span, "this module defines it here");
      continue;
    }
    module.imported.insert_or_assign(name.text, Found{imported, found->second});
  }
}

void Modules::Impl::report_not_in_module(const LoadedModule& module, const syntax::Name& name) {
  if (module.is_broken || module.is_linking) {
    reporter.fail();  // the parser said why, or the circle of imports was reported
    return;
  }
  auto report = reporter.report(DiagnosticKind::NotInModule, name.span, module.name, name.text);
  std::vector<std::string> names;
  for (const auto& [own, decl] : module.own) names.push_back(own);
  suggest(report, reporter, name.text, names);
}

const std::map<std::string, fs::path, std::less<>>& Modules::Impl::stdlib_index() {
  if (!stdlib_index_) stdlib_index_ = scan_stdlib(path.stdlib_dir);
  return *stdlib_index_;
}

std::optional<fs::path> Modules::Impl::stdlib_file(std::string_view name) {
  if (auto likely = find_likely_file(path.stdlib_dir, name)) return likely;
  const auto entry = stdlib_index().find(name);
  if (entry == stdlib_index().end()) return std::nullopt;
  return entry->second;
}

std::optional<Found> Modules::Impl::find(LoadedModule& from, std::string_view name,
                                         base::Span span) {
  for (LoadedModule* module = &from; module; module = module->parent) {
    link(*module);
    if (const auto own = module->own.find(name); own != module->own.end())
      return Found{module, own->second};
    if (const auto it = module->imported.find(name); it != module->imported.end())
      return it->second;
  }
  const std::optional<fs::path> file = stdlib_file(name);
  if (!file) return std::nullopt;
  LoadedModule* module = load(*file, file->stem().string(), span);
  if (!module) return std::nullopt;
  link(*module);
  const auto own = module->own.find(name);
  if (own == module->own.end()) return std::nullopt;
  return Found{module, own->second};
}

std::optional<Found> Modules::Impl::find(LoadedModule& from, const syntax::Path& name,
                                         bool& reported) {
  if (name.parts.size() == 1) return find(from, name.parts.front().text, name.span);
  syntax::Path prefix{{name.parts.begin(), name.parts.end() - 1},
                      name.parts.front().span.to(name.parts[name.parts.size() - 2].span)};
  LoadedModule* target = nullptr;
  for (LoadedModule* module = &from; module && !target; module = module->parent) {
    link(*module);
    if (const auto it = module->modules.find(prefix.text()); it != module->modules.end())
      target = it->second;
  }
  if (!target && !from.searches_modules) return std::nullopt;
  if (!target) target = import(from, prefix.text(), prefix.span);
  reported = true;
  if (!target) return std::nullopt;
  const auto own = target->own.find(name.parts.back().text);
  if (own != target->own.end()) return Found{target, own->second};
  report_not_in_module(*target, name.parts.back());
  return std::nullopt;
}

std::vector<std::string> Modules::Impl::visible_names(LoadedModule& from) {
  std::vector<std::string> names;
  for (LoadedModule* module = &from; module; module = module->parent) {
    for (const auto& [name, decl] : module->own) names.push_back(name);
    for (const auto& [name, found] : module->imported) names.push_back(name);
  }
  for (const auto& [name, file] : stdlib_index()) names.push_back(name);
  return names;
}

}  // namespace talweg::sema
