#include "tests/ir/golden.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "compiler/ir/text.h"

namespace talweg::tests {

namespace {

constexpr std::string_view kSeparator = "// ----\n";

Golden load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto separator = text.find(kSeparator);
  if (separator == std::string::npos) return {.file = file, .question = text, .answer = {}};
  return {.file = file,
          .question = text.substr(0, separator),
          .answer = text.substr(separator + kSeparator.size())};
}

}  // namespace

std::string Golden::setting(const std::string& key) const {
  const std::string prefix = "// " + key + ": ";
  const auto begin = question.find(prefix);
  INFO(file);
  REQUIRE(begin != std::string::npos);
  const auto end = question.find('\n', begin);
  return question.substr(begin + prefix.size(), end - begin - prefix.size());
}

ir::Graph Golden::graph() const {
  auto result = ir::read_graph(question);
  if (const auto* error = std::get_if<ir::ReadError>(&result))
    FAIL(file.string() << ":" << error->line << ":" << error->column << ": " << error->message);
  return std::get<ir::Graph>(std::move(result));
}

void check_goldens(const std::filesystem::path& folder, const std::string& extension,
                   const std::function<std::string(const Golden&)>& answer) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  const bool updates = std::getenv("TALWEG_UPDATE_GOLDENS") != nullptr;
  for (const std::filesystem::path& file : files) {
    const Golden golden = load(file);
    const std::string given = answer(golden);
    if (updates) {
      std::ofstream(file, std::ios::binary) << golden.question << kSeparator << given;
      continue;
    }
    INFO(file.string() << " (TALWEG_UPDATE_GOLDENS=1 accepts what is given now)");
    CHECK(given == golden.answer);
  }
}

}  // namespace talweg::tests
