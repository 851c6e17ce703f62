/* A library that stands for NVIDIA's driver in tests: the functions that talweg calls, those that
 * its callers do (graphs), and the functions below, by which a test says what the driver is to be
 * and sees what was asked of it. TALWEG_CUDA_DRIVER names it.
 *
 * It is stricter than the driver where that finds faults:
 * - Work in a stream runs when something waits for it, and not before (fake_cuda_set_delay). So
 *   copies read and write the host's memory then, of whatever kind it is.
 * - Addresses are checked when work is put into a stream and when it runs; those of another device
 *   than the current context's are wrong.
 * - What is wrong in running work stops its context for good, as the driver does, with
 *   CUDA_ERROR_LAUNCH_FAILED; fake_cuda_fault() says what it was.
 * - More than 1 GiB at once is out of memory, whatever a device has.
 * Not there: streams that join a capture by events, dynamic shared memory, the default stream of a
 * thread: CUDA_ERROR_NOT_SUPPORTED.
 *
 * A process starts with what its environment says: FAKE_CUDA_DEVICES (a number; 1),
 * FAKE_CUDA_VERSION (12040), FAKE_CUDA_CAPABILITY (90, of all devices), FAKE_CUDA_FAIL
 * (`cuDeviceGetName:2:999`: the second such call gives 999). */
#ifndef TALWEG_TESTS_GPU_FAKE_CUDA_H
#define TALWEG_TESTS_GPU_FAKE_CUDA_H

#include "runtime/device/cuda_driver.h"

#ifdef __cplusplus
#include <memory>
#include <string_view>

#include "tests/gpu/executor.h"

namespace talweg::gpu {
/// Makes what runs the kernels of a PTX text on a device's memory. Throws Fault, whose text goes
/// into the log of the driver's compiler, for a text that it does not understand.
using MakeExecutor = std::unique_ptr<Executor> (*)(std::string_view ptx, DeviceMemory& memory);
}  // namespace talweg::gpu

/// Nothing: modules cannot be loaded (CUDA_ERROR_JIT_COMPILER_NOT_FOUND).
void fake_cuda_set_executor(talweg::gpu::MakeExecutor make);

extern "C" {
#endif

typedef struct CUgraph_st* fake_cuda_graph;
typedef struct CUgraphExec_st* fake_cuda_graph_exec;

/* Forgets everything: so many devices as they are at first, nothing allocated, no context on this
 * thread's stack, an empty log, no failure planned, work delayed. The driver stays initialised, and
 * the executor stays. */
void fake_cuda_reset(int devices);
void fake_cuda_set_device(int device, const char* name, int major, int minor, int multiprocessors,
                          size_t memory_bytes);
void fake_cuda_set_version(int version);
/* 0: work runs as soon as it is put into a stream. */
void fake_cuda_set_delay(int is_delayed);

/* The n-th call from now (n = 1 is the next) of a function, or of any where `function` is null,
 * gives `result` and does nothing. The names of errors can be asked for at any time. */
void fake_cuda_fail(const char* function, int n, int result);
/* Whether that call is still to come. */
int fake_cuda_failure_is_due(void);

/* Calls so far, a line each: `cuMemAlloc_v2(4096)`. The text lives until the next call. */
size_t fake_cuda_log_lines(void);
const char* fake_cuda_log_line(size_t line);
/* What there is now: `allocations`, `bytes`, `pinned`, `modules`, `streams`, `events`, `contexts`
 * (counted as often as they are retained), `work` (that waits in streams). */
size_t fake_cuda_count(const char* what);
/* Memory of the host's counts as a device's from now on, until it is dismissed: that of tensors of
 * a PyTorch without CUDA, for example. What was admitted at the same start before is forgotten. */
void fake_cuda_admit(int device, void* memory, size_t bytes);
void fake_cuda_dismiss(int device, void* memory);
/* What went wrong in work last; empty: nothing. */
const char* fake_cuda_fault(void);

/* Functions of the driver: those that talweg calls, and some that programs around it do. */
#define FAKE_CUDA_DECLARE(name, parameters) talweg_cuda_result name parameters;
TALWEG_CUDA_FUNCTIONS(FAKE_CUDA_DECLARE)
#undef FAKE_CUDA_DECLARE
talweg_cuda_result cuCtxSetCurrent(talweg_cuda_context context);
talweg_cuda_result cuStreamQuery(talweg_cuda_stream stream);
/* 0: global, 1: of the thread, 2: relaxed. */
talweg_cuda_result cuStreamBeginCapture_v2(talweg_cuda_stream stream, int mode);
talweg_cuda_result cuStreamEndCapture(talweg_cuda_stream stream, fake_cuda_graph* graph);
talweg_cuda_result cuGraphInstantiateWithFlags(fake_cuda_graph_exec* exec, fake_cuda_graph graph,
                                               unsigned long long flags);
talweg_cuda_result cuGraphLaunch(fake_cuda_graph_exec exec, talweg_cuda_stream stream);
talweg_cuda_result cuGraphExecDestroy(fake_cuda_graph_exec exec);
talweg_cuda_result cuGraphDestroy(fake_cuda_graph graph);

#ifdef __cplusplus
}
#endif

#endif
