// Functions, jumps and ends.
#include <catch2/catch.hpp>

#include "tests/gpu/ptx/interpreter.h"
#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

using Catch::Contains;
using Array = std::vector<std::uint64_t>;

TEST_CASE("functions take and give scalars and bytes, and call themselves") {
  const std::string text = module_of(R"(
.func (.param .b64 func_retval0) factorial(.param .b64 n);
.func (.param .b64 func_retval0) factorial(.param .b64 n)
{
  .reg .pred %p<3>;
  .reg .b64 %rd<9>;
  ld.param.b64 %rd1, [n];
  mov.b64 %rd4, 1;
  setp.eq.b64 %p1, %rd1, 0;
  @%p1 bra $done;
  add.s64 %rd2, %rd1, -1;
  { // callseq 0, 0
  .param .b64 param0;
  .param .b64 retval0;
  st.param.b64 [param0], %rd2;
  call.uni (retval0), factorial, (param0);
  ld.param.b64 %rd3, [retval0];
  }
  mul.lo.s64 %rd4, %rd3, %rd1;
$done:
  st.param.b64 [func_retval0], %rd4;
  ret;
}
.func (.param .align 16 .b8 func_retval0[16]) swap(
  .param .align 16 .b8 v[16],
  .param .b32 x
)
{
  .local .align 8 .b8 depot[8];
  .reg .b32 %r<3>;
  .reg .b64 %rd<9>;
  ld.param.v2.b64 {%rd1, %rd2}, [v];
  ld.param.b8 %r1, [x];
  cvt.u64.u32 %rd3, %r1;
  add.s64 %rd2, %rd2, %rd3;
  mov.b64 %rd4, depot;
  st.local.b64 [%rd4], %rd2;
  ld.local.b64 %rd5, [%rd4];
  st.param.v2.b64 [func_retval0], {%rd5, %rd1};
  ret;
}
.visible .entry k(.param .u64 k_param_0)
{
  .reg .b32 %r<3>;
  .reg .b64 %rd<9>;
  ld.param.b64 %rd1, [k_param_0];
  ld.global.b64 %rd2, [%rd1];
  {
  .param .b64 param0;
  .param .b64 retval0;
  st.param.b64 [param0], %rd2;
  call.uni (retval0), factorial, (param0);
  ld.param.b64 %rd3, [retval0];
  }
  {
  .param .align 16 .b8 param0[16];
  .param .b32 param1;
  .param .align 16 .b8 retval0[16];
  st.param.b64 [param0], %rd3;
  st.param.b64 [param0+8], 5;
  st.param.b32 [param1], 258;
  call.uni (retval0), swap, (param0, param1);
  ld.param.b64 %rd4, [retval0];
  ld.param.b64 %rd5, [retval0+8];
  }
  st.global.v2.b64 [%rd1], {%rd4, %rd5};
  ret;
}
)");
  CHECK(run_kernel(text, {20, 0}) == Array{7, 2432902008176640000});
  CHECK_THAT(fault_of(text, {}, 0), Contains("out of bounds"));
}

TEST_CASE("calls that go too deep, or to what is no function") {
  const std::string text = module_of(R"(
.func again() { call.uni again, (); ret; }
.visible .entry k(.param .u64 p) { call.uni again; ret; }
)");
  CHECK_THAT(fault_of(text), Contains("nested too deeply") && Contains("PTX line 5"));
  CHECK_THAT(fault_of(module_of(R"(
.visible .entry k(.param .u64 p)
{
  .reg .b64 %rd<2>;
  ld.param.b64 %rd1, [p];
  prototype_0 : .callprototype _ ();
  call %rd1, (), prototype_0;
  ret;
}
)")),
             Contains("calls what is no function"));
  CHECK_THAT(fault_of(module_of(R"(
.func f(.param .b32 x) { ret; }
.visible .entry k(.param .u64 p)
{
  .reg .b64 %rd<2>;
  mov.b64 %rd1, f;
  prototype_0 : .callprototype _ ();
  call %rd1, (), prototype_0;
  ret;
}
)")),
             Contains("calls f, which the prototype does not fit"));
}

TEST_CASE("jumps by index, and guards of both kinds") {
  const std::string text = kernel_of(R"(
  ld.global.b32 %r1, [%rd1];
  mov.b64 %rd2, 0;
  $table: .branchtargets
    $a,
    $b,
    $a;
  brx.idx %r1, $table;
$a:
  add.s64 %rd2, %rd2, 1;
$b:
  add.s64 %rd2, %rd2, 10;
  setp.gt.u64 %p1, %rd2, 10;
  @!%p1 bra $end;
  @%p1 add.s64 %rd2, %rd2, 100;
$end:
  st.global.b64 [%rd1], %rd2;
  ret;
)");
  CHECK(run_kernel(text, {0}) == Array{111});
  CHECK(run_kernel(text, {1}) == Array{10});
  CHECK(run_kernel(text, {2}) == Array{111});
  DeviceMemory memory;
  CHECK_THROWS_WITH(run_kernel(text, {3}), Contains("jumps to target 3"));
}

TEST_CASE("ways to end") {
  CHECK(fault_of(kernel_of("exit;\ntrap;\n")) == "no fault");
  CHECK_THAT(fault_of(kernel_of("trap;\n")), Contains("trap"));
  CHECK_THAT(fault_of(kernel_of("add.s32 %r1, %r1, 1;\n")), Contains("runs past the end"));
  CHECK_THAT(fault_of(kernel_of("mov.b32 %r1, 0;\ndiv.s32 %r2, 5, %r1;\nret;\n")),
             Contains("divides an integer by zero"));
  CHECK_THAT(fault_of(kernel_of("mov.b64 %rd1, -1;\nrem.s64 %rd2, -9223372036854775808, %rd1;\n")),
             Contains("by -1"));
  DeviceMemory memory;
  PtxInterpreter interpreter(kernel_of("$on: bra.uni $on;\n"), memory);
  interpreter.set_most_instructions(1000000);
  const std::uint64_t argument = 0;
  CHECK_THROWS_WITH(interpreter.launch("k", {}, {2}, {&argument, 1}),
                    Contains("has not ended after"));
}

TEST_CASE("names in inner scopes hide those outside") {
  CHECK(run_kernel(kernel_of(R"(
  mov.b64 %rd2, 1;
  { .reg .b64 tmp; mov.b64 tmp, 5; add.s64 %rd2, %rd2, tmp; }
  { .reg .b32 tmp; mov.b32 tmp, 6; cvt.u64.u32 %rd3, tmp; }
  add.s64 %rd2, %rd2, %rd3;
  st.global.b64 [%rd1], %rd2;
  ret;
)"),
                   {0}) == Array{12});
}

}  // namespace talweg::gpu::ptx::tests
