// Linking by ORC, without a platform: our objects have no constructors, no thread-local data and no
// unwinding; see linked_code.h.
#include "compiler/driver/linked_code.h"

#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h>
#include <llvm/Support/MemoryBuffer.h>

namespace talweg::driver {

struct LinkedCode::Impl {
  explicit Impl(std::unique_ptr<llvm::orc::ExecutorProcessControl> control)
      : session(std::move(control)), layer(session), library(session.createBareJITDylib("talweg")) {
    // A failure is reported where the lookup fails.
    session.setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
  }
  ~Impl() { llvm::consumeError(session.endSession()); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  llvm::orc::ExecutionSession session;
  llvm::orc::ObjectLinkingLayer layer;
  llvm::orc::JITDylib& library;
};

LinkedCode::LinkedCode(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LinkedCode::LinkedCode(LinkedCode&&) noexcept = default;
LinkedCode& LinkedCode::operator=(LinkedCode&&) noexcept = default;
LinkedCode::~LinkedCode() = default;

support::Result<LinkedCode> LinkedCode::link(std::string_view object) {
  auto control = llvm::orc::SelfExecutorProcessControl::Create(
      nullptr, std::make_unique<llvm::orc::InPlaceTaskDispatcher>());
  if (!control)
    return support::Failure{support::FailureKind::Io, "cannot prepare memory for code: " +
                                                          llvm::toString(control.takeError())};
  auto impl = std::make_unique<Impl>(std::move(*control));
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()),
                                                     "talweg-object");
  if (auto error = impl->layer.add(impl->library, std::move(buffer)))
    return support::Failure{support::FailureKind::Io,
                            "cannot link compiled code: " + llvm::toString(std::move(error))};
  return LinkedCode(std::move(impl));
}

support::Result<void*> LinkedCode::find(const std::string& symbol) const {
  auto found = impl_->session.lookup({&impl_->library}, symbol);
  if (!found)
    return support::Failure{support::FailureKind::Io,
                            "cannot link " + symbol + ": " + llvm::toString(found.takeError())};
  return found->getAddress().toPtr<void*>();
}

}  // namespace talweg::driver
