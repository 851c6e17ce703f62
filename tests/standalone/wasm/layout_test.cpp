// Where codegen takes fields of the runtime's structs to lie on machines with small pointers: as
// clang lays them out for WebAssembly.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "compiler/codegen/abi_layout.h"
#include "tests/standalone/wasm/node.h"

namespace talweg::tests {

namespace {

/// Assertions in C that hold for `shift` 0.
template <class Struct>
std::string assertions(const char* name, std::size_t shift) {
  std::string text;
  for (const codegen::AbiField& field : codegen::kAbiFields<Struct>)
    text += fmt::format("_Static_assert(offsetof({}, {}) == {}, \"{}\");\n", name, field.name,
                        codegen::lay_out_up_to<Struct>(field.offset, 4) + shift, field.name);
  return text + fmt::format("_Static_assert(sizeof({}) == {}, \"size\");\n", name,
                            codegen::kSizeOf<Struct>.narrow);
}

bool compiles(const TestFolder& folder, std::size_t shift) {
  folder.write("layout.c", "#include \"runtime/abi/talweg_abi.h\"\n" +
                               assertions<talweg_placement>("talweg_placement", shift) +
                               assertions<talweg_scalar_args>("talweg_scalar_args", shift) +
                               assertions<talweg_pass_args>("talweg_pass_args", shift));
  const std::string command = "'" TALWEG_CLANG
                              "' --target=wasm32-unknown-unknown -std=c11 "
                              "-ffreestanding -fsyntax-only -I'" TALWEG_SOURCE_DIR "' '" +
                              (folder.path() / "layout.c").string() + "' 2> '" +
                              (folder.path() / "messages").string() + "'";
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("structs with small pointers are laid out as clang does for WebAssembly") {
  const TestFolder folder("layout");
  CHECK(compiles(folder, 0));
  CHECK_FALSE(compiles(folder, 4));  // the assertions are looked at
}

}  // namespace talweg::tests
