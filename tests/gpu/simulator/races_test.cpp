// Conflicting accesses that nothing orders are found, those that something orders are not.
#include <catch2/catch.hpp>

#include "tests/gpu/simulator/simulate_text.h"

namespace talweg::gpu {

namespace {

using Catch::Contains;

constexpr const char* kPart = "@part = internal addrspace(3) global [64 x float] undef, align 4\n";
constexpr const char* kBarrier = "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)";
constexpr const char* kWarpBarrier = "call void @llvm.nvvm.bar.warp.sync(i32 -1)";

/// Every thread writes its own element of shared memory, then, after `between`, reads the one whose
/// number differs in the bits of `other`.
std::string exchange(const std::string& between, int other) {
  return std::string(kPart) + R"(
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %mine = getelementptr float, ptr addrspace(3) @part, i32 %t
  store float 1.0, ptr addrspace(3) %mine, align 4
  )" + between +
         R"(
  %j = xor i32 %t, )" +
         std::to_string(other) + R"(
  %theirs = getelementptr float, ptr addrspace(3) @part, i32 %j
  %v = load float, ptr addrspace(3) %theirs, align 4
  ret void
}
)";
}

/// Thread i of all does `body` with %p, the place of `type` number %e in an array of 256 bytes.
std::string global(const std::string& index, const std::string& type, const std::string& body) {
  return R"(
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %n = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %f = mul i32 %b, %n
  %i = add i32 %f, %t
  %is_first = icmp eq i32 %i, 0
  %e = )" +
         index + "\n  %p = getelementptr " + type + ", ptr %out, i32 %e\n" + body + R"(
  br label %end
end:
  ret void
}
)";
}

std::string fault_in(const std::string& text, Dim grid, Dim block, SimulatorOptions options = {}) {
  DeviceMemory memory;
  const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(64));
  return fault_of(text, memory, grid, block, {out.address()}, options);
}

constexpr const char* kSame = "and i32 %i, 0";
constexpr const char* kHalf = "lshr i32 %i, 1";
constexpr const char* kOwn = "add i32 %i, 0";

constexpr const char* kStore = "store i32 7, ptr %p, align 4";
constexpr const char* kLoad = "%v = load i32, ptr %p, align 4";
constexpr const char* kAtomic = "%old = atomicrmw add ptr %p, i32 1 monotonic, align 4";

/// The first thread of all does one thing, the others another.
std::string one_and_others(const std::string& one, const std::string& others) {
  return global(kSame, "i32",
                "br i1 %is_first, label %one, label %others\none:\n  " + one +
                    "\n  br label %end\nothers:\n  " + others);
}

}  // namespace

TEST_CASE("shared memory without a barrier") {
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    CHECK(fault_in(exchange(kBarrier, 33), {2}, {64}, {.order_seed = seed}).empty());
    CHECK(fault_in(exchange(kWarpBarrier, 17), {1}, {64}, {.order_seed = seed}).empty());
    CHECK(fault_in(exchange("", 0), {2}, {64}, {.order_seed = seed}).empty());
    CHECK_THAT(fault_in(exchange("", 1), {1}, {64}, {.order_seed = seed}),
               Contains("a race with what block (0, 0, 0), thread ("));
    // A barrier of a warp orders no other warp.
    CHECK_THAT(fault_in(exchange(kWarpBarrier, 33), {1}, {64}, {.order_seed = seed}),
               Contains("a race with"));
    // A shuffle waits, but orders no memory.
    CHECK_THAT(fault_in(exchange("%s = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 1, i32 0, "
                                 "i32 31)",
                                 1),
                        {1}, {64}, {.order_seed = seed}),
               Contains("a race with"));
  }
  const std::string text = fault_in(exchange("", 1), {1}, {64});
  CHECK_THAT(text, Contains("kernel k, block (0, 0, 0), thread (1, 0, 0) writes 4 bytes at"));
  CHECK_THAT(text,
             Contains("thread (0, 0, 0) did (in k: %v = load float, ptr addrspace(3) %theirs, "
                      "align 4); in k: store float 1.0"));
  CHECK(fault_in(exchange("", 1), {1}, {64}, {.check_races = false}).empty());
}

TEST_CASE("a write after others have read") {
  const auto text = [](const char* between) {
    return std::string(kPart) + R"(
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %v = load float, ptr addrspace(3) @part, align 4
  )" + between +
           R"(
  %is_last = icmp eq i32 %t, 31
  br i1 %is_last, label %write, label %end
write:
  store float 1.0, ptr addrspace(3) @part, align 4
  br label %end
end:
  ret void
}
)";
  };
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    CHECK(fault_in(text(kBarrier), {2}, {64}, {.order_seed = seed}).empty());
    CHECK(fault_in(text(kWarpBarrier), {2}, {32}, {.order_seed = seed}).empty());
    CHECK_THAT(fault_in(text(kWarpBarrier), {1}, {64}, {.order_seed = seed}), Contains("a race"));
    CHECK_THAT(fault_in(text(""), {1}, {32}, {.order_seed = seed}), Contains("a race"));
  }
}

TEST_CASE("order goes on from barrier to barrier") {
  // Warp 0 and 1 meet, then 1 and 2: what 0 wrote, 2 may read.
  const auto text = [](const char* second) {
    return std::string(kPart) + R"(
define ptx_kernel void @k(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %w = lshr i32 %t, 5
  switch i32 %w, label %two [ i32 0, label %zero
                              i32 1, label %one ]
zero:
  %p = getelementptr float, ptr addrspace(3) @part, i32 %t
  store float 1.0, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 64)
  br label %end
one:
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 64)
  )" + std::string(second) +
           R"(
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 2, i32 64)
  br label %end
two:
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 2, i32 64)
  %j = sub i32 %t, 64
  %q = getelementptr float, ptr addrspace(3) @part, i32 %j
  %v = load float, ptr addrspace(3) %q, align 4
  br label %end
end:
  ret void
}
)";
  };
  for (const std::uint64_t seed : {0, 1, 2, 3})
    CHECK(fault_in(text(""), {2}, {96}, {.order_seed = seed}).empty());
  // Without the first meeting nothing orders the two.
  std::string unordered = text("");
  const std::string first = "call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 64)";
  for (int i = 0; i < 2; ++i) unordered.erase(unordered.find(first), first.size());
  for (const std::uint64_t seed : {0, 1, 2, 3})
    CHECK_THAT(fault_in(unordered, {1}, {96}, {.order_seed = seed}), Contains("a race"));
}

TEST_CASE("global memory between blocks and within one") {
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    const SimulatorOptions options{.order_seed = seed};
    CHECK(fault_in(global(kOwn, "i32", kStore), {2}, {32}, options).empty());
    CHECK(fault_in(global(kSame, "i32", kLoad), {2}, {32}, options).empty());
    CHECK(fault_in(global(kSame, "i32", kAtomic), {2}, {32}, options).empty());
    // The same value, but a race.
    CHECK_THAT(fault_in(global(kSame, "i32", kStore), {2}, {1}, options),
               Contains("thread (0, 0, 0) writes 4 bytes") && Contains("a race with what block ("));
    CHECK_THAT(fault_in(global(kHalf, "i32", kStore), {1}, {2}, options), Contains("a race"));
    for (const Dim& grid : {Dim{1}, Dim{4}}) {
      const Dim block{4 / grid.x};
      CHECK_THAT(fault_in(one_and_others(kStore, kLoad), grid, block, options), Contains("a race"));
      CHECK_THAT(fault_in(one_and_others(kLoad, kStore), grid, block, options), Contains("a race"));
      CHECK_THAT(fault_in(one_and_others(kStore, kAtomic), grid, block, options),
                 Contains("a race"));
      CHECK_THAT(fault_in(one_and_others(kLoad, kAtomic), grid, block, options),
                 Contains("a race"));
      CHECK(fault_in(one_and_others("%u = load volatile i32, ptr %p, align 4", kAtomic), grid,
                     block, options)
                .empty());
    }
  }
}

TEST_CASE("a barrier orders global memory of its block only") {
  const auto text = [](const char* index) {
    return global(index, "i32",
                  std::string("br i1 %is_first, label %one, label %go\none:\n  ") + kStore +
                      "\n  br label %go\ngo:\n  " + kBarrier + "\n  " + kLoad);
  };
  CHECK(fault_in(text(kSame), {1}, {64}).empty());
  CHECK_THAT(fault_in(text(kSame), {2}, {32}),
             Contains("kernel k, block (1, 0, 0), thread (") && Contains(") reads 4 bytes at") &&
                 Contains("what block (0, 0, 0), thread (0, 0, 0) did"));
}

TEST_CASE("bytes of one word are apart") {
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    CHECK(
        fault_in(global(kOwn, "i8", "store i8 7, ptr %p, align 1"), {2}, {32}, {.order_seed = seed})
            .empty());
    CHECK(fault_in(global(kOwn, "i16", "store i16 7, ptr %p, align 2"), {2}, {32},
                   {.order_seed = seed})
              .empty());
    CHECK_THAT(fault_in(global(kHalf, "i16", "store i16 7, ptr %p, align 2"), {2}, {32},
                        {.order_seed = seed}),
               Contains("a race"));
    // Words first, then bytes of one of them.
    CHECK_THAT(fault_in(one_and_others(kStore,
                                       "%q = getelementptr i8, ptr %p, i32 %i\n"
                                       "  store i8 7, ptr %q, align 1"),
                        {1}, {4}, {.order_seed = seed}),
               Contains("a race"));
  }
}

TEST_CASE("launches come one after the other") {
  DeviceMemory memory;
  const DeviceArray<std::uint32_t> out(memory, std::vector<std::uint32_t>(64));
  const auto simulator = simulate(global(kOwn, "i32", kStore), memory);
  for (const Dim& block : {Dim{32}, Dim{16}, Dim{64}})
    simulator->launch("k", {64 / block.x}, block, std::vector{out.address()});
  CHECK(out.values() == std::vector<std::uint32_t>(64, 7));
  // Still found after that.
  CHECK_THROWS_WITH(simulator->launch("k", {1}, {65}, std::vector{out.address()}),
                    Contains("out of bounds"));
}

}  // namespace talweg::gpu
