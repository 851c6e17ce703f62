// What talweg says of rules that are wrong, each shown by a file in tests/diagnostics/sema.
#include <catch2/catch.hpp>

#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"
#include "tests/diagnostics/golden.h"

using namespace talweg;

TEST_CASE("messages about wrong rules") {
  const std::filesystem::path folder = TALWEG_SOURCE_DIR "/tests/diagnostics/sema";
  const int wrong =
      test::compare_goldens(folder, [&](const std::filesystem::path& file, base::Sources& sources,
                                        base::Diagnostics& diagnostics) {
        sema::Modules modules({{}, folder / "stdlib"}, sources, diagnostics);
        const base::SourceId id = sources.add(file.filename().string(), test::read_file(file));
        modules.add("m", file, syntax::parse_module(id, sources, diagnostics));
        static_cast<void>(sema::check_module(modules, "m"));
      });
  CHECK(wrong == 0);
}
