#include "benchmarks/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

extern char** environ;  // NOLINT: POSIX has it so

namespace talweg::benchmarks {

std::optional<ChildRun> run_child(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words)
    arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: posix_spawn changes nothing
  arguments.push_back(nullptr);
  std::array<int, 2> up{};
  if (pipe2(up.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, up[1], STDOUT_FILENO);

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  pid_t process = -1;
  const int failed =
      posix_spawn(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(up[1]);
  ChildRun run;
  std::array<char, 4096> bytes{};
  for (ssize_t count = 0; failed == 0 && (count = read(up[0], bytes.data(), bytes.size())) > 0;)
    run.output.append(bytes.data(), static_cast<std::size_t>(count));
  close(up[0]);
  int status = 0;
  if (failed != 0 || waitpid(process, &status, 0) != process) return std::nullopt;
  run.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return run;
}

}  // namespace talweg::benchmarks
