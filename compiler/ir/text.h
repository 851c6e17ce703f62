// The text form of a graph, and its reader. For a graph without faults, reading its text gives the
// same graph bit for bit (of NaN constants only that they are NaN), and so the same text again.
//
//   graph "Sgd"
//   doc "Gradient descent"
//   hyper lr: number group = 0x1p-3 in [0x0p+0, inf)
//   state m: element = %4 doc "running mean"
//   input loss: model
//   view averaged: %0
//   %0 = param: array element
//   %1 = hyper lr: scalar group
//   %2 = to_array %1: array group
//   %3 = mul %2 %0: array element  // comments run to the end of the line
//   %4 = constant 0x0p+0: scalar const
//   %5 = constant true: bool const
//   %6 = reduce sum element %3 %5: scalar model
//   store param %3
//   skipped %7
//   held %9
//   end
//
// A name stands bare where it is made of ASCII letters, digits, `_` and `.`, else in quotes, in
// which
// \" \\ \n \t \r and \xHH are escapes. Numbers are hexadecimal so that every bit survives; the
// reader takes decimal ones too. After the views, `require %N "rank <= 2"` says what tensors must
// be. A hyper may carry `bound %N` and `unless %N`, a state `kept %N`; `skipped` and `held` are
// left out where a step always completes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "compiler/ir/graph.h"

namespace talweg::ir {

std::string print(const Graph& graph);
/// The line of one node, without its line break. Where `alias` is not empty, an operand `o` is
/// shown as alias[o].
std::string print_node(const Graph& graph, NodeId id, std::span<const NodeId> alias = {});

/// Where a text stops being a good graph, and why. Line and column (in bytes) count from 1.
struct ReadError {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::string message;
};

/// The graph, verified; or the first error. Takes any bytes, in time linear in their number.
std::variant<Graph, ReadError> read_graph(std::string_view text);

}  // namespace talweg::ir
