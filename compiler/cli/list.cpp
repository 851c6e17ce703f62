// talweg list [NAME...]: the rules, stages, schedules and functions there are; one of them in full.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <climits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "compiler/base/diagnostic_render.h"
#include "compiler/base/text_table.h"
#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/list_detail.h"
#include "compiler/cli/list_library.h"
#include "compiler/cli/subcommands.h"

namespace talweg::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> names;
  std::vector<fs::path> include_dirs;
  bool json = false;
};

void print_messages(const ListLibrary& library) {
  if (library.diagnostics.all().empty()) return;
  const std::string text =
      base::render_text(library.diagnostics, library.sources, wants_color(stderr));
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

/// A text cut at a word so that it ends within `width` columns.
std::string shortened(const std::string& text, int width) {
  constexpr std::string_view kDots = " ...";
  if (base::text_columns(text) <= width) return text;
  const std::string lines = base::wrapped(text, 0, 0, width - static_cast<int>(kDots.size()));
  return lines.substr(0, lines.find('\n')).append(kDots);
}

/// All entries of a sort, a line each, under a heading.
void print_group(const std::vector<const ListEntry*>& entries, EntrySort sort,
                 std::string_view heading, bool& is_first) {
  std::vector<const ListEntry*> group;
  for (const ListEntry* entry : entries)
    if (entry->sort == sort) group.push_back(entry);
  if (group.empty()) return;
  int longest = 0;
  for (const ListEntry* entry : group) longest = std::max(longest, base::text_columns(entry->name));
  const bool color = wants_color(stdout);
  // What goes to a file or another program is not cut.
  const int columns = is_terminal(stdout) ? std::max(kListWidth, terminal_width()) : INT_MAX;
  std::string text = is_first ? "" : "\n";
  text += color ? fmt::format("\x1b[1m{}\x1b[0m\n", heading) : fmt::format("{}\n", heading);
  is_first = false;
  for (const ListEntry* entry : group) {
    const int width = std::max(20, columns - longest - 4);
    std::string line =
        fmt::format("  {:<{}}  {}", entry->name, longest, shortened(entry->summary(), width));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  print(text);
}

void print_list(const std::vector<const ListEntry*>& entries, bool json) {
  constexpr std::array<std::pair<EntrySort, std::string_view>, 4> kGroups = {{
      {EntrySort::Rule, "Rules"},
      {EntrySort::Stage, "Stages: before or after a rule in a pipeline"},
      {EntrySort::Schedule, "Schedules: functions of the step number t, s = t - 1"},
      {EntrySort::Function, "Functions"},
  }};
  if (json) {
    for (const ListEntry* entry : entries) print(summary_json(*entry).dump() + "\n");
    return;
  }
  bool is_first = true;
  for (const auto& [sort, heading] : kGroups) print_group(entries, sort, heading, is_first);
}

/// The file of a module, beside the user or in the folders given; nothing if there is none.
std::optional<fs::path> module_file(const std::string& module, const Options& o) {
  std::string relative = module;
  std::replace(relative.begin(), relative.end(), '.', '/');
  relative += ".tw";
  std::vector<fs::path> folders = {"."};
  folders.insert(folders.end(), o.include_dirs.begin(), o.include_dirs.end());
  for (const fs::path& folder : folders) {
    std::error_code error;
    const fs::path file = (folder / relative).lexically_normal();
    if (fs::is_regular_file(file, error)) return file;
  }
  return std::nullopt;
}

void print_detail(const ListEntry& entry, const RuleFacts* facts, const Options& o) {
  print(o.json ? detail_json(entry, facts).dump() + "\n"
               : detail_text(entry, facts, wants_color(stdout)));
}

/// One rule or function in full; an ExitCode. An entry that declares nothing is a pipeline as a
/// user wrote it.
int show(ListEntry entry, const Options& o) {
  if (entry.fn != nullptr) {
    print_detail(entry, nullptr, o);
    return kOk;
  }
  Compilation compilation(o.include_dirs);
  const auto front_end = driver::analyze_rule(*compilation.modules, compilation.sources,
                                              compilation.diagnostics, entry.name);
  if (!compilation.print_diagnostics(false) || !front_end) return kProgramWrong;
  if (entry.rule == nullptr) entry.doc = front_end->rule.doc;
  const RuleFacts facts = facts_of(entry, *front_end, compilation.sources);
  print_detail(entry, &facts, o);
  return kOk;
}

/// True for what is no name of a rule, but names some: `ClipValue(1) | AdamW`.
bool is_pipeline(const std::string& text) { return text.find_first_of("|(=") != std::string::npos; }

class Listing {
 public:
  explicit Listing(const Options& options) : options_(options) {}

  int run() {
    if (const auto added = library_.add_folder(driver::find_stdlib(), false); !added)
      return report("list", added.failure());
    return options_.names.empty() ? list_all() : list_named();
  }

 private:
  int list_all() {
    for (const fs::path& folder : options_.include_dirs)
      if (const auto added = library_.add_folder(folder, true); !added)
        return report("list", added.failure());
    print_messages(library_);
    std::vector<const ListEntry*> entries;
    for (const ListEntry& entry : library_.entries()) entries.push_back(&entry);
    print_list(entries, options_.json);
    return library_.diagnostics.has_errors() ? kProgramWrong : kOk;
  }

  int list_named() {
    for (const std::string& name : options_.names)
      if (const int code = add_module_of(name); code != kOk) return code;
    print_messages(library_);
    if (library_.diagnostics.has_errors()) return kProgramWrong;
    int worst = kOk;
    bool is_first = true;
    for (const std::string& name : options_.names) {
      if (!is_first && !options_.json) print("\n");
      is_first = false;
      worst = std::max(worst, list_one(name));
    }
    return worst;
  }

  /// Reads the module that a name is of, or that it is.
  int add_module_of(const std::string& name) {
    if (library_.find(name) != nullptr || is_pipeline(name)) return kOk;
    for (const std::string& module : {name, name.substr(0, name.rfind('.'))}) {
      if (added_.contains(module)) return kOk;
      const auto file = module_file(module, options_);
      if (!file) continue;
      added_.insert(module);
      const auto added = library_.add_file(*file, module);
      return added ? static_cast<int>(kOk) : report("list", added.failure());
    }
    return kOk;
  }

  int list_one(const std::string& name) {
    if (const ListEntry* entry = library_.find(name)) return show(*entry, options_);
    if (added_.contains(name)) {
      std::vector<const ListEntry*> entries;
      for (const ListEntry& entry : library_.entries())
        if (entry.name.starts_with(name + ".")) entries.push_back(&entry);
      print_list(entries, options_.json);
      return kOk;
    }
    if (is_pipeline(name)) {
      ListEntry entry;
      entry.name = name;
      return show(std::move(entry), options_);
    }
    return report(
        "list", {support::FailureKind::Usage,
                 fmt::format("there is no rule, function or module '{}'; {}", name, advice(name))});
  }

  /// What to write in place of a name that means nothing.
  [[nodiscard]] std::string advice(const std::string& name) const {
    const fs::path file = fs::path(name).lexically_normal();
    const bool is_file = file.extension() == ".tw";
    if (is_file) {
      std::string module = fs::path(file).replace_extension().generic_string();
      std::replace(module.begin(), module.end(), '/', '.');
      if (file.is_relative() && module_file(module, options_))
        return fmt::format("did you mean {}?", module);
      std::error_code error;
      if (fs::is_regular_file(file, error))
        return fmt::format("a module goes by its name: talweg list -I {} {}",
                           file.parent_path().string(), file.stem().string());
    }
    const std::string near = library_.nearest(is_file ? file.stem().string() : name);
    return near.empty()
               ? std::string("'talweg list' shows the library, -I DIR adds the modules of a folder")
               : fmt::format("did you mean {}?", near);
  }

  const Options& options_;
  ListLibrary library_;
  std::set<std::string> added_;  // modules
};

}  // namespace

std::function<int()> declare_list(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("names", options->names,
                 "Rules and functions to show in full (AdamW, cosine, mine.Clipped), pipelines "
                 "('ClipValue(1) | AdamW'), or modules to list (mine)")
      ->type_name("RULE|FUNCTION");
  declare_include(app, options->include_dirs);
  app.add_flag("--json", options->json, "One JSON object a rule or function a line");
  return [options] { return Listing(*options).run(); };
}

}  // namespace talweg::cli
