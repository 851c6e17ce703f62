// Where PTX differs from what a machine of another kind would do, in plain numbers.
#include <catch2/catch.hpp>
#include <cfenv>

#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

namespace {

/// Of one row of operands.
std::uint64_t result_of(const std::string& opcode, const Row& row) {
  return run_form(opcode, std::vector<Row>(64, row)).front();
}

struct Example {
  const char* opcode;
  Row operands;
  std::uint64_t result;
};

}  // namespace

TEST_CASE("hand-made examples of instructions") {
  const Example examples[] = {
      // Shifts by the width and more.
      {"shl.b64", {1, 64}, 0},
      {"shl.b32", {1, 0xFFFFFFFF}, 0},
      {"shr.u64", {~std::uint64_t{0}, 64}, 0},
      {"shr.s64", {std::uint64_t{1} << 63, 200}, ~std::uint64_t{0}},
      {"shr.s32", {0x80000000, 32}, 0xFFFFFFFF},
      {"shf.l.wrap.b32", {0xAAAAAAAA, 0x55555555, 32}, 0x55555555},
      {"shf.l.clamp.b32", {0xAAAAAAAA, 0x55555555, 33}, 0xAAAAAAAA},
      {"shf.r.wrap.b32", {0x00000001, 0x80000000, 1}, 0},
      // Of what is no number and a number the number; -0 is less than 0.
      {"min.f32", {0x7FC00000, 0x3F800000}, 0x3F800000},
      {"max.f32", {0x3F800000, 0xFFC00000}, 0x3F800000},
      {"min.NaN.f32", {0x7FC00000, 0x3F800000}, 0x7FFFFFFF},
      {"min.f32", {0x00000000, 0x80000000}, 0x80000000},
      {"max.f32", {0x80000000, 0x00000000}, 0x00000000},
      {"min.f64", {0x8000000000000000, 0}, 0x8000000000000000},
      // To integers: to the nearest one that there is.
      {"cvt.rzi.s32.f32", {0x7F800000}, 0x7FFFFFFF},
      {"cvt.rzi.s32.f32", {0xFF800000}, 0x80000000},
      {"cvt.rzi.s32.f32", {0x7FC00000}, 0},
      {"cvt.rzi.u32.f32", {0xBF800000}, 0},
      {"cvt.rzi.s64.f32", {0x7FC00000}, std::uint64_t{1} << 63},
      {"cvt.rzi.s32.f64", {0x7FF8000000000000}, 0x80000000},
      {"cvt.rzi.u64.f64", {0x43F0000000000000}, ~std::uint64_t{0}},
      {"cvt.rni.s32.f64", {0x4004000000000000}, 2},  // 2.5
      {"cvt.rni.f64.f64", {0xBFE0000000000000}, 0x8000000000000000},
      {"cvt.s64.s8", {0xFF}, ~std::uint64_t{0}},
      {"cvt.u64.u8", {0x1FF}, 0xFF},
      {"cvt.rn.f32.u64", {0xFFFFFF7FFFFFFFFF}, 0x5F7FFFFF},  // below the middle of two
      // One rounding.
      {"fma.rn.f64",
       {0x3FF0000000000001, 0x3FF0000000000001, 0xBFF0000000000002},
       0x3970000000000000},
      {"fma.rn.f32", {0x3F800001, 0x3F800001, 0xBF800002}, 0x28800000},
      // Subnormal numbers.
      {"add.rn.f32", {0x00000001, 0x00000001}, 0x00000002},
      {"mul.rn.f32", {0x00800000, 0x3F000000}, 0x00400000},
      {"mul.rn.f64", {0x0010000000000000, 0x3FE0000000000000}, 0x0008000000000000},
      {"cvt.rn.f32.f64", {0x36A0000000000000}, 0x00000001},
      {"sub.rn.f32x2", {0x0000000200000001, 0x0000000100000002}, 0x0000000180000001},
      // Halves and signs.
      {"mul.hi.s32", {0xFFFFFFFF, 1}, 0xFFFFFFFF},
      {"mul.hi.u64", {~std::uint64_t{0}, ~std::uint64_t{0}}, ~std::uint64_t{0} - 1},
      {"mul.wide.s32", {0xFFFFFFFF, 0xFFFFFFFF}, 1},
      {"mul.wide.u32", {0xFFFFFFFF, 0xFFFFFFFF}, 0xFFFFFFFE00000001},
      {"rem.s32", {0xFFFFFFF9, 3}, 0xFFFFFFFF},
      {"abs.s32", {0x80000000}, 0x80000000},
      {"copysign.f32", {0x80000000, 0x3F800000}, 0xBF800000},
      // Fields and bytes.
      {"bfe.s32", {0x00000080, 0, 8}, 0xFFFFFF80},
      {"bfe.s32", {0x80000000, 28, 8}, 0xFFFFFFF8},
      {"bfe.u64", {~std::uint64_t{0}, 60, 8}, 0xF},
      {"bfi.b32", {0xFF, 0, 28, 8}, 0xF0000000},
      {"prmt.b32", {0x33221180, 0x77665544, 0x0123}, 0x80112233},
      {"prmt.b32", {0x33221180, 0x77665544, 0x8888}, 0xFFFFFFFF},
      {"lop3.b32", {0xF0F0F0F0, 0xCCCCCCCC, 0xAAAAAAAA, 0x96}, 0x96969696},
      {"clz.b64", {0}, 64},
      {"clz.b32", {1}, 31},
      // What is no number compares with nothing.
      {"setp.ne.f32", {0x7FC00000, 0x7FC00000}, 0},
      {"setp.neu.f32", {0x7FC00000, 0x7FC00000}, 1},
      {"setp.lt.f64", {0x7FF8000000000000, 0}, 0},
      {"setp.ltu.f64", {0x7FF8000000000000, 0}, 1},
      {"setp.eq.f32", {0x80000000, 0x00000000}, 1},
      {"setp.num.f32", {0x7FC00000, 0}, 0},
      {"testp.normal.f32", {0x80000000}, 1},
      {"testp.normal.f64", {1}, 0},
      {"testp.subnormal.f32", {0}, 0},
      {"slct.b32.f32", {1, 2, 0x80000000}, 1},
      {"slct.b32.f32", {1, 2, 0x7FC00000}, 2},
  };
  for (const Example& example : examples) {
    INFO(example.opcode << " of " << example.operands.front());
    CHECK(result_of(example.opcode, example.operands) == example.result);
  }
}

TEST_CASE("the caller's rounding mode means nothing, and stays") {
  const int before = std::fegetround();
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  const std::uint64_t sum = result_of("add.rn.f32", {0x3F800000, 0x33000000});  // 1 + 2^-25
  CHECK(std::fegetround() == FE_UPWARD);
  REQUIRE(std::fesetround(before) == 0);
  CHECK(sum == 0x3F800000);
}

TEST_CASE("sums of many words carry") {
  const std::string add = kernel_of(R"(
    ld.global.v2.b64 {%rd2, %rd3}, [%rd1];
    ld.global.v2.b64 {%rd4, %rd5}, [%rd1+16];
    add.cc.s64 %rd6, %rd2, %rd4;
    addc.cc.s64 %rd7, %rd3, %rd5;
    addc.s64 %rd8, 0, 0;
    sub.cc.s64 %rd9, %rd2, %rd4;
    subc.cc.s64 %rd10, %rd3, %rd5;
    subc.u64 %rd11, 0, 0;
    st.global.v2.b64 [%rd1], {%rd6, %rd7};
    st.global.b64 [%rd1+16], %rd8;
    st.global.v2.b64 [%rd1+32], {%rd9, %rd10};
    st.global.b64 [%rd1+48], %rd11;
    ret;
)");
  const std::uint64_t all = ~std::uint64_t{0};
  CHECK(run_kernel(add, {all, 7, 1, all, 0, 0, 0, 0}) ==
        std::vector<std::uint64_t>{0, 7, 1, all, all - 1, 8, all, 0});
  CHECK(run_kernel(add, {5, 7, 6, 7, 0, 0, 0, 0}) ==
        std::vector<std::uint64_t>{11, 14, 0, 7, all, all, all, 0});
}

TEST_CASE("both predicates of a comparison, and what nobody wants") {
  const std::string text = kernel_of(R"(
    ld.global.b64 %rd2, [%rd1];
    setp.lt.u64 %p1|%p2, %rd2, 5;
    setp.eq.and.b64 _|%p3, %rd2, 9, %p2;
    setp.eq.and.b64 %p4|_, %rd2, 9, %p2;
    selp.b64 %rd3, 1, 0, %p1;
    selp.b64 %rd4, 1, 0, %p2;
    selp.b64 %rd5, 1, 0, %p3;
    selp.b64 %rd6, 1, 0, %p4;
    st.global.v2.b64 [%rd1], {%rd3, %rd4};
    st.global.v2.b64 [%rd1+16], {%rd5, %rd6};
    ret;
)");
  CHECK(run_kernel(text, {3, 0, 0, 0}) == std::vector<std::uint64_t>{1, 0, 0, 0});
  CHECK(run_kernel(text, {9, 0, 0, 0}) == std::vector<std::uint64_t>{0, 1, 0, 1});
  CHECK(run_kernel(text, {8, 0, 0, 0}) == std::vector<std::uint64_t>{0, 1, 1, 0});
}

TEST_CASE("vectors in one register, and one register in a vector") {
  const std::string text = kernel_of(R"(
    ld.global.b64 %rd2, [%rd1];
    mov.b64 {%r1, %r2}, %rd2;
    mov.b64 {_, %r3}, %rd2;
    mov.b32 {%rs1, %rs2}, %r1;
    mov.b64 %rd3, {%r2, %r1};
    mov.b64 %rd4, {%rs2, %rs1, %rs2, %rs1};
    mov.b32 %r4, {%rs2, %rs1};
    cvt.u64.u32 %rd5, %r4;
    cvt.u64.u32 %rd6, %r3;
    st.global.v2.b64 [%rd1], {%rd3, %rd4};
    st.global.v2.b64 [%rd1+16], {%rd5, %rd6};
    ret;
)");
  CHECK(run_kernel(text, {0x1122334455667788, 0, 0, 0}) ==
        std::vector<std::uint64_t>{0x5566778811223344, 0x7788556677885566, 0x77885566, 0x11223344});
}

TEST_CASE("special registers") {
  const std::string text = kernel_of(R"(
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %nctaid.x;
    mov.u32 %r3, %tid.y;
    mov.u32 %r4, %ntid.x;
    mov.u32 %r5, %ntid.y;
    mov.u32 %r6, %laneid;
    mov.u32 %r7, WARP_SZ;
    mov.u32 %r8, %lanemask_lt;
    mad.lo.s32 %r9, %r3, %r4, %r0;
    mul.lo.s32 %r10, %r4, %r5;
    mad.lo.s32 %r9, %r1, %r10, %r9;
    mul.wide.u32 %rd2, %r9, 8;
    add.s64 %rd1, %rd1, %rd2;
    mad.lo.s32 %r6, %r6, 1000, %r7;
    mad.lo.s32 %r6, %r2, 100000, %r6;
    mov.b64 %rd3, {%r6, %r8};
    st.global.b64 [%rd1], %rd3;
    ret;
)");
  const std::vector<std::uint64_t> array =
      run_kernel(text, std::vector<std::uint64_t>(60), {5, 4}, {3});
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::uint64_t lane = i % 20;
    CHECK((array[i] & 0xFFFFFFFF) == 300000 + lane * 1000 + 32);
    CHECK(array[i] >> 32 == (std::uint64_t{1} << lane) - 1);
  }
}

}  // namespace talweg::gpu::ptx::tests
