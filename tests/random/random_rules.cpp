// Random rules on every instruction set of this machine; see commands.h.
#include "compiler/targets/target.h"
#include "tests/random/commands.h"

int main(int argc, char** argv) {
  using namespace talweg;
  const tests::CheckOptions usual;
  tests::Machines machines{"random_rules", {}, usual.compile, usual.threads};
  for (const targets::Target* target : targets::all_targets())
    if (target->runs_here()) machines.isas.emplace_back(target->name());
  return tests::run_random_rules(machines, argc, argv);
}
