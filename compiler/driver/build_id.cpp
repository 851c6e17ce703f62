// Reads the build id note that the linker left in the loaded image which holds this function; see
// build_id.h.
#include "compiler/driver/build_id.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace talweg::driver {

namespace {

std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

/// The build id among the notes of a segment; empty if there is none.
std::string find_in_notes(const char* at, std::size_t bytes) {
  const char* const end = at + bytes;
  while (at + sizeof(ElfW(Nhdr)) <= end) {
    ElfW(Nhdr) header;
    std::memcpy(&header, at, sizeof header);
    const char* name = at + sizeof header;
    const char* content = name + padded(header.n_namesz);
    const std::string_view owner(name, header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && owner == std::string_view("GNU", 4)) {
      std::string text;
      for (std::size_t i = 0; i < header.n_descsz; ++i)
        text += fmt::format("{:02x}", static_cast<unsigned char>(content[i]));
      return text;
    }
    at = content + padded(header.n_descsz);
  }
  return {};
}

struct Search {
  std::uintptr_t inside;
  std::string id;
};

int visit(dl_phdr_info* info, std::size_t, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  bool is_ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + header.p_vaddr;
    is_ours |= header.p_type == PT_LOAD && search.inside - start < header.p_memsz;
  }
  if (!is_ours) return 0;
  for (int i = 0; i < info->dlpi_phnum && search.id.empty(); ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    // An ELF image is mapped by the system; its addresses come as integers.
    const auto* notes = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);  // NOLINT
    search.id = find_in_notes(notes, header.p_memsz);
  }
  return 1;
}

}  // namespace

std::string build_id() {
  Search search{reinterpret_cast<std::uintptr_t>(&build_id), {}};  // NOLINT: an address to look up
  dl_iterate_phdr(visit, &search);
  return search.id;
}

}  // namespace talweg::driver
