// See package.h.
#include "compiler/standalone/package.h"

#include <fmt/format.h>
#include <lld/Common/CommonLinkerContext.h>
#include <lld/Common/Driver.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <deque>

#include "compiler/base/check.h"
#include "runtime/standalone/embedded.h"
#include "runtime/support/hold_signals.h"

LLD_HAS_DRIVER(elf)
LLD_HAS_DRIVER(wasm)

namespace talweg::standalone {

using support::Failure;
using support::FailureKind;

support::Result<std::string> make_archive(const std::vector<Object>& objects) {
  std::vector<llvm::NewArchiveMember> members;
  for (const Object& object : objects) {
    members.emplace_back(llvm::MemoryBufferRef(object.bytes, object.name));
    members.back().MemberName = object.name;
  }
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, true, false);
  if (!archive)
    return Failure{FailureKind::Io,
                   "cannot make an archive: " + llvm::toString(archive.takeError())};
  return (*archive)->getBuffer().str();
}

namespace {

/// A file of its own in the folder for temporary files, removed in the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(llvm::StringRef suffix)
      : failure_(llvm::sys::fs::createTemporaryFile("talweg", suffix, path_)) {}
  ~TemporaryFile() {
    if (!failure_) static_cast<void>(llvm::sys::fs::remove(path_));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// Why it could not be made or written.
  [[nodiscard]] support::Status write(const std::string& bytes) const {
    if (failure_) return failed(failure_);
    std::error_code error;
    llvm::raw_fd_ostream stream(path_, error);
    if (error) return failed(error);
    stream << bytes;
    stream.close();
    error = stream.error();
    stream.clear_error();
    return error ? failed(error) : support::ok();
  }
  [[nodiscard]] support::Status made() const { return failure_ ? failed(failure_) : support::ok(); }
  [[nodiscard]] std::string path() const { return path_.str().str(); }

 private:
  [[nodiscard]] support::Status failed(const std::error_code& error) const {
    return Failure{FailureKind::Io, "cannot write the temporary file " + path() + ": " +
                                        error.message() + "; TMPDIR names another folder"};
  }

  llvm::SmallString<128> path_;
  std::error_code failure_;
};

using Linker = bool (*)(llvm::ArrayRef<const char*>, llvm::raw_ostream&, llvm::raw_ostream&, bool,
                        bool);

/// Runs a linker of LLD over objects; what it writes.
support::Result<std::string> run_linker(Linker linker, std::vector<std::string> arguments,
                                        const std::vector<Object>& objects) {
  const support::HoldSignals hold;  // until the temporary files are removed
  std::deque<TemporaryFile> inputs;
  for (const Object& object : objects) {
    const TemporaryFile& input = inputs.emplace_back("o");
    if (const auto status = input.write(object.bytes); !status) return status.failure();
    arguments.push_back(input.path());
  }
  const TemporaryFile output("out");
  if (const auto status = output.made(); !status) return status.failure();
  arguments.insert(arguments.end(), {"-o", output.path()});
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const bool is_linked = linker(pointers, stream, stream, false, false);
  lld::CommonLinkerContext::destroy();
  if (!is_linked) return Failure{FailureKind::Io, "cannot link the library: " + messages};
  auto file = llvm::MemoryBuffer::getFile(output.path());
  if (!file) return Failure{FailureKind::Io, "cannot read " + output.path()};
  return (*file)->getBuffer().str();
}

/// The object of runtime/standalone/wasm_libc.c.
std::string wasm_libc(const Platform& platform) {
  llvm::LLVMContext context;
  const llvm::StringRef bitcode(talweg_wasm_libc,
                                static_cast<std::size_t>(talweg_wasm_libc_end - talweg_wasm_libc));
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "libc"), context);
  TALWEG_CHECK(static_cast<bool>(module), "the embedded C library cannot be read");
  return targets::generate_code(**module, platform.processor, targets::CodeKind::Object);
}

}  // namespace

support::Result<std::string> link_shared(const std::vector<Object>& objects,
                                         const std::string& soname, const Platform& platform) {
  return run_linker(lld::elf::link,
                    {"ld.lld", "-shared", "-m", std::string(platform.linker_emulation), "-soname",
                     soname, "-z", "now", "-z", "relro", "-z", "noexecstack", "--strip-all",
                     "--hash-style=gnu", "--build-id=none"},
                    objects);
}

support::Result<std::string> link_wasm(std::vector<Object> objects,
                                       const std::vector<std::string>& names,
                                       const Platform& platform) {
  // The stack first: where it is used up, a module stops rather than write over its data.
  std::vector<std::string> arguments = {"wasm-ld", "--no-entry", "--stack-first", "--strip-all"};
  for (const std::string& name : names) arguments.push_back("--export=" + name);
  for (const char* name : {"malloc", "free"}) arguments.push_back(fmt::format("--export={}", name));
  objects.push_back({"libc.o", wasm_libc(platform)});
  return run_linker(lld::wasm::link, arguments, objects);
}

}  // namespace talweg::standalone
