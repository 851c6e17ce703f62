// What `talweg list` can show: the rules and functions of the standard library and of modules.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "compiler/base/diagnostics.h"
#include "compiler/base/source.h"
#include "compiler/syntax/ast.h"
#include "runtime/support/result.h"

namespace talweg::cli {

/// In the order they are listed.
enum class EntrySort {
  Rule,      // takes gradients and moves the parameters
  Stage,     // stands before or after such a rule in a pipeline
  Schedule,  // a function of the step number
  Function,
};

struct ListEntry {
  EntrySort sort = EntrySort::Rule;
  std::string name;  // as a command would call it: "AdamW", "mine.Clipped"
  std::filesystem::path file;
  std::uint32_t line = 0;  // where its declaration begins
  std::string doc;
  const syntax::Module* module = nullptr;
  const syntax::RuleDecl* rule = nullptr;  // or
  const syntax::FnDecl* fn = nullptr;

  /// The first sentence of the documentation, without the name (and "a stage") it may begin with.
  [[nodiscard]] std::string summary() const;
  /// What the documentation says behind a label ("Source"), on one line; empty if there is none.
  [[nodiscard]] std::string labelled(std::string_view label) const;
};

/// Reads modules and finds what they declare. Owns the trees the entries point into.
class ListLibrary {
 public:
  /// Adds what a file declares, named "module.Name", or "Name" for an empty `module`. Mistakes in
  /// the text are reported to `diagnostics`; the file is left out then.
  support::Status add_file(const std::filesystem::path& file, const std::string& module);
  /// Adds the .tw files of a folder: each as a module of its own, or without if `named` is false.
  support::Status add_folder(const std::filesystem::path& folder, bool named);

  [[nodiscard]] const std::vector<ListEntry>& entries() const { return entries_; }
  [[nodiscard]] const ListEntry* find(std::string_view name) const;
  /// "did you mean" for a name that is not there; empty if nothing is near.
  [[nodiscard]] std::string nearest(std::string_view name) const;

  base::Sources sources;
  base::Diagnostics diagnostics;

 private:
  std::vector<std::unique_ptr<syntax::Module>> modules_;
  std::vector<ListEntry> entries_;
};

}  // namespace talweg::cli
