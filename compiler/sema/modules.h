// The modules of a compilation: how they are found, what they declare, what they import.
//
// A module is linked once, on its first use: its imports are loaded and its own names collected,
// and errors of both are reported then, at their own place. Names of the stdlib are found by an
// index of the lines that open declarations, so that only files that are needed are parsed.
#pragma once

#include <filesystem>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/sema/check.h"
#include "compiler/sema/reporter.h"
#include "compiler/sema/value.h"
#include "compiler/syntax/ast.h"

namespace talweg::sema {

struct LoadedModule;

using DeclPointer =
    std::variant<const syntax::FnDecl*, const syntax::RuleDecl*, const syntax::ConstDecl*>;

/// A declaration, and the module whose names its text means.
struct Found {
  LoadedModule* module = nullptr;
  DeclPointer decl;

  template <class Decl>
  [[nodiscard]] const Decl* as() const {
    const auto* held = std::get_if<const Decl*>(&decl);
    return held ? *held : nullptr;
  }
};

const syntax::Name& name_of(const DeclPointer& decl);
/// "a function", "a rule" or "a constant".
std::string_view sort_of(const DeclPointer& decl);

/// The value of a module's `let`; absent while it is being computed.
using ConstantCache = std::map<const syntax::ConstDecl*, std::optional<Value>>;

struct LoadedModule {
  std::string name;
  std::filesystem::path file;
  const syntax::Module* tree = nullptr;
  std::unique_ptr<syntax::Module> owned_tree;  // null where the caller owns the tree
  LoadedModule* parent =
      nullptr;  // whose names are seen too: of a pipeline, the module it is seen from
  bool searches_modules = false;  // `mine.Clipped` finds mine.tw without an import (pipelines)
  bool is_broken = false;         // the parser reported errors in it, or linking did
  bool is_linked = false;
  bool is_linking = false;
  std::map<std::string, DeclPointer, std::less<>> own;
  std::map<std::string, LoadedModule*, std::less<>> modules;
  std::map<std::string, Found, std::less<>> imported;
  ConstantCache constants;
};

struct Modules::Impl {
  Impl(SearchPath search, base::Sources& all_sources, base::Diagnostics& diagnostics)
      : path(std::move(search)), sources(all_sources), reporter(diagnostics) {}

  void add(std::string name, std::filesystem::path file, syntax::Module module);
  [[nodiscard]] LoadedModule* added_module(std::string_view name) const;

  /// The module of that name seen from `from`, loaded and linked; reports at `span` if there is
  /// none.
  LoadedModule* import(const LoadedModule& from, const std::string& name, base::Span span);
  /// Loads what the module imports and collects its names (once).
  void link(LoadedModule& module);

  /// What a name means outside every rule and function; nothing, and no report, if it means
  /// nothing. `span` is the use (where an unreadable file of the stdlib is reported).
  std::optional<Found> find(LoadedModule& from, std::string_view name, base::Span span);
  /// The same for `mine.Clipped`. `reported` is set where a missing module or name was reported.
  std::optional<Found> find(LoadedModule& from, const syntax::Path& name, bool& reported);

  /// All names that find() may give for a plain name, for suggestions.
  std::vector<std::string> visible_names(LoadedModule& from);

  /// See Modules::files().
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

  SearchPath path;
  base::Sources& sources;
  Reporter reporter;
  std::set<const void*> in_circles;  // functions and rules whose circle this check has reported

 private:
  std::vector<std::filesystem::path> candidates(const LoadedModule& from,
                                                const std::string& name) const;
  LoadedModule* load(const std::filesystem::path& file, const std::string& name, base::Span span);
  void collect_names(LoadedModule& module);
  void link_import(LoadedModule& module, const syntax::ImportDecl& import);
  void report_cycle(const LoadedModule& closing, base::Span span);
  void report_not_in_module(const LoadedModule& module, const syntax::Name& name);
  const std::map<std::string, std::filesystem::path, std::less<>>& stdlib_index();
  /// The file of the stdlib that declares a name.
  std::optional<std::filesystem::path> stdlib_file(std::string_view name);

  std::vector<std::unique_ptr<LoadedModule>> loaded_;
  std::map<std::string, LoadedModule*, std::less<>> added_;
  std::map<std::string, LoadedModule*, std::less<>> by_file_;
  std::vector<const LoadedModule*> linking_;
  std::optional<std::map<std::string, std::filesystem::path, std::less<>>> stdlib_index_;
};

/// All of a stream, or one byte more than a module may have. Read in blocks: most modules are
/// small, and memory for the greatest would cost more than parsing them.
std::string read_text(std::istream& stream);

/// Name and file of every declaration in the stdlib's .tw files, by the lines that open one
/// (`rule X`, `fn x`, `let x` at the start of a line). The first file by name wins.
std::map<std::string, std::filesystem::path, std::less<>> scan_stdlib(
    const std::filesystem::path& dir);

/// The file of the stdlib that is named like a rule, if it declares that rule. Asked before the
/// index: reading every file takes as long as a warm compilation.
std::optional<std::filesystem::path> find_likely_file(const std::filesystem::path& dir,
                                                      std::string_view name);

}  // namespace talweg::sema
