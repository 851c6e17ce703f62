// The canonical text of a syntax tree (`talweg dump --stage syntax`): parsing it again gives the
// same tree.
#pragma once

#include <string>

#include "compiler/syntax/ast.h"

namespace talweg::syntax {

std::string print(const Module& module);
std::string print(const Module& module, ExprId expression);

}  // namespace talweg::syntax
