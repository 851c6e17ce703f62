/* Opens the driver's library and finds its functions. */
#include "runtime/device/cuda_driver.h"

#include <stdatomic.h>
#include <string.h>

/* Of the C library, declared here: a generated library is compiled without its headers. */
void* dlopen(const char* file, int mode);
void* dlsym(void* library, const char* name);
char* dlerror(void);
char* getenv(const char* name);
int sched_yield(void);
enum { OPEN_NOW = 2 }; /* RTLD_NOW | RTLD_LOCAL on Linux */

enum { UNTRIED, OPENING, OPEN, FAILED };
static atomic_int state; /* what stands below is written before it becomes OPEN or FAILED */
static talweg_cuda_driver driver;
static talweg_cuda_error failure;
static atomic_int is_initialised;

static const struct {
  const char* name;
  size_t offset;
} functions[] = {
#define ROW(name, parameters) {#name, offsetof(talweg_cuda_driver, name)},
    TALWEG_CUDA_FUNCTIONS(ROW)
#undef ROW
};

static int begins_with(const char* text, const char* start) {
  while (*start && *text == *start) ++text, ++start;
  return *start == 0;
}

static int contains(const char* text, const char* part) {
  for (; *text; ++text)
    if (begins_with(text, part)) return 1;
  return 0;
}

/* The loader's reason says that a file is missing, but not always which: it may be a library that
 * the driver's own needs. */
static int fail_to_open(const char* file, const char* reason) {
  talweg_cuda_fail(&failure, TALWEG_CUDA_NO_DRIVER, "no NVIDIA driver: ");
  talweg_cuda_put(&failure, file);
  if (reason && !(begins_with(reason, file) && contains(reason, "No such file or directory"))) {
    talweg_cuda_put(&failure, " cannot be opened: ");
    talweg_cuda_put(&failure, reason);
  } else {
    talweg_cuda_put(&failure, " was not found");
  }
  return FAILED;
}

static int fail_without(const char* name) {
  int version = 0;
  talweg_cuda_fail(&failure, TALWEG_CUDA_DRIVER_TOO_OLD, "the NVIDIA driver");
  if (driver.cuDriverGetVersion && driver.cuDriverGetVersion(&version) == 0) {
    talweg_cuda_put(&failure, ", of CUDA ");
    talweg_cuda_put_count(&failure, (uint64_t)version / 1000);
    talweg_cuda_put(&failure, ".");
    talweg_cuda_put_count(&failure, (uint64_t)version % 1000 / 10);
    talweg_cuda_put(&failure, ",");
  }
  talweg_cuda_put(&failure, " is too old (talweg needs CUDA 11.4 or later): it has no ");
  talweg_cuda_put(&failure, name);
  return FAILED;
}

/* The library stays open: nothing says when the last of the driver's threads has ended. */
static int open_driver(void) {
  const char* file = getenv("TALWEG_CUDA_DRIVER");
  if (!file || !*file) file = "libcuda.so.1";
  void* const library = dlopen(file, OPEN_NOW);
  if (!library) return fail_to_open(file, dlerror());
  const char* missing = NULL;
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
    void* const function = dlsym(library, functions[i].name);
    if (!function && !missing) missing = functions[i].name;
    memcpy((char*)&driver + functions[i].offset, &function, sizeof function);
  }
  return missing ? fail_without(missing) : OPEN;
}

const talweg_cuda_driver* talweg_cuda_opened(void) {
  return atomic_load_explicit(&state, memory_order_acquire) == OPEN ? &driver : NULL;
}

int32_t talweg_cuda_open(const talweg_cuda_driver** opened, talweg_cuda_error* error) {
  int seen = atomic_load_explicit(&state, memory_order_acquire);
  if (seen == UNTRIED && atomic_compare_exchange_strong(&state, &seen, OPENING)) {
    seen = open_driver();
    atomic_store_explicit(&state, seen, memory_order_release);
  }
  while (seen == OPENING) {
    (void)sched_yield();
    seen = atomic_load_explicit(&state, memory_order_acquire);
  }
  if (seen == FAILED) return talweg_cuda_fail(error, failure.code, failure.message);
  *opened = &driver;
  if (atomic_load_explicit(&is_initialised, memory_order_acquire)) return TALWEG_CUDA_OK;
  const talweg_cuda_result result = driver.cuInit(0); /* as often as one likes, by any thread */
  if (result == 0) atomic_store_explicit(&is_initialised, 1, memory_order_release);
  return talweg_cuda_check(error, result, "cuInit");
}
