// See c_text.h.
#include "compiler/standalone/c_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <unordered_set>
#include <vector>

namespace talweg::standalone {

namespace {

constexpr std::size_t kColumns = 100;

/// Words of one paragraph in lines of `columns`.
std::vector<std::string> fill(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string& last = lines.back();
    if (!last.empty() && last.size() + 1 + word.size() > columns)
      lines.push_back(word);
    else
      last += (last.empty() ? "" : " ") + word;
  }
  return lines;
}

/// Within a comment nothing may end or begin one.
std::string harmless(std::string text) {
  return replace_all(replace_all(std::move(text), "*/", "* /"), "/*", "/ *");
}

/// The next ", " that is not within parentheses.
std::size_t next_comma(const std::string& text, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i + 1 < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (depth == 0 && text[i] == ',' && text[i + 1] == ' ') return i;
  }
  return std::string::npos;
}

std::string without_blanks_at_end(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string comment(std::string_view text, Layout layout) {
  std::vector<std::string> lines;
  std::istringstream stream(harmless(std::string(text)));
  for (std::string line; std::getline(stream, line);) {
    const bool is_kept = layout == Layout::AsItIs && line.size() <= kColumns - 3;
    if (is_kept || line.empty() || line.front() == ' ')
      lines.push_back(without_blanks_at_end(line));
    else
      for (std::string& filled : fill(line, kColumns - 3)) lines.push_back(std::move(filled));
  }
  std::string result;
  for (const std::string& line : lines)
    result += (result.empty() ? "/* " : without_blanks_at_end(line.empty() ? " *" : " * ")) +
              (result.empty() || line.empty() ? line : " " + line) + "\n";
  result.pop_back();
  if (result.size() - (result.rfind('\n') + 1) + 3 > kColumns) return result + "\n */\n";
  return result + " */\n";
}

std::string members(const std::vector<Member>& list) {
  constexpr std::size_t kNarrowest = 30;  // of comments beside a member
  std::size_t column = 0;
  for (const Member& member : list)
    if (!member.about.empty() && member.code.size() + kNarrowest < kColumns)
      column = std::max(column, member.code.size() + 1);
  std::string result;
  for (const Member& member : list) {
    result += member.code;
    if (!member.about.empty()) {
      const std::size_t begin = std::max(column, member.code.size() + 1);
      const std::vector<std::string> lines = fill(harmless(member.about), kColumns - begin - 6);
      result += std::string(begin - member.code.size(), ' ') + "/* " + lines.front();
      for (std::size_t i = 1; i < lines.size(); ++i)
        result += "\n" + std::string(begin + 3, ' ') + lines[i];
      result += " */";
    }
    result += "\n";
  }
  return result;
}

std::string wrapped_call(const std::string& head, const std::string& parameters) {
  std::vector<std::string> list;
  for (std::size_t begin = 0; begin < parameters.size();) {
    const std::size_t comma = std::min(next_comma(parameters, begin), parameters.size());
    list.push_back(parameters.substr(begin, comma - begin) +
                   (comma < parameters.size() ? "," : ");"));
    begin = comma + 2;
  }
  // Below the first parameter, or, where names are too long for that, indented in lines of their
  // own.
  const bool fits = std::ranges::all_of(
      list, [&](const std::string& one) { return head.size() + one.size() <= kColumns; });
  const std::string indent(fits ? head.size() : 4, ' ');
  std::string result = fits ? head : head + "\n" + indent;
  std::size_t column = indent.size();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0 && column + 1 + list[i].size() > kColumns) {
      result += "\n" + indent;
      column = indent.size();
    } else if (i > 0) {
      result += ' ';
      ++column;
    }
    result += list[i];
    column += list[i].size();
  }
  return result + "\n";
}

namespace {

/// From U+03B1 and U+0391 on.
constexpr std::array<std::string_view, 25> kGreek = {
    "alpha", "beta",   "gamma",   "delta", "epsilon", "zeta",    "eta",  "theta", "iota",
    "kappa", "lambda", "mu",      "nu",    "xi",      "omicron", "pi",   "rho",   "sigma",
    "sigma", "tau",    "upsilon", "phi",   "chi",     "psi",     "omega"};

/// The name of the Greek letter that two bytes of UTF-8 spell; empty if they spell none.
std::string greek_letter(unsigned char first, unsigned char second) {
  if (first != 0xce && first != 0xcf) return {};
  const unsigned code = ((first & 0x1fu) << 6) | (second & 0x3fu);
  constexpr unsigned kAlpha = 0x391, kSmallAlpha = 0x3b1;
  if (code >= kSmallAlpha && code < kSmallAlpha + kGreek.size())
    return std::string(kGreek[code - kSmallAlpha]);
  if (code < kAlpha || code >= kAlpha + kGreek.size()) return {};
  std::string name(kGreek[code - kAlpha]);
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

}  // namespace

bool is_language_word(const std::string& name) {
  static const std::unordered_set<std::string> kWords = {
      // C and C++
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
      "case", "catch", "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return",
      "co_yield", "compl", "concept", "const", "const_cast", "consteval", "constexpr", "constinit",
      "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
      "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
      "int", "linux", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr",
      "operator", "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast",
      "requires", "restrict", "return", "short", "signed", "sizeof", "static", "static_assert",
      "static_cast", "struct", "switch", "template", "this", "thread_local", "throw", "true", "try",
      "typedef", "typeid", "typename", "typeof", "union", "unix", "unsigned", "using", "virtual",
      "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "EOF", "INFINITY", "NAN", "NULL",
      // Python
      "as", "assert", "async", "await", "def", "del", "elif", "except", "finally", "from", "global",
      "import", "in", "is", "lambda", "nonlocal", "pass", "raise", "with", "yield", "False", "None",
      "True"};
  return kWords.contains(name);
}

std::string c_name(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const unsigned char next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0;
    if (byte < 0x80) {
      result += std::isalnum(byte) != 0 ? name[i] : '_';
    } else if ((byte & 0xc0) != 0x80) {  // the first byte of a letter
      const std::string letter = greek_letter(byte, next);
      result += letter.empty() ? "_" : letter;
    }
  }
  return result;
}

namespace {

/// Macros that the C library's headers may define as something else.
bool is_macro(const std::string& name) {
  static const std::unordered_set<std::string> kNames = {"I",      "assert",    "complex",
                                                         "errno",  "imaginary", "math_errhandling",
                                                         "stderr", "stdin",     "stdout"};
  return kNames.contains(name);
}

/// Names of other parameters of the functions that have these beside them.
bool is_parameter(const std::string& name) {
  static const std::unordered_set<std::string> kNames = {"param", "grad",   "n",
                                                         "t",     "hypers", "error"};
  return kNames.contains(name);
}

}  // namespace

std::vector<std::string> c_identifiers(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  // A name that can stay as it is does: who asks for `gamma` means no `γ` that is spelled so.
  const auto is_taken = [&](const std::string& made, const std::string& by) {
    return std::ranges::find(result, made) != result.end() ||
           (made != by && std::ranges::find(names, made) != names.end());
  };
  for (const std::string& name : names) {
    std::string made = c_name(name);
    // Names that begin with a `_` may be the compiler's.
    if (made.starts_with('_')) made.insert(0, "x");
    while (is_language_word(made) || is_macro(made) || is_parameter(made) || is_taken(made, name))
      made += '_';
    result.push_back(std::move(made));
  }
  return result;
}

std::string upper_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace talweg::standalone
