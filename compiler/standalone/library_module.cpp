// See library_module.h. The runtime's bitcode is the start; kernels and constants of each rule are
// linked into it, then all becomes internal but functions under the library's names.
#include "compiler/standalone/library_module.h"

#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>

#include <array>
#include <deque>

#include "compiler/base/check.h"
#include "compiler/codegen/emit_plan.h"
#include "compiler/driver/fill_image.h"
#include "compiler/standalone/constants.h"
#include "compiler/standalone/emit_image.h"
#include "compiler/standalone/manifest.h"
#include "compiler/standalone/optimise.h"
#include "compiler/targets/nvptx.h"
#include "runtime/standalone/interface.h"

namespace talweg::standalone {

namespace {

/// Functions of runtime/standalone that a library shows as they are, under its prefix.
constexpr std::array kShared = {"status_text", "version",    "describe",   "interface_version",
                                "cpu",         "destroy",    "reset",      "set_hyper",
                                "get_hyper",   "is_waiting", "abandon",    "steps",
                                "calls",       "read_view",  "swap_in",    "swap_bytes",
                                "swap_out",    "next_state", "find_state", "saved_bytes",
                                "save",        "load"};
/// Those that are told the rule first, and so are one for each.
constexpr std::array kOfRule = {"measure",    "create",     "create_in",
                                "set_hypers", "get_hypers", "step"};
/// The same of libraries with code for GPUs.
constexpr std::array kSharedCuda = {"cuda_set_stream", "cuda_send_hypers", "cuda_set_scaling",
                                    "cuda_set_input", "cuda_wait"};
constexpr std::array kCudaOfRule = {"cuda_create", "cuda_step"};
constexpr std::size_t kInputsOfStep = 3;  // the argument of talweg_lib_step
constexpr const char* kFlat = "step_flat";
/// Those of pool.c, on platforms that have threads.
constexpr std::array kOfPool = {"pool_create", "pool_threads", "pool_run", "pool_destroy"};
constexpr const char* kTable = "_rule";
constexpr const char* kFunctions = "talweg_lib_built_functions";
constexpr const char* kDescription = "talweg_lib_description";

std::string runtime_name(std::string_view name) { return fmt::format("talweg_lib_{}", name); }

std::unique_ptr<llvm::Module> read_runtime(llvm::LLVMContext& context, std::string_view bitcode) {
  const llvm::MemoryBufferRef buffer(llvm::StringRef(bitcode.data(), bitcode.size()), "runtime");
  auto module = llvm::parseBitcodeFile(buffer, context);
  TALWEG_CHECK(static_cast<bool>(module), "the embedded runtime cannot be read");
  return std::move(*module);
}

llvm::Function* runtime_function(const llvm::Module& module, std::string_view name) {
  llvm::Function* function = module.getFunction(runtime_name(name));
  TALWEG_CHECK(function != nullptr, runtime_name(name));
  return function;
}

void hide_all(llvm::Module& module) {
  for (llvm::GlobalValue& value : module.global_values()) {
    if (value.isDeclaration()) continue;
    value.setLinkage(llvm::GlobalValue::InternalLinkage);
    value.setVisibility(llvm::GlobalValue::DefaultVisibility);
    value.setDSOLocal(true);
  }
}

/// Makes a function of the runtime visible under the library's prefix.
void show(const llvm::Module& module, const Library& library, const char* name) {
  llvm::Function* function = runtime_function(module, name);
  function->setName(fmt::format("{}_{}", library.prefix, name));
  function->setLinkage(llvm::GlobalValue::ExternalLinkage);
  function->setDSOLocal(false);
}

void check(const llvm::Module& module) {
  std::string faults;
  llvm::raw_string_ostream stream(faults);
  TALWEG_CHECK(!llvm::verifyModule(module, &stream), faults);
}

class LibraryBuilder {
 public:
  LibraryBuilder(const Library& library, const Platform& platform)
      : library_(library),
        platform_(platform),
        module_(
            read_runtime(context_, has_cuda(library) ? platform.cuda_runtime : platform.runtime)),
        constants_(*module_) {}

  /// Fills the module; once.
  llvm::Module& fill();

 private:
  /// A constant talweg_lib_rule; adds the kernels of all variants.
  llvm::Constant* add_rule(std::size_t rule);
  /// Adds the kernels of one variant; the image that points to them.
  llvm::Constant* add_variant(std::size_t rule, const Variant& variant);
  /// A visible function that calls one of the runtime with the rule before its own arguments.
  void add_rule_function(const LibraryRule& rule, const std::string& runtime,
                         llvm::Constant* constant);
  void add_flat_step(const LibraryRule& rule, llvm::Constant* constant);
  /// A visible function that returns the rule as a value (talweg_lib_table).
  void add_table(const LibraryRule& rule, llvm::Constant* constant);
  void give_text(const char* name, const std::string& text);

  const Library& library_;
  const Platform& platform_;
  llvm::LLVMContext context_;
  std::unique_ptr<llvm::Module> module_;
  Constants constants_;
};

/// Names that cannot meet others, and the processor each function is for.
void claim_functions(llvm::Module& module, const Variant& variant, const std::string& suffix) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", variant.target->processor());
    function.setName(function.getName() + suffix);
  }
}

llvm::Constant* LibraryBuilder::add_variant(std::size_t rule, const Variant& variant) {
  const LibraryRule& of = library_.rules[rule];
  auto kernels = std::make_unique<llvm::Module>("kernels", context_);
  variant.target->prepare(*kernels);
  codegen::emit_plan(*kernels, *of.plan, variant.target->shape(), variant.target->modes());
  driver::ImageTables tables(*of.graph, of.plan->compute, std::string(variant.target->name()));
  // Tables of this process hold addresses; here each stands for a function of the module.
  Functions functions;
  std::deque<char> tokens;
  const auto find = [&](const std::string& symbol) -> support::Result<void*> {
    void* token = &tokens.emplace_back();
    functions[token] = kernels->getFunction(symbol);
    return token;
  };
  TALWEG_CHECK(driver::fill_image(tables, *of.plan, find).ok(), "every symbol was found");
  const std::string suffix = fmt::format(".{}.{}", rule, variant.target->name());
  claim_functions(*kernels, variant, suffix);
  llvm::GlobalVariable* image = emit_image(*kernels, tables.image(), functions);
  const std::string name = "image" + suffix;
  image->setName(name);
  image->setLinkage(llvm::GlobalValue::ExternalLinkage);
  check(*kernels);
  const bool failed = llvm::Linker::linkModules(*module_, std::move(kernels));
  TALWEG_CHECK(!failed, "kernels and runtime do not fit together");
  return module_->getNamedGlobal(name);
}

llvm::Constant* LibraryBuilder::add_rule(std::size_t rule) {
  const LibraryRule& of = library_.rules[rule];
  std::vector<llvm::Constant*> variants;
  for (const Variant& variant : platform_.variants) {
    llvm::Constant* image = add_variant(rule, variant);
    variants.push_back(
        constants_.structure({constants_.text(std::string(variant.target->name()).c_str()), image,
                              constants_.u32(variant.level), constants_.u32(0)}));
  }
  const driver::ImageTables tables(*of.graph, of.plan->compute, "");
  std::vector<llvm::Constant*> fields;
  for (const std::uint32_t field : settable_hypers(tables.image()))
    fields.push_back(constants_.u32(field));
  std::vector<llvm::Constant*> codes;
  for (const GpuCode& code : of.gpu_codes)
    codes.push_back(constants_.structure({constants_.text(std::string(code.target->name()).c_str()),
                                          constants_.text(code.ptx.c_str()),
                                          constants_.u32(targets::gpu_architecture(*code.target)),
                                          constants_.u32(0)}));
  llvm::Constant* value = constants_.structure(
      {constants_.table(variants), constants_.table(fields),
       constants_.u32(static_cast<std::uint32_t>(variants.size())),
       constants_.u32(static_cast<std::uint32_t>(fields.size())), constants_.table(codes),
       constants_.u32(static_cast<std::uint32_t>(codes.size())), constants_.u32(0)});
  return constants_.variable(value, "rule");
}

void LibraryBuilder::add_rule_function(const LibraryRule& rule, const std::string& runtime,
                                       llvm::Constant* constant) {
  llvm::Function* callee = runtime_function(*module_, runtime);
  // The step of a rule without inputs is given none.
  const bool leaves_out_inputs = runtime.ends_with("step") && rule.graph->inputs.empty();
  llvm::SmallVector<llvm::Type*, 8> parameters(callee->getFunctionType()->params().drop_front());
  if (leaves_out_inputs) parameters.erase(parameters.begin() + kInputsOfStep - 1);
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(callee->getReturnType(), parameters, false),
      llvm::GlobalValue::ExternalLinkage, fmt::format("{}_{}", rule.prefix, runtime), *module_);
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context_, "entry", function));
  llvm::SmallVector<llvm::Value*, 8> arguments{constant};
  for (llvm::Argument& argument : function->args()) arguments.push_back(&argument);
  if (leaves_out_inputs) arguments.insert(arguments.begin() + kInputsOfStep, constants_.null());
  llvm::CallInst* call = ir.CreateCall(callee, arguments);
  call->setTailCall();
  ir.CreateRet(call);
}

/// NAME(param, grad, state..., n, t, hypers, error)
void LibraryBuilder::add_flat_step(const LibraryRule& rule, llvm::Constant* constant) {
  llvm::Function* callee = runtime_function(*module_, kFlat);
  llvm::IRBuilder<> ir(context_);
  const std::size_t streams = 2 + rule.graph->states.size();
  llvm::SmallVector<llvm::Type*, 12> parameters(streams, ir.getPtrTy());
  parameters.append({ir.getInt64Ty(), ir.getInt64Ty(), ir.getPtrTy(), ir.getPtrTy()});
  auto* function = llvm::Function::Create(
      llvm::FunctionType::get(ir.getInt32Ty(), parameters, false),
      llvm::GlobalValue::ExternalLinkage, rule.prefix + "_step_flat", *module_);
  ir.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", function));
  auto* type = llvm::ArrayType::get(ir.getPtrTy(), streams);
  llvm::Value* table = ir.CreateAlloca(type);
  for (unsigned i = 0; i < streams; ++i)
    ir.CreateStore(function->getArg(i), ir.CreateConstInBoundsGEP2_32(type, table, 0, i));
  llvm::SmallVector<llvm::Value*, 8> arguments{constant, table};
  for (unsigned i = 0; i < 4; ++i)
    arguments.push_back(function->getArg(static_cast<unsigned>(streams) + i));
  ir.CreateRet(ir.CreateCall(callee, arguments));
}

void LibraryBuilder::add_table(const LibraryRule& rule, llvm::Constant* constant) {
  llvm::GlobalVariable* functions = module_->getNamedGlobal(kFunctions);
  TALWEG_CHECK(functions != nullptr, kFunctions);
  llvm::Constant* value = constants_.structure(
      {constants_.u32(TALWEG_LIB_INTERFACE), constants_.u32(is_float32(library_) ? 4 : 8),
       constants_.text(rule.graph->name.c_str()), module_->getNamedGlobal(kDescription), functions,
       constant});
  llvm::IRBuilder<> ir(context_);
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(ir.getPtrTy(), false),
                             llvm::GlobalValue::ExternalLinkage, rule.prefix + kTable, *module_);
  ir.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", function));
  ir.CreateRet(constants_.variable(value, "table"));
}

void LibraryBuilder::give_text(const char* name, const std::string& text) {
  llvm::GlobalVariable* declared = module_->getNamedGlobal(name);
  TALWEG_CHECK(declared != nullptr, name);
  declared->replaceAllUsesWith(constants_.text(text.c_str()));
  declared->eraseFromParent();
}

llvm::Module& LibraryBuilder::fill() {
  std::vector<llvm::Constant*> rules;
  for (std::size_t i = 0; i < library_.rules.size(); ++i) rules.push_back(add_rule(i));
  give_text("talweg_lib_release", library_.release);
  hide_all(*module_);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const LibraryRule& rule = library_.rules[i];
    for (const char* name : kOfRule) add_rule_function(rule, name, rules[i]);
    if (has_cuda(library_))
      for (const char* name : kCudaOfRule) add_rule_function(rule, name, rules[i]);
    if (has_flat_step(rule)) add_flat_step(rule, rules[i]);
    add_table(rule, rules[i]);
  }
  give_text(kDescription, manifest_text(library_));
  for (const char* name : kShared) show(*module_, library_, name);
  if (has_cuda(library_))
    for (const char* name : kSharedCuda) show(*module_, library_, name);
  check(*module_);
  shrink(*module_);
  if (platform_.binary == Binary::WasmModule) expand_overflow_tests(*module_);
  return *module_;
}

}  // namespace

std::vector<std::string> exported_names(const Library& library, const Platform& platform) {
  std::vector<std::string> names;
  if (!platform.pool.empty())
    for (const char* name : kOfPool) names.push_back(fmt::format("{}_{}", library.prefix, name));
  for (const char* name : kShared) names.push_back(fmt::format("{}_{}", library.prefix, name));
  if (has_cuda(library))
    for (const char* name : kSharedCuda)
      names.push_back(fmt::format("{}_{}", library.prefix, name));
  for (const LibraryRule& rule : library.rules) {
    for (const char* name : kOfRule) names.push_back(fmt::format("{}_{}", rule.prefix, name));
    if (has_cuda(library))
      for (const char* name : kCudaOfRule) names.push_back(fmt::format("{}_{}", rule.prefix, name));
    if (has_flat_step(rule)) names.push_back(fmt::format("{}_{}", rule.prefix, kFlat));
    names.push_back(rule.prefix + kTable);
  }
  return names;
}

std::string generate_library(const Library& library, const Platform& platform,
                             targets::CodeKind kind) {
  LibraryBuilder builder(library, platform);
  return targets::generate_code(builder.fill(), platform.processor, kind);
}

std::string generate_pool(const Library& library, const Platform& platform) {
  llvm::LLVMContext context;
  const auto module = read_runtime(context, platform.pool);
  hide_all(*module);
  for (const char* name : kOfPool) show(*module, library, name);
  check(*module);
  return targets::generate_code(*module, platform.processor, targets::CodeKind::Object);
}

std::string generate_library_text(const Library& library, const Platform& platform) {
  LibraryBuilder builder(library, platform);
  std::string text;
  llvm::raw_string_ostream stream(text);
  builder.fill().print(stream, nullptr);
  return text;
}

}  // namespace talweg::standalone
