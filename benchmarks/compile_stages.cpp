#include "benchmarks/compile_stages.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "compiler/codegen/emit_plan.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/generate.h"
#include "compiler/driver/linked_code.h"
#include "compiler/ir/build_graph.h"
#include "compiler/passes/pass.h"
#include "compiler/syntax/parse.h"

namespace talweg::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "benchmark: {}\n", why);
  std::exit(1);
}

/// What an analysis needs around it.
struct Text {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules{{{}, driver::find_stdlib()}, sources, diagnostics};
};

double compile_once(const std::string& rule, const std::filesystem::path& cache) {
  const auto start = Clock::now();
  Text text;
  const auto front_end = driver::analyze_rule(text.modules, text.sources, text.diagnostics, rule);
  if (!front_end) give_up("the rule '" + rule + "' does not compile");
  driver::CompileOptions options;
  options.use_cache = !cache.empty();
  options.cache_dir = cache;
  const auto program = driver::compile(front_end->graph, options);
  if (!program) give_up(program.failure().message);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The greatest memory of this process, in bytes. (Not getrusage: that counts the parent's too.)
double peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) * 1024;
  return 0;
}

/// Prints the time since the last call, or since it was made.
class Stopwatch {
 public:
  void print(const char* stage) {
    const auto now = Clock::now();
    fmt::print("{} {}\n", stage, std::chrono::duration<double>(now - last_).count());
    last_ = Clock::now();
  }

 private:
  Clock::time_point last_ = Clock::now();
};

}  // namespace

void print_latency(const std::string& rule, const std::filesystem::path& cache) {
  fmt::print("ready {}\n", compile_once(rule, cache));
  fmt::print("bytes {}\n", peak_bytes());
  fmt::print("again {}\n", compile_once(rule, cache));
}

void print_stages(const std::string& rule, const std::vector<std::string>& modules) {
  Text text;
  Stopwatch watch;
  for (const std::string& file : modules) {
    std::ostringstream content;
    content << std::ifstream(file).rdbuf();
    const base::SourceId id = text.sources.add(file, content.str());
    text.modules.add(std::filesystem::path(file).stem().string(), file,
                     syntax::parse_module(id, text.sources, text.diagnostics));
  }
  const base::SourceId id = text.sources.add("--rule", rule);
  const syntax::Module pipeline = syntax::parse_pipeline(id, text.sources, text.diagnostics);
  watch.print("parse");
  const auto typed = sema::resolve_pipeline(text.modules, {}, pipeline);
  if (!typed) give_up("the rule '" + rule + "' does not compile");
  watch.print("check");
  ir::Graph graph = ir::build_graph(*typed, text.diagnostics);
  watch.print("graph");
  graph = passes::run_passes(std::move(graph));
  watch.print("passes");
  const plan::Plan plan = plan::make_plan(std::move(graph), types::ComputeType::F32);
  watch.print("plan");
  const targets::Target& target = **driver::choose_target("host");
  llvm::LLVMContext context;
  llvm::Module module(plan.graph.name, context);
  target.prepare(module);
  codegen::emit_plan(module, plan, target.shape(), target.modes());
  watch.print("emit");
  if (llvm::verifyModule(module)) give_up("LLVM refuses the code that was emitted");
  watch.print("verify");
  const std::string object = target.generate(module, targets::CodeKind::Object);
  watch.print("generate");
  const auto linked = driver::LinkedCode::link(object);
  for (const codegen::PhaseSymbols& phase : codegen::step_symbols(plan).phases)
    if (!linked || (!phase.pass.empty() && !linked->find(phase.pass)))
      give_up("the object does not link");
  watch.print("link");
  fmt::print("object {}\n", object.size());
}

void print_modules(const std::string& rule) {
  Text text;
  if (!driver::analyze_rule(text.modules, text.sources, text.diagnostics, rule))
    give_up("the rule '" + rule + "' does not compile");
  for (const base::Source& source : text.sources.all())
    if (std::filesystem::exists(source.name())) fmt::print("{}\n", source.name());
}

}  // namespace talweg::benchmarks
