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

/// Names of symbols that an ELF object refers to but does not define.
std::vector<std::string> undefined_symbols(std::string_view object) {
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
