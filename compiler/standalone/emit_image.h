// The tables of an image as constants of an LLVM module, so that a library carries them.
#pragma once

#include <unordered_map>

#include "runtime/abi/talweg_abi.h"

namespace llvm {
class Function;
class GlobalVariable;
class Module;
}  // namespace llvm

namespace talweg::standalone {

/// Functions of the module by the address that stands for each in an image's tables.
using Functions = std::unordered_map<const void*, llvm::Function*>;

/// A constant talweg_image, laid out as the module's target lays out the C struct, with constants
/// for all that it points to. Its name is private to the module. Every function of `image` must be
/// in `functions`; `self` pointers become null: generated functions have no use for them.
llvm::GlobalVariable* emit_image(llvm::Module& module, const talweg_image& image,
                                 const Functions& functions);

}  // namespace talweg::standalone
