// See library_names.h.
#include "compiler/cli/library_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_set>

#include "compiler/standalone/c_text.h"
#include "compiler/syntax/parse.h"

namespace talweg::cli {

using support::Failure;
using support::FailureKind;
using support::Result;

namespace {

constexpr std::size_t kLongestName = 64;

/// Names in C and Python: letters, digits and `_`, not a digit first.
bool is_c_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         name == standalone::c_name(name);
}

/// Whether NAME.h, libNAME.so or NAME.py would be found in place of another with this name, which
/// compilers, the C library's headers, linkers or the Python module itself look for.
bool is_of_the_system(const std::string& name) {
  static const std::unordered_set<std::string> kNames = {
      // headers of C
      "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits",
      "locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbit", "stdbool",
      "stdckdint", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath",
      "threads", "time", "uchar", "wchar", "wctype",
      // headers of POSIX and of C libraries
      "aio", "alloca", "byteswap", "dirent", "dlfcn", "elf", "endian", "err", "error", "execinfo",
      "fcntl", "features", "fnmatch", "ftw", "getopt", "glob", "grp", "iconv", "ifaddrs",
      "langinfo", "libgen", "libintl", "link", "malloc", "memory", "monetary", "mqueue", "netdb",
      "nl_types", "poll", "pthread", "pwd", "regex", "sched", "search", "semaphore", "spawn",
      "strings", "syslog", "termios", "ucontext", "unistd", "utime", "values", "wait", "wordexp",
      // libraries that compilers link with, some without being asked
      "anl", "asan", "atomic", "c", "crypt", "dl", "gcc", "gcc_s", "gomp", "lsan", "m", "mvec",
      "nsl", "quadmath", "resolv", "rt", "ssp", "tsan", "ubsan", "unwind", "util",
      // modules that NAME.py imports, and on which these stand
      "abc", "bisect", "builtins", "collections", "contextlib", "ctypes", "enum", "functools",
      "inspect", "io", "json", "math", "numpy", "operator", "os", "re", "sys", "types", "typing"};
  return kNames.contains(name);
}

std::string without_blanks(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

/// The last rule of a pipeline, without its module and arguments: what the whole is called after.
std::string name_after(const std::string& expression) {
  const std::size_t bar = expression.rfind('|');
  std::string last = bar == std::string::npos ? expression : expression.substr(bar + 1);
  last = last.substr(0, last.find('('));
  last.erase(std::remove(last.begin(), last.end(), ' '), last.end());
  const std::size_t dot = last.rfind('.');
  return dot == std::string::npos ? last : last.substr(dot + 1);
}

/// The expression of "x-y=AdamW", where what was to be its name is none. In "SGD(lr=1)" the first
/// `=` is an argument's.
std::string behind_name(const std::string& text) {
  const std::size_t equals = text.find('=');
  return equals < text.find('(') ? text.substr(equals + 1) : text;
}

bool is_pipeline(const std::string& text) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  syntax::parse_pipeline(sources.add("--rule", text), sources, diagnostics);
  return !diagnostics.has_errors();
}

}  // namespace

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Wanted parse_wanted(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text, ""};
  const std::string name = without_blanks(text.substr(0, equals));
  if (!is_c_name(name)) return {"", text, ""};
  return {name, text.substr(equals + 1), ""};
}

support::Status name_rules(std::vector<Wanted>& wanted, bool has_files) {
  if (wanted.empty())
    return Failure{FailureKind::Usage, has_files
                                           ? "the files declare no rule; give one with --rule EXPR"
                                           : "nothing to build: give a rule file or --rule EXPR"};
  std::set<std::string> names;
  for (Wanted& rule : wanted) {
    if (without_blanks(rule.expression).empty())
      return Failure{FailureKind::Usage,
                     "--rule names no rule; it takes a rule or pipeline, such as 'AdamW' or "
                     "'clipped=ClipByGlobalNorm(1) | AdamW'"};
    if (rule.name.empty()) rule.name = name_after(rule.expression);
    // Of an expression that is none, the compiler says what is wrong.
    if (!is_c_name(rule.name) && !is_pipeline(behind_name(rule.expression))) continue;
    if (!is_c_name(rule.name))
      return Failure{FailureKind::Usage,
                     fmt::format("`{}` has no name that C can have; give it one: --rule 'name={}'",
                                 rule.expression, behind_name(rule.expression))};
    if (!names.insert(lower_case(rule.name)).second)
      return Failure{FailureKind::Usage,
                     fmt::format("two rules would be called `{}`; give one another name: --rule "
                                 "'name={}'",
                                 lower_case(rule.name), rule.expression)};
  }
  return support::ok();
}

Result<std::string> library_name(std::string name, const std::vector<std::filesystem::path>& files,
                                 const std::vector<Wanted>& wanted) {
  if (name.empty() && wanted.size() == 1) name = lower_case(wanted.front().name);
  if (name.empty() && files.size() == 1) name = files.front().stem().string();
  if (name.empty())
    return Failure{FailureKind::Usage, "a library of several rules needs a name: --name NAME"};
  if (!is_c_name(name))
    return Failure{FailureKind::Usage,
                   fmt::format("`{}` cannot be the name of a library: all its names in C begin "
                               "with it. Use at most {} letters, digits and _: --name NAME",
                               name.substr(0, kLongestName), kLongestName)};
  // On file systems that ignore case Math.h is math.h.
  for (const std::string& form : {name, lower_case(name)}) {
    if (standalone::is_language_word(form))
      return Failure{FailureKind::Usage,
                     fmt::format("`{}` is a word of C, C++ or Python, which cannot be the name of "
                                 "a library; give it another one: --name NAME",
                                 form)};
    if (is_of_the_system(form))
      return Failure{FailureKind::Usage,
                     fmt::format("a library `{}` would stand in the way of {}.h, lib{}.so or "
                                 "{}.py of the system; give it another name: --name NAME",
                                 name, form, form, form)};
  }
  if (lower_case(name).starts_with("talweg"))
    return Failure{FailureKind::Usage,
                   fmt::format("`{}` begins like names of talweg's own; give the library another "
                               "one: --name NAME",
                               name)};
  return name;
}

support::Status check_functions(const standalone::Library& library) {
  std::vector<std::string> all = standalone::exported_names(library, standalone::host_platform());
  for (const standalone::LibraryRule& rule : library.rules)
    for (const char* name : {"hypers", "inputs", "defaults"})
      all.push_back(fmt::format("{}_{}", rule.prefix, name));
  std::set<std::string> names;
  for (const std::string& name : all)
    if (!names.insert(name).second)
      return Failure{FailureKind::Usage,
                     fmt::format("`{}` would be the name of two things in {}.h; give a rule "
                                 "another name: --rule 'name=EXPR'",
                                 name, library.prefix)};
  return support::ok();
}

}  // namespace talweg::cli
