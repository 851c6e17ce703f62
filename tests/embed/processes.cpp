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

/// Leaves this process room for the stacks of some threads, not for a thousand.
bool limit_memory() {
  unsigned long pages = 0;
  std::FILE* sizes = std::fopen("/proc/self/statm", "r");
  if (sizes == nullptr) return false;
  const bool is_read = std::fscanf(sizes, "%lu", &pages) == 1;
  std::fclose(sizes);
  const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (256u << 20);
  const rlimit limit{bytes, bytes};
  return is_read && setrlimit(RLIMIT_AS, &limit) == 0;
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

TEST_CASE("a number of threads that is refused starts none") {
  CHECK(forked([] {
          Problem problem;
          (void)problem.optimizer(1);  // compiles: what follows needs little memory
          if (!limit_memory()) return 1;
          try {
            (void)problem.optimizer(0xffffffff);
          } catch (const talweg::Error& error) {
            const char* expected = "an optimizer has from 1 to 1024 threads";
            return error.code() == "BAD_ARGUMENT" && error.what() == std::string(expected) ? 7 : 1;
          } catch (const std::exception&) {
            return 2;
          }
          return 3;
        }) == 7);
}

TEST_CASE("threads that the system does not give are an error of talweg") {
  CHECK(forked([] {
          Problem problem;
          const talweg::Rule rule = talweg::compile("AdamW");
          talweg::Options options;
          options.threads = 1000;
          if (!limit_memory()) return 1;
          try {
            const talweg::Optimizer optimizer(rule, {{"w", {kSize}, problem.w.data()}}, options);
          } catch (const talweg::Error& error) {
            const std::string message = error.what();
            return error.status() == TALWEG_SYSTEM &&
                           message.find("cannot start 1000 threads: ") == 0
                       ? 7
                       : 2;
          } catch (const std::exception&) {
            return 3;
          }
          return 4;
        }) == 7);
}
