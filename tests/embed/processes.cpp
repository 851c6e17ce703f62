// Optimizers on threads in processes that were forked, and where the system gives no threads.
// Each case runs in a process of its own, which is ended where it waits for ever.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <talweg/talweg.hpp>

namespace {

constexpr std::size_t kSize = 90000;

struct Problem {
  std::vector<float> w = std::vector<float>(kSize, 1.f), grad = std::vector<float>(kSize, 0.5f);
  [[nodiscard]] std::unique_ptr<talweg::Optimizer> optimizer(std::uint32_t threads) {
    talweg::Options options;
    options.threads = threads;
    const std::vector<talweg::Tensor> tensors{{"w", {kSize}, w.data()}};
    return std::make_unique<talweg::Optimizer>(talweg::compile("AdamW"), tensors, options);
  }
};

/// What a call returns in a forked process; -1 where that does not end by itself in 20 seconds.
template <class Call>
int forked(Call call) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(call());
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("an optimizer on threads steps and ends in a forked process, with the same bits") {
  Problem alone, shared;
  const auto serial = alone.optimizer(1);
  auto threaded = shared.optimizer(3);
  serial->step({alone.grad.data()});
  serial->step({alone.grad.data()});
  threaded->step({shared.grad.data()});
  CHECK(forked([&] {
          threaded->step({shared.grad.data()});
          threaded.reset();
          return std::memcmp(alone.w.data(), shared.w.data(), kSize * sizeof(float)) == 0 ? 7 : 1;
        }) == 7);
  threaded->step({shared.grad.data()});  // here the threads still are
  CHECK(alone.w == shared.w);
}
