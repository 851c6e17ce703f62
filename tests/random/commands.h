// Random rules from the command line and from ctest: what a program says that is given machines.
//
// clang-format off
//   sample FIRST COUNT   compares each of these examples with one of the instruction sets in turn;
//                        prints how often everything occurred; of 2,500 or more examples, fails if
//                        something occurred in fewer than 1 in 125 of them
//   texts FIRST COUNT    only compiles them; prints how often everything is written
//   show N               prints example N and checks it on every instruction set
//   campaign STATE [TABLE]
//                        goes on with examples 0 to 10^6, every instruction set and both types, for
//                        $TALWEG_CAMPAIGN_SECONDS (600 unless set)
// clang-format on
//
// The first example that fails is made smaller and printed; exit status 1.
#pragma once

#include <string>
#include <vector>

#include "tests/random/check_rule.h"

namespace talweg::tests {

/// What rules run on.
struct Machines {
  const char* program;  // of the command line
  std::vector<std::string> isas;
  Compile compile;
  std::vector<std::uint32_t> threads;  // of large settings
};

/// Gives the exit status.
int run_random_rules(const Machines& machines, int argc, char** argv);

}  // namespace talweg::tests
