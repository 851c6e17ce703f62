#include "tests/gpu/fake_driver/ptx_text.h"

#include <regex>

namespace fake_cuda {

namespace {

std::string without_comments(std::string_view ptx) {
  static const std::regex kComment(R"(//[^\n]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)");
  return std::regex_replace(std::string(ptx), kComment, " ");
}

int count(const std::string& text, std::string_view word) {
  int result = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++result;
  return result;
}

}  // namespace

PtxText read_ptx_text(std::string_view ptx) {
  static const std::regex kVersion(R"(\.version\s+(\d+)\.(\d))");
  static const std::regex kTarget(R"(\.target\s+sm_(\d+))");
  static const std::regex kEntry(R"(\.entry\s+([A-Za-z_$%][\w$]*)\s*(\(([^)]*)\))?)");
  const std::string text = without_comments(ptx);
  PtxText result;
  std::smatch found;
  if (std::regex_search(text, found, kVersion))
    result.version = 10 * std::stoi(found[1]) + std::stoi(found[2]);
  if (std::regex_search(text, found, kTarget)) result.architecture = std::stoi(found[1]);
  for (std::sregex_iterator at(text.begin(), text.end(), kEntry), end; at != end; ++at)
    result.kernels[(*at)[1]] = count((*at)[3], ".param");
  return result;
}

}  // namespace fake_cuda
