#include "tests/diagnostics/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "compiler/base/diagnostic_render.h"

namespace talweg::test {

namespace fs = std::filesystem;

std::string snake_case(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !result.empty()) result += '_';
    result += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool matches_golden(const fs::path& expected, const std::string& text) {
  if (std::getenv("TALWEG_UPDATE_GOLDENS") != nullptr) {
    std::ofstream(expected, std::ios::binary) << text;
    return true;
  }
  if (!fs::exists(expected)) {
    std::cerr << expected << ": missing; run with TALWEG_UPDATE_GOLDENS=1 to write it\n";
    return false;
  }
  const std::string wanted = read_file(expected);
  if (wanted == text) return true;
  std::cerr << expected << " differs.\n--- expected\n" << wanted << "--- got\n" << text << "---\n";
  return false;
}

namespace {

std::string without(std::string text, const std::string& part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
  return text;
}

/// True if a diagnostic of the kind that the file's name begins with was reported.
bool keeps_promise(const fs::path& file, const base::Diagnostics& diagnostics) {
  const std::string name = file.stem().string();
  return std::any_of(diagnostics.all().begin(), diagnostics.all().end(),
                     [&](const base::Diagnostic& diagnostic) {
                       const std::string kind = snake_case(base::info(diagnostic.kind).name);
                       return name == kind || name.starts_with(kind + "_");
                     });
}

}  // namespace

int compare_goldens(const fs::path& folder, const Checker& check) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".tw") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  int wrong = 0;
  if (files.empty()) {
    std::cerr << folder << " holds no .tw file\n";
    ++wrong;
  }
  for (const fs::path& file : files) {
    base::Sources sources;
    base::Diagnostics diagnostics;
    check(file, sources, diagnostics);
    if (!keeps_promise(file, diagnostics)) {
      std::cerr << file << ": no diagnostic of the kind its name begins with\n";
      ++wrong;
    }
    const std::string text =
        without(base::render_text(diagnostics, sources, false), folder.string() + "/");
    if (!matches_golden(fs::path(file).replace_extension(".expected"), text)) ++wrong;
  }
  return wrong;
}

}  // namespace talweg::test
