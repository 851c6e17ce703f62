// The words for splits and facts.
#include "compiler/types/split.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "compiler/types/fact.h"
#include "compiler/types/rate.h"

using namespace talweg::types;

TEST_CASE("every split is read back from its text, and nothing else is one") {
  std::set<std::string_view> texts;
  for (const Split split : kSplits) {
    CHECK(split_from_text(to_text(split)) == split);
    texts.insert(to_text(split));
  }
  CHECK(texts == std::set<std::string_view>{"0 | rest", "last two", "two largest"});
  for (const char* text : {"", "0|rest", "last", "Last two", "0 | rest "})
    CHECK_FALSE(split_from_text(text));
}

TEST_CASE("facts have words of their own; names and tags are truths") {
  std::set<std::string> words;
  for (const FactKind kind : {FactKind::Rank, FactKind::Size, FactKind::Named, FactKind::Tagged,
                              FactKind::Rows, FactKind::Cols, FactKind::Matrices}) {
    words.insert(to_text(kind));
    CHECK(is_truth(kind) == (kind == FactKind::Named || kind == FactKind::Tagged));
  }
  CHECK(words.size() == 7);
}

TEST_CASE("only rates between tensor and element are of matrices") {
  for (const Rate rate : {Rate::Const, Rate::Model, Rate::Group, Rate::Tensor, Rate::Element})
    CHECK_FALSE(is_of_matrices(rate));
  for (const Rate rate : {Rate::Matrix, Rate::Row, Rate::Col}) CHECK(is_of_matrices(rate));
}
