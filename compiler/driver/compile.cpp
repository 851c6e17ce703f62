// Graph to program: passes, plan, code for the chosen machine (or the object of an earlier run),
// linked into this process.
#include "compiler/driver/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "compiler/driver/code_cache.h"
#include "compiler/driver/fill_image.h"
#include "compiler/driver/generate.h"
#include "compiler/driver/image_tables.h"
#include "compiler/driver/linked_code.h"
#include "compiler/passes/pass.h"
#include "compiler/targets/target.h"

namespace talweg::driver {

namespace {

using support::Failure;
using support::FailureKind;
using support::Result;

class CompiledProgram final : public Program {
 public:
  /// Links `object`, compiled from `plan`; `graph` is the graph before optimisation.
  static Result<std::shared_ptr<CompiledProgram>> make(const ir::Graph& graph,
                                                       const plan::Plan& plan, std::string_view isa,
                                                       std::string_view object) {
    auto code = LinkedCode::link(object);
    if (!code) return code.failure();
    auto program = std::shared_ptr<CompiledProgram>(
        new CompiledProgram(graph, plan, std::string(isa), std::move(*code)));
    const auto find = [&](const std::string& symbol) { return program->code_.find(symbol); };
    const support::Status status = fill_image(program->tables_, plan, find);
    if (!status) return status.failure();
    return program;
  }

  [[nodiscard]] const talweg_image& image() const override { return tables_.image(); }
  [[nodiscard]] bool came_from_cache() const override { return came_from_cache_; }
  void set_came_from_cache() { came_from_cache_ = true; }

 private:
  CompiledProgram(const ir::Graph& graph, const plan::Plan& plan, std::string isa, LinkedCode code)
      : code_(std::move(code)), tables_(graph, plan.compute, std::move(isa)) {}

  LinkedCode code_;
  ImageTables tables_;
  bool came_from_cache_ = false;
};

}  // namespace

Result<const targets::Target*> choose_target(const std::string& isa) {
  if (isa == "host") {
    if (const targets::Target* target = targets::host_target()) return target;
    return Failure{FailureKind::Usage,
                   "no code can be generated for this processor (it needs x86-64-v2 at least); "
                   "use the interpreter"};
  }
  const targets::Target* target = targets::find_target(isa);
  if (target == nullptr) {
    std::vector<std::string_view> names{"host"};
    for (const targets::Target* known : targets::all_targets())
      if (known->runs_here()) names.push_back(known->name());
    return Failure{FailureKind::Usage, fmt::format("unknown instruction set `{}`; here are {}", isa,
                                                   fmt::join(names, ", "))};
  }
  if (!target->runs_here())
    return Failure{FailureKind::Usage, fmt::format("this machine cannot run code for `{}`", isa)};
  return target;
}

Result<std::shared_ptr<Program>> compile(const ir::Graph& graph, const CompileOptions& options) {
  if (options.backend == Backend::Interpreter) return make_interpreter(graph, options.compute);
  const Result<const targets::Target*> chosen = choose_target(options.isa);
  if (!chosen) return chosen.failure();
  const targets::Target& target = **chosen;
  const plan::Plan plan = plan::make_plan(passes::run_passes(graph), options.compute);

  const std::optional<ObjectCache> cache = open_cache(options);
  const std::string key = cache ? cache_key(plan, target) : std::string();
  if (!key.empty()) {
    if (const auto object = cache->find(key)) {
      auto program = CompiledProgram::make(graph, plan, target.name(), *object);
      if (program) {
        (*program)->set_came_from_cache();
        return std::shared_ptr<Program>(std::move(*program));
      }
    }
  }
  const std::string object = generate(plan, target, targets::CodeKind::Object);
  auto program = CompiledProgram::make(graph, plan, target.name(), object);
  if (!program) return program.failure();
  if (!key.empty()) cache->store(key, object);
  return std::shared_ptr<Program>(std::move(*program));
}

}  // namespace talweg::driver
