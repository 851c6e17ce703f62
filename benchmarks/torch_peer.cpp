#include "benchmarks/torch_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace talweg::benchmarks {

std::unique_ptr<TorchPeer> TorchPeer::start(const std::string& python) {
  std::string interpreter = python, script = TALWEG_TORCH_PEER;
  const std::array<char*, 3> arguments = {interpreter.data(), script.data(), nullptr};
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
  const auto version = peer->answer();
  if (!version) return nullptr;
  peer->version_ = *version;
  return peer;
}

TorchPeer::~TorchPeer() {
  close(to_);
  close(from_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

bool TorchPeer::ask(const std::string& line) const {
  const std::string text = line + "\n";
  return write(to_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<std::string> TorchPeer::answer() const {
  std::string line;
  char byte = 0;
  while (read(from_, &byte, 1) == 1) {
    if (byte == '\n') return line;
    line += byte;
  }
  return std::nullopt;
}

std::optional<std::vector<float>> TorchPeer::parameters_after(const std::string& rule, int steps,
                                                              std::size_t elements) {
  if (!ask("check " + rule + " " + std::to_string(steps) + " " + std::to_string(elements)))
    return std::nullopt;
  const auto line = answer();
  if (!line || *line == "none") return std::nullopt;
  std::vector<float> values;
  const char* at = line->c_str();
  for (char* end = nullptr;; at = end) {
    const float value = std::strtof(at, &end);
    if (end == at) break;
    values.push_back(value);
  }
  return values;
}

bool TorchPeer::begin(const std::string& rule, std::size_t threads,
                      const std::vector<std::size_t>& sizes) {
  std::string line = "begin " + rule + " " + std::to_string(threads);
  for (const std::size_t size : sizes) line += " " + std::to_string(size);
  threads_ = threads;
  has_begun_ = ask(line) && answer() == "ready";
  return has_begun_;
}

void TorchPeer::end() {
  // Waits for the answer: then the memory is free.
  if (has_begun_ && ask("end")) static_cast<void>(answer());
  has_begun_ = false;
}

std::optional<double> TorchPeer::steps(int repeats) {
  if (!has_begun_ || !ask("steps " + std::to_string(repeats))) return std::nullopt;
  const auto seconds = answer();
  if (!seconds) return std::nullopt;
  // Its threads go on spinning for a while; who comes next shall not pay for that.
  constexpr auto kRest = std::chrono::milliseconds(5);
  if (threads_ > 1) std::this_thread::sleep_for(kRest);
  return std::strtod(seconds->c_str(), nullptr);
}

Torches start_torches() {
  const char* named = std::getenv("TALWEG_TORCH_PYTHON");
  std::istringstream words(named != nullptr ? named : "/usr/bin/python3");
  Torches torches;
  for (std::string word; std::getline(words, word, ':');)
    if (auto torch = TorchPeer::start(word)) torches.push_back(std::move(torch));
  return torches;
}

}  // namespace talweg::benchmarks
