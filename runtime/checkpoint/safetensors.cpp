// Offsets are checked as a tiling: in the order of their begins, each tensor starts where the one
// before ends, and the last ends with the file. That leaves no hole, no overlap and nothing out of
// bounds.
#include "runtime/checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "runtime/checkpoint/header_json.h"
#include "runtime/checkpoint/message_text.h"
#include "runtime/support/file_io.h"

namespace talweg::checkpoint {

using support::Failure;
using support::FailureKind;

static_assert(std::endian::native == std::endian::little, "files are little-endian");

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

/// What is wrong with the sizes of one tensor; empty: nothing.
std::string size_problem(const Safetensors::Entry& entry) {
  const std::optional<std::uint64_t> bytes = tensor_bytes(entry.type, entry.shape);
  const std::string tensor = "tensor " + in_quotes(entry.name);
  if (!bytes) return tensor + " has more bytes than can be counted";
  if (entry.end < entry.begin) return tensor + " ends before it begins";
  if (entry.end - entry.begin != *bytes)
    return tensor + " has shape " + shape_text(entry.shape) + " of " +
           std::string(name(entry.type)) + ", " + std::to_string(*bytes) + " bytes, but " +
           std::to_string(entry.end - entry.begin) + " bytes of data";
  return "";
}

/// What keeps the entries from tiling `data_bytes` bytes; empty: nothing.
std::string tiling_problem(const std::vector<Safetensors::Entry>& entries,
                           std::uint64_t data_bytes) {
  std::vector<const Safetensors::Entry*> order;
  for (const Safetensors::Entry& entry : entries) {
    if (std::string problem = size_problem(entry); !problem.empty()) return problem;
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t end = 0;
  for (const Safetensors::Entry* entry : order) {
    const std::string tensor = "tensor " + in_quotes(entry->name);
    if (entry->begin < end) return tensor + " overlaps the one before it";
    if (entry->begin > end) return "there is a hole before " + tensor;
    if (entry->end > data_bytes) return tensor + " reaches past the end; the file is cut off";
    end = entry->end;
  }
  if (end != data_bytes)
    return std::to_string(data_bytes - end) + " bytes at its end belong to no tensor";
  return "";
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

support::Result<Safetensors> Safetensors::read(const std::filesystem::path& path) {
  support::Result<std::string> bytes = support::read_file(path);
  if (!bytes) return bytes.failure();
  return parse(*std::move(bytes), path.string());
}

support::Result<Safetensors> Safetensors::parse(std::string bytes, const std::string& name) {
  const auto refuse = [&](const std::string& problem) {
    return Failure{FailureKind::Io, name + " is not a valid safetensors file: " + problem};
  };
  const auto not_one = [&](const std::string& problem) {
    return Failure{FailureKind::Io, name + " is not a safetensors file: " + problem};
  };
  if (bytes.size() < kLengthBytes) return not_one("it is shorter than 8 bytes");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  if (header_bytes > kMaxHeaderBytes)
    return not_one("read as one, its header would have " + std::to_string(header_bytes) +
                   " bytes; at most 100000000 are allowed");
  if (header_bytes > bytes.size() - kLengthBytes)
    return refuse("its header has " + std::to_string(header_bytes) +
                  " bytes, but the file ends after " + std::to_string(bytes.size() - kLengthBytes) +
                  " of them");
  const std::string_view json = std::string_view(bytes).substr(kLengthBytes, header_bytes);
  if (json.empty() || json.front() != '{') return not_one("its header does not start with {");

  Header header;
  if (const std::string problem = read_header(json, header); !problem.empty())
    return refuse("in its header, " + problem);
  const std::size_t data_start = kLengthBytes + header_bytes;
  if (const std::string problem = tiling_problem(header.entries, bytes.size() - data_start);
      !problem.empty())
    return refuse(problem);

  Safetensors file;
  file.bytes_ = std::move(bytes);
  file.data_start_ = data_start;
  file.entries_ = std::move(header.entries);
  file.metadata_ = std::move(header.metadata);
  std::sort(file.entries_.begin(), file.entries_.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return file;
}

const Safetensors::Entry* Safetensors::find(std::string_view name) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const Entry& entry, std::string_view n) { return entry.name < n; });
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

std::span<const std::byte> Safetensors::data(const Entry& entry) const {
  return bytes_of(bytes_).subspan(data_start_ + entry.begin, entry.end - entry.begin);
}

support::Status write_safetensors(const std::filesystem::path& path,
                                  std::span<const TensorView> tensors, const Metadata& metadata) {
  std::vector<const TensorView*> order;
  std::set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    order.push_back(&tensor);
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second)
      return Failure{FailureKind::Usage,
                     "cannot write " + path.string() + ": the tensor name " +
                         in_quotes(tensor.name) + " is " +
                         (tensor.name == "__metadata__" ? "reserved" : "used twice")};
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return element_bytes(a->type) > element_bytes(b->type);
  });

  std::vector<Safetensors::Entry> entries;
  std::uint64_t end = 0;
  for (const TensorView* tensor : order) {
    const std::optional<std::uint64_t> bytes = tensor_bytes(tensor->type, tensor->shape);
    if (!bytes || *bytes > UINT64_MAX - end)
      return Failure{FailureKind::Usage, "cannot write " + path.string() + ": tensor " +
                                             in_quotes(tensor->name) +
                                             " is larger than a file can be"};
    entries.push_back({tensor->name, tensor->type, tensor->shape, end, end + *bytes});
    end += *bytes;
  }
  std::string header = header_text(entries, metadata);
  if (header.empty())
    return Failure{FailureKind::Usage,
                   "cannot write " + path.string() + ": a name or its metadata is not UTF-8"};
  header.append((kLengthBytes - header.size() % kLengthBytes) % kLengthBytes, ' ');
  if (header.size() > kMaxHeaderBytes)
    return Failure{FailureKind::Usage,
                   "cannot write " + path.string() + ": its header would be over 100000000 bytes"};
  const std::uint64_t header_bytes = header.size();
  std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(&header_bytes, 1)),
                                                 bytes_of(header)};
  for (std::size_t i = 0; i < order.size(); ++i)
    pieces.emplace_back(static_cast<const std::byte*>(order[i]->data),
                        static_cast<std::size_t>(entries[i].end - entries[i].begin));
  return support::write_file_atomically(path, pieces);
}

}  // namespace talweg::checkpoint
