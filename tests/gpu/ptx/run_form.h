// Runs one instruction form over rows of operands, a thread a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace talweg::gpu::ptx::tests {

/// The operands of an instruction in order, each as bits, predicates as 0 or 1.
using Row = std::vector<std::uint64_t>;

/// A module of version 8.8 for sm_100 with this text in it.
std::string module_of(const std::string& text);
/// A kernel "k" of one pointer, in %rd1, with 20 registers of each size and this body. %tid.x is in
/// %r0.
std::string kernel_of(const std::string& body);

/// What the form gives for each row, in the width of its result.
std::vector<std::uint64_t> run_form(const std::string& opcode, const std::vector<Row>& rows);

/// Rows of hard values for a form's operands, and random ones; the same in every run.
std::vector<Row> rows_for(const std::string& opcode);

}  // namespace talweg::gpu::ptx::tests
