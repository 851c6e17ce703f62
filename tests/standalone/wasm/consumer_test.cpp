// An archive for wasm32 in a C program, whose C library is that of modules.
#include <deque>

#include "compiler/driver/compile.h"
#include "compiler/passes/pass.h"
#include "compiler/standalone/package.h"
#include "compiler/standalone/write_package.h"
#include "tests/ir/compile_text.h"
#include "tests/standalone/wasm/node.h"

namespace talweg::tests {

namespace {

std::string contents(const std::filesystem::path& file) {
  const auto text = support::read_file(file);
  REQUIRE(text.ok());
  return *text;
}

/// What a library is made of.
struct Built {
  std::deque<ir::Graph> graphs;
  std::deque<plan::Plan> plans;
  std::vector<standalone::LibraryRule> rules;

  void add(const std::string& name, const std::string& expression, const std::string& text = {}) {
    const ir::Graph& graph = graphs.emplace_back(graph_of_rule(expression, text));
    plans.push_back(plan::make_plan(passes::run_passes(graph), types::ComputeType::F32));
    rules.push_back({"more_" + name, name, &graph, &plans.back()});
  }
};

/// Keeps its inputs of matrices, rows and columns as states.
std::string lines_rule(const std::string& split) {
  return "rule Lines {\n  matrix (" + split + R"rule()
  input model loss
  input group boost
  input tensor factor
  input matrix sharp
  input row seen
  input col wide
  state matrix bend
  state row r
  state col c
  step {
    if rank >= 2 {
      bend = sharp
      r = seen
      c = wide
      update = loss * boost * factor * grad * (bend + r + c)
    } else {
      update = loss * boost * factor * grad
    }
  }
}
)rule";
}

}  // namespace

TEST_CASE("a C program for WebAssembly links a library's archive") {
  need_node();
  const TestFolder folder("consumer");
  const ir::Graph graph = graph_of_rule("AdamW");
  const plan::Plan plan = plan::make_plan(passes::run_passes(graph), types::ComputeType::F32);
  const standalone::Library library{"adamw", "test", {{"adamw", "AdamW", &graph, &plan}}};
  const standalone::Platform& platform = *standalone::find_platform("wasm32");
  const auto written = standalone::write_package(library, {&platform}, {true, true}, folder.path());
  if (!written) FAIL(written.failure().message);
  folder.write("math.h", "#define INFINITY __builtin_inff()\n#define NAN __builtin_nanf(\"\")\n");

  const std::string path = folder.path().string();
  const std::string command =
      "'" TALWEG_CLANG
      "' --target=wasm32-unknown-unknown -std=c11 -O2 -Wall -Wextra -Werror "
      "-nostdlibinc -I'" +
      path +
      "' -c '" TALWEG_SOURCE_DIR
      "/tests/standalone/wasm/consumer.c' "
      "-o '" +
      path + "/consumer.o'";
  REQUIRE(std::system(command.c_str()) == 0);
  const auto linked =
      standalone::link_wasm({{"consumer.o", contents(folder.path() / "consumer.o")},
                             {"libadamw.a", contents(folder.path() / "libadamw.a")}},
                            {"run"}, platform);
  if (!linked) FAIL(linked.failure().message);
  folder.write("consumer.wasm", *linked);
  CHECK(run_node("consumer.mjs", folder.path()));

  Built built;
  built.add("sam", "SAM | SGD");
  built.add("adahessian", "AdaHessian");
  built.add("averaged", "SGD | Ema(decay = 0.5)");
  built.add("first", "m.Lines", lines_rule("0 | rest"));
  built.add("last", "m.Lines", lines_rule("last two"));
  built.add("largest", "m.Lines", lines_rule("two largest"));
  const standalone::Library more{"more", "test", built.rules};
  const auto more_written =
      standalone::write_package(more, {&platform}, {false, true}, folder.path());
  if (!more_written) FAIL(more_written.failure().message);
  CHECK(run_node("binding.mjs", folder.path()));
}

TEST_CASE("null pointers share memory with nothing, at however small addresses") {
  need_node();
  const TestFolder folder("null");
  const ir::Graph graph = graph_of_rule("m.Decay",
                                        "rule Decay { hyper rate = 0.1 in [0, 1); state count\n"
                                        "  step { count = count + 1; param -= rate * param } }");
  const plan::Plan plan = plan::make_plan(passes::run_passes(graph), types::ComputeType::F32);
  const standalone::Library library{"decay", "test", {{"decay", "Decay", &graph, &plan}}};
  const standalone::Platform& platform = *standalone::find_platform("wasm32");
  const auto written =
      standalone::write_package(library, {&platform}, {false, true}, folder.path());
  if (!written) FAIL(written.failure().message);
  CHECK(run_node("null.mjs", folder.path()));
}

}  // namespace talweg::tests
