// How fast this machine moves memory.
#pragma once

namespace talweg::cli {

/// Bytes a second, read and written together, of threads that each add one array to another: what
/// is written was read before, as by an optimizer. Takes about 0.2 s.
double measure_bandwidth(unsigned threads);

}  // namespace talweg::cli
