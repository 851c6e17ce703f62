/* A driver's library that cannot be opened, because one that it needs is not found. */
#include "tests/gpu/fake_driver/fake_cuda.h"

int lacking(void);

int lacking(void) { return cuInit(0); }
