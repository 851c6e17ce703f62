// What a summary says of kernels.
#include "tests/gpu/ptx/summary.h"

#include <catch2/catch.hpp>

#include "tests/gpu/ptx/run_form.h"

namespace talweg::gpu::ptx::tests {

namespace {

using Counts = std::map<std::uint32_t, std::uint32_t>;

const std::string kText = module_of(R"(
.func helper(.param .b64 p)
{
  .local .align 4 .b8 depot[12];
  .reg .b64 %rd<3>;
  ret;
}
.func other()
{
  .reg .b32 %r<3>;
  ex2.approx.f32 %r1, %r2;
  st.local.b32 [%r1], %r2;
  ret;
}
.global .align 8 .u64 table[1] = {other};
.visible .entry b(.param .u64 p)
{
  .reg .pred %p<4>;
  .reg .b32 %r<10>;
  .reg .b64 %rd<5>;
  .reg .b64 tmp;
  ld.param.b64 %rd1, [p];
  ld.global.nc.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1];
  ld.global.v2.b64 {%rd1, %rd2}, [%rd1];
  ld.b32 %r1, [%rd1];
  st.global.v4.b32 [%rd1], {%r1, %r2, %r3, %r4};
  st.shared.b32 [%rd1], %r1;
  add.ftz.f32 %r1, %r2, %r3;
  ret;
}
.visible .entry a(.param .u64 p)
{
  { .param .b64 param0; call.uni helper, (param0); }
  ret;
}
.visible .entry c(.param .u64 p)
{
  .reg .b64 %rd<5>;
  prototype_0 : .callprototype _ ();
  call %rd1, (), prototype_0;
  ret;
}
)");

}  // namespace

TEST_CASE("a summary counts registers, accesses and what is inexact") {
  const std::vector<Summary> all = summarize(kText);
  REQUIRE(all.size() == 3);
  const Summary& b = all[1];
  CHECK(b.kernel == "b");
  CHECK(b.functions == std::set<std::string>{"b"});
  CHECK(b.registers == Counts{{1, 4}, {32, 10}, {64, 6}});
  CHECK(b.loads == Counts{{4, 1}, {16, 2}});
  CHECK(b.stores == Counts{{16, 1}});
  CHECK(b.flushing == 1);
  CHECK(b.approximate == 0);
  CHECK_FALSE(b.uses_local_memory());
}

TEST_CASE("a summary sees functions that are called, by name or address") {
  const std::vector<Summary> all = summarize(kText);
  CHECK(all[0].functions == std::set<std::string>{"a", "helper"});
  CHECK(all[0].local_bytes == 12);
  CHECK(all[0].local_accesses == 0);
  CHECK(all[0].uses_local_memory());
  CHECK(all[2].functions == std::set<std::string>{"c", "other"});
  CHECK(all[2].local_accesses == 1);
  CHECK(all[2].approximate == 1);
}

}  // namespace talweg::gpu::ptx::tests
