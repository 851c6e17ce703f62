// Kernels that are right do what they say, in whatever order threads run.
#include <catch2/catch.hpp>
#include <numeric>

#include "tests/gpu/simulator/simulate_text.h"

namespace talweg::gpu {

namespace {

constexpr std::uint64_t kSeeds[] = {0, 1, 2};

const std::string kPlaces = R"(
define ptx_kernel void @k(ptr addrspace(1) %out) {
  %tx = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %ty = call i32 @llvm.nvvm.read.ptx.sreg.tid.y()
  %tz = call i32 @llvm.nvvm.read.ptx.sreg.tid.z()
  %nx = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %ny = call i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
  %nz = call i32 @llvm.nvvm.read.ptx.sreg.ntid.z()
  %bx = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %by = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.y()
  %bz = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.z()
  %gx = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %gy = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.y()
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.warpsize()
  %t0 = mul i32 %tz, %ny
  %t1 = add i32 %t0, %ty
  %t2 = mul i32 %t1, %nx
  %t = add i32 %t2, %tx
  %b0 = mul i32 %bz, %gy
  %b1 = add i32 %b0, %by
  %b2 = mul i32 %b1, %gx
  %b = add i32 %b2, %bx
  %n0 = mul i32 %nx, %ny
  %n = mul i32 %n0, %nz
  %i0 = mul i32 %b, %n
  %i = add i32 %i0, %t
  %l0 = mul i32 %i, 100
  %l1 = add i32 %l0, %lane
  %value = add i32 %l1, %size
  %place = getelementptr i32, ptr addrspace(1) %out, i32 %i
  store i32 %value, ptr addrspace(1) %place, align 4
  ret void
}
)";

/// Each block adds 128 numbers in shared memory; a thread of each adds them to a total atomically.
const std::string kSum = R"(
declare void @llvm.nvvm.membar.gl()
@part = internal addrspace(3) global [128 x double] undef, align 8
define ptx_kernel void @k(ptr %in, ptr %total) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %first = mul i32 %b, 128
  %i = add i32 %first, %t
  %from = getelementptr double, ptr %in, i32 %i
  %x = load double, ptr %from, align 8
  %mine = getelementptr double, ptr addrspace(3) @part, i32 %t
  store double %x, ptr addrspace(3) %mine, align 8
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %fold
fold:
  %width = phi i32 [ 64, %entry ], [ %half, %next ]
  %adds = icmp ult i32 %t, %width
  br i1 %adds, label %add, label %next
add:
  %j = add i32 %t, %width
  %other = getelementptr double, ptr addrspace(3) @part, i32 %j
  %y = load double, ptr addrspace(3) %other, align 8
  %z = load double, ptr addrspace(3) %mine, align 8
  %s = fadd double %z, %y
  store double %s, ptr addrspace(3) %mine, align 8
  br label %next
next:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %half = lshr i32 %width, 1
  %more = icmp ne i32 %half, 0
  br i1 %more, label %fold, label %end
end:
  %is_first = icmp eq i32 %t, 0
  br i1 %is_first, label %give, label %done
give:
  %sum = load double, ptr addrspace(3) @part, align 8
  fence syncscope("device") release
  call void @llvm.nvvm.membar.gl()
  %old = atomicrmw fadd ptr %total, double %sum syncscope("device") monotonic, align 8
  br label %done
done:
  ret void
}
)";

const std::string kStride = R"(
define ptx_kernel void @k(ptr noalias readonly %x, ptr noalias %y, i64 %n) {
entry:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %blocks = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %first = mul i32 %b, %size
  %i0 = add i32 %first, %t
  %start = zext i32 %i0 to i64
  %stride0 = mul i32 %size, %blocks
  %stride = zext i32 %stride0 to i64
  %any = icmp ult i64 %start, %n
  br i1 %any, label %loop, label %end
loop:
  %i = phi i64 [ %start, %entry ], [ %next, %loop ]
  %px = getelementptr <4 x float>, ptr %x, i64 %i
  %py = getelementptr <4 x float>, ptr %y, i64 %i
  %a = load <4 x float>, ptr %px, align 16
  %c = load <4 x float>, ptr %py, align 16
  %r = call <4 x float> @llvm.fma.v4f32(<4 x float> %a, <4 x float> %a, <4 x float> %c)
  store <4 x float> %r, ptr %py, align 16
  %next = add i64 %i, %stride
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}
declare <4 x float> @llvm.fma.v4f32(<4 x float>, <4 x float>, <4 x float>)
)";

/// Threads of the first half of a block meet at a barrier of their own, and hand numbers on.
const std::string kHalf = R"(
@part = internal addrspace(3) global [128 x i32] undef, align 4
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %is_low = icmp ult i32 %t, 64
  br i1 %is_low, label %low, label %end
low:
  %mine = getelementptr i32, ptr addrspace(3) @part, i32 %t
  store i32 %t, ptr addrspace(3) %mine, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 3, i32 64)
  %j = sub i32 63, %t
  %other = getelementptr i32, ptr addrspace(3) @part, i32 %j
  %x = load i32, ptr addrspace(3) %other, align 4
  %to = getelementptr i32, ptr %out, i32 %t
  store i32 %x, ptr %to, align 4
  br label %end
end:
  ret void
}
)";

/// Lanes hand numbers on in shared memory, with a barrier of the warp between.
const std::string kWarp = R"(
@part = internal addrspace(3) global [64 x i32] undef, align 4
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %mine = getelementptr i32, ptr addrspace(3) @part, i32 %t
  store i32 %t, ptr addrspace(3) %mine, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %j = xor i32 %t, 5
  %other = getelementptr i32, ptr addrspace(3) @part, i32 %j
  %x = load i32, ptr addrspace(3) %other, align 4
  %to = getelementptr i32, ptr %out, i32 %t
  store i32 %x, ptr %to, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  store i32 0, ptr addrspace(3) %mine, align 4
  ret void
}
)";

/// A table of constants, a counter that stays from launch to launch, a copy, and a local array.
const std::string kVariables = R"(
@table = internal addrspace(4) constant [4 x i64] [i64 7, i64 11, i64 13, i64 17], align 8
@counter = internal addrspace(1) global i32 40, align 4
define internal i64 @lookup(i64 %i) {
  %place = getelementptr [4 x i64], ptr addrspace(4) @table, i64 0, i64 %i
  %x = load i64, ptr addrspace(4) %place, align 8
  ret i64 %x
}
define ptx_kernel void @k(ptr %out, i64 %i) {
  %local = alloca [4 x i64], align 8
  %x = call i64 @lookup(i64 %i)
  call void @llvm.memcpy.p0.p4.i64(ptr align 8 %local, ptr addrspace(4) align 8 @table, i64 32, i1 false)
  %j = xor i64 %i, 3
  %place = getelementptr i64, ptr %local, i64 %j
  %y = load i64, ptr %place, align 8
  %old = atomicrmw add ptr addrspace(1) @counter, i32 1 monotonic, align 4
  %wide = zext i32 %old to i64
  %p = mul i64 %x, %y
  %q = mul i64 %p, 1000
  %r = add i64 %q, %wide
  store i64 %r, ptr %out, align 8
  ret void
}
declare void @llvm.memcpy.p0.p4.i64(ptr, ptr addrspace(4), i64, i1)
)";

/// A function changes its own copy of what it is given.
const std::string kByValue = R"(
define internal i64 @change(ptr byval([2 x i64]) align 8 %pair) {
  %second = getelementptr i64, ptr %pair, i64 1
  %x = load i64, ptr %second, align 8
  store i64 0, ptr %second, align 8
  ret i64 %x
}
define ptx_kernel void @k(ptr %out) {
  %pair = alloca [2 x i64], align 8
  %second = getelementptr i64, ptr %pair, i64 1
  store i64 5, ptr %second, align 8
  %a = call i64 @change(ptr byval([2 x i64]) align 8 %pair)
  %b = call i64 @change(ptr byval([2 x i64]) align 8 %pair)
  %sum = add i64 %a, %b
  store i64 %sum, ptr %out, align 8
  ret void
}
)";

}  // namespace

TEST_CASE("threads know their places") {
  for (const std::uint64_t seed : kSeeds) {
    DeviceMemory memory;
    const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(2 * 3 * 2 * 40));
    const auto simulator = simulate(kPlaces, memory, {.order_seed = seed});
    CHECK(simulator->kernels() == std::vector<std::string>{"k"});
    simulator->launch("k", {2, 3, 2}, {5, 2, 4}, std::vector{out.address()});
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < 480; ++i) expected.push_back(i * 100 + i % 40 % 32 + 32);
    CHECK(out.values() == expected);
  }
}

TEST_CASE("a sum over shared memory") {
  for (const std::uint64_t seed : kSeeds) {
    DeviceMemory memory;
    std::vector<double> numbers(128 * 5);
    std::iota(numbers.begin(), numbers.end(), 1.0);
    const DeviceArray<double> in(memory, numbers), total(memory, {0.5});
    simulate(kSum, memory, {.order_seed = seed})
        ->launch("k", {5}, {128}, std::vector{in.address(), total.address()});
    CHECK(total.values()[0] == 640.0 * 641 / 2 + 0.5);
  }
}

TEST_CASE("a loop over a grid") {
  DeviceMemory memory;
  std::vector<float> x(4 * 1003), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = 1.0f + static_cast<float>(i) * 0x1p-22f;
    y[i] = -1.0f / static_cast<float>(i + 1);
  }
  const DeviceArray<float> dx(memory, x), dy(memory, y);
  const auto simulator = simulate(kStride, memory);
  simulator->launch("k", {3}, {64}, std::vector<std::uint64_t>{dx.address(), dy.address(), 1003});
  simulator->launch("k", {7}, {32}, std::vector<std::uint64_t>{dx.address(), dy.address(), 500});
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = std::fma(x[i], x[i], y[i]);
    if (i < 2000) y[i] = std::fma(x[i], x[i], y[i]);
  }
  CHECK(dy.values() == y);
}

TEST_CASE("barriers of some of a block's threads") {
  for (const std::uint64_t seed : kSeeds) {
    DeviceMemory memory;
    const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(64));
    simulate(kHalf, memory, {.order_seed = seed})
        ->launch("k", {1}, {128}, std::vector{out.address()});
    std::vector<std::uint32_t> expected(64);
    std::iota(expected.rbegin(), expected.rend(), 0u);
    CHECK(out.values() == expected);
  }
}

TEST_CASE("barriers of a warp order memory") {
  for (const std::uint64_t seed : kSeeds) {
    DeviceMemory memory;
    const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(64));
    simulate(kWarp, memory, {.order_seed = seed})
        ->launch("k", {1}, {64}, std::vector{out.address()});
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < 64; ++i) expected.push_back(i ^ 5u);
    CHECK(out.values() == expected);
  }
}

TEST_CASE("variables of a module") {
  DeviceMemory memory;
  const DeviceArray<std::uint64_t> out(memory, {0});
  const auto simulator = simulate(kVariables, memory);
  simulator->launch("k", {1}, {1}, std::vector<std::uint64_t>{out.address(), 1});
  CHECK(out.values()[0] == 11 * 13 * 1000 + 40);
  simulator->launch("k", {1}, {1}, std::vector<std::uint64_t>{out.address(), 3});
  CHECK(out.values()[0] == 17 * 7 * 1000 + 41);
}

TEST_CASE("parameters by value") {
  DeviceMemory memory;
  const DeviceArray<std::uint64_t> out(memory, {0});
  simulate(kByValue, memory)->launch("k", {1}, {1}, std::vector{out.address()});
  CHECK(out.values()[0] == 10);
}

}  // namespace talweg::gpu
