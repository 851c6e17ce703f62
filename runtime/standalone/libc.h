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

/* Threads of Linux, for pool.c alone. No C library there has a mutex or condition variable larger
 * than this, and a pthread_t is a word. */
typedef union pthread_mutex_memory {
  long long alignment;
  unsigned char bytes[64];
} pthread_mutex_memory;
typedef pthread_mutex_memory pthread_cond_memory;
int pthread_mutex_init(pthread_mutex_memory* mutex, const void* attributes);
int pthread_mutex_lock(pthread_mutex_memory* mutex);
int pthread_mutex_unlock(pthread_mutex_memory* mutex);
int pthread_mutex_destroy(pthread_mutex_memory* mutex);
int pthread_cond_init(pthread_cond_memory* condition, const void* attributes);
int pthread_cond_wait(pthread_cond_memory* condition, pthread_mutex_memory* mutex);
int pthread_cond_broadcast(pthread_cond_memory* condition);
int pthread_cond_destroy(pthread_cond_memory* condition);
int pthread_create(unsigned long* thread, const void* attributes, void* (*start)(void*),
                   void* argument);
int pthread_join(unsigned long thread, void** result);
enum { SC_NPROCESSORS_ONLN = 84 };
long sysconf(int name);
int getpid(void);

#endif
