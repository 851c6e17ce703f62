// The text form: exact round trips, and every kind of bad text refused with its place.
#include "compiler/ir/text.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "compiler/ir/make_node.h"
#include "compiler/ir/verify.h"
#include "tests/ir/random_graph.h"

namespace talweg::ir {

namespace {

constexpr const char* kSmall = R"(graph "Sgd"
hyper lr: number group = 0x1p-3 in [0x0p+0, inf)
state m: element
%0 = param: array element
%1 = hyper lr: scalar group
%2 = to_array %1: array group
%3 = mul %2 %0: array element
store param %3
end
)";

Graph good(std::string_view text) {
  auto result = read_graph(text);
  if (const auto* error = std::get_if<ReadError>(&result)) {
    FAIL(error->line << ":" << error->column << ": " << error->message);
  }
  return std::get<Graph>(std::move(result));
}

/// "line:column message" of a text that must be refused.
std::string refusal(std::string_view text) {
  const auto result = read_graph(text);
  const auto* error = std::get_if<ReadError>(&result);
  if (!error) return "accepted";
  return std::to_string(error->line) + ":" + std::to_string(error->column) + " " + error->message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

}  // namespace

TEST_CASE("a graph's text reads back as the same graph") {
  CHECK(print(good(kSmall)) == kSmall);
  const std::string with_view =
      replaced(kSmall, "state m: element\n", "state m: element\nview \"näher\": %3 doc \"near\"\n");
  CHECK(print(good(with_view)) == with_view);
  CHECK(good(with_view).views.front().name == "näher");
  CHECK(refusal(replaced(with_view, "%3 doc", "m doc")) == "4:16 expected a node like `%3`");
  CHECK(refusal(replaced(with_view, "view", "view w: %0\nview w: %0\nview")) ==
        "5:6 this name is taken already");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Graph graph = tests::random_graph(seed, 20 + seed, seed % 3);
    REQUIRE(find_faults(graph).empty());
    const std::string text = print(graph);
    const Graph again = good(text);
    REQUIRE(print(again) == text);
    REQUIRE(again.nodes.size() == graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      Node before = graph.nodes[i];
      Node after = again.nodes[i];
      REQUIRE(tests::same(before.value, after.value));
      before.value = after.value = 0;
      REQUIRE(before == after);
    }
  }
}

TEST_CASE("every bit of a constant survives") {
  using Limits = std::numeric_limits<double>;
  Graph graph;
  const double values[] = {0.1,
                           -0.0,
                           Limits::denorm_min(),
                           Limits::max(),
                           Limits::min(),
                           1.0 / 3.0,
                           Limits::infinity(),
                           -Limits::infinity(),
                           1e22,
                           Limits::quiet_NaN()};
  for (const double value : values) graph.add(make_constant(value));
  const Graph again = good(print(graph));
  for (std::size_t i = 0; i < std::size(values); ++i)
    CHECK(tests::same(again.nodes[i].value, values[i]));
}

TEST_CASE("names and docs of any bytes survive") {
  Graph graph;
  graph.name = "β \"quoted\" \\ name";
  graph.doc = "line one\nline two\ttab\r\x01\x7f // no comment";
  graph.hypers.push_back(
      {.name = "clip.max norm", .range = {}, .bound = {}, .unless = {}, .doc = "a\nb"});
  graph.states.push_back({.name = "end", .initial = {}, .kept = {}, .doc = {}});
  graph.states.push_back({.name = "\xff\xfe", .initial = {}, .kept = {}, .doc = "not UTF-8: \xc3"});
  graph.inputs.push_back({.name = "1e-3", .doc = {}});
  graph.add(make_leaf(graph, NodeKind::State, 1));
  const Graph again = good(print(graph));
  CHECK(print(again) == print(graph));
  CHECK(again.name == graph.name);
  CHECK(again.doc == graph.doc);
  CHECK(again.hypers[0].name == graph.hypers[0].name);
  CHECK(again.hypers[0].doc == graph.hypers[0].doc);
  CHECK(again.states[1].name == graph.states[1].name);
  CHECK(again.inputs[0].name == graph.inputs[0].name);
}

TEST_CASE("decimal numbers, comments and free spacing are read") {
  const std::string text =
      replaced(replaced(kSmall, "0x1p-3", "0.125"), "%3 =", "// the step\n   %3\n=\t");
  CHECK(print(good(text)) == kSmall);
  CHECK(good(replaced(kSmall, "0x1p-3", "1.25e-1")).hypers[0].default_value == 0.125);
}

TEST_CASE("bad text is refused where it is wrong") {
  const auto refused = [](std::string_view from, std::string_view to) {
    return refusal(replaced(kSmall, from, to));
  };
  CHECK(refusal("") == "1:1 expected `graph`");
  CHECK(refusal("graph") == "1:6 expected a text in quotes");
  CHECK(refusal("graph \"x") == "1:7 this text is never closed");
  CHECK(refusal("graph \"\\q\" end") == R"(1:8 this escape is none of \" \\ \n \t \r \xHH)");
  CHECK(refusal("graph \"\\") == R"(1:8 this escape is none of \" \\ \n \t \r \xHH)");
  CHECK(refusal(std::string_view("graph \"x\" \0 end", 15)) ==
        "1:11 this byte has no meaning here");
  CHECK(refusal("graph \"x\"") ==
        "1:10 expected a hyper, state, input, fact, view, `require`, node, store, `regrad`, "
        "`skipped`, `held` "
        "or `end`, in this order");
  CHECK(refusal("graph \"x\" end end") == "1:15 expected nothing after `end`");
  CHECK(refused("number", "numeral") == "2:11 expected number, int or bool");
  CHECK(refused("group", "grope") ==
        "2:18 expected a rate: const, model, group, tensor, matrix, row, col or element");
  CHECK(refused("0x1p-3", "0x1p-3q") == "2:26 expected a number that a float64 can hold");
  CHECK(refused("0x1p-3", "--1") == "2:26 expected a number that a float64 can hold");
  CHECK(refused("0x1p-3", "1e999") == "2:26 expected a number that a float64 can hold");
  CHECK(refused("state m", "state \"\"") == "1:1 a state has no name");
  CHECK(refused("state m: element", "state m: element state m: element") ==
        "3:24 this name is taken already");
  CHECK(refused("%1 =", "%2 =") == "5:1 expected %1: nodes count up from %0");
  CHECK(refused("%1 =", "% =") == "5:1 expected %1: nodes count up from %0");
  CHECK(refused("hyper lr:", "hyper beta:") == "5:12 there is no hyper of this name");
  CHECK(refused("mul %2", "mull %2") ==
        "7:6 expected what the node is: an operation, or a word like `param`");
  CHECK(refused("mul %2 %0", "mul %2") == "7:12 expected a node like `%3`");
  CHECK(refused("mul %2 %0", "mul %2 %99999999999") == "7:13 this node number is too large");
  CHECK(refused("mul %2 %0", "mul %2 %4294967295") == "7:13 this node number is too large");
  CHECK(refused("store param", "store grad") == "8:7 expected `state`");
  CHECK(refused("store param", "store state v") == "8:13 there is no state of this name");
}

TEST_CASE("a text with faults is refused at the node that is wrong") {
  CHECK(refusal(replaced(kSmall, "mul %2 %0", "mul %1 %0")).substr(0, 4) == "7:1 ");
  CHECK(refusal(replaced(kSmall, "mul %2 %0", "mul %2 %3")) ==
        "7:1 operand 2 of %3 does not stand before it");
  CHECK(refusal(replaced(kSmall, "store param %3", "store param %9")) ==
        "1:1 `param` is stored from a node that does not exist");
}

TEST_CASE("no text harms the reader") {
  const std::string text = print(tests::random_graph(7, 120));
  for (std::size_t length = 0; length + 4 < text.size(); length += 3) {
    const auto result = read_graph(std::string_view(text).substr(0, length));
    REQUIRE(std::holds_alternative<ReadError>(result));
  }
  tests::Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = text;
    for (std::size_t i = 0, edits = 1 + random.below(3); i < edits; ++i)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    const auto result = read_graph(damaged);
    if (const auto* graph = std::get_if<Graph>(&result)) REQUIRE(find_faults(*graph).empty());
  }
  const std::string deep(1 << 20, '(');
  CHECK(refusal("graph \"x\" " + deep).starts_with("1:11 "));
  CHECK(refusal(std::string(1 << 20, '"')).starts_with("1:1 "));
  CHECK(refusal("graph " + std::string(1 << 20, '%')).starts_with("1:7 "));
}

}  // namespace talweg::ir
