// See package.h.
#include "compiler/standalone/package.h"

#include <fmt/format.h>
#include <lld/Common/CommonLinkerContext.h>
#include <lld/Common/Driver.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <deque>

LLD_HAS_DRIVER(elf)

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
  explicit TemporaryFile(llvm::StringRef suffix) {
    made_ = !llvm::sys::fs::createTemporaryFile("talweg", suffix, path_);
  }
  ~TemporaryFile() {
    if (made_) static_cast<void>(llvm::sys::fs::remove(path_));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] bool write(const std::string& bytes) const {
    std::error_code error;
    llvm::raw_fd_ostream stream(path_, error);
    if (!made_ || error) return false;
    stream << bytes;
    stream.close();
    const bool is_written = !stream.has_error();
    stream.clear_error();
    return is_written;
  }
  [[nodiscard]] std::string path() const { return path_.str().str(); }

 private:
  llvm::SmallString<128> path_;
  bool made_ = false;
};

}  // namespace

support::Result<std::string> link_shared(const std::vector<Object>& objects,
                                         const std::string& soname, const Platform& platform) {
  std::deque<TemporaryFile> from;
  std::vector<std::string> from_paths;
  for (const Object& object : objects) {
    from_paths.push_back(from.emplace_back("o").path());
    if (!from.back().write(object.bytes))
      return Failure{FailureKind::Io, "cannot write " + from_paths.back() + ": is the disk full?"};
  }
  const TemporaryFile to("so");
  const std::string to_path = to.path();
  const std::string emulation(platform.linker_emulation);
  std::vector<const char*> arguments = {"ld.lld",
                                        "-shared",
                                        "-m",
                                        emulation.c_str(),
                                        "-soname",
                                        soname.c_str(),
                                        "-z",
                                        "now",
                                        "-z",
                                        "relro",
                                        "-z",
                                        "noexecstack",
                                        "--strip-all",
                                        "--hash-style=gnu",
                                        "--build-id=none",
                                        "-o",
                                        to_path.c_str()};
  for (const std::string& path : from_paths) arguments.push_back(path.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const bool is_linked = lld::elf::link(arguments, stream, stream, false, false);
  lld::CommonLinkerContext::destroy();
  if (!is_linked) return Failure{FailureKind::Io, "cannot link the shared library: " + messages};
  auto file = llvm::MemoryBuffer::getFile(to_path);
  if (!file) return Failure{FailureKind::Io, "cannot read " + to_path};
  return (*file)->getBuffer().str();
}

}  // namespace talweg::standalone
