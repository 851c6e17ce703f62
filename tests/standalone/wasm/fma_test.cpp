// fma made of other operations, in WebAssembly under node: the value of std::fma for every
// operands.
#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cmath>
#include <limits>

#include "compiler/codegen/helper_functions.h"
#include "compiler/standalone/package.h"
#include "tests/ir/random_graph.h"
#include "tests/sample_size.h"
#include "tests/standalone/wasm/node.h"

namespace talweg::tests {

namespace {

using codegen::Lanes;
using types::ComputeType;

/// Exports NAME(a, b, c, result, count): count is a multiple of the vectors' width, in which fma is
/// computed.
void add_function(llvm::Module& module, const targets::Target& target, const std::string& name,
                  ComputeType type) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> ir(context);
  llvm::SmallVector<llvm::Type*, 5> parameters(4, ir.getPtrTy());
  parameters.push_back(ir.getInt32Ty());
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(ir.getVoidTy(), parameters, false),
                             llvm::GlobalValue::ExternalLinkage, name, module);
  llvm::BasicBlock* entry = llvm::BasicBlock::Create(context, "entry", function);
  llvm::BasicBlock* turn = llvm::BasicBlock::Create(context, "turn", function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(context, "done", function);
  ir.SetInsertPoint(entry);
  ir.CreateBr(turn);
  ir.SetInsertPoint(turn);
  llvm::PHINode* index = ir.CreatePHI(ir.getInt32Ty(), 2);
  index->addIncoming(ir.getInt32(0), entry);
  const Lanes lanes(ir, target.shape().lanes(type));
  codegen::HelperFunctions helpers(module, target.shape());
  const auto place = [&](unsigned argument) {
    return ir.CreateGEP(Lanes(ir, 1).number_type(type), function->getArg(argument), index);
  };
  const auto load = [&](unsigned argument) {
    return ir.CreateAlignedLoad(lanes.number_type(type), place(argument), llvm::Align(4));
  };
  llvm::Value* result = helpers.emit_fma(lanes, type, load(0), load(1), load(2));
  ir.CreateAlignedStore(result, place(3), llvm::Align(4));
  llvm::Value* next = ir.CreateAdd(index, ir.getInt32(lanes.width()));
  index->addIncoming(next, ir.GetInsertBlock());
  ir.CreateCondBr(ir.CreateICmpULT(next, function->getArg(4)), turn, done);
  ir.SetInsertPoint(done);
  ir.CreateRetVoid();
}

std::string make_module() {
  const targets::Target& target = *targets::find_target("wasm32");
  llvm::LLVMContext context;
  llvm::Module module("fma", context);
  target.prepare(module);
  add_function(module, target, "fma_float32", ComputeType::F32);
  add_function(module, target, "fma_float64", ComputeType::F64);
  const std::string object = target.generate(module, targets::CodeKind::Object);
  const auto linked = standalone::link_wasm({{"fma.o", object}}, {"fma_float32", "fma_float64"},
                                            *standalone::find_platform("wasm32"));
  if (!linked) FAIL(linked.failure().message);
  return *linked;
}

/// A number whose rounding is hard to get right: of few bits, near a power of two, at an end of the
/// range, or any.
template <class T>
T hard_number(Random& random, int exponent_limit) {
  const int digits = std::numeric_limits<T>::digits;
  const auto exponent =
      static_cast<int>(random.below(static_cast<std::size_t>(2 * exponent_limit + 1))) -
      exponent_limit;
  double fraction = 1 + static_cast<double>(random.next() >> 12) * 0x1p-52;
  switch (random.below(5)) {
    case 0:
      fraction = 1 + std::ldexp(static_cast<double>(random.below(8)), 1 - digits);
      break;
    case 1:
      fraction = 2 - std::ldexp(static_cast<double>(1 + random.below(7)), 1 - digits);
      break;
    case 2:
      fraction = 1 + static_cast<double>(random.below(1u << 12)) * 0x1p-12;
      break;
    default:
      break;
  }
  return static_cast<T>(std::ldexp(random.chance(50) ? fraction : -fraction, exponent));
}

/// Of 1 where x has none.
template <class T>
int exponent_of(T x) {
  return std::ilogb(x != 0 && std::isfinite(x) ? x : T(1));
}

/// An addend beside which the product, or what is lost of it, decides a rounding.
template <class T>
T hard_addend(Random& random, T a, T b) {
  const T product = a * b;
  const int digits = std::numeric_limits<T>::digits;
  const int distance = digits + static_cast<int>(random.below(5)) - 2;
  const T sign = random.chance(50) ? T(1) : T(-1);
  switch (random.below(7)) {
    case 0:
      return -product;
    case 1:
      return -std::nextafter(product, sign * T(INFINITY));
    case 2:
      return sign * std::ldexp(product, distance);
    case 3:
      return sign * std::ldexp(product, -distance);
    case 4:  // a power of two so far above that the product is half of its last place
      return sign * std::ldexp(T(1), exponent_of(product) + distance);
    case 5:
      return sign * std::numeric_limits<T>::denorm_min() * static_cast<T>(random.below(100));
    default:
      return static_cast<T>(random.number());
  }
}

/// [a, b, c, fma(a, b, c)], each of `count` numbers.
template <class T>
std::string make_cases(std::size_t count) {
  Random random(11);
  std::vector<T> a(count), b(count), c(count), expected(count);
  const int limit = std::numeric_limits<T>::max_exponent;
  for (std::size_t i = 0; i < count; ++i) {
    const int spread = random.chance(60) ? 6 : limit * 9 / 16;
    a[i] = random.chance(10) ? static_cast<T>(random.number()) : hard_number<T>(random, spread);
    b[i] = random.chance(10) ? static_cast<T>(random.number()) : hard_number<T>(random, spread);
    // Products at the lower end of the range, where the sum is subnormal.
    if (random.chance(15)) {
      a[i] = std::ldexp(a[i], -limit / 2 - exponent_of(a[i]));
      b[i] = std::ldexp(b[i], -limit / 2 - static_cast<int>(random.below(30)) - exponent_of(b[i]));
    }
    c[i] = hard_addend(random, a[i], b[i]);
    expected[i] = std::fma(a[i], b[i], c[i]);
  }
  std::string bytes;
  for (const std::vector<T>* numbers : {&a, &b, &c, &expected})
    bytes.append(reinterpret_cast<const char*>(numbers->data()), count * sizeof(T));
  return bytes;
}

}  // namespace

TEST_CASE("fma in WebAssembly rounds once") {
  need_node();
  const TestFolder folder("fma");
  const std::size_t count = sample_size(2'000'000) / 4 * 4;
  folder.write("fma.wasm", make_module());
  folder.write("float32", make_cases<float>(count));
  folder.write("float64", make_cases<double>(count));
  CHECK(run_node("fma.mjs", folder.path()));
}

}  // namespace talweg::tests
