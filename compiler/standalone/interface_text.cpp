// See interface_text.h.
//
// Names of a library are shorter or longer than those in the file, so all is laid out again:
// comments, members with theirs in a column behind them, the parameters of functions.
#include "compiler/standalone/interface_text.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "compiler/standalone/c_text.h"
#include "runtime/standalone/embedded.h"

namespace talweg::standalone {

namespace {

constexpr const char* kCuda = "/* CUDA */\n";
constexpr const char* kEndCuda = "/* END CUDA */\n";

std::string without_blanks_in_front(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first);
}

/// "  float x;" and the comment behind it taken apart; a comment goes on in later lines.
Member read_member(std::string line, std::istream& lines) {
  for (std::string more;
       line.find("/*") != std::string::npos && !line.ends_with("*/") && std::getline(lines, more);)
    line += " " + without_blanks_in_front(more);
  const std::size_t mark = line.find("/*");
  if (mark == std::string::npos) return {line, ""};
  std::string code = line.substr(0, mark);
  code.erase(code.find_last_not_of(' ') + 1);
  return {code, line.substr(mark + 3, line.size() - mark - 6)};
}

/// A comment of one paragraph.
std::string read_comment(std::string line, std::istream& lines) {
  for (std::string more; !line.ends_with("*/") && std::getline(lines, more);)
    line += more.substr(std::min(more.size(), std::size_t{2}));
  return comment(line.substr(3, line.size() - 6));
}

/// "typedef void f(a," or "void f(a,", which may go on in later lines.
std::string read_call(std::string line, std::istream& lines) {
  for (std::string more; !line.ends_with(");") && std::getline(lines, more);)
    line += " " + without_blanks_in_front(more);
  const bool is_pointer = line.rfind("typedef", 0) == 0;
  const std::size_t open = is_pointer ? line.find(")(") + 2 : line.find('(') + 1;
  return wrapped_call(line.substr(0, open), line.substr(open, line.size() - open - 2));
}

std::string laid_out(const std::string& text) {
  std::string result;
  std::vector<Member> run;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  ", 0) == 0) {
      run.push_back(read_member(line, lines));
      continue;
    }
    result += members(run);
    run.clear();
    if (line.rfind("/*", 0) == 0)
      result += read_comment(line, lines);
    else if (line.find('(') != std::string::npos)
      result += read_call(line, lines);
    else
      result += line + "\n";
  }
  return result;
}

/// Without what stands between two marks, and without these.
std::string without(std::string text, const std::string& begin, const std::string& end) {
  for (std::size_t first = 0; (first = text.find(begin)) != std::string::npos;)
    text.erase(first, text.find(end, first) + end.size() - first);
  return text;
}

/// What stands between two marks.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t first = text.find(begin) + begin.size();
  return text.substr(first, text.find(end) - first);
}

}  // namespace

InterfaceText interface_text(const std::string& prefix, bool has_cuda) {
  std::string text(talweg_interface_text, talweg_interface_text_end);
  text = has_cuda ? replace_all(replace_all(std::move(text), kCuda, ""), kEndCuda, "")
                  : without(std::move(text), kCuda, kEndCuda);
  text = replace_all(std::move(text), "talweg_lib_", prefix + "_");
  text = replace_all(std::move(text), "TALWEG_LIB_", upper_case(prefix) + "_");
  return {laid_out(between(text, "/* BEGIN */\n", "/* RULES */\n")),
          laid_out(between(text, "/* RULES */\n", "/* END */"))};
}

}  // namespace talweg::standalone
