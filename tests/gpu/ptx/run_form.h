// Runs one instruction form over rows of operands, a thread a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/gpu/executor.h"

namespace talweg::gpu::ptx::tests {

/// The operands of an instruction in order, each as bits, predicates as 0 or 1.
using Row = std::vector<std::uint64_t>;

/// A module of version 8.8 for sm_100 with this text in it.
std::string module_of(const std::string& text);
/// A kernel "k" of one pointer, in %rd1, with 20 registers of each size and this body. %tid.x is in
/// %r0.
std::string kernel_of(const std::string& body);

/// Launches "k" of a module with an array of these numbers; what the array holds then.
std::vector<std::uint64_t> run_kernel(const std::string& module, std::vector<std::uint64_t> array,
                                      Dim block = {}, Dim grid = {});
/// The same, for a launch or a text that is to be refused: the Fault's text, or "no fault".
std::string fault_of(const std::string& module, Dim block = {}, std::size_t array_length = 8);

/// What the form gives for each row, in the width of its result.
std::vector<std::uint64_t> run_form(const std::string& opcode, const std::vector<Row>& rows);

/// Rows of hard values for a form's operands, and random ones; the same in every run.
std::vector<Row> rows_for(const std::string& opcode);

}  // namespace talweg::gpu::ptx::tests
