// Graph to program: passes, plan, code for the chosen machine (or the object of an earlier run),
// linked into this process.
#include "compiler/driver/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "compiler/codegen/emit_plan.h"
#include "compiler/driver/build_id.h"
#include "compiler/driver/generate.h"
#include "compiler/driver/image_tables.h"
#include "compiler/driver/linked_code.h"
#include "compiler/driver/object_cache.h"
#include "compiler/ir/phases.h"
#include "compiler/ir/text.h"
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
    const support::Status status = program->fill(plan);
    if (!status) return status.failure();
    return program;
  }

  [[nodiscard]] const talweg_image& image() const override { return tables_.image(); }
  [[nodiscard]] bool came_from_cache() const override { return came_from_cache_; }
  void set_came_from_cache() { came_from_cache_ = true; }

 private:
  CompiledProgram(const ir::Graph& graph, const plan::Plan& plan, std::string isa, LinkedCode code)
      : code_(std::move(code)), tables_(graph, plan.compute, std::move(isa)) {}

  template <class Function>
  support::Status set(Function& function, const std::string& symbol) {
    const Result<void*> address = code_.find(symbol);
    if (!address) return address.failure();
    function = reinterpret_cast<Function>(
        *address);  // NOLINT: code that was just generated with this type
    return support::ok();
  }

  void add_domains(const plan::Plan& plan) {
    tables_.add_domains(static_cast<std::uint32_t>(ir::find_domains(plan.graph).size()));
  }

  support::Status fill(const plan::Plan& plan) {
    Kernels kernels;
    support::Status status = find_kernels(plan, codegen::step_symbols(plan), kernels);
    if (!status) return status;
    tables_.set_step(std::move(kernels));
    tables_.set_bound_phases(plan.graph, plan.node_phases);
    add_domains(plan);
    tables_.image().scratch_count = static_cast<std::uint32_t>(plan.scratch.size());
    tables_.image().stream_count += tables_.image().scratch_count;
    for (std::size_t i = 0; i < plan.views.size(); ++i) {
      Kernels view;
      status = find_kernels(plan.views[i], codegen::view_symbols(plan, i), view);
      if (!status) return status;
      tables_.set_view(i, std::move(view));
      add_domains(plan.views[i]);
    }
    status = fill_initials(plan);
    if (!status) return status;
    return set(tables_.image().initial_states, codegen::kInitialStatesSymbol);
  }

  support::Status fill_initials(const plan::Plan& plan) {
    for (std::size_t i = 0; i < plan.graph.states.size(); ++i) {
      if (tables_.image().states[i].initial != TALWEG_INITIAL_KERNELS) continue;
      if (plan.initials.empty() || !plan.initials[i]) {  // which optimisation has found out
        const ir::Graph& graph = plan.graph;
        const bool is_param = graph[graph.states[i].initial].kind == ir::NodeKind::Param;
        tables_.start_without_kernels(i, is_param ? TALWEG_INITIAL_PARAM : TALWEG_INITIAL_SCALAR);
        continue;
      }
      Kernels kernels;
      const support::Status status =
          find_kernels(*plan.initials[i], codegen::initial_symbols(plan, i), kernels);
      if (!status) return status;
      tables_.set_initial(i, std::move(kernels));
      add_domains(*plan.initials[i]);
    }
    return support::ok();
  }

  static talweg_reduction_info info_of(const plan::Plan& plan,
                                       const plan::PlannedReduction& reduction) {
    const bool counts = plan.graph[reduction.node].fold == builtins::Fold::Count;
    const std::uint32_t place =
        counts ? 0 : plan.partials_of(reduction.kind)[reduction.partial].place;
    const bool is_blocks = reduction.kind == plan::PartialKind::LineBlock;
    return reduction_info(plan.graph, reduction.node, reduction.phase, place,
                          is_blocks ? reduction.partial : UINT32_MAX);
  }

  /// The functions of a step, a view or an initial value in the linked code; no name: none.
  support::Status find_kernels(const plan::Plan& plan, const codegen::KernelSymbols& symbols,
                               Kernels& result) {
    const auto count = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
    talweg_kernels& kernels = result.kernels;
    const auto slots = [&](plan::Level level) { return count(plan.slots_of(level)); };
    const auto partials = [&](plan::PartialKind kind) { return count(plan.partials_of(kind)); };
    using enum plan::PartialKind;
    kernels.model_slot_count = slots(plan::Level::Model);
    kernels.group_slot_count = slots(plan::Level::Group);
    kernels.tensor_slot_count = slots(plan::Level::Tensor);
    kernels.matrix_slot_count = slots(plan::Level::Matrix);
    kernels.row_slot_count = slots(plan::Level::Row);
    kernels.col_slot_count = slots(plan::Level::Col);
    kernels.chunk_partial_count = partials(Chunk);
    kernels.group_partial_count = partials(Group);
    kernels.tensor_partial_count = partials(Tensor);
    kernels.matrix_partial_count = partials(Matrix);
    kernels.row_partial_count = partials(LineRow) + partials(Row);
    kernels.col_partial_count = partials(LineBlock) + partials(Col);
    kernels.block_partial_count = partials(LineBlock);
    kernels.end_phase = plan.end_phase;
    kernels.origin_stream =
        plan.origin ? static_cast<std::uint32_t>(plan::stream_count(plan) - plan.scratch.size()) +
                          *plan.origin
                    : UINT32_MAX;
    for (const plan::PlannedReduction& reduction : plan.reductions)
      result.reductions.push_back(info_of(plan, reduction));
    support::Status status = support::ok();
    const auto find = [&](auto& function, const std::string& symbol) {
      if (status && !symbol.empty()) status = set(function, symbol);
    };
    find(kernels.place, symbols.place);
    for (std::size_t i = 0; i < symbols.phases.size(); ++i) {
      talweg_phase& phase = result.phases.emplace_back();
      const auto& levels = symbols.phases[i].levels;
      find(phase.model_scalars, levels[static_cast<std::size_t>(plan::Level::Model)]);
      find(phase.group_scalars, levels[static_cast<std::size_t>(plan::Level::Group)]);
      find(phase.tensor_scalars, levels[static_cast<std::size_t>(plan::Level::Tensor)]);
      find(phase.matrix_scalars, levels[static_cast<std::size_t>(plan::Level::Matrix)]);
      find(phase.row_scalars, levels[static_cast<std::size_t>(plan::Level::Row)]);
      find(phase.col_scalars, levels[static_cast<std::size_t>(plan::Level::Col)]);
      find(phase.lines, symbols.phases[i].lines);
      find(phase.pass, symbols.phases[i].pass);
      phase.says_regrad = plan.phases[i][plan::Level::Model].regrad ? 1 : 0;
      if (!plan.phases[i].pass) continue;
      phase.read_bytes_per_element = plan.phases[i].pass->read_bytes_per_element;
      phase.written_bytes_per_element = plan.phases[i].pass->written_bytes_per_element;
    }
    return status;
  }

  LinkedCode code_;
  ImageTables tables_;
  bool came_from_cache_ = false;
};

/// Everything that decides the bytes of an object, as text; empty if it cannot be known.
std::string cache_key(const plan::Plan& plan, const targets::Target& target) {
  const std::string build = build_id();
  if (build.empty()) return {};
  return fmt::format("talweg build {}\nLLVM {}\nISA {}\n{}\n{}", build,
                     targets::generator_version(), target.name(), ir::print(plan.graph),
                     plan::print(plan));
}

std::optional<ObjectCache> open_cache(const CompileOptions& options) {
  if (!options.use_cache) return {};
  auto folder = cache_folder(options.cache_dir);
  if (!folder) return {};
  return ObjectCache(std::move(*folder));
}

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
    for (const targets::Target* known : targets::all_targets()) names.push_back(known->name());
    return Failure{FailureKind::Usage, fmt::format("unknown instruction set `{}`; known: {}", isa,
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
