// Node, which runs WebAssembly in tests, and a folder for what it reads.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "runtime/support/file_io.h"

namespace talweg::tests {

/// Ends the program, as skipped, where there is no node.
inline void need_node() {
  constexpr int kSkipped = 77;  // as the tests are registered
  if (std::system("node --version > /dev/null 2>&1") == 0) return;
  std::cout << "skipped: there is no node to run WebAssembly with\n";
  std::exit(kSkipped);
}

/// Runs a script beside this file with one argument; whether it ended with 0.
inline bool run_node(const std::string& script, const std::filesystem::path& argument) {
  std::cout.flush();
  const std::string command = "node '" TALWEG_SOURCE_DIR "/tests/standalone/wasm/" + script +
                              "' '" + argument.string() + "'";
  return std::system(command.c_str()) == 0;
}

/// An empty folder, removed in the end.
class TestFolder {
 public:
  explicit TestFolder(const std::string& name)
      : path_(std::filesystem::current_path() / ("wasm_" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& bytes) const {
    REQUIRE(support::write_file_atomically(path_ / name, bytes).ok());
  }

 private:
  std::filesystem::path path_;
};

}  // namespace talweg::tests
