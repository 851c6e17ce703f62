/* What the files of runtime/gpu share. */
#ifndef TALWEG_GPU_INTERNAL_H
#define TALWEG_GPU_INTERNAL_H

#include "runtime/device/cuda_calls.h"
#include "runtime/gpu/optimizer.h"
#include "runtime/gpu/program.h"
#include "runtime/gpu/step_tables.h"
#include "runtime/optimizer/device.h"
#include "runtime/optimizer/internal.h"

/* Of the C library, declared here: a generated library is compiled without its headers. */
void* malloc(size_t bytes);
void free(void* memory);

/* Threads of a block where each works on something of its own. */
#define TALWEG_GPU_SMALL_BLOCK 128u

/* What of the optimizer's tables is copied between the host and the device. */
typedef enum talweg_gpu_part {
  TALWEG_GPU_HYPERS = 1,  /* as set */
  TALWEG_GPU_STREAMS = 2, /* where tensors are, and which take part */
  TALWEG_GPU_INPUTS = 4,  /* of model, groups, tensors and matrices; which lines were given */
  TALWEG_GPU_SCALARS = 8, /* what a step changes: states, counters, what it says of itself */
} talweg_gpu_part;

/* Where an input that is one or more numbers lies in the device's memory. */
typedef struct talweg_gpu_source {
  talweg_cuda_address numbers; /* 0: it is what steps are given */
  uint32_t is_float;
} talweg_gpu_source;

/* Why the host must lead through a step, or a capture is refused: a sentence, with the name of
 * something in it. */
typedef struct talweg_gpu_reason {
  const char* text;        /* null: it need not */
  const char *name, *rest; /* or null */
} talweg_gpu_reason;

typedef struct talweg_gpu_range {
  void* here; /* in control memory */
  uint64_t bytes;
  uint32_t part;
} talweg_gpu_range;

enum { TALWEG_GPU_RANGES = 16, TALWEG_GPU_SLOTS = 4, TALWEG_GPU_CAPTURES = 4 };

/* Which lines a function of the rule goes over. */
typedef enum talweg_gpu_lines {
  TALWEG_GPU_NO_LINES = 0,
  TALWEG_GPU_MATRICES = 1,
  TALWEG_GPU_ROWS = 2,
  TALWEG_GPU_COLS = 3,
} talweg_gpu_lines;

typedef struct talweg_gpu_function {
  talweg_cuda_function handle;
  uint32_t lines; /* talweg_gpu_lines */
} talweg_gpu_function;

/* Memory of the host that the device reads and writes too. */
typedef struct talweg_gpu_front {
  volatile talweg_gpu_report report;
  uint32_t no_stop;     /* 0 */
  uint32_t says_regrad; /* these: what was read from the device */
  float number;
  talweg_gpu_progress progress;
  talweg_pass_args args;    /* of a function that the host leads through */
  talweg_gpu_step led_step; /* of such a step: as far as talweg_gpu_unscale looks at it */
} talweg_gpu_front;

#define TALWEG_GPU_PASS_ARGS_BYTES ((sizeof(talweg_pass_args) + 15) / 16 * 16)

/* Where tables of the device's own are, after talweg_gpu_write_tables(). */
typedef struct talweg_gpu_places {
  uint64_t step, progress, args, units;
  uint64_t pass_args;            /* [phase], TALWEG_GPU_PASS_ARGS_BYTES apart */
  uint64_t matrices, rows, cols; /* talweg_line_chunk: one line each */
  uint32_t unit_count;
} talweg_gpu_places;

typedef struct talweg_gpu {
  talweg_optimizer* core; /* in control memory; null before it is made */
  talweg_cuda_context context;
  talweg_cuda_stream stream;
  talweg_cuda_module module;
  int32_t device;

  talweg_image image; /* whose functions are numbers from 1 on: of `functions` */
  void* image_memory; /* what it points to beside the tables of the one it is made from */
  talweg_gpu_function* functions; /* [function_count] first those of talweg_gpu_kernel */
  uint32_t function_count;

  void* control; /* pinned */
  talweg_gpu_front* front;
  unsigned char* staging; /* pinned: slots, then captures, of slot_bytes each */
  uint64_t control_bytes, slot_bytes;
  talweg_cuda_address states, states_owned, control_there, tables_there;
  talweg_cuda_event slot_events[TALWEG_GPU_SLOTS]; /* the slot has been read */
  uint32_t next_slot, captures;
  talweg_cuda_event left_event; /* the end of what we have put into streams that were left */
  int has_left;                 /* what the stream has not waited for yet */
  int is_busy;                  /* something of ours may wait in the stream */

  talweg_gpu_program program;
  talweg_gpu_places places;
  talweg_gpu_range ranges[TALWEG_GPU_RANGES];
  uint32_t range_count;
  unsigned char* snapshot; /* TALWEG_GPU_SCALARS as host and device agreed on them last */
  void** pointers_there;   /* [tensor][stream] as the device has them */
  uint8_t* takes_part_there;
  double* hypers_there; /* [group][hyper] */

  uint32_t unsure_parts;      /* talweg_gpu_part: others may be there than the host believes */
  uint32_t captured_parts;    /* those that graphs bring; not 0: steps may run at any time that the
                                 host does not know of */
  int is_ahead;               /* steps were begun since the host has looked */
  int has_gradients;          /* a step was given some */
  int may_have_moved;         /* gradients and inputs, since they were sent */
  int asks;                   /* the rule may ask for another gradient */
  int has_wide_inputs;        /* inputs of more than the model and groups */
  int misses_inputs;          /* this step has not all that it may read */
  talweg_gpu_source* sources; /* [input] */
  double* numbers;            /* room for those of the longest source */
  uint32_t next_launch;       /* where a step that waits for another gradient goes on; 0: none does
                                 that the device goes through by itself */
  int is_half_captured;       /* what came before was captured, and has not run */
  talweg_cuda_address found_inf, gradient_scale;

  talweg_cuda_error failure; /* of the driver, that nobody was told yet; code 0: none */
  int is_broken;             /* a call failed in the middle of something */
  talweg_error refusal;      /* of a step, that nobody was told yet; status TALWEG_OK: none */
} talweg_gpu;

extern const talweg_device_calls talweg_gpu_calls;

static inline talweg_gpu* talweg_gpu_of(const talweg_optimizer* optimizer) {
  return optimizer->spec.device_context;
}

/* Makes the optimizer's context current, for what must be left again. Remembers what failed. */
int talweg_gpu_enter(talweg_gpu* gpu);
void talweg_gpu_leave(talweg_gpu* gpu);
/* Remembers the first failure; whether there is none. */
int talweg_gpu_did(talweg_gpu* gpu, int32_t result, const talweg_cuda_error* error);
int talweg_gpu_wait_for_stream(talweg_gpu* gpu);
/* An error that names the driver's. */
talweg_status talweg_gpu_put_failure(const talweg_cuda_error* failure, talweg_error* error);

/* image.c: functions of the module, and the image whose functions they are. */
talweg_status talweg_gpu_make_image(talweg_gpu* gpu, const talweg_image* image,
                                    talweg_error* error);

/* tables.c, launches.c: everything of a program. */
void talweg_gpu_write_tables(talweg_gpu* gpu, talweg_gpu_program* program);
void talweg_gpu_write_launches(talweg_gpu* gpu, talweg_gpu_program* program);
int32_t talweg_gpu_launch_one(const talweg_gpu* gpu, const talweg_gpu_launch* launch,
                              talweg_cuda_error* error);
/* Blocks for `count` things, one a thread. */
uint32_t talweg_gpu_blocks_for(uint64_t count);

/* send.c */
void talweg_gpu_list_ranges(talweg_gpu* gpu);
uint64_t talweg_gpu_bytes_of(const talweg_gpu* gpu, uint32_t parts);
/* Puts copies of some parts into the stream. The context is current. */
talweg_status talweg_gpu_send(talweg_gpu* gpu, uint32_t parts, int is_capturing,
                              talweg_error* error);
/* What we have put into other streams comes first in this one too; where it is not the optimizer's,
 * also what is in that. A stream that is captured cannot wait for work outside of the capture: its
 * caller sees to it, and the next one that is not captured waits. The context is current. */
int talweg_gpu_follow(talweg_gpu* gpu, talweg_cuda_stream stream);
/* Whether the host has changed what a step changes since both agreed on it. */
int talweg_gpu_host_changed(const talweg_gpu* gpu);
void talweg_gpu_take_snapshot(talweg_gpu* gpu);

/* settle.c */
talweg_status talweg_gpu_settle(void* context, talweg_optimizer* optimizer, talweg_error* error);
/* A refusal that nobody was told of, if there is one. */
talweg_status talweg_gpu_tell_refusal(talweg_gpu* gpu, talweg_error* error);

/* inputs.c: sources count as given. The context is current where an error of the driver is told. */
void talweg_gpu_give_sources(talweg_gpu* gpu);
int32_t talweg_gpu_launch_numbers(const talweg_gpu* gpu, talweg_cuda_error* error);
/* Whether the step has not all that it may read. Of elements, param stands in for what is not
 * there, so only of a step that the device goes through by itself. */
int talweg_gpu_misses_inputs(talweg_optimizer* core);
/* As talweg_device_calls has them. */
void talweg_gpu_take_inputs(void* context);
void talweg_gpu_put_lines(void* context, void* to, const void* from, uint64_t bytes);

/* led.c: why the host leads through all steps; through this one, that was bound. */
talweg_gpu_reason talweg_gpu_why_always_led(const talweg_gpu* gpu);
talweg_gpu_reason talweg_gpu_why_led(talweg_gpu* gpu);
/* Whether steps of the rule can be captured; and this one, to which `parts` are to be sent: what a
 * graph would bring again and again is not to be in it. */
talweg_status talweg_gpu_check_captured_rule(const talweg_gpu* gpu, talweg_error* error);
talweg_status talweg_gpu_check_capture(const talweg_gpu* gpu, uint32_t parts, talweg_error* error);
talweg_status talweg_gpu_refuse_capture(const talweg_gpu_reason* why, talweg_error* error);

/* step.c */
int talweg_gpu_step_by_itself(void* context, talweg_optimizer* optimizer,
                              const talweg_step_inputs* inputs, talweg_status* status,
                              talweg_outcome* outcome, talweg_error* error);

#endif
