// Generated libraries against the JIT: what a call costs with one tensor, 150 and 10,000, the same
// kernels on large arrays, and how large the files are.
//
// Read the counters: `jit_ns` and `library_ns` of a step, and `ratio`, the library's over the
// JIT's. Both are interleaved in one run.
#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <deque>
#include <filesystem>

#include "benchmarks/contest.h"
#include "benchmarks/measure.h"
#include "benchmarks/options.h"
#include "compiler/passes/pass.h"
#include "compiler/standalone/write_package.h"
#include "runtime/standalone/interface.h"

namespace talweg::benchmarks {

namespace {

namespace fs = std::filesystem;

struct LibraryCase {
  const char* name;
  const char* rule;
  bool is_stepped = true;  // else only its size is shown
};
constexpr LibraryCase kCases[] = {
    {"SGD", "SGD"},
    {"AdamW", "AdamW"},
    {"clip, AdamW, Ema", "ClipByGlobalNorm | AdamW | Ema"},
    {"LAMB", "LAMB"},
    {"Adafactor", "Adafactor", false},
};

const std::vector<Layout>& library_layouts() {
  static const std::vector<Layout> all = {
      {"1x64", {64}},
      {"150x64", std::vector<std::size_t>(150, 64)},
      {"10000x64", std::vector<std::size_t>(10'000, 64)},
      {"4M", {4 << 20}},
      {"64M", {64 << 20}},
  };
  return all;
}

/// A folder of this process, removed in the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "talweg-benchmark-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) give_up("cannot make a temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// A rule built as a library called `bench` and opened.
class BuiltLibrary {
 public:
  explicit BuiltLibrary(const std::string& rule) {
    const driver::FrontEnd front_end = analyze(rule);
    const plan::Plan plan =
        plan::make_plan(passes::run_passes(front_end.graph), types::ComputeType::F32);
    const standalone::Library library{"bench", "0", {{"bench", "Bench", &front_end.graph, &plan}}};
    auto files =
        standalone::write_package(library, {&standalone::host_platform()}, {}, folder_.path());
    if (!files) give_up(files.failure().message);
    handle_ = dlopen((folder_.path() / "libbench.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) give_up(dlerror());
  }
  ~BuiltLibrary() { dlclose(handle_); }
  BuiltLibrary(const BuiltLibrary&) = delete;
  BuiltLibrary& operator=(const BuiltLibrary&) = delete;

  template <class Function>
  [[nodiscard]] Function* find(const char* name) const {
    void* address = dlsym(handle_, name);
    if (address == nullptr) give_up(dlerror());
    return reinterpret_cast<Function*>(address);  // NOLINT: of the type that the header says
  }
  [[nodiscard]] std::uintmax_t bytes(const char* file) const {
    return fs::file_size(folder_.path() / file);
  }

 private:
  Folder folder_;
  void* handle_ = nullptr;
};

class LibraryRun {
 public:
  LibraryRun(const BuiltLibrary& library, const Layout& layout, const Memory& memory) {
    std::deque<std::string> names;
    std::vector<talweg_lib_tensor> tensors;
    std::size_t offset = 0;
    for (const std::uint64_t size : layout.sizes) shapes_.push_back(size);
    for (std::size_t i = 0; i < layout.sizes.size(); ++i) {
      talweg_lib_tensor& tensor = tensors.emplace_back();
      tensor = {};
      tensor.name = names.emplace_back(fmt::format("t{}", i)).c_str();
      tensor.shape = &shapes_[i];
      tensor.rank = 1;
      tensor.param = memory.p + offset;
      gradients_.push_back(memory.g + offset);
      offset += layout.sizes[i];
    }
    talweg_lib_spec spec{};
    spec.interface_version = TALWEG_LIB_INTERFACE;
    spec.tensor_count = static_cast<std::uint32_t>(tensors.size());
    spec.tensors = tensors.data();
    using Create =
        talweg_lib_status(const talweg_lib_spec*, talweg_lib_optimizer**, talweg_lib_error*);
    if (library.find<Create>("bench_create")(&spec, &optimizer_, &error_) != TALWEG_LIB_OK)
      give_up(error_.message);
    step_ = library.find<Step>("bench_step");
    destroy_ = library.find<decltype(talweg_lib_destroy)>("bench_destroy");
  }
  ~LibraryRun() { destroy_(optimizer_); }
  LibraryRun(const LibraryRun&) = delete;
  LibraryRun& operator=(const LibraryRun&) = delete;

  void step() {
    if (step_(optimizer_, gradients_.data(), nullptr, &error_) != TALWEG_LIB_OK)
      give_up(error_.message);
  }

 private:
  using Step = talweg_lib_status(talweg_lib_optimizer*, const void* const*, talweg_lib_outcome*,
                                 talweg_lib_error*);
  std::vector<std::uint64_t> shapes_;
  std::vector<const void*> gradients_;
  talweg_lib_error error_{};
  talweg_lib_optimizer* optimizer_ = nullptr;
  Step* step_ = nullptr;
  decltype(talweg_lib_destroy)* destroy_ = nullptr;
};

struct Row {
  std::string what;
  double jit = 0, library = 0;  // nanoseconds of a step
};
std::vector<Row> table;

struct SizeRow {
  std::string name;
  double archive = 0, shared = 0;  // KB
};
std::vector<SizeRow> size_table;

void run_step(benchmark::State& state, const LibraryCase& contest, const Layout& layout,
              const Options& options) {
  const auto pool = std::make_shared<support::ThreadPool>(1);
  const Memory memory(layout.total());
  const BuiltLibrary built(contest.rule);
  TalwegRun jit(contest.rule, layout, memory, pool);
  LibraryRun library(built, layout, memory);
  for (auto _ : state) {
    const auto medians =
        interleaved_medians({timed([&] { jit.step(); }), timed([&] { library.step(); })},
                            {.most_rounds = options.rounds, .seconds = options.cell_seconds});
    const Row row{fmt::format("{} | {}", contest.name, layout.name), *medians[0] * 1e9,
                  *medians[1] * 1e9};
    state.SetIterationTime(*medians[1]);
    state.counters["jit_ns"] = row.jit;
    state.counters["library_ns"] = row.library;
    state.counters["ratio"] = row.library / row.jit;
    table.push_back(row);
  }
}

void run_size(benchmark::State& state, const LibraryCase& contest) {
  for (auto _ : state) {
    const auto medians = interleaved_medians(
        {timed([&] { const BuiltLibrary built(contest.rule); })}, {.most_rounds = 3});
    const BuiltLibrary built(contest.rule);
    const SizeRow row{contest.name, static_cast<double>(built.bytes("libbench.a")) / 1000,
                      static_cast<double>(built.bytes("libbench.so")) / 1000};
    state.SetIterationTime(*medians[0]);
    state.counters["archive_KB"] = row.archive;
    state.counters["shared_KB"] = row.shared;
    size_table.push_back(row);
  }
}

void print_tables() {
  if (!table.empty()) fmt::print("\n| rule | tensors | JIT, ns | library, ns | ratio |\n");
  if (!table.empty()) fmt::print("|---|---|---|---|---|\n");
  for (const Row& row : table)
    fmt::print("| {} | {:.0f} | {:.0f} | {:.2f} |\n", row.what, row.jit, row.library,
               row.library / row.jit);
  if (!size_table.empty()) fmt::print("\n| rule | .a, KB | .so, KB |\n|---|---|---|\n");
  for (const SizeRow& row : size_table)
    fmt::print("| {} | {:.0f} | {:.0f} |\n", row.name, row.archive, row.shared);
}

void run(int argc, char** argv) {
  const Options options = take_options(argc, argv);
  for (const LibraryCase& contest : kCases) {
    for (const Layout& layout : library_layouts())
      if (contest.is_stepped)
        register_one(fmt::format("library/{}/{}", contest.name, layout.name),
                     [&contest, &layout, &options](benchmark::State& state) {
                       run_step(state, contest, layout, options);
                     });
    register_one(fmt::format("size/{}", contest.name),
                 [&contest](benchmark::State& state) { run_size(state, contest); });
  }
  run_registered(options, argc, argv);
  if (options.tables) print_tables();
}

}  // namespace

}  // namespace talweg::benchmarks

int main(int argc, char** argv) { talweg::benchmarks::run(argc, argv); }
