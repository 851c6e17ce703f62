// Random damage to a good text: the parser must come back, with a tree that can be printed, and
// with a message whenever that tree is not whole.
#include <catch2/catch.hpp>
#include <random>

#include "tests/syntax/parsing.h"

using namespace talweg;
using test::parse;

namespace {

constexpr const char* kGood = R"(import mine: Clipped
/// Adam.
rule Adam {
  hyper lr = 1e-3 in [0, inf)
  hyper const mode = raw in {raw, fixed}
  state m
  state matrix[rows, rows] l
  input model loss
  matrix (0 | rest)
  require rank <= 2
  step {
    m = beta1 * m + (1 - beta1) * grad
    let h = m / (1 - β1^t) - norm(m) per tensor
    if t % 2 == 0 and not given(loss) { m *= 2 } else if t < 3 { skip if loss > 3 }
    for i in 1..5 { x = 3.4 * x + (a @ a) @ x }
    let u = if rank >= 2 then { r = 1; grad * r } else { -grad }
    update = lr * (if pn > 0 then pn / rn else 1) * u
  }
  after { regrad; hold if t == 1 }
  view w = m
}
rule R = Clip(1) | p = mine.Adam(lr = cosine(t, peak = 1e-3)) | Ema
rule W { when tagged("e"): A
  otherwise: B }
fn f(x, y = [1, 2]) = if x < 1 then { let z = x; z } else 2
kernel k = Adam with { param: bf16 }
let c = 2 * pi
)";

/// Words, numbers, spaces and signs of the text.
std::vector<std::string> pieces(const std::string& text) {
  std::vector<std::string> result;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
  };
  for (const char c : text) {
    if (!result.empty() && is_word(c) && is_word(result.back().back()))
      result.back() += c;
    else
      result.emplace_back(1, c);
  }
  return result;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

/// A message, or a tree that is read again as it was printed.
void require_message_or_tree(const std::string& text) {
  INFO(text);
  const auto parsed = parse(text);
  const std::string printed = syntax::print(parsed.module);
  if (parsed.diagnostics.has_errors()) {
    REQUIRE_FALSE(parsed.messages().empty());
    return;
  }
  INFO(printed);
  const auto again = parse(printed);
  REQUIRE(again.messages().empty());
  REQUIRE(syntax::print(again.module) == printed);
}

}  // namespace

TEST_CASE("the undamaged text is fine") { CHECK(parse(kGood).messages().empty()); }

TEST_CASE("damaged texts never break the parser") {
  const std::vector<std::string> good = pieces(kGood);
  const std::vector<std::string> extra = {
      "{",  "}",  "(",  ")",   "[",      "]",      "=",        "==",    ";",  "\n",
      "|",  "-",  "^",  "if ", " then ", " else ", "rule ",    "step ", "..", ",",
      "\"", "//", "/*", "#",   "1e999",  "$",      "\xC2\xB2", " per ", ":"};
  std::mt19937 random(20240229);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> parts = good;
    const std::size_t damages = 1 + below(4);
    for (std::size_t i = 0; i < damages; ++i) {
      const std::size_t at = below(parts.size());
      const auto place = parts.begin() + static_cast<std::ptrdiff_t>(at);
      switch (below(5)) {
        case 0:
          parts.erase(place);
          break;
        case 1:
          parts.insert(place, parts[below(parts.size())]);
          break;
        case 2:
          *place = parts[below(parts.size())];
          break;
        case 3:
          parts.insert(place, extra[below(extra.size())]);
          break;
        case 4:
          parts.resize(at + 1);
          break;
      }
    }
    require_message_or_tree(joined(parts));
  }
}

TEST_CASE("a text cut behind any word never breaks the parser") {
  const auto whole = pieces(kGood);
  for (std::size_t size = 0; size <= whole.size(); ++size)
    require_message_or_tree(joined({whole.begin(), whole.begin() + size}));
}

TEST_CASE("random bytes never break the parser") {
  std::mt19937 random(7);
  const std::string alphabet = "{}()[]=<>!+-*/^%@|&;:,.\"'#_ \n\t09eaZ$\\";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const std::size_t length = random() % 60;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    const auto parsed = parse(text);
    CHECK(syntax::print(parsed.module).size() < 10'000);
  }
}
