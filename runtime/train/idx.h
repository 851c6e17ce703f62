// IDX files, the format of MNIST and its relatives: a magic number, sizes (big endian), then bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/support/result.h"
#include "runtime/train/table.h"

namespace talweg::train {

/// Whether `bytes` begin as an IDX file of unsigned bytes with 1 to 4 dimensions does.
bool is_idx(std::string_view bytes);

/// Images (2 to 4 dimensions, the first counts samples) and, with `labels`, their targets (1
/// dimension). Features are named `pixel0`, ... and keep their values 0 to 255. Failures (Io)
/// name the file and what is wrong: another kind of value, sizes that do not fit the file, images
/// and labels of different counts.
support::Result<Table> read_idx_table(std::string_view images, const std::string& images_source,
                                      std::optional<std::string_view> labels,
                                      const std::string& labels_source);

}  // namespace talweg::train
