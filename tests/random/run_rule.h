// Steps an image over a setting by the optimizer that users run, and keeps everything a step can
// leave: parameters, states, counters, and what was refused and why.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/abi/talweg_abi.h"
#include "runtime/support/thread_pool.h"
#include "tests/random/setting.h"

namespace talweg::tests {

/// One thing that was looked at: "step 2, tensor 1, state m", with one value an element.
struct Section {
  std::string name;
  std::vector<double> values;
  std::string text;          // of what is no number: a refusal
  std::string feature = {};  // that coverage.h counts
  bool is_wrong = false;     // by itself, whatever the other run says
};
using Trace = std::vector<Section>;

/// `is_reference`: only the first kPeriod elements of each tensor, unless
/// the rule reduces.
Trace run_rule(const talweg_image& image, const Setting& setting,
               const std::shared_ptr<support::ThreadPool>& pool, bool is_reference);

struct Difference {
  std::string what;  // empty: none
  std::size_t element = 0;
};
/// Where `actual` first differs from the reference, whose elements repeat.
Difference first_difference(const Trace& expected, const Trace& actual);

/// What the image's streams and scalars are given in each step for one element, as text.
std::string describe_inputs(const talweg_image& image, const Setting& setting, std::size_t element);

}  // namespace talweg::tests
