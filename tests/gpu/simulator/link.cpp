#include "tests/gpu/simulator/link.h"

#include <llvm/ExecutionEngine/Orc/AbsoluteSymbols.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/targets/target.h"
#include "tests/gpu/simulator/hooks.h"

namespace talweg::gpu::simulator {

namespace orc = llvm::orc;

namespace {

template <class T>
T value_of(llvm::Expected<T> value) {
  if (!value)
    throw Fault("cannot link code for this machine: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

void check(llvm::Error error) {
  if (error) throw Fault("cannot link code for this machine: " + llvm::toString(std::move(error)));
}

std::unique_ptr<orc::ExecutorProcessControl> this_process() {
  return value_of(orc::SelfExecutorProcessControl::Create(
      nullptr, std::make_unique<orc::InPlaceTaskDispatcher>()));
}

}  // namespace

struct HostCode::Impl {
  Impl()
      : session(this_process()),
        layer(session),
        library(session.createBareJITDylib("talweg_simulator")) {
    // A lookup that fails says only that; what it failed for comes here.
    session.setErrorReporter(
        [this](llvm::Error error) { problems += ": " + llvm::toString(std::move(error)); });
  }
  ~Impl() { llvm::consumeError(session.endSession()); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::string problems;
  orc::ExecutionSession session;
  orc::ObjectLinkingLayer layer;
  orc::JITDylib& library;
};

HostCode::HostCode(llvm::Module& module) : impl_(std::make_unique<Impl>()) {
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(module, &stream))
    throw Fault("the instrumented module is not well-formed: " + problem);
  const std::string object = targets::host_target()->generate(module, targets::CodeKind::Object);
  orc::SymbolMap symbols;
  for (const HostSymbol& symbol : host_symbols())
    symbols[impl_->session.intern(symbol.name)] = {orc::ExecutorAddr::fromPtr(symbol.address),
                                                   llvm::JITSymbolFlags::Exported};
  check(impl_->library.define(orc::absoluteSymbols(std::move(symbols))));
  check(impl_->layer.add(impl_->library, llvm::MemoryBuffer::getMemBufferCopy(object, "kernels")));
}

HostCode::~HostCode() = default;

void* HostCode::find(const std::string& symbol) const {
  auto found = impl_->session.lookup({&impl_->library}, symbol);
  if (!found)
    throw Fault("cannot link code for this machine: " + llvm::toString(found.takeError()) +
                impl_->problems);
  return found->getAddress().toPtr<void*>();
}

}  // namespace talweg::gpu::simulator
