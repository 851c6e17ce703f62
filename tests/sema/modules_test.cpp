// Modules: where they are found, what they show, what a session may do.
#include "compiler/sema/modules.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/sema/tw_check.h"

using namespace talweg;
namespace fs = std::filesystem;

namespace {

/// A folder of files that is removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "talweg-modules-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path write(const std::string& name, const std::string& text) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const std::string kRule = "rule A { step { update = grad } }\n";

}  // namespace

TEST_CASE("a module is found beside the importing file, then in directories, then in the stdlib") {
  const Folder folder;
  folder.write("stdlib/other.tw", "rule FromStdlib { step { update = 3 * grad } }\n");
  folder.write("include/other.tw", "rule FromInclude { step { update = 2 * grad } }\n");
  const sema::SearchPath path{{folder.path() / "include"}, folder.path() / "stdlib"};
  const std::string main = "import other\nrule R = other.FromHere\n";
  const fs::path file = folder.path() / "here/main.tw";

  test::Session first(path);
  first.add("main", main, file);
  CHECK_FALSE(first.check("main"));  // the include directory's has no FromHere
  CHECK(first.codes() == "TW0207");

  folder.write("here/other.tw", "rule FromHere { step { update = grad } }\n");
  test::Session second(path);
  second.add("main", main, file);
  CHECK(second.check("main"));
}

TEST_CASE("imported names, own names and the stdlib's") {
  const Folder folder;
  folder.write("stdlib/rules.tw", kRule + "fn double(x) = 2 * x\nlet k = 3\n");
  folder.write("mine.tw", "rule B = A\nrule A { step { update = 5 * grad } }\nlet k = 4\n");
  test::Session session({{folder.path()}, folder.path() / "stdlib"});

  session.add("one", "rule R { step { update = double(k) * grad } }\n");
  CHECK(session.check("one"));
  session.add("two", "import mine: A, B, k\nrule R { step { update = double(k) * grad } }\n");
  CHECK(session.check("two"));
  CHECK(session.text().empty());
  const auto constant = [&](const char* text, const char* from) {
    return session.constant(text, from);
  };
  CHECK(constant("k", "one") == 3.0);
  CHECK(constant("k", "two") == 4.0);
  CHECK(constant("mine.k", "") == 4.0);

  session.add("three", "import mine: A\nrule A { step { update = grad } }\n");
  CHECK_FALSE(session.check("three"));
  CHECK(session.codes() == "TW0204");
}

TEST_CASE("a rule of the stdlib is found in any file, first in the one that is named like it") {
  const Folder folder;
  folder.write("stdlib/all.tw", kRule + "rule TwoWords { step { update = 9 * grad } }\n");
  folder.write("stdlib/two_words.tw", "rule TwoWords { step { update = 2 * grad } }\n");
  folder.write("stdlib/sgdx.tw", "rule SGDx { step { update = grad } }\n");
  folder.write("stdlib/b.tw", "rule Other { step { update = grad } }\n");
  folder.write("stdlib/c.tw", "rule B { step { update = grad } }\n");
  const fs::path stdlib = folder.path() / "stdlib";
  CHECK(sema::find_likely_file(stdlib, "TwoWords") == stdlib / "two_words.tw");
  CHECK(sema::find_likely_file(stdlib, "SGDx") == stdlib / "sgdx.tw");
  CHECK_FALSE(sema::find_likely_file(stdlib, "B"));
  for (const bool indexed : {false, true}) {
    test::Session session({{}, stdlib});
    if (indexed) REQUIRE(session.resolve("A"));
    for (const char* rule : {"A", "B", "TwoWords", "SGDx", "Other"}) CHECK(session.resolve(rule));
    CHECK(session.text().empty());
  }
}

TEST_CASE("no name of the library is declared twice") {
  const fs::path stdlib = TALWEG_SOURCE_STDLIB;
  int found_by_name = 0;
  for (const auto& [name, file] : sema::scan_stdlib(stdlib)) {
    const auto likely = sema::find_likely_file(stdlib, name);
    CHECK((!likely || *likely == file));
    found_by_name += likely ? 1 : 0;
  }
  CHECK(found_by_name >= 60);
}

TEST_CASE("a pipeline finds a module by its path") {
  const Folder folder;
  folder.write("mine.tw", "rule Clipped { step { grad = clip(grad, -1, 1) } }\n");
  folder.write("broken.tw", "rule Clipped { step { grad = clip(grad, -1, } }\n");
  folder.write("wrong.tw", "rule Clipped { step { grad = nowhere } }\n");
  folder.write("stdlib/rules.tw", kRule);
  test::Session session({{folder.path()}, folder.path() / "stdlib"});
  const auto rule = session.resolve("mine.Clipped | A");
  REQUIRE(rule);
  CHECK(rule->name == "mine.Clipped | A");
  CHECK(rule->stages.size() == 2);
  CHECK_FALSE(session.resolve("broken.Clipped | A"));
  CHECK(session.text().find("broken.tw:1") != std::string::npos);
  session.forget();
  CHECK_FALSE(session.resolve("broken.Clipped | A"));  // said once, wrong twice
  session.forget();
  CHECK_FALSE(session.resolve("wrong.Clipped | A"));
  CHECK(session.text().find("wrong.tw:1") != std::string::npos);
  session.forget();
  CHECK_FALSE(session.resolve("nothing.Clipped | A"));
  CHECK(session.codes() == "TW0206");
  CHECK(session.text().find("nothing.tw") != std::string::npos);
}

TEST_CASE("an error of linking counts in every check") {
  test::Session session;
  session.add("m", "import nowhere\n" + kRule);
  CHECK_FALSE(session.check("m"));
  CHECK_FALSE(session.check("m"));
  CHECK_FALSE(session.resolve("A", "m"));
}

TEST_CASE("a session may define a module anew") {
  test::Session session;
  session.add("a", "let k = 1\n");
  session.add("b", "import a\nfn f(x) = a.k * x\n");
  CHECK(session.check("b"));
  CHECK(session.constant("f(10)", "b") == 10.0);
  session.add("a", "let k = 2\n");
  CHECK(session.constant("f(10)", "b") == 20.0);
  session.add("a", "let other = 2\n");
  CHECK_FALSE(session.constant("f(10)", "b"));
}

TEST_CASE("what a module declares") {
  base::Sources sources;
  base::Diagnostics diagnostics;
  const base::SourceId id = sources.add(
      "m", "fn f(x) = x\n" + kRule + "let k = 1\nrule B = A\nrule C { view half = param / 2 }\n");
  const auto names = sema::declared_names(syntax::parse_module(id, sources, diagnostics));
  CHECK(names.rules == std::vector<std::string>{"A", "B", "C"});
  CHECK(names.views == std::vector<std::string>{"C.half"});
  CHECK(names.functions == std::vector<std::string>{"f"});
}

TEST_CASE("every rule and function of the stdlib is without error or warning") {
  const fs::path stdlib = TALWEG_SOURCE_DIR "/stdlib";
  int count = 0;
  for (const auto& entry : fs::directory_iterator(stdlib)) {
    if (entry.path().extension() != ".tw") continue;
    ++count;
    std::ifstream in(entry.path());
    test::Session session({{}, stdlib});
    session.add("m", {std::istreambuf_iterator<char>(in), {}}, entry.path());
    INFO(entry.path());
    CHECK(session.check("m"));
    CHECK(session.text() == "");
  }
  CHECK(count > 0);
}
