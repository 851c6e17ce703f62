// compile(): images, ISAs, the disk cache.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "compiler/driver/build_id.h"
#include "compiler/driver/object_cache.h"
#include "compiler/ir/make_node.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"

namespace talweg::tests {

namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "talweg-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void set_content(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

fs::path only_file(const fs::path& folder) {
  REQUIRE(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
  return fs::directory_iterator(folder)->path();
}

bool compiles_from_cache(const fs::path& folder,
                         types::ComputeType compute = types::ComputeType::F32) {
  driver::CompileOptions options;
  options.compute = compute;
  options.cache_dir = folder;
  const auto program = driver::compile(adamw_graph(), options);
  REQUIRE(program.ok());
  StepSetting setting;
  setting.tensors = {{50}};
  const auto interpreter = driver::make_interpreter(adamw_graph(), compute);
  REQUIRE(first_difference(run_steps(interpreter->image(), setting),
                           run_steps((*program)->image(), setting))
              .empty());
  return (*program)->came_from_cache();
}

}  // namespace

TEST_CASE("an ISA that is unknown is refused by name") {
  driver::CompileOptions options;
  options.isa = "pdp11";
  const auto program = driver::compile(adamw_graph(), options);
  REQUIRE_FALSE(program.ok());
  CHECK(program.failure().kind == support::FailureKind::Usage);
  CHECK(program.failure().message.find("pdp11") != std::string::npos);
  CHECK(program.failure().message.find("x86-64-v3") != std::string::npos);
}

TEST_CASE("the image describes the rule") {
  ir::Graph graph = adamw_graph();
  graph.states[1].initial = graph.add(ir::make_constant(0.25));
  graph.states[0].initial = ir::NodeId(0);
  REQUIRE(graph[ir::NodeId(0)].kind == ir::NodeKind::Hyper);
  const auto program = compile_for(graph, types::ComputeType::F64, "host");
  const talweg_image& image = program->image();
  CHECK(image.abi_version == TALWEG_ABI_VERSION);
  CHECK(image.compute_dtype == TALWEG_F64);
  CHECK(std::string(image.name) == "AdamW");
  CHECK(std::string(image.isa) == isas_here().back());
  REQUIRE(image.hyper_count == 5);
  CHECK(std::string(image.hypers[3].name) == "eps");
  CHECK(image.hypers[3].rounds == 1);
  CHECK(image.hypers[1].rounds == 1);
  CHECK(image.hypers[4].rounds == 0);  // only its product with lr meets arrays
  CHECK(image.hypers[3].bound == 0);
  REQUIRE(image.state_count == 2);
  CHECK(image.states[0].stream == 2);
  CHECK(image.states[1].stream == 3);
  CHECK(image.states[0].initial == TALWEG_INITIAL_SCALAR);
  CHECK(image.states[1].initial == TALWEG_INITIAL_CONSTANT);
  CHECK(image.states[1].initial_value == 0.25);
  CHECK(image.states[1].is_stored == 1);
  CHECK(image.stream_count == 4);
  CHECK(image.uses_gradient == 1);
  REQUIRE(image.step.phase_count == 1);
  CHECK(image.step.phases[0].read_bytes_per_element == 32);
  CHECK(image.step.phases[0].written_bytes_per_element == 24);
}

TEST_CASE("a second compilation comes from the cache") {
  REQUIRE_FALSE(driver::build_id().empty());
  const TemporaryFolder folder;
  CHECK_FALSE(compiles_from_cache(folder.path()));
  CHECK(compiles_from_cache(folder.path()));
  CHECK_FALSE(compiles_from_cache(folder.path(), types::ComputeType::F64));
}

TEST_CASE("a damaged cache entry is compiled again") {
  const TemporaryFolder folder;
  CHECK_FALSE(compiles_from_cache(folder.path()));
  const fs::path entry = only_file(folder.path());
  const std::string good = content(entry);
  const auto damaged = [&](const std::string& text) {
    set_content(entry, text);
    CHECK_FALSE(compiles_from_cache(folder.path()));
    CHECK(compiles_from_cache(folder.path()));
  };
  damaged("");
  damaged("talweg object 1\n");
  damaged(good.substr(0, good.size() / 2));
  damaged(good + "x");
  for (std::size_t at = 0; at < good.size(); at += good.size() / 15) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    damaged(flipped);
  }
}

TEST_CASE("an entry under another key is not used") {
  const TemporaryFolder folder;
  const driver::ObjectCache cache(folder.path());
  cache.store("key one", "object");
  CHECK(cache.find("key one") == "object");
  CHECK_FALSE(cache.find("key two"));
  const fs::path entry = only_file(folder.path());
  cache.store("key two", "other");
  for (const auto& file : fs::directory_iterator(folder.path()))
    if (file.path() != entry)
      fs::copy_file(entry, file.path(), fs::copy_options::overwrite_existing);
  CHECK(cache.find("key one") == "object");
  CHECK_FALSE(cache.find("key two"));
}

TEST_CASE("entries that others may write are not trusted") {
  const TemporaryFolder folder;
  const driver::ObjectCache cache(folder.path());
  cache.store("key", "object");
  fs::permissions(only_file(folder.path()), fs::perms::others_write, fs::perm_options::add);
  CHECK_FALSE(cache.find("key"));
}

TEST_CASE("a cache that cannot be written is as good as none") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  set_content(file, "not a folder");
  CHECK_FALSE(compiles_from_cache(file));
  CHECK_FALSE(compiles_from_cache(file / "below"));
  CHECK(content(file) == "not a folder");
  CHECK_FALSE(compiles_from_cache("/proc/talweg"));
}

TEST_CASE("the cache drops the entries unused longest, and nothing else") {
  const TemporaryFolder folder;
  set_content(folder.path() / "mine.txt", std::string(5000, 'x'));
  const driver::ObjectCache cache(folder.path(), 3500);
  for (int i = 0; i < 3; ++i) {
    cache.store("key " + std::to_string(i), std::string(1000, 'o'));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  REQUIRE(cache.find("key 0"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  cache.store("key 3", std::string(1000, 'o'));
  CHECK(cache.find("key 0"));
  CHECK_FALSE(cache.find("key 1"));
  CHECK(cache.find("key 3"));
  CHECK(fs::exists(folder.path() / "mine.txt"));
}

TEST_CASE("several threads compile and use one cache at once") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (std::size_t i = 0; i < good.size(); ++i)
    threads.emplace_back([&, i] {
      driver::CompileOptions options;
      options.cache_dir = folder.path();
      good[i] = driver::compile(adamw_graph(), options).ok() ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == std::vector<int>(4, 1));
  CHECK(compiles_from_cache(folder.path()));
}

}  // namespace talweg::tests
