/* What a library takes of the C library, besides what compilers call by themselves (memcpy,
 * memset). Declared here: a library is compiled for machines whose headers are not at hand. */
#ifndef TALWEG_STANDALONE_LIBC_H
#define TALWEG_STANDALONE_LIBC_H

#include <stddef.h>

void* malloc(size_t bytes);
void free(void* memory);
char* getenv(const char* name);

/* Linux. */
enum { MADVISE_HUGE_PAGES = 14 };
int madvise(void* memory, size_t bytes, int advice);

/* Threads of Linux, for pool.c alone. In every C library there a pthread_t is a word. */
int pthread_create(unsigned long* thread, const void* attributes, void* (*start)(void*),
                   void* argument);
int pthread_join(unsigned long thread, void** result);
enum { SC_NPROCESSORS_ONLN = 84 };
long sysconf(int name);
int getpid(void);
#if defined(__aarch64__)
enum { SYSTEM_FUTEX = 98 };
#else
enum { SYSTEM_FUTEX = 202 };
#endif
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };
long syscall(long number, ...);

#endif
