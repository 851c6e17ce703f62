// See c_text.h.
#include "compiler/standalone/c_text.h"

#include <algorithm>
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
    if (layout == Layout::AsItIs || line.empty() || line.front() == ' ')
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
  std::string result = head;
  std::size_t column = head.size();
  std::size_t begin = 0;
  while (begin < parameters.size()) {
    const std::size_t comma = next_comma(parameters, begin);
    const bool is_last = comma == std::string::npos;
    const std::string parameter =
        parameters.substr(begin, is_last ? comma : comma - begin) + (is_last ? ");" : ",");
    if (begin > 0 && column + 1 + parameter.size() > kColumns) {
      result += "\n" + std::string(head.size(), ' ');
      column = head.size();
    } else if (begin > 0) {
      result += ' ';
      ++column;
    }
    result += parameter;
    column += parameter.size();
    begin = is_last ? parameters.size() : comma + 2;
  }
  return result + "\n";
}

std::string c_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    result += is_plain ? c : '_';
  }
  return result;
}

std::string c_identifier(std::string_view name) {
  static const std::unordered_set<std::string> kKeywords = {
      "alignas",  "alignof",  "and",      "asm",       "auto",      "bool",     "break",
      "case",     "catch",    "char",     "class",     "const",     "continue", "default",
      "delete",   "do",       "double",   "else",      "enum",      "explicit", "export",
      "extern",   "false",    "float",    "for",       "friend",    "goto",     "if",
      "inline",   "int",      "long",     "mutable",   "namespace", "new",      "not",
      "operator", "or",       "private",  "protected", "public",    "register", "requires",
      "restrict", "return",   "short",    "signed",    "sizeof",    "static",   "struct",
      "switch",   "template", "this",     "throw",     "true",      "try",      "typedef",
      "typename", "union",    "unsigned", "using",     "virtual",   "void",     "volatile",
      "while",    "xor",      "param",    "grad",      "n",         "t",        "hypers",
      "error"};
  const std::string result = c_name(name);
  return kKeywords.contains(result) ? result + "_" : result;
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
