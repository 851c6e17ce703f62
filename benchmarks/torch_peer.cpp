#include "benchmarks/torch_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace talweg::benchmarks {

std::unique_ptr<TorchPeer> TorchPeer::start(const std::string& rule, std::size_t threads,
                                            const std::vector<std::size_t>& sizes) {
  const char* named = std::getenv("TALWEG_TORCH_PYTHON");
  std::vector<std::string> words = {named ? named : "python3", TALWEG_TORCH_PEER, rule,
                                    std::to_string(threads)};
  for (const std::size_t size : sizes) words.push_back(std::to_string(size));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> down{}, up{};
  if (pipe2(down.data(), O_CLOEXEC) != 0 || pipe2(up.data(), O_CLOEXEC) != 0) return nullptr;
  std::signal(SIGPIPE, SIG_IGN);
  const int process = fork();
  if (process == 0) {
    dup2(down[0], STDIN_FILENO);
    dup2(up[1], STDOUT_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  std::unique_ptr<TorchPeer> peer(new TorchPeer);
  peer->to_ = down[1];
  peer->from_ = up[0];
  peer->process_ = process;
  const auto ready = peer->answer();
  if (!ready || !ready->starts_with("ready ")) return nullptr;
  peer->kind_ = ready->substr(6);
  return peer;
}

TorchPeer::~TorchPeer() {
  close(to_);
  close(from_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

std::optional<std::string> TorchPeer::answer() {
  std::string line;
  char byte = 0;
  while (read(from_, &byte, 1) == 1) {
    if (byte == '\n') return line;
    line += byte;
  }
  return std::nullopt;
}

std::optional<double> TorchPeer::steps(int repeats) {
  const std::string line = std::to_string(repeats) + "\n";
  if (write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return std::nullopt;
  const auto seconds = answer();
  if (!seconds) return std::nullopt;
  return std::strtod(seconds->c_str(), nullptr);
}

}  // namespace talweg::benchmarks
