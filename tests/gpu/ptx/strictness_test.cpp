// What is not known is refused, with its line.
#include <catch2/catch.hpp>

#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

using Catch::Contains;

namespace {

struct Refusal {
  const char* text;
  const char* message;
};

}  // namespace

TEST_CASE("instructions that are not known or not exact are refused with their line") {
  const Refusal refusals[] = {
      {"add.ftz.f32 %r1, %r2, %r3;", "'add.ftz.f32' flushes subnormal numbers to zero"},
      {"fma.rn.ftz.f32 %r1, %r2, %r3, %r4;", "flushes subnormal numbers"},
      {"atom.global.add.f32 %r1, [%rd1], %r2;", "flushes subnormal numbers"},
      {"red.relaxed.gpu.add.f32 [%rd1], %r2;", "flushes subnormal numbers"},
      {"ex2.approx.f32 %r1, %r2;", "'ex2.approx.f32' is approximate"},
      {"ex2.approx.ftz.f32 %r1, %r2;", "flushes subnormal numbers"},
      {"rsqrt.approx.f64 %rd2, %rd3;", "is approximate"},
      {"div.full.f32 %r1, %r2, %r3;", "is approximate"},
      {"sqrt.approx.f32 %r1, %r2;", "is approximate"},
      {"add.f32 %r1, %r2, %r3;", "names no rounding"},
      {"mul.f64 %rd2, %rd3, %rd4;", "names no rounding"},
      {"add.rz.f32 %r1, %r2, %r3;", "unknown instruction 'add.rz.f32'"},
      {"fma.rn.sat.f32 %r1, %r2, %r3, %r4;", "unknown instruction"},
      {"cvt.f32.f64 %r1, %rd2;", "unknown instruction"},
      {"cvt.rn.bf16.f32 %rs1, %r2;", "unknown instruction"},
      {"cvt.sat.s32.s64 %r1, %rd2;", "unknown instruction"},
      {"mad.lo.cc.s32 %r1, %r2, %r3, %r4;", "unknown instruction"},
      {"prmt.b32.f4e %r1, %r2, %r3, %r4;", "unknown instruction"},
      {"setp.lo.s32 %p1, %r2, %r3;", "unknown instruction"},
      {"ld.global.L1::no_allocate.b32 %r1, [%rd1];", "unknown instruction"},
      {"ld.global.ca.b32 %r1, [%rd1];", "unknown instruction"},
      {"ld.volatile.global.nc.b32 %r1, [%rd1];", "unknown instruction"},
      {"ld.v8.b32 {%r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8}, [%rd1];", "unknown instruction"},
      {"ld.shared::cluster.b32 %r1, [%rd1];", "unknown instruction"},
      {"st.const.b32 [%rd1], %r1;", "unknown instruction"},
      {"atom.global.add.s64 %rd2, [%rd1], 1;", "unknown instruction"},
      {"red.global.exch.b32 [%rd1], 1;", "unknown instruction"},
      {"atom.acquire.global.add.u32 %r1, [%rd1], 1;", "unknown instruction"},
      {"bar.arrive 0, 32;", "unknown instruction"},
      {"shfl.down.b32 %r1, %r2, 1, 31;", "unknown instruction"},
      {"mov.b128 %rd2, %rd3;", "unknown instruction"},
      {"mov.u32 %r1, %clock;", "%clock is no register"},
      {"mov.u64 %rd2, %globaltimer;", "%globaltimer is no register"},
      {"nanosleep.u32 5;", "unknown instruction"},
  };
  for (const Refusal& refusal : refusals) {
    INFO(refusal.text);
    // Line 14 of the module.
    CHECK_THAT(fault_of(kernel_of(std::string(refusal.text) + "\nret;\n")),
               Contains("PTX line 14: ") && Contains(refusal.message) && Contains(refusal.text));
  }
}

TEST_CASE("operands that do not fit are refused") {
  const Refusal refusals[] = {
      {"add.s32 %r1, %rd2, %r3;", "%rd2 has another type"},
      {"add.s64 %rd1, %rd2, %r3;", "%r3 has another type"},
      {"add.s32 %r1, %r2, %r99;", "%r99 is no register"},
      {"add.s32 %r1, %r2, %r07;", "%r07 is no register"},
      {"add.s32 %r1, %r2;", "3 operands expected"},
      {"add.s32 5, %r2, %r3;", "a register expected"},
      {"add.s32 %r1, %r2, 4294967296;", "does not fit"},
      {"add.s32 %r1, %r2, -2147483649;", "does not fit"},
      {"add.rn.f32 %r1, %r2, 1;", "a float must be"},
      {"add.rn.f32 %r1, %r2, 0d3FF0000000000000;", "a number of another type"},
      {"add.s32 %r1, %r2, 0f3F800000;", "a number of another type"},
      {"and.pred %p1, %p2, %r1;", "%r1 has another type"},
      {"and.b32 %r1, %r2, !%r3;", "unknown form of an operand"},
      {"selp.b32 %r1, %r2, %r3, !%p1;", "unknown form of an operand"},
      {"add.s32 %r1, %r2|%p1, %r3;", "unknown form of an operand"},
      {"ld.global.b32 %r1|%p1, [%rd1];", "unknown form of an operand"},
      {"mov.b64 {%r1|%p1, %r2}, %rd1;", "unknown form of an operand"},
      {"mov.b32 %r1, WARP_SZ+1;", "a register expected"},
      {"st.param.b64 [k_param_0], 1;", "k_param_0 cannot be written"},
      {"add.s32 %r1|%p1, %r2, %r3;", "unknown form of an operand"},
      {"@%r1 bra $end;", "%r1 has another type"},
      {"bra $nowhere;", "$nowhere is no label"},
      {"ld.global.v2.b32 {%r1, %r2, %r3}, [%rd1];", "a vector of 2 expected"},
      {"ld.global.b32 %r1, [%r2];", "%r2 has another type"},
      {"ld.global.b64 %r1, [%rd1];", "%r1 has another type"},
      {"ld.global.f32 %rd2, [%rd1];", "%rd2 has another type"},
      {"st.global.f32 [%rd1], %rd2;", "%rd2 has another type"},
      {"cvt.rn.f32.s32 %rd2, %r1;", "%rd2 has another type"},
      {"ld.param.b64 %rd2, [k_param_0+8];", "reaches beyond"},
      {"ld.param.b32 %r1, [k_param_0+2];", "is misaligned"},
      {"ld.param.b64 %rd2, [other];", "other is no parameter"},
      {"mov.b64 {%r1, %r2, %r3}, %rd1;", "unknown form of a vector"},
      {"mov.b64 {%rs1, %r2}, %rd1;", "%rs1 has another type"},
      {"mov.b64 %rd2, nothing;", "nothing is no register"},
      {"call.uni nothing, ();", "nothing is no register"},
      {"brx.idx %r1, $table;", "branch targets expected"},
      {"bar.sync 0, 64;", "1 operands expected"},
  };
  for (const Refusal& refusal : refusals) {
    INFO(refusal.text);
    CHECK_THAT(fault_of(kernel_of(std::string(refusal.text) + "\n$end:\nret;\n")),
               Contains("PTX line 14: ") && Contains(refusal.message));
  }
}

TEST_CASE("directives and text that are not known are refused") {
  const Refusal refusals[] = {
      {".file 1 \"a.c\"", "unknown directive, not '.file'"},
      {".visible .entry k(.param .u64 p) .maxclusterrank 8 { ret; }", "'{' expected"},
      {".visible .entry k(.param .u64 p) { .loc 1 2 3; ret; }", "unknown directive"},
      {".visible .entry k(.param .u64 p) { .pragma \"enable_smem_spilling\"; ret; }",
       "unknown pragma"},
      {".visible .entry k(.param .u32 p) { ret; }", "has 8 bytes"},
      {".visible .entry k(.param .u64 p) { ret;", "a statement expected"},
      {".visible .entry k(.param .u64 p) { .reg .b128 %q<2>; ret; }", "a type expected"},
      {".visible .entry k(.param .u64 p) { .reg .b32 %q; .reg .b32 %q; ret; }", "declared twice"},
      {".visible .entry k(.param .u64 p) { $a: $a: ret; }", "declared twice"},
      {".visible .entry k(.param .u64 p) { ret; } .visible .entry k(.param .u64 p) { ret; }",
       "defined twice"},
      {".func f(.param .b32 x); .func f(.param .b64 x) { ret; }", "declared otherwise"},
      {".func f(); .visible .entry k(.param .u64 p) { call.uni f, (); ret; }",
       "no function that is defined here"},
      {".func f(.param .b32 x) { ret; } .visible .entry k(.param .u64 p) { call.uni f, (); ret; }",
       "1 parameters or results expected"},
      {".extern .global .align 4 .b32 x;", "not defined here"},
      {".global .align 4 .b32 x = 0d3FF0000000000000;", "a value of another type"},
      {".global .align 1 .b8 x = 256;", "a value that does not fit"},
      {".global .align 4 .b32 x[1] = {1, 2};", "more values than elements"},
      {".global .align 4 .b32 x = y;", "an address in less than 64 bits"},
      {".global .align 8 .b64 x = y;", "y is not known"},
      {".shared .align 4 .b32 x = 1;", "values in shared memory"},
      {".tex .u64 x;", "unknown directive"},
      {"#", "unknown character '#'"},
      {".global .align 4 .b32 x = 1.5;", "a number that cannot be read"},
      {".global .align 4 .b32 x = 0f3F80;", "a number that cannot be read"},
      {"/* no end", "a comment without an end"},
  };
  for (const Refusal& refusal : refusals) {
    INFO(refusal.text);
    CHECK_THAT(fault_of(module_of(std::string(refusal.text) + "\n")),
               Contains("PTX line ") && Contains(refusal.message));
  }
  CHECK_THAT(fault_of(".version 8.8\n.target sm_100, debug\n.address_size 64\n"),
             Contains("PTX line 2: '.address_size' expected"));
  CHECK_THAT(fault_of(".version 8.8\n.target gfx90a\n.address_size 64\n"),
             Contains("unknown target gfx90a"));
  CHECK_THAT(fault_of(".version 8.8\n.target sm_90\n.address_size 32\n"),
             Contains("addresses of 64 bits expected"));
}

}  // namespace talweg::gpu::ptx::tests
