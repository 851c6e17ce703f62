/* What went wrong, for a caller of the C functions: a code and a sentence that names the argument.
 */
#ifndef TALWEG_OPTIMIZER_ERROR_H
#define TALWEG_OPTIMIZER_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum talweg_status {
  TALWEG_OK = 0,
  TALWEG_BAD_IMAGE = 1,      /* of another ABI version, or inconsistent */
  TALWEG_BAD_ARGUMENT = 2,   /* out of bounds, null, misaligned, named twice */
  TALWEG_NOT_SERVED = 3,     /* described correctly, but not possible in this version */
  TALWEG_OVERLAP = 4,        /* memory that must be apart is not */
  TALWEG_TOO_LARGE = 5,      /* more than can be addressed or numbered */
  TALWEG_OUT_OF_RANGE = 6,   /* a value that a hyper may not have */
  TALWEG_BOUND = 7,          /* a hyper that the rule computes itself */
  TALWEG_MISSING_INPUT = 8,  /* the step reads an input that was not given */
  TALWEG_NOT_YET = 9,        /* has no value before the first step */
  TALWEG_SWAPPED_IN = 10,    /* not while a view stands in for the parameters */
  TALWEG_WAITING = 11,       /* not while a step waits for another gradient */
  TALWEG_DEVICE_FAILED = 19, /* a device, or its driver, failed */
} talweg_status;

#define TALWEG_MESSAGE_BYTES 512

typedef struct talweg_error {
  talweg_status status;
  char message[TALWEG_MESSAGE_BYTES]; /* UTF-8, ends with a 0; cut off where it would not fit */
} talweg_error;

#ifdef __cplusplus
}
#endif

#endif
