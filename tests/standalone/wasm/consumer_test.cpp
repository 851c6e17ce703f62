// An archive for wasm32 in a C program, whose C library is that of modules.
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

  const ir::Graph sam = graph_of_rule("SAM | SGD");
  const plan::Plan sam_plan = plan::make_plan(passes::run_passes(sam), types::ComputeType::F32);
  const ir::Graph hessian = graph_of_rule("AdaHessian");
  const plan::Plan hessian_plan =
      plan::make_plan(passes::run_passes(hessian), types::ComputeType::F32);
  const standalone::Library more{"more",
                                 "test",
                                 {{"more_sam", "sam", &sam, &sam_plan},
                                  {"more_adahessian", "adahessian", &hessian, &hessian_plan}}};
  const auto more_written =
      standalone::write_package(more, {&platform}, {false, true}, folder.path());
  if (!more_written) FAIL(more_written.failure().message);
  CHECK(run_node("binding.mjs", folder.path()));
}

}  // namespace talweg::tests
