/* The floating-point mode that the language's arithmetic is defined in: round to nearest even,
 * subnormals kept, no traps. A caller may run with another one (flushing subnormals is common), so
 * every thread that runs code of an image enters this mode and returns to its own afterwards.
 * Writing the control register costs tens of cycles, so it is written only where it changes. */
#ifndef TALWEG_OPTIMIZER_FLOAT_MODE_H
#define TALWEG_OPTIMIZER_FLOAT_MODE_H

#include <stdint.h>

typedef uint64_t talweg_float_mode;

/* All of MXCSR but the six flags of exceptions that happened. */
#define TALWEG_MXCSR_MODES 0xFFC0u
#define TALWEG_MXCSR_DEFAULT 0x1F80u /* all exceptions masked, nothing else set */

static inline talweg_float_mode talweg_enter_float_mode(void) {
#if defined(__x86_64__)
  const talweg_float_mode saved = __builtin_ia32_stmxcsr();
  if ((saved & TALWEG_MXCSR_MODES) != TALWEG_MXCSR_DEFAULT)
    __builtin_ia32_ldmxcsr(TALWEG_MXCSR_DEFAULT);
  return saved;
#elif defined(__aarch64__)
  talweg_float_mode saved;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(saved));
  __asm__ __volatile__("msr fpcr, %0" : : "r"((talweg_float_mode)0) : "memory");
  return saved;
#else
  return 0;
#endif
}

static inline void talweg_leave_float_mode(talweg_float_mode saved) {
#if defined(__x86_64__)
  if ((saved & TALWEG_MXCSR_MODES) != TALWEG_MXCSR_DEFAULT) __builtin_ia32_ldmxcsr((unsigned)saved);
#elif defined(__aarch64__)
  __asm__ __volatile__("msr fpcr, %0" : : "r"(saved) : "memory");
#else
  (void)saved;
#endif
}

#endif
