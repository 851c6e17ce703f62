// Shuffles, votes, matches and reductions within warps, against what the PTX ISA says of them.
#include <array>
#include <catch2/catch.hpp>
#include <functional>

#include "tests/gpu/simulator/simulate_text.h"

namespace talweg::gpu {

namespace {

using Lanes = std::array<std::uint32_t, 32>;

/// One warp computes %r from %t, %a (its own element of an array) and %b; 64 bits of it are stored.
std::string warp_kernel(const std::string& body, const std::string& declarations) {
  return declarations + R"(
define ptx_kernel void @k(ptr %in, ptr %out, i64 %wide_b) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %from = getelementptr i32, ptr %in, i32 %t
  %a = load i32, ptr %from, align 4
  %b = trunc i64 %wide_b to i32
)" + body +
         R"(
  %to = getelementptr i64, ptr %out, i32 %t
  store i64 %r, ptr %to, align 8
  ret void
}
)";
}

std::vector<std::uint64_t> run_warp(const std::string& text, const Lanes& in, std::uint64_t b,
                                    std::uint64_t seed = 0) {
  DeviceMemory memory;
  const DeviceArray<std::uint32_t> given(memory, {in.begin(), in.end()});
  const DeviceArray<std::uint64_t> out(memory, std::vector<std::uint64_t>(32));
  simulate(text, memory, {.order_seed = seed})
      ->launch("k", {1}, {32}, std::vector<std::uint64_t>{given.address(), out.address(), b});
  return out.values();
}

Lanes squares() {
  Lanes lanes;
  for (std::uint32_t i = 0; i < 32; ++i) lanes[i] = 1000 + i * i;
  return lanes;
}

/// The value and, in bit 32, whether the source lane was in range.
std::string shuffle_kernel(const std::string& mode, std::uint32_t clamp) {
  const std::string name = "@llvm.nvvm.shfl.sync." + mode + ".i32p";
  return warp_kernel(
      "%s = call {i32, i1} " + name + "(i32 -1, i32 %a, i32 %b, i32 " + std::to_string(clamp) + R"()
  %v = extractvalue {i32, i1} %s, 0
  %p = extractvalue {i32, i1} %s, 1
  %wide_v = zext i32 %v to i64
  %wide_p = zext i1 %p to i64
  %high = shl i64 %wide_p, 32
  %r = or i64 %high, %wide_v)",
      "declare {i32, i1} " + name + "(i32, i32, i32, i32)");
}

/// Source lanes for segments of `width` lanes, as CUDA's documentation tells it; -1: out of range.
int source_lane(const std::string& mode, int lane, int b, int width) {
  const int first = lane / width * width;
  int source = 0;
  if (mode == "up") source = lane - b;
  if (mode == "down") source = lane + b;
  if (mode == "idx") source = first + b % width;
  if (mode == "bfly") return (lane ^ b) >= first + width ? -1 : lane ^ b;
  return source < first || source >= first + width ? -1 : source;
}

std::uint32_t clamp_of(const std::string& mode, std::uint32_t width) {
  return ((32 - width) << 8u) | (mode == "up" ? 0 : 31);
}

/// A kernel whose %r is a call of an intrinsic with a result of 32 bits.
std::string call_kernel(const std::string& call, const std::string& declaration,
                        const std::string& before = {}) {
  return warp_kernel(before + "\n  %v = call i32 " + call + "\n  %r = zext i32 %v to i64",
                     "declare i32 " + declaration);
}

}  // namespace

TEST_CASE("shuffles of every mode and width") {
  const Lanes in = squares();
  for (const std::string mode : {"up", "down", "bfly", "idx"}) {
    for (const int width : {32, 16, 8, 4, 2, 1}) {
      const std::string text =
          shuffle_kernel(mode, clamp_of(mode, static_cast<std::uint32_t>(width)));
      for (const int b : {0, 1, 2, 5, 16, 31}) {
        const auto out = run_warp(text, in, static_cast<std::uint64_t>(b));
        for (int lane = 0; lane < 32; ++lane) {
          CAPTURE(mode, width, b, lane);
          const int source = source_lane(mode, lane, b, width);
          CHECK(out[static_cast<std::size_t>(lane)] ==
                (source < 0 ? in[static_cast<std::size_t>(lane)]
                            : (std::uint64_t{1} << 32u) + in[static_cast<std::size_t>(source)]));
        }
      }
    }
  }
}

TEST_CASE("a shuffle's clamp within a warp") {
  // c = 20 without segments: lanes above 20 are out of range.
  const auto out = run_warp(shuffle_kernel("down", 20), squares(), 3);
  CHECK(out[17] == (std::uint64_t{1} << 32u) + squares()[20]);
  CHECK(out[18] == squares()[18]);
  // Only the low five bits of the operand count.
  CHECK(run_warp(shuffle_kernel("down", 31), squares(), 33)[0] ==
        (std::uint64_t{1} << 32u) + squares()[1]);
}

TEST_CASE("a warp sums doubles, halves at a time") {
  const std::string text =
      warp_kernel(R"(
  %x0 = uitofp i32 %a to double
  %half = fmul double %x0, 0.5
  br label %loop
loop:
  %x = phi double [ %half, %0 ], [ %sum, %loop ]
  %width = phi i32 [ 16, %0 ], [ %next, %loop ]
  %bits = bitcast double %x to i64
  %low = trunc i64 %bits to i32
  %up = lshr i64 %bits, 32
  %high = trunc i64 %up to i32
  %l = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %low, i32 %width, i32 31)
  %h = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %high, i32 %width, i32 31)
  %wide_l = zext i32 %l to i64
  %wide_h = zext i32 %h to i64
  %shifted = shl i64 %wide_h, 32
  %other_bits = or i64 %shifted, %wide_l
  %other = bitcast i64 %other_bits to double
  %sum = fadd double %x, %other
  %next = lshr i32 %width, 1
  %more = icmp ne i32 %next, 0
  br i1 %more, label %loop, label %end
end:
  %r = bitcast double %sum to i64)",
                  "declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)");
  double sum = 0;
  for (const std::uint32_t value : squares()) sum += value * 0.5;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const std::uint64_t bits : run_warp(text, squares(), 0, seed)) {
      double value = 0;
      std::memcpy(&value, &bits, 8);
      CHECK(value == sum);
    }
}

TEST_CASE("shuffles of a part of a warp, floats, and lanes that have ended") {
  // Even lanes end; odd lanes shuffle among themselves, and need not wait for the others.
  const std::string text = R"(
declare float @llvm.nvvm.shfl.sync.idx.f32(i32, float, i32, i32)
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %odd = trunc i32 %t to i1
  br i1 %odd, label %go, label %end
go:
  %x = uitofp i32 %t to float
  %r = call float @llvm.nvvm.shfl.sync.idx.f32(i32 -1, float %x, i32 7, i32 31)
  %s = call float @llvm.nvvm.shfl.sync.idx.f32(i32 u0xAAAAAAAA, float %x, i32 9, i32 31)
  %to = getelementptr float, ptr %out, i32 %t
  %sum = fadd float %r, %s
  store float %sum, ptr %to, align 4
  br label %end
end:
  ret void
}
)";
  for (const std::uint64_t seed : {0, 1, 2}) {
    DeviceMemory memory;
    const DeviceArray<float> out(memory, std::vector<float>(32));
    simulate(text, memory, {.order_seed = seed})
        ->launch("k", {1}, {32}, std::vector{out.address()});
    for (std::size_t i = 0; i < 32; ++i) CHECK(out.values()[i] == (i % 2 == 0 ? 0.0f : 16.0f));
  }
}

TEST_CASE("a shuffle from a lane that takes no part") {
  const std::string text = R"(
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %odd = trunc i32 %t to i1
  br i1 %odd, label %end, label %go
go:
  %r = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 u0x55555555, i32 %t, i32 1, i32 31)
  %to = getelementptr i32, ptr %out, i32 %t
  store i32 %r, ptr %to, align 4
  br label %end
end:
  ret void
}
)";
  DeviceMemory memory;
  const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(32, 100));
  simulate(text, memory)->launch("k", {1}, {32}, std::vector{out.address()});
  for (std::size_t i = 0; i < 32; ++i)
    CHECK((i % 2 == 0 ? out.values()[i] > 100 : out.values()[i] == 100));
}

TEST_CASE("votes") {
  const std::string below = "%p = icmp ult i32 %t, %b";
  const auto vote = [&](const std::string& mode, std::uint64_t b) {
    if (mode == "ballot")
      return run_warp(call_kernel("@llvm.nvvm.vote.ballot.sync(i32 -1, i1 %p)",
                                  "@llvm.nvvm.vote.ballot.sync(i32, i1)", below),
                      squares(), b)[5];
    const std::string name = "@llvm.nvvm.vote." + mode + ".sync";
    return run_warp(warp_kernel(below + "\n  %v = call i1 " + name +
                                    "(i32 -1, i1 %p)\n  %r = zext i1 %v to i64",
                                "declare i1 " + name + "(i32, i1)"),
                    squares(), b)[5];
  };
  CHECK(vote("ballot", 0) == 0);
  CHECK(vote("ballot", 9) == 0x1ff);
  CHECK(vote("ballot", 32) == 0xffffffff);
  CHECK(std::vector{vote("all", 0), vote("all", 9), vote("all", 32)} ==
        std::vector<std::uint64_t>{0, 0, 1});
  CHECK(std::vector{vote("any", 0), vote("any", 9), vote("any", 32)} ==
        std::vector<std::uint64_t>{0, 1, 1});
  CHECK(std::vector{vote("uni", 0), vote("uni", 9), vote("uni", 32)} ==
        std::vector<std::uint64_t>{1, 0, 1});
}

TEST_CASE("matches") {
  Lanes in{};
  for (std::uint32_t i = 0; i < 32; ++i) in[i] = i % 3;
  const auto any = run_warp(call_kernel("@llvm.nvvm.match.any.sync.i32(i32 -1, i32 %a)",
                                        "@llvm.nvvm.match.any.sync.i32(i32, i32)"),
                            in, 0);
  for (std::size_t i = 0; i < 32; ++i) CHECK(any[i] == (0x49249249u << (i % 3)));
  const std::string all = warp_kernel(
      "%s = call {i32, i1} @llvm.nvvm.match.all.sync.i32p(i32 -1, i32 %a)\n"
      "  %v = extractvalue {i32, i1} %s, 0\n  %p = extractvalue {i32, i1} %s, 1\n"
      "  %w = zext i1 %p to i64\n  %h = shl i64 %w, 32\n  %l = zext i32 %v to i64\n"
      "  %r = or i64 %h, %l",
      "declare {i32, i1} @llvm.nvvm.match.all.sync.i32p(i32, i32)");
  CHECK(run_warp(all, in, 0)[4] == 0);
  in.fill(8);
  CHECK(run_warp(all, in, 0)[4] == 0x1ffffffff);
}

TEST_CASE("reductions of a warp") {
  Lanes in = squares();
  in[3] = 0xfffffff0;
  const auto reduce = [&](const std::string& kind) {
    const std::string name = "@llvm.nvvm.redux.sync." + kind;
    return static_cast<std::uint32_t>(
        run_warp(call_kernel(name + "(i32 %a, i32 -1)", name + "(i32, i32)"), in, 0)[11]);
  };
  const auto fold = [&](const auto& operation) {
    std::uint32_t result = in[0];
    for (std::size_t i = 1; i < 32; ++i) result = operation(result, in[i]);
    return result;
  };
  CHECK(reduce("add") == fold(std::plus<>()));
  CHECK(reduce("and") == fold(std::bit_and<>()));
  CHECK(reduce("or") == fold(std::bit_or<>()));
  CHECK(reduce("xor") == fold(std::bit_xor<>()));
  CHECK(reduce("umin") == 1000);
  CHECK(reduce("umax") == 0xfffffff0);
  CHECK(reduce("min") == 0xfffffff0);
  CHECK(reduce("max") == 1000 + 31 * 31);
}

}  // namespace talweg::gpu
