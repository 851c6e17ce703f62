// talweg dump --stage STAGE EXPR: a rule as it looks between two steps of its compilation.
#include <fmt/format.h>

#include <memory>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "compiler/driver/stages.h"
