// Spaces of memory: what may be reached, and what is noticed.
#include <catch2/catch.hpp>

#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

using Catch::Contains;
using Array = std::vector<std::uint64_t>;

TEST_CASE("loads and stores of all widths, with signs") {
  const std::string text = kernel_of(R"(
    ld.global.s8 %rd2, [%rd1];
    ld.global.u8 %rd3, [%rd1];
    ld.global.s16 %rd4, [%rd1];
    ld.global.s32 %rd5, [%rd1+4];
    ld.global.nc.v4.b8 {%rs1, %rs2, %rs3, %rs4}, [%rd1];
    ld.global.v4.b16 {%rs5, %rs6, %rs7, %rs8}, [%rd1];
    st.global.v2.b64 [%rd1+16], {%rd2, %rd3};
    st.global.v2.b64 [%rd1+32], {%rd4, %rd5};
    st.global.v4.b8 [%rd1+48], {%rs4, %rs3, %rs2, %rs1};
    st.global.v2.b16 [%rd1+52], {%rs8, %rs5};
    st.global.b8 [%rd1+56], 255;
    st.global.b16 [%rd1+58], -2;
    st.global.v4.b32 [%rd1+64], {1, 2, -1, 4};
    ld.global.v8.b32 {%r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8}, [%rd1+64];
    st.global.v8.b32 [%rd1+96], {%r4, %r3, %r2, %r1, %r1, %r2, %r3, %r4};
    ret;
)");
  Array array(16);
  array[0] = 0x80000001F1F2F3F4;
  const Array left = run_kernel(text, array);
  CHECK(left[2] == 0xFFFFFFFFFFFFFFF4);
  CHECK(left[3] == 0xF4);
  CHECK(left[4] == 0xFFFFFFFFFFFFF3F4);
  CHECK(left[5] == 0xFFFFFFFF80000001);
  CHECK(left[6] == 0xF3F48000F4F3F2F1);
  CHECK(left[7] == 0xFFFE00FF);
  CHECK(left[8] == 0x0000000200000001);
  CHECK(left[9] == 0x00000004FFFFFFFF);
  CHECK(left[12] == 0xFFFFFFFF00000004);
  CHECK(left[15] == 0x00000004FFFFFFFF);
}

TEST_CASE("an access out of bounds or misaligned is a fault that says where") {
  const auto fault = [](const std::string& access, std::size_t length = 8) {
    return fault_of(kernel_of(access + "\nret;\n"), {}, length);
  };
  CHECK(fault("ld.global.b64 %rd2, [%rd1+56];") == "no fault");
  CHECK_THAT(fault("ld.global.b64 %rd2, [%rd1+64];"),
             Contains("kernel k, block (0, 0, 0), thread (0, 0, 0): reads 8 bytes at 0x") &&
                 Contains("out of bounds") &&
                 Contains("PTX line 14: ld.global.b64 %rd2, [%rd1+64];"));
  CHECK_THAT(fault("ld.global.b32 %r2, [%rd1+-4];"), Contains("out of bounds"));
  CHECK_THAT(fault("st.global.v4.b32 [%rd1+48], {1, 2, 3, 4};", 7),
             Contains("writes 16 bytes") && Contains("out of bounds"));
  CHECK_THAT(fault("ld.global.b64 %rd2, [%rd1+4];"), Contains("misaligned"));
  CHECK_THAT(fault("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1+8];"), Contains("misaligned"));
  CHECK_THAT(fault("mov.b64 %rd2, 0;\nld.b32 %r1, [%rd2];"), Contains("out of bounds"));
  CHECK_THAT(fault("ld.b32 %r1, [%rd5];"), Contains("reads 4 bytes at 0xcdcdcdcdcdcdcdcd"));
  CHECK_THAT(fault("atom.global.add.u32 %r1, [%rd1+64], 1;"), Contains("out of bounds"));
  CHECK_THAT(fault("atom.global.add.u64 %rd2, [%rd1+4], 1;"), Contains("misaligned"));
  CHECK_THAT(fault("ld.shared.b32 %r1, [%rd1];"), Contains("out of bounds"));
}

TEST_CASE("blocks of memory are aligned as they are to be, and no more") {
  DeviceMemory memory;
  for (const std::size_t alignment : {4U, 16U, 256U, 4096U})
    for (int i = 0; i < 4; ++i) {
      const auto start = reinterpret_cast<std::uintptr_t>(memory.allocate(100, alignment));
      CHECK(start % (2 * alignment) == alignment);
    }
}

TEST_CASE("the block after one that was known to be in bounds is not") {
  // A thread walks over its array, whose end is not where a granule ends.
  const std::string text = kernel_of(R"(
    mov.b64 %rd2, 0;
$again:
    ld.global.b64 %rd3, [%rd1];
    add.s64 %rd1, %rd1, 8;
    add.s64 %rd2, %rd2, 1;
    setp.lt.u64 %p1, %rd2, 1001;
    @%p1 bra $again;
    ret;
)");
  CHECK(fault_of(text, {}, 1001) == "no fault");
  CHECK_THAT(fault_of(text, {}, 1000), Contains("out of bounds"));
}

TEST_CASE("what is predicated off touches nothing") {
  const std::string text = kernel_of(R"(
    ld.global.b64 %rd2, [%rd1];
    setp.eq.b64 %p1, %rd2, 1;
    mov.b64 %rd3, 7;
    @%p1 ld.global.b64 %rd3, [%rd1+4096];
    @!%p1 st.global.b64 [%rd1], %rd3;
    @%p1 st.global.b64 [%rd1+4096], %rd3;
    ret;
)");
  CHECK(run_kernel(text, {0})[0] == 7);
  DeviceMemory memory;
  PtxInterpreter interpreter(text, memory);
  auto* one = static_cast<std::uint64_t*>(memory.allocate(8));
  *one = 1;
  const std::uint64_t argument = reinterpret_cast<std::uint64_t>(one);
  CHECK_THROWS_WITH(interpreter.launch("k", {}, {}, {&argument, 1}), Contains("out of bounds"));
}

TEST_CASE("variables of a module have their values and places") {
  const std::string text = module_of(R"(
.func (.param .b32 func_retval0) three()
{
  st.param.b32 [func_retval0], 3;
  ret;
}
.const .align 16 .b8 table[24] = {1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255};
.visible .global .align 4 .f32 floats[3] = {0f3F800000, 0fC0000000, 0f7FC00000};
.global .align 8 .u64 places[4] = {1, generic(floats), three, generic(table)};
.global .align 8 .b64 counter;
.visible .entry k(.param .u64 k_param_0)
{
  .reg .b32 %r<9>;
  .reg .b64 %rd<19>;
  ld.param.b64 %rd1, [k_param_0];
  ld.const.b64 %rd2, [table+8];
  mov.b64 %rd3, table;
  ld.const.b64 %rd4, [%rd3];
  ld.const.b64 %rd5, [%rd3+16];
  ld.global.b64 %rd6, [places+8];
  ld.b32 %r1, [%rd6+4];
  cvt.u64.u32 %rd7, %r1;
  ld.global.b64 %rd8, [places+16];
  { // a call by address
  .param .b32 retval0;
  prototype_0 : .callprototype (.param .b32 _) _ ();
  call (retval0), %rd8, (), prototype_0;
  ld.param.b32 %r2, [retval0];
  }
  cvt.u64.u32 %rd9, %r2;
  ld.global.b64 %rd10, [places+24];
  ld.b64 %rd11, [%rd10+8];
  ld.global.b64 %rd12, [counter];
  add.s64 %rd12, %rd12, 1;
  st.global.b64 [counter], %rd12;
  st.global.v2.b64 [%rd1], {%rd2, %rd4};
  st.global.v2.b64 [%rd1+16], {%rd5, %rd7};
  st.global.v2.b64 [%rd1+32], {%rd9, %rd11};
  st.global.b64 [%rd1+48], %rd12;
  ret;
}
)");
  const std::uint64_t minus_two = ~std::uint64_t{1};
  CHECK(run_kernel(text, Array(8)) == Array{minus_two, 1, 0, 0xC0000000, 3, minus_two, 1, 0});
}

TEST_CASE("shared, local and constant memory are windows of the generic space") {
  const std::string head = R"(
.shared .align 8 .b64 pair[2];
.const .align 8 .b64 constant = 5;
.visible .entry k(.param .u64 k_param_0)
{
  .local .align 8 .b8 depot[16];
  .reg .b64 %rd<19>;
  ld.param.b64 %rd1, [k_param_0];
  mov.b64 %rd2, pair;
  cvta.shared.u64 %rd3, %rd2;
  mov.b64 %rd4, depot;
  cvta.local.u64 %rd5, %rd4;
  mov.b64 %rd6, constant;
  cvta.const.u64 %rd7, %rd6;
)";
  const auto with = [&](const std::string& body) { return module_of(head + body + "ret;\n}\n"); };
  CHECK(run_kernel(with(R"(
  st.b64 [%rd3+8], 11;
  ld.shared.b64 %rd8, [%rd2+8];
  st.local.b64 [%rd4], 22;
  ld.b64 %rd9, [%rd5];
  ld.b64 %rd10, [%rd7];
  cvta.to.shared.u64 %rd11, %rd3;
  ld.shared.b64 %rd12, [%rd11+8];
  ld.shared.b64 %rd13, [pair];
  st.global.v2.b64 [%rd1], {%rd8, %rd9};
  st.global.v2.b64 [%rd1+16], {%rd10, %rd12};
  st.global.b64 [%rd1+32], %rd13;
)"),
                   Array(5)) == Array{11, 22, 5, 11, 0xCDCDCDCDCDCDCDCD});
  CHECK_THAT(fault_of(with("ld.shared.b64 %rd8, [%rd2+16];\n")), Contains("out of bounds"));
  CHECK_THAT(fault_of(with("ld.local.b64 %rd8, [%rd4+16];\n")), Contains("out of bounds"));
  CHECK_THAT(fault_of(with("ld.b64 %rd8, [%rd2];\n")), Contains("out of bounds"));
  CHECK_THAT(fault_of(with("ld.global.b64 %rd8, [%rd3];\n")), Contains("out of bounds"));
  CHECK_THAT(fault_of(with("st.b64 [%rd7], 1;\n")), Contains("writes 8 bytes"));
  CHECK_THAT(fault_of(with("ld.const.b64 %rd8, [constant+8];\n")), Contains("out of bounds"));
}

TEST_CASE("atomic operations give the old value") {
  const std::string text = kernel_of(R"(
    atom.global.add.u32 %r1, [%rd1], 3;
    atom.global.max.s32 %r2, [%rd1+8], -4;
    atom.relaxed.sys.global.cas.b64 %rd2, [%rd1+16], 7, 70;
    atom.acquire.gpu.global.cas.b64 %rd3, [%rd1+24], 7, 70;
    atom.exch.b64 %rd4, [%rd1+32], 9;
    atom.global.add.f64 %rd5, [%rd1+40], 0d3FF0000000000000;
    red.relaxed.gpu.global.add.u64 [%rd1+48], 5;
    atom.global.and.b32 %r3, [%rd1+56], 12;
    fence.sc.sys;
    membar.gl;
    add.s32 %r4, %r1, %r2;
    add.s32 %r4, %r4, %r3;
    cvt.u64.u32 %rd6, %r4;
    add.s64 %rd7, %rd2, %rd3;
    st.global.v2.b64 [%rd1+64], {%rd6, %rd7};
    st.global.v2.b64 [%rd1+80], {%rd4, %rd5};
    ret;
)");
  Array array{1, 0xFFFFFFF0, 7, 8, 6, 0x4000000000000000, 10, 0xFF, 0, 0, 0, 0};
  CHECK(run_kernel(text, array) == Array{4, 0xFFFFFFFC, 70, 8, 9, 0x4008000000000000, 15, 12,
                                         (1 + 0xFFFFFFF0 + 0xFF) & 0xFFFFFFFF, 15, 6,
                                         0x4000000000000000});
}

TEST_CASE("sums of float32 in shared memory keep subnormal numbers") {
  const std::string text = module_of(R"(
.shared .align 4 .b32 sum;
.visible .entry k(.param .u64 k_param_0)
{
  .reg .b32 %r<9>;
  .reg .b64 %rd<9>;
  ld.param.b64 %rd1, [k_param_0];
  st.shared.b32 [sum], 1;
  atom.shared.add.f32 %r1, [sum], 0f00000002;
  red.shared.add.f32 [sum], 0f00000003;
  ld.shared.b32 %r2, [sum];
  st.global.v2.b32 [%rd1], {%r1, %r2};
  ret;
}
)");
  CHECK(run_kernel(text, {0}) == Array{0x0000000600000001});
}

TEST_CASE("a launch that no driver would take is refused") {
  DeviceMemory memory;
  PtxInterpreter interpreter(module_of(R"(
.visible .entry k(.param .u64 p) .maxntid 32, 2 { ret; }
.visible .entry q(.param .u64 p) .reqntid 64 { ret; }
)"),
                             memory);
  const std::uint64_t argument = 0;
  CHECK(interpreter.kernels() == std::vector<std::string>{"k", "q"});
  CHECK_NOTHROW(interpreter.launch("k", {}, {64}, {&argument, 1}));
  CHECK_NOTHROW(interpreter.launch("q", {}, {64}, {&argument, 1}));
  CHECK_THROWS_AS(interpreter.launch("k", {}, {65}, {&argument, 1}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("q", {}, {32}, {&argument, 1}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("k", {}, {}, {}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("k", {0}, {}, {&argument, 1}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("k", {1u << 31u}, {}, {&argument, 1}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("k", {1, 65536}, {}, {&argument, 1}), std::invalid_argument);
  CHECK_THROWS_AS(interpreter.launch("none", {}, {}, {&argument, 1}), std::invalid_argument);
}

}  // namespace talweg::gpu::ptx::tests
