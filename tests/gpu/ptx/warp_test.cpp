// Threads that wait for one another: barriers, shuffles, votes.
#include <catch2/catch.hpp>

#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

using Catch::Contains;
using Array = std::vector<std::uint64_t>;

namespace {

/// Each thread t has 100 + t in %r1, and stores %r2 and %r3 in its place.
std::string with_lanes(const std::string& body) {
  return kernel_of("add.s32 %r1, %r0, 100;\nmov.b32 %r2, 0;\nmov.b32 %r3, 0;\n" + body +
                   "\nmul.wide.u32 %rd2, %r0, 8;\nadd.s64 %rd2, %rd1, %rd2;\n"
                   "st.global.v2.b32 [%rd2], {%r2, %r3};\nret;\n");
}

Array lanes(const std::string& body, std::uint32_t threads = 32) {
  return run_kernel(with_lanes(body), Array(threads), {threads});
}

std::string shuffle(const std::string& mode, int b, int c) {
  return "shfl.sync." + mode + ".b32 %r2|%p1, %r1, " + std::to_string(b) + ", " +
         std::to_string(c) + ", -1;\nselp.b32 %r3, 1, 0, %p1;";
}

/// The PTX manual's own text, lane by lane.
std::uint64_t shuffled(const std::string& mode, int lane, int b, int c) {
  const int bval = b & 31, cval = c & 31, mask = c >> 8 & 31;
  const int max_lane = (lane & mask) | (cval & ~mask & 31), min_lane = lane & mask;
  int j = 0;
  bool p = false;
  if (mode == "up") j = lane - bval, p = j >= max_lane;
  if (mode == "down") j = lane + bval, p = j <= max_lane;
  if (mode == "bfly") j = lane ^ bval, p = j <= max_lane;
  if (mode == "idx") j = min_lane | (bval & ~mask & 31), p = j <= max_lane;
  if (!p) j = lane;
  return static_cast<std::uint64_t>(100 + j) | std::uint64_t{p} << 32;
}

}  // namespace

TEST_CASE("shuffles clamp and stay in their segments") {
  for (const std::string mode : {"up", "down", "bfly", "idx"})
    for (const int b : {0, 1, 3, 4, 8, 16, 31, 33})
      for (const int c : {0, 31, 7, 0x1F00, 0x181F, 0x1807, 0x101F, 0x1000, 0x1C03}) {
        const Array left = lanes(shuffle(mode, b, c));
        for (int lane = 0; lane < 32; ++lane) {
          INFO(mode << " b " << b << " c " << c << " lane " << lane);
          CHECK(left[static_cast<std::size_t>(lane)] == shuffled(mode, lane, b, c));
        }
      }
}

TEST_CASE("a warp folds by shuffles, whatever comes between for single lanes") {
  const Array left = lanes(R"(
  mov.b32 %r2, %r1;
  and.b32 %r4, %r0, 1;
  setp.eq.b32 %p1, %r4, 0;
  @%p1 bra $even;
  mov.b32 %r5, 40;
$spin:
  add.s32 %r5, %r5, -1;
  setp.ne.b32 %p2, %r5, 0;
  @%p2 bra $spin;
$even:
  shfl.sync.bfly.b32 %r4, %r2, 16, 31, -1;
  add.s32 %r2, %r2, %r4;
  shfl.sync.bfly.b32 %r4, %r2, 8, 31, -1;
  add.s32 %r2, %r2, %r4;
  shfl.sync.bfly.b32 %r4, %r2, 4, 31, -1;
  add.s32 %r2, %r2, %r4;
  shfl.sync.bfly.b32 %r4, %r2, 2, 31, -1;
  add.s32 %r2, %r2, %r4;
  shfl.sync.bfly.b32 %r4, %r2, 1, 31, -1;
  add.s32 %r2, %r2, %r4;
)",
                           64);
  for (std::size_t i = 0; i < 64; ++i)
    CHECK(left[i] == (i < 32 ? 32 * 100 + 31 * 16 : 32 * 100 + 31 * 16 + 1024));
}

TEST_CASE("half a warp shuffles alone, and lanes that have ended are not waited for") {
  const Array left = lanes(R"(
  setp.ge.u32 %p1, %r0, 16;
  @%p1 ret;
  shfl.sync.bfly.b32 %r2, %r1, 8, 31, 65535;
  shfl.sync.down.b32 %r3, %r1, 8, 7, -1;
)");
  CHECK(left[0] == (108 | std::uint64_t{100} << 32));
  CHECK(left[15] == (107 | std::uint64_t{115} << 32));
  CHECK(left[16] == 0);
}

TEST_CASE("votes, reductions and masks") {
  const Array left = lanes(R"(
  setp.lt.u32 %p1, %r0, 5;
  vote.sync.ballot.b32 %r2, %p1, -1;
  vote.sync.any.pred %p2, %p1, -1;
  vote.sync.all.pred %p3, %p1, -1;
  vote.sync.uni.pred %p4, %p1, -1;
  selp.b32 %r4, 1, 0, %p2;
  selp.b32 %r5, 2, 0, %p3;
  selp.b32 %r6, 4, 0, %p4;
  or.b32 %r3, %r4, %r5;
  or.b32 %r3, %r3, %r6;
  redux.sync.max.u32 %r7, %r1, -1;
  redux.sync.add.s32 %r8, %r1, -1;
  mad.lo.s32 %r3, %r7, 10, %r3;
  mad.lo.s32 %r3, %r8, 10000, %r3;
)");
  // Any, not all, not uniform; 131 at most; 3,696 together.
  for (const std::uint64_t value : left)
    CHECK(value == (31 | std::uint64_t{3696 * 10000 + 131 * 10 + 1} << 32));
  const Array active = lanes(R"(
  setp.lt.u32 %p1, %r0, 5;
  @%p1 bra $low;
  activemask.b32 %r2;
  bra $both;
$low:
  activemask.b32 %r2;
$both:
  bar.warp.sync -1;
  activemask.b32 %r3;
)");
  for (std::size_t i = 0; i < 32; ++i)
    CHECK(active[i] == (0xFFFFFFFF00000000 | (i < 5 ? 0x1F : 0xFFFFFFE0)));
}

TEST_CASE("shared memory goes from warp to warp at a barrier") {
  const std::string text = module_of(R"(
.visible .entry k(.param .u64 p)
{
  .reg .b32 %r<9>;
  .reg .b64 %rd<9>;
  // demoted variable
  .shared .align 4 .b8 values[512];
  ld.param.b64 %rd1, [p];
  mov.u32 %r1, %tid.x;
  mov.u32 %r4, %ctaid.x;
  mul.wide.u32 %rd2, %r1, 4;
  mov.b64 %rd3, values;
  add.s64 %rd4, %rd3, %rd2;
  mad.lo.s32 %r5, %r4, 1000, %r1;
  st.shared.b32 [%rd4], %r5;
  bar.sync 0;
  xor.b32 %r2, %r1, 127;
  mul.wide.u32 %rd5, %r2, 4;
  add.s64 %rd6, %rd3, %rd5;
  ld.shared.b32 %r3, [%rd6];
  barrier.sync 1;
  mad.lo.s32 %r6, %r4, 128, %r1;
  mul.wide.u32 %rd7, %r6, 8;
  add.s64 %rd7, %rd1, %rd7;
  cvt.u64.u32 %rd8, %r3;
  st.global.b64 [%rd7], %rd8;
  ret;
}
)");
  const Array left = run_kernel(text, Array(256), {128}, {2});
  for (std::size_t i = 0; i < 256; ++i) CHECK(left[i] == i / 128 * 1000 + 127 - i % 128);
}

TEST_CASE("a thread that waits in a loop for another warp gives it its turn") {
  CHECK(run_kernel(kernel_of(R"(
  setp.ne.b32 %p1, %r0, 0;
  @%p1 bra $set;
$wait:
  ld.volatile.global.b64 %rd2, [%rd1];
  setp.ne.b64 %p2, %rd2, 40;
  @%p2 bra $wait;
  ret;
$set:
  setp.eq.b32 %p3, %r0, 40;
  @%p3 st.volatile.global.b64 [%rd1], 40;
  ret;
)"),
                   {0}, {64}) == Array{40});
}

TEST_CASE("what waits for ever is a fault that says who waits for whom") {
  const auto fault = [](const std::string& body, std::uint32_t threads = 32) {
    return fault_of(with_lanes("setp.lt.u32 %p1, %r0, 3;\n" + body), {threads}, threads);
  };
  CHECK_THAT(fault("@%p1 bar.sync 0;"),
             Contains("thread (0, 0, 0): waits for ever: thread 3 of its block has ended") &&
                 Contains("PTX line 18: @%p1 bar.sync 0;"));
  CHECK_THAT(fault("@%p1 bra $a;\nbar.sync 0;\nbra $b;\n$a: bar.sync 0;\n$b:"),
             Contains("divergent barrier: the first lane of its warp is at line 21"));
  CHECK(fault("@%p1 bra $a;\nbarrier.sync 0;\nbra $b;\n$a: barrier.sync 0;\n$b:") == "no fault");
  CHECK_THAT(fault("@%p1 bra $a;\nbarrier.sync 0;\nbra $b;\n$a: barrier.sync 1;\n$b:"),
             Contains("waits for ever: thread 3 of its block waits at line 19"));
  CHECK_THAT(fault("mov.b32 %r4, 16;\nbar.sync %r4;"), Contains("barrier 16"));
  CHECK_THAT(fault("@%p1 bar.warp.sync -1;"),
             Contains("waits for ever: thread 3 of its block has ended"));
  CHECK(fault("@%p1 bar.warp.sync 7;") == "no fault");
  CHECK_THAT(fault("@%p1 shfl.sync.idx.b32 %r2, %r1, 5, 31, -1;"),
             Contains("reads from lane 5, which takes no part"));
  CHECK_THAT(fault("shfl.sync.idx.b32 %r2, %r1, 0, 31, 7;"),
             Contains("takes part in what its own mask excludes it from"));
  CHECK_THAT(fault("@%p1 bra $a;\nshfl.sync.idx.b32 %r2, %r1, 5, 31, -1;\nbra $b;\n"
                   "$a: shfl.sync.up.b32 %r2, %r1, 5, 31, -1;\n$b:"),
             Contains("which is at another one"));
  CHECK_THAT(fault("shfl.sync.down.b32 %r2, %r1, 4, 31, -1;", 40),
             Contains("thread (36, 0, 0): reads from lane 8, which takes no part"));
}

}  // namespace talweg::gpu::ptx::tests
