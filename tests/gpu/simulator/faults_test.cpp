// What a device may do anything with stops a launch, with the place named. Each kernel has a
// planted fault; beside it stands one without, so that the fault is what is found.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/gpu/simulator/simulate_text.h"

namespace talweg::gpu {

namespace {

using Catch::Contains;

/// Thread t of block b does `body`, with %i = b * blockDim + t and arrays %x, %y, of floats.
std::string kernel(const std::string& body, const std::string& before = {}) {
  return before + R"(
define ptx_kernel void @k(ptr %x, ptr %y) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %n = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %f = mul i32 %b, %n
  %i = add i32 %f, %t
)" + body +
         R"(
  ret void
}
)";
}

/// On two arrays of 64 floats.
std::string fault_in(const std::string& text, Dim grid, Dim block, SimulatorOptions options = {}) {
  DeviceMemory memory;
  const std::vector<float> zeros(64);
  const DeviceArray<float> x(memory, zeros), y(memory, zeros);
  return fault_of(text, memory, grid, block, {x.address(), y.address()}, options);
}

std::string copy(const std::string& index) {
  return kernel("%px = getelementptr float, ptr %x, i32 " + index + R"(
  %v = load float, ptr %px, align 4
  %py = getelementptr float, ptr %y, i32 %i
  store float %v, ptr %py, align 4)");
}

constexpr const char* kPart = "@part = internal addrspace(3) global [32 x float] undef, align 4\n";

}  // namespace

TEST_CASE("accesses out of bounds") {
  const std::string right = copy("%i");
  CHECK(fault_in(right, {2}, {32}).empty());
  // One more thread than there are elements.
  const std::string read = fault_in(right, {5}, {13});
  CHECK_THAT(read, Contains("kernel k, block (4, 0, 0), thread (12, 0, 0) reads 4 bytes at"));
  CHECK_THAT(read, Contains("out of bounds; in k: %v = load float, ptr %px, align 4"));
  const std::string write = fault_in(kernel("%p = getelementptr float, ptr %y, i32 %i\n"
                                            "  store float 1.0, ptr %p, align 4"),
                                     {1}, {65});
  CHECK_THAT(write, Contains("thread (64, 0, 0) writes 4 bytes at"));
  CHECK_THAT(write, Contains("out of bounds; in k: store float 1.0"));
  CHECK_THAT(fault_in(copy("-1"), {1}, {1}), Contains("out of bounds"));
  CHECK_THAT(fault_in(kernel("store float 1.0, ptr null, align 4"), {1}, {1}),
             Contains("out of bounds"));
  // Freed memory.
  DeviceMemory memory;
  const DeviceArray<float> x(memory, std::vector<float>(64)), y(memory, std::vector<float>(64));
  const auto simulator = simulate(right, memory);
  const std::vector<std::uint64_t> arguments{x.address(), y.address()};
  simulator->launch("k", {1}, {64}, arguments);
  memory.free(x.data());
  CHECK_THROWS_WITH(simulator->launch("k", {1}, {64}, arguments), Contains("out of bounds"));
}

TEST_CASE("a vector over the end of its array") {
  const auto load = [](const char* index) {
    return kernel(std::string("%p = getelementptr float, ptr %x, i32 ") + index +
                  "\n  %v = load <4 x float>, ptr %p, align 4");
  };
  CHECK(fault_in(load("60"), {1}, {1}).empty());
  CHECK_THAT(fault_in(load("61"), {1}, {1}), Contains("reads 16 bytes at"));
}

TEST_CASE("shared memory and constants have bounds") {
  const auto shared = [](const char* index) {
    return kernel(std::string("%p = getelementptr float, ptr addrspace(3) @part, i32 ") + index +
                      "\n  store float 1.0, ptr addrspace(3) %p, align 4",
                  kPart);
  };
  CHECK(fault_in(shared("31"), {1}, {1}).empty());
  CHECK_THAT(fault_in(shared("32"), {1}, {1}), Contains("out of bounds"));
  CHECK_THAT(fault_in(shared("-1"), {1}, {1}), Contains("out of bounds"));
  const std::string table = "@c = internal addrspace(4) constant [2 x i64] [i64 1, i64 2]\n";
  const auto constant = [&](const char* index) {
    return kernel(std::string("%p = getelementptr i64, ptr addrspace(4) @c, i32 ") + index +
                      "\n  %v = load i64, ptr addrspace(4) %p, align 8",
                  table);
  };
  CHECK(fault_in(constant("1"), {1}, {1}).empty());
  CHECK_THAT(fault_in(constant("2"), {1}, {1}), Contains("out of bounds"));
  CHECK_THAT(fault_in(kernel("%g = addrspacecast ptr addrspace(4) @c to ptr\n"
                             "  store i64 3, ptr %g, align 8",
                             table),
                      {1}, {1}),
             Contains("which is constant"));
  CHECK_THAT(fault_in(kernel("%s = addrspacecast ptr %x to ptr addrspace(3)\n"
                             "  store float 3.0, ptr addrspace(3) %s, align 4"),
                      {1}, {1}),
             Contains("another state space"));
}

TEST_CASE("local memory belongs to its thread") {
  const auto local = [](const char* index) {
    return kernel(std::string("%a = alloca [8 x i32], align 4\n  %m = mul i32 %t, ") + index +
                  "\n  %p = getelementptr i32, ptr %a, i32 %m\n  store i32 1, ptr %p, align 4");
  };
  CHECK(fault_in(local("7"), {1}, {2}).empty());
  CHECK_THAT(fault_in(local("40000"), {1}, {2}), Contains("thread (1, 0, 0) writes 4 bytes"));
}

TEST_CASE("copies of ranges have bounds") {
  const auto copy_of = [](int bytes) {
    return kernel("call void @llvm.memcpy.p0.p0.i64(ptr align 4 %y, ptr align 4 %x, i64 " +
                      std::to_string(bytes) + ", i1 false)",
                  "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n");
  };
  CHECK(fault_in(copy_of(256), {1}, {1}).empty());
  CHECK_THAT(fault_in(copy_of(257), {1}, {1}), Contains("writes 257 bytes"));
}

TEST_CASE("misaligned accesses") {
  const auto load = [](const char* index) {
    return kernel(std::string("%p = getelementptr float, ptr %x, i32 ") + index +
                  "\n  %v = load <4 x float>, ptr %p, align 16");
  };
  CHECK(fault_in(load("8"), {1}, {1}).empty());
  CHECK_THAT(fault_in(load("9"), {1}, {1}), Contains("not a multiple of 16"));
  // A variable is aligned to what it says, and to no more.
  const auto shared = [](const char* alignment) {
    return kernel("store <2 x float> zeroinitializer, ptr addrspace(3) @part, align 8",
                  std::string("@part = internal addrspace(3) global [32 x float] undef, align ") +
                      alignment + "\n");
  };
  CHECK(fault_in(shared("8"), {1}, {1}).empty());
  CHECK_THAT(fault_in(shared("4"), {1}, {1}), Contains("not a multiple of 8"));
}

TEST_CASE("shared memory begins with poison in each block") {
  // What a block leaves there is not what the next one finds.
  const std::string text = kernel(R"(%p = getelementptr float, ptr addrspace(3) @part, i32 %t
  %v = load float, ptr addrspace(3) %p, align 4
  %py = getelementptr float, ptr %y, i32 %i
  store float %v, ptr %py, align 4
  store float 1.0, ptr addrspace(3) %p, align 4)",
                                  kPart);
  DeviceMemory memory;
  const DeviceArray<float> y(memory, std::vector<float>(64));
  simulate(text, memory)->launch("k", {2}, {32}, std::vector{y.address(), y.address()});
  for (const float value : y.values()) CHECK(std::isnan(value));
}

TEST_CASE("divergent barriers end") {
  const auto divergent = [](const char* other, const char* barrier) {
    return kernel(std::string("%low = icmp ult i32 %t, 40\n  br i1 %low, label %a, label %b1\na:\n"
                              "  call void @llvm.nvvm.") +
                  barrier + "\n  br label %end\nb1:\n  " + other + "\n  br label %end\nend:");
  };
  const std::string ended = fault_in(divergent("", "barrier.cta.sync.all(i32 0)"), {1}, {64});
  CHECK_THAT(ended, Contains("waits for threads that do not come (40 of 64 wait here, 24 have "
                             "ended); in k: call void @llvm.nvvm.barrier.cta.sync.all(i32 0)"));
  CHECK_THAT(ended, Contains("thread (40, 0, 0) has ended"));
  const char* const same = "call void @llvm.nvvm.barrier.cta.sync.all(i32 0)";
  CHECK(fault_in(divergent(same, "barrier.cta.sync.all(i32 0)"), {1}, {64}).empty());
  CHECK_THAT(fault_in(divergent("call void @llvm.nvvm.barrier.cta.sync.all(i32 1)",
                                "barrier.cta.sync.all(i32 0)"),
                      {1}, {64}),
             Contains("waits, in k: call void @llvm.nvvm.barrier.cta.sync.all(i32 1)"));
  // Aligned ones are the same instruction for a whole warp.
  CHECK_THAT(fault_in(divergent("call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)",
                                "barrier.cta.sync.aligned.all(i32 0)"),
                      {1}, {64}),
             Contains("another barrier instruction than the rest of its warp"));
  CHECK_THAT(fault_in(divergent("", "bar.warp.sync(i32 -1)"), {1}, {64}),
             Contains("waits for threads that do not come"));
  CHECK_THAT(fault_in(kernel("call void @llvm.nvvm.bar.warp.sync(i32 1)"), {1}, {32}),
             Contains("thread (1, 0, 0) is not among the lanes of its own mask"));
  // The first fault is what is reported, though other threads have it too.
  CHECK_THAT(fault_in(kernel("call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 0, i32 40)"),
                      {1}, {64}),
             Contains("thread (0, 0, 0) waits for 40 threads"));
}

TEST_CASE("a loop that waits for another thread ends") {
  CHECK_THAT(fault_in(kernel(R"(br label %wait
wait:
  %v = load atomic i32, ptr %x monotonic, align 4
  %is_there = icmp ne i32 %v, 0
  br i1 %is_there, label %end, label %wait
end:)"),
                      {1}, {1}),
             Contains("waits in a loop for what another thread would do; in k: %v = load atomic"));
}

TEST_CASE("a trap") {
  CHECK_THAT(fault_in(kernel("call void @llvm.trap()\n", "declare void @llvm.trap()\n"), {1}, {1}),
             Contains("reaches a trap"));
}

TEST_CASE("launches that a device refuses") {
  const std::string text = copy("%i");
  CHECK_THAT(fault_in(text, {1}, {1025}), Contains("a block cannot have 1025 threads"));
  CHECK_THAT(fault_in(text, {1, 65536}, {1}), Contains("a grid cannot be (1, 65536, 1)"));
  CHECK_THAT(fault_in(text, {0}, {1}), Contains("a grid cannot be"));
  DeviceMemory memory;
  CHECK_THROWS_WITH(simulate(text, memory)->launch("j", {1}, {1}, {}),
                    Contains("there is no kernel j"));
  CHECK_THROWS_WITH(simulate(text, memory)->launch("k", {1}, {1}, {}),
                    Contains("takes 2 arguments, not 0"));
  CHECK_THAT(
      fault_in("define ptx_kernel void @k(ptr %x, ptr %y) \"nvvm.maxntid\"=\"64\" { ret void }",
               {1}, {96}),
      Contains("a block cannot have 96 threads"));
}

}  // namespace talweg::gpu
