// What generated objects look like: no symbol from outside on any target, whole vectors without
// calls on wide ones.
#include <elf.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "compiler/driver/generate.h"
#include "compiler/passes/pass.h"
#include "tests/codegen/bitcheck.h"
#include "tests/codegen/sample_graphs.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

template <class T>
T read_at(std::string_view bytes, std::size_t offset) {
  REQUIRE(offset + sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Names that a WebAssembly object imports, but for its memory, its stack and its table of
/// functions, which a linker makes.
std::vector<std::string> imported_names(std::string_view object) {
  std::size_t at = 8;  // behind the magic number and the version
  const auto number = [&] {
    std::uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = read_at<std::uint8_t>(object, at++);
      value |= (byte & 0x7fu) << shift;
      if ((byte & 0x80u) == 0) return value;
    }
  };
  const auto name = [&] {
    const std::uint32_t length = number();
    REQUIRE(at + length <= object.size());
    at += length;
    return std::string(object.substr(at - length, length));
  };
  constexpr std::uint8_t kImports = 2;
  std::vector<std::string> names;
  while (at < object.size()) {
    const auto section = read_at<std::uint8_t>(object, at++);
    const std::size_t length = number();
    const std::size_t end = at + length;
    std::uint32_t left = section == kImports ? number() : 0;
    for (; left > 0; --left) {
      name();  // of a module: "env"
      names.push_back(name());
      const auto kind = read_at<std::uint8_t>(object, at++);
      if (kind == 1) ++at;           // a table: type of its entries, limits
      if (kind == 3) at += 2;        // a global variable: type, whether it changes
      if (kind == 0) number();       // a function: type
      if (kind == 1 || kind == 2) {  // limits of a table or memory
        const bool has_maximum = number() % 2 != 0;
        number();
        if (has_maximum) number();
      }
    }
    at = end;
  }
  std::erase_if(names, [](const std::string& known) {
    return known == "__linear_memory" || known == "__stack_pointer" ||
           known == "__indirect_function_table";
  });
  return names;
}

/// Names of symbols that an object refers to but does not define.
std::vector<std::string> undefined_symbols(std::string_view object) {
  constexpr std::string_view kWasm{"\0asm", 4};
  if (object.starts_with(kWasm)) return imported_names(object);
  std::vector<std::string> names;
  const auto header = read_at<Elf64_Ehdr>(object, 0);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  const auto section = [&](std::size_t index) {
    return read_at<Elf64_Shdr>(object, header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const Elf64_Shdr strings = section(table.sh_link);
    for (std::size_t k = 1; k < table.sh_size / sizeof(Elf64_Sym); ++k) {
      const auto symbol = read_at<Elf64_Sym>(object, table.sh_offset + k * sizeof(Elf64_Sym));
      if (symbol.st_shndx == SHN_UNDEF)
        names.emplace_back(object.data() + strings.sh_offset + symbol.st_name);
    }
  }
  return names;
}

void check_symbols(const ir::Graph& graph, const std::string& what) {
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64}) {
    const plan::Plan plan = plan::make_plan(passes::run_passes(graph), compute);
    for (const targets::Target* target : targets::all_targets()) {
      const std::string object = driver::generate(plan, *target, targets::CodeKind::Object);
      if (target->shape().is_gpu) {  // text, which declares what is outside
        INFO(what << " for " << target->name());
        CHECK(object.find(".extern") == std::string::npos);
        continue;
      }
      for (const std::string& name : undefined_symbols(object))
        FAIL_CHECK(fmt::format("{} for {} refers to {}", what, target->name(), name));
    }
  }
  SUCCEED();
}

/// The assembly of one function.
std::string function_text(const std::string& assembly, const std::string& name) {
  const std::size_t begin = assembly.find("\n" + name + ":");
  REQUIRE(begin != std::string::npos);
  return assembly.substr(begin, assembly.find(".Lfunc_end", begin) - begin);
}

}  // namespace

TEST_CASE("objects refer to nothing outside, on any target") {
  for (const builtins::OpInfo& row : builtins::op_table())
    check_symbols(operation_graph(row.op), std::string(row.name));
  for (std::uint64_t seed = 500; seed < 504; ++seed)
    check_symbols(random_graph(seed, 150, seed % 3), fmt::format("seed {}", seed));
}

TEST_CASE("the AVX-512 loop of AdamW has whole vectors, fused operations and no call") {
  const plan::Plan plan =
      plan::make_plan(passes::run_passes(adamw_graph()), types::ComputeType::F32);
  const targets::Target* target = targets::find_target("x86-64-v4");
  REQUIRE(target != nullptr);
  const std::string text = function_text(
      driver::generate(plan, *target, targets::CodeKind::Assembly), "talweg_pass_0.body");
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  CHECK(has("zmm"));
  CHECK(has("vfmadd"));
  CHECK(has("vsqrtps"));
  CHECK(has("vdivps"));
  CHECK(has("prefetcht0"));
  CHECK_FALSE(has("call"));
  CHECK(has("vrsqrt14ps"));  // some roots; codegen_root_test shows that they are right
  CHECK_FALSE(has("vrcp14"));
}

}  // namespace talweg::tests
