// Opening the driver: one that is not there, one that is too old, one without devices, and many
// threads at once. Each in a process of its own, which starts with nothing opened.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/device/cuda_calls.h"

namespace {

/// What `body` gives in a child process, whose environment has these variables.
std::string in_child(const std::vector<std::pair<const char*, std::string>>& variables,
                     const std::function<std::string()>& body) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const auto& [name, value] : variables) ::setenv(name, value.c_str(), 1);
    const std::string text = body();
    const bool is_written =
        ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(is_written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t bytes; (bytes = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(bytes));
  ::close(ends[0]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return text;
}

/// `CODE MESSAGE`, or `0 N devices`.
std::string count_devices() {
  talweg_cuda_error error{};
  std::int32_t count = -1;
  const std::int32_t result = talweg_cuda_device_count(&count, &error);
  if (result != error.code) return "the error has another code";
  return std::to_string(result) + " " +
         (result == 0 ? std::to_string(count) + " devices" : std::string(error.message));
}

std::string open_with(const std::string& library) {
  return in_child({{"TALWEG_CUDA_DRIVER", library}}, count_devices);
}

}  // namespace

TEST_CASE("a library that is not there") {
  CHECK(open_with("libnot-there.so.1") == "-1 no NVIDIA driver: libnot-there.so.1 was not found");
  CHECK(open_with("/nowhere/libcuda.so.1") ==
        "-1 no NVIDIA driver: /nowhere/libcuda.so.1 was not found");
}

TEST_CASE("a file that is no library says why") {
  const std::string file = std::string(TALWEG_SOURCE_DIR) + "/README.md";
  CHECK(open_with(file).find("-1 no NVIDIA driver: " + file + " cannot be opened: ") == 0);
}

TEST_CASE("the answer is kept: a process asks once") {
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", "libnot-there.so.1"}}, [] {
          const std::string first = count_devices();
          ::setenv("TALWEG_CUDA_DRIVER", FAKE_CUDA, 1);
          return first == count_devices() ? first : "another answer";
        }) == "-1 no NVIDIA driver: libnot-there.so.1 was not found");
}

TEST_CASE("a library that needs another one says which") {
  const std::string said = open_with(LACKING_CUDA);
  CHECK(said.find(std::string("-1 no NVIDIA driver: ") + LACKING_CUDA +
                  " cannot be opened: libfake_cuda.so: ") == 0);
}

TEST_CASE("an empty variable is as good as none") {
  const std::string without = in_child({}, [] {
    ::unsetenv("TALWEG_CUDA_DRIVER");
    return count_devices();
  });
  CHECK(open_with("") == without);
}

TEST_CASE("a driver that is too old") {
  CHECK(open_with(OLD_CUDA) ==
        "-2 the NVIDIA driver, of CUDA 10.2, is too old (talweg needs CUDA 11.4 or later): it has "
        "no cuGetErrorName");
}

TEST_CASE("a driver that finds no device, or cannot start") {
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", FAKE_CUDA}, {"FAKE_CUDA_DEVICES", "0"}}, count_devices) ==
        "100 cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)");
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", FAKE_CUDA}, {"FAKE_CUDA_FAIL", "cuInit:1:803"}},
                 [] {
                   const std::string first = count_devices();
                   return first + ", then " + count_devices();
                 }) ==
        "803 cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (system has unsupported display driver / "
        "cuda driver combination), then 0 1 devices");
}

TEST_CASE("no error is asked for") {
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", "libnot-there.so.1"}}, [] {
          std::int32_t count = 0;
          return std::to_string(talweg_cuda_device_count(&count, nullptr));
        }) == "-1");
}

TEST_CASE("threads that open it at once all get the same driver") {
  const auto open_at_once = [] {
    constexpr int kThreads = 8;
    std::atomic<int> ready = 0;
    std::vector<std::string> said(kThreads);
    std::vector<const talweg_cuda_driver*> drivers(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        for (++ready; ready < kThreads;) std::this_thread::yield();
        said[static_cast<std::size_t>(i)] = count_devices();
        talweg_cuda_open(&drivers[static_cast<std::size_t>(i)], nullptr);
      });
    for (std::thread& thread : threads) thread.join();
    for (int i = 1; i < kThreads; ++i)
      if (said[static_cast<std::size_t>(i)] != said[0] ||
          drivers[static_cast<std::size_t>(i)] != drivers[0])
        return std::string("threads differ");
    return said[0];
  };
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", FAKE_CUDA}, {"FAKE_CUDA_DEVICES", "3"}}, open_at_once) ==
        "0 3 devices");
  CHECK(in_child({{"TALWEG_CUDA_DRIVER", "libnot-there.so.1"}}, open_at_once) ==
        "-1 no NVIDIA driver: libnot-there.so.1 was not found");
}
