// Streams of the pretended driver, and graphs of what was put into them.
#pragma once

#include <catch2/catch.hpp>

#include "runtime/device/cuda_calls.h"
#include "tests/gpu/fake_driver/fake_cuda.h"

namespace talweg::gpu {

/// Of the current context; no other stream waits for it.
class Stream {
 public:
  Stream() { REQUIRE(talweg_cuda_create_stream(&handle, nullptr) == TALWEG_CUDA_OK); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { talweg_cuda_destroy_stream(handle, nullptr); }

  void wait() const {
    INFO(fake_cuda_fault());
    REQUIRE(talweg_cuda_wait(handle, nullptr) == TALWEG_CUDA_OK);
  }

  talweg_cuda_stream handle = nullptr;
};

class Graph {
 public:
  /// Of what `body` puts into the stream.
  template <class Body>
  Graph(const Stream& stream, const Body& body) {
    const int of_thread = 1;
    fake_cuda_graph graph = nullptr;
    REQUIRE(cuStreamBeginCapture_v2(stream.handle, of_thread) == 0);
    body();
    REQUIRE(cuStreamEndCapture(stream.handle, &graph) == 0);
    REQUIRE(cuGraphInstantiateWithFlags(&exec_, graph, 0) == 0);
    REQUIRE(cuGraphDestroy(graph) == 0);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { cuGraphExecDestroy(exec_); }

  void launch(const Stream& stream) const { REQUIRE(cuGraphLaunch(exec_, stream.handle) == 0); }

 private:
  fake_cuda_graph_exec exec_ = nullptr;
};

}  // namespace talweg::gpu
