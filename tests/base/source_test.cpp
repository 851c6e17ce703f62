// Positions in texts, and what is UTF-8.
#include "compiler/base/source.h"

#include <catch2/catch.hpp>

using namespace talweg::base;

TEST_CASE("positions count lines and code points from 1") {
  const Source source("s", "ab\nβγ δ\r\n\nend");
  const auto at = [&](std::uint32_t offset) {
    const LineColumn p = source.position(offset);
    return std::pair(p.line, p.column);
  };
  CHECK(at(0) == std::pair(1u, 1u));
  CHECK(at(2) == std::pair(1u, 3u));  // the line break is the end of its line
  CHECK(at(3) == std::pair(2u, 1u));
  CHECK(at(5) == std::pair(2u, 2u));
  CHECK(at(8) == std::pair(2u, 4u));
  CHECK(at(12) == std::pair(3u, 1u));
  CHECK(at(16) == std::pair(4u, 4u));
  CHECK(at(1000) == std::pair(4u, 4u));
}

TEST_CASE("lines come without their breaks") {
  const Source source("s", "ab\r\n\nend");
  REQUIRE(source.line_count() == 3);
  CHECK(source.line(1) == "ab");
  CHECK(source.line(2).empty());
  CHECK(source.line(3) == "end");
  CHECK(source.line_start(3) == 5);
}

TEST_CASE("an empty text has one empty line") {
  const Source source("s", "");
  CHECK(source.line_count() == 1);
  CHECK(source.line(1).empty());
  CHECK(source.position(0).column == 1);
}

TEST_CASE("spans name text and join") {
  Sources sources;
  const SourceId id = sources.add("s", "let x = 1");
  const Span name{id, 4, 5};
  const Span value{id, 8, 9};
  CHECK(sources.text(name) == "x");
  CHECK(sources.text(value.to(name)) == "x = 1");
}

TEST_CASE("valid UTF-8 of every length passes") {
  CHECK(first_invalid_utf8("") == std::string_view::npos);
  CHECK(first_invalid_utf8("plain") == std::string_view::npos);
  CHECK(first_invalid_utf8("\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff") == std::string_view::npos);
  CHECK(first_invalid_utf8("\U00010000\U0010ffff") == std::string_view::npos);
}

TEST_CASE("the first byte that is not UTF-8 is found") {
  CHECK(first_invalid_utf8("ab\xff") == 2);
  CHECK(first_invalid_utf8("\x80") == 0);                  // a continuation without a lead
  CHECK(first_invalid_utf8("a\xc3") == 1);                 // cut at the end
  CHECK(first_invalid_utf8("a\xc3(") == 1);                // cut in the middle
  CHECK(first_invalid_utf8("\xc0\xaf") == 0);              // overlong, two bytes
  CHECK(first_invalid_utf8("\xe0\x80\xaf") == 0);          // overlong, three
  CHECK(first_invalid_utf8("\xf0\x80\x80\xaf") == 0);      // overlong, four
  CHECK(first_invalid_utf8("\xed\xa0\x80") == 0);          // a surrogate
  CHECK(first_invalid_utf8("\xf4\x90\x80\x80") == 0);      // past U+10FFFF
  CHECK(first_invalid_utf8("\xf8\x88\x80\x80\x80") == 0);  // five bytes
}
