// What the kernels load and store while they run is what the plan says they do: each array that a
// pass reads or writes for a tensor, each of its elements once, and no other.
//
// The emitted functions of passes are given a call before every load and store, that notes its
// address; then the optimizer makes steps with them.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

#include "compiler/codegen/emit_plan.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/linked_code.h"
#include "compiler/passes/pass.h"
#include "compiler/targets/target.h"
#include "runtime/optimizer/optimizer.hpp"
#include "tests/ir/compile_text.h"

namespace talweg::tests {

namespace {

struct Shape {
  const char* name;
  std::vector<std::uint64_t> sizes;
  std::size_t count;
};
const std::vector<Shape> kShapes = {
    {"w", {9, 7}, 63}, {"w.bias", {37}, 37}, {"cube", {3, 5, 4}, 60}, {"scale", {11}, 11}};

/// Who touched what in one call of an optimizer.
class Recorder {
 public:
  struct Place {
    std::size_t pass, tensor, stream;
    bool is_store;
    auto operator<=>(const Place&) const = default;
  };

  Recorder(std::size_t stream_count, std::size_t element_size)
      : stream_count_(stream_count), element_size_(element_size) {}

  static void begin(std::size_t pass, const talweg_pass_args* args) {
    current->pass_ = pass;
    current->args_ = *args;  // the runtime may keep it for this call only
  }
  static void load(const char* address, std::uint64_t size) { current->note(address, size, false); }
  static void store(const char* address, std::uint64_t size) { current->note(address, size, true); }

  /// How often each element of an array was touched; nothing if none was.
  [[nodiscard]] const std::vector<int>* counts(const Place& place) const {
    const auto found = counts_.find(place);
    return found == counts_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::uint32_t route(std::size_t tensor) const {
    return args_.tensor_routes == nullptr ? 0 : args_.tensor_routes[tensor];
  }
  void clear() { counts_.clear(); }

  static Recorder* current;

 private:
  /// Notes an access if it is to an array of a tensor.
  void note(const char* address, std::uint64_t size, bool is_store) {
    for (std::size_t tensor = 0; tensor < kShapes.size(); ++tensor)
      for (std::size_t stream = 0; stream < stream_count_; ++stream) {
        const auto* start =
            static_cast<const char*>(args_.pointers[tensor * stream_count_ + stream]);
        const std::size_t bytes = kShapes[tensor].count * element_size_;
        if (start == nullptr || address < start || address >= start + bytes) continue;
        auto& counts = counts_[{pass_, tensor, stream, is_store}];
        counts.resize(kShapes[tensor].count);
        const auto first = static_cast<std::size_t>(address - start) / element_size_;
        for (std::size_t i = 0; i < size / element_size_; ++i) ++counts.at(first + i);
      }
  }

  std::size_t stream_count_, element_size_;
  std::size_t pass_ = 0;
  talweg_pass_args args_{};
  std::map<Place, std::vector<int>> counts_;
};
Recorder* Recorder::current = nullptr;

void insert_call(llvm::IRBuilder<>& ir, const void* function,
                 std::initializer_list<llvm::Value*> arguments) {
  auto* type = llvm::FunctionType::get(
      ir.getVoidTy(), {arguments.begin()[0]->getType(), arguments.begin()[1]->getType()}, false);
  auto* address = ir.getInt64(reinterpret_cast<std::uint64_t>(function));
  ir.CreateCall(type, ir.CreateIntToPtr(address, ir.getPtrTy()), arguments);
}

/// Makes a function of a pass tell the recorder what it does.
void instrument(llvm::Function& function, std::size_t pass) {
  std::vector<llvm::Instruction*> accesses;
  for (llvm::Instruction& instruction : llvm::instructions(function))
    if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction)) accesses.push_back(&instruction);
  const llvm::DataLayout& layout = function.getParent()->getDataLayout();
  for (llvm::Instruction* access : accesses) {
    llvm::IRBuilder<> ir(access);
    const auto* hook = llvm::isa<llvm::StoreInst>(access)
                           ? reinterpret_cast<const void*>(&Recorder::store)
                           : reinterpret_cast<const void*>(&Recorder::load);
    const std::uint64_t size = layout.getTypeStoreSize(llvm::getLoadStoreType(access));
    insert_call(ir, hook, {llvm::getLoadStorePointerOperand(access), ir.getInt64(size)});
  }
  llvm::IRBuilder<> ir(&*function.getEntryBlock().getFirstInsertionPt());
  insert_call(ir, reinterpret_cast<const void*>(&Recorder::begin),
              {ir.getInt64(pass), function.getArg(1)});
}

struct NumberedPass {
  const plan::ElementPass* pass;
  bool is_over_lines;
};

/// A rule's optimizer whose passes are watched.
struct Watched {
  plan::Plan plan;
  std::vector<NumberedPass> passes;
  std::shared_ptr<driver::Program> program;
  std::optional<driver::LinkedCode> code;
  std::vector<talweg_phase> phases;
  talweg_image image{};

  explicit Watched(const ir::Graph& graph, types::ComputeType compute)
      : plan(plan::make_plan(passes::run_passes(graph), compute)) {
    driver::CompileOptions options;
    options.compute = compute;
    options.isa = "scalar";
    options.use_cache = false;
    const auto compiled = driver::compile(graph, options);
    REQUIRE(compiled.ok());
    program = *compiled;
    image = program->image();
    phases.assign(image.step.phases, image.step.phases + image.step.phase_count);
    image.step.phases = phases.data();
    link_watched();
  }

 private:
  void link_watched() {
    const targets::Target& target = *targets::find_target("scalar");
    llvm::LLVMContext context;
    llvm::Module module("traffic", context);
    target.prepare(module);
    codegen::emit_plan(module, plan, target.shape(), target.modes());
    const codegen::KernelSymbols symbols = codegen::step_symbols(plan);
    const auto watch = [&](const std::string& symbol, const plan::ElementPass& pass, bool lines) {
      llvm::Function* body = module.getFunction(symbol + ".body");
      REQUIRE(body != nullptr);
      instrument(*body, passes.size());
      passes.push_back({&pass, lines});
    };
    for (std::size_t i = 0; i < plan.phases.size(); ++i) {
      if (plan.phases[i].lines) watch(symbols.phases[i].lines, *plan.phases[i].lines, true);
      if (plan.phases[i].pass) watch(symbols.phases[i].pass, *plan.phases[i].pass, false);
    }
    auto linked = driver::LinkedCode::link(target.generate(module, targets::CodeKind::Object));
    REQUIRE(linked.ok());
    code.emplace(std::move(*linked));
    const auto replace = [&](auto& function, const std::string& symbol) {
      if (function == nullptr) return;
      const auto found = code->find(symbol);
      REQUIRE(found.ok());
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(*found);
    };
    for (std::size_t i = 0; i < phases.size(); ++i) {
      replace(phases[i].lines, symbols.phases[i].lines);
      replace(phases[i].pass, symbols.phases[i].pass);
    }
  }
};

/// True if a version of the route reads and writes the arrays that were touched.
bool is_planned(const Watched& watched, const NumberedPass& pass, std::uint32_t route,
                const std::vector<bool>& reads, const std::vector<bool>& writes) {
  return std::ranges::any_of(pass.pass->versions, [&](const plan::LoopVersion& version) {
    const plan::Traffic traffic = plan::traffic_of(watched.plan, *pass.pass, version);
    return version.route == route && traffic.reads == reads && traffic.writes == writes;
  });
}

/// Checks a call; by pass, raises `most` to the bytes that it moved for an element.
void check_call(const Watched& watched, const Recorder& recorder, std::size_t element_size,
                std::vector<std::size_t>& most) {
  for (std::size_t p = 0; p < watched.passes.size(); ++p)
    for (std::size_t tensor = 0; tensor < kShapes.size(); ++tensor) {
      INFO("pass " << p << ", tensor " << kShapes[tensor].name);
      const NumberedPass& pass = watched.passes[p];
      std::vector<bool> reads, writes;
      std::size_t touched = 0;
      for (std::size_t stream = 0; stream < pass.pass->streams.size(); ++stream)
        for (const bool is_store : {false, true}) {
          const auto* counts = recorder.counts({p, tensor, stream, is_store});
          (is_store ? writes : reads).push_back(counts != nullptr);
          if (counts == nullptr) continue;
          ++touched;
          INFO("stream " << stream << (is_store ? " stored" : " loaded"));
          CHECK(std::ranges::count(*counts, 1) == std::ssize(*counts));
        }
      most[p] = std::max(most[p], touched * element_size);
      const bool has_lines = kShapes[tensor].sizes.size() >= 2;
      if (pass.is_over_lines && !has_lines)
        CHECK(touched == 0);
      else
        CHECK(is_planned(watched, pass, recorder.route(tensor), reads, writes));
    }
}

template <class Number>
void check_rule(const ir::Graph& graph, types::ComputeType compute) {
  Watched watched(graph, compute);
  std::vector<std::vector<Number>> params, grads;
  std::vector<optimizer::Tensor> tensors;
  for (const Shape& shape : kShapes) {
    for (auto* arrays : {&params, &grads}) {
      auto& values = arrays->emplace_back(shape.count);
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<Number>(0.5 + 0.25 * std::sin(static_cast<double>(i)));
    }
  }
  for (std::size_t i = 0; i < kShapes.size(); ++i)
    tensors.push_back({kShapes[i].name, kShapes[i].sizes, params[i].data(), 0, {}});
  auto made = optimizer::Optimizer::create(watched.image, watched.program, tensors, 1, nullptr);
  REQUIRE(made.ok());
  Recorder recorder(plan::stream_count(watched.plan), sizeof(Number));
  Recorder::current = &recorder;
  std::vector<std::size_t> most(watched.passes.size());
  std::vector<const void*> pointers;
  for (const auto& grad : grads) pointers.push_back(grad.data());
  for (int call = 1; call <= 12; ++call) {
    INFO("call " << call);
    recorder.clear();
    for (auto outcome = optimizer::StepOutcome::Regrad;
         outcome == optimizer::StepOutcome::Regrad;) {
      const auto called = made->step(pointers, optimizer::StepInputs());
      REQUIRE(called.ok());
      outcome = *called;
    }
    check_call(watched, recorder, sizeof(Number), most);
  }
  for (std::size_t p = 0; p < watched.passes.size(); ++p) {
    INFO("pass " << p);
    const plan::ElementPass& pass = *watched.passes[p].pass;
    CHECK(most[p] == pass.read_bytes_per_element + pass.written_bytes_per_element);
  }
}

}  // namespace

TEST_CASE("kernels load and store what the plan says, each element once") {
  std::ifstream stream(TALWEG_SOURCE_DIR "/tests/plan/library/lab.tw", std::ios::binary);
  const std::string lab{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  for (const std::string rule :
       {"GradientDescent", "SGD(momentum = 0.9)", "AdamW", "AdamW | Lookahead", "RAdam", "Swa",
        "ScheduleFreeAdamW", "AccumulateGradient | AdamW", "m.ClipNorm | AdamW | Ema", "m.Trusted",
        "m.Factored", "m.Careful | AdamW", "m.Arms", "SAM | AdamW",
        "LookSAM(k = 3) | SGD(momentum = 0.9)", "AccumulateGradient | ClipByGlobalNorm | AdamW"}) {
    INFO(rule);
    const ir::Graph graph = graph_of_rule(rule, lab);
    check_rule<float>(graph, types::ComputeType::F32);
    check_rule<double>(graph, types::ComputeType::F64);
  }
}

}  // namespace talweg::tests
