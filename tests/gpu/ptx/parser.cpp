#include "tests/gpu/ptx/parser.h"

#include <algorithm>

#include "tests/gpu/ptx/parse_body.h"

namespace talweg::gpu::ptx {

namespace {

class Parser {
 public:
  explicit Parser(const Text& text) : reader_(text) {}

  Module run() {
    reader_.expect(".version");
    parse_version();
    reader_.expect(".target");
    module_.target = reader_.name();
    if (!is_architecture(module_.target)) reader_.refuse("unknown target " + module_.target);
    reader_.expect(".address_size");
    if (reader_.integer() != 64) reader_.refuse("addresses of 64 bits expected");
    while (reader_.peek().kind != TokenKind::End) parse_declaration();
    return std::move(module_);
  }

 private:
  void parse_version() {
    reader_.integer();
    if (reader_.peek().kind != TokenKind::Dotted ||
        !std::ranges::all_of(reader_.peek().text.substr(1),
                             [](char c) { return c >= '0' && c <= '9'; }))
      reader_.refuse("a version expected");
    reader_.take();
  }

  static bool is_architecture(const std::string& name) {
    if (!name.starts_with("sm_") || name.size() < 5) return false;
    const bool has_letter = name.back() == 'a' || name.back() == 'f';
    return std::all_of(name.begin() + 3, name.end() - (has_letter ? 1 : 0),
                       [](char c) { return c >= '0' && c <= '9'; });
  }

  void parse_declaration() {
    const bool is_external = reader_.accept(".extern");
    if (!is_external && !reader_.accept(".visible")) reader_.accept(".weak");
    Space space = Space::Global;
    if (reader_.accept(".entry")) {
      parse_function(true);
    } else if (reader_.accept(".func")) {
      parse_function(false);
    } else if (accept_space(reader_, space)) {
      if (space == Space::Local || space == Space::Param)
        reader_.refuse("a variable of this space outside of functions");
      module_.variables.push_back(parse_variable(reader_, space));
      module_.variables.back().is_external = is_external;
    } else {
      reader_.refuse("unknown directive");
    }
  }

  Dimensions parse_dimensions() {
    Dimensions threads;
    threads.x = dimension();
    if (reader_.accept(",")) threads.y = dimension();
    if (reader_.accept(",")) threads.z = dimension();
    return threads;
  }
  std::uint32_t dimension() {
    const std::uint64_t value = reader_.integer();
    if (value == 0 || value > 1024) reader_.refuse("1 to 1024 threads expected");
    return static_cast<std::uint32_t>(value);
  }

  void parse_function(bool is_entry) {
    Function function{.is_entry = is_entry, .line = reader_.peek().line};
    if (!is_entry && reader_.is("(")) function.prototype.results = parse_parameters(reader_);
    function.name = reader_.name();
    if (reader_.is("(")) function.prototype.parameters = parse_parameters(reader_);
    for (;;) {
      if (reader_.accept(".maxntid"))
        function.most_threads = parse_dimensions();
      else if (reader_.accept(".reqntid"))
        function.required_threads = parse_dimensions();
      else if (reader_.accept(".minnctapersm") || reader_.accept(".maxnreg"))
        reader_.integer();  // for the allocation of registers
      else if (!reader_.accept(".noreturn"))
        break;
    }
    function.is_defined = !reader_.accept(";");
    if (function.is_defined) function.body = parse_body(reader_);
    module_.functions.push_back(std::move(function));
  }

  TokenReader reader_;
  Module module_;
};

}  // namespace

Module parse(const Text& text) { return Parser(text).run(); }

Type type_of(std::string_view word) {
  if (word.starts_with('.')) word.remove_prefix(1);
  for (const std::string_view name :
       {"b8", "b16", "b32", "b64", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"})
    if (word == name)
      return {name[0], name.size() == 2 ? 8 : (name[1] - '0') * 10U + (name[2] - '0')};
  if (word == "f32") return {'f', 32};
  if (word == "f64") return {'f', 64};
  return {'b', 0};
}

}  // namespace talweg::gpu::ptx
