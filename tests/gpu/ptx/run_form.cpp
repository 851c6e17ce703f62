#include "tests/gpu/ptx/run_form.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/builtins/samples.h"
#include "tests/gpu/ptx/forms.h"
#include "tests/gpu/ptx/interpreter.h"

namespace talweg::gpu::ptx::tests {

namespace {

using builtins::tests::Random;

constexpr std::uint32_t kRows = 64;

std::string number(std::size_t n) { return std::to_string(n); }

/// A register that 8-bit numbers are in has 16 bits.
std::uint32_t register_bits(Type type) { return type.bits == 8 ? 16 : type.bits; }

std::string register_name(Type type, std::size_t n) {
  if (type.kind == 'p') return "%p" + number(n);
  const std::uint32_t bits = register_bits(type);
  return (bits == 16 ? "%rs" : bits == 32 ? "%r" : "%rd") + number(n);
}

// Operands are in registers from this one on, the result in the first; the others are scratch.
constexpr std::size_t kFirst = 10;

std::string load(Type type, std::size_t n) {
  const std::string address = "[%rd1+" + number(8 * n) + "];\n";
  const std::string name = register_name(type, kFirst + n);
  if (type.kind == 'p')
    return "ld.global.b64 %rd2, " + address + "setp.ne.b64 " + name + ", %rd2, 0;\n";
  return "ld.global.b" + number(register_bits(type)) + " " + name + ", " + address;
}

std::string store_result(Type type) {
  const std::string name = register_name(type, kFirst);
  if (type.kind == 'p') return "selp.b64 %rd2, 1, 0, " + name + ";\nst.global.b64 [%rd1], %rd2;\n";
  return "st.global.b" + number(register_bits(type)) + " [%rd1], " + name + ";\n";
}

template <class F>
std::vector<std::uint64_t> hard_floats(std::vector<F> bases) {
  using Limits = std::numeric_limits<F>;
  for (const F base : {Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity()})
    bases.push_back(base);
  std::vector<std::uint64_t> values;
  for (const F base : bases)
    for (const F near :
         {std::nextafter(base, F{0}), base, std::nextafter(base, Limits::infinity())})
      for (const F value : {near, -near}) values.push_back(to_slot(value));
  values.push_back(to_slot(Limits::quiet_NaN()));
  values.push_back(to_slot(-Limits::quiet_NaN()));
  return values;
}

std::vector<std::uint64_t> hard_values(Type type) {
  if (type.kind == 'p') return {0, 1};
  if (type.kind == 'f' && type.bits == 32)
    return hard_floats<float>({0, 0.5F, 1, 1.5F, 2.5F, 3, 127, 255.5F, 32767.5F, 0x1p16F, 0x1p24F,
                               0x1p31F, 0x1p32F, 0x1p63F, 0x1p64F, 1e-30F});
  if (type.kind == 'f')
    return hard_floats<double>({0, 0.5, 1, 1.5, 2.5, 3, 127, 255.5, 32767.5, 0x1p24, 0x1p31, 0x1p32,
                                0x1p53, 0x1p63, 0x1p64, 0x1p-149, 0x1p-126, 0x1p128});
  const std::uint64_t top = std::uint64_t{1} << (type.bits - 1);
  std::vector<std::uint64_t> values;
  for (const std::uint64_t value : {std::uint64_t{0},
                                    std::uint64_t{1},
                                    std::uint64_t{2},
                                    std::uint64_t{3},
                                    std::uint64_t{7},
                                    std::uint64_t{31},
                                    std::uint64_t{32},
                                    std::uint64_t{33},
                                    std::uint64_t{63},
                                    std::uint64_t{64},
                                    std::uint64_t{65},
                                    std::uint64_t{255},
                                    std::uint64_t{256},
                                    top - 1,
                                    top,
                                    top + 1,
                                    2 * top - 1,
                                    2 * top - 2,
                                    std::uint64_t{0x0123456789ABCDEF},
                                    std::uint64_t{0xFEDCBA9876543210}})
    values.push_back(value & (2 * top - 1));
  return values;
}

std::uint64_t random_value(Random& random, Type type) {
  const std::uint64_t bits = random.bits();
  if (type.kind == 'p') return bits & 1;
  const std::uint64_t mask =
      type.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << type.bits) - 1;
  // Small numbers too: amounts, positions, lengths.
  return (bits & 1) != 0 && type.kind != 'f' ? (bits >> 8) % 70 & mask : bits >> 1 & mask;
}

}  // namespace

std::string module_of(const std::string& text) {
  return ".version 8.8\n.target sm_100\n.address_size 64\n" + text;
}

std::string kernel_of(const std::string& body) {
  return module_of(
      ".visible .entry k(\n.param .u64 k_param_0\n)\n{\n"
      ".reg .pred %p<20>;\n.reg .b16 %rs<20>;\n.reg .b32 %r<20>;\n.reg .b64 %rd<20>;\n"
      "ld.param.b64 %rd1, [k_param_0];\nmov.u32 %r0, %tid.x;\n" +
      body + "}\n");
}

std::vector<std::uint64_t> run_kernel(const std::string& module, std::vector<std::uint64_t> array,
                                      Dim block, Dim grid) {
  DeviceMemory memory;
  PtxInterpreter interpreter(module, memory);
  auto* start = static_cast<std::uint64_t*>(memory.allocate(array.size() * 8));
  std::copy(array.begin(), array.end(), start);
  const std::uint64_t argument = reinterpret_cast<std::uint64_t>(start);
  interpreter.launch("k", grid, block, {&argument, 1});
  return {start, start + array.size()};
}

std::string fault_of(const std::string& module, Dim block, std::size_t array_length) {
  try {
    run_kernel(module, std::vector<std::uint64_t>(array_length), block);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "no fault";
}

std::vector<std::uint64_t> run_form(const std::string& opcode, const std::vector<Row>& rows) {
  const Form& form = *Forms::all().find(opcode);
  const std::size_t count = form.operands.size();
  std::string body =
      "mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmad.lo.s32 %r3, %r1, %r2, %r0;\n"
      "mul.wide.u32 %rd3, %r3, " +
      number(8 * count) + ";\nadd.s64 %rd1, %rd1, %rd3;\n";
  for (std::size_t i = 1; i < count; ++i) body += load(form.operands[i], i);
  body += opcode;
  for (std::size_t i = 0; i < count; ++i)
    body += (i == 0 ? " " : ", ") + register_name(form.operands[i], kFirst + i);
  body += ";\n" + store_result(form.operands[0]) + "ret;\n";

  std::vector<std::uint64_t> table;
  for (const Row& row : rows) {
    table.push_back(0);
    table.insert(table.end(), row.begin(), row.end());
  }
  // The rows are a multiple of the threads.
  table = run_kernel(kernel_of(body), table, {kRows},
                     {static_cast<std::uint32_t>(rows.size() / kRows)});
  std::vector<std::uint64_t> results;
  for (std::size_t row = 0; row < rows.size(); ++row) results.push_back(table[row * count]);
  return results;
}

std::vector<Row> rows_for(const std::string& opcode) {
  const Form& form = *Forms::all().find(opcode);
  const std::vector<Type> sources(form.operands.begin() + 1, form.operands.end());
  std::vector<Row> rows;
  Random random(opcode.size());
  std::vector<std::vector<std::uint64_t>> hard;
  for (const Type type : sources) hard.push_back(hard_values(type));
  // All pairs of hard values of the first two operands; the others take turns.
  const std::size_t others = sources.size() > 1 ? hard[1].size() : 1;
  for (std::size_t a = 0; a < hard[0].size(); ++a)
    for (std::size_t b = 0; b < others; ++b) {
      Row row{hard[0][a]};
      if (sources.size() > 1) row.push_back(hard[1][b]);
      for (std::size_t i = 2; i < sources.size(); ++i)
        row.push_back(hard[i][random.bits() % hard[i].size()]);
      rows.push_back(std::move(row));
    }
  for (int i = 0; i < 500 || rows.size() % kRows != 0; ++i) {
    Row row;
    for (std::size_t n = 0; n < sources.size(); ++n)
      row.push_back(random.bits() % 4 == 0 ? hard[n][random.bits() % hard[n].size()]
                                           : random_value(random, sources[n]));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace talweg::gpu::ptx::tests
