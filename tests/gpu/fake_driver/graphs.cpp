// Captured streams and graphs. A graph runs its operations in the order in which they were
// captured.
#include <fmt/format.h>

#include "tests/gpu/fake_driver/driver.h"

namespace fake_cuda {

namespace {
enum : int { kGlobal = 0, kOfThread = 1, kRelaxed = 2 };
}  // namespace

Result Driver::forbidden_in_capture() {
  Result result = kSuccess;
  for (auto& [handle, stream] : streams.all()) {
    if (!stream.capture) continue;
    Capture& capture = *stream.capture;
    const bool is_of_this_thread = capture.thread == std::this_thread::get_id();
    if (capture.mode == kRelaxed || (capture.mode == kOfThread && !is_of_this_thread)) continue;
    capture.is_invalid = true;
    result = kCaptureUnsupported;
  }
  return result;
}

}  // namespace fake_cuda

using namespace fake_cuda;

extern "C" {

Result cuStreamBeginCapture_v2(talweg_cuda_stream handle, int mode) {
  return call("cuStreamBeginCapture_v2", fmt::format("{}", mode), [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = driver.stream(handle, why_not);
    if (stream == nullptr) return why_not;
    if (mode < kGlobal || mode > kRelaxed) return kInvalidValue;
    const bool is_default = stream == &driver.contexts.find(stream->context)->default_stream;
    if (is_default || stream->capture) return kCaptureUnsupported;
    stream->capture = std::make_unique<Capture>();
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    return kSuccess;
  });
}

Result cuStreamIsCapturing(talweg_cuda_stream handle, int* status) {
  return call("cuStreamIsCapturing", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    const Stream* stream = driver.stream(handle, why_not, false);
    if (stream == nullptr) return why_not;
    *status = !stream->capture ? 0 : stream->capture->is_invalid ? 2 : 1;
    return kSuccess;
  });
}

Result cuStreamEndCapture(talweg_cuda_stream handle, fake_cuda_graph* graph) {
  return call("cuStreamEndCapture", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    *graph = nullptr;
    Stream* stream = driver.stream(handle, why_not);
    if (stream == nullptr) return why_not;
    if (!stream->capture) return kCaptureUnmatched;
    if (stream->capture->mode != kRelaxed &&
        stream->capture->thread != std::this_thread::get_id()) {
      stream->capture->is_invalid = true;
      return kCaptureWrongThread;
    }
    const std::unique_ptr<Capture> capture = std::move(stream->capture);
    if (capture->is_invalid) return kCaptureInvalidated;
    const std::uintptr_t made = driver.graphs.add();
    *driver.graphs.find(made) = {stream->context, std::move(capture->operations)};
    *graph = handle_as<fake_cuda_graph>(made);
    return kSuccess;
  });
}

Result cuGraphInstantiateWithFlags(fake_cuda_graph_exec* exec, fake_cuda_graph graph,
                                   unsigned long long flags) {
  return call("cuGraphInstantiateWithFlags", fmt::format("{}", flags), [&](Driver& driver) {
    const Graph* found = driver.graphs.find(graph);
    if (found == nullptr || flags != 0) return kInvalidValue;
    const std::uintptr_t made = driver.graph_execs.add();
    *driver.graph_execs.find(made) = *found;
    *exec = handle_as<fake_cuda_graph_exec>(made);
    return kSuccess;
  });
}

Result cuGraphLaunch(fake_cuda_graph_exec exec, talweg_cuda_stream handle) {
  return call("cuGraphLaunch", "", [&](Driver& driver) {
    Result why_not = kSuccess;
    Stream* stream = driver.stream(handle, why_not);
    if (stream == nullptr) return why_not;
    const Graph* found = driver.graph_execs.find(exec);
    if (found == nullptr || found->context != stream->context) return kInvalidValue;
    return driver.enqueue(*stream, [operations = found->operations] {
      for (const Operation& operation : operations) operation();
    });
  });
}

Result cuGraphExecDestroy(fake_cuda_graph_exec exec) {
  return call("cuGraphExecDestroy", "", [&](Driver& driver) {
    return driver.graph_execs.erase(number_of(exec)) ? kSuccess : kInvalidValue;
  });
}

Result cuGraphDestroy(fake_cuda_graph graph) {
  return call("cuGraphDestroy", "", [&](Driver& driver) {
    return driver.graphs.erase(number_of(graph)) ? kSuccess : kInvalidValue;
  });
}

}  // extern "C"
