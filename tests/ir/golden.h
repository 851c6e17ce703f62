// Tests as text: a file holds a question, a line `// ----`, and the answer expected.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace talweg::tests {

struct Golden {
  std::filesystem::path file;
  std::string question;
  std::string answer;

  /// The rest of the question's line that starts with `// KEY: `; fails the test if there is none.
  [[nodiscard]] std::string setting(const std::string& key) const;
  /// The question as a graph; fails the test if it is none.
  [[nodiscard]] ir::Graph graph() const;
};

/// Asks every file of a folder with this extension and requires the answer it holds. With
/// TALWEG_UPDATE_GOLDENS=1 in the environment, writes the answers given into the files instead.
void check_goldens(const std::filesystem::path& folder, const std::string& extension,
                   const std::function<std::string(const Golden&)>& answer);

}  // namespace talweg::tests
