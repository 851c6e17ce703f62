// Text of C: comments, names, declarations, laid out to 100 columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace talweg::standalone {

/// What becomes of a comment's lines; those that begin with blanks always stay as they are, and
/// those that are too long never do.
enum class Layout { Filled, AsItIs };
/// A block comment.
std::string comment(std::string_view text, Layout layout = Layout::Filled);
/// Members of a struct or an enum, a line each, with their comments in one column.
struct Member {
  std::string code;   // "  double lr;"
  std::string about;  // may be empty
};
std::string members(const std::vector<Member>& list);
/// `head` ends with an open parenthesis; parameters are separated by ", ".
std::string wrapped_call(const std::string& head, const std::string& parameters);
/// A name in ASCII: Greek letters are spelled out, what else is no letter or digit becomes `_`.
std::string c_name(std::string_view name);
/// Whether C, C++ or Python has this word, or a macro of C's this name.
bool is_language_word(const std::string& name);
/// Names of members or parameters that stand side by side: no two are the same, and a word of C,
/// C++ or Python or a macro of C's headers gets a `_` behind.
std::vector<std::string> c_identifiers(const std::vector<std::string>& names);
std::string upper_case(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace talweg::standalone
