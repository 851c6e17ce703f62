/* Which variant of a rule's code runs on this processor. */
#include <string.h>

#include "runtime/standalone/internal.h"
#include "runtime/standalone/libc.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The levels of the x86-64 psABI that processor and system support: 1 to 4. */
static uint32_t detect_level(void) {
  const uint32_t v2_c =
      bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_CMPXCHG16B;
  const uint32_t v3_c = bit_AVX | bit_F16C | bit_FMA | bit_MOVBE | bit_OSXSAVE;
  const uint32_t v3_b = bit_AVX2 | bit_BMI | bit_BMI2;
  const uint32_t v4_b = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
  const uint32_t lzcnt = 1u << 5;
  /* Registers that the system saves: SSE and AVX; masks and 512-bit vectors. */
  const uint32_t avx_state = 0x6, avx512_state = 0xe6;
  uint32_t a, b, c, d, c1, saved, saved_high;
  if (!__get_cpuid(1, &a, &b, &c1, &d) || (c1 & v2_c) != v2_c) return 1;
  if ((c1 & v3_c) != v3_c) return 2;
  __asm__ __volatile__("xgetbv" : "=a"(saved), "=d"(saved_high) : "c"(0));
  if ((saved & avx_state) != avx_state) return 2;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & v3_b) != v3_b) return 2;
  const uint32_t features = b;
  if (!__get_cpuid(0x80000001u, &a, &b, &c, &d) || !(c & lzcnt)) return 2;
  if ((saved & avx512_state) != avx512_state || (features & v4_b) != v4_b) return 3;
  return 4;
}
#else
static uint32_t detect_level(void) { return 1; }
#endif

/* Asking the processor takes long where a system runs in another; the answer does not change. */
static uint32_t level_here(void) {
  static uint32_t known;
  uint32_t level = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (level == 0) {
    level = detect_level();
    __atomic_store_n(&known, level, __ATOMIC_RELAXED);
  }
  return level;
}

static talweg_lib_status refuse(const talweg_lib_rule* rule, const char* forced,
                                talweg_lib_error* error) {
  fail(error, TALWEG_LIB_UNSUPPORTED_CPU, "");
  if (forced) {
    talweg_put(core_error(error), "TALWEG_CPU is ");
    talweg_put_name(core_error(error), forced);
    talweg_put(core_error(error), ", which this processor or this library has not; it has");
  } else {
    talweg_put(core_error(error), "this processor can run no variant of the library, which has");
  }
  for (uint32_t i = 0; i < rule->variant_count; ++i) {
    talweg_put(core_error(error), i == 0 ? " " : ", ");
    talweg_put(core_error(error), rule->variants[i].cpu);
  }
  return TALWEG_LIB_UNSUPPORTED_CPU;
}

talweg_lib_status talweg_lib_choose(const talweg_lib_rule* rule, const talweg_lib_variant** variant,
                                    talweg_lib_error* error) {
#if defined(__wasm__)
  const char* forced = 0;
#else
  const char* forced = getenv("TALWEG_CPU");
  if (forced && !*forced) forced = 0;
#endif
  for (uint32_t i = 0; i < rule->variant_count; ++i) {
    *variant = &rule->variants[i];
    if ((*variant)->level > level_here()) continue;
    if (!forced || strcmp(forced, (*variant)->cpu) == 0) return TALWEG_LIB_OK;
  }
  return refuse(rule, forced, error);
}
