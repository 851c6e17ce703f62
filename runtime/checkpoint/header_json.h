// The JSON header of a safetensors file. A SAX reader, since it must refuse what a tree would hide
// (a key given twice) or choke on (deep nesting, huge numbers), before anything large is built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/safetensors.h"

namespace talweg::checkpoint {

struct Header {
  std::vector<Safetensors::Entry> entries;  // in the header's order; only each by itself is checked
  Metadata metadata;
};

/// Fills `header`, or returns what is wrong ("tensor `w` has two shapes"). Empty: nothing is.
std::string read_header(std::string_view json, Header& header);

/// The header of these entries and metadata. Empty if some text is not UTF-8.
std::string header_text(const std::vector<Safetensors::Entry>& entries, const Metadata& metadata);

}  // namespace talweg::checkpoint
