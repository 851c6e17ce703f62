// talweg::Optimizer on a pretended device beside one on the host.
#include <cstdio>
#include <cstring>
#include <talweg/talweg.hpp>

#include "gpu.h"
#include "tests/gpu/fake_driver/fake_cuda.h"

namespace {

constexpr std::size_t kElements = 12;
constexpr std::size_t kBytes = kElements * sizeof(float);

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

float* make_there() {
  talweg_cuda_address made = 0;
  require(cuMemAlloc_v2(&made, kBytes) == 0, "memory of the device");
  return reinterpret_cast<float*>(made);  // NOLINT(performance-no-int-to-ptr): as cudaMalloc has it
}

void write(float* there, const std::vector<float>& values) {
  cuMemcpyHtoDAsync_v2(reinterpret_cast<std::uintptr_t>(there), values.data(), kBytes, nullptr);
  require(cuStreamSynchronize(nullptr) == 0, "a copy");
}

bool same(const std::vector<float>& here, const float* there) {
  std::vector<float> copy(kElements);
  cuMemcpyDtoHAsync_v2(copy.data(), reinterpret_cast<std::uintptr_t>(there), kBytes, nullptr);
  require(cuStreamSynchronize(nullptr) == 0, "a copy");
  return std::memcmp(here.data(), copy.data(), kBytes) == 0;
}

}  // namespace

int main() {
  talweg_cuda_context context = nullptr;
  cuInit(0);
  cuDevicePrimaryCtxRetain(&context, 0);
  require(cuCtxSetCurrent(context) == 0, "a context");
  std::vector<float> w(kElements, 1), gradient(kElements);
  float *const w_there = make_there(), *const gradient_there = make_there();
  write(w_there, w);
  talweg_cuda where{};
  require(cuStreamCreate(&where.stream, 1) == 0, "a stream");
  talweg::Options options;
  options.cuda = &where;
  {
    talweg::Optimizer host(gpu_train_rule(), {{"w", {3, 4}, w.data()}});
    talweg::Optimizer device(gpu_train_rule(), {{"w", {3, 4}, w_there}}, options);
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t k = 0; k < kElements; ++k) gradient[k] = w[k] - static_cast<float>(k + i);
      write(gradient_there, gradient);
      host.set("lr", 0.1);
      device.set("lr", 0.1);
      if (i == 2) device.set_stream(nullptr);
      host.step({gradient.data()});
      device.step({gradient_there});
      require(device.wait() == talweg::Outcome::Completed, "the outcome");
      require(same(w, w_there), "the same parameters");
    }
    require(host.save() == device.save(), "the same states");
    require(device.state("m").on_device() && !host.state("m").on_device(), "where states are");
    {
      const talweg::View view = host.swap_in("averaged");
      const talweg::View view_there = device.swap_in("averaged");
      require(same(w, w_there), "the same average");
    }
    require(same(w, w_there), "parameters are back");
    try {
      host.wait();
      require(false, "an optimizer of the host has nothing to wait for");
    } catch (const talweg::Error& error) {
      require(error.code() == "BAD_ARGUMENT", "the code");
    }
  }
  {
    float* const losses = make_there();
    const auto* const loss_there = reinterpret_cast<const double*>(losses);
    talweg::Optimizer host(gpu_polyak_rule(), {{"w", {3, 4}, w.data()}});
    talweg::Optimizer device(gpu_polyak_rule(), {{"w", {3, 4}, w_there}}, options);
    for (std::size_t i = 0; i < 4; ++i) {
      const double loss = i < 3 ? 0.5 + static_cast<double>(i) : 0.125;
      std::vector<float> values(kElements, static_cast<float>(loss));
      if (i == 1) std::memcpy(values.data(), &loss, sizeof loss);
      write(losses, values);
      host.give("loss", loss);
      if (i == 0) device.set_input("loss", losses);
      if (i == 1) device.set_input("loss", loss_there);
      if (i == 2) device.set_input("loss", nullptr);
      if (i == 2) device.give("loss", loss);
      if (i == 3) device.set_input("loss", losses);  // in place of what it was given
      for (std::size_t k = 0; k < kElements; ++k) gradient[k] = w[k] - static_cast<float>(k + i);
      write(gradient_there, gradient);
      host.step({gradient.data()});
      device.step({gradient_there});
      device.wait();
      require(same(w, w_there), "the same parameters with the loss on the device");
    }
    try {
      device.set_input("los", losses);
      require(false, "there is no such input");
    } catch (const talweg::Error& error) {
      require(error.code() == "UNKNOWN_NAME", "the code");
    }
    cuMemFree_v2(reinterpret_cast<std::uintptr_t>(losses));
  }
  cuMemFree_v2(reinterpret_cast<std::uintptr_t>(w_there));
  cuMemFree_v2(reinterpret_cast<std::uintptr_t>(gradient_there));
  require(fake_cuda_count("allocations") == 0 && fake_cuda_count("pinned") == 0, "all is freed");
  std::puts("ok");
}
